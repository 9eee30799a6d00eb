//! Offsets of every header field, apart from the code that uses them. All integers little endian.
//!
//! A control frame's header is the prefix alone. A data frame's header is the prefix, the fixed
//! fields up to [`DATA_HEADER_BYTES`], then an extension area of `extension_words` words.

/// Bytes that every frame of every kind and version starts with.
pub const PREFIX_BYTES: usize = 16;
/// Bytes of a data header before its extension area.
pub const DATA_HEADER_BYTES: usize = 64;
/// Unit of `header_words` and `extension_words`, and the alignment of extension entries.
pub const WORD_BYTES: usize = 4;

/// u32: the whole frame in bytes: header, extension area and payload.
pub const FRAME_BYTES: usize = 0;
/// u8: [`KIND_DATA`], [`KIND_CONTROL`], or a kind of a later version.
pub const KIND: usize = 4;
/// u8: length of the header in words, prefix and extension area included.
pub const HEADER_WORDS: usize = 5;
/// u16: see [`crate::Flags`]. Control frames define no flag yet; readers ignore theirs.
pub const FLAGS: usize = 6;
/// u32: CRC32C of the payload; 0 for an empty one (which is what CRC32C gives).
pub const PAYLOAD_CRC: usize = 8;
/// u32: CRC32C of the header without this field.
pub const HEADER_CRC: usize = 12;
/// u16: channel that carries the message.
pub const CHANNEL: usize = 16;
/// u8: lane of the channel.
pub const LANE: usize = 18;
/// u8: nodes that have forwarded the frame so far.
pub const HOPS: usize = 19;
/// u8: hops after which the frame is dropped.
pub const HOP_LIMIT: usize = 20;
/// u8: length of the extension area in words.
pub const EXTENSION_WORDS: usize = 21;
/// u16: credit account of the destination that pays for the message.
pub const ACCOUNT: usize = 22;
/// u32: epoch of the link that sent the frame.
pub const LINK_EPOCH: usize = 24;
/// u32: position of the frame on its channel and lane.
pub const SEQUENCE: usize = 28;
/// u16: scheduler slot of the sender.
pub const SOURCE_SLOT: usize = 32;
/// u16: generation of the sender's slot.
pub const SOURCE_GENERATION: usize = 34;
/// u32: serial of the sender in its slot.
pub const SOURCE_SERIAL: usize = 36;
/// u16: scheduler slot of the receiver.
pub const DESTINATION_SLOT: usize = 40;
/// u16: generation of the receiver's slot.
pub const DESTINATION_GENERATION: usize = 42;
/// u32: serial of the receiver, or a bound name's id in frames flagged `NAMED`.
pub const DESTINATION_SERIAL: usize = 44;
/// u32: call id; 0 = the message belongs to no call.
pub const CORRELATION: usize = 48;
/// u32: length of the whole message; the payload length unless the frame is a chunk.
pub const MESSAGE_BYTES: usize = 52;
/// u32: where the payload starts in the message; 0 unless the frame is a chunk.
pub const CHUNK_OFFSET: usize = 56;
/// u32: largest reply the caller reserved room for; 0 unless the frame is a request.
pub const REPLY_BYTES_MAX: usize = 60;

/// A message, or a chunk of one, under a [`DATA_HEADER_BYTES`] header.
pub const KIND_DATA: u8 = 1;
/// A control message between two links; the payload is a table of the control schema.
pub const KIND_CONTROL: u8 = 2;
/// Set in kinds that a reader which does not know them may skip.
pub const KIND_IGNORABLE: u8 = 0x80;

/// u8: what an extension entry means; readers skip those they do not know.
pub const ENTRY_KIND: usize = 0;
/// u16: bytes of an extension entry, without its head and padding.
pub const ENTRY_BYTES: usize = 2;
/// Bytes of an entry before its contents; byte 1 is reserved and 0.
pub const ENTRY_HEAD_BYTES: usize = 4;
