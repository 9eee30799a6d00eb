//! Copies between memory of an isolate and the arena. V8 copies into and out of shared memory word
//! by word with relaxed atomics, and byte by byte where the two ends are not aligned alike; plain
//! copies are several times as fast, and safe where a protocol says who may touch the bytes.

use std::ptr;

use napi::{Env, JsValue, Unknown, sys};

use crate::error::{Result, check, coded};
use crate::isolate;
use crate::process::{self, Lent};

/// Where a `Uint8Array` of JavaScript lies while the call that got it lasts.
pub(crate) struct Bytes {
    pub(crate) data: *mut u8,
    pub(crate) length: usize,
}

/// The bytes behind `value`.
pub(crate) fn bytes_of(env: &Env, value: &Unknown) -> Result<Bytes> {
    let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
    // SAFETY: out-parameters of this frame; `value` belongs to the calling environment.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            value.raw(),
            &raw mut kind,
            &raw mut length,
            &raw mut data,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    check(status, "reading an array's address")?;
    if kind != sys::TypedarrayType::uint8_array {
        return Err(coded("internal", "bytes to copy are in a Uint8Array"));
    }
    Ok(Bytes { data: data.cast::<u8>(), length })
}

fn lent() -> Result<Lent> {
    process::lent().ok_or_else(|| coded("no_arena", "no arena was lent to this process"))
}

/// The address of a range of the arena's buffer that lies inside of it.
fn range(lent: Lent, offset: u32, length: usize) -> Result<*mut u8> {
    let end = (offset as usize).checked_add(length);
    if end.is_none_or(|end| end > lent.length) {
        let text = format!("{length} bytes at {offset} are not inside of the arena");
        return Err(coded("internal", text));
    }
    // SAFETY: inside the lent buffer, by the check above.
    Ok(unsafe { lent.start().as_ptr().add(offset as usize) })
}

/// Copies the first `length` bytes of `source` to `offset` of the arena's buffer.
pub(crate) fn copy_in(env: &Env, source: &Unknown, length: u32, offset: u32) -> Result<()> {
    let source = bytes_of(env, source)?;
    let length = length as usize;
    if length > source.length {
        let text = format!("{length} bytes are more than the {} of the source", source.length);
        return Err(coded("internal", text));
    }
    let target = range(lent()?, offset, length)?;
    // SAFETY: both ranges were checked; they may overlap, as a user may send a view on the arena.
    // Nobody else touches the target: its writer claimed it and has not published it.
    unsafe { ptr::copy(source.data, target, length) };
    Ok(())
}

/// Fills `target` with the bytes at `offset` of the arena's buffer.
pub(crate) fn copy_out(env: &Env, target: &Unknown, offset: u32) -> Result<()> {
    let target = bytes_of(env, target)?;
    let source = range(lent()?, offset, target.length)?;
    // SAFETY: both ranges were checked. Nobody writes to the source: it was published to this
    // isolate, which has not given it back.
    unsafe { ptr::copy(source, target.data, target.length) };
    Ok(())
}

/// Takes a slab, fills it with `source` and answers through `place`: index, generation, offset.
pub(crate) fn fill_slab(env: &Env, isolate: u32, source: &Unknown, place: &Unknown) -> Result<()> {
    let source = bytes_of(env, source)?;
    let place = bytes_of(env, place)?;
    if place.length < SLAB_PLACE_BYTES {
        return Err(coded("internal", "a slab's place takes twelve bytes"));
    }
    let slab = isolate::fill_slab(isolate, source.length, |target| {
        // SAFETY: the slab is as long as the source and nobody else knows of it yet.
        unsafe { ptr::copy(source.data, target, source.length) };
    })?;
    for (index, word) in slab.into_iter().enumerate() {
        let word = word.to_le_bytes();
        // SAFETY: the array has room for three words, by the check above.
        unsafe { ptr::copy_nonoverlapping(word.as_ptr(), place.data.add(4 * index), 4) };
    }
    Ok(())
}

/// Index, generation and offset of a slab.
const SLAB_PLACE_BYTES: usize = 12;
