//! The thread of a store: groups, bounds, ends.

mod scene;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use foundation_store::{Answer, Code, Command, Completion, Notify, Options, Query, Worker};
use scene::{Event, options, packed};

struct Signal(Sender<()>);

impl Notify for Signal {
    fn notify(&self) {
        let _ = self.0.send(());
    }
}

struct Scene {
    worker: Worker,
    signals: Receiver<()>,
    seen: Vec<Completion>,
}

impl Scene {
    fn new(options: Options, pending_max: usize) -> Scene {
        let (sender, signals) = channel();
        let signal = Arc::new(Signal(sender));
        let worker = Worker::start(options, pending_max, signal).expect("a thread");
        Scene { worker, signals, seen: Vec::new() }
    }

    /// The outcome of a request.
    fn outcome(&mut self, request: u32) -> Result<Answer, foundation_store::StoreError> {
        loop {
            self.seen.extend(self.worker.take());
            if let Some(place) = self.seen.iter().position(|seen| seen.request == request) {
                return self.seen.swap_remove(place).outcome;
            }
            self.signals.recv().expect("a signal");
        }
    }

    fn append(&self, request: u32, id: u64) -> Result<(), foundation_store::StoreError> {
        self.worker.submit(request, Command::Append(packed(&[Event::numbered(id, 100)])))
    }
}

#[test]
fn appends_that_wait_are_one_commit() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut scene = Scene::new(options(folder.path()), 1 << 20);
    for request in 1..=1_000 {
        scene.append(request, u64::from(request)).expect("taken");
    }
    for request in 1..=1_000 {
        assert_eq!(scene.outcome(request), Ok(Answer::Done));
    }
    scene.worker.submit(2_000, Command::Stats).expect("taken");
    let Ok(Answer::Stats(stats)) = scene.outcome(2_000) else { panic!("figures") };
    assert_eq!(stats.events, 1_000);
    assert!(stats.commits < 1_000, "{stats:?}");
    scene.worker.submit(2_001, Command::Query(Query { limit: 3, ..Query::default() })).expect("it");
    let Ok(Answer::Data(data)) = scene.outcome(2_001) else { panic!("events") };
    assert_eq!(data, (1..=3).map(|id| scene::noise(id, 100)).collect::<Vec<_>>());
}

#[test]
fn what_waits_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut scene = Scene::new(options(folder.path()), 1_000);
    let large = packed(&[Event::numbered(1, 1_001)]);
    let refused = scene.worker.submit(1, Command::Append(large)).expect_err("too much");
    assert_eq!(refused.code, Code::Overloaded);
    scene.append(2, 1).expect("taken");
    assert_eq!(scene.outcome(2), Ok(Answer::Done));
    for round in 0..100 {
        let events = packed(&[Event::numbered(1, 900)]);
        scene.worker.submit(3 + round, Command::Append(events)).expect("room again");
        assert_eq!(scene.outcome(3 + round), Ok(Answer::Done));
    }
}

#[test]
fn what_was_taken_is_done_before_the_thread_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::new(options(folder.path()), 1 << 20);
    for request in 1..=300 {
        scene.append(request, u64::from(request)).expect("taken");
    }
    scene.worker.stop();
    scene.worker.stop();
    assert_eq!(scene.append(301, 301).expect_err("closed").code, Code::Closed);
    let done = scene.worker.take();
    assert_eq!(done.iter().filter(|completion| completion.outcome.is_ok()).count(), 301);
    let mut store = foundation_store::Store::open(options(folder.path())).expect("a store");
    assert_eq!(scene::all(&mut store).len(), 300);
}

#[test]
fn nothing_is_taken_after_a_close() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut scene = Scene::new(options(folder.path()), 1 << 20);
    scene.append(1, 1).expect("taken");
    scene.worker.submit(2, Command::Close).expect("taken");
    assert_eq!(scene.worker.submit(3, Command::Close).expect_err("closed").code, Code::Closed);
    assert_eq!(scene.outcome(1), Ok(Answer::Done));
    assert_eq!(scene.outcome(2), Ok(Answer::Done));
    foundation_store::Store::open(options(folder.path())).expect("the folder is free");
}

#[test]
fn a_store_that_does_not_open_says_why_to_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = foundation_store::Store::open(options(folder.path())).expect("a store");
    let mut scene = Scene::new(options(folder.path()), 1 << 20);
    assert_eq!(scene.outcome(0).expect_err("it is open").code, Code::Locked);
    assert_eq!(scene.append(1, 1).expect_err("it is open").code, Code::Locked);
}
