//! Memory for rings: not counted, because exactly two sides know it and the core knows when both
//! are gone.

use core::ptr::NonNull;

use crate::{Pool, page_allocator::Run};

/// Pages for one ring. Dropped, they are free again, so it outlives both sides of the ring.
#[derive(Debug)]
#[must_use = "a block that is dropped is free again"]
pub struct Block {
    pool: Pool,
    run: Run,
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a block is only an address range; what is done with the pointer is the ring's protocol.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Block {
    pub(crate) fn new(pool: Pool, run: Run, base: NonNull<u8>, len: usize) -> Self {
        Self { pool, run, base, len }
    }

    /// First byte, 128-aligned.
    pub fn as_ptr(&self) -> NonNull<u8> {
        self.base
    }

    /// Where it begins in the arena. Unit: bytes.
    pub fn offset(&self) -> usize {
        self.run.offset_bytes()
    }

    /// What was asked for. Unit: bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.pool.recycle_block(self.run);
    }
}
