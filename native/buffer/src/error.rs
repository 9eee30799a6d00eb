//! Every way in which a pool says no.

use core::{error, fmt};

use crate::Handle;

/// No run of free pages is long enough, or the slab table is full. Nothing was taken.
///
/// Remedy: wait for releases and try again. Beyond `BLOCK_BYTES_MAX` no attempt can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory {
    /// What was asked for.
    pub requested_bytes: usize,
    /// Pages free in the whole arena, in bytes; fragmentation if it exceeds what was asked for.
    pub free_bytes: usize,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requested_bytes, free_bytes } = self;
        write!(formatter, "no {requested_bytes} bytes in a row; {free_bytes} are free in all")
    }
}

impl error::Error for OutOfMemory {}

/// A write that does not fit into its slab. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfBounds {
    /// Where the write would begin.
    pub offset: usize,
    /// How long it would be.
    pub write_bytes: usize,
    /// How long the slab is.
    pub slab_bytes: usize,
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, write_bytes, slab_bytes } = self;
        write!(formatter, "{write_bytes} bytes at {offset} exceed a slab of {slab_bytes} bytes")
    }
}

impl error::Error for OutOfBounds {}

/// What is wrong with a handle. Each is counted in [`Stats`](crate::Stats).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BufferError {
    /// The handle's references were all given back before: use after release.
    StaleHandle(Handle),
    /// A release of what was released already.
    DoubleRelease(Handle),
    /// The slab has 2^32 - 1 references, which only a leak explains.
    TooManyReferences(Handle),
}

impl fmt::Display for BufferError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaleHandle(handle) => write!(formatter, "{handle} was used after its release"),
            Self::DoubleRelease(handle) => write!(formatter, "{handle} was released twice"),
            Self::TooManyReferences(handle) => {
                write!(formatter, "{handle} has too many references")
            }
        }
    }
}

impl error::Error for BufferError {}
