//! Event logs, as isolates use them: each has a thread of its own, which no isolate waits for
//! except when it is closed for good.

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_node::{Doorbell, is_forked, refuse_fork};
use foundation_store::{
    Answer, Command, Completion, Compression, Durability, Notify, Options, Query, Stats,
    StoreError, Worker,
};
use napi::bindgen_prelude::Uint8Array;
use napi::{Env, JsValue, Unknown};
use napi_derive::napi;

use crate::doorbell::Bell;
use crate::environment;
use crate::error::{Result, coded, from_core};

/// How an event log is opened.
#[napi(object)]
pub struct EventLogOptions {
    pub path: String,
    pub bytes_max: f64,
    #[napi(ts_type = "'none' | 'gzip' | 'zstd'")]
    pub compression: String,
    pub is_synced: bool,
    pub is_repairing: bool,
    pub pending_bytes_max: f64,
}

/// Which events of a log are wanted.
#[napi(object)]
pub struct EventLogSearch {
    pub kind: Option<String>,
    pub correlation: Option<String>,
    pub from: Option<f64>,
    pub to: Option<f64>,
    pub is_by_id: bool,
    pub is_descending: bool,
    pub offset: u32,
    pub limit: u32,
}

/// Figures of an event log.
#[napi(object)]
pub struct EventLogFigures {
    pub events: f64,
    pub bytes: f64,
    pub segments: f64,
    pub id_max: f64,
    pub appended: f64,
    pub pruned: f64,
    pub commits: f64,
    pub syncs: f64,
    pub rewritten: f64,
    pub rebuilt: f64,
    pub damaged_bytes: f64,
}

/// The answer to a request: an error's code and text, or what was asked for. `data` has each
/// event's bytes behind their length (u32, little endian).
#[napi(object)]
pub struct EventLogAnswer {
    pub request: u32,
    pub code: Option<String>,
    pub message: Option<String>,
    pub data: Option<Uint8Array>,
    pub count: Option<f64>,
    pub stats: Option<EventLogFigures>,
}

/// Opens an event log on a thread of its own, and answers with its number. `wake` is called when
/// answers wait to be taken: the one to request 0 tells how opening went. It keeps the event loop
/// alive while a request is under way.
#[napi(catch_unwind, ts_args_type = "options: EventLogOptions, wake: () => void")]
pub fn open_event_log(env: Env, options: EventLogOptions, wake: Unknown) -> Result<u32> {
    refuse_fork().map_err(from_core)?;
    let raw = env.raw();
    let mark = environment::with(|environment| environment.mark(raw));
    let bell = Bell::new(raw, wake.raw(), mark)?;
    environment::with(|environment| environment.add_hooks(raw))?;
    let pending_max = options.pending_bytes_max as usize;
    let ringing = Arc::new(Ringing(Arc::clone(&bell)));
    match Worker::start(store_options(options), pending_max, ringing) {
        Ok(worker) => {
            let log = Opened { worker, bell, under_way: 1 };
            Ok(environment::with(|environment| environment.event_logs.add(log)))
        }
        Err(error) => {
            bell.release();
            Err(from_store(error))
        }
    }
}

/// Has records kept, all or none of them; `native/store/src/record.rs` tells their format.
#[napi(catch_unwind)]
pub fn append_to_event_log(env: Env, log: u32, request: u32, records: &[u8]) -> Result<()> {
    submit(&env, log, request, Command::Append(records.to_vec()))
}

/// Asks for the bytes of an event.
#[napi(catch_unwind)]
pub fn get_from_event_log(env: Env, log: u32, request: u32, id: f64) -> Result<()> {
    submit(&env, log, request, Command::Get(id as u64))
}

/// Asks for the bytes of events.
#[napi(catch_unwind)]
pub fn search_event_log(env: Env, log: u32, request: u32, search: EventLogSearch) -> Result<()> {
    let query = Query {
        kind: search.kind.map(String::into_bytes),
        correlation: search.correlation.map(String::into_bytes),
        times: (search.from, search.to),
        is_by_id: search.is_by_id,
        is_descending: search.is_descending,
        offset: search.offset,
        limit: search.limit,
    };
    submit(&env, log, request, Command::Query(query))
}

/// Has events dropped that happened before a time, exclusive.
#[napi(catch_unwind)]
pub fn prune_event_log(env: Env, log: u32, request: u32, time: f64) -> Result<()> {
    submit(&env, log, request, Command::PruneBefore(time))
}

/// Asks for figures.
#[napi(catch_unwind)]
pub fn event_log_stats(env: Env, log: u32, request: u32) -> Result<()> {
    submit(&env, log, request, Command::Stats)
}

/// Has the log closed once all is done that was asked for before; then nothing more is taken.
#[napi(catch_unwind)]
pub fn close_event_log(env: Env, log: u32, request: u32) -> Result<()> {
    submit(&env, log, request, Command::Close)
}

/// Takes the answers that wait.
#[napi(catch_unwind)]
pub fn take_from_event_log(env: Env, log: u32) -> Result<Vec<EventLogAnswer>> {
    environment::with(|environment| {
        let Some(opened) = environment.event_logs.find(log) else { return Ok(Vec::new()) };
        let taken = opened.worker.take();
        opened.under_way -= taken.len() as u32;
        if opened.under_way == 0 {
            opened.bell.set_referenced(env.raw(), false)?;
        }
        Ok(taken.into_iter().map(answer).collect())
    })
}

/// Lets go of a log that was closed, or did not open; of one that is open, after what waits is
/// done. Another time it does nothing.
#[napi(catch_unwind)]
pub fn release_event_log(log: u32) {
    let opened = environment::with(|environment| environment.event_logs.0.remove(&log));
    if let Some(opened) = opened {
        opened.worker.stop();
        opened.bell.release();
    }
}

/// The event logs of an environment, by number.
#[derive(Default)]
pub(crate) struct EventLogs(BTreeMap<u32, Opened>, u32);

struct Opened {
    worker: Worker,
    bell: Arc<Bell>,
    /// Requests without an answer that was taken.
    under_way: u32,
}

impl EventLogs {
    fn add(&mut self, log: Opened) -> u32 {
        self.1 += 1;
        self.0.insert(self.1, log);
        self.1
    }

    fn find(&mut self, log: u32) -> Option<&mut Opened> {
        self.0.get_mut(&log)
    }

    /// Ends the threads, after what waits for them is done. The environment is going away.
    pub(crate) fn tear_down(self) {
        for opened in self.0.into_values() {
            opened.bell.silence();
            if is_forked() {
                std::mem::forget(opened.worker); // its thread is another process's
            } else {
                opened.worker.stop();
            }
        }
    }
}

/// Rings an isolate for the answers of a log.
struct Ringing(Arc<Bell>);

impl Notify for Ringing {
    fn notify(&self) {
        self.0.ring();
    }
}

fn submit(env: &Env, log: u32, request: u32, command: Command) -> Result<()> {
    refuse_fork().map_err(from_core)?;
    environment::with(|environment| {
        let closed = || coded("event_log_closed", "the event log is closed");
        let opened = environment.event_logs.find(log).ok_or_else(closed)?;
        opened.worker.submit(request, command).map_err(from_store)?;
        opened.under_way += 1;
        if opened.under_way == 1 {
            opened.bell.set_referenced(env.raw(), true)?;
        }
        Ok(())
    })
}

fn from_store(error: StoreError) -> napi::Error<String> {
    coded(error.code.as_str(), error.message)
}

fn store_options(options: EventLogOptions) -> Options {
    Options {
        path: options.path.into(),
        bytes_max: options.bytes_max as u64,
        compression: match options.compression.as_str() {
            "gzip" => Compression::Gzip,
            "zstd" => Compression::Zstd,
            _ => Compression::None,
        },
        durability: if options.is_synced { Durability::Disk } else { Durability::Process },
        repair: options.is_repairing,
    }
}

fn answer(Completion { request, outcome }: Completion) -> EventLogAnswer {
    let mut answer =
        EventLogAnswer { request, code: None, message: None, data: None, count: None, stats: None };
    match outcome {
        Ok(Answer::Done) => {}
        Ok(Answer::Data(events)) => answer.data = Some(packed(&events).into()),
        Ok(Answer::Count(count)) => answer.count = Some(count as f64),
        Ok(Answer::Stats(stats)) => answer.stats = Some(figures(&stats)),
        Err(error) => {
            answer.code = Some(error.code.as_str().to_owned());
            answer.message = Some(error.message);
        }
    }
    answer
}

fn packed(events: &[Vec<u8>]) -> Vec<u8> {
    let bytes = events.iter().map(|event| event.len() + 4).sum();
    let mut packed = Vec::with_capacity(bytes);
    for event in events {
        packed.extend((event.len() as u32).to_le_bytes());
        packed.extend(event);
    }
    packed
}

fn figures(stats: &Stats) -> EventLogFigures {
    EventLogFigures {
        events: stats.events as f64,
        bytes: stats.bytes as f64,
        segments: stats.segments as f64,
        id_max: stats.id_max as f64,
        appended: stats.appended as f64,
        pruned: stats.pruned as f64,
        commits: stats.commits as f64,
        syncs: stats.syncs as f64,
        rewritten: stats.rewritten as f64,
        rebuilt: stats.rebuilt as f64,
        damaged_bytes: stats.damaged_bytes as f64,
    }
}
