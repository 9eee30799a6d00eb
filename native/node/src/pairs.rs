//! Rings between two isolates of one process: made on first use, freed when both ends let go.

use std::sync::{Arc, Mutex};

use foundation_buffer::{Block, HandleTable, Pool};
use foundation_ring::layout;

use crate::command::NodeError;
use crate::isolate::lock;
use crate::names::Owner;

/// Slab references that are under way in a ring. They belong to the ring, so they outlive a writer
/// that dies, and are given back with the ring if nobody reads them.
pub type InTransit = Arc<Mutex<HandleTable>>;

#[derive(Debug)]
struct Pair {
    ends: Vec<Owner>,
    block: Block,
    in_transit: InTransit,
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
    ) -> Result<(u32, InTransit), NodeError> {
        let block = pool
            .allocate_block(layout::block_bytes(ring_bytes))
            .map_err(|_| NodeError::new("arena_exhausted", "no room in the arena for a ring"))?;
        let offset = block.offset() as u32;
        let in_transit = InTransit::default();
        self.pairs.push(Pair { ends: vec![from, to], block, in_transit: Arc::clone(&in_transit) });
        Ok((offset, in_transit))
    }

    /// One end lets go of one ring.
    pub(crate) fn close(&mut self, pool: &Pool, slot: u16, offset: u32) {
        for pair in self.pairs.iter_mut().filter(|pair| pair.block.offset() as u32 == offset) {
            pair.ends.retain(|end| end.slot != slot);
        }
        self.sweep(pool);
    }

    /// An isolate is gone: lets go of its ends; answers (surviving isolate, ring) pairs to be told.
    pub(crate) fn close_all(&mut self, pool: &Pool, owner: Owner) -> Vec<(Owner, u32)> {
        let mut told = Vec::new();
        for pair in self.pairs.iter_mut().filter(|pair| pair.ends.contains(&owner)) {
            pair.ends.retain(|end| *end != owner);
            told.extend(pair.ends.iter().map(|end| (*end, pair.block.offset() as u32)));
        }
        self.sweep(pool);
        told
    }

    /// Frees the rings that nobody holds: what is in transit, then, by dropping it, the block.
    fn sweep(&mut self, pool: &Pool) {
        self.pairs.retain(|pair| {
            if pair.ends.is_empty() {
                lock(&pair.in_transit).release_all(pool);
            }
            !pair.ends.is_empty()
        });
    }

    /// Frees all rings: the node is gone.
    pub(crate) fn clear(&mut self, pool: &Pool) {
        for pair in &mut self.pairs {
            pair.ends.clear();
        }
        self.sweep(pool);
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }
}
