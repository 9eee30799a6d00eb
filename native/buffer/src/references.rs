//! The counts of one slab: who keeps it alive, and how much of that was given away as handles.
//!
//! Two words, each a generation and a count, exchanged whole. `total` counts every reference;
//! `given` those that exist as handles only. A holder of bytes is counted in `total` alone, so
//! wrong handles can use up `given` but never the holder's share.

use foundation_sync::atomic::{AtomicU64, Ordering};

/// What became of a slab when one reference was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remaining {
    /// Others hold it.
    Some,
    /// It was the last. Its generation is over; the place may be used again.
    None,
    /// It was the last, and the generations of this place are used up.
    Retired,
}

/// A count and the generation it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    generation: u32,
    count: u32,
}

impl Count {
    fn from_bits(bits: u64) -> Self {
        Self { generation: (bits >> 32) as u32, count: bits as u32 }
    }

    fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.count)
    }
}

#[derive(Debug)]
pub(crate) struct References {
    total: AtomicU64,
    given: AtomicU64,
}

impl References {
    /// A place never used; its first generation is 1.
    pub(crate) fn unused() -> Self {
        let total = Count { generation: 1, count: 0 };
        Self { total: AtomicU64::new(total.to_bits()), given: AtomicU64::new(0) }
    }

    /// Begins a generation with one holder. Only for whoever took the place from the table's free
    /// list.
    pub(crate) fn begin(&self) -> u32 {
        let Count { generation, .. } = Count::from_bits(self.total.load(Ordering::Relaxed));
        self.given.store(Count { generation, count: 0 }.to_bits(), Ordering::Relaxed);
        // Release: whoever finds the slab live, by the count, also finds its extent.
        self.total.store(Count { generation, count: 1 }.to_bits(), Ordering::Release);
        generation
    }

    /// One holder more. Only for holders. `false`: the count is at its end.
    #[must_use]
    pub(crate) fn add(&self) -> bool {
        let more = |bits| {
            let Count { generation, count } = Count::from_bits(bits);
            Some(Count { generation, count: count.checked_add(1)? }.to_bits())
        };
        // Relaxed: who holds a reference already is ordered behind the slab's beginning.
        self.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// One holder less. Only for holders.
    pub(crate) fn remove(&self) -> Remaining {
        let mut after = Count { generation: 0, count: 0 };
        let less = |bits| {
            let Count { generation, count } = Count::from_bits(bits);
            after = match count {
                0 | 1 => Count { generation: generation.wrapping_add(1), count: 0 },
                _ => Count { generation, count: count - 1 },
            };
            Some(after.to_bits())
        };
        // Release: our reads end before the pages are used again. Acquire, if we are the last: the
        // same of all others. The closure always answers `Some`, so there is no error to look at.
        let _ = self.total.fetch_update(Ordering::AcqRel, Ordering::Relaxed, less);
        match after {
            Count { generation: 0, count: 0 } => Remaining::Retired,
            Count { count: 0, .. } => Remaining::None,
            _ => Remaining::Some,
        }
    }

    /// The caller's reference becomes a handle. Only for holders.
    pub(crate) fn give(&self) {
        // Never carries into the generation: `given` is at most `total`. Release: hands over what
        // the giver wrote to whoever takes the reference back.
        self.given.fetch_add(1, Ordering::Release);
    }

    /// A handle's reference becomes the caller's. `false`: `generation` is over or has no handle
    /// left.
    #[must_use]
    pub(crate) fn take(&self, generation: u32) -> bool {
        let less = |bits| {
            let given = Count::from_bits(bits);
            let count = given.count.checked_sub(1)?;
            (given.generation == generation).then_some(Count { count, ..given }.to_bits())
        };
        // Acquire: pairs with `give`. AcqRel keeps the chain when several take from several.
        self.given.fetch_update(Ordering::AcqRel, Ordering::Relaxed, less).is_ok()
    }

    /// Generation and number of all references, if there are any.
    pub(crate) fn live(&self) -> Option<(u32, u32)> {
        let total = Count::from_bits(self.total.load(Ordering::Acquire));
        (total.count > 0).then_some((total.generation, total.count))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Count, Ordering, References, Remaining};

    #[test]
    fn a_generation_ends_with_its_last_reference() {
        let references = References::unused();
        let generation = references.begin();
        assert!(references.add());
        assert_eq!(references.remove(), Remaining::Some);
        references.give();
        assert!(references.take(generation));
        assert!(!references.take(generation), "one was given, two were taken");
        assert_eq!(references.remove(), Remaining::None);
        assert_eq!(references.live(), None);
        assert_eq!(references.begin(), generation + 1);
        references.give();
        assert!(!references.take(generation), "a handle of the generation before");
    }

    #[test]
    fn the_last_generation_retires_its_place() {
        let references = References::unused();
        let last = Count { generation: u32::MAX, count: 0 };
        references.total.store(last.to_bits(), Ordering::Relaxed);
        assert_eq!(references.begin(), u32::MAX);
        assert_eq!(references.remove(), Remaining::Retired);
    }

    #[test]
    fn a_count_at_its_end_is_refused() {
        let references = References::unused();
        let full = Count { generation: references.begin(), count: u32::MAX };
        references.total.store(full.to_bits(), Ordering::Relaxed);
        assert!(!references.add());
        assert_eq!(references.live(), Some((full.generation, u32::MAX)));
    }
}

/// Run: `RUSTFLAGS="--cfg loom" cargo test -p foundation-buffer --release --lib`
#[cfg(all(test, loom))]
mod loom_tests {
    use std::sync::Arc;

    use foundation_sync::{cell::UnsafeCell, thread};

    use super::{References, Remaining};

    /// A slab's counts, and its bytes as far as loom cares.
    struct Watched {
        references: References,
        bytes: UnsafeCell<()>,
    }

    // SAFETY: loom itself fails the model when two accesses to `bytes` are not ordered.
    unsafe impl Sync for Watched {}

    impl Watched {
        fn new() -> Arc<Self> {
            Arc::new(Self { references: References::unused(), bytes: UnsafeCell::new(()) })
        }
    }

    #[test]
    fn of_two_holders_exactly_one_is_last_and_sees_the_other_done() {
        loom::model(|| {
            let shared = Watched::new();
            let _ = shared.references.begin();
            assert!(shared.references.add());
            let drop_one = |shared: &Watched| {
                shared.bytes.with(|_| ()); // a read of the slab
                let is_last = shared.references.remove() == Remaining::None;
                if is_last {
                    shared.bytes.with_mut(|_| ()); // its pages are written again
                }
                is_last
            };
            let other = Arc::clone(&shared);
            let other = thread::spawn(move || drop_one(&other));
            let is_last = drop_one(&shared);
            assert_ne!(is_last, other.join().expect("finished"));
        });
    }

    #[test]
    fn of_two_takers_of_one_handle_exactly_one_succeeds_and_sees_what_was_written() {
        loom::model(|| {
            let shared = Watched::new();
            let generation = shared.references.begin();
            let take = move |shared: &Watched| {
                let took = shared.references.take(generation);
                if took {
                    shared.bytes.with(|_| ());
                    assert_eq!(shared.references.remove(), Remaining::None);
                }
                took
            };
            let other = Arc::clone(&shared);
            let other = thread::spawn(move || take(&other));
            shared.bytes.with_mut(|_| ());
            shared.references.give();
            let took = take(&shared);
            assert_ne!(took, other.join().expect("finished"));
        });
    }
}
