//! Where received bytes lie until the link has used them.
//!
//! A connection keeps only the beginning of an unfinished frame; the large buffer to read into
//! belongs to the kernel thread and serves all its connections, so a thousand idle links cost no
//! buffers.

use std::io;

use crate::lane::Lane;

/// Bytes asked for in one read. Larger than a socket's queue usually is, small enough for the
/// cache.
const READ_BYTES: usize = 256 << 10;

/// The bytes of one connection that wait for the rest of their frame.
#[derive(Debug, Default)]
pub struct ReadBuffer {
    rest: Vec<u8>,
}

/// What one [`ReadBuffer::read`] brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// So many bytes came; `is_full` says that more are likely to wait.
    Bytes {
        /// New bytes.
        count: usize,
        /// Whether the read filled its buffer.
        is_full: bool,
    },
    /// Nothing has come.
    Nothing,
    /// The peer closed the connection.
    Closed,
}

impl ReadBuffer {
    /// Starts with bytes that were read before the link existed.
    #[must_use]
    pub fn with(rest: Vec<u8>) -> ReadBuffer {
        ReadBuffer { rest }
    }

    /// Reads once and presents rest and news in one slice to `use_bytes`, which answers how many it
    /// used. `scratch` is the thread's shared buffer; it grows to what one frame needs.
    ///
    /// # Errors
    /// Those of the system, and the error of `use_bytes`.
    pub fn read<E: From<io::Error>>(
        &mut self,
        lane: &Lane,
        scratch: &mut Vec<u8>,
        use_bytes: impl FnOnce(&[u8]) -> Result<usize, E>,
    ) -> Result<Read, E> {
        let held = self.rest.len();
        if scratch.len() < held + READ_BYTES {
            scratch.resize(held + READ_BYTES, 0);
        }
        scratch[..held].copy_from_slice(&self.rest);
        let count = match lane.try_read(&mut scratch[held..held + READ_BYTES]) {
            Ok(0) => return Ok(Read::Closed),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Read::Nothing),
            Err(error) => return Err(error.into()),
        };
        let bytes = &scratch[..held + count];
        let used = use_bytes(bytes)?;
        self.rest.clear();
        self.rest.extend_from_slice(&bytes[used..]);
        if self.rest.is_empty() && self.rest.capacity() > READ_BYTES {
            self.rest = Vec::new(); // a large frame is over; its memory goes back
        }
        Ok(Read::Bytes { count, is_full: count == READ_BYTES })
    }

    /// Uses bytes that are there already, without reading.
    ///
    /// # Errors
    /// The error of `use_bytes`.
    pub fn replay<E>(
        &mut self,
        use_bytes: impl FnOnce(&[u8]) -> Result<usize, E>,
    ) -> Result<(), E> {
        let used = use_bytes(&self.rest)?;
        self.rest.drain(..used);
        Ok(())
    }
}
