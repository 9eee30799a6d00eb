//! Large messages that arrive in chunks, each written straight into its slab.

use std::collections::BTreeMap;

use foundation_buffer::{Pool, Slab, SlabMut};
use foundation_frame::DataHeader;

use crate::error::LinkError;
use crate::time::Micros;

/// Unfinished messages of one peer. Credit bounds their bytes; this bounds their number. Honest
/// senders keep to 64 a queue (`INTERLEAVED_MAX`) and have fewer than 80 queues.
const PARTIAL_MAX: usize = 8192;

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
    /// The message is whole; the header is its first frame's. No slab: it was dropped for want of
    /// memory.
    Whole(DataHeader, Option<Slab>),
    /// A chunk of a message that was given up before.
    Orphan,
}

#[derive(Debug)]
pub(crate) struct Reassembly {
    partials: BTreeMap<u32, Partial>,
    /// No unfinished message is late before this: deadlines only move away.
    late_from: Micros,
}

impl Default for Reassembly {
    fn default() -> Self {
        Reassembly { partials: BTreeMap::new(), late_from: Micros::NEVER }
    }
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
            self.late_from = self.late_from.min(deadline);
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
        match self.partials.remove(&header.sequence) {
            Some(whole) => Ok(Chunk::Whole(whole.header, whole.slab.map(SlabMut::freeze))),
            None => Ok(Chunk::Orphan),
        }
    }

    /// Gives up a message whose chunk was damaged.
    pub(crate) fn abandon(&mut self, sequence: u32) -> Option<DataHeader> {
        self.partials.remove(&sequence).map(|partial| partial.header)
    }

    /// When [`Reassembly::expire`] is due; it may find nothing late then.
    pub(crate) fn next_timeout(&self) -> Micros {
        if self.partials.is_empty() { Micros::NEVER } else { self.late_from }
    }

    /// Takes out a message that went quiet.
    pub(crate) fn expire(&mut self, now: Micros) -> Option<DataHeader> {
        if self.next_timeout() > now {
            return None;
        }
        let late = self.partials.iter().find(|(_, partial)| partial.deadline <= now);
        if let Some((&sequence, _)) = late {
            return self.abandon(sequence);
        }
        let deadlines = self.partials.values().map(|partial| partial.deadline);
        self.late_from = deadlines.min().unwrap_or(Micros::NEVER);
        None
    }
}
