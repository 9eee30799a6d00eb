//! Pools over memory that is the test's own.

use std::ptr::NonNull;

use foundation_buffer::{ArenaMemory, Pool};

/// A pool whose aligned arena has exactly `bytes` bytes, a multiple of 16.
///
/// Its base is 16-aligned only, as a SharedArrayBuffer's may be. It is leaked: a slab may outlive
/// anything in a test.
pub(crate) fn pool_of(bytes: usize) -> Pool {
    let arena = Vec::leak(vec![0u128; bytes / 16 + 16]);
    let base: NonNull<u8> = NonNull::from(arena).cast();
    let skipped_bytes = (128 + 16 - base.addr().get() % 128) % 128;
    // SAFETY: below 128 of the 256 bytes more than `bytes` that the arena has.
    let base = unsafe { base.add(skipped_bytes) };
    // SAFETY: leaked, initialised and used by nobody else; at most 127 + 112 bytes are added.
    Pool::new(unsafe { ArenaMemory::new(base, bytes + 112) })
}
