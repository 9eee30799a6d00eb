//! Rings between two isolates of one process: made on first use, freed when both ends let go.

use foundation_buffer::{Block, Pool};
use foundation_ring::layout;

use crate::command::NodeError;
use crate::names::Owner;

#[derive(Debug)]
struct Pair {
    ends: Vec<Owner>,
    block: Block,
}

/// The rings between isolates of a node.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    pairs: Vec<Pair>,
}

impl Pairs {
    /// Makes a ring from one isolate to another; answers where it begins.
    pub(crate) fn open(
        &mut self,
        pool: &Pool,
        ring_bytes: u32,
        from: Owner,
        to: Owner,
    ) -> Result<u32, NodeError> {
        let block = pool
            .allocate_block(layout::block_bytes(ring_bytes))
            .map_err(|_| NodeError::new("arena_exhausted", "no room in the arena for a ring"))?;
        let offset = block.offset() as u32;
        self.pairs.push(Pair { ends: vec![from, to], block });
        Ok(offset)
    }

    /// One end lets go of one ring.
    pub(crate) fn close(&mut self, slot: u16, offset: u32) {
        for pair in self.pairs.iter_mut().filter(|pair| pair.block.offset() as u32 == offset) {
            pair.ends.retain(|end| end.slot != slot);
        }
        self.sweep();
    }

    /// An isolate is gone: lets go of its ends; answers (surviving isolate, ring) pairs to be told.
    pub(crate) fn close_all(&mut self, owner: Owner) -> Vec<(Owner, u32)> {
        let mut told = Vec::new();
        for pair in self.pairs.iter_mut().filter(|pair| pair.ends.contains(&owner)) {
            pair.ends.retain(|end| *end != owner);
            told.extend(pair.ends.iter().map(|end| (*end, pair.block.offset() as u32)));
        }
        self.sweep();
        told
    }

    /// Frees the rings that nobody holds, by dropping their blocks.
    fn sweep(&mut self) {
        self.pairs.retain(|pair| !pair.ends.is_empty());
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }
}
