//! Isolates under guard, and those who are told of stalls.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::off_heap::OffHeapWatch;
use super::stall::StallWatch;
use super::watched::{Isolates, Listed, Watched};
use crate::isolate::Doorbell;
use crate::names::Owner;

/// Time between two looks at isolates that wait.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Time between two looks while an isolate with a limit of its memory runs: what it takes between
/// two of them is above the limit.
pub(crate) const LOOK_EVERY_RUNNING: Duration = Duration::from_millis(2);
/// Reports that wait for their isolate to take them. One more is lost and counted.
const REPORTS_MAX: usize = 1_024;

/// Limits of an isolate, which is ended above them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Longest time without a poll of the event loop, in microseconds.
    pub stall_us: Option<u64>,
    /// Largest memory outside of the heap.
    pub off_heap_bytes: Option<u64>,
}

/// Why an isolate was ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its event loop did not poll.
    Stalled {
        /// What it ran, one frame a line, the innermost first. Empty in a native call.
        stack: String,
    },
    /// It kept too much memory outside of its heap.
    OffHeap {
        /// What was found.
        external_bytes: u64,
    },
}

/// A stall, for who listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StallReport {
    /// Number of the listener.
    pub listener: u32,
    /// Place of the isolate.
    pub owner: Owner,
    /// Number of its thread at Node.
    pub thread: u32,
    /// For how long its event loop has not polled.
    pub running_us: u64,
    /// As in [`Verdict::Stalled`].
    pub stack: String,
}

struct Guard {
    node: u32,
    /// Where the isolate is, once it says so.
    owner: Option<Owner>,
    stall: Option<StallWatch>,
    off_heap: Option<OffHeapWatch>,
    is_decided: bool,
    verdict: Option<Verdict>,
}

impl Guard {
    fn look(&mut self, isolate: &impl Watched) -> Option<Verdict> {
        if let Some(external_bytes) = self.off_heap.as_mut().and_then(|watch| watch.look(isolate)) {
            return Some(Verdict::OffHeap { external_bytes });
        }
        let stall = self.stall.as_mut()?.look(isolate)?;
        Some(Verdict::Stalled { stack: stall.stack })
    }
}

struct Listener {
    node: u32,
    stall_us: u64,
    watches: BTreeMap<Place, StallWatch>,
}

type Place = (u16, u16);

/// The isolate that opened the watchdog of a node.
struct Opener {
    bell: Arc<dyn Doorbell>,
    reports: VecDeque<StallReport>,
}

/// Everything that is watched.
#[derive(Default)]
pub(crate) struct Guards {
    openers: BTreeMap<u32, Opener>,
    guards: BTreeMap<u32, Guard>,
    listeners: BTreeMap<u32, Listener>,
    last: u32,
    /// Reports that nobody took in time.
    pub(crate) lost: u64,
}

impl fmt::Debug for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guards").field("guards", &self.guards.len()).finish_non_exhaustive()
    }
}

impl Guards {
    /// Has `bell` rung when reports of a node's isolates wait.
    pub(crate) fn open(&mut self, node: u32, bell: Arc<dyn Doorbell>) {
        self.openers.insert(node, Opener { bell, reports: VecDeque::new() });
    }

    pub(crate) fn is_open(&self, node: u32) -> bool {
        self.openers.contains_key(&node)
    }

    /// Forgets whatever is watched of a node.
    pub(crate) fn close(&mut self, node: u32) {
        self.openers.remove(&node);
        self.guards.retain(|_, guard| guard.node != node);
        self.listeners.retain(|_, listener| listener.node != node);
    }

    /// Forgets everything and tells everybody of it.
    pub(crate) fn fail(&mut self) {
        let failed = std::mem::take(self);
        self.last = failed.last;
        self.lost = failed.lost;
        for opener in failed.openers.values() {
            opener.bell.fail();
        }
    }

    /// Whether there is nothing to look at, now or later.
    pub(crate) fn is_empty(&self) -> bool {
        self.guards.is_empty() && self.listeners.is_empty()
    }

    fn number(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    pub(crate) fn guard(&mut self, node: u32, limits: Limits) -> u32 {
        let number = self.number();
        let guard = Guard {
            node,
            owner: None,
            stall: limits.stall_us.map(StallWatch::new),
            off_heap: limits.off_heap_bytes.map(OffHeapWatch::new),
            is_decided: false,
            verdict: None,
        };
        self.guards.insert(number, guard);
        number
    }

    /// An isolate tells where it is; false where nobody guards it any more.
    pub(crate) fn place(&mut self, guard: u32, owner: Owner) -> bool {
        let Some(guard) = self.guards.get_mut(&guard) else { return false };
        guard.owner = Some(owner);
        true
    }

    /// Forgets a guard; answers with why its isolate was ended, if it was.
    pub(crate) fn end_guard(&mut self, guard: u32) -> Option<Verdict> {
        self.guards.remove(&guard)?.verdict
    }

    pub(crate) fn listen(&mut self, node: u32, stall_us: u64) -> u32 {
        let number = self.number();
        self.listeners.insert(number, Listener { node, stall_us, watches: BTreeMap::new() });
        number
    }

    pub(crate) fn unlisten(&mut self, listener: u32) {
        self.listeners.remove(&listener);
    }

    pub(crate) fn take_reports(&mut self, node: u32) -> Vec<StallReport> {
        self.openers
            .get_mut(&node)
            .map(|opener| opener.reports.drain(..).collect())
            .unwrap_or_default()
    }

    /// Looks at everything once; answers when to look again, `None` where that is not known.
    pub(crate) fn look(&mut self, isolates: &impl Isolates) -> Option<Duration> {
        let mut next = None;
        for guard in self.guards.values_mut().filter(|guard| !guard.is_decided) {
            let Some(owner) = guard.owner else { continue };
            next.get_or_insert(LOOK_EVERY);
            let Some(isolate) = isolates.find(guard.node, owner) else { continue };
            if guard.off_heap.is_some() && isolate.running_us() > 0 {
                next = Some(LOOK_EVERY_RUNNING);
            }
            if let Some(verdict) = guard.look(&isolate) {
                guard.is_decided = true;
                // Nobody asks for the verdict before the isolate has ended, nor without the lock.
                guard.verdict = isolate.terminate().then_some(verdict);
            }
        }
        if !self.listeners.is_empty() {
            next.get_or_insert(LOOK_EVERY);
            self.look_for_listeners(isolates);
        }
        next
    }

    fn look_for_listeners(&mut self, isolates: &impl Isolates) {
        for (&number, listener) in &mut self.listeners {
            let mut watches = BTreeMap::new();
            for Listed { owner, thread, isolate } in isolates.list(listener.node) {
                let place = (owner.slot, owner.generation);
                let mut watch = listener
                    .watches
                    .remove(&place)
                    .unwrap_or_else(|| StallWatch::new(listener.stall_us));
                let found = watch.look(&isolate);
                watches.insert(place, watch);
                let Some(found) = found else { continue };
                let Some(opener) = self.openers.get_mut(&listener.node) else { continue };
                if opener.reports.len() >= REPORTS_MAX {
                    self.lost += 1;
                    continue;
                }
                opener.reports.push_back(StallReport {
                    listener: number,
                    owner,
                    thread,
                    running_us: found.running_us,
                    stack: found.stack,
                });
                opener.bell.ring();
            }
            listener.watches = watches;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::watched::fake::{FakeIsolate, FakeIsolates};
    use super::{Guards, LOOK_EVERY, LOOK_EVERY_RUNNING, Limits, REPORTS_MAX, Verdict};
    use crate::isolate::Doorbell;
    use crate::names::Owner;

    const NODE: u32 = 7;
    const PLACE: Owner = Owner { slot: 1, generation: 0 };
    const STALL: Limits = Limits { stall_us: Some(100_000), off_heap_bytes: None };
    const OFF_HEAP: Limits = Limits { stall_us: None, off_heap_bytes: Some(100) };

    #[derive(Debug, Default)]
    struct CountingBell(AtomicU32);

    impl Doorbell for CountingBell {
        fn ring(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn fail(&self) {
            self.0.fetch_add(1_000, Ordering::Relaxed);
        }
    }

    fn stalled(isolates: &FakeIsolates) -> std::rc::Rc<FakeIsolate> {
        let isolate = isolates.add(NODE, PLACE);
        isolate.running_us.set(100_000);
        isolate
    }

    #[test]
    fn a_stalled_isolate_is_ended_once_and_the_guard_knows_why() {
        let (mut guards, isolates) = (Guards::default(), FakeIsolates::default());
        let isolate = stalled(&isolates);
        let guard = guards.guard(NODE, STALL);
        assert_eq!(guards.look(&isolates), None, "its place is not known yet");
        assert!(guards.place(guard, PLACE));
        assert_eq!(guards.look(&isolates), Some(LOOK_EVERY));
        isolate.run();
        guards.look(&isolates);
        assert!(isolate.is_ended.get());
        let stack = "stack 1".to_owned();
        assert_eq!(guards.end_guard(guard), Some(Verdict::Stalled { stack }));
        assert!(guards.is_empty());
        assert_eq!(guards.end_guard(guard), None);
    }

    #[test]
    fn who_has_gone_by_itself_meanwhile_was_not_ended() {
        let (mut guards, isolates) = (Guards::default(), FakeIsolates::default());
        let isolate = stalled(&isolates);
        let guard = guards.guard(NODE, STALL);
        guards.place(guard, PLACE);
        guards.look(&isolates);
        isolate.run();
        isolate.is_gone.set(true);
        guards.look(&isolates);
        assert_eq!(guards.end_guard(guard), None);
    }

    #[test]
    fn memory_is_looked_at_more_often_while_its_isolate_runs() {
        let (mut guards, isolates) = (Guards::default(), FakeIsolates::default());
        let isolate = isolates.add(NODE, PLACE);
        let guard = guards.guard(NODE, OFF_HEAP);
        guards.place(guard, PLACE);
        assert_eq!(guards.look(&isolates), Some(LOOK_EVERY));
        isolate.running_us.set(1);
        assert_eq!(guards.look(&isolates), Some(LOOK_EVERY_RUNNING));
        isolate.external_bytes.set(101);
        isolate.run();
        guards.look(&isolates);
        assert_eq!(guards.end_guard(guard), Some(Verdict::OffHeap { external_bytes: 101 }));
    }

    #[test]
    fn stalls_are_kept_for_who_listens_up_to_a_bound() {
        let (mut guards, isolates) = (Guards::default(), FakeIsolates::default());
        let bell = Arc::new(CountingBell::default());
        guards.open(NODE, Arc::<CountingBell>::clone(&bell));
        let isolate = stalled(&isolates);
        let listener = guards.listen(NODE, 100_000);
        for _ in 0..=REPORTS_MAX {
            isolate.running_us.set(100_000);
            guards.look(&isolates);
            isolate.run();
            guards.look(&isolates);
            isolate.running_us.set(0);
            guards.look(&isolates);
        }
        let reports = guards.take_reports(NODE);
        assert_eq!((reports.len(), guards.lost), (REPORTS_MAX, 1));
        assert_eq!(bell.0.load(Ordering::Relaxed) as usize, REPORTS_MAX);
        assert!(reports.iter().all(|report| report.listener == listener && report.owner == PLACE));
        assert_eq!(guards.take_reports(NODE), vec![]);
        guards.unlisten(listener);
        assert!(guards.is_empty());
    }

    #[test]
    fn a_node_that_leaves_leaves_nothing_of_its_own_behind() {
        let mut guards = Guards::default();
        for node in [NODE, NODE + 1] {
            guards.open(node, Arc::new(CountingBell::default()));
            guards.guard(node, STALL);
            guards.listen(node, 100_000);
        }
        guards.close(NODE);
        assert!(!guards.is_open(NODE) && guards.is_open(NODE + 1) && !guards.is_empty());
        guards.close(NODE + 1);
        assert!(guards.is_empty());
    }

    #[test]
    fn everybody_is_told_of_a_failure_and_nothing_is_guarded_after_it() {
        let mut guards = Guards::default();
        let bell = Arc::new(CountingBell::default());
        guards.open(NODE, Arc::<CountingBell>::clone(&bell));
        let guard = guards.guard(NODE, STALL);
        guards.fail();
        assert_eq!(bell.0.load(Ordering::Relaxed), 1_000);
        assert!(guards.is_empty() && !guards.is_open(NODE) && !guards.place(guard, PLACE));
    }
}
