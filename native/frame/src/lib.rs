//! The bytes that travel between two nodes, and nothing else: headers, checksums, hard limits.
//!
//! PURE: bytes in, bytes out; no clock, no socket, no thread. A link feeds received bytes to
//! [`decode`] and appends outgoing frames with [`DataHeader::write_frame`] and
//! [`encode_control`]. Nothing here allocates except the growth of the caller's output.
//!
//! Who answers for damage: a header that fails its checksum is an error, because no later length
//! of that stream can be believed, so the link is closed. A data payload that fails its checksum
//! harms one message only, so the frame is handed out with `payload_ok: false` and the caller
//! drops and counts it.
//!
//! ```
//! use foundation_frame::{DataHeader, Decoded, Frame, Limits, decode};
//!
//! let mut wire = Vec::new();
//! let header = DataHeader { channel: 3, sequence: 1, ..DataHeader::default() };
//! header.write_frame(&[], b"hello", &mut wire)?;
//!
//! match decode(&wire, &Limits::default())? {
//!     Decoded::Frame { frame: Frame::Data { header, payload, .. }, consumed } => {
//!         assert_eq!((header.channel, payload, consumed), (3, &b"hello"[..], wire.len()));
//!     }
//!     other => panic!("one whole data frame was written, got {other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod decode;
mod encode;
mod error;
mod extension;
mod flags;
mod header;
pub mod layout;
mod limits;

pub use crc32c::{crc32c, crc32c_append};
pub use decode::{DataHead, Decoded, Frame, decode, decode_data_head};
pub use encode::encode_control;
pub use error::{FrameError, TooLarge};
pub use extension::{ExtensionEntry, ExtensionIter, extension_push};
pub use flags::{Encoding, Flags};
pub use header::DataHeader;
pub use limits::{
    CONTROL_BYTES_MAX, EXTENSION_BYTES_MAX, FRAME_BYTES_MAX, HANDSHAKE_BYTES_MAX, HEADER_BYTES_MAX,
    Limits, PAYLOAD_BYTES_MAX,
};
