//! Mistakes that the sanitizer has to find, in its own build alone: a lane that finds none of them
//! proves nothing.

use crate::process;

/// Reads a byte after its memory was given back.
pub(crate) fn use_after_free(is_arena: bool) -> u32 {
    if is_arena {
        let Some(pool) = process::pool() else { return 0 };
        let Ok(slab) = pool.allocate(4096) else { return 0 };
        let slab = slab.freeze();
        let address = slab.as_slice().as_ptr();
        drop(slab);
        // SAFETY: none: this is the mistake.
        return u32::from(unsafe { address.read_volatile() });
    }
    let bytes = vec![1_u8; 4096];
    let address = bytes.as_ptr();
    drop(bytes);
    // SAFETY: none: this is the mistake.
    u32::from(unsafe { address.read_volatile() })
}
