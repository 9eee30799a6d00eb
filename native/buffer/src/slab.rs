//! Counted bytes: written by one, then read by all.

use core::{mem, ops::Range, slice};

use crate::{
    Handle, OutOfBounds, Pool,
    references::{References, Remaining},
    slab_table::Extent,
};

/// Immutable bytes in the arena, kept as long as anybody refers to them. A clone is a reference
/// more.
#[derive(Debug)]
pub struct Slab {
    pool: Pool,
    handle: Handle,
    /// The whole slab, of which this reference may show a part.
    extent: Extent,
    start: usize,
    len: usize,
}

impl Slab {
    /// Wraps a reference that is already counted.
    pub(crate) fn from_reference(pool: Pool, handle: Handle, extent: Extent) -> Self {
        Self { pool, handle, extent, start: 0, len: extent.len_bytes() }
    }

    /// The bytes, in the arena itself.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the range lies inside the slab's pages, which stay allocated while this reference
        // is counted, and nobody writes a slab after `freeze`.
        unsafe { slice::from_raw_parts(self.pool.arena().at(self.offset()).as_ptr(), self.len) }
    }

    /// A part of these bytes that keeps the whole slab. `None` if the range is not inside.
    pub fn slice(&self, range: Range<usize>) -> Option<Slab> {
        if range.start > range.end || range.end > self.len {
            return None;
        }
        let mut part = self.clone();
        part.start += range.start;
        part.len = range.end - range.start;
        Some(part)
    }

    /// Where these bytes begin in the arena. Unit: bytes.
    pub fn offset(&self) -> usize {
        self.extent.offset_bytes() + self.start
    }

    /// Unit: bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes; the slab exists all the same.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slab's name. It is worth nothing to [`Pool::adopt`] unless a reference is given away
    /// with it.
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// Gives this reference away as a handle, which someone must adopt or release.
    pub fn into_handle(self) -> Handle {
        self.references().give();
        let handle = self.handle;
        // The reference lives on in the handle, so it is not dropped; the pool's share is.
        let slab = mem::ManuallyDrop::new(self);
        // SAFETY: `slab` is never used nor dropped after this, so the pool is dropped once.
        drop(unsafe { core::ptr::read(&slab.pool) });
        handle
    }

    /// A reference more, unless the count is at its end.
    pub(crate) fn try_clone(&self) -> Option<Slab> {
        self.references().add().then(|| Self { pool: self.pool.clone(), ..*self })
    }

    fn references(&self) -> &References {
        let entry = self.pool.entry(self.handle);
        &entry.expect("the entry of a slab exists as long as its pool").references
    }
}

impl Clone for Slab {
    /// # Panics
    /// At 2^32 - 1 references, which only a leak in a loop can reach.
    fn clone(&self) -> Self {
        self.try_clone().expect("a slab has fewer than 2^32 references")
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        match self.references().remove() {
            Remaining::Some => {}
            remaining => self.pool.recycle(self.handle, self.extent, remaining),
        }
    }
}

impl AsRef<[u8]> for Slab {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

/// A slab that its one holder still writes. Dropped, it is released.
#[derive(Debug)]
pub struct SlabMut(Slab);

impl SlabMut {
    /// Wraps the first reference of a new slab.
    pub(crate) fn new(slab: Slab) -> Self {
        Self(slab)
    }

    /// All bytes, for writing in place.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        let base = self.0.pool.arena();
        // SAFETY: the slab's pages are allocated, and its only reference is borrowed by this call.
        unsafe { slice::from_raw_parts_mut(base.at(self.0.offset()).as_ptr(), self.0.len) }
    }

    /// Copies `bytes` to `offset`, whole or not at all.
    pub fn write_at(&mut self, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let slab_bytes = self.0.len;
        let room = offset.checked_add(bytes.len());
        let place = room.and_then(|end| self.as_mut_slice().get_mut(offset..end));
        let refused = OutOfBounds { offset, write_bytes: bytes.len(), slab_bytes };
        place.ok_or(refused)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Ends writing; from here on the bytes may be shared.
    pub fn freeze(self) -> Slab {
        self.0
    }

    /// Unit: bytes.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there are no bytes to write.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name it will have as a slab.
    pub fn handle(&self) -> Handle {
        self.0.handle
    }
}
