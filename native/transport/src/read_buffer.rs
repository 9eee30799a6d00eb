//! Where received bytes lie until the link has used them.
//!
//! A connection keeps only the beginning of an unfinished frame; the large buffer to read into
//! belongs to the kernel thread and serves all its connections, so a thousand idle links cost no
//! buffers.

use std::io;

use crate::lane::Lane;

/// Bytes asked for in one read. Larger than a socket's queue usually is, small enough for the
/// cache.
pub(crate) const READ_BYTES: usize = 256 << 10;

/// Bytes asked for behind a place of their own: the next frame's header, or the small frames that
/// lie between two large ones. More would only be copied.
const BEHIND_BYTES: usize = 16 << 10;

/// Who uses the bytes of a connection.
pub trait Sink {
    /// Why the connection ends.
    type Error: From<io::Error>;

    /// Where the next bytes belong, if they need not be looked at before they lie there.
    fn landing(&mut self) -> Option<&mut [u8]>;

    /// So many bytes were put there, from its front on.
    ///
    /// # Errors
    /// Why the connection ends.
    fn landed(&mut self, count: usize) -> Result<(), Self::Error>;

    /// Takes bytes; answers how many were used. The rest is presented again with more behind it.
    ///
    /// # Errors
    /// Why the connection ends.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, Self::Error>;
}

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

    /// Reads once: into the place that the sink has for the next bytes, or else into `scratch`,
    /// where rest and news are presented in one slice. `scratch` is the thread's shared buffer; it
    /// grows to what one frame needs.
    ///
    /// # Errors
    /// Those of the system, and the error of the sink.
    pub fn read<S: Sink>(
        &mut self,
        lane: &Lane,
        scratch: &mut Vec<u8>,
        sink: &mut S,
    ) -> Result<Read, S::Error> {
        let held = self.rest.len();
        if scratch.len() < held + READ_BYTES {
            scratch.resize(held + READ_BYTES, 0);
        }
        // What comes in place of its own has no rest before it: the sink has used that.
        let place = if held == 0 { sink.landing() } else { None };
        let place_bytes = place.as_ref().map_or(0, |place| place.len());
        let news = if place.is_some() { BEHIND_BYTES } else { READ_BYTES };
        let result = match place {
            Some(place) => lane.try_read_both(place, &mut scratch[..news]),
            None => {
                scratch[..held].copy_from_slice(&self.rest);
                lane.try_read(&mut scratch[held..held + news])
            }
        };
        let count = match result {
            Ok(0) => return Ok(Read::Closed),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Read::Nothing),
            Err(error) => return Err(error.into()),
        };
        let is_full = count == place_bytes + news;
        let landed = count.min(place_bytes);
        if landed > 0 {
            sink.landed(landed)?;
        }
        let bytes = &scratch[..held + count - landed];
        if !bytes.is_empty() {
            let used = sink.take(bytes)?;
            self.rest.clear();
            self.rest.extend_from_slice(&bytes[used..]);
        }
        Ok(Read::Bytes { count, is_full })
    }

    /// Uses bytes that are there already, without reading.
    ///
    /// # Errors
    /// The error of the sink.
    pub fn replay<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        let used = sink.take(&self.rest)?;
        self.rest.drain(..used);
        Ok(())
    }
}
