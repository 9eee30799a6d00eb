//! What the index keeps of a full segment: sorted arrays, cut into chunks of about one page.
//!
//! *Rows* are the records by time and id; the number of a row is its place among them. *Pairs* lead
//! from an id, a type or a correlation to rows. As rows sort by time, so do the pairs of one key.

use crate::commit::Placed;
use crate::ordered::{u16_at, u32_at, u64_at};
use crate::record::Keys;

const ROW_BYTES: usize = 22;
const PAIR_BYTES: usize = 12;
/// Rows of a chunk: with its key and its check sum, it fits a page of 4,096 bytes.
pub(crate) const ROWS_PER_CHUNK: usize = 180;
const PAIRS_PER_CHUNK: usize = 330; // likewise

/// A chunk in the index: its page, and its part of the pages that lead there. Unit: bytes.
const CHUNK_BYTES: usize = 4_096 + 128;

/// What the chunks of so many records take in the index, where all have a correlation. Unit: bytes.
pub(crate) fn index_bytes(records: usize) -> u64 {
    let chunks = records.div_ceil(ROWS_PER_CHUNK) + 3 * records.div_ceil(PAIRS_PER_CHUNK);
    (chunks * CHUNK_BYTES) as u64
}

/// What an array of pairs is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Rows have no key.
    Rows,
    Ids,
    Kinds,
    Correlations,
}

/// A record as the index knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) time: u64,
    pub(crate) frame: u32,
    pub(crate) at: u16,
}

impl From<Placed> for Row {
    fn from(Placed { keys, frame, at }: Placed) -> Row {
        Row { id: keys.id, time: keys.time, frame, at }
    }
}

/// The place of a chunk: its part, and the key and the row that it begins with.
pub(crate) type ChunkKey = (u8, u64, u32);

/// Every chunk of a segment with these records, one of each id.
pub(crate) fn chunks(records: impl Iterator<Item = Placed>) -> Vec<(ChunkKey, Vec<u8>)> {
    let mut sorted: Vec<Placed> = records.collect();
    sorted.sort_unstable_by_key(|placed| (placed.keys.time, placed.keys.id));
    let mut chunks = Vec::new();
    for (index, rows) in sorted.chunks(ROWS_PER_CHUNK).enumerate() {
        let mut bytes = Vec::with_capacity(rows.len() * ROW_BYTES + 4);
        for Placed { keys, frame, at } in rows {
            bytes.extend(keys.id.to_le_bytes());
            bytes.extend(keys.time.to_le_bytes());
            bytes.extend(frame.to_le_bytes());
            bytes.extend(at.to_le_bytes());
        }
        let first = (index * ROWS_PER_CHUNK) as u32;
        chunks.push(((Part::Rows as u8, 0, first), sealed(bytes)));
    }
    add_pairs(&mut chunks, Part::Ids, &sorted, |keys| Some(keys.id));
    add_pairs(&mut chunks, Part::Kinds, &sorted, |keys| Some(keys.kind));
    add_pairs(&mut chunks, Part::Correlations, &sorted, |keys| keys.correlation);
    chunks
}

fn add_pairs(
    chunks: &mut Vec<(ChunkKey, Vec<u8>)>,
    part: Part,
    sorted: &[Placed],
    key: impl Fn(&Keys) -> Option<u64>,
) {
    let keyed = sorted.iter().enumerate();
    let keyed = keyed.filter_map(|(row, placed)| Some((key(&placed.keys)?, row as u32)));
    let mut pairs: Vec<(u64, u32)> = keyed.collect();
    pairs.sort_unstable();
    for own in pairs.chunks(PAIRS_PER_CHUNK) {
        let mut bytes = Vec::with_capacity(own.len() * PAIR_BYTES + 4);
        for (key, row) in own {
            bytes.extend(key.to_le_bytes());
            bytes.extend(row.to_le_bytes());
        }
        chunks.push(((part as u8, own[0].0, own[0].1), sealed(bytes)));
    }
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// The array of a chunk; none where its bytes are not the ones that were written.
pub(crate) fn opened(chunk: &[u8]) -> Option<&[u8]> {
    let (bytes, crc) = chunk.split_at_checked(chunk.len().checked_sub(4)?)?;
    (crc32c::crc32c(bytes) == u32_at(crc, 0)).then_some(bytes)
}

/// A row of a chunk of rows.
pub(crate) fn row_at(rows: &[u8], index: usize) -> Option<Row> {
    let bytes = rows.get(index * ROW_BYTES..(index + 1) * ROW_BYTES)?;
    Some(Row {
        id: u64_at(bytes, 0),
        time: u64_at(bytes, 8),
        frame: u32_at(bytes, 16),
        at: u16_at(bytes, 20),
    })
}

/// The pairs of a chunk.
pub(crate) fn pairs(bytes: &[u8]) -> impl Iterator<Item = (u64, u32)> {
    bytes.chunks_exact(PAIR_BYTES).map(|pair| (u64_at(pair, 0), u32_at(pair, 8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_fit_a_page_and_tell_when_they_are_damaged() {
        let keys = |id: u64| Keys { id, time: 9_999 - id, kind: id % 3, correlation: None };
        let placed = (1..1_000).map(|id| Placed { keys: keys(id), frame: 5, at: 6 });
        let chunks = chunks(placed);
        assert!(chunks.iter().all(|(_, chunk)| chunk.len() <= 4_000));
        let ((part, _, first), chunk) = &chunks[0];
        assert_eq!((*part, *first), (0, 0));
        let rows = opened(chunk).expect("a whole chunk");
        assert_eq!(row_at(rows, 0).map(|row| row.id), Some(999)); // the earliest
        assert_eq!(row_at(rows, ROWS_PER_CHUNK), None);
        let mut turned = chunk.clone();
        turned[100] ^= 1;
        assert_eq!(opened(&turned), None);
        assert_eq!(opened(&[1, 2]), None);
    }
}
