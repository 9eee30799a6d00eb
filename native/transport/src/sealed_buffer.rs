//! Where the bytes of a sealed connection are opened.

use std::io;

use foundation_seal::{Opener, SealError};

use crate::lane::Lane;
use crate::read_buffer::{READ_BYTES, Read, Sink};

/// The bytes of one sealed connection that wait for more: the beginning of a frame, opened, and
/// behind it the beginning of a record, as it came.
#[derive(Debug)]
pub struct SealedBuffer {
    opener: Opener,
    rest: Vec<u8>,
    /// Where the opened part of `rest` ends.
    opened: usize,
}

impl SealedBuffer {
    /// Starts with sealed bytes that were read before the link existed.
    #[must_use]
    pub fn with(rest: Vec<u8>, opener: Opener) -> SealedBuffer {
        SealedBuffer { opener, rest, opened: 0 }
    }

    /// Whether a record has begun and not ended.
    pub(crate) fn is_inside_record(&self) -> bool {
        self.rest.len() > self.opened
    }

    pub(crate) fn read<S: Sink>(
        &mut self,
        lane: &Lane,
        scratch: &mut Vec<u8>,
        sink: &mut S,
    ) -> Result<Read, S::Error>
    where
        S::Error: From<SealError>,
    {
        let held = self.rest.len();
        if scratch.len() < held + READ_BYTES {
            scratch.resize(held + READ_BYTES, 0);
        }
        let count = match lane.try_read(&mut scratch[held..held + READ_BYTES]) {
            Ok(0) => return Ok(Read::Closed),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Read::Nothing),
            Err(error) => return Err(error.into()),
        };
        scratch[..held].copy_from_slice(&self.rest);
        self.open(&mut scratch[..held + count], sink)?;
        Ok(Read::Bytes { count, is_full: count == READ_BYTES })
    }

    pub(crate) fn replay<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error>
    where
        S::Error: From<SealError>,
    {
        let mut held = std::mem::take(&mut self.rest);
        self.open(&mut held, sink)
    }

    /// Opens what is there, gives all opened bytes to the link, and keeps the rest.
    fn open<S: Sink>(&mut self, bytes: &mut [u8], sink: &mut S) -> Result<(), S::Error>
    where
        S::Error: From<SealError>,
    {
        let opened = self.opener.open(bytes, self.opened, self.opened)?;
        let used = sink.take(&bytes[..opened.plain_end])?;
        self.rest.clear();
        self.rest.extend_from_slice(&bytes[used..opened.plain_end]);
        self.opened = self.rest.len();
        self.rest.extend_from_slice(&bytes[opened.rest_start..]);
        if self.rest.is_empty() && self.rest.capacity() > READ_BYTES {
            self.rest = Vec::new(); // a large frame is over; its memory goes back
        }
        Ok(())
    }
}
