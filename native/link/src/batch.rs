//! What a lane is about to write: pieces of owned bytes and of slabs, ready for one vectored write.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::ops::Range;

use foundation_buffer::Slab;
use foundation_seal::{SealError, Sealer};

use crate::outgoing::Outgoing;

/// Size at which a segment of frames is closed and the next one begun.
pub(crate) const SEGMENT_BYTES: usize = 64 << 10;
/// Written segments kept for reuse, so that a warm link allocates nothing per message.
const SPARE_MAX: usize = 4;
/// A segment that grew beyond this goes back to the allocator.
const SPARE_BYTES_MAX: usize = 4 * SEGMENT_BYTES;

/// Part of a batch.
#[derive(Debug)]
pub enum Piece {
    /// Frames, or a frame's header.
    Bytes(Vec<u8>),
    /// A part of a slab; the batch holds a reference until it is written.
    Slab(Slab, Range<usize>),
}

impl Piece {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Piece::Bytes(bytes) => bytes,
            Piece::Slab(slab, range) => slab.as_slice().get(range.clone()).unwrap_or(&[]),
        }
    }
}

/// The unsent backlog of a lane. Filled by [`crate::Link::transmit`], emptied by the transport. On
/// a sealed lane nothing but sealed records is ever given out.
#[derive(Debug, Default)]
pub struct Batch {
    pieces: VecDeque<Piece>,
    /// Bytes of the first piece that are written already.
    written: usize,
    bytes: usize,
    pub(crate) spare: Vec<Vec<u8>>,
    sealing: Option<Box<Outgoing>>,
}

impl Batch {
    /// The backlog of a lane whose bytes are sealed.
    #[must_use]
    pub fn sealed(sealer: Sealer) -> Batch {
        Batch { sealing: Some(Box::new(Outgoing::new(sealer))), ..Batch::default() }
    }

    /// Bytes not written yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes + self.sealing.as_ref().map_or(0, |sealing| sealing.unwritten().len())
    }

    /// Whether everything is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes [`Batch::slices`] ready: on a sealed lane, seals the next records once the last ones
    /// are written. Call it before each write.
    ///
    /// # Errors
    /// [`SealError`]; nothing may be written then.
    pub fn prepare(&mut self) -> Result<(), SealError> {
        let Some(sealing) = &mut self.sealing else { return Ok(()) };
        if !sealing.unwritten().is_empty() {
            return Ok(());
        }
        if self.bytes == 0 {
            recycle(&mut self.spare, sealing.take_buffer());
            return Ok(());
        }
        let spare = &mut self.spare;
        let sealed = sealing.seal(&self.pieces, self.written, || spare.pop())?;
        self.release(sealed);
        Ok(())
    }

    /// Appends a piece; an empty one is dropped.
    pub fn push(&mut self, piece: Piece) {
        let len = piece.as_slice().len();
        if len > 0 {
            self.bytes += len;
            self.pieces.push_back(piece);
        }
    }

    /// Appends frames behind what is there: to its last segment while that is short, else to a new
    /// one.
    pub(crate) fn append(
        &mut self,
        spare: &mut Vec<Vec<u8>>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> usize {
        if let Some(Piece::Bytes(last)) = self.pieces.back_mut()
            && last.len() < SEGMENT_BYTES
        {
            let before = last.len();
            write(last);
            let written = last.len() - before;
            self.bytes += written;
            return written;
        }
        let mut bytes = spare.pop().unwrap_or_default();
        write(&mut bytes);
        let written = bytes.len();
        self.push(Piece::Bytes(bytes));
        written
    }

    /// Appends up to `max` slices of unwritten bytes, in order; on a sealed lane those that
    /// [`Batch::prepare`] has sealed.
    pub fn slices<'a>(&'a self, max: usize, out: &mut Vec<IoSlice<'a>>) {
        if let Some(sealing) = &self.sealing {
            out.push(IoSlice::new(sealing.unwritten()));
            return;
        }
        for (index, piece) in self.pieces.iter().take(max).enumerate() {
            let skip = if index == 0 { self.written } else { 0 };
            out.push(IoSlice::new(&piece.as_slice()[skip..]));
        }
    }

    /// Marks `count` bytes as written and lets go of the pieces that are done.
    pub fn consume(&mut self, count: usize) {
        match &mut self.sealing {
            Some(sealing) => sealing.consume(count),
            None => self.release(count),
        }
    }

    fn release(&mut self, count: usize) {
        let mut left = count.min(self.bytes);
        self.bytes -= left;
        while let Some(first) = self.pieces.front() {
            let rest = first.as_slice().len() - self.written;
            if left < rest {
                self.written += left;
                return;
            }
            left -= rest;
            self.written = 0;
            if let Some(Piece::Bytes(bytes)) = self.pieces.pop_front() {
                recycle(&mut self.spare, bytes);
            }
            if left == 0 {
                return;
            }
        }
    }
}

/// Keeps a written segment for reuse.
pub(crate) fn recycle(spare: &mut Vec<Vec<u8>>, mut bytes: Vec<u8>) {
    if spare.len() < SPARE_MAX && (1..=SPARE_BYTES_MAX).contains(&bytes.capacity()) {
        bytes.clear();
        spare.push(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(batch: &Batch) -> Vec<u8> {
        let mut slices = Vec::new();
        batch.slices(usize::MAX, &mut slices);
        slices.iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn partial_writes_keep_the_rest_in_order() {
        let mut batch = Batch::default();
        batch.push(Piece::Bytes(vec![1, 2, 3]));
        batch.push(Piece::Bytes(vec![]));
        batch.push(Piece::Bytes(vec![4]));
        assert_eq!(batch.append(&mut Vec::new(), |bytes| bytes.push(5)), 1);
        for used in 0..=5 {
            assert_eq!(written(&batch), (used + 1..=5).collect::<Vec<u8>>());
            assert_eq!(batch.len(), 5 - used as usize);
            batch.consume(1);
        }
        assert!(batch.is_empty());
    }
}
