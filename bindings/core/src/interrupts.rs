//! What the C++ shim lets the core ask of isolates: their stacks, their memory, their end.

use std::ffi::{c_char, c_int};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The layout of [`InterruptTable`].
const VERSION: u32 = 1;
/// Longest stack that is taken; the outermost frames of a longer one are left out. Unit: bytes.
const STACK_BYTES_MAX: usize = 16 << 10;

/// The shim's table, as `bindings/shim/core_vtable.h` declares it.
#[repr(C)]
pub(crate) struct InterruptTable {
    version: u32,
    size: u32,
    ask_stack: unsafe extern "C" fn(u32) -> u32,
    take_stack: unsafe extern "C" fn(u32, u32, *mut c_char, usize, *mut usize) -> c_int,
    ask_memory: unsafe extern "C" fn(u32) -> u32,
    take_memory: unsafe extern "C" fn(u32, u32, *mut u64) -> c_int,
    terminate: unsafe extern "C" fn(u32) -> c_int,
}

static TABLE: AtomicPtr<InterruptTable> = AtomicPtr::new(ptr::null_mut());

/// Takes the shim's table; 0 where it is of another layout.
///
/// # Safety
/// `table` is null or the address of a table of the shim, which lives as long as the process.
pub(crate) unsafe extern "C" fn adopt(table: *const InterruptTable) -> c_int {
    // SAFETY: promised by the caller.
    let Some(found) = (unsafe { table.as_ref() }) else { return 0 };
    if found.version != VERSION || (found.size as usize) < size_of::<InterruptTable>() {
        return 0;
    }
    // Release: pairs with the acquire of `table`.
    TABLE.store(table.cast_mut(), Ordering::Release);
    1
}

fn table() -> Option<&'static InterruptTable> {
    // SAFETY: what `adopt` stores lives as long as the process, and nobody writes to it.
    unsafe { TABLE.load(Ordering::Acquire).as_ref() }
}

/// An isolate by its number at the shim. Each call returns at once, and is harmless where the
/// isolate is gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interrupts(pub(crate) u32);

// SAFETY, of every call below: the table is the shim's own, its functions may be called from any
// thread, and memory that they write to is this frame's.
impl Interrupts {
    pub(crate) fn ask_stack(self) -> u32 {
        // SAFETY: as above.
        table().map_or(0, |table| unsafe { (table.ask_stack)(self.0) })
    }

    pub(crate) fn take_stack(self, request: u32) -> Option<String> {
        let table = table()?;
        let (mut text, mut length) = (vec![0_u8; STACK_BYTES_MAX], 0);
        let (start, out) = (text.as_mut_ptr().cast(), &raw mut length);
        // SAFETY: as above; the capacity is that of `text`.
        let answer = unsafe { (table.take_stack)(self.0, request, start, STACK_BYTES_MAX, out) };
        if answer != 1 {
            return None;
        }
        text.truncate(length);
        let mut text = String::from_utf8_lossy(&text).into_owned();
        if length == STACK_BYTES_MAX {
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1)); // whole frames
        }
        Some(text)
    }

    pub(crate) fn ask_memory(self) -> u32 {
        // SAFETY: as above.
        table().map_or(0, |table| unsafe { (table.ask_memory)(self.0) })
    }

    pub(crate) fn take_memory(self, request: u32) -> Option<u64> {
        let mut bytes = 0;
        // SAFETY: as above.
        let answer = unsafe { (table()?.take_memory)(self.0, request, &raw mut bytes) };
        (answer == 1).then_some(bytes)
    }

    pub(crate) fn terminate(self) -> bool {
        // SAFETY: as above.
        table().is_some_and(|table| unsafe { (table.terminate)(self.0) } == 1)
    }
}
