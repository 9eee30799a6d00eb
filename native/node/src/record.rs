//! What travels in the rings between an isolate and the kernel thread. JavaScript reads the same
//! offsets from the generated layout; all numbers are little endian.
//!
//! A record's tag says its kind and, for messages, how to read it. A message's body is a head of
//! [`HEAD_BYTES`], then the payload (or a slab's handle), then, outward only, the partition key.

use foundation_link::Encoding;

/// A message, in either direction.
pub const MESSAGE: u32 = 1;
/// Outward: handlers are done with messages; their credit goes back.
pub const SETTLE: u32 = 2;
/// Inward: a JSON event of the control plane.
pub const EVENT: u32 = 3;
/// Inward: a channel to a peer is writable again.
pub const WRITABLE: u32 = 4;
/// Inward: a request of this isolate came back undelivered.
pub const UNDELIVERED: u32 = 5;
/// Inward: a JSON event that is told on both rings, behind its number (u32): whichever ring is read
/// last need not read it again.
pub const TWICE: u32 = 6;

/// Tag bits that hold the kind.
pub const KIND_MASK: u32 = 0xff;
/// Tag bit position of the payload's encoding (3 bits).
pub const ENCODING_SHIFT: u32 = 8;
/// The sender waits for a reply.
pub const REQUEST: u32 = 1 << 11;
/// Answers a request.
pub const REPLY: u32 = 1 << 12;
/// A reply within the size that its request reserved.
pub const RESERVED: u32 = 1 << 13;
/// The payload lies in a slab; the record carries its handle.
pub const SLAB: u32 = 1 << 14;
/// The destination is a process, not a name.
pub const PROCESS: u32 = 1 << 15;
/// Inward: credit was charged and has to be settled.
pub const CHARGED: u32 = 1 << 16;
/// Between isolates: the slab's bytes are the last element of an array whose other elements stand
/// behind the handle, encoded; [`KEY_BYTES`] tells their length.
pub const LED: u32 = 1 << 17;

/// Length of a message's head.
pub const HEAD_BYTES: usize = 32;
/// Peer handle: index in the low 16 bits, generation above.
pub const PEER: usize = 0;
/// Channel number (u16).
pub const CHANNEL: usize = 4;
/// Inward: credit account (u16).
pub const ACCOUNT: usize = 6;
/// Outward: length of the partition key behind the payload (u16).
pub const KEY_BYTES: usize = 6;
/// Name number, or the process's serial.
pub const DESTINATION: usize = 8;
/// Inward: the sender's slot; outward: the destination process's slot (u16).
pub const SLOT: usize = 12;
/// Generation of that slot (u16).
pub const GENERATION: usize = 14;
/// Number of the call; 0 = none.
pub const CORRELATION: usize = 16;
/// Largest reply that the request reserved credit for.
pub const REPLY_BYTES_MAX: usize = 20;
/// Inward: serial of the sending process; outward: of the sender itself.
pub const SERIAL: usize = 24;
/// Slab payload: index of the handle.
pub const SLAB_INDEX: usize = 32;
/// Slab payload: generation of the handle.
pub const SLAB_GENERATION: usize = 36;
/// Slab payload: where the bytes begin in the arena.
pub const SLAB_OFFSET: usize = 40;
/// Slab payload: how many bytes there are.
pub const SLAB_LENGTH: usize = 44;
/// Length of a message record whose payload is a slab, without a key.
pub const SLAB_RECORD_BYTES: usize = 48;

/// Settlement: sum of the payloads (u32); peer, channel and account lie as in a message.
pub const SETTLE_BYTES: usize = 8;
/// Settlement: how many messages.
pub const SETTLE_MESSAGES: usize = 12;
/// First encoding that is a bundle of messages rather than one.
pub const BUNDLE_ENCODING_MIN: u32 = Encoding::BytesBundle as u32;
/// Bytes of the length before each message of a bundle.
pub const BUNDLE_LENGTH_BYTES: usize = 2;

/// Length of a settlement.
pub const SETTLE_RECORD_BYTES: usize = 16;

/// Undelivered: number of the call.
pub const UNDELIVERED_CORRELATION: usize = 0;
/// Undelivered: why.
pub const UNDELIVERED_REASON: usize = 4;

/// Words a peer has in the writability table, one a channel; 0 = writable.
pub const WRITABILITY_CHANNELS: usize = foundation_link::CHANNELS_MAX;
/// Peers that the writability table has room for.
pub const PEERS_MAX: usize = 2048;

/// Index in a peer's handle that means all members, over the overlay whose number stands in the
/// place of the generation. Inward: the sender's number stands in [`SERIAL`].
pub const BROADCAST_PEER: u32 = 0xfffe;

/// Names and values for the generator of JavaScript's constants.
pub const TABLE: &[(&str, u32)] = &[
    ("MESSAGE", MESSAGE),
    ("SETTLE", SETTLE),
    ("EVENT", EVENT),
    ("WRITABLE", WRITABLE),
    ("UNDELIVERED", UNDELIVERED),
    ("TWICE", TWICE),
    ("KIND_MASK", KIND_MASK),
    ("ENCODING_SHIFT", ENCODING_SHIFT),
    ("REQUEST", REQUEST),
    ("REPLY", REPLY),
    ("RESERVED", RESERVED),
    ("SLAB", SLAB),
    ("PROCESS", PROCESS),
    ("CHARGED", CHARGED),
    ("LED", LED),
    ("HEAD_BYTES", HEAD_BYTES as u32),
    ("PEER", PEER as u32),
    ("CHANNEL", CHANNEL as u32),
    ("ACCOUNT", ACCOUNT as u32),
    ("KEY_BYTES", KEY_BYTES as u32),
    ("DESTINATION", DESTINATION as u32),
    ("SLOT", SLOT as u32),
    ("GENERATION", GENERATION as u32),
    ("CORRELATION", CORRELATION as u32),
    ("REPLY_BYTES_MAX", REPLY_BYTES_MAX as u32),
    ("SERIAL", SERIAL as u32),
    ("SLAB_INDEX", SLAB_INDEX as u32),
    ("SLAB_GENERATION", SLAB_GENERATION as u32),
    ("SLAB_OFFSET", SLAB_OFFSET as u32),
    ("SLAB_LENGTH", SLAB_LENGTH as u32),
    ("SLAB_RECORD_BYTES", SLAB_RECORD_BYTES as u32),
    ("SETTLE_BYTES", SETTLE_BYTES as u32),
    ("SETTLE_MESSAGES", SETTLE_MESSAGES as u32),
    ("SETTLE_RECORD_BYTES", SETTLE_RECORD_BYTES as u32),
    ("BUNDLE_ENCODING_MIN", BUNDLE_ENCODING_MIN),
    ("BUNDLE_LENGTH_BYTES", BUNDLE_LENGTH_BYTES as u32),
    ("UNDELIVERED_CORRELATION", UNDELIVERED_CORRELATION as u32),
    ("UNDELIVERED_REASON", UNDELIVERED_REASON as u32),
    ("WRITABILITY_CHANNELS", WRITABILITY_CHANNELS as u32),
    ("PEERS_MAX", PEERS_MAX as u32),
    ("BROADCAST_PEER", BROADCAST_PEER),
];

/// Reads a number of a record that an isolate wrote; 0 where the record is too short for it.
#[inline]
pub(crate) fn u32_at(body: &[u8], at: usize) -> u32 {
    match body.get(at..at + 4) {
        Some(bytes) => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        None => 0,
    }
}

/// Reads a short number; 0 where the record is too short for it.
#[inline]
pub(crate) fn u16_at(body: &[u8], at: usize) -> u16 {
    match body.get(at..at + 2) {
        Some(bytes) => u16::from_le_bytes([bytes[0], bytes[1]]),
        None => 0,
    }
}

/// Where the partition key of an outward message begins: its payload ends there.
#[inline]
pub(crate) fn key_start(body: &[u8]) -> usize {
    let key_bytes = u16_at(body, KEY_BYTES) as usize;
    body.len().saturating_sub(key_bytes).max(HEAD_BYTES)
}

/// The encoding that a tag names.
#[inline]
pub(crate) fn encoding_of(tag: u32) -> Option<Encoding> {
    Some(match (tag >> ENCODING_SHIFT) & 7 {
        0 => Encoding::Bytes,
        1 => Encoding::FlatBuffers,
        2 => Encoding::Packed,
        3 => Encoding::None,
        4 => Encoding::Error,
        5 => Encoding::BytesBundle,
        6 => Encoding::PackedBundle,
        _ => return None,
    })
}

/// A message's head on its way to an isolate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head(pub(crate) [u8; HEAD_BYTES]);

impl Head {
    pub(crate) fn new() -> Head {
        Head([0; HEAD_BYTES])
    }

    #[inline]
    pub(crate) fn u32(mut self, at: usize, value: u32) -> Head {
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
        self
    }

    #[inline]
    pub(crate) fn u16(mut self, at: usize, value: u16) -> Head {
        self.0[at..at + 2].copy_from_slice(&value.to_le_bytes());
        self
    }
}
