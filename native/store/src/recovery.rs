//! Opening a store: which segments the index knows, and what the others have.

use std::collections::BTreeMap;

use crate::active::Active;
use crate::cache::Cache;
use crate::catalog::{Catalog, Summary};
use crate::chunks::Row;
use crate::error::{Code, Result, StoreError};
use crate::folder::Folder;
use crate::scan::{Scan, scan};
use crate::segment::{Identity, Segment};
use crate::store::{Current, Durability, Full, Options, Stats, Store};

/// Opens the store of a folder.
pub(crate) fn open(options: Options) -> Result<Store> {
    let folder = Folder::open(&options.path)?;
    let mut store = Store {
        options,
        folder,
        catalog: None,
        full: BTreeMap::new(),
        current: None,
        next_number: 1,
        cache: Cache::default(),
        stats: Stats::default(),
        failure: None,
    };
    match Catalog::open(&store.folder.index_path()) {
        Ok(catalog) => store.catalog = Some(catalog),
        Err(error) if error.code == Code::Index => store.make_index()?,
        Err(error) => return Err(error), // no reason to throw away what may be whole
    }
    match store.load() {
        Err(error) if error.code == Code::Index => store.rebuild_index()?,
        outcome => outcome?,
    }
    match store.tidy() {
        // A full disk: what is there can be read, and tidying is tried again.
        Err(error) if error.code == Code::Failed => store.check_usable()?,
        outcome => outcome?,
    }
    Ok(store)
}

impl Store {
    /// Makes an empty index in place of what is there.
    fn make_index(&mut self) -> Result<()> {
        self.catalog = None; // closes it
        self.stats.rebuilt += 1;
        self.folder.remove(&self.folder.index_path())?;
        self.catalog = Some(Catalog::open(&self.folder.index_path())?);
        Ok(())
    }

    /// Opens the index again where the system refused something.
    pub(crate) fn reopen_index(&mut self) -> Result<()> {
        if self.catalog.as_ref().is_some_and(|catalog| !catalog.is_stuck()) {
            return Ok(());
        }
        self.catalog = None; // closes it
        match Catalog::open(&self.folder.index_path()) {
            Ok(catalog) => self.catalog = Some(catalog),
            Err(error) if error.code == Code::Index => self.rebuild_index()?,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Makes the index anew from the segments. Where that ends half-way, nothing is answered from
    /// what was found until then.
    pub(crate) fn rebuild_index(&mut self) -> Result<()> {
        let rebuilt = self.make_index().and_then(|()| self.load());
        if let Err(error) = &rebuilt {
            self.full.clear();
            self.current = None;
            self.failure = Some(error.clone());
        }
        rebuilt
    }

    /// Looks at every segment.
    fn load(&mut self) -> Result<()> {
        self.full.clear();
        self.current = None;
        let numbers = self.folder.segments()?;
        let known: BTreeMap<u64, Summary> = self
            .index()?
            .segments()?
            .into_iter()
            .map(|summary| (summary.identity.number, summary))
            .collect();
        self.check_present(&numbers, &known)?;
        let last = numbers.last().copied();
        self.next_number = last.map_or(self.next_number, |last| last + 1).max(self.next_number);
        for number in numbers {
            let path = self.folder.segment_path(number);
            let (identity, bytes) = Segment::look(&path)?;
            let known = known.get(&number).copied();
            let is_as_known = known.is_some_and(|summary| {
                Some(summary.identity) == identity && summary.bytes == bytes
            });
            if let Some(summary) = known
                && Some(summary.identity) == identity
                && bytes < summary.bytes
            {
                if !self.options.repair {
                    return Err(StoreError::corrupt(
                        &path,
                        bytes,
                        "the file is shorter than it was",
                    ));
                }
                self.stats.damaged_bytes += summary.bytes - bytes;
            }
            let is_last = Some(number) == last;
            let goes_on = is_last && bytes < self.options.segment_bytes();
            match known {
                Some(summary) if is_as_known && !goes_on && !self.options.repair => {
                    self.full.insert(number, Full { summary, replaced: 0 });
                }
                _ => self.load_segment(number, is_last, !is_last || known.is_some())?,
            }
        }
        self.count_replaced()
    }

    /// A segment that the index has and the folder has not is lost.
    fn check_present(&mut self, numbers: &[u64], known: &BTreeMap<u64, Summary>) -> Result<()> {
        let is_there = |number: &u64| numbers.binary_search(number).is_ok();
        let lost: Vec<u64> = known.keys().copied().filter(|number| !is_there(number)).collect();
        let Some(first) = lost.first() else { return Ok(()) };
        if !self.options.repair {
            let path = self.folder.segment_path(*first);
            return Err(StoreError::corrupt(&path, 0, "the file is missing"));
        }
        self.stats.damaged_bytes += lost.iter().map(|number| known[number].bytes).sum::<u64>();
        self.index_mut()?.remove(&lost)
    }

    /// Reads a segment that the index does not know, or not as it is. The last one goes on being
    /// written to; others become part of the index. One that was full or closed has to be whole:
    /// a crash leaves its mark at the end of what was written last, and nowhere else.
    fn load_segment(&mut self, number: u64, is_last: bool, must_be_whole: bool) -> Result<()> {
        let path = self.folder.segment_path(number);
        let bytes = Segment::read_all(&path)?;
        let length = bytes.len() as u64;
        let scanned = scan(&path, &bytes, number)?;
        drop(bytes);
        let torn = length.saturating_sub(scanned.end);
        let has_lost_head = scanned.is_headless && (!scanned.placed.is_empty() || must_be_whole);
        let damage = match scanned.damage {
            None if has_lost_head => Some(0),
            None if must_be_whole && torn > 0 => Some(scanned.end),
            damage => damage,
        };
        if let Some(offset) = damage {
            if !self.options.repair {
                return Err(StoreError::corrupt(&path, offset, "bytes of events cannot be read"));
            }
            self.stats.damaged_bytes += (scanned.damaged + torn).max(1);
            return self.restore(number, scanned);
        }
        let identity = Identity { number, generation: scanned.generation };
        if scanned.placed.is_empty() {
            self.index_mut()?.remove(&[number])?; // first, as in `forget`
            return self.folder.remove(&path);
        }
        let mut segment = Segment::open(&path, identity, length)?;
        if torn > 0 {
            segment.shorten(scanned.end)?;
            if self.options.durability == Durability::Disk {
                segment.sync()?;
            }
        }
        self.current = Some(Current { segment, active: Active::new(scanned.placed) });
        if is_last { self.index_mut()?.remove(&[number]) } else { self.seal() }
    }

    /// Writes a damaged segment anew with what can be read of it.
    fn restore(&mut self, number: u64, scanned: Scan) -> Result<()> {
        let identity = Identity { number, generation: scanned.generation };
        let newest = Active::new(scanned.placed);
        let rows: Vec<Row> = newest.newest().map(Row::from).collect();
        self.replace_file(identity, &rows)
    }

    fn count_replaced(&mut self) -> Result<()> {
        let fulls: Vec<Full> = self.full.values().copied().collect();
        for Full { summary, .. } in fulls {
            let number = summary.identity.number;
            if self.rivals(&summary).is_empty() {
                continue;
            }
            let mut rows = self.index()?.rows(number, 0..summary.rows)?;
            self.drop_replaced(&summary, &mut rows)?;
            let replaced = summary.rows - rows.len() as u32;
            if let Some(full) = self.full.get_mut(&number) {
                full.replaced = replaced;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Compression;
    use crate::record::Record;

    /// A store with full segments.
    fn filled(folder: &std::path::Path) -> Store {
        let (path, bytes_max) = (folder.to_owned(), crate::store::BYTES_MAX_LEAST);
        let (compression, durability) = (Compression::None, Durability::Process);
        let options = Options { path, bytes_max, compression, durability, repair: false };
        let mut store = Store::open(options).expect("a store");
        for id in 1..=50 {
            store.append(&event(id)).expect("kept");
        }
        assert!(store.full.len() > 2);
        store
    }

    fn event(id: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let data = &vec![7; 50_000][..];
        Record { id, time: id as f64, kind: b"kind", correlation: None, data }.write(&mut bytes);
        bytes
    }

    #[test]
    fn an_index_that_cannot_be_made_anew_answers_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = filled(folder.path());
        if let Some(catalog) = &mut store.catalog {
            catalog.spoil();
        }
        std::fs::write(store.folder.segment_path(1), b"nothing").expect("spoilt");
        for _ in 0..2 {
            assert_eq!(store.get(1).map_err(|error| error.code), Err(Code::Corrupt));
            let query = crate::query::Query { limit: 1, ..Default::default() };
            assert_eq!(store.query(&query).map_err(|error| error.code), Err(Code::Corrupt));
            assert_eq!(store.append(&event(51)).map_err(|error| error.code), Err(Code::Corrupt));
        }
    }

    #[test]
    fn what_is_replaced_while_the_index_is_made_anew_counts_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = filled(folder.path());
        if let Some(catalog) = &mut store.catalog {
            catalog.spoil();
        }
        store.append(&event(1)).expect("kept");
        assert_eq!((store.stats().rebuilt, store.stats().events), (1, 50));
    }

    #[test]
    fn an_index_that_the_system_refused_something_is_opened_again_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = filled(folder.path());
        store.catalog = None;
        assert!(store.get(1).expect("an answer").is_some());
        assert_eq!(store.stats().rebuilt, 0);
    }
}
