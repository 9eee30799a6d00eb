//! Polls a node's connections in an isolate's own event loop (`io: "isolate"`).
//!
//! When the queue of connections is readable, the isolate reads them on its own thread, and then
//! JavaScript reads its rings at once, by the same way that the doorbell takes.

use std::cell::Cell;
use std::ffi::c_int;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use foundation_node::{Kernel, LanePoll};
use napi::sys;

use crate::doorbell::Bell;
use crate::error::{Result, check, coded};
use crate::uv::{Closed, Group, Handle, shared_of, uv};

/// Rounds of reading connections and rings before the loop's other work gets its turn.
const ROUNDS_MAX: usize = 4;

/// Whether connections can be polled by an isolate here.
pub(crate) fn is_available() -> bool {
    uv().is_some() && LanePoll::is_available()
}

/// What a wake-up takes.
struct Polled {
    env: sys::napi_env,
    wake: sys::napi_ref,
    context: sys::napi_async_context,
    bell: Arc<Bell>,
    kernel: Arc<Kernel>,
    node: u32,
    /// Its descriptor is being polled.
    poll: Arc<LanePoll>,
    /// A callback is under way.
    is_running: Cell<bool>,
    /// The isolate has let go of the node, maybe in the callback that is under way.
    is_released: Cell<bool>,
}

/// The connections of one node, polled by the calling environment's loop.
pub(crate) struct LaneWatch(Group<Polled>);

/// Which node, and how to wait for it.
pub(crate) struct LaneWatchOptions {
    pub(crate) kernel: Arc<Kernel>,
    pub(crate) node: u32,
    pub(crate) poll: Arc<LanePoll>,
    pub(crate) is_spinning: bool,
}

impl LaneWatch {
    /// Begins to poll. `wake` is the function that the doorbell calls.
    pub(crate) fn start(
        env: sys::napi_env,
        wake: sys::napi_value,
        bell: Arc<Bell>,
        options: LaneWatchOptions,
    ) -> Result<LaneWatch> {
        let LaneWatchOptions { kernel, node, poll, is_spinning } = options;
        let (mut reference, mut context, mut name) =
            (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let label = b"foundation:lanes";
        // SAFETY: `env` is the calling environment, `wake` a value of it, the others are
        // out-parameters; both are given back by `LaneWatch::close`.
        unsafe {
            let text = label.as_ptr().cast();
            sys::napi_create_string_utf8(env, text, label.len() as isize, &raw mut name);
            let made = sys::napi_async_init(env, ptr::null_mut(), name, &raw mut context);
            check(made, "naming the lanes' callbacks")?;
            check(
                sys::napi_create_reference(env, wake, 1, &raw mut reference),
                "keeping the wake function",
            )?;
        }
        let polled = Polled {
            env,
            wake: reference,
            context,
            bell,
            kernel,
            node,
            poll,
            is_running: Cell::new(false),
            is_released: Cell::new(false),
        };
        let unavailable = || coded("io_unavailable", "this event loop cannot poll the lanes");
        let mut group = Group::new(env, polled).ok_or_else(unavailable)?;
        let descriptor = group.value().poll.as_raw_fd();
        let is_started = group.watch_readable(descriptor, lanes_ready).is_some()
            && (!is_spinning || group.spin().is_some());
        let watch = LaneWatch(group);
        if !is_started {
            watch.close(None);
            return Err(unavailable());
        }
        Ok(watch)
    }

    /// No callback comes any more; the environment is going away and frees the rest itself.
    pub(crate) fn stop(&self) {
        self.0.stop();
    }

    /// Stops, and gives back what the environment keeps.
    pub(crate) fn release(self) {
        self.0.stop();
        let polled = self.0.value();
        polled.is_released.set(true);
        if !polled.is_running.get() {
            // SAFETY: no callback is under way, and none comes any more.
            unsafe { polled.give_back() };
        }
        self.0.close(None); // what they share goes with a later turn of the loop
    }

    /// Closes the handles; `closed` is dropped when that is done.
    pub(crate) fn close(self, closed: Option<Closed>) {
        self.0.close(closed);
    }
}

/// The queue of connections has something.
///
/// # Safety
/// Called by libuv, on the environment's thread, with a live handle of a [`LaneWatch`].
unsafe extern "C" fn lanes_ready(handle: Handle, _status: c_int, _events: c_int) {
    // SAFETY: promised by libuv.
    let Some(polled) = (unsafe { shared_of::<Polled>(handle) }) else { return };
    polled.is_running.set(true);
    // A panic may not cross into libuv. The kernel thread has been rung to see that its state is
    // half changed; it fails its nodes, and every isolate of theirs is told.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..ROUNDS_MAX {
            let has_more = polled.serve();
            // SAFETY: this is the thread of the live environment.
            unsafe { polled.wake() };
            if !has_more || polled.is_released.get() {
                return;
            }
        }
    }));
    polled.is_running.set(false);
    if polled.is_released.get() {
        // SAFETY: the callback that used them is over, and none comes any more.
        unsafe { polled.give_back() };
    }
}

impl Polled {
    /// Reads the connections. Rings of the own bell are saved: the isolate is awake.
    fn serve(&self) -> bool {
        self.bell.hold();
        let served = catch_unwind(AssertUnwindSafe(|| self.kernel.serve_lanes(self.node)));
        self.bell.let_ring();
        served.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Gives back what the environment keeps.
    ///
    /// # Safety
    /// Once, on the thread of the environment, which lives; nothing uses them afterwards.
    unsafe fn give_back(&self) {
        // SAFETY: made by `LaneWatch::start` in this environment; promised by the caller.
        unsafe {
            sys::napi_delete_reference(self.env, self.wake);
            sys::napi_async_destroy(self.env, self.context);
        }
    }

    /// Has JavaScript read its rings.
    ///
    /// # Safety
    /// On the thread of the environment, which lives, outside of any JavaScript.
    unsafe fn wake(&self) {
        let env = self.env;
        // SAFETY: promised by the caller. The scopes are closed in the reverse order; closing the
        // second one runs the microtasks that the wake-up left.
        unsafe {
            let (mut handles, mut callback) = (ptr::null_mut(), ptr::null_mut());
            if sys::napi_open_handle_scope(env, &raw mut handles) != sys::Status::napi_ok {
                return;
            }
            let mut wake = ptr::null_mut();
            sys::napi_get_reference_value(env, self.wake, &raw mut wake);
            let opened = sys::napi_open_callback_scope(
                env,
                ptr::null_mut(),
                self.context,
                &raw mut callback,
            );
            if opened == sys::Status::napi_ok && !wake.is_null() {
                self.bell.wake_isolate(env, wake);
                sys::napi_close_callback_scope(env, callback);
            }
            sys::napi_close_handle_scope(env, handles);
        }
    }
}
