//! A process that was forked without exec has the memory of its parent and none of its threads: no
//! kernel thread would ever answer, and locks may be held by nobody. It is refused.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::command::NodeError;

static IS_FORKED: AtomicBool = AtomicBool::new(false);

/// Notices forks from here on. Calling it again does nothing.
pub(crate) fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        #[cfg(unix)]
        // SAFETY: the function only stores to an atomic, which a child may do at once; this library
        // is never unloaded. Without memory for the registration a fork goes unnoticed, as before.
        unsafe {
            libc::pthread_atfork(None, None, Some(in_child));
        }
    });
}

/// Runs in the child of a fork, before anything else does.
#[cfg(unix)]
extern "C" fn in_child() {
    // Relaxed: a forked child has one thread.
    IS_FORKED.store(true, Ordering::Relaxed);
}

/// Whether this process is the fork of one that ran a kernel thread.
#[must_use]
pub fn is_forked() -> bool {
    IS_FORKED.load(Ordering::Relaxed)
}

/// Refuses whatever is asked of a forked process.
///
/// # Errors
/// `process_forked`.
pub fn refuse_fork() -> Result<(), NodeError> {
    if is_forked() {
        let text = "this process was forked from one that runs a node, without exec: its kernel \
                    threads stayed behind";
        return Err(NodeError::new("process_forked", text));
    }
    Ok(())
}
