//! Where a handle's index leads: entries that stay where they are once made.

use std::sync::OnceLock;

use foundation_sync::atomic::{AtomicU64, Ordering};

use crate::{
    page_allocator::{PAGE_BYTES, Run, pages_of},
    references::References,
};

/// Entries made at a time.
const SEGMENT_ENTRIES: usize = 256;

/// Which bytes a slab has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    first_page: u32,
    len_bytes: u32,
}

impl Extent {
    /// `len_bytes` bytes at the beginning of `run`. Runs are at most `BLOCK_BYTES_MAX` long.
    pub(crate) fn new(run: Run, len_bytes: usize) -> Self {
        Self { first_page: run.first as u32, len_bytes: len_bytes as u32 }
    }

    pub(crate) fn offset_bytes(self) -> usize {
        self.first_page as usize * PAGE_BYTES
    }

    pub(crate) fn len_bytes(self) -> usize {
        self.len_bytes as usize
    }

    pub(crate) fn run(self) -> Run {
        Run { first: self.first_page as usize, pages: pages_of(self.len_bytes()) }
    }
}

/// One place for a slab.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) references: References,
    /// One word, so that a reader whose handle went stale meanwhile sees one slab or another, no
    /// mixture.
    extent: AtomicU64,
}

impl Entry {
    fn unused() -> Self {
        Self { references: References::unused(), extent: AtomicU64::new(0) }
    }

    pub(crate) fn extent(&self) -> Extent {
        let bits = self.extent.load(Ordering::Relaxed); // ordered by the reference that was taken
        Extent { first_page: (bits >> 32) as u32, len_bytes: bits as u32 }
    }

    pub(crate) fn set_extent(&self, extent: Extent) {
        let bits = u64::from(extent.first_page) << 32 | u64::from(extent.len_bytes);
        self.extent.store(bits, Ordering::Relaxed); // published by `References::begin`
    }
}

/// Entries by index, made as they are needed. Reading takes no lock.
#[derive(Debug)]
pub(crate) struct SlabTable {
    segments: Box<[OnceLock<Box<[Entry]>>]>,
}

impl SlabTable {
    pub(crate) fn new(entries_max: usize) -> Self {
        let segments = entries_max.div_ceil(SEGMENT_ENTRIES);
        Self { segments: (0..segments).map(|_| OnceLock::new()).collect() }
    }

    /// The entry of any index whatever; `None` if it was never made.
    pub(crate) fn get(&self, index: u32) -> Option<&Entry> {
        let segment = self.segments.get(index as usize / SEGMENT_ENTRIES)?.get()?;
        segment.get(index as usize % SEGMENT_ENTRIES)
    }

    /// The entry of an index below `entries_max`, made if need be.
    pub(crate) fn get_or_make(&self, index: u32) -> Option<&Entry> {
        let segment = self.segments.get(index as usize / SEGMENT_ENTRIES)?;
        let make = || (0..SEGMENT_ENTRIES).map(|_| Entry::unused()).collect();
        segment.get_or_init(make).get(index as usize % SEGMENT_ENTRIES)
    }

    /// Every entry made so far, with its index.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let made = self.segments.iter().enumerate();
        made.filter_map(|(number, segment)| Some((number, segment.get()?))).flat_map(
            |(number, segment)| {
                let index = move |place| (number * SEGMENT_ENTRIES + place) as u32;
                segment.iter().enumerate().map(move |(place, entry)| (index(place), entry))
            },
        )
    }
}
