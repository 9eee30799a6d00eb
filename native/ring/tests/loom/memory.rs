//! Ring memory that loom watches, and the ways to weaken what the algorithm asks of it.
//!
//! The algorithm itself knows nothing of weakenings: each is planted between it and the words,
//! where it turns one step into the mistake that an author would make.

use std::{ops::Range, sync::Arc};

use foundation_ring::{Memory, layout};
use foundation_sync::{
    atomic::{AtomicU32, Ordering},
    cell::UnsafeCell,
};
use layout::{ARMED, HEAD, TAIL, WAITING};

/// The data area of every model: room for two records of 8 bytes, or one that needs padding.
pub(crate) const CAPACITY: u32 = layout::CAPACITY_BYTES_MIN;

const UNITS: usize = CAPACITY as usize / 8;

/// A mistake planted into the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weakening {
    None,
    /// The tail is stored relaxed, so the records behind it need not be visible.
    TailRelaxed,
    /// The head is stored relaxed, so reads may still run when the room is written again.
    HeadRelaxed,
    /// The head is published while the consumer still reads.
    HeadBeforeRead,
    /// The producer loads and stores `ARMED` instead of swapping it.
    ArmedStoredByProducer,
    /// The consumer stores `ARMED` instead of swapping it.
    ArmedStoredByConsumer,
    /// The consumer looks for records, then arms, and sleeps by what it saw before.
    TailBeforeArmed,
    /// The producer asks whether the consumer sleeps, then publishes.
    ArmedBeforeTail,
    /// The swaps of `ARMED` order nothing.
    ArmedRelaxed,
    /// The consumer loads `WAITING` and swaps only if it is 1.
    WaitingLoadedByConsumer,
    /// The producer looks for room, then says that it waits, and waits by what it saw before.
    HeadBeforeWaiting,
}

/// The words and bytes that both halves share.
pub(crate) struct Words {
    tail: AtomicU32,
    head: AtomicU32,
    armed: AtomicU32,
    waiting: AtomicU32,
    /// Loom checks that accesses to each unit are ordered.
    watched: [UnsafeCell<()>; UNITS],
    /// The bytes; loom runs one thread at a time, so they need no protection of their own.
    units: std::cell::UnsafeCell<[u64; UNITS]>,
}

// SAFETY: `units` is reached by one thread at a time (see there); the rest is loom's.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    /// An empty ring whose positions begin at `position`. Counted by std: loom's count would add
    /// branches that say nothing about the ring, and cannot be dropped once a model failed.
    pub(crate) fn at(position: u32) -> Arc<Self> {
        Arc::new(Self {
            tail: AtomicU32::new(position),
            head: AtomicU32::new(position),
            armed: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            watched: std::array::from_fn(|_| UnsafeCell::new(())),
            units: std::cell::UnsafeCell::new([0; UNITS]),
        })
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        match offset {
            TAIL => &self.tail,
            HEAD => &self.head,
            ARMED => &self.armed,
            WAITING => &self.waiting,
            _ => panic!("the algorithm has no word at {offset}"),
        }
    }
}

/// One half's view of the words, with a mistake in between. Not shared: each half has its own.
pub(crate) struct Watched {
    words: Arc<Words>,
    weakening: Weakening,
    /// A position loaded too early, to be answered at the next load.
    stale: std::cell::Cell<Option<u32>>,
    /// A read or a swap put off until after a position is published.
    late_reads: std::cell::RefCell<Vec<Range<usize>>>,
}

impl Watched {
    pub(crate) fn new(words: &Arc<Words>, weakening: Weakening) -> Self {
        let (stale, late_reads) = Default::default();
        Self { words: Arc::clone(words), weakening, stale, late_reads }
    }

    fn is(&self, weakening: Weakening) -> bool {
        self.weakening == weakening
    }

    fn watch_read(&self, range: Range<usize>) {
        for unit in range.start / 8..range.end.div_ceil(8) {
            self.words.watched[unit].with(|_| ());
        }
    }

    /// Loads then stores, as if nobody could come between.
    fn exchange_in_two_steps(&self, offset: usize, value: u32) -> u32 {
        let before = self.words.word(offset).load(Ordering::Acquire);
        self.words.word(offset).store(value, Ordering::Release);
        before
    }
}

// SAFETY: the units are as many as `data_bytes` says, aligned as u64, and live as long as `words`.
unsafe impl Memory for Watched {
    fn data(&self) -> *mut u8 {
        self.words.units.get().cast()
    }

    fn data_bytes(&self) -> usize {
        CAPACITY as usize
    }

    fn load_u32(&self, offset: usize, ordering: Ordering) -> u32 {
        match self.stale.take() {
            Some(position) if offset == TAIL || offset == HEAD => position,
            _ => self.words.word(offset).load(ordering),
        }
    }

    fn store_u32(&self, offset: usize, value: u32, ordering: Ordering) {
        let is_relaxed = offset == TAIL && self.is(Weakening::TailRelaxed)
            || offset == HEAD && self.is(Weakening::HeadRelaxed);
        if offset == TAIL && self.is(Weakening::ArmedBeforeTail) {
            self.stale.set(Some(self.words.word(ARMED).swap(0, Ordering::AcqRel)));
        }
        let ordering = if is_relaxed { Ordering::Relaxed } else { ordering };
        self.words.word(offset).store(value, ordering);
        for range in self.late_reads.take() {
            self.watch_read(range);
        }
    }

    fn swap_u32(&self, offset: usize, value: u32, ordering: Ordering) -> u32 {
        let word = self.words.word(offset);
        match (self.weakening, offset, value) {
            (Weakening::ArmedStoredByProducer, ARMED, 0)
            | (Weakening::ArmedStoredByConsumer, ARMED, 1) => {
                self.exchange_in_two_steps(offset, value)
            }
            (Weakening::TailBeforeArmed, ARMED, 1) => {
                self.stale.set(Some(self.words.tail.load(Ordering::Acquire)));
                word.swap(value, ordering)
            }
            (Weakening::HeadBeforeWaiting, WAITING, 1) => {
                self.stale.set(Some(self.words.head.load(Ordering::Acquire)));
                word.swap(value, ordering)
            }
            (Weakening::ArmedBeforeTail, ARMED, 0) => match self.stale.take() {
                Some(before) => before,
                None => word.swap(value, ordering),
            },
            (Weakening::ArmedRelaxed, ARMED, _) => word.swap(value, Ordering::Relaxed),
            (Weakening::WaitingLoadedByConsumer, WAITING, 0) => {
                if word.load(Ordering::Acquire) == 0 { 0 } else { word.swap(value, ordering) }
            }
            _ => word.swap(value, ordering),
        }
    }

    fn note_read(&self, range: Range<usize>) {
        if self.is(Weakening::HeadBeforeRead) {
            self.late_reads.borrow_mut().push(range);
        } else {
            self.watch_read(range);
        }
    }

    fn note_write(&self, range: Range<usize>) {
        for unit in range.start / 8..range.end.div_ceil(8) {
            self.words.watched[unit].with_mut(|_| ());
        }
    }
}
