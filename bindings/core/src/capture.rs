//! The capture rings of a node, as isolates see them.
//!
//! An isolate writes by one call that claims, copies and commits: no end of an isolate leaves a
//! record half written. The rings are made by the first record of any isolate and live as long as
//! the node, or the last isolate that opened them.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use foundation_capture::{Overflow, Reader, Refused, Rings, RingsOptions};
use foundation_node::{Doorbell, is_forked, refuse_fork};
use napi::{Env, JsValue, Unknown};

use crate::copies::{Bytes, bytes_of};
use crate::doorbell::Bell;
use crate::environment;
use crate::error::{Result, coded, from_core};
use crate::isolate::lock;
use crate::process;
use crate::{CaptureCounters, CaptureOptions, OpenedCapture};

/// Stamp (u64) and length (u32), little endian, in front of each record that is read.
const HEAD_BYTES: usize = 12;

/// The record was written.
const WRITTEN: u32 = 0;
/// No room; the record is the caller's.
const FULL: u32 = 1;
/// No room; the record was dropped and counted.
const DROPPED: u32 = 2;
/// The record is too long.
const TOO_LARGE: u32 = 3;

/// The capture of a node.
#[derive(Debug)]
pub(crate) struct Capture {
    options: RingsOptions,
    rings: OnceLock<Rings>,
    reader: Mutex<Reader>,
    /// Whom to wake for records, and to whom writers are told apart by.
    bells: Mutex<Bells>,
    writers: AtomicU32,
}

#[derive(Debug, Default)]
struct Bells {
    reader: Option<Arc<Bell>>,
    writers: Vec<Arc<WriterBell>>,
}

#[derive(Debug)]
struct WriterBell {
    bell: Arc<Bell>,
    /// Its isolate waits for room.
    is_waiting: AtomicBool,
}

/// A capture as an isolate holds it.
pub(crate) struct Opened {
    capture: Arc<Capture>,
    writer: u32,
    bell: Arc<WriterBell>,
}

impl Opened {
    /// The environment is going away, and its bell with it.
    pub(crate) fn tear_down(&self) {
        if is_forked() {
            return; // the locks may be held by threads left behind
        }
        self.bell.bell.silence();
        self.forget_bell();
    }

    fn forget_bell(&self) {
        let mut bells = lock(&self.capture.bells);
        bells.writers.retain(|other| !Arc::ptr_eq(other, &self.bell));
        if bells.reader.as_ref().is_some_and(|bell| Arc::ptr_eq(bell, &self.bell.bell)) {
            bells.reader = None;
        }
    }
}

impl Capture {
    fn new(options: RingsOptions) -> Result<Self> {
        // Checked here, so that the first record cannot fail by them.
        let invalid = |error| coded("invalid_options", format!("capture ring: {error}"));
        options.validate().map_err(invalid)?;
        Ok(Self {
            options,
            rings: OnceLock::new(),
            reader: Mutex::default(),
            bells: Mutex::default(),
            writers: AtomicU32::new(0),
        })
    }

    /// The rings, made now if this is the first record.
    fn rings(&self) -> &Rings {
        self.rings.get_or_init(|| {
            let rings = Rings::checked(self.options);
            // The reader sleeps, or will look once more before it does.
            let _ = rings.arm(NonZeroU32::MIN, 0);
            rings
        })
    }

    fn wake_reader(&self) {
        // A lock that is held for a moment only, and only where the reader sleeps.
        let bell = lock(&self.bells).reader.clone();
        if let Some(bell) = bell {
            bell.ring();
        }
    }

    fn wake_waiting(&self) {
        let bells = lock(&self.bells);
        for writer in &bells.writers {
            // AcqRel: its isolate raises this before it says that it waits.
            if writer.is_waiting.swap(false, Ordering::AcqRel) {
                writer.bell.ring();
            }
        }
    }
}

/// The configuration's word.
fn word_of(overflow: Overflow) -> &'static str {
    match overflow {
        Overflow::DropOldest => "drop_oldest",
        Overflow::DropNewest => "drop_newest",
        Overflow::Block => "block",
    }
}

/// The options of JavaScript.
fn options_of(options: &CaptureOptions) -> Result<RingsOptions> {
    let mut known = [Overflow::DropOldest, Overflow::DropNewest, Overflow::Block].into_iter();
    let Some(overflow) = known.find(|known| word_of(*known) == options.overflow) else {
        return Err(coded("invalid_options", "no such overflow strategy"));
    };
    Ok(RingsOptions {
        rings: options.rings,
        slots: options.slots,
        records_max: options.records_max,
        record_bytes_max: options.record_bytes_max,
        overflow,
    })
}

fn with<T>(capture: u32, work: impl FnOnce(&Opened) -> T) -> Result<T> {
    refuse_fork().map_err(from_core)?;
    environment::with(|environment| {
        let opened = environment.captures.get(capture as usize).and_then(Option::as_ref);
        opened.map(work).ok_or_else(|| coded("not_attached", "this isolate closed the capture"))
    })
}

pub(crate) fn open(
    env: &Env,
    node: u32,
    options: &CaptureOptions,
    wake: &Unknown,
    is_reader: bool,
) -> Result<OpenedCapture> {
    let place = process::node(node)?.capture;
    let made = Arc::new(Capture::new(options_of(options)?)?);
    let capture = Arc::clone(place.get_or_init(|| made));
    let raw = env.raw();
    let mark = environment::with(|environment| environment.mark(raw));
    let bell = Bell::new(raw, wake.raw(), mark)?;
    bell.set_referenced(raw, false)?;
    let bell = Arc::new(WriterBell { bell, is_waiting: AtomicBool::new(false) });
    {
        let mut bells = lock(&capture.bells);
        bells.writers.push(Arc::clone(&bell));
        if is_reader {
            bells.reader = Some(Arc::clone(&bell.bell));
        }
    }
    let writer = capture.writers.fetch_add(1, Ordering::Relaxed); // a count; it orders nothing
    let RingsOptions { rings, slots, records_max, record_bytes_max, overflow } = capture.options;
    let overflow = word_of(overflow).to_owned();
    let capture = environment::with(|environment| {
        environment.add_hooks(raw)?;
        let captures = &mut environment.captures;
        let free = captures.iter().position(Option::is_none).unwrap_or(captures.len());
        if free == captures.len() {
            captures.push(None);
        }
        captures[free] = Some(Opened { capture, writer, bell });
        Ok::<u32, napi::Error<String>>(free as u32)
    })?;
    Ok(OpenedCapture { capture, rings, slots, records_max, record_bytes_max, overflow })
}

pub(crate) fn close(capture: u32) {
    if is_forked() {
        return;
    }
    let opened = environment::with(|environment| {
        environment.captures.get_mut(capture as usize).and_then(Option::take)
    });
    if let Some(opened) = opened {
        opened.forget_bell();
        opened.bell.bell.release();
    }
}

/// Writes the bytes from `start` to `end` of `source` as a record of now.
pub(crate) fn write(env: &Env, capture: u32, source: &Unknown, range: (u32, u32)) -> Result<u32> {
    let Bytes { data, length } = bytes_of(env, source)?;
    let (start, end) = (range.0 as usize, range.1 as usize);
    if start > end || end > length {
        return Err(coded("internal", "a record lies inside of its source"));
    }
    // SAFETY: checked to lie inside of the array, which JavaScript does not touch before this
    // returns; where another isolate shares its memory, torn bytes are all that comes of it.
    let bytes = unsafe { std::slice::from_raw_parts(data.add(start), end - start) };
    with(capture, |opened| {
        let rings = opened.capture.rings();
        let stamp = rings.clock.stamp(wall_ms());
        match rings.ring(opened.writer).write(stamp, bytes) {
            Ok(true) => {
                opened.capture.wake_reader();
                WRITTEN
            }
            Ok(false) => WRITTEN,
            Err(Refused::Full) => FULL,
            Err(Refused::Dropped) => DROPPED,
            Err(_) => TOO_LARGE,
        }
    })
}

/// Asks to be woken when there is room. `false`: there is room now.
pub(crate) fn await_space(capture: u32) -> Result<bool> {
    with(capture, |opened| {
        opened.bell.is_waiting.store(true, Ordering::Release); // before it says so below
        let waits = opened.capture.rings().ring(opened.writer).await_space();
        if waits {
            // Room comes by reading, and nothing that waits for more records may delay that.
            opened.capture.wake_reader();
        }
        waits
    })
}

/// Counts a record that was given up for want of room.
pub(crate) fn count_dropped(capture: u32) -> Result<()> {
    with(capture, |opened| opened.capture.rings().ring(opened.writer).count_dropped())
}

/// Fills `target` with at most `records_max` records; answers how many.
pub(crate) fn drain(env: &Env, capture: u32, target: &Unknown, records_max: u32) -> Result<u32> {
    let Bytes { data, length } = bytes_of(env, target)?;
    with(capture, |opened| {
        let capture = &opened.capture;
        if length < HEAD_BYTES + capture.options.record_bytes_max as usize {
            return Err(coded("internal", "the longest record does not fit"));
        }
        let Some(rings) = capture.rings.get() else { return Ok(0) };
        let mut at = 0;
        let read = lock(&capture.reader).drain(rings, records_max, |record| {
            let size = record.bytes.len();
            if length - at < HEAD_BYTES + size {
                return false;
            }
            // SAFETY: the head and the bytes fit, by the check above, and the array is JavaScript's
            // alone, which waits for this call.
            unsafe {
                let place = data.add(at);
                place.copy_from_nonoverlapping(record.stamp.to_le_bytes().as_ptr(), 8);
                let length = (size as u32).to_le_bytes();
                place.add(8).copy_from_nonoverlapping(length.as_ptr(), 4);
                place.add(HEAD_BYTES).copy_from_nonoverlapping(record.bytes.as_ptr(), size);
            }
            at += HEAD_BYTES + size;
            true
        });
        if rings.have_waiting() {
            capture.wake_waiting();
        }
        Ok(read)
    })?
}

/// Tells that the reader is about to sleep until so many records are unread. `false`: they are.
pub(crate) fn arm(capture: u32, records: u32) -> Result<bool> {
    with(capture, |opened| {
        let Some(rings) = opened.capture.rings.get() else { return true };
        let records = NonZeroU32::new(records).unwrap_or(NonZeroU32::MIN);
        rings.arm(records, lock(&opened.capture.reader).kept())
    })
}

pub(crate) fn counters(capture: u32) -> Result<CaptureCounters> {
    let counters = with(capture, |opened| opened.capture.rings.get().map(Rings::counters))?;
    let counters = counters.unwrap_or_default();
    Ok(CaptureCounters {
        write_position: counters.write_position as f64,
        read_position: counters.read_position as f64,
        writes: counters.writes as f64,
        reads: counters.reads as f64,
        dropped: counters.dropped as f64,
    })
}

/// Milliseconds since 1970; 0 where the clock stands before.
fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_millis() as u64)
}
