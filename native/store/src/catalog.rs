//! The index of full segments, in redb. It can be made again from the segments: damage to it is an
//! error of the code `Index` and a reason to do so. What the system refuses (a full disk, too many
//! files) is no damage: an error of the code `Failed`, after which the same file is opened again.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition};

use crate::active::{Active, Spans};
use crate::chunks::{Part, ROWS_PER_CHUNK, Row, chunks, index_bytes, opened, pairs, row_at};
use crate::error::{Code, Result, StoreError};
use crate::ordered::{u32_at, u64_at};
use crate::segment::Identity;

type Key = (u64, u8, u64, u32);
const CHUNKS: TableDefinition<Key, &[u8]> = TableDefinition::new("chunks");
const SEGMENTS: TableDefinition<u64, &[u8]> = TableDefinition::new("segments");
const SUMMARY_BYTES: usize = 52;
/// Pages of the index that stay in memory. Unit: bytes.
const CACHE_BYTES: usize = 16 << 20;

/// What is known of a full segment without looking into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) identity: Identity,
    pub(crate) bytes: u64,
    /// Records that its file has.
    pub(crate) written: u32,
    /// Ids that it has.
    pub(crate) rows: u32,
    pub(crate) ids: (u64, u64),
    pub(crate) times: (u64, u64),
}

impl Summary {
    /// Sums up a segment; none where it has no record.
    pub(crate) fn new(identity: Identity, bytes: u64, active: &Active) -> Option<Summary> {
        let Spans { ids, times } = active.spans()?;
        let (written, rows) = (active.written() as u32, active.len() as u32);
        Some(Summary { identity, bytes, written, rows, ids, times })
    }

    /// What it takes in the index, about. Unit: bytes.
    pub(crate) fn index_bytes(&self) -> u64 {
        index_bytes(self.rows as usize)
    }

    fn write(&self) -> [u8; SUMMARY_BYTES] {
        let mut bytes = [0; SUMMARY_BYTES];
        bytes[..4].copy_from_slice(&self.identity.generation.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.written.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.rows.to_le_bytes());
        let numbers = [self.bytes, self.ids.0, self.ids.1, self.times.0, self.times.1];
        for (slot, number) in bytes[12..].chunks_exact_mut(8).zip(numbers) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    fn read(number: u64, bytes: &[u8]) -> Option<Summary> {
        (bytes.len() == SUMMARY_BYTES).then(|| Summary {
            identity: Identity { number, generation: u32_at(bytes, 0) },
            written: u32_at(bytes, 4),
            rows: u32_at(bytes, 8),
            bytes: u64_at(bytes, 12),
            ids: (u64_at(bytes, 20), u64_at(bytes, 28)),
            times: (u64_at(bytes, 36), u64_at(bytes, 44)),
        })
    }
}

/// The index, open.
#[derive(Debug)]
pub(crate) struct Catalog {
    path: PathBuf,
    database: Database,
    /// What is read from, until something is written.
    reader: RefCell<Option<ReadOnlyTable<Key, &'static [u8]>>>,
    /// The system refused something: redb does nothing more until it is opened again.
    is_stuck: Cell<bool>,
}

impl Catalog {
    /// Opens the index, and makes an empty one where there is none.
    pub(crate) fn open(path: &Path) -> Result<Catalog> {
        guarded(|| {
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
            let database = builder.create(path).map_err(failed)?;
            let write = database.begin_write().map_err(failed)?;
            write.open_table(CHUNKS).map_err(failed)?;
            write.open_table(SEGMENTS).map_err(failed)?;
            write.commit().map_err(failed)?;
            let (reader, is_stuck) = (RefCell::new(None), Cell::new(false));
            Ok(Catalog { path: path.to_owned(), database, reader, is_stuck })
        })
    }

    /// What the index takes on disk. Its file grows by doubling: what was never written of it takes
    /// nothing where the system can tell.
    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |metadata| taken(&metadata))
    }

    /// Whether it has to be opened again before it can be used.
    pub(crate) fn is_stuck(&self) -> bool {
        self.is_stuck.get()
    }

    /// Gives back what its file has beyond what is in use.
    pub(crate) fn compact(&mut self) -> Result<()> {
        self.reader.replace(None);
        let compacted = guarded(|| self.database.compact().map_err(failed));
        self.noted(compacted.map(|_| ()))
    }

    /// Every segment of the index, by number.
    pub(crate) fn segments(&self) -> Result<Vec<Summary>> {
        self.noted(guarded(|| {
            let read = self.database.begin_read().map_err(failed)?;
            let table = read.open_table(SEGMENTS).map_err(failed)?;
            let mut summaries = Vec::new();
            for entry in table.iter().map_err(failed)? {
                let (number, bytes) = entry.map_err(failed)?;
                let summary = Summary::read(number.value(), bytes.value());
                summaries.push(summary.ok_or_else(|| damaged("a summary is of another length"))?);
            }
            Ok(summaries)
        }))
    }

    /// Adds a segment, in place of what there is of its number.
    pub(crate) fn put(&mut self, summary: &Summary, active: &Active) -> Result<()> {
        let number = summary.identity.number;
        self.write(&[number], |segments, table| {
            segments.insert(number, &summary.write()[..]).map_err(failed)?;
            for ((part, key, row), chunk) in chunks(active.newest()) {
                table.insert((number, part, key, row), &chunk[..]).map_err(failed)?;
            }
            Ok(())
        })
    }

    /// Forgets segments.
    pub(crate) fn remove(&mut self, numbers: &[u64]) -> Result<()> {
        self.write(numbers, |_, _| Ok(()))
    }

    /// Forgets segments and does some more, as one durable commit.
    fn write(
        &mut self,
        numbers: &[u64],
        work: impl FnOnce(&mut redb::Table<u64, &[u8]>, &mut redb::Table<Key, &[u8]>) -> Result<()>,
    ) -> Result<()> {
        self.reader.replace(None); // what it reads could not be used again
        let written = guarded(|| {
            let write = self.database.begin_write().map_err(failed)?;
            {
                let mut segments = write.open_table(SEGMENTS).map_err(failed)?;
                let mut table = write.open_table(CHUNKS).map_err(failed)?;
                for number in numbers {
                    segments.remove(number).map_err(failed)?;
                    let own = (*number, 0, 0, 0)..(*number + 1, 0, 0, 0);
                    table.retain_in(own, |_, _| false).map_err(failed)?;
                }
                work(&mut segments, &mut table)?;
            }
            write.commit().map_err(failed)
        });
        self.noted(written)
    }

    /// The rows of a segment that lead from a key, of those from `first` to before `end`.
    pub(crate) fn rows_of(
        &self,
        (segment, part, key): (u64, Part, u64),
        (first, end): (u32, u32),
    ) -> Result<Vec<u32>> {
        self.read(|table| {
            let (start, least) = ((segment, part as u8, key, first), (segment, part as u8, 0, 0));
            // The chunk that begins before may go on beyond the start.
            let before = table.range(least..start).map_err(failed)?.next_back();
            let stop = (segment, part as u8, key, end);
            let from = table.range(start..stop).map_err(failed)?;
            let mut rows = Vec::new();
            for entry in before.into_iter().chain(from) {
                let (_, chunk) = entry.map_err(failed)?;
                let own = pairs(whole(chunk.value())?).filter(|pair| pair.0 == key);
                rows.extend(own.map(|pair| pair.1).filter(|row| (first..end).contains(row)));
            }
            Ok(rows)
        })
    }

    /// The row of an id in a segment.
    pub(crate) fn find(&self, segment: u64, id: u64) -> Result<Option<Row>> {
        let found = self.rows_of((segment, Part::Ids, id), (0, u32::MAX))?;
        let rows = self.rows(segment, found.into_iter())?;
        Ok(rows.first().copied())
    }

    /// Rows by their numbers, which ascend or descend.
    pub(crate) fn rows(
        &self,
        segment: u64,
        numbers: impl Iterator<Item = u32>,
    ) -> Result<Vec<Row>> {
        self.read(|table| {
            let mut rows = Vec::new();
            let mut loaded: Option<(u32, Vec<u8>)> = None;
            for number in numbers {
                let first = number - number % ROWS_PER_CHUNK as u32;
                let bytes = match loaded.take().filter(|(start, _)| *start == first) {
                    Some((_, bytes)) => bytes,
                    None => rows_chunk(table, segment, first)?,
                };
                let row = row_at(&bytes, (number - first) as usize);
                rows.push(row.ok_or_else(|| damaged("a row is missing"))?);
                loaded = Some((first, bytes));
            }
            Ok(rows)
        })
    }

    /// How many of the segment's rows come before a time, or with `is_after` not after it.
    pub(crate) fn rows_before(&self, summary: &Summary, time: u64, is_after: bool) -> Result<u32> {
        let segment = summary.identity.number;
        let counts = |row: Row| row.time < time || (is_after && row.time == time);
        self.read(|table| {
            let (mut low, mut high) = (0, summary.rows);
            while low < high {
                let middle = low + (high - low) / 2;
                let first = middle - middle % ROWS_PER_CHUNK as u32;
                let bytes = rows_chunk(table, segment, first)?;
                let row = row_at(&bytes, (middle - first) as usize);
                if counts(row.ok_or_else(|| damaged("a row is missing"))?) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            Ok(low)
        })
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&ReadOnlyTable<Key, &'static [u8]>) -> Result<T>,
    ) -> Result<T> {
        self.noted(guarded(|| {
            let mut reader = self.reader.borrow_mut();
            let table = match reader.take() {
                Some(table) => table,
                None => {
                    let read = self.database.begin_read().map_err(failed)?;
                    read.open_table(CHUNKS).map_err(failed)?
                }
            };
            work(reader.insert(table))
        }))
    }

    fn noted<T>(&self, outcome: Result<T>) -> Result<T> {
        if outcome.as_ref().is_err_and(|error| error.code == Code::Failed) {
            self.is_stuck.set(true);
        }
        outcome
    }
}

#[cfg(test)]
impl Catalog {
    /// Spoils every chunk.
    pub(crate) fn spoil(&mut self) {
        let spoilt = self.write(&[], |_, table| {
            let keys: Vec<Key> = table
                .iter()
                .map_err(failed)?
                .map(|entry| entry.map(|(key, _)| key.value()).map_err(failed))
                .collect::<Result<_>>()?;
            for key in keys {
                table.insert(key, &[1, 2, 3][..]).map_err(failed)?;
            }
            Ok(())
        });
        spoilt.expect("spoilt");
    }
}

fn rows_chunk(
    table: &ReadOnlyTable<Key, &'static [u8]>,
    segment: u64,
    first: u32,
) -> Result<Vec<u8>> {
    let chunk = table.get((segment, Part::Rows as u8, 0, first)).map_err(failed)?;
    let chunk = chunk.ok_or_else(|| damaged("a chunk of rows is missing"))?;
    Ok(whole(chunk.value())?.to_vec())
}

fn whole(chunk: &[u8]) -> Result<&[u8]> {
    opened(chunk).ok_or_else(|| damaged("the check sum of a chunk is wrong"))
}

/// What a file takes on disk.
#[cfg(unix)]
fn taken(metadata: &std::fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.len().min(metadata.blocks() * 512) // st_blocks has this unit on every system
}

#[cfg(not(unix))]
fn taken(metadata: &std::fs::Metadata) -> u64 {
    metadata.len()
}

/// For `map_err`: tells what the system refuses from damage.
fn failed(error: impl Into<redb::Error>) -> StoreError {
    let error = error.into();
    let is_refused = match &error {
        // What redb finds in a file that was damaged, or cut off.
        redb::Error::Io(io) => !matches!(
            io.kind(),
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof
        ),
        redb::Error::PreviousIo | redb::Error::DatabaseAlreadyOpen => true,
        _ => false,
    };
    if is_refused {
        return StoreError::new(Code::Failed, format!("using the index failed: {error}"));
    }
    damaged(error)
}

fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::new(Code::Index, format!("the index cannot be used: {what}"))
}

/// redb may panic over a file that was altered behind its back.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(damaged("reading it panicked")))
}
