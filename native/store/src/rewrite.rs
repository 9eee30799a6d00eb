//! Writing a segment anew with some of its records.

use std::fs;
use std::path::Path;

use crate::active::Active;
use crate::catalog::Summary;
use crate::chunks::Row;
use crate::commit::{Commit, Placed};
use crate::error::{Code, Result, StoreError};
use crate::record::RECORD_BYTES_MAX;
use crate::scan::scan;
use crate::segment::{Identity, Segment};
use crate::store::{Full, Store};

/// Records that are handed to the system at once. Unit: bytes.
const COMMIT_BYTES: usize = 1 << 20;

impl Store {
    /// Writes a full segment anew without what was replaced and what is older than `bound`.
    pub(crate) fn rewrite(&mut self, number: u64, bound: u64) -> Result<()> {
        let Some(full) = self.full.get(&number).copied() else { return Ok(()) };
        let path = self.folder.segment_path(number);
        let scanned = scan(&path, &Segment::read_all(&path)?, number)?;
        if let Some(offset) = scanned.damage {
            return Err(StoreError::corrupt(&path, offset, "no frame begins here"));
        }
        let newest: Vec<Placed> = Active::new(scanned.placed).newest().collect();
        let mut rows: Vec<Row> = newest.iter().map(|placed| Row::from(*placed)).collect();
        self.drop_replaced(&full.summary, &mut rows)?;
        rows.retain(|row| row.time >= bound);
        self.replace_file(full.summary.identity, &rows)
    }

    /// Puts a file with these records of a segment in its place. They are read from its old file.
    pub(crate) fn replace_file(&mut self, old: Identity, rows: &[Row]) -> Result<()> {
        let number = old.number;
        let path = self.folder.segment_path(number);
        let unfinished = self.folder.unfinished_path(number);
        let identity = Identity { number, generation: old.generation.wrapping_add(1) };
        let written = self.write_copy(&unfinished, (old, identity), rows).and_then(|copy| {
            let Some((summary, active)) = copy else { return Ok(None) };
            fs::rename(&unfinished, &path).map_err(StoreError::io("renaming", &unfinished))?;
            Ok(Some((summary, active)))
        });
        let Ok(Some((summary, active))) = written else {
            let removed = self.folder.remove(&unfinished);
            written?; // the file that there was is as good as before
            removed?;
            return self.forget(number);
        };
        self.cache.forget(number);
        self.stats.rewritten += 1;
        self.full.insert(number, Full { summary, replaced: 0 });
        // What an index says of the file before leads astray: one that is not told is made anew.
        let stale = |error: StoreError| StoreError::new(Code::Index, error.message);
        self.index_mut()?.put(&summary, &active).map_err(stale)?;
        self.check_synced(self.folder.sync())
    }

    /// Writes and syncs a file with these records, read from the file of `old`; none where there
    /// are no records.
    fn write_copy(
        &mut self,
        path: &Path,
        (old, identity): (Identity, Identity),
        rows: &[Row],
    ) -> Result<Option<(Summary, Active)>> {
        let mut segment = Segment::create(path, identity)?;
        let mut active = Active::default();
        let mut records = Vec::with_capacity(COMMIT_BYTES + RECORD_BYTES_MAX);
        for row in rows {
            self.record(old, *row)?.write(&mut records);
            if records.len() >= COMMIT_BYTES {
                self.copy(&mut records, &mut segment, &mut active)?;
            }
        }
        self.copy(&mut records, &mut segment, &mut active)?;
        let summary = Summary::new(identity, segment.bytes, &active);
        if summary.is_some() {
            segment.sync()?;
            self.stats.syncs += 1;
        }
        Ok(summary.map(|summary| (summary, active)))
    }

    fn copy(
        &self,
        records: &mut Vec<u8>,
        segment: &mut Segment,
        active: &mut Active,
    ) -> Result<()> {
        let (number, start) = (segment.identity.number, segment.bytes as u32);
        let commit = Commit::new(records, self.options.compression, number, start)?;
        segment.append(&commit.bytes)?;
        for placed in commit.placed {
            active.insert(placed);
        }
        records.clear();
        Ok(())
    }
}
