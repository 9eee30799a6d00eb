//! From records to the frames of one commit.

use crate::error::Result;
use crate::frame::{Compression, FRAME_RECORDS_BYTES, Place, write_frame};
use crate::record::{Keys, Record};

/// Records that are written together, and where each of them will be.
#[derive(Debug)]
pub(crate) struct Commit {
    /// The frames.
    pub(crate) bytes: Vec<u8>,
    pub(crate) placed: Vec<Placed>,
}

/// A record and where it is: the offset of its frame in the segment, its own within the frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) keys: Keys,
    pub(crate) frame: u32,
    pub(crate) at: u16,
}

impl Commit {
    /// Puts records into frames that begin at `start` of a segment.
    pub(crate) fn new(
        records: &[u8],
        compression: Compression,
        segment: u64,
        start: u32,
    ) -> Result<Commit> {
        let mut commit = Commit { bytes: Vec::with_capacity(records.len()), placed: Vec::new() };
        let mut rest = records;
        while !rest.is_empty() {
            let frame = start + commit.bytes.len() as u32;
            let (length, count) = commit.place_frame(rest, frame)?;
            let (own, after) = rest.split_at(length);
            let place = Place { segment, commit: start, goes_on: !after.is_empty() };
            write_frame(own, count, compression, place, &mut commit.bytes);
            rest = after;
        }
        Ok(commit)
    }

    /// How many bytes and records the next frame takes.
    fn place_frame(&mut self, records: &[u8], frame: u32) -> Result<(usize, u16)> {
        let (mut rest, mut count) = (records, 0);
        while !rest.is_empty() {
            let (record, after) = Record::read(rest)?;
            let at = records.len() - rest.len();
            if count > 0 && records.len() - after.len() > FRAME_RECORDS_BYTES {
                break;
            }
            // A record begins below FRAME_RECORDS_BYTES, or is the first: it fits.
            self.placed.push(Placed { keys: record.keys(), frame, at: at as u16 });
            count += 1;
            rest = after;
        }
        Ok((records.len() - rest.len(), count))
    }
}
