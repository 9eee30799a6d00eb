//! Large messages that arrive in chunks, each written straight into its slab.

use std::collections::BTreeMap;
use std::ops::Range;

use foundation_buffer::{Pool, Slab, SlabMut};
use foundation_frame::DataHeader;

use crate::error::LinkError;
use foundation_machine::Micros;

/// Unfinished messages of one peer. Credit bounds their bytes; this bounds their number. Honest
/// senders keep to 64 a queue (`INTERLEAVED_MAX`) and have fewer than 80 queues.
const PARTIAL_MAX: usize = 8192;

/// Slowest pace of a message, from its first chunk on (sixteen at once over 256 KiB/s): memory that
/// is reserved for one that drips in is kept from others.
const PACE_BYTES_PER_SECOND_MIN: u64 = 16 << 10;

#[derive(Debug)]
struct Partial {
    header: DataHeader,
    /// Extension area of the first frame.
    extension: Box<[u8]>,
    /// `None` where memory ran out: the rest of the message is read and dropped.
    slab: Option<SlabMut>,
    received: usize,
    deadline: Micros,
    /// However steadily chunks drip in, by then the message is whole or given up.
    latest: Micros,
}

impl Partial {
    /// Parts of one message come in order and agree on its length.
    fn expect(&self, header: &DataHeader) -> Result<(), LinkError> {
        let is_next = header.chunk_offset as usize == self.received;
        if is_next && header.message_bytes == self.header.message_bytes {
            return Ok(());
        }
        Err(LinkError::Protocol("chunk out of order"))
    }
}

/// What became of a chunk.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// More to come.
    Partial,
    /// The message is whole; header and extension area are its first frame's. No slab: it was
    /// dropped for want of memory.
    Whole(DataHeader, Box<[u8]>, Option<Slab>),
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
    /// Takes a part that is there as a whole.
    pub(crate) fn accept(
        &mut self,
        (header, extension): (&DataHeader, &[u8]),
        payload: &[u8],
        pool: &Pool,
        deadline: Micros,
    ) -> Result<Chunk, LinkError> {
        self.open((header, extension), payload.len(), pool, deadline)?;
        if let Some(place) = self.place(header, 0..payload.len()) {
            place.copy_from_slice(payload);
        }
        self.advance(header, payload.len(), deadline)
    }

    /// Judges a part by its header and length, and gives its message memory with the first one.
    pub(crate) fn open(
        &mut self,
        (header, extension): (&DataHeader, &[u8]),
        payload_bytes: usize,
        pool: &Pool,
        deadline: Micros,
    ) -> Result<(), LinkError> {
        let total = header.message_bytes as usize;
        let offset = header.chunk_offset as usize;
        if payload_bytes == 0 || offset + payload_bytes > total {
            return Err(LinkError::Protocol("chunk outside its message"));
        }
        if offset == 0 {
            if self.partials.len() >= PARTIAL_MAX || self.partials.contains_key(&header.sequence) {
                return Err(LinkError::Protocol("too many unfinished messages"));
            }
            let slab = pool.allocate(total).ok();
            let whole = Micros(total as u64 * 1_000_000 / PACE_BYTES_PER_SECOND_MIN);
            let latest = deadline + whole;
            let (header, extension) = (*header, extension.into());
            let partial = Partial { header, extension, slab, received: 0, deadline, latest };
            self.partials.insert(header.sequence, partial);
            self.late_from = self.late_from.min(deadline);
        }
        match self.partials.get_mut(&header.sequence) {
            Some(partial) => partial.expect(header),
            None => Ok(()),
        }
    }

    /// Where bytes of a part belong, counted from the part's beginning; `None` where there is no
    /// memory for it or its message was given up.
    pub(crate) fn place(&mut self, header: &DataHeader, part: Range<usize>) -> Option<&mut [u8]> {
        let slab = self.partials.get_mut(&header.sequence)?.slab.as_mut()?;
        let offset = header.chunk_offset as usize;
        slab.as_mut_slice().get_mut(offset + part.start..offset + part.end)
    }

    /// A part is complete and undamaged.
    pub(crate) fn advance(
        &mut self,
        header: &DataHeader,
        payload_bytes: usize,
        deadline: Micros,
    ) -> Result<Chunk, LinkError> {
        let Some(partial) = self.partials.get_mut(&header.sequence) else {
            return Ok(Chunk::Orphan);
        };
        partial.expect(header)?;
        partial.received += payload_bytes;
        partial.deadline = deadline.min(partial.latest);
        if partial.received < partial.header.message_bytes as usize {
            return Ok(Chunk::Partial);
        }
        match self.partials.remove(&header.sequence) {
            Some(Partial { header, extension, slab, .. }) => {
                Ok(Chunk::Whole(header, extension, slab.map(SlabMut::freeze)))
            }
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
