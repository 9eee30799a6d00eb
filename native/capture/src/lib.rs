//! Rings that many threads write records into and one reads in batches: the capture rings of a
//! node.
//!
//! They are apart from the message rings (`foundation-ring`), which have one writer each and lie in
//! memory that JavaScript shares. Here a writer is never stopped half way by the end of an isolate:
//! claim, copy and commit are one call into this library, so a worker that is terminated has either
//! written its record or not.
//!
//! A record is a time stamp and bytes. Each slot keeps its memory and gives it to the next record,
//! so nothing is allocated once a ring has gone round. Bounds: `records_max` unread records of
//! `record_bytes_max` bytes a ring; of a slot that is free at most [`RETAINED_BYTES`] stay.
//!
//! ```
//! use foundation_capture::{Overflow, Reader, Rings, RingsOptions};
//!
//! let rings = Rings::new(RingsOptions {
//!     rings: 2,
//!     slots: 1024,
//!     records_max: 1000,
//!     record_bytes_max: 4096,
//!     overflow: Overflow::DropOldest,
//! })?;
//! let written = rings.ring(0).write(7, b"spawned");
//! assert_eq!(written, Ok(false), "nobody sleeps, so no doorbell rings");
//!
//! let mut reader = Reader::default();
//! let read = reader.drain(&rings, 100, |record| {
//!     assert_eq!((record.stamp, &record.bytes[..]), (7, &b"spawned"[..]));
//!     true
//! });
//! assert_eq!(read, 1);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod clock;
mod error;
mod line;
mod reader;
mod ring;
mod rings;
mod slot;
mod steps;

pub use clock::HybridClock;
pub use error::{OptionsError, Refused};
pub use reader::Reader;
pub use ring::{Overflow, Ring};
pub use rings::{Counters, RECORD_BYTES_MAX, RINGS_MAX, Rings, RingsOptions, SLOTS_MAX};
pub use slot::{RETAINED_BYTES, Record};
pub use steps::{Plain, Step, Steps};
