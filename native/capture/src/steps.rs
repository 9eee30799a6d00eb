//! The protocol's accesses to shared words, one by one.

use foundation_sync::atomic::{AtomicU64, Ordering};

/// Which access of the protocol this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A producer looks whether a slot is free.
    SeeFree,
    /// A producer takes the next position.
    Claim,
    /// A producer hands its record over.
    Commit,
    /// A reader, or who drops, looks whether a slot is written.
    SeeWritten,
    /// A reader, or who drops, takes the oldest position.
    Take,
    /// A reader, or who drops, hands the slot to the next round.
    Free,
    /// The reader says that it sleeps.
    Arm,
    /// A producer looks whether the reader sleeps.
    Look,
    /// A producer takes it on itself to wake the reader.
    Ring,
    /// A producer says that it waits for room.
    Wait,
    /// The reader looks whether somebody waits for room.
    Notify,
}

/// How a step is done. Production does what it is told; the models plant their mistakes here.
pub trait Steps {
    /// Loads the word.
    fn load(&self, step: Step, word: &AtomicU64, ordering: Ordering) -> u64;

    /// Stores to the word.
    fn store(&self, step: Step, word: &AtomicU64, value: u64, ordering: Ordering);

    /// Exchanges the word's value.
    fn swap(&self, step: Step, word: &AtomicU64, value: u64, ordering: Ordering) -> u64;

    /// Reads the word's newest value, as a change of it does.
    fn newest(&self, step: Step, word: &AtomicU64, ordering: Ordering) -> u64;

    /// Moves a position on by one, if it is still `from`.
    fn advance(&self, step: Step, word: &AtomicU64, from: u64, ordering: Ordering) -> bool;
}

/// Each step as the protocol says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Steps for Plain {
    #[inline]
    fn load(&self, _step: Step, word: &AtomicU64, ordering: Ordering) -> u64 {
        word.load(ordering)
    }

    #[inline]
    fn store(&self, _step: Step, word: &AtomicU64, value: u64, ordering: Ordering) {
        word.store(value, ordering);
    }

    #[inline]
    fn swap(&self, _step: Step, word: &AtomicU64, value: u64, ordering: Ordering) -> u64 {
        word.swap(value, ordering)
    }

    #[inline]
    fn newest(&self, _step: Step, word: &AtomicU64, ordering: Ordering) -> u64 {
        word.fetch_add(0, ordering)
    }

    #[inline]
    fn advance(&self, _step: Step, word: &AtomicU64, from: u64, ordering: Ordering) -> bool {
        word.compare_exchange(from, from + 1, ordering, Ordering::Relaxed).is_ok()
    }
}
