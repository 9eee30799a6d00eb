//! Memory of the core for the C++ shim, which makes SharedArrayBuffers of it; and the way in for
//! the shim's own table.
//!
//! A block is counted: `allocate` and `retain` each take a reference that `release` gives back.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::HashMap;
use std::ffi::c_int;
use std::panic::catch_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::interrupts::{self, InterruptTable};

/// Page size: shared memory is handed out in whole pages.
const ALIGNMENT: usize = 4096;

#[repr(C)]
struct CoreVtable {
    version: u32,
    size: u32,
    allocate: unsafe extern "C" fn(usize, *mut u64) -> *mut u8,
    retain: unsafe extern "C" fn(u64, *mut *mut u8, *mut usize) -> c_int,
    release: unsafe extern "C" fn(u64),
    adopt_interrupts: unsafe extern "C" fn(*const InterruptTable) -> c_int,
}

static TABLE: CoreVtable = CoreVtable {
    version: 1,
    size: size_of::<CoreVtable>() as u32,
    allocate,
    retain,
    release,
    adopt_interrupts: interrupts::adopt,
};

struct SharedBlock {
    address: usize,
    layout: Layout,
    bytes: usize,
    references: u32,
}

#[derive(Default)]
struct Blocks {
    by_id: HashMap<u64, SharedBlock>,
    next: u64,
}

static BLOCKS: Mutex<Option<Blocks>> = Mutex::new(None);

fn blocks() -> MutexGuard<'static, Option<Blocks>> {
    BLOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Address of the table; it never moves.
pub(crate) fn address() -> u64 {
    (&raw const TABLE) as usize as u64
}

/// A zeroed block with one reference; null where there is no memory.
///
/// # Safety
/// `id` is null or the address of a variable of the caller.
unsafe extern "C" fn allocate(bytes: usize, id: *mut u64) -> *mut u8 {
    let allocated = catch_unwind(|| {
        let layout = Layout::from_size_align(bytes.max(1), ALIGNMENT).ok()?;
        // SAFETY: the layout has a size above zero.
        let pointer = unsafe { alloc_zeroed(layout) };
        if pointer.is_null() {
            return None;
        }
        let mut guard = blocks();
        let blocks = guard.get_or_insert_with(Blocks::default);
        blocks.next += 1;
        let block = SharedBlock { address: pointer as usize, layout, bytes, references: 1 };
        blocks.by_id.insert(blocks.next, block);
        Some((pointer, blocks.next))
    });
    match allocated {
        Ok(Some((pointer, number))) if !id.is_null() => {
            // SAFETY: the shim passes the address of a variable of its own.
            unsafe { *id = number };
            pointer
        }
        _ => std::ptr::null_mut(),
    }
}

/// Adds a reference to a block and tells where it is; 0 where it is gone.
///
/// # Safety
/// `pointer` and `bytes` are null or addresses of variables of the caller.
unsafe extern "C" fn retain(id: u64, pointer: *mut *mut u8, bytes: *mut usize) -> c_int {
    let found = catch_unwind(|| {
        let mut guard = blocks();
        let block = guard.as_mut()?.by_id.get_mut(&id)?;
        block.references += 1;
        Some((block.address, block.bytes))
    });
    match found {
        Ok(Some((address, length))) if !pointer.is_null() && !bytes.is_null() => {
            // SAFETY: the shim passes the addresses of variables of its own.
            unsafe {
                *pointer = std::ptr::with_exposed_provenance_mut(address);
                *bytes = length;
            }
            1
        }
        _ => 0,
    }
}

/// Gives a reference back; the last one frees the block.
///
/// # Safety
/// The caller has a reference to give back and does not touch the block through it any more.
unsafe extern "C" fn release(id: u64) {
    let _ = catch_unwind(|| {
        let mut guard = blocks();
        let Some(blocks) = guard.as_mut() else { return };
        let Some(block) = blocks.by_id.get_mut(&id) else { return };
        block.references -= 1;
        if block.references == 0
            && let Some(block) = blocks.by_id.remove(&id)
        {
            let pointer: *mut u8 = std::ptr::with_exposed_provenance_mut(block.address);
            // SAFETY: allocated above with this very layout, and this was the last reference.
            unsafe { dealloc(pointer, block.layout) };
        }
    });
}
