//! Handles of libuv on the event loop of an environment.
//!
//! The functions are looked up at run time: their ABI is stable in libuv 1, and a host without them
//! merely loses what stands on them, which `capabilities()` tells.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::{CStr, c_int, c_void};
use std::mem::transmute;
use std::rc::Rc;
use std::sync::OnceLock;

use foundation_node::IdleClock;
use napi::sys;

/// What libuv calls a handle.
pub(crate) type Handle = *mut c_void;
/// A callback without parameters of its own.
pub(crate) type Callback = unsafe extern "C" fn(Handle);
/// The callback of a poll handle: status and events.
pub(crate) type PollCallback = unsafe extern "C" fn(Handle, c_int, c_int);

type Loop = *mut sys::uv_loop_s;
type HandleSize = unsafe extern "C" fn(c_int) -> usize;
type HandleKind = unsafe extern "C" fn(Handle) -> c_int;
type SetData = unsafe extern "C" fn(Handle, *mut c_void);
type GetData = unsafe extern "C" fn(Handle) -> *mut c_void;
type Init = unsafe extern "C" fn(Loop, Handle) -> c_int;
type Start = unsafe extern "C" fn(Handle, Callback) -> c_int;
type PollInit = unsafe extern "C" fn(Loop, Handle, c_int) -> c_int;
type PollStart = unsafe extern "C" fn(Handle, c_int, PollCallback) -> c_int;
type Plain = unsafe extern "C" fn(Handle);
type Stop = unsafe extern "C" fn(Handle) -> c_int;
type Close = unsafe extern "C" fn(Handle, Callback);
type Configure = unsafe extern "C" fn(Loop, c_int, ...) -> c_int;
type IdleTime = unsafe extern "C" fn(Loop) -> u64;

const KIND_CHECK: c_int = 2;
const KIND_IDLE: c_int = 6;
const KIND_POLL: c_int = 8;
const KIND_PREPARE: c_int = 9;
const READABLE: c_int = 1;
/// The option of a loop that has it measure for how long it sleeps.
const METRICS_IDLE_TIME: c_int = 1;

pub(crate) struct Uv {
    handle_size: HandleSize,
    handle_kind: HandleKind,
    set_data: SetData,
    get_data: GetData,
    prepare_init: Init,
    prepare_start: Start,
    check_init: Init,
    check_start: Start,
    idle_init: Init,
    idle_start: Start,
    idle_stop: Stop,
    poll_init: PollInit,
    poll_start: PollStart,
    poll_stop: Stop,
    unref: Plain,
    close: Close,
    configure: Configure,
    idle_time: IdleTime,
}

static UV: OnceLock<Option<Uv>> = OnceLock::new();

/// libuv's functions, where the host has them.
pub(crate) fn uv() -> Option<&'static Uv> {
    UV.get_or_init(find_uv).as_ref()
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
            handle_kind: transmute::<*mut c_void, HandleKind>(symbol(c"uv_handle_get_type")?),
            set_data: transmute::<*mut c_void, SetData>(symbol(c"uv_handle_set_data")?),
            get_data: transmute::<*mut c_void, GetData>(symbol(c"uv_handle_get_data")?),
            prepare_init: transmute::<*mut c_void, Init>(symbol(c"uv_prepare_init")?),
            prepare_start: transmute::<*mut c_void, Start>(symbol(c"uv_prepare_start")?),
            check_init: transmute::<*mut c_void, Init>(symbol(c"uv_check_init")?),
            check_start: transmute::<*mut c_void, Start>(symbol(c"uv_check_start")?),
            idle_init: transmute::<*mut c_void, Init>(symbol(c"uv_idle_init")?),
            idle_start: transmute::<*mut c_void, Start>(symbol(c"uv_idle_start")?),
            idle_stop: transmute::<*mut c_void, Stop>(symbol(c"uv_idle_stop")?),
            poll_init: transmute::<*mut c_void, PollInit>(symbol(c"uv_poll_init")?),
            poll_start: transmute::<*mut c_void, PollStart>(symbol(c"uv_poll_start")?),
            poll_stop: transmute::<*mut c_void, Stop>(symbol(c"uv_poll_stop")?),
            unref: transmute::<*mut c_void, Plain>(symbol(c"uv_unref")?),
            close: transmute::<*mut c_void, Close>(symbol(c"uv_close")?),
            configure: transmute::<*mut c_void, Configure>(symbol(c"uv_loop_configure")?),
            idle_time: transmute::<*mut c_void, IdleTime>(symbol(c"uv_metrics_idle_time")?),
        })
    }
}

#[cfg(not(unix))]
fn find_uv() -> Option<Uv> {
    None
}

/// Told when a group of handles is closed, by being dropped: see [`Group::close`].
pub(crate) type Closed = Rc<dyn std::any::Any>;

/// Handles of one loop that live and close together, and what their callbacks share. None of them
/// keeps the loop alive.
///
/// Belongs to the loop's thread. It has to be closed: dropped open it leaks, for libuv may still
/// use its handles.
pub(crate) struct Group<T> {
    uv: &'static Uv,
    event_loop: Loop,
    handles: Vec<Handle>,
    shared: *mut Shared<T>,
}

/// A loop as other threads may hold it.
struct Clocked(Loop);

impl Clocked {
    fn event_loop(&self) -> Loop {
        self.0
    }
}

// SAFETY: all that is done with it is to ask for its idle time, which libuv lets any thread do.
unsafe impl Send for Clocked {}

struct Shared<T> {
    value: T,
    open: usize,
    closed: Option<Closed>,
}

impl<T: 'static> Group<T> {
    /// A group on the loop of an environment; `None` where the host cannot.
    pub(crate) fn new(env: sys::napi_env, value: T) -> Option<Group<T>> {
        let uv = uv()?;
        let mut event_loop = std::ptr::null_mut();
        // SAFETY: `env` is the calling environment and `event_loop` an out-parameter.
        let status = unsafe { sys::napi_get_uv_event_loop(env, &raw mut event_loop) };
        if status != sys::Status::napi_ok {
            return None;
        }
        let shared = Box::into_raw(Box::new(Shared { value, open: 0, closed: None }));
        Some(Group { uv, event_loop, handles: Vec::new(), shared })
    }

    /// What the callbacks share.
    pub(crate) fn value(&self) -> &T {
        // SAFETY: freed only after `close`, which takes the group.
        unsafe { &(*self.shared).value }
    }

    /// Adds a handle that `init` initialises; false where libuv refuses.
    fn add(&mut self, kind: c_int, init: impl FnOnce(Loop, Handle) -> c_int) -> Option<Handle> {
        // SAFETY: a pure function of libuv.
        let layout = layout_of(unsafe { (self.uv.handle_size)(kind) })?;
        // SAFETY: the layout is not empty.
        let handle = unsafe { alloc_zeroed(layout) }.cast::<c_void>();
        if handle.is_null() {
            return None;
        }
        if init(self.event_loop, handle) != 0 {
            // SAFETY: libuv did not take the handle.
            unsafe { dealloc(handle.cast(), layout) };
            return None;
        }
        // SAFETY: the handle is initialised; `shared` lives until the last handle is closed.
        unsafe {
            (self.uv.set_data)(handle, self.shared.cast());
            (*self.shared).open += 1;
        }
        self.handles.push(handle);
        Some(handle)
    }

    /// Calls back before and after each poll of the loop.
    pub(crate) fn watch_polls(&mut self, before: Callback, after: Callback) -> Option<()> {
        let uv = self.uv;
        // SAFETY: handles of their kinds in memory of their sizes, on the loop's own thread.
        unsafe {
            let prepare = self.add(KIND_PREPARE, |to, handle| (uv.prepare_init)(to, handle))?;
            (uv.prepare_start)(prepare, before);
            (uv.unref)(prepare);
            let check = self.add(KIND_CHECK, |to, handle| (uv.check_init)(to, handle))?;
            (uv.check_start)(check, after);
            (uv.unref)(check);
        }
        Some(())
    }

    /// For how long the loop has slept in its polls; `None` where it will not tell. Whoever gets
    /// the clock gives it up before the loop ends, which is after the group was closed.
    pub(crate) fn idle_clock(&self) -> Option<IdleClock> {
        let idle_time = self.uv.idle_time;
        // SAFETY: on the loop's own thread; the option takes no argument.
        if unsafe { (self.uv.configure)(self.event_loop, METRICS_IDLE_TIME) } != 0 {
            return None;
        }
        let clocked = Clocked(self.event_loop);
        // SAFETY: the loop is there for as long as its clock is; the call locks for itself.
        Some(Box::new(move || unsafe { idle_time(clocked.event_loop()) }))
    }

    /// Calls back whenever a descriptor is readable. It has to stay open until the group is closed.
    pub(crate) fn watch_readable(&mut self, descriptor: c_int, run: PollCallback) -> Option<()> {
        let uv = self.uv;
        // SAFETY: as above.
        unsafe {
            let poll = self.add(KIND_POLL, |to, handle| (uv.poll_init)(to, handle, descriptor))?;
            (uv.poll_start)(poll, READABLE, run);
            (uv.unref)(poll);
        }
        Some(())
    }

    /// Keeps the loop from ever sleeping in its poll while something else keeps it alive.
    pub(crate) fn spin(&mut self) -> Option<()> {
        let uv = self.uv;
        // SAFETY: as above.
        unsafe {
            let idle = self.add(KIND_IDLE, |to, handle| (uv.idle_init)(to, handle))?;
            (uv.idle_start)(idle, give_way);
            (uv.unref)(idle);
        }
        Some(())
    }

    /// Ends the callbacks of descriptors and of spinning at once.
    pub(crate) fn stop(&self) {
        for &handle in &self.handles {
            // SAFETY: the handles are initialised and not closing.
            unsafe {
                match (self.uv.handle_kind)(handle) {
                    KIND_POLL => (self.uv.poll_stop)(handle),
                    KIND_IDLE => (self.uv.idle_stop)(handle),
                    _ => 0,
                };
            }
        }
    }

    /// Closes the handles; `closed` is dropped when libuv has let go of all of them.
    pub(crate) fn close(self, closed: Option<Closed>) {
        // SAFETY: on the loop's thread, with handles that are initialised and not closing; whoever
        // closes last frees `shared`.
        unsafe {
            if self.handles.is_empty() {
                drop(Box::from_raw(self.shared));
                return;
            }
            (*self.shared).closed = closed;
            for &handle in &self.handles {
                (self.uv.close)(handle, handle_closed::<T>);
            }
        }
    }
}

fn layout_of(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.max(1), 16).ok()
}

/// What the callbacks of a handle share.
///
/// # Safety
/// The handle is one of a `Group<T>` of this very type and not closed yet.
pub(crate) unsafe fn shared_of<'a, T>(handle: Handle) -> Option<&'a T> {
    let uv = uv()?;
    // SAFETY: the handle's data is the group's shared part, which lives until all are closed.
    Some(unsafe { &(*(uv.get_data)(handle).cast::<Shared<T>>()).value })
}

/// A loop that spins lets whoever shares its core go first, each time round.
///
/// # Safety
/// Nothing is used.
unsafe extern "C" fn give_way(_handle: Handle) {
    std::thread::yield_now();
}

/// Frees a closed handle, and with the last one of a group what they share.
///
/// # Safety
/// Called once by libuv for each handle of a `Group<T>`, after it let go of it.
unsafe extern "C" fn handle_closed<T>(handle: Handle) {
    let Some(uv) = uv() else { return };
    // SAFETY: the handle is closed, so its memory is ours again; `shared` goes with the last one.
    unsafe {
        let shared = (uv.get_data)(handle).cast::<Shared<T>>();
        if let Some(layout) = layout_of((uv.handle_size)((uv.handle_kind)(handle))) {
            dealloc(handle.cast(), layout);
        }
        (*shared).open -= 1;
        if (*shared).open == 0 {
            let Shared { value, closed, .. } = *Box::from_raw(shared);
            drop(value);
            drop(closed); // last: an environment may wait for it
        }
    }
}
