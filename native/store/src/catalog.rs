//! The index of full segments, in redb. It can be made again from the segments: whatever goes wrong
//! with it, damage included, is an error of the code `Index` and a reason to do so.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition};

use crate::active::{Active, Spans};
use crate::chunks::{Part, ROWS_PER_CHUNK, Row, chunks, opened, pairs, row_at};
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
}

impl Catalog {
    /// Opens the index, and makes an empty one where there is none.
    pub(crate) fn open(path: &Path) -> Result<Catalog> {
        guarded(|| {
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
            let database = builder.create(path).map_err(damaged)?;
            let write = database.begin_write().map_err(damaged)?;
            write.open_table(CHUNKS).map_err(damaged)?;
            write.open_table(SEGMENTS).map_err(damaged)?;
            write.commit().map_err(damaged)?;
            Ok(Catalog { path: path.to_owned(), database, reader: RefCell::new(None) })
        })
    }

    /// What the index takes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Every segment of the index, by number.
    pub(crate) fn segments(&self) -> Result<Vec<Summary>> {
        guarded(|| {
            let read = self.database.begin_read().map_err(damaged)?;
            let table = read.open_table(SEGMENTS).map_err(damaged)?;
            let mut summaries = Vec::new();
            for entry in table.iter().map_err(damaged)? {
                let (number, bytes) = entry.map_err(damaged)?;
                let summary = Summary::read(number.value(), bytes.value());
                summaries.push(summary.ok_or_else(|| damaged("a summary is of another length"))?);
            }
            Ok(summaries)
        })
    }

    /// Adds a segment, in place of what there is of its number.
    pub(crate) fn put(&mut self, summary: &Summary, active: &Active) -> Result<()> {
        let number = summary.identity.number;
        self.write(&[number], |segments, table| {
            segments.insert(number, &summary.write()[..]).map_err(damaged)?;
            for ((part, key, row), chunk) in chunks(active.newest()) {
                table.insert((number, part, key, row), &chunk[..]).map_err(damaged)?;
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
        guarded(|| {
            let write = self.database.begin_write().map_err(damaged)?;
            {
                let mut segments = write.open_table(SEGMENTS).map_err(damaged)?;
                let mut table = write.open_table(CHUNKS).map_err(damaged)?;
                for number in numbers {
                    segments.remove(number).map_err(damaged)?;
                    let own = (*number, 0, 0, 0)..(*number + 1, 0, 0, 0);
                    table.retain_in(own, |_, _| false).map_err(damaged)?;
                }
                work(&mut segments, &mut table)?;
            }
            write.commit().map_err(damaged)
        })
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
            let before = table.range(least..start).map_err(damaged)?.next_back();
            let stop = (segment, part as u8, key, end);
            let from = table.range(start..stop).map_err(damaged)?;
            let mut rows = Vec::new();
            for entry in before.into_iter().chain(from) {
                let (_, chunk) = entry.map_err(damaged)?;
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
        guarded(|| {
            let mut reader = self.reader.borrow_mut();
            let table = match reader.take() {
                Some(table) => table,
                None => {
                    let read = self.database.begin_read().map_err(damaged)?;
                    read.open_table(CHUNKS).map_err(damaged)?
                }
            };
            work(reader.insert(table))
        })
    }
}

fn rows_chunk(
    table: &ReadOnlyTable<Key, &'static [u8]>,
    segment: u64,
    first: u32,
) -> Result<Vec<u8>> {
    let chunk = table.get((segment, Part::Rows as u8, 0, first)).map_err(damaged)?;
    let chunk = chunk.ok_or_else(|| damaged("a chunk of rows is missing"))?;
    Ok(whole(chunk.value())?.to_vec())
}

fn whole(chunk: &[u8]) -> Result<&[u8]> {
    opened(chunk).ok_or_else(|| damaged("the check sum of a chunk is wrong"))
}

fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::new(Code::Index, format!("the index cannot be used: {what}"))
}

/// redb may panic over a file that was altered behind its back.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(damaged("reading it panicked")))
}
