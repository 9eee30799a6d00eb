//! What belongs to one environment (isolate) of the process, and how it is taken down.
//!
//! Order at teardown: the cleanup hook below was added after every doorbell of the environment, so
//! it runs before Node frees them. It silences the bells, then waits until the kernel thread has
//! let go of the isolate's rings. Only then may memory go.

use std::cell::RefCell;
use std::ffi::c_void;
use std::rc::Rc;
use std::sync::Arc;

use foundation_node::LoopMark;
use napi::sys;

use crate::capture;
use crate::error::{Result, check};
use crate::event_log::EventLogs;
use crate::isolate::Attachment;
use crate::lane_watch::LaneWatch;
use crate::loop_watch::LoopWatch;
use crate::simulation::Simulations;
use crate::uv::Closed;
use crate::watchdog::Opened;

/// Everything an environment holds.
#[derive(Default)]
pub(crate) struct Environment {
    pub(crate) attachments: Vec<Option<Attachment>>,
    /// The watchdogs of nodes that it opened.
    pub(crate) watchdogs: Vec<Opened>,
    /// The event logs that it opened.
    pub(crate) event_logs: EventLogs,
    /// The runs of the simulator that it started.
    pub(crate) simulations: Simulations,
    /// The capture rings of nodes that it opened.
    pub(crate) captures: Vec<Option<capture::Opened>>,
    mark: Option<Arc<LoopMark>>,
    watch: Option<LoopWatch>,
    /// Stopped at the teardown, still to be closed.
    stopped: Vec<LaneWatch>,
    /// This environment lent the arena: with it go the kernel threads.
    pub(crate) is_root: bool,
    has_hooks: bool,
}

thread_local! {
    // One environment a thread: Node runs each isolate on a thread of its own.
    static ENVIRONMENT: RefCell<Environment> = RefCell::new(Environment::default());
}

/// Works with the calling thread's environment.
pub(crate) fn with<T>(work: impl FnOnce(&mut Environment) -> T) -> T {
    ENVIRONMENT.with_borrow_mut(work)
}

impl Environment {
    /// The loop mark of this environment, made on first use.
    pub(crate) fn mark(&mut self, env: sys::napi_env) -> Arc<LoopMark> {
        if let Some(mark) = &self.mark {
            return Arc::clone(mark);
        }
        let mark = Arc::new(LoopMark::default());
        self.watch = LoopWatch::start(env, Arc::clone(&mark));
        self.mark = Some(Arc::clone(&mark));
        mark
    }

    /// Adds the teardown of this environment. Called after each doorbell is made: the newest hook
    /// runs first, so the one there is moves to the front. A hook for every attachment would stay
    /// with Node until the environment ends.
    pub(crate) fn add_hooks(&mut self, env: sys::napi_env) -> Result<()> {
        let none = std::ptr::null_mut();
        // SAFETY: the hook is a plain function without an argument that lives in this library,
        // which is never unloaded. Removing one that was not added does nothing.
        let status = unsafe {
            sys::napi_remove_env_cleanup_hook(env, Some(tear_down), none);
            sys::napi_add_env_cleanup_hook(env, Some(tear_down), none)
        };
        check(status, "adding a cleanup hook")?;
        if !self.has_hooks {
            // SAFETY: as above.
            let status = unsafe {
                sys::napi_add_async_cleanup_hook(
                    env,
                    Some(close_watch),
                    std::ptr::null_mut(),
                    std::ptr::null_mut(),
                )
            };
            check(status, "adding an asynchronous cleanup hook")?;
            self.has_hooks = true;
        }
        Ok(())
    }
}

/// Silences the bells and gives up every attachment of the calling thread's environment.
///
/// # Safety
/// Called by Node on the thread of an environment that is being torn down; the argument is not
/// read.
unsafe extern "C" fn tear_down(_argument: *mut c_void) {
    // A panic may not cross into Node; what is torn down half stays for the process's end.
    let _ = std::panic::catch_unwind(|| {
        // First: its thread interrupts isolates and rings this one.
        for opened in with(|environment| std::mem::take(&mut environment.watchdogs)) {
            opened.tear_down();
        }
        with(|environment| std::mem::take(&mut environment.event_logs)).tear_down();
        with(|environment| std::mem::take(&mut environment.simulations)).tear_down();
        for opened in with(|environment| std::mem::take(&mut environment.captures)) {
            opened.inspect(capture::Opened::tear_down);
        }
        let (attachments, is_root) =
            with(|environment| (std::mem::take(&mut environment.attachments), environment.is_root));
        for attachment in attachments.into_iter().flatten() {
            if let Some(watch) = attachment.tear_down() {
                with(|environment| environment.stopped.push(watch));
            }
        }
        if is_root {
            crate::process::shut_down();
        }
    });
}

/// The hook that an environment's end waits for, until the last reference to this is dropped.
struct Hook(sys::napi_async_cleanup_hook_handle);

impl Drop for Hook {
    fn drop(&mut self) {
        // SAFETY: the hook is the one Node called, and it is removed once, on its thread.
        unsafe { sys::napi_remove_async_cleanup_hook(self.0) };
    }
}

/// Closes every handle; the environment's end waits until they are closed.
///
/// # Safety
/// Called once by Node, on the environment's thread, with the hook that it waits on.
unsafe extern "C" fn close_watch(
    hook: sys::napi_async_cleanup_hook_handle,
    _argument: *mut c_void,
) {
    let closed: Closed = Rc::new(Hook(hook));
    let (watch, stopped) = with(|environment| {
        environment.mark = None;
        environment.has_hooks = false;
        (environment.watch.take(), std::mem::take(&mut environment.stopped))
    });
    for watch in stopped {
        watch.close(Some(Rc::clone(&closed)));
    }
    if let Some(watch) = watch {
        watch.close(closed);
    }
}
