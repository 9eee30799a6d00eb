//! Freed pages of the arena, as AddressSanitizer shall see them. The arena is memory of JavaScript
//! that no allocator knows, so without this a use of freed pages would look like any other.

#[cfg(foundation_asan)]
use core::ffi::c_void;
use core::ptr::NonNull;

#[cfg(foundation_asan)]
// SAFETY: declared as the sanitizer's interface header has them.
unsafe extern "C" {
    fn __asan_poison_memory_region(address: *const c_void, bytes: usize);
    fn __asan_unpoison_memory_region(address: *const c_void, bytes: usize);
}

/// Nobody may touch these bytes any more. Does nothing in ordinary builds.
#[inline]
pub(crate) fn forbid(start: NonNull<u8>, bytes: usize) {
    #[cfg(foundation_asan)]
    // SAFETY: changes what the sanitizer knows of the bytes, never the bytes.
    unsafe {
        __asan_poison_memory_region(start.as_ptr().cast(), bytes);
    }
    let _ = (start, bytes);
}

/// These bytes have an owner again. Does nothing in ordinary builds.
#[inline]
pub(crate) fn allow(start: NonNull<u8>, bytes: usize) {
    #[cfg(foundation_asan)]
    // SAFETY: changes what the sanitizer knows of the bytes, never the bytes.
    unsafe {
        __asan_unpoison_memory_region(start.as_ptr().cast(), bytes);
    }
    let _ = (start, bytes);
}
