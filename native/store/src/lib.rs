//! A durable store of events (docs/events-warm.md). Events are appended to *segments*, files of
//! checked frames, and what a full segment has is written to an index in redb. The segments alone
//! are the truth: an index that is lost or damaged is made again from them.
//!
//! [`Store`] is synchronous and belongs to one thread; [`Worker`] is a thread that owns one, takes
//! commands from a bounded queue and commits the appends that wait there together.

#![forbid(unsafe_code)]

mod active;
mod cache;
mod catalog;
mod chunks;
mod commit;
mod error;
mod folder;
mod frame;
mod ordered;
mod query;
mod queue;
mod record;
mod recovery;
mod retention;
mod rewrite;
mod scan;
mod search;
mod segment;
mod store;
mod worker;

pub use error::{Code, StoreError};
pub use frame::Compression;
pub use query::Query;
pub use record::{RECORD_BYTES_MAX, RECORD_HEADER_BYTES, Record};
pub use store::{BYTES_MAX_LEAST, Durability, Options, Stats, Store};
pub use worker::{Answer, Command, Completion, Notify, Worker};
