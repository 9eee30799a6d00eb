//! Records that found an isolate's ring full. Credit bounds them; they lie in long segments that
//! are reused, so that a slow reader costs copies and no allocations.

use std::collections::VecDeque;

use foundation_buffer::Slab;

use crate::record::Head;

/// Size at which a segment is closed.
const SEGMENT_BYTES: usize = 64 << 10;
/// Emptied segments kept for reuse.
const SPARE_MAX: usize = 4;
/// Tag and length before each body.
const PREFIX_BYTES: usize = 8;

#[derive(Debug, Default)]
struct Segment {
    bytes: Vec<u8>,
    read: usize,
}

/// The oldest waiting record.
#[derive(Debug)]
pub(crate) enum Oldest<'a> {
    Bytes { tag: u32, body: &'a [u8] },
    Slab { tag: u32, head: Head },
}

/// Waiting records, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    segments: VecDeque<Segment>,
    /// Slabs of the waiting slab records, in their order.
    slabs: VecDeque<(Head, Slab)>,
    spare: Vec<Vec<u8>>,
    records: usize,
}

/// Length that marks a slab record, whose parts lie in `slabs`.
const SLAB_MARK: u32 = u32::MAX;

impl Backlog {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.records
    }

    pub(crate) fn push_bytes(&mut self, tag: u32, head: &[u8], bytes: &[u8]) {
        let length = (head.len() + bytes.len()) as u32;
        let segment = self.open_segment();
        segment.extend_from_slice(&tag.to_le_bytes());
        segment.extend_from_slice(&length.to_le_bytes());
        segment.extend_from_slice(head);
        segment.extend_from_slice(bytes);
        self.records += 1;
    }

    pub(crate) fn push_slab(&mut self, tag: u32, head: Head, slab: Slab) {
        let segment = self.open_segment();
        segment.extend_from_slice(&tag.to_le_bytes());
        segment.extend_from_slice(&SLAB_MARK.to_le_bytes());
        self.slabs.push_back((head, slab));
        self.records += 1;
    }

    fn open_segment(&mut self) -> &mut Vec<u8> {
        let has_room = self.segments.back().is_some_and(|last| last.bytes.len() < SEGMENT_BYTES);
        if !has_room {
            let bytes = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(SEGMENT_BYTES));
            self.segments.push_back(Segment { bytes, read: 0 });
        }
        let last = self.segments.len() - 1;
        &mut self.segments[last].bytes
    }

    fn prefix(segment: &Segment) -> (u32, u32) {
        let word = |at: usize| {
            let bytes = &segment.bytes[segment.read + at..segment.read + at + 4];
            u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
        };
        (word(0), word(4))
    }

    /// The record that goes next.
    pub(crate) fn oldest(&self) -> Option<Oldest<'_>> {
        let segment = self.segments.front()?;
        let (tag, length) = Self::prefix(segment);
        if length == SLAB_MARK {
            let (head, _) = self.slabs.front()?;
            return Some(Oldest::Slab { tag, head: *head });
        }
        let start = segment.read + PREFIX_BYTES;
        Some(Oldest::Bytes { tag, body: &segment.bytes[start..start + length as usize] })
    }

    /// Drops the oldest record; answers its slab, if it has one.
    pub(crate) fn pop(&mut self) -> Option<Slab> {
        let segment = self.segments.front_mut()?;
        let (_, length) = Self::prefix(segment);
        let body_bytes = if length == SLAB_MARK { 0 } else { length as usize };
        segment.read += PREFIX_BYTES + body_bytes;
        self.records -= 1;
        if segment.read == segment.bytes.len()
            && let Some(mut done) = self.segments.pop_front()
            && self.spare.len() < SPARE_MAX
        {
            done.bytes.clear();
            self.spare.push(done.bytes);
        }
        if length == SLAB_MARK { self.slabs.pop_front().map(|(_, slab)| slab) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_in_order_over_many_segments() {
        let mut backlog = Backlog::default();
        let body = |number: u32| vec![number as u8; (number % 7000) as usize];
        for number in 0..2000u32 {
            backlog.push_bytes(number, &[1, 2], &body(number));
        }
        for number in 0..2000u32 {
            let Some(Oldest::Bytes { tag, body: found }) = backlog.oldest() else {
                panic!("record {number} is missing")
            };
            assert_eq!((tag, &found[..2], &found[2..]), (number, &[1, 2][..], &body(number)[..]));
            assert!(backlog.pop().is_none());
        }
        assert!(backlog.is_empty() && backlog.oldest().is_none());
        assert!(backlog.spare.len() <= SPARE_MAX);
    }
}
