//! Every way in which a ring says no.

use core::{error, fmt};

/// Why a producer or a consumer could not attach to a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttachError {
    /// The data area is no power of two within the limits of the layout.
    Capacity {
        /// What was asked for.
        capacity_bytes: u32,
    },
    /// The block ends before the data area does.
    BlockTooSmall {
        /// Room the block has.
        have_bytes: usize,
        /// Room that the layout needs.
        need_bytes: usize,
    },
    /// The base of the block is not 128-aligned.
    BlockMisaligned,
    /// A position stored in the block is not 8-aligned, or more lies between them than the ring
    /// holds.
    Positions {
        /// Position of the consumer.
        head: u32,
        /// Position of the producer.
        tail: u32,
    },
}

impl fmt::Display for AttachError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity { capacity_bytes } => {
                write!(formatter, "{capacity_bytes} bytes is no valid ring capacity")
            }
            Self::BlockTooSmall { have_bytes, need_bytes } => {
                write!(formatter, "the block has {have_bytes} bytes, the ring needs {need_bytes}")
            }
            Self::BlockMisaligned => write!(formatter, "the block does not begin 128-aligned"),
            Self::Positions { head, tail } => {
                write!(formatter, "head {head} and tail {tail} cannot belong to one ring")
            }
        }
    }
}

impl error::Error for AttachError {}

/// Why a producer took nothing. The ring is as it was before the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// No room until the consumer releases some. Remedy: `publish`, then `await_space`.
    Full,
    /// The body exceeds `body_bytes_max`; waiting cannot help. Remedy: send it in a slab.
    TooLarge,
    /// `PADDING` is the tag of the ring itself.
    ReservedTag,
    /// The consumer's position cannot be right: the other side broke the protocol. Remedy: give up
    /// the ring.
    CorruptHead,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Full => "the ring is full",
            Self::TooLarge => "the body exceeds a quarter of the ring",
            Self::ReservedTag => "the tag is reserved for padding",
            Self::CorruptHead => "the consumer's position is corrupt",
        })
    }
}

impl error::Error for Refused {}

/// What a consumer found that no correct producer writes. It is final: the consumer stays where it
/// is and answers the same at every further call. Remedy: detach the producer and give up the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Corrupt {
    /// The published tail is not 8-aligned or lies further ahead than the ring holds.
    Tail {
        /// Position of the consumer.
        head: u32,
        /// The tail as read.
        tail: u32,
    },
    /// A record's length exceeds the body limit, the published bytes or the end of the data area.
    Length {
        /// Position of the record.
        at: u32,
        /// The length as read.
        size: u32,
    },
    /// A padding record does not end exactly at the end of the data area.
    Padding {
        /// Position of the record.
        at: u32,
        /// The length as read.
        size: u32,
    },
}

impl fmt::Display for Corrupt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tail { head, tail } => {
                write!(formatter, "tail {tail} is impossible for a consumer at {head}")
            }
            Self::Length { at, size } => {
                write!(formatter, "the record at {at} claims an impossible {size} bytes")
            }
            Self::Padding { at, size } => {
                write!(formatter, "the padding at {at} claims an impossible {size} bytes")
            }
        }
    }
}

impl error::Error for Corrupt {}
