//! Frames out: headers are built on the stack and appended to the caller's output.

use crate::error::TooLarge;
use crate::flags::Flags;
use crate::header::{DataHeader, put_u16, put_u32};
use crate::layout::{self, DATA_HEADER_BYTES, PREFIX_BYTES, WORD_BYTES};
use crate::limits::{CONTROL_BYTES_MAX, EXTENSION_BYTES_MAX, PAYLOAD_BYTES_MAX};
use crate::{crc32c, crc32c_append};

impl DataHeader {
    /// Appends the header and extension area of a frame whose payload is written apart, as in
    /// vectored writes: `payload_crc` is [`crc32c()`] of those `payload_bytes`.
    ///
    /// A chunk must lie inside the message that the header states; the receiver refuses others.
    #[inline]
    pub fn encode_header(
        &self,
        extension: &[u8],
        payload_bytes: usize,
        payload_crc: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), TooLarge> {
        TooLarge::check(payload_bytes, PAYLOAD_BYTES_MAX)?;
        TooLarge::check(extension.len(), EXTENSION_BYTES_MAX)?;
        let extension_words = extension.len().div_ceil(WORD_BYTES);
        let header_bytes = DATA_HEADER_BYTES + extension_words * WORD_BYTES;

        // No cast below can cut: the limits above keep the frame under 4 GiB and the header
        // within 255 words.
        let mut fixed = [0; DATA_HEADER_BYTES];
        self.completed(extension_words > 0, payload_bytes as u32).write(&mut fixed);
        put_u32(&mut fixed, layout::FRAME_BYTES, (header_bytes + payload_bytes) as u32);
        fixed[layout::KIND] = layout::KIND_DATA;
        fixed[layout::HEADER_WORDS] = (header_bytes / WORD_BYTES) as u8;
        fixed[layout::EXTENSION_WORDS] = extension_words as u8;
        put_u32(&mut fixed, layout::PAYLOAD_CRC, payload_crc);

        let padding = &[0; WORD_BYTES][..extension_words * WORD_BYTES - extension.len()];
        let mut crc = header_crc(&fixed);
        if extension_words > 0 {
            crc = crc32c_append(crc32c_append(crc, extension), padding);
        }
        put_u32(&mut fixed, layout::HEADER_CRC, crc);

        out.extend_from_slice(&fixed);
        out.extend_from_slice(extension);
        out.extend_from_slice(padding);
        Ok(())
    }

    /// Appends a whole frame, its payload checksummed and copied.
    #[inline]
    pub fn write_frame(
        &self,
        extension: &[u8],
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), TooLarge> {
        // Refused before the checksum reads a payload that cannot be sent anyway.
        TooLarge::check(payload.len(), PAYLOAD_BYTES_MAX)?;
        self.encode_header(extension, payload.len(), crc32c(payload), out)?;
        out.extend_from_slice(payload);
        Ok(())
    }

    /// The header as it goes out: flags and lengths that follow from the frame are filled in.
    #[inline]
    fn completed(mut self, extended: bool, payload_bytes: u32) -> DataHeader {
        self.flags = self.flags.without(Flags::EXTENDED);
        if extended {
            self.flags = self.flags.with(Flags::EXTENDED);
        }
        if !self.flags.contains(Flags::CHUNK) {
            self.message_bytes = payload_bytes;
            self.chunk_offset = 0;
        }
        debug_assert!(!self.flags.intersects(Flags::RESERVED), "reserved flags {:?}", self.flags);
        debug_assert!(self.admits(payload_bytes as usize), "chunk outside its message: {self:?}");
        self
    }
}

/// Appends a control frame around an encoded control message of at most 64 KiB. No flag is
/// defined for control frames yet: pass 0.
pub fn encode_control(payload: &[u8], flags: u16, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    TooLarge::check(payload.len(), CONTROL_BYTES_MAX)?;
    let mut prefix = [0; PREFIX_BYTES];
    put_u32(&mut prefix, layout::FRAME_BYTES, (PREFIX_BYTES + payload.len()) as u32);
    prefix[layout::KIND] = layout::KIND_CONTROL;
    prefix[layout::HEADER_WORDS] = (PREFIX_BYTES / WORD_BYTES) as u8;
    put_u16(&mut prefix, layout::FLAGS, flags);
    put_u32(&mut prefix, layout::PAYLOAD_CRC, crc32c(payload));
    let crc = header_crc(&prefix);
    put_u32(&mut prefix, layout::HEADER_CRC, crc);
    out.extend_from_slice(&prefix);
    out.extend_from_slice(payload);
    Ok(())
}

/// Checksum of a header with its own checksum field left out.
#[inline]
pub(crate) fn header_crc(header: &[u8]) -> u32 {
    let before = crc32c(&header[..layout::HEADER_CRC]);
    match &header[PREFIX_BYTES..] {
        [] => before,
        after => crc32c_append(before, after),
    }
}
