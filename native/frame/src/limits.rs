//! Hard limits of the wire, and the ones a reader chooses below them.

use crate::layout::{DATA_HEADER_BYTES, PREFIX_BYTES};

/// Longest header that `header_words` (a u8 of 4-byte words) can state. Unit: bytes.
pub const HEADER_BYTES_MAX: usize = 255 * 4;
/// Longest extension area: what a header leaves after its fixed fields. Unit: bytes.
pub const EXTENSION_BYTES_MAX: usize = HEADER_BYTES_MAX - DATA_HEADER_BYTES;
/// Longest payload of a data frame; longer messages travel as chunks. Unit: bytes.
pub const PAYLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest frame: a payload of 16 MiB and room for the longest header. Unit: bytes.
pub const FRAME_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + HEADER_BYTES_MAX;
/// Longest payload of a control frame. Unit: bytes.
pub const CONTROL_BYTES_MAX: usize = 64 * 1024;
/// Longest control payload that a peer may send before it is authenticated. Unit: bytes.
pub const HANDSHAKE_BYTES_MAX: usize = 2 * 1024;

/// What a reader accepts; a frame that states more is refused before its bytes are awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest frame of any kind, header included. Unit: bytes. It bounds the reader's buffer.
    pub frame_bytes_max: usize,
    /// Longest payload of a control frame, and of a frame that this version skips. Unit: bytes.
    pub control_bytes_max: usize,
}

impl Limits {
    /// Limits for a peer that has not proved who it is: nothing but small control frames fits.
    pub const HANDSHAKE: Limits = Limits {
        frame_bytes_max: PREFIX_BYTES + HANDSHAKE_BYTES_MAX,
        control_bytes_max: HANDSHAKE_BYTES_MAX,
    };
}

impl Default for Limits {
    /// The hard limits of the wire: 16 MiB of payload, 64 KiB of control.
    fn default() -> Self {
        Limits { frame_bytes_max: FRAME_BYTES_MAX, control_bytes_max: CONTROL_BYTES_MAX }
    }
}
