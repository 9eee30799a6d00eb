//! The sealing half of a batch: frames are copied into records, sealed there, and written.

use std::collections::VecDeque;

use foundation_seal::{
    RECORD_HEADER_BYTES, RECORD_OVERHEAD_BYTES, RECORD_PLAIN_BYTES_MAX, SealError, Sealer,
};

use crate::batch::Piece;

/// Records made at once: enough for a full system call, and no more to wait behind for an urgent
/// frame.
const RECORDS_MAX: usize = 4;
/// Room for that many records.
const SEALED_BYTES_MAX: usize = RECORDS_MAX * (RECORD_PLAIN_BYTES_MAX + RECORD_OVERHEAD_BYTES);

/// Sealed bytes that wait to be written.
#[derive(Debug)]
pub(crate) struct Outgoing {
    sealer: Sealer,
    ready: Vec<u8>,
    written: usize,
}

impl Outgoing {
    pub(crate) fn new(sealer: Sealer) -> Outgoing {
        Outgoing { sealer, ready: Vec::new(), written: 0 }
    }

    /// Sealed bytes not written yet.
    pub(crate) fn unwritten(&self) -> &[u8] {
        &self.ready[self.written..]
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.written = (self.written + count).min(self.ready.len());
    }

    /// Seals the next records once the last ones are written; answers how many bytes of the pieces
    /// they hold. `buffer` is used for them where there is none.
    pub(crate) fn seal(
        &mut self,
        pieces: &VecDeque<Piece>,
        skip: usize,
        buffer: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Result<usize, SealError> {
        if self.ready.capacity() == 0 {
            self.ready = buffer().unwrap_or_default();
        }
        self.ready.clear();
        self.written = 0;
        let mut sealed = 0;
        let mut source = Source { pieces, index: 0, skip };
        while self.ready.len() + RECORD_OVERHEAD_BYTES + RECORD_PLAIN_BYTES_MAX <= SEALED_BYTES_MAX
        {
            let start = self.ready.len();
            self.ready.extend_from_slice(&[0; RECORD_HEADER_BYTES]);
            let plain = source.copy(&mut self.ready, RECORD_PLAIN_BYTES_MAX);
            if plain == 0 {
                self.ready.truncate(start);
                break;
            }
            self.sealer.seal(&mut self.ready, start)?;
            sealed += plain;
        }
        Ok(sealed)
    }

    /// The buffer of records that are written.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        self.written = 0;
        std::mem::take(&mut self.ready)
    }
}

/// Reads pieces from the front on without taking them away.
struct Source<'a> {
    pieces: &'a VecDeque<Piece>,
    index: usize,
    skip: usize,
}

impl Source<'_> {
    /// Appends up to `max` bytes to `out`; answers how many there were.
    fn copy(&mut self, out: &mut Vec<u8>, max: usize) -> usize {
        let mut left = max;
        while left > 0 {
            let Some(piece) = self.pieces.get(self.index) else { break };
            let rest = &piece.as_slice()[self.skip..];
            let count = rest.len().min(left);
            out.extend_from_slice(&rest[..count]);
            left -= count;
            self.skip += count;
            if count == rest.len() {
                self.index += 1;
                self.skip = 0;
            }
        }
        max - left
    }
}
