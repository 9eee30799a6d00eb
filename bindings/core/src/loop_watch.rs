//! Marks an event loop's poll phase, so that the kernel thread tells an idle isolate from a stalled
//! one.
//!
//! libuv calls prepare handles right before it polls and check handles right after. Both are
//! unreferenced. The functions are looked up at run time: their ABI is stable in libuv 1, and a
//! host without them merely loses the `busy` state, which `capabilities()` tells.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::{CStr, c_int, c_void};
use std::mem::transmute;
use std::sync::Arc;
use std::sync::OnceLock;

use foundation_node::LoopMark;
use napi::sys;

const UV_CHECK: c_int = 2;
const UV_PREPARE: c_int = 9;

type Handle = *mut c_void;
type Callback = unsafe extern "C" fn(Handle);

type HandleSize = unsafe extern "C" fn(c_int) -> usize;
type SetData = unsafe extern "C" fn(Handle, *mut c_void);
type GetData = unsafe extern "C" fn(Handle) -> *mut c_void;
type Init = unsafe extern "C" fn(*mut sys::uv_loop_s, Handle) -> c_int;
type Start = unsafe extern "C" fn(Handle, Callback) -> c_int;
type Unref = unsafe extern "C" fn(Handle);
type Close = unsafe extern "C" fn(Handle, Callback);

struct Uv {
    handle_size: HandleSize,
    set_data: SetData,
    get_data: GetData,
    prepare_init: Init,
    prepare_start: Start,
    check_init: Init,
    check_start: Start,
    unref: Unref,
    close: Close,
}

static UV: OnceLock<Option<Uv>> = OnceLock::new();

fn uv() -> Option<&'static Uv> {
    UV.get_or_init(find_uv).as_ref()
}

/// Whether the host has what watching a loop takes.
pub(crate) fn is_available() -> bool {
    uv().is_some()
}

#[cfg(unix)]
fn find_uv() -> Option<Uv> {
    fn symbol(name: &CStr) -> Option<*mut c_void> {
        // SAFETY: looks up a symbol of the running program; the name is a C string.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    }
    // SAFETY: each symbol has the type that libuv 1 documents for its name.
    unsafe {
        Some(Uv {
            handle_size: transmute::<*mut c_void, HandleSize>(symbol(c"uv_handle_size")?),
            set_data: transmute::<*mut c_void, SetData>(symbol(c"uv_handle_set_data")?),
            get_data: transmute::<*mut c_void, GetData>(symbol(c"uv_handle_get_data")?),
            prepare_init: transmute::<*mut c_void, Init>(symbol(c"uv_prepare_init")?),
            prepare_start: transmute::<*mut c_void, Start>(symbol(c"uv_prepare_start")?),
            check_init: transmute::<*mut c_void, Init>(symbol(c"uv_check_init")?),
            check_start: transmute::<*mut c_void, Start>(symbol(c"uv_check_start")?),
            unref: transmute::<*mut c_void, Unref>(symbol(c"uv_unref")?),
            close: transmute::<*mut c_void, Close>(symbol(c"uv_close")?),
        })
    }
}

#[cfg(not(unix))]
fn find_uv() -> Option<Uv> {
    None
}

/// The two handles of one loop, in memory that libuv knows the size of.
pub(crate) struct LoopWatch {
    prepare: Handle,
    check: Handle,
}

/// What both handles carry: the mark, and whom to tell once both are closed.
struct Carried {
    mark: Arc<LoopMark>,
    closed: u8,
    hook: sys::napi_async_cleanup_hook_handle,
}

fn layout_of(uv: &Uv, kind: c_int) -> Option<Layout> {
    // SAFETY: a pure function of libuv.
    let size = unsafe { (uv.handle_size)(kind) };
    Layout::from_size_align(size.max(1), 16).ok()
}

impl LoopWatch {
    /// Watches the loop of an environment; `None` where the host cannot.
    pub(crate) fn start(env: sys::napi_env, mark: Arc<LoopMark>) -> Option<LoopWatch> {
        let uv = uv()?;
        let mut event_loop = std::ptr::null_mut();
        // SAFETY: `env` is the calling environment and `event_loop` an out-parameter.
        let status = unsafe { sys::napi_get_uv_event_loop(env, &raw mut event_loop) };
        if status != sys::Status::napi_ok {
            return None;
        }
        mark.running();
        let carried =
            Box::into_raw(Box::new(Carried { mark, closed: 0, hook: std::ptr::null_mut() }));
        // SAFETY: both handles get zeroed memory of the size libuv asks for, are initialised before
        // use, and stay until their close callbacks; `carried` lives as long as they do.
        unsafe {
            let prepare = alloc_zeroed(layout_of(uv, UV_PREPARE)?).cast::<c_void>();
            let check = alloc_zeroed(layout_of(uv, UV_CHECK)?).cast::<c_void>();
            (uv.prepare_init)(event_loop, prepare);
            (uv.check_init)(event_loop, check);
            (uv.set_data)(prepare, carried.cast());
            (uv.set_data)(check, carried.cast());
            (uv.prepare_start)(prepare, before_poll);
            (uv.check_start)(check, after_poll);
            (uv.unref)(prepare);
            (uv.unref)(check);
            Some(LoopWatch { prepare, check })
        }
    }

    /// Closes both handles; the environment's teardown waits on `hook` for them.
    pub(crate) fn close(self, hook: sys::napi_async_cleanup_hook_handle) {
        let Some(uv) = uv() else { return };
        // SAFETY: runs once, on the loop's thread, with handles that are initialised and not
        // closing.
        unsafe {
            let carried = (uv.get_data)(self.prepare).cast::<Carried>();
            (*carried).hook = hook;
            (uv.close)(self.prepare, prepare_closed);
            (uv.close)(self.check, check_closed);
        }
    }
}

/// The mark that a handle carries.
///
/// # Safety
/// The handle is one of a [`LoopWatch`] and not closed yet.
unsafe fn mark_of<'a>(handle: Handle) -> Option<&'a LoopMark> {
    let uv = uv()?;
    // SAFETY: the handle's data is the `Carried` that lives until both handles are closed.
    Some(unsafe { &(*(uv.get_data)(handle).cast::<Carried>()).mark })
}

/// The loop is about to poll.
///
/// # Safety
/// Called by libuv with a live handle of a [`LoopWatch`].
unsafe extern "C" fn before_poll(handle: Handle) {
    // SAFETY: called by libuv with a live handle of ours.
    if let Some(mark) = unsafe { mark_of(handle) } {
        mark.polling();
    }
}

/// The loop returned from polling.
///
/// # Safety
/// Called by libuv with a live handle of a [`LoopWatch`].
unsafe extern "C" fn after_poll(handle: Handle) {
    // SAFETY: called by libuv with a live handle of ours.
    if let Some(mark) = unsafe { mark_of(handle) } {
        mark.running();
    }
}

/// The prepare handle is closed.
///
/// # Safety
/// Called once by libuv, after [`LoopWatch::close`], with the prepare handle.
unsafe extern "C" fn prepare_closed(handle: Handle) {
    // SAFETY: libuv's last word on this handle.
    unsafe { closed(handle, UV_PREPARE) }
}

/// The check handle is closed.
///
/// # Safety
/// Called once by libuv, after [`LoopWatch::close`], with the check handle.
unsafe extern "C" fn check_closed(handle: Handle) {
    // SAFETY: libuv's last word on this handle.
    unsafe { closed(handle, UV_CHECK) }
}

/// Frees a closed handle, and with the second one what both carry.
///
/// # Safety
/// Called once for each handle of a [`LoopWatch`], with its kind, after libuv let go of it.
unsafe fn closed(handle: Handle, kind: c_int) {
    let Some(uv) = uv() else { return };
    // SAFETY: the handle is closed, so its memory is ours again; `carried` is freed with the second
    // one.
    unsafe {
        let carried = (uv.get_data)(handle).cast::<Carried>();
        if let Some(layout) = layout_of(uv, kind) {
            dealloc(handle.cast(), layout);
        }
        (*carried).closed += 1;
        if (*carried).closed == 2 {
            let carried = Box::from_raw(carried);
            if !carried.hook.is_null() {
                sys::napi_remove_async_cleanup_hook(carried.hook);
            }
        }
    }
}
