//! Frames: what a segment is made of. A frame holds records that were written together, compressed
//! where that makes them smaller, and tells whether its bytes are the ones that were written.
//!
//! Header, little endian: magic u32, compression u8, whether the commit goes on in the next frame
//! u8, records u16, bytes stored u32, bytes of the records u32, where the commit begins u32, number
//! of the segment u32 (its low half), CRC-32C of the stored bytes u32, CRC-32C of the header u32.

use std::io::Read;

use crate::error::{Result, StoreError};
use crate::ordered::{u16_at, u32_at};

pub(crate) const FRAME_HEADER_BYTES: usize = 32;
/// The first bytes of every frame.
pub(crate) const FRAME_MAGIC: [u8; 4] = *b"FRM\x01";
/// Records of one frame, apart from one that is larger: what is read to get at one record, and
/// what compression has to work with. Every record begins below this. Unit: bytes.
pub(crate) const FRAME_RECORDS_BYTES: usize = 64 << 10;
/// What a header may say; more is garbage. Unit: bytes.
const FRAME_BYTES_MAX: u32 = 8 << 20;
/// Fast levels: events are written far more often than read.
const ZSTD_LEVEL: i32 = 1;
const GZIP_LEVEL: u32 = 1;

/// How frames are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Deflate in a gzip wrapper.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Compression {
    fn from_byte(byte: u8) -> Option<Compression> {
        [Compression::None, Compression::Gzip, Compression::Zstd].get(usize::from(byte)).copied()
    }

    fn compress(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let packed = match self {
            Compression::None => return None,
            Compression::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                let mut packed = Vec::with_capacity(bytes.len() / 2);
                flate2::read::GzEncoder::new(bytes, level).read_to_end(&mut packed).ok()?;
                packed
            }
            Compression::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL).ok()?,
        };
        (packed.len() < bytes.len()).then_some(packed)
    }

    fn expand(self, stored: Vec<u8>, length: usize) -> std::io::Result<Vec<u8>> {
        match self {
            Compression::None => Ok(stored),
            Compression::Gzip => {
                let mut bytes = Vec::with_capacity(length);
                let limited = flate2::read::GzDecoder::new(&stored[..]).take(length as u64 + 1);
                { limited }.read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            Compression::Zstd => zstd::bulk::decompress(&stored, length),
        }
    }
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) compression: Compression,
    /// The commit goes on in the next frame: without it, this one does not count.
    pub(crate) goes_on: bool,
    pub(crate) records: u16,
    pub(crate) stored: u32,
    pub(crate) length: u32,
    /// Where the commit begins that the frame is part of: all before was acknowledged.
    pub(crate) commit: u32,
    pub(crate) segment: u32,
    payload_crc: u32,
}

impl FrameHeader {
    /// Reads a header; none where the bytes are no header of this segment.
    pub(crate) fn read(bytes: &[u8], segment: u64) -> Option<FrameHeader> {
        if bytes.len() < FRAME_HEADER_BYTES || bytes[..4] != FRAME_MAGIC {
            return None;
        }
        if crc32c::crc32c(&bytes[..28]) != u32_at(bytes, 28) {
            return None;
        }
        let header = FrameHeader {
            compression: Compression::from_byte(bytes[4])?,
            goes_on: bytes[5] != 0,
            records: u16_at(bytes, 6),
            stored: u32_at(bytes, 8),
            length: u32_at(bytes, 12),
            commit: u32_at(bytes, 16),
            segment: u32_at(bytes, 20),
            payload_crc: u32_at(bytes, 24),
        };
        let is_sane = header.stored <= FRAME_BYTES_MAX && header.length <= FRAME_BYTES_MAX;
        (is_sane && header.segment == segment as u32).then_some(header)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend(FRAME_MAGIC);
        out.extend([self.compression as u8, u8::from(self.goes_on)]);
        out.extend(self.records.to_le_bytes());
        let numbers = [self.stored, self.length, self.commit, self.segment, self.payload_crc];
        for number in numbers {
            out.extend(number.to_le_bytes());
        }
        let crc = crc32c::crc32c(&out[start..]);
        out.extend(crc.to_le_bytes());
    }

    /// Bytes of the whole frame.
    pub(crate) fn frame_bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.stored as usize
    }

    /// Whether these are the bytes that were stored.
    pub(crate) fn fits(&self, stored: &[u8]) -> bool {
        stored.len() == self.stored as usize && crc32c::crc32c(stored) == self.payload_crc
    }

    /// The records of the frame.
    pub(crate) fn records(&self, stored: Vec<u8>) -> Result<Vec<u8>> {
        if !self.fits(&stored) {
            return Err(StoreError::invalid("its check sum is wrong"));
        }
        let expanded = self.compression.expand(stored, self.length as usize);
        let records = expanded.map_err(|error| StoreError::invalid(error.to_string()))?;
        if records.len() != self.length as usize {
            return Err(StoreError::invalid("its records are of another length"));
        }
        Ok(records)
    }
}

/// Where a frame goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) commit: u32,
    pub(crate) goes_on: bool,
}

/// Adds a frame of records to bytes.
pub(crate) fn write_frame(
    records: &[u8],
    count: u16,
    compression: Compression,
    place: Place,
    out: &mut Vec<u8>,
) {
    let packed = compression.compress(records);
    let (compression, stored) = match &packed {
        Some(packed) => (compression, &packed[..]),
        None => (Compression::None, records),
    };
    let header = FrameHeader {
        compression,
        goes_on: place.goes_on,
        records: count,
        stored: stored.len() as u32,
        length: records.len() as u32,
        commit: place.commit,
        segment: place.segment as u32,
        payload_crc: crc32c::crc32c(stored),
    };
    header.write(out);
    out.extend(stored);
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { segment: 7, commit: 32, goes_on: true };

    #[test]
    fn frames_are_read_as_written() {
        let records = b"the same again, the same again, the same again".repeat(9);
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let mut bytes = Vec::new();
            write_frame(&records, 3, compression, PLACE, &mut bytes);
            let header = FrameHeader::read(&bytes, 7).expect("a header");
            assert_eq!((header.compression, header.records), (compression, 3));
            assert_eq!((header.goes_on, header.commit), (true, 32));
            assert_eq!(header.frame_bytes(), bytes.len());
            let stored = bytes[FRAME_HEADER_BYTES..].to_vec();
            assert_eq!(header.records(stored).expect("the records"), records);
        }
    }

    #[test]
    fn a_frame_with_any_bit_turned_is_refused() {
        let mut bytes = Vec::new();
        write_frame(b"some records", 1, Compression::Zstd, PLACE, &mut bytes);
        for bit in 0..bytes.len() * 8 {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            let header = FrameHeader::read(&turned, 7);
            let is_whole = header.is_some_and(|header| header.fits(&turned[FRAME_HEADER_BYTES..]));
            assert!(!is_whole, "bit {bit}");
        }
    }

    #[test]
    fn a_frame_of_another_segment_is_none() {
        let mut bytes = Vec::new();
        write_frame(b"some records", 1, Compression::None, PLACE, &mut bytes);
        assert_eq!(FrameHeader::read(&bytes, 8), None);
    }
}
