//! Segments that are open for reading, and the frames that were read last.

use std::collections::HashMap;
use std::path::Path;

use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::segment::{Identity, Segment};

/// Files open at once.
const FILES_MAX: usize = 32;
/// Frames kept: events that are asked for together were often written together.
const FRAMES_MAX: usize = 16;

/// What reading keeps in memory.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    files: HashMap<u64, Segment>,
    /// By segment and offset, the one used last in front.
    frames: Vec<((u64, u32), Vec<u8>)>,
}

impl Cache {
    /// The record at a place of a segment. `path` is where the segment is.
    pub(crate) fn record(
        &mut self,
        identity: Identity,
        path: impl FnOnce() -> std::path::PathBuf,
        (frame, at): (u32, u16),
    ) -> Result<Record<'_>> {
        let key = (identity.number, frame);
        match self.frames.iter().position(|(held, _)| *held == key) {
            Some(place) => self.frames[..=place].rotate_right(1),
            None => {
                let records = self.file(identity, path)?.read_frame(frame)?;
                self.frames.truncate(FRAMES_MAX - 1);
                self.frames.insert(0, (key, records));
            }
        }
        let records = &self.frames[0].1;
        let rest = records.get(usize::from(at)..).unwrap_or_default();
        let wrong = |error: StoreError| {
            let text = format!("segment {}, frame {frame}", identity.number);
            StoreError::corrupt(Path::new(&text), u64::from(at), &error.message)
        };
        Ok(Record::read(rest).map_err(wrong)?.0)
    }

    fn file(
        &mut self,
        identity: Identity,
        path: impl FnOnce() -> std::path::PathBuf,
    ) -> Result<&Segment> {
        let number = identity.number;
        if !self.files.contains_key(&number) {
            if self.files.len() >= FILES_MAX {
                self.files.clear();
            }
            self.files.insert(number, Segment::open(&path(), identity, 0)?);
        }
        Ok(&self.files[&number])
    }

    /// Forgets what was read of a segment, whose file is gone or another one.
    pub(crate) fn forget(&mut self, number: u64) {
        self.files.remove(&number);
        self.frames.retain(|((segment, _), _)| *segment != number);
    }
}
