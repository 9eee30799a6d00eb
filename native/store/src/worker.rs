//! A thread that owns a store. Whoever uses it puts commands into a bounded queue and takes the
//! answers from there; appends that wait together become one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::{Code, StoreError};
use crate::query::Query;
use crate::queue::{Queue, Work};
use crate::record::count_records;
use crate::store::{Options, Stats, Store};

/// The request that opening is.
const OPENING: u32 = 0;

/// What a store is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Keeps records: [`Store::append`].
    Append(Vec<u8>),
    /// The data of an event: [`Store::get`].
    Get(u64),
    /// The data of events: [`Store::query`].
    Query(Query),
    /// Drops what is older: [`Store::prune_before`].
    PruneBefore(f64),
    /// Figures: [`Store::stats`].
    Stats,
    /// Finishes and lets go: [`Store::close`]. Nothing is taken after it.
    Close,
}

/// What a store answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is done.
    Done,
    /// The data of events.
    Data(Vec<Vec<u8>>),
    /// How many there were.
    Count(u64),
    /// Figures.
    Stats(Stats),
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The number that the request came with; 0 for opening the store.
    pub request: u32,
    /// What became of it.
    pub outcome: Result<Answer, StoreError>,
}

/// Told whenever there are answers to take, on the thread of the store.
pub trait Notify: Send + Sync {
    /// There are answers.
    fn notify(&self);
}

/// The thread of a store, seen from outside.
pub struct Worker {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Worker {
    /// Starts the thread, which opens the store first: the answer to request 0 tells how that went.
    /// At most `pending_max` bytes of appends wait to be acknowledged.
    ///
    /// # Errors
    /// `event_log_failed` where the system has no thread to give.
    pub fn start(
        options: Options,
        pending_max: usize,
        notify: Arc<dyn Notify>,
    ) -> Result<Worker, StoreError> {
        let queue = Arc::new(Queue::new(pending_max));
        let own = Arc::clone(&queue);
        let work = move || run(options, &own, &*notify);
        let spawned = thread::Builder::new().name("event-log".to_owned()).spawn(work);
        let thread = spawned.map_err(|error| {
            StoreError::new(Code::Failed, format!("starting a thread failed: {error}"))
        })?;
        Ok(Worker { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Has a command done; its answer comes under the number of the request, which is not 0.
    ///
    /// # Errors
    /// `invalid_argument` for an append of what are no records, `event_log_overloaded` where too
    /// much waits, `event_log_closed`, or why the store could not be opened.
    pub fn submit(&self, request: u32, command: Command) -> Result<(), StoreError> {
        if let Command::Append(records) = &command {
            count_records(records)?;
        }
        self.queue.push(request, command)
    }

    /// The answers since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Completion> {
        self.queue.take()
    }

    /// Has what waits done, then ends the thread; returns when it is gone.
    pub fn stop(&self) {
        self.queue.close(None);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join(); // it catches its panics
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(options: Options, queue: &Queue, notify: &dyn Notify) {
    let opened = guarded(|| Store::open(options));
    let (outcome, store) = match opened {
        Ok(store) => (Ok(Answer::Done), Some(store)),
        Err(error) => (Err(error), None),
    };
    let failure = outcome.clone().err();
    queue.complete(std::iter::once(Completion { request: OPENING, outcome }), 0);
    if let Some(error) = &failure {
        queue.close(Some(error.clone()));
    }
    notify.notify();
    serve(Owner { store, failure }, queue, notify);
}

fn serve(mut owner: Owner, queue: &Queue, notify: &dyn Notify) {
    loop {
        match queue.next() {
            Work::Append(requests, records) => {
                let outcome = owner.work(|store| store.append(&records).map(|()| Answer::Done));
                let answer = |request| Completion { request, outcome: outcome.clone() };
                queue.complete(requests.into_iter().map(answer), records.len());
                notify.notify();
                let _ = owner.work(|store| store.tidy().map(|()| Answer::Done));
            }
            Work::Other(request, command) => {
                let outcome = owner.answer(command);
                queue.complete(std::iter::once(Completion { request, outcome }), 0);
                notify.notify();
            }
            Work::Stop => break,
        }
    }
    let _ = owner.close();
}

/// The store, until it panics or is closed.
struct Owner {
    store: Option<Store>,
    failure: Option<StoreError>,
}

impl Owner {
    fn work(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<Answer, StoreError>,
    ) -> Result<Answer, StoreError> {
        let Some(store) = &mut self.store else { return Err(self.reason()) };
        let outcome = guarded(|| work(store));
        if let Err(error) = &outcome
            && error.code == Code::Internal
        {
            self.store = None; // what a panic left of it is not to be trusted
            self.failure = Some(error.clone());
        }
        outcome
    }

    fn answer(&mut self, command: Command) -> Result<Answer, StoreError> {
        match command {
            Command::Append(records) => {
                self.work(|store| store.append(&records).map(|()| Answer::Done))
            }
            Command::Get(id) => {
                self.work(|store| Ok(Answer::Data(store.get(id)?.into_iter().collect())))
            }
            Command::Query(query) => self.work(|store| store.query(&query).map(Answer::Data)),
            Command::PruneBefore(time) => {
                self.work(|store| store.prune_before(time).map(Answer::Count))
            }
            Command::Stats => self.work(|store| Ok(Answer::Stats(store.stats()))),
            Command::Close => self.close(),
        }
    }

    fn close(&mut self) -> Result<Answer, StoreError> {
        match self.store.take() {
            Some(store) => guarded(|| store.close().map(|()| Answer::Done)),
            None => Ok(Answer::Done),
        }
    }

    fn reason(&self) -> StoreError {
        let closed = || StoreError::new(Code::Closed, "the event log is closed");
        self.failure.clone().unwrap_or_else(closed)
    }
}

/// A panic becomes an error: it ends this store, and nothing else.
fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let panicked = || StoreError::new(Code::Internal, "the event log panicked");
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(panicked()))
}
