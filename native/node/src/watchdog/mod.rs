//! The watchdog of a process: one thread that looks at isolates while there is anything to look at,
//! and ends those above their limits by itself. It sees stalls and memory also while the main
//! thread does nothing at all, and costs no isolate.

mod guards;
mod off_heap;
mod stall;
mod watched;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub use guards::{Limits, StallReport, Verdict};
pub use watched::{Isolates, Listed, Watched};

use crate::command::NodeError;
use crate::forked::{is_forked, refuse_fork};
use crate::isolate::{Doorbell, lock};
use crate::names::Owner;
use guards::Guards;

#[derive(Debug, Default)]
struct State {
    guards: Guards,
    is_stopping: bool,
    /// The thread has panicked: it looks at nothing any more, though it may not have ended yet.
    is_failed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There is more to look at, or nothing any more.
    changed: Condvar,
    /// The next look panics, to show what becomes of that.
    panics_for_test: AtomicBool,
}

/// Watches isolates of the nodes of a process.
///
/// Lock order: the thread, the state, then whatever [`Isolates`] takes. Nothing that implements it
/// may call the watchdog.
#[derive(Debug)]
pub struct Watchdog<I> {
    isolates: fn() -> I,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<I: Isolates + Send + 'static> Watchdog<I> {
    /// A watchdog without a thread: that starts with the first guard and ends with the last.
    #[must_use]
    pub fn new(isolates: fn() -> I) -> Watchdog<I> {
        Watchdog { isolates, shared: Arc::default(), thread: Mutex::new(None) }
    }

    /// Begins to watch for an isolate of a node, whose `bell` is rung when reports wait; its
    /// `fail`, if the watchdog has panicked and keeps no limits any more.
    pub fn open(&self, node: u32, bell: Arc<dyn Doorbell>) {
        if !is_forked() {
            lock(&self.shared.state).guards.open(node, bell);
        }
    }

    /// Forgets whatever is watched of a node.
    pub fn close(&self, node: u32) {
        if is_forked() {
            return; // the thread stayed behind, maybe with a lock
        }
        let thread = lock(&self.thread);
        lock(&self.shared.state).guards.close(node);
        self.stop_idle(thread);
    }

    /// Puts an isolate that is about to start under guard; answers with the number of the guard.
    ///
    /// # Errors
    /// `process_forked`, `internal` where no thread can be started or the last one has panicked.
    pub fn guard(&self, node: u32, limits: Limits) -> Result<u32, NodeError> {
        self.add(node, |guards| guards.guard(node, limits))
    }

    /// An isolate under guard tells where it is; false where nobody guards it any more.
    ///
    /// # Errors
    /// `process_forked`.
    pub fn place(&self, guard: u32, owner: Owner) -> Result<bool, NodeError> {
        refuse_fork()?;
        let is_guarded = lock(&self.shared.state).guards.place(guard, owner);
        self.shared.changed.notify_one();
        Ok(is_guarded)
    }

    /// Ends a guard; answers with why its isolate was ended, if it was. Once the isolate is gone,
    /// the answer is final.
    ///
    /// # Errors
    /// `process_forked`.
    pub fn end_guard(&self, guard: u32) -> Result<Option<Verdict>, NodeError> {
        refuse_fork()?;
        let thread = lock(&self.thread);
        let verdict = lock(&self.shared.state).guards.end_guard(guard);
        self.stop_idle(thread);
        Ok(verdict)
    }

    /// Tells of stalls of any isolate of a node; answers with the number of the listener.
    ///
    /// # Errors
    /// As [`Watchdog::guard`].
    pub fn listen(&self, node: u32, stall_us: u64) -> Result<u32, NodeError> {
        self.add(node, |guards| guards.listen(node, stall_us))
    }

    /// Tells a listener nothing more.
    ///
    /// # Errors
    /// `process_forked`.
    pub fn unlisten(&self, listener: u32) -> Result<(), NodeError> {
        refuse_fork()?;
        let thread = lock(&self.thread);
        lock(&self.shared.state).guards.unlisten(listener);
        self.stop_idle(thread);
        Ok(())
    }

    /// The reports of a node's isolates that wait.
    ///
    /// # Errors
    /// `process_forked`.
    pub fn take_reports(&self, node: u32) -> Result<Vec<StallReport>, NodeError> {
        refuse_fork()?;
        Ok(lock(&self.shared.state).guards.take_reports(node))
    }

    /// Reports that were lost since nobody took those before.
    #[must_use]
    pub fn reports_lost(&self) -> u64 {
        if is_forked() { 0 } else { lock(&self.shared.state).guards.lost }
    }

    /// Makes the next look panic, to show what becomes of it.
    pub fn panic_for_test(&self) {
        self.shared.panics_for_test.store(true, Ordering::Relaxed);
    }

    fn add(&self, node: u32, add: impl FnOnce(&mut Guards) -> u32) -> Result<u32, NodeError> {
        refuse_fork()?;
        let mut thread = lock(&self.thread);
        let mut state = lock(&self.shared.state);
        if !state.guards.is_open(node) {
            return Err(NodeError::new("internal", "the watchdog of this node keeps no limits"));
        }
        if thread.is_none() || state.is_failed {
            (state.is_stopping, state.is_failed) = (false, false);
            let (isolates, shared) = ((self.isolates)(), Arc::clone(&self.shared));
            let started = std::thread::Builder::new()
                .name("foundation-dog".to_owned())
                .spawn(move || run(&isolates, &shared))
                .map_err(|error| {
                    NodeError::new("internal", format!("no thread for the watchdog: {error}"))
                })?;
            *thread = Some(started);
        }
        let number = add(&mut state.guards);
        self.shared.changed.notify_one();
        Ok(number)
    }

    /// Stops the thread where there is nothing left to look at, and waits for its end.
    fn stop_idle(&self, mut thread: MutexGuard<'_, Option<JoinHandle<()>>>) {
        let mut state = lock(&self.shared.state);
        if !state.guards.is_empty() {
            return;
        }
        state.is_stopping = true;
        drop(state);
        self.shared.changed.notify_one();
        if let Some(thread) = thread.take() {
            let _ = thread.join(); // it catches its panics itself
        }
    }
}

fn run(isolates: &impl Isolates, shared: &Shared) {
    let looking = catch_unwind(AssertUnwindSafe(|| look_until_stopped(isolates, shared)));
    if looking.is_err() {
        let mut state = lock(&shared.state);
        state.is_failed = true;
        // Limits that nobody keeps must not pass unseen.
        state.guards.fail();
    }
}

fn look_until_stopped(isolates: &impl Isolates, shared: &Shared) {
    let mut state = lock(&shared.state);
    while !state.is_stopping {
        let is_test = shared.panics_for_test.swap(false, Ordering::Relaxed);
        assert!(!is_test, "a panic for the test of the watchdog");
        state = match state.guards.look(isolates) {
            None => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(after) => {
                let waited = shared.changed.wait_timeout(state, after);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::{Isolates, Limits, Listed, Verdict, Watchdog, Watched};
    use crate::isolate::Doorbell;
    use crate::names::Owner;

    const NODE: u32 = 1;
    const STALL: Limits = Limits { stall_us: Some(50_000), off_heap_bytes: None };

    /// Every place has an isolate in an endless loop, which tells its stack at once.
    struct Endless;

    impl Watched for Endless {
        fn running_us(&self) -> u64 {
            1_000_000
        }

        fn ask_stack(&self) -> u32 {
            1
        }

        fn take_stack(&self, _request: u32) -> Option<String> {
            Some("at loop".to_owned())
        }

        fn ask_memory(&self) -> u32 {
            0
        }

        fn take_memory(&self, _request: u32) -> Option<u64> {
            None
        }

        fn wake(&self) {}

        fn terminate(&self) -> bool {
            true
        }
    }

    impl Isolates for Endless {
        type Isolate = Endless;

        fn find(&self, _node: u32, _owner: Owner) -> Option<Endless> {
            Some(Endless)
        }

        fn list(&self, _node: u32) -> Vec<Listed<Endless>> {
            vec![Listed { owner: Owner { slot: 3, generation: 0 }, thread: 3, isolate: Endless }]
        }
    }

    struct Bell(Sender<&'static str>);

    impl Doorbell for Bell {
        fn ring(&self) {
            let _ = self.0.send("rung");
        }

        fn fail(&self) {
            let _ = self.0.send("failed");
        }
    }

    fn opened() -> (Watchdog<Endless>, Receiver<&'static str>) {
        let (sender, receiver) = channel();
        let watchdog = Watchdog::new(|| Endless);
        watchdog.open(NODE, Arc::new(Bell(sender)));
        (watchdog, receiver)
    }

    fn has_thread(watchdog: &Watchdog<Endless>) -> bool {
        super::lock(&watchdog.thread).is_some()
    }

    #[test]
    fn the_thread_is_there_from_the_first_to_the_last() {
        let (watchdog, rung) = opened();
        assert!(!has_thread(&watchdog));
        for _ in 0..100 {
            let guard = watchdog.guard(NODE, STALL).expect("a guard");
            let listener = watchdog.listen(NODE, 50_000).expect("a listener");
            assert!(has_thread(&watchdog));
            assert!(watchdog.place(guard, Owner { slot: 3, generation: 0 }).expect("it is there"));
            assert_eq!(rung.recv(), Ok("rung"));
            assert_eq!(watchdog.take_reports(NODE).map(|reports| reports.len()).ok(), Some(1));
            watchdog.unlisten(listener).expect("it is there");
            assert!(has_thread(&watchdog));
            watchdog.end_guard(guard).expect("it is there");
            assert!(!has_thread(&watchdog));
        }
        watchdog.close(NODE);
        assert_eq!(watchdog.guard(NODE, STALL).map_err(|error| error.code), Err("internal"));
    }

    #[test]
    fn who_is_ended_has_its_verdict_from_then_on() {
        let (watchdog, rung) = opened();
        let guard = watchdog.guard(NODE, STALL).expect("a guard");
        watchdog.place(guard, Owner { slot: 3, generation: 0 }).expect("it is there");
        watchdog.listen(NODE, 50_000).expect("a listener");
        assert_eq!(rung.recv(), Ok("rung"));
        let verdict = watchdog.end_guard(guard).expect("it is there");
        assert_eq!(verdict, Some(Verdict::Stalled { stack: "at loop".to_owned() }));
        watchdog.close(NODE);
        assert!(!has_thread(&watchdog));
    }

    #[test]
    fn a_panic_is_told_and_the_next_node_gets_another_thread() {
        // Many times: the thread that has told of its panic may not have ended yet.
        for _ in 0..50 {
            let (watchdog, rung) = opened();
            watchdog.panic_for_test();
            watchdog.guard(NODE, STALL).expect("a guard");
            assert_eq!(rung.recv(), Ok("failed"));
            assert_eq!(watchdog.guard(NODE, STALL).map_err(|error| error.code), Err("internal"));
            let (sender, rung) = channel();
            watchdog.open(NODE + 1, Arc::new(Bell(sender)));
            watchdog.listen(NODE + 1, 50_000).expect("a listener");
            assert_eq!(rung.recv(), Ok("rung"));
            watchdog.close(NODE + 1);
        }
    }
}
