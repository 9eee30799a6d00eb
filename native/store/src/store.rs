//! The store itself. It belongs to one thread.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::active::Active;
use crate::cache::Cache;
use crate::catalog::{Catalog, Summary};
use crate::chunks::index_bytes;
use crate::commit::Commit;
use crate::error::{Code, Result, StoreError};
use crate::folder::Folder;
use crate::frame::Compression;
use crate::segment::{Identity, Segment};

/// The least that `bytes_max` may be: half of it takes the largest record. Unit: bytes.
pub const BYTES_MAX_LEAST: u64 = 8 << 20;
/// A store is cut into about so many segments: what retention drops at once.
const SEGMENTS: u64 = 16;
const SEGMENT_BYTES_MIN: u64 = 128 << 10;
/// Opening a store after a crash reads one segment, and prunes rewrite one at a time.
const SEGMENT_BYTES_MAX: u64 = 64 << 20;
/// What the index in memory of one segment may have. Unit: records.
const SEGMENT_RECORDS_MAX: usize = 1 << 17;

/// What an acknowledged event outlives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, however sudden: it was handed to the system.
    Process,
    /// A power loss: it was synced.
    Disk,
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its folder, made where it is missing.
    pub path: PathBuf,
    /// What it may take on disk, its index included. Unit: bytes.
    pub bytes_max: u64,
    /// How its events are compressed from now on.
    pub compression: Compression,
    /// What an acknowledged event outlives.
    pub durability: Durability,
    /// Damaged bytes are dropped; without it, a store that has any is not opened.
    pub repair: bool,
}

impl Options {
    pub(crate) fn segment_bytes(&self) -> u64 {
        (self.bytes_max / SEGMENTS).clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX)
    }

    fn check(&self) -> Result<()> {
        if self.bytes_max < BYTES_MAX_LEAST {
            let text = format!("a store takes at least {BYTES_MAX_LEAST} bytes");
            return Err(StoreError::invalid(text));
        }
        Ok(())
    }
}

/// Figures of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events in it.
    pub events: u64,
    /// What it takes on disk, its index included.
    pub bytes: u64,
    /// Files of events.
    pub segments: u64,
    /// The greatest id in it, or 0.
    pub id_max: u64,
    /// Events appended since it was opened.
    pub appended: u64,
    /// Events dropped since then, because they were pruned or to keep within `bytes_max`.
    pub pruned: u64,
    /// Group commits since then.
    pub commits: u64,
    /// Syncs of files since then.
    pub syncs: u64,
    /// Segments written anew since then, without what was pruned or replaced.
    pub rewritten: u64,
    /// Times that the index was made anew since then.
    pub rebuilt: u64,
    /// Bytes that were damaged and dropped when it was opened.
    pub damaged_bytes: u64,
}

/// A full segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Full {
    pub(crate) summary: Summary,
    /// Rows whose id a later segment has too.
    pub(crate) replaced: u32,
}

impl Full {
    pub(crate) fn live(&self) -> u32 {
        self.summary.rows - self.replaced
    }
}

/// The segment that is written to.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) segment: Segment,
    pub(crate) active: Active,
}

impl Current {
    /// What it takes, and will take in the index. Unit: bytes.
    pub(crate) fn size(&self) -> u64 {
        self.segment.bytes + index_bytes(self.active.len())
    }

    pub(crate) fn summary(&self) -> Option<Summary> {
        Summary::new(self.segment.identity, self.segment.bytes, &self.active)
    }
}

/// A durable store of events.
#[derive(Debug)]
pub struct Store {
    pub(crate) options: Options,
    pub(crate) folder: Folder,
    pub(crate) catalog: Option<Catalog>,
    pub(crate) full: BTreeMap<u64, Full>,
    pub(crate) current: Option<Current>,
    pub(crate) next_number: u64,
    pub(crate) cache: Cache,
    pub(crate) stats: Stats,
    /// Why nothing can be written any more.
    pub(crate) failure: Option<StoreError>,
}

impl Store {
    /// Opens the store of a folder, and makes one where there is none.
    ///
    /// # Errors
    /// `event_log_locked`, `data_corruption`, `event_log_failed`, `invalid_argument`.
    pub fn open(options: Options) -> Result<Store> {
        options.check()?;
        crate::recovery::open(options)
    }

    /// Keeps records, all or none of them. A record takes the place of what has its id.
    ///
    /// When this returns, they are as durable as the store was asked to be.
    ///
    /// # Errors
    /// `event_log_failed` where the system did not take them, `invalid_argument` where they are no
    /// records or more than half of what the store may take: they are in one file.
    pub fn append(&mut self, records: &[u8]) -> Result<()> {
        self.check_usable()?;
        let most = self.options.bytes_max / 2;
        if records.len() as u64 > most {
            let text = format!("{} bytes are appended at once, at most {most} are", records.len());
            return Err(StoreError::invalid(text));
        }
        self.make_room(records.len())?;
        let is_synced = self.options.durability == Durability::Disk;
        let Some(Current { segment, active }) = &mut self.current else { return Ok(()) };
        let (number, start) = (segment.identity.number, segment.bytes as u32);
        let commit = Commit::new(records, self.options.compression, number, start)?;
        if let Err(error) = segment.append(&commit.bytes) {
            let is_as_before = segment.shorten(segment.bytes).is_ok();
            self.failure = (!is_as_before).then(|| error.clone());
            return Err(error);
        }
        if is_synced && let Err(error) = segment.sync() {
            // What of it is on disk cannot be told any more, nor made sure of by another sync.
            self.failure = Some(error.clone());
            return Err(error);
        }
        self.stats.syncs += u64::from(is_synced);
        self.stats.commits += 1;
        self.stats.appended += commit.placed.len() as u64;
        let mut fresh = Vec::new();
        for placed in &commit.placed {
            if !active.insert(*placed) {
                fresh.push(placed.keys.id);
            }
        }
        self.note_replaced(&fresh)
    }

    /// Sees to it that there is a segment to write to that is not full.
    fn make_room(&mut self, bytes: usize) -> Result<()> {
        if let Some(current) = &self.current {
            let written = current.active.written();
            let is_full = current.size() + bytes as u64 > self.options.segment_bytes();
            if written > 0 && (is_full || written >= SEGMENT_RECORDS_MAX) {
                self.with_index(Store::seal)?;
            }
        }
        if self.current.is_none() {
            let identity = Identity { number: self.next_number, generation: 0 };
            let segment = Segment::create(&self.folder.segment_path(identity.number), identity)?;
            if self.options.durability == Durability::Disk {
                segment.sync()?;
                self.folder.sync()?;
                self.stats.syncs += 2;
            }
            self.next_number += 1;
            self.current = Some(Current { segment, active: Active::default() });
        }
        Ok(())
    }

    /// Counts the rows of full segments whose ids were written again.
    fn note_replaced(&mut self, ids: &[u64]) -> Result<()> {
        let least = ids.iter().min().copied().unwrap_or(u64::MAX);
        if self.full.values().all(|full| full.summary.ids.1 < least) {
            return Ok(()); // ids grow as a rule
        }
        let rebuilt = self.stats.rebuilt;
        self.with_index(|store| {
            if store.stats.rebuilt > rebuilt {
                return Ok(()); // an index that is made anew counts anew, these included
            }
            let mut found = Vec::new();
            for id in ids {
                found.extend(store.find_full(*id)?.map(|(number, _)| number));
            }
            for number in found {
                if let Some(full) = store.full.get_mut(&number) {
                    full.replaced += 1;
                }
            }
            Ok(())
        })
    }

    /// The data of an event.
    ///
    /// # Errors
    /// `data_corruption`, `event_log_failed`.
    pub fn get(&mut self, id: u64) -> Result<Option<Vec<u8>>> {
        self.check_usable()?;
        self.with_index(|store| store.find_data(id))
    }

    /// Figures of it.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let current = self.current.as_ref();
        let ids = self.full.values().map(|full| full.summary.ids.1);
        let newest = current.and_then(|current| current.active.spans());
        Stats {
            events: self.full.values().map(|full| u64::from(full.live())).sum::<u64>()
                + current.map_or(0, |current| current.active.len() as u64),
            bytes: self.bytes(),
            segments: self.full.len() as u64 + u64::from(current.is_some()),
            id_max: ids.chain(newest.map(|spans| spans.ids.1)).max().unwrap_or(0),
            ..self.stats
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        let full: u64 = self.full.values().map(|full| full.summary.bytes).sum();
        let current = self.current.as_ref().map_or(0, |current| current.segment.bytes);
        full + current + self.catalog.as_ref().map_or(0, Catalog::bytes)
    }

    /// Finishes the segment that is written to and lets go of everything.
    ///
    /// # Errors
    /// `event_log_failed`; whatever was acknowledged is kept all the same.
    pub fn close(mut self) -> Result<()> {
        match self.failure.take() {
            Some(_) => Ok(()), // its user was told
            None => self.with_index(Store::seal),
        }
    }

    pub(crate) fn check_usable(&self) -> Result<()> {
        match &self.failure {
            Some(error) => {
                let text = format!("an earlier failure: {}; open it again", error.message);
                Err(StoreError::new(error.code, text))
            }
            None => Ok(()),
        }
    }

    /// Does what needs the index; where that is damaged, makes it anew and tries once more.
    pub(crate) fn with_index<T>(
        &mut self,
        mut work: impl FnMut(&mut Store) -> Result<T>,
    ) -> Result<T> {
        self.reopen_index()?;
        match work(self) {
            Err(error) if error.code == Code::Index => {
                self.rebuild_index()?;
                work(self)
            }
            outcome => outcome,
        }
    }

    pub(crate) fn index(&self) -> Result<&Catalog> {
        self.catalog.as_ref().ok_or_else(no_index)
    }

    pub(crate) fn index_mut(&mut self) -> Result<&mut Catalog> {
        self.catalog.as_mut().ok_or_else(no_index)
    }
}

fn no_index() -> StoreError {
    StoreError::new(Code::Index, "there is no index")
}
