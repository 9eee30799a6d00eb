//! What the flags of a data frame say about its payload and its delivery.

use std::ops::BitOr;

/// How the payload's bytes become a value. Readers hand unknown encodings on, undecoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Encoding {
    /// Bytes as they are.
    #[default]
    Bytes = 0,
    /// A FlatBuffers table, read in place.
    FlatBuffers = 1,
    /// A value in the value format, the shapes of its objects described in front of it.
    Packed = 2,
    /// No value at all; the payload is empty.
    None = 3,
    /// An error, as a reply to a failed call.
    Error = 4,
    /// Several byte messages of one sender, receiver and channel: each is a u16 length and its
    /// bytes. `correlation` holds their number.
    BytesBundle = 5,
    /// Several packed values, laid out as in [`Encoding::BytesBundle`]; what one describes holds
    /// for those behind it.
    PackedBundle = 6,
}

/// The 16 flag bits of a data frame: encoding, marks and delivery class in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// The sender waits for a reply of at most `reply_bytes_max`.
    pub const REQUEST: Flags = Flags(1 << 3);
    /// Answers the request of the same `correlation`.
    pub const REPLY: Flags = Flags(1 << 4);
    /// The payload is a part of a longer message.
    pub const CHUNK: Flags = Flags(1 << 5);
    /// `destination_serial` is the id of a bound name instead of a serial.
    pub const NAMED: Flags = Flags(1 << 6);
    /// Paid for by the reservation of the call, hence exempt from credit.
    pub const RESERVED_REPLY: Flags = Flags(1 << 7);
    /// An extension area follows the fixed header. Set by the encoder, checked by the decoder.
    pub const EXTENDED: Flags = Flags(1 << 11);
    /// Bits that this version leaves at zero and refuses otherwise.
    pub const RESERVED: Flags = Flags(0xf000);

    const ENCODING_MASK: u16 = 0b111;
    const CLASS_SHIFT: u32 = 8;
    const CLASS_MASK: u16 = 0b111 << Self::CLASS_SHIFT;

    /// Whether all bits of `other` are set.
    #[inline]
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is set.
    #[inline]
    pub const fn intersects(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// These flags and those of `other`.
    #[inline]
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// These flags but those of `other`.
    #[inline]
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// The payload's encoding, or the number of one that this version does not know.
    #[inline]
    pub const fn encoding(self) -> Result<Encoding, u8> {
        match self.encoding_bits() {
            0 => Ok(Encoding::Bytes),
            1 => Ok(Encoding::FlatBuffers),
            2 => Ok(Encoding::Packed),
            3 => Ok(Encoding::None),
            4 => Ok(Encoding::Error),
            5 => Ok(Encoding::BytesBundle),
            6 => Ok(Encoding::PackedBundle),
            unknown => Err(unknown),
        }
    }

    /// The encoding's number, 0 to 7, known or not; for those who pass it on.
    #[inline]
    pub const fn encoding_bits(self) -> u8 {
        (self.0 & Self::ENCODING_MASK) as u8
    }

    /// These flags under another encoding.
    #[inline]
    pub const fn with_encoding(self, encoding: Encoding) -> Flags {
        Flags(self.0 & !Self::ENCODING_MASK | encoding as u16)
    }

    /// The delivery class, 0 to 7; 0 is at most once, the only one this version gives.
    #[inline]
    pub const fn delivery_class(self) -> u8 {
        ((self.0 & Self::CLASS_MASK) >> Self::CLASS_SHIFT) as u8
    }

    /// These flags under another delivery class, of which the low three bits count.
    #[inline]
    pub const fn with_delivery_class(self, class: u8) -> Flags {
        let bits = (class as u16) << Self::CLASS_SHIFT & Self::CLASS_MASK;
        Flags(self.0 & !Self::CLASS_MASK | bits)
    }
}

impl BitOr for Flags {
    type Output = Flags;

    #[inline]
    fn bitor(self, other: Flags) -> Flags {
        self.with(other)
    }
}
