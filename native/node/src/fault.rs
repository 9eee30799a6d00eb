//! What is known of a panic on a kernel thread. A panic leaves the state of the thread half
//! changed, so the thread drives nothing any more, whichever of its tasks it was: its nodes fail,
//! and every isolate of theirs is told.

use std::cell::RefCell;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once, OnceLock};

use tokio::sync::Notify;

use crate::command::NodeError;

/// Panics of the core in this process, whatever became of them.
static PANICS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // Set on kernel threads alone.
    static OWN: RefCell<Option<Arc<Fault>>> = const { RefCell::new(None) };
}

/// Panics of the core since the process began. Each became an error; none is normal.
#[must_use]
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Counts panics from here on. Calling it again does nothing.
pub fn watch_for_panics() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            // A thread without the value is being taken down and drives no node.
            let own = OWN.try_with(|own| own.try_borrow().ok().and_then(|own| own.clone()));
            if let Ok(Some(fault)) = own {
                fault.set(&describe(panic));
            }
            print(panic);
        }));
    });
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text");
    match panic.location() {
        Some(place) => format!("{text} ({}:{})", place.file(), place.line()),
        None => text.to_owned(),
    }
}

/// Whether a kernel thread has panicked, and why; shared by all who talk to it.
#[derive(Debug)]
pub(crate) struct Fault {
    text: OnceLock<String>,
    bell: Arc<Notify>,
}

impl Fault {
    pub(crate) fn new(bell: Arc<Notify>) -> Arc<Fault> {
        Arc::new(Fault { text: OnceLock::new(), bell })
    }

    /// Every panic of the calling thread is this fault.
    pub(crate) fn watch_this_thread(self: &Arc<Self>) {
        watch_for_panics();
        OWN.set(Some(Arc::clone(self)));
    }

    /// Remembers the first panic and wakes the thread, whose other tasks may be the ones that live.
    pub(crate) fn set(&self, text: &str) {
        if self.text.set(text.to_owned()).is_ok() {
            self.bell.notify_one();
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.text.get().is_some()
    }

    /// What everybody is answered from then on.
    pub(crate) fn error(&self) -> Option<NodeError> {
        let text = self.text.get()?;
        Some(NodeError::new("kernel_panicked", format!("the kernel thread panicked: {text}")))
    }
}
