//! One event as it is written: what it is found by, and bytes that only its owner understands.
//!
//! Little endian: id f64, time f64, bytes of the type u16, bytes of the correlation u16 (65,535:
//! none), bytes of the data u32; then type, correlation, data.

use crate::error::{Result, StoreError};
use crate::ordered::{ordered_time, text_hash, u16_at, u32_at, u64_at};

/// Bytes before the texts of a record.
pub const RECORD_HEADER_BYTES: usize = 24;
/// The largest record. Unit: bytes.
pub const RECORD_BYTES_MAX: usize = 4 << 20;
/// The largest id: what a JavaScript number counts up to. Unit: none.
const ID_MAX: f64 = 9_007_199_254_740_991.0;
const NO_CORRELATION: u16 = u16::MAX;

/// A record within bytes that somebody else owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record<'a> {
    /// Number of the event, above 0.
    pub id: u64,
    /// When it happened. Unit: ms, on any clock.
    pub time: f64,
    /// What it is found by.
    pub kind: &'a [u8],
    /// What it is found by, if anything.
    pub correlation: Option<&'a [u8]>,
    /// What it is.
    pub data: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the record at the start of `bytes`; answers with it and what follows.
    ///
    /// # Errors
    /// `invalid_argument` where there is no whole record with an id and a time.
    pub fn read(bytes: &'a [u8]) -> std::result::Result<(Record<'a>, &'a [u8]), StoreError> {
        if bytes.len() < RECORD_HEADER_BYTES {
            return Err(StoreError::invalid("a record ends within its header"));
        }
        let (id, time) = (f64::from_bits(u64_at(bytes, 0)), f64::from_bits(u64_at(bytes, 8)));
        if !(1.0..=ID_MAX).contains(&id) || id.fract() != 0.0 {
            return Err(StoreError::invalid(format!("{id} is no id of an event")));
        }
        if !time.is_finite() {
            return Err(StoreError::invalid(format!("{time} is no time of an event")));
        }
        let (kind, correlation) = (u16_at(bytes, 16), u16_at(bytes, 18));
        let spans = [kind, if correlation == NO_CORRELATION { 0 } else { correlation }];
        let texts = spans.map(usize::from);
        let data = u32_at(bytes, 20) as usize;
        let end = RECORD_HEADER_BYTES + texts[0] + texts[1] + data;
        if end > RECORD_BYTES_MAX {
            let text = format!("a record has {end} bytes, and at most {RECORD_BYTES_MAX} are kept");
            return Err(StoreError::invalid(text));
        }
        if end > bytes.len() {
            return Err(StoreError::invalid("a record ends within its data"));
        }
        let (own, rest) = bytes.split_at(end);
        let (kind, own) = own[RECORD_HEADER_BYTES..].split_at(texts[0]);
        let (found_by, data) = own.split_at(texts[1]);
        let correlation = (correlation != NO_CORRELATION).then_some(found_by);
        Ok((Record { id: id as u64, time, kind, correlation, data }, rest))
    }

    /// Adds the record to bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend((self.id as f64).to_le_bytes());
        out.extend(self.time.to_le_bytes());
        out.extend((self.kind.len() as u16).to_le_bytes());
        let correlation = self.correlation.map_or(NO_CORRELATION, |text| text.len() as u16);
        out.extend(correlation.to_le_bytes());
        out.extend((self.data.len() as u32).to_le_bytes());
        out.extend(self.kind);
        out.extend(self.correlation.unwrap_or_default());
        out.extend(self.data);
    }

    /// What an index finds it by.
    pub(crate) fn keys(&self) -> Keys {
        Keys {
            id: self.id,
            time: ordered_time(self.time),
            kind: text_hash(self.kind),
            correlation: self.correlation.map(text_hash),
        }
    }
}

/// What a record is found by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) id: u64,
    pub(crate) time: u64,
    pub(crate) kind: u64,
    pub(crate) correlation: Option<u64>,
}

/// Checks that bytes are whole records, and counts them.
pub(crate) fn count_records(mut bytes: &[u8]) -> Result<usize> {
    let mut count = 0;
    while !bytes.is_empty() {
        bytes = Record::read(bytes)?.1;
        count += 1;
    }
    Ok(count)
}
