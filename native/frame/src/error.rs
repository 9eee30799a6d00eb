//! Why bytes were refused, in closed sets with stable codes.

use std::error::Error;
use std::fmt;

/// A frame that cannot be trusted or read. Every variant fails the link: after it, no boundary
/// of the byte stream is known. Count it by [`FrameError::code`], then close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The header's checksum does not match its bytes: damage in transit, or not our protocol.
    HeaderCrc,
    /// The stated length exceeds what the reader accepts for any kind.
    FrameTooLarge {
        /// Stated length of the frame.
        frame_bytes: usize,
        /// [`crate::Limits::frame_bytes_max`] of the reader.
        frame_bytes_max: usize,
    },
    /// The stated length does not even cover the header.
    FrameTooShort {
        /// Stated length of the frame.
        frame_bytes: usize,
        /// Length of its header.
        header_bytes: usize,
    },
    /// The stated header is shorter than its kind requires.
    HeaderTooShort {
        /// Stated length of the header.
        header_bytes: usize,
        /// Length that the kind requires.
        header_bytes_min: usize,
    },
    /// A control frame states a header longer than the prefix, which no version defines.
    HeaderTooLong {
        /// Stated length of the header.
        header_bytes: usize,
    },
    /// A kind this version does not know and may not skip. Remedy: the peer must agree on a
    /// lower version in the handshake.
    UnknownMandatory {
        /// The kind byte.
        kind: u8,
    },
    /// A data frame sets a flag that this version reserves. Remedy as for `UnknownMandatory`.
    ReservedFlag {
        /// All flags of the frame.
        flags: u16,
    },
    /// The extension area contradicts the header's lengths, or an entry overruns the area.
    BadExtension,
    /// The chunk lies outside its message, or a whole message states another length.
    BadChunk {
        /// Stated length of the message.
        message_bytes: u32,
        /// Stated start of the payload in the message.
        chunk_offset: u32,
        /// Length of the payload.
        payload_bytes: usize,
    },
    /// A control payload exceeds the reader's limit.
    ControlTooLarge {
        /// Stated length of the payload.
        control_bytes: usize,
        /// [`crate::Limits::control_bytes_max`] of the reader.
        control_bytes_max: usize,
    },
    /// A control payload's checksum does not match: the link's own state would be in doubt.
    ControlCrc,
}

impl FrameError {
    /// Stable name for counters, logs and the error table; it never changes between versions.
    pub const fn code(&self) -> &'static str {
        match self {
            FrameError::HeaderCrc => "header_crc",
            FrameError::FrameTooLarge { .. } => "frame_too_large",
            FrameError::FrameTooShort { .. } => "frame_too_short",
            FrameError::HeaderTooShort { .. } => "header_too_short",
            FrameError::HeaderTooLong { .. } => "header_too_long",
            FrameError::UnknownMandatory { .. } => "unknown_mandatory",
            FrameError::ReservedFlag { .. } => "reserved_flag",
            FrameError::BadExtension => "bad_extension",
            FrameError::BadChunk { .. } => "bad_chunk",
            FrameError::ControlTooLarge { .. } => "control_too_large",
            FrameError::ControlCrc => "control_crc",
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            FrameError::HeaderCrc => out.write_str("header checksum does not match"),
            FrameError::FrameTooLarge { frame_bytes, frame_bytes_max } => {
                write!(out, "frame of {frame_bytes} bytes exceeds {frame_bytes_max}")
            }
            FrameError::FrameTooShort { frame_bytes, header_bytes } => {
                write!(out, "frame of {frame_bytes} bytes has a header of {header_bytes}")
            }
            FrameError::HeaderTooShort { header_bytes, header_bytes_min } => {
                write!(out, "header of {header_bytes} bytes is below {header_bytes_min}")
            }
            FrameError::HeaderTooLong { header_bytes } => {
                write!(out, "control frame has a header of {header_bytes} bytes")
            }
            FrameError::UnknownMandatory { kind } => {
                write!(out, "frame of unknown mandatory kind {kind}")
            }
            FrameError::ReservedFlag { flags } => {
                write!(out, "reserved flag set in {flags:#06x}")
            }
            FrameError::BadExtension => out.write_str("malformed extension area"),
            FrameError::BadChunk { message_bytes, chunk_offset, payload_bytes } => write!(
                out,
                "{payload_bytes} bytes at {chunk_offset} do not fit a message of {message_bytes}"
            ),
            FrameError::ControlTooLarge { control_bytes, control_bytes_max } => {
                write!(out, "control payload of {control_bytes} bytes exceeds {control_bytes_max}")
            }
            FrameError::ControlCrc => out.write_str("control payload checksum does not match"),
        }
    }
}

impl Error for FrameError {}

/// Refusal to encode more than the wire can carry. The output is left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// Length that was offered.
    pub bytes: usize,
    /// Length that fits.
    pub bytes_max: usize,
}

impl TooLarge {
    /// Stable name for counters, logs and the error table.
    pub const fn code(&self) -> &'static str {
        "too_large"
    }

    /// Refuses `bytes` above `bytes_max`.
    #[inline]
    pub(crate) const fn check(bytes: usize, bytes_max: usize) -> Result<(), TooLarge> {
        if bytes > bytes_max { Err(TooLarge { bytes, bytes_max }) } else { Ok(()) }
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes offered where at most {} fit", self.bytes, self.bytes_max)
    }
}

impl Error for TooLarge {}
