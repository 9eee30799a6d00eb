//! The memory lent by the root isolate.

use core::ptr::NonNull;

/// Alignment of everything in the arena, and of offsets seen from JavaScript. Unit: bytes.
pub const ARENA_ALIGNMENT: usize = 128;

/// Bytes lent to the core for as long as a pool or anything allocated from it lives.
///
/// Offsets count from the first 128-aligned address, because a SharedArrayBuffer begins only
/// 16-aligned.
#[derive(Debug)]
pub struct ArenaMemory {
    base: NonNull<u8>,
    len_bytes: usize,
    skipped_bytes: usize,
}

// SAFETY: an arena is only an address range; who may touch which part is the pool's matter.
unsafe impl Send for ArenaMemory {}
// SAFETY: as above.
unsafe impl Sync for ArenaMemory {}

impl ArenaMemory {
    /// Takes `len_bytes` bytes at `pointer` on loan.
    ///
    /// # Safety
    /// The bytes are initialised, stay valid as long as the arena's pool or anything allocated from
    /// it lives, and are touched by nobody but through the pool or through views of what it
    /// allocated.
    pub unsafe fn new(pointer: NonNull<u8>, len_bytes: usize) -> Self {
        let skipped_bytes = pointer.addr().get().wrapping_neg() % ARENA_ALIGNMENT;
        let skipped_bytes = skipped_bytes.min(len_bytes);
        // SAFETY: at most one past the end of the bytes lent.
        let base = unsafe { pointer.add(skipped_bytes) };
        Self { base, len_bytes: len_bytes - skipped_bytes, skipped_bytes }
    }

    /// Bytes before the first 128-aligned address: where offset 0 lies in the memory lent.
    pub fn skipped_bytes(&self) -> usize {
        self.skipped_bytes
    }

    /// Bytes from offset 0 to the end.
    pub fn len_bytes(&self) -> usize {
        self.len_bytes
    }

    /// The address of `offset`.
    ///
    /// # Safety
    /// `offset` is at most `len_bytes`.
    pub(crate) unsafe fn at(&self, offset: usize) -> NonNull<u8> {
        debug_assert!(offset <= self.len_bytes);
        // SAFETY: inside the bytes lent by the caller's word.
        unsafe { self.base.add(offset) }
    }
}
