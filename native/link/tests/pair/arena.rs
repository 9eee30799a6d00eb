//! A pool over memory that is the test's own.

use std::ptr::NonNull;

use foundation_buffer::{ArenaMemory, Pool};

/// A pool of about `bytes` bytes; its memory is leaked, since a slab may outlive anything in a
/// test.
pub fn leaked_pool(bytes: usize) -> Pool {
    let arena = Vec::leak(vec![0u8; bytes + 256]);
    let len_bytes = arena.len();
    // SAFETY: the bytes are leaked, initialised, and reached through this pool alone.
    Pool::new(unsafe { ArenaMemory::new(NonNull::from(arena).cast(), len_bytes) })
}
