//! Bytes that isolates and the kernel thread share: slabs and ring blocks in one lent arena.
//!
//! The root isolate lends an [`ArenaMemory`]; a [`Pool`] divides it. A [`Slab`] is immutable and
//! counted; a [`Handle`] is its name as 64 bits, which can cross a ring or the boundary to
//! JavaScript and come back as a reference. Handles are not trusted: each slab counts the
//! references that were given away as handles apart from its own, so that no sequence of handles,
//! however wrong, frees bytes that a [`Slab`] still shows. Misuse is an error with a counter in
//! [`Stats`].
//!
//! ```
//! use core::ptr::NonNull;
//! use foundation_buffer::{ArenaMemory, Pool};
//!
//! let arena = Vec::leak(vec![0u8; 1 << 20]);
//! // SAFETY: the bytes are never freed, and nobody else uses them.
//! let pool = Pool::new(unsafe { ArenaMemory::new(NonNull::from(&mut *arena).cast(), 1 << 20) });
//!
//! let mut writer = pool.allocate(5)?;
//! writer.as_mut_slice().copy_from_slice(b"hello");
//! let slab = writer.freeze();
//! let handle = slab.clone().into_handle(); // a reference in transit
//! drop(slab);
//! let arrived = pool.adopt(handle)?;
//! assert_eq!(arrived.as_slice(), b"hello");
//! drop(arrived);
//! assert!(pool.release(handle).is_err(), "the slab is gone, and its name with it");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod arena;
mod block;
mod error;
mod free_set;
mod handle;
mod page_allocator;
mod pool;
mod references;
mod residence;
mod sanitizer;
mod slab;
mod slab_table;

pub use arena::{ARENA_ALIGNMENT, ArenaMemory};
pub use block::Block;
pub use error::{BufferError, OutOfBounds, OutOfMemory};
pub use handle::{Handle, HandleTable};
pub use page_allocator::{BLOCK_BYTES_MAX, PAGE_BYTES};
pub use pool::{Leak, Pool, Stats};
pub use slab::{Slab, SlabMut};
