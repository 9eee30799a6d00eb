//! Marks an event loop's poll phase, so that the kernel thread tells an idle isolate from a stalled
//! one.
//!
//! libuv calls prepare handles right before it polls and check handles right after. Callbacks of
//! sockets and files run in between: there its idle time tells whether it sleeps.

use std::sync::Arc;

use foundation_node::LoopMark;
use napi::sys;

use crate::uv::{Closed, Group, Handle, shared_of, uv};

/// Whether the host has what watching a loop takes.
pub(crate) fn is_available() -> bool {
    uv().is_some()
}

/// Watches one loop.
pub(crate) struct LoopWatch(Group<Arc<LoopMark>>);

impl LoopWatch {
    /// Watches the loop of an environment; `None` where the host cannot.
    pub(crate) fn start(env: sys::napi_env, mark: Arc<LoopMark>) -> Option<LoopWatch> {
        mark.running();
        let mut group = Group::new(env, mark)?;
        if group.watch_polls(before_poll, after_poll).is_none() {
            group.close(None);
            return None;
        }
        group.value().set_idle_clock(group.idle_clock());
        Some(LoopWatch(group))
    }

    /// Stops watching; `closed` is dropped when that is done.
    pub(crate) fn close(self, closed: Closed) {
        // The loop goes away behind this, and other threads look at its clock.
        self.0.value().set_idle_clock(None);
        self.0.close(Some(closed));
    }
}

/// The loop is about to poll.
///
/// # Safety
/// Called by libuv with a live handle of a [`LoopWatch`].
unsafe extern "C" fn before_poll(handle: Handle) {
    // SAFETY: called by libuv with a live handle of ours.
    if let Some(mark) = unsafe { shared_of::<Arc<LoopMark>>(handle) } {
        mark.polling();
    }
}

/// The loop returned from polling.
///
/// # Safety
/// Called by libuv with a live handle of a [`LoopWatch`].
unsafe extern "C" fn after_poll(handle: Handle) {
    // SAFETY: called by libuv with a live handle of ours.
    if let Some(mark) = unsafe { shared_of::<Arc<LoopMark>>(handle) } {
        mark.running();
    }
}
