//! What the targets share: an input read as a script of small steps, and honest checksums, so that
//! the fuzzer gets behind them.

#![forbid(unsafe_code)]

use foundation_frame::layout::{
    FRAME_BYTES, HEADER_CRC, HEADER_WORDS, PAYLOAD_CRC, PREFIX_BYTES, WORD_BYTES,
};
use foundation_frame::{crc32c, crc32c_append};

/// An input, read from the front. Behind its end it is zeros without end.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// A script of all of the input.
    #[must_use]
    pub fn new(input: &'a [u8]) -> Script<'a> {
        Script(input)
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// A bit of the next byte.
    pub fn bit(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// The next two bytes as a number.
    pub fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// The next four bytes as a number.
    pub fn word(&mut self) -> u32 {
        u32::from(self.short()) | u32::from(self.short()) << 16
    }

    /// Up to `most` bytes, as many as are left.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A length in one byte, and as many bytes.
    pub fn run(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.bytes(length)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

/// Gives the frame at the start of `frame` the checksums that its bytes call for; false where its
/// header is cut short.
pub fn repair(frame: &mut [u8]) -> bool {
    let (Some(&words), Some(length)) =
        (frame.get(HEADER_WORDS), frame[FRAME_BYTES..].first_chunk())
    else {
        return false;
    };
    let header_bytes = usize::from(words) * WORD_BYTES;
    let frame_bytes = u32::from_le_bytes(*length) as usize;
    if header_bytes < PREFIX_BYTES || frame.len() < header_bytes {
        return false;
    }
    if let Some(payload) = frame.get(header_bytes..frame_bytes) {
        let crc = crc32c(payload);
        frame[PAYLOAD_CRC..PAYLOAD_CRC + 4].copy_from_slice(&crc.to_le_bytes());
    }
    let crc = crc32c_append(crc32c(&frame[..HEADER_CRC]), &frame[PREFIX_BYTES..header_bytes]);
    frame[HEADER_CRC..HEADER_CRC + 4].copy_from_slice(&crc.to_le_bytes());
    true
}
