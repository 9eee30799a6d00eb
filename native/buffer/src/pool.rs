//! The arena's keeper: allocates, counts, and judges handles.

use std::sync::PoisonError;

use foundation_sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    ArenaMemory, Block, BufferError, Handle, OutOfMemory, Slab, SlabMut,
    page_allocator::{PAGE_BYTES, PageAllocator, Run, pages_of},
    references::Remaining,
    residence::{self, GRANULE_BYTES, GRANULE_PAGES, Residence},
    slab_table::{Entry, Extent, SlabTable},
};

/// What one call of [`Pool::give_back_idle`] gives back at most: about 20 µs a step of 256 KiB.
const GIVEN_BACK_BYTES_MAX: usize = 8 << 20;

/// What a pool holds and what went wrong so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Slabs that somebody refers to.
    pub slabs_live: usize,
    /// Lengths of those slabs together.
    pub bytes_live: usize,
    /// Pages taken by slabs and ring blocks, in bytes.
    pub bytes_reserved: usize,
    /// Memory of the system that the arena has at most, in bytes.
    pub bytes_resident: usize,
    /// Ring blocks in use.
    pub blocks_live: usize,
    /// Slabs and blocks ever allocated.
    pub allocated_total: u64,
    /// Releases of handles that had no reference left.
    pub double_releases: u64,
    /// Adoptions and retentions by handles that had no reference left.
    pub stale_uses: u64,
    /// Allocations refused for want of memory, and retentions for want of count.
    pub refused: u64,
}

/// A slab that somebody still refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leak {
    /// Its name.
    pub handle: Handle,
    /// Its length. Unit: bytes.
    pub len: usize,
    /// References of every kind.
    pub references: u32,
}

/// Allocates from one arena for every thread of the process. A clone is the same pool.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    arena: ArenaMemory,
    table: SlabTable,
    state: Mutex<State>,
    double_releases: AtomicU64,
    stale_uses: AtomicU64,
    retentions_refused: AtomicU64,
}

/// What allocation and the last release change; never held while bytes are copied.
#[derive(Debug)]
struct State {
    pages: PageAllocator,
    residence: Residence,
    /// Indices of slabs that are gone; the latest first, while its entry is in the cache.
    free_indices: Vec<u32>,
    indices_used: u32,
    slabs_live: usize,
    bytes_live: usize,
    blocks_live: usize,
    allocated_total: u64,
    refused: u64,
}

impl State {
    fn refuse(&mut self, requested_bytes: usize) -> OutOfMemory {
        self.refused += 1;
        OutOfMemory { requested_bytes, free_bytes: self.pages.free_bytes() }
    }

    fn take_pages(&mut self, len: usize) -> Result<Run, OutOfMemory> {
        let Some(run) = self.pages.take(pages_of(len)) else { return Err(self.refuse(len)) };
        self.residence.note(run);
        Ok(run)
    }

    fn give_pages_back(&mut self, run: Run) {
        self.residence.note(run);
        self.pages.give_back(run);
    }

    /// The first granule from `from` on that nobody has, nor had lately, and that may have pages of
    /// the system.
    fn idle_granule(&self, from: usize) -> Option<usize> {
        let order = GRANULE_PAGES.trailing_zeros() as usize;
        let mut from = from;
        while let Some(granule) = self.residence.idle(from) {
            if self.pages.is_free(granule * GRANULE_PAGES, order) {
                return Some(granule);
            }
            from = granule + 1;
        }
        None
    }

    fn take_index(&mut self) -> u32 {
        self.free_indices.pop().unwrap_or_else(|| {
            self.indices_used += 1;
            self.indices_used - 1
        })
    }
}

impl Pool {
    /// Divides `arena` into pages of 4 KiB. What remains of a last page stays unused.
    pub fn new(arena: ArenaMemory) -> Self {
        let pages = (arena.len_bytes() / PAGE_BYTES).min(u32::MAX as usize);
        let state = State {
            pages: PageAllocator::new(pages),
            residence: Residence::new(pages),
            free_indices: Vec::new(),
            indices_used: 0,
            slabs_live: 0,
            bytes_live: 0,
            blocks_live: 0,
            allocated_total: 0,
            refused: 0,
        };
        Self(Arc::new(Shared {
            arena,
            // Every slab has a page, so live slabs never outnumber the entries.
            table: SlabTable::new(pages),
            state: Mutex::new(state),
            double_releases: AtomicU64::new(0),
            stale_uses: AtomicU64::new(0),
            retentions_refused: AtomicU64::new(0),
        }))
    }

    /// A slab of `len` bytes for one writer. The bytes are those of earlier slabs.
    pub fn allocate(&self, len: usize) -> Result<SlabMut, OutOfMemory> {
        let (index, extent) = self.with_state(|state| {
            let run = state.take_pages(len)?;
            state.slabs_live += 1;
            state.bytes_live += len;
            state.allocated_total += 1;
            Ok((state.take_index(), Extent::new(run, len)))
        })?;
        let Some(entry) = self.0.table.get_or_make(index) else {
            // Only retired indices, 2^32 uses of one place each, can push others beyond the table.
            return Err(self.with_state(|state| {
                state.give_pages_back(extent.run());
                state.slabs_live -= 1;
                state.bytes_live -= len;
                state.allocated_total -= 1;
                state.indices_used -= 1;
                state.refuse(len)
            }));
        };
        self.allow(extent.run());
        entry.set_extent(extent);
        let handle = Handle::new(index, entry.references.begin());
        Ok(SlabMut::new(Slab::from_reference(self.clone(), handle, extent)))
    }

    /// A zeroed, 128-aligned block of `len` bytes for a ring.
    pub fn allocate_block(&self, len: usize) -> Result<Block, OutOfMemory> {
        let run = self.with_state(|state| {
            let run = state.take_pages(len)?;
            state.blocks_live += 1;
            state.allocated_total += 1;
            Ok(run)
        })?;
        self.allow(run);
        // SAFETY: the run lies inside the arena and is this block's alone.
        let base = unsafe { self.0.arena.at(run.offset_bytes()) };
        // SAFETY: as above; `len` is at most the run's length.
        unsafe { base.write_bytes(0, len) };
        Ok(Block::new(self.clone(), run, base, len))
    }

    /// Takes a ring block back. Both sides must have detached: its bytes are used again at once.
    pub fn free_block(&self, block: Block) {
        drop(block);
    }

    /// Takes the reference that a handle carries: the other end of [`Slab::into_handle`].
    ///
    /// A part made by [`Slab::slice`] arrives as the whole slab; its range travels beside the
    /// handle.
    pub fn adopt(&self, handle: Handle) -> Result<Slab, BufferError> {
        self.take(handle).ok_or_else(|| {
            self.0.stale_uses.fetch_add(1, Ordering::Relaxed);
            BufferError::StaleHandle(handle)
        })
    }

    /// One reference more for a handle that carries at least one.
    pub fn retain(&self, handle: Handle) -> Result<(), BufferError> {
        let slab = self.adopt(handle)?;
        let more = slab.try_clone();
        slab.into_handle();
        let Some(more) = more else {
            self.0.retentions_refused.fetch_add(1, Ordering::Relaxed);
            return Err(BufferError::TooManyReferences(handle));
        };
        more.into_handle();
        Ok(())
    }

    /// One reference less for a handle.
    pub fn release(&self, handle: Handle) -> Result<(), BufferError> {
        let slab = self.take(handle).ok_or_else(|| {
            self.0.double_releases.fetch_add(1, Ordering::Relaxed);
            BufferError::DoubleRelease(handle)
        })?;
        drop(slab);
        Ok(())
    }

    /// Gives memory that nobody had since the call before this one back to the system, up to a
    /// limit that keeps the call short. Answers how many bytes.
    pub fn give_back_idle(&self) -> usize {
        let mut given = 0;
        let mut from = 0;
        while given < GIVEN_BACK_BYTES_MAX && self.give_back_granule(&mut from) {
            given += GRANULE_BYTES;
        }
        self.with_state(|state| state.residence.grow_old());
        given
    }

    /// One lock for each granule: others allocate in between.
    fn give_back_granule(&self, from: &mut usize) -> bool {
        self.with_state(|state| {
            let Some(granule) = state.idle_granule(*from) else { return false };
            *from = granule + 1;
            state.residence.forget(granule);
            // SAFETY: a granule that is free lies inside the arena.
            let start = unsafe { self.0.arena.at(granule * GRANULE_BYTES) };
            // SAFETY: nobody has these pages, and nobody can take them while the state is locked.
            unsafe { residence::give_back(start, GRANULE_BYTES) };
            true
        })
    }

    /// Figures of one moment; the counters of misuse may be a little newer than the rest.
    pub fn stats(&self) -> Stats {
        let mut stats = self.with_state(|state| Stats {
            slabs_live: state.slabs_live,
            bytes_live: state.bytes_live,
            bytes_reserved: state.pages.reserved_bytes(),
            bytes_resident: state.residence.bytes_max(),
            blocks_live: state.blocks_live,
            allocated_total: state.allocated_total,
            refused: state.refused,
            ..Stats::default()
        });
        stats.double_releases = self.0.double_releases.load(Ordering::Relaxed);
        stats.stale_uses = self.0.stale_uses.load(Ordering::Relaxed);
        stats.refused += self.0.retentions_refused.load(Ordering::Relaxed);
        stats
    }

    /// Slabs that are live now, by index. When nobody should hold any, each is a leak.
    pub fn leaks(&self) -> Vec<Leak> {
        let live = |(index, entry): (u32, &Entry)| {
            let (generation, references) = entry.references.live()?;
            let handle = Handle::new(index, generation);
            Some(Leak { handle, len: entry.extent().len_bytes(), references })
        };
        self.0.table.entries().filter_map(live).collect()
    }

    /// Where offset 0 lies in the memory lent, for views made from the outside.
    pub fn skipped_bytes(&self) -> usize {
        self.0.arena.skipped_bytes()
    }

    pub(crate) fn arena(&self) -> &ArenaMemory {
        &self.0.arena
    }

    pub(crate) fn entry(&self, handle: Handle) -> Option<&Entry> {
        self.0.table.get(handle.index())
    }

    /// After the last reference: the pages and the index may be used again.
    pub(crate) fn recycle(&self, handle: Handle, extent: Extent, remaining: Remaining) {
        self.forbid(extent.run()); // before somebody else can take them
        self.with_state(|state| {
            state.give_pages_back(extent.run());
            state.slabs_live -= 1;
            state.bytes_live -= extent.len_bytes();
            if remaining == Remaining::None {
                state.free_indices.push(handle.index());
            }
        });
    }

    pub(crate) fn recycle_block(&self, run: Run) {
        self.forbid(run);
        self.with_state(|state| {
            state.give_pages_back(run);
            state.blocks_live -= 1;
        });
    }

    /// Tells the sanitizer that nobody has these pages.
    fn forbid(&self, run: Run) {
        // SAFETY: the run lies inside the arena.
        let start = unsafe { self.0.arena.at(run.offset_bytes()) };
        crate::sanitizer::forbid(start, run.pages * PAGE_BYTES);
    }

    /// Tells the sanitizer that these pages have an owner.
    fn allow(&self, run: Run) {
        // SAFETY: the run lies inside the arena.
        let start = unsafe { self.0.arena.at(run.offset_bytes()) };
        crate::sanitizer::allow(start, run.pages * PAGE_BYTES);
    }

    /// Turns a handle's reference into a slab.
    fn take(&self, handle: Handle) -> Option<Slab> {
        let entry = self.entry(handle)?;
        let took = entry.references.take(handle.generation());
        took.then(|| Slab::from_reference(self.clone(), handle, entry.extent()))
    }

    fn with_state<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        // No change can panic half done, so what a poisoned lock guards is whole.
        change(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
