//! The fixed fields of a data frame, as numbers.

use crate::flags::Flags;
use crate::layout::{self, DATA_HEADER_BYTES};

/// Where a message comes from, where it goes, and how. Lengths and checksums of the frame are
/// not here: the encoder computes them, the decoder has checked them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataHeader {
    /// Encoding, marks and delivery class. The encoder sets or clears [`Flags::EXTENDED`].
    pub flags: Flags,
    /// Channel that carries the message.
    pub channel: u16,
    /// Lane of the channel; order holds within one lane.
    pub lane: u8,
    /// Nodes that have forwarded the frame so far.
    pub hops: u8,
    /// Hops after which the frame is dropped instead of forwarded.
    pub hop_limit: u8,
    /// Credit account of the destination that pays for the message.
    pub account: u16,
    /// Epoch of the link that sent the frame; frames of an older one are dropped.
    pub link_epoch: u32,
    /// Position of the frame on its channel and lane. Wraps.
    pub sequence: u32,
    /// Scheduler slot of the sender.
    pub source_slot: u16,
    /// Generation of the sender's slot.
    pub source_generation: u16,
    /// Serial of the sender in its slot.
    pub source_serial: u32,
    /// Scheduler slot of the receiver.
    pub destination_slot: u16,
    /// Generation of the receiver's slot.
    pub destination_generation: u16,
    /// Serial of the receiver, or a bound name's id under [`Flags::NAMED`].
    pub destination_serial: u32,
    /// Call id; 0 = the message belongs to no call.
    pub correlation: u32,
    /// Length of the whole message. Set by the caller for chunks only: without
    /// [`Flags::CHUNK`] the encoder writes the payload's length. Unit: bytes.
    pub message_bytes: u32,
    /// Where the payload starts in the message. Written as 0 without [`Flags::CHUNK`].
    pub chunk_offset: u32,
    /// Largest reply that the caller of a request reserved room for; 0 otherwise. Unit: bytes.
    pub reply_bytes_max: u32,
}

impl DataHeader {
    /// Reads the fields of a header whose checksum and lengths hold.
    #[inline]
    pub(crate) fn read(bytes: &[u8; DATA_HEADER_BYTES]) -> DataHeader {
        DataHeader {
            flags: Flags(u16_at(bytes, layout::FLAGS)),
            channel: u16_at(bytes, layout::CHANNEL),
            lane: bytes[layout::LANE],
            hops: bytes[layout::HOPS],
            hop_limit: bytes[layout::HOP_LIMIT],
            account: u16_at(bytes, layout::ACCOUNT),
            link_epoch: u32_at(bytes, layout::LINK_EPOCH),
            sequence: u32_at(bytes, layout::SEQUENCE),
            source_slot: u16_at(bytes, layout::SOURCE_SLOT),
            source_generation: u16_at(bytes, layout::SOURCE_GENERATION),
            source_serial: u32_at(bytes, layout::SOURCE_SERIAL),
            destination_slot: u16_at(bytes, layout::DESTINATION_SLOT),
            destination_generation: u16_at(bytes, layout::DESTINATION_GENERATION),
            destination_serial: u32_at(bytes, layout::DESTINATION_SERIAL),
            correlation: u32_at(bytes, layout::CORRELATION),
            message_bytes: u32_at(bytes, layout::MESSAGE_BYTES),
            chunk_offset: u32_at(bytes, layout::CHUNK_OFFSET),
            reply_bytes_max: u32_at(bytes, layout::REPLY_BYTES_MAX),
        }
    }

    /// Writes the fields that this struct holds; the prefix but its flags is the encoder's.
    #[inline]
    pub(crate) fn write(&self, out: &mut [u8; DATA_HEADER_BYTES]) {
        put_u16(out, layout::FLAGS, self.flags.0);
        put_u16(out, layout::CHANNEL, self.channel);
        out[layout::LANE] = self.lane;
        out[layout::HOPS] = self.hops;
        out[layout::HOP_LIMIT] = self.hop_limit;
        put_u16(out, layout::ACCOUNT, self.account);
        put_u32(out, layout::LINK_EPOCH, self.link_epoch);
        put_u32(out, layout::SEQUENCE, self.sequence);
        put_u16(out, layout::SOURCE_SLOT, self.source_slot);
        put_u16(out, layout::SOURCE_GENERATION, self.source_generation);
        put_u32(out, layout::SOURCE_SERIAL, self.source_serial);
        put_u16(out, layout::DESTINATION_SLOT, self.destination_slot);
        put_u16(out, layout::DESTINATION_GENERATION, self.destination_generation);
        put_u32(out, layout::DESTINATION_SERIAL, self.destination_serial);
        put_u32(out, layout::CORRELATION, self.correlation);
        put_u32(out, layout::MESSAGE_BYTES, self.message_bytes);
        put_u32(out, layout::CHUNK_OFFSET, self.chunk_offset);
        put_u32(out, layout::REPLY_BYTES_MAX, self.reply_bytes_max);
    }

    /// Whether a payload of this length lies inside the message that the header states.
    #[inline]
    pub(crate) fn admits(&self, payload_bytes: usize) -> bool {
        let chunk_end = u64::from(self.chunk_offset) + payload_bytes as u64;
        if self.flags.contains(Flags::CHUNK) {
            chunk_end <= u64::from(self.message_bytes)
        } else {
            self.chunk_offset == 0 && chunk_end == u64::from(self.message_bytes)
        }
    }
}

#[inline]
pub(crate) fn u16_at<const N: usize>(bytes: &[u8; N], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

#[inline]
pub(crate) fn u32_at<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[inline]
pub(crate) fn put_u16<const N: usize>(out: &mut [u8; N], at: usize, value: u16) {
    out[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

#[inline]
pub(crate) fn put_u32<const N: usize>(out: &mut [u8; N], at: usize, value: u32) {
    out[at..at + 4].copy_from_slice(&value.to_le_bytes());
}
