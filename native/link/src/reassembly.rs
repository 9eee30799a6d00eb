//! Large messages that arrive in chunks, each written straight into its slab.

use std::collections::BTreeMap;

use foundation_buffer::{Pool, Slab, SlabMut};
use foundation_frame::DataHeader;

use crate::error::LinkError;
use crate::time::Micros;

/// Unfinished messages of one peer. Credit bounds their bytes; this bounds their number.
const PARTIAL_MAX: usize = 4096;

#[derive(Debug)]
struct Partial {
    header: DataHeader,
    /// `None` where memory ran out: the rest of the message is read and dropped.
    slab: Option<SlabMut>,
    received: usize,
    deadline: Micros,
}

/// What became of a chunk.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// More to come.
    Partial,
    /// The message is whole. No slab: it was dropped for want of memory.
    Whole(Option<Slab>),
    /// A chunk of a message that was given up before.
    Orphan,
}

#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    partials: BTreeMap<u32, Partial>,
}

impl Reassembly {
    pub(crate) fn accept(
        &mut self,
        header: &DataHeader,
        payload: &[u8],
        pool: &Pool,
        deadline: Micros,
    ) -> Result<Chunk, LinkError> {
        let total = header.message_bytes as usize;
        let offset = header.chunk_offset as usize;
        if payload.is_empty() || offset + payload.len() > total {
            return Err(LinkError::Protocol("chunk outside its message"));
        }
        if offset == 0 {
            if self.partials.len() >= PARTIAL_MAX || self.partials.contains_key(&header.sequence) {
                return Err(LinkError::Protocol("too many unfinished messages"));
            }
            let slab = pool.allocate(total).ok();
            let partial = Partial { header: *header, slab, received: 0, deadline };
            self.partials.insert(header.sequence, partial);
        }
        let Some(partial) = self.partials.get_mut(&header.sequence) else {
            return Ok(Chunk::Orphan);
        };
        if offset != partial.received || total != partial.header.message_bytes as usize {
            return Err(LinkError::Protocol("chunk out of order"));
        }
        if let Some(slab) = &mut partial.slab {
            let written = slab.write_at(offset, payload);
            debug_assert!(written.is_ok(), "the chunk was checked to lie inside its message");
        }
        partial.received += payload.len();
        partial.deadline = deadline;
        if partial.received < total {
            return Ok(Chunk::Partial);
        }
        let whole = self.partials.remove(&header.sequence).and_then(|partial| partial.slab);
        Ok(Chunk::Whole(whole.map(SlabMut::freeze)))
    }

    /// Gives up a message whose chunk was damaged.
    pub(crate) fn abandon(&mut self, sequence: u32) -> Option<DataHeader> {
        self.partials.remove(&sequence).map(|partial| partial.header)
    }

    pub(crate) fn next_timeout(&self) -> Micros {
        // A scan: there are few unfinished messages, and the host asks once a turn.
        self.partials.values().map(|partial| partial.deadline).min().unwrap_or(Micros::NEVER)
    }

    /// Takes out the messages that went quiet.
    pub(crate) fn expired(&mut self, now: Micros) -> Vec<DataHeader> {
        let late: Vec<u32> = self
            .partials
            .iter()
            .filter(|(_, partial)| partial.deadline <= now)
            .map(|(sequence, _)| *sequence)
            .collect();
        late.into_iter().filter_map(|sequence| self.abandon(sequence)).collect()
    }
}
