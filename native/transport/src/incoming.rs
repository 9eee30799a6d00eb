//! What a connection's reader holds: bytes in plain text, or sealed ones.

use foundation_seal::{Opener, SealError};

use crate::lane::Lane;
use crate::read_buffer::{Read, ReadBuffer, Sink};
use crate::sealed_buffer::SealedBuffer;

/// The reading half of a connection.
#[derive(Debug)]
pub enum Incoming {
    /// Bytes are the link's own.
    Plain(ReadBuffer),
    /// Bytes are sealed records.
    Sealed(Box<SealedBuffer>),
}

impl Default for Incoming {
    /// Nothing of nobody: what stands in a connection's place while its buffer is in use.
    fn default() -> Self {
        Incoming::Plain(ReadBuffer::default())
    }
}

impl Incoming {
    /// Starts with bytes that were read before the link existed; with an `opener` they are sealed.
    #[must_use]
    pub fn with(rest: Vec<u8>, opener: Option<Opener>) -> Incoming {
        match opener {
            None => Incoming::Plain(ReadBuffer::with(rest)),
            Some(opener) => Incoming::Sealed(Box::new(SealedBuffer::with(rest, opener))),
        }
    }

    /// Whether a sealed record has begun and not ended: a connection that closes now was cut short.
    #[must_use]
    pub fn is_inside_record(&self) -> bool {
        match self {
            Incoming::Plain(_) => false,
            Incoming::Sealed(buffer) => buffer.is_inside_record(),
        }
    }

    /// Reads once and gives the sink what came; `scratch` is the thread's shared buffer, which
    /// grows to what one frame needs.
    ///
    /// # Errors
    /// Those of the system, of a record that does not open, and of the sink.
    pub fn read<S: Sink>(
        &mut self,
        lane: &Lane,
        scratch: &mut Vec<u8>,
        sink: &mut S,
    ) -> Result<Read, S::Error>
    where
        S::Error: From<SealError>,
    {
        match self {
            Incoming::Plain(buffer) => buffer.read(lane, scratch, sink),
            Incoming::Sealed(buffer) => buffer.read(lane, scratch, sink),
        }
    }

    /// Uses bytes that are there already, without reading.
    ///
    /// # Errors
    /// Of a record that does not open, and of the sink.
    pub fn replay<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error>
    where
        S::Error: From<SealError>,
    {
        match self {
            Incoming::Plain(buffer) => buffer.replay(sink),
            Incoming::Sealed(buffer) => buffer.replay(sink),
        }
    }
}
