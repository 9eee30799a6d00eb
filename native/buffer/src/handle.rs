//! Slabs by name, for those who cannot hold a reference.

use core::fmt;
use std::collections::BTreeMap;

use crate::Pool;

/// A slab's place in the pool's table and how often that place was used before.
///
/// As 64 bits it crosses rings and the boundary; whoever has it need not be trusted. 0 is never
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle {
    index: u32,
    generation: u32,
}

impl Handle {
    pub(crate) fn new(index: u32, generation: u32) -> Self {
        Self { index, generation }
    }

    /// Reads what [`Handle::to_bits`] wrote, or anything else: the pool finds out.
    pub fn from_bits(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }

    /// The index in the low, the generation in the high 32 bits.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// Place in the pool's table.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Use of the place; the first is 1.
    pub fn generation(self) -> u32 {
        self.generation
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "slab {}.{}", self.index, self.generation)
    }
}

/// The references that one isolate holds as handles, to be given back when it dies without doing
/// so.
#[derive(Debug, Default)]
pub struct HandleTable {
    references: BTreeMap<Handle, u32>,
}

impl HandleTable {
    /// Notes that the isolate got one reference more. The caller gave it away: `into_handle` or
    /// `retain`.
    pub fn insert(&mut self, handle: Handle) {
        *self.references.entry(handle).or_insert(0) += 1;
    }

    /// Notes that the isolate gave one reference up. `false`: it has none, so it may not release
    /// it.
    #[must_use = "a reference that the isolate does not hold is not its to release"]
    pub fn remove(&mut self, handle: Handle) -> bool {
        let Some(count) = self.references.get_mut(&handle) else { return false };
        *count -= 1;
        if *count == 0 {
            self.references.remove(&handle);
        }
        true
    }

    /// References held, counted each.
    pub fn len(&self) -> usize {
        self.references.values().map(|count| *count as usize).sum()
    }

    /// Whether the isolate holds none.
    pub fn is_empty(&self) -> bool {
        self.references.is_empty()
    }

    /// Releases everything and answers how many references that were. Those that turn out to be
    /// stale are counted by the pool and not here.
    pub fn release_all(&mut self, pool: &Pool) -> usize {
        let references = core::mem::take(&mut self.references);
        let each =
            references.into_iter().flat_map(|(handle, count)| (0..count).map(move |_| handle));
        each.filter(|handle| pool.release(*handle).is_ok()).count()
    }
}
