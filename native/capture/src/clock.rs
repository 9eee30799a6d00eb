//! Time stamps that never repeat and never run backwards.

use foundation_sync::atomic::{AtomicU64, Ordering};

/// Bits of a stamp that count within a millisecond.
const COUNT_BITS: u32 = 16;

/// A hybrid clock: milliseconds since 1970 in the upper 48 bits, a count in the lower 16.
///
/// Stamps of all threads are in one order. A wall clock that stands still or jumps back only makes
/// the count run on, past 65,536 into the milliseconds.
#[derive(Debug, Default)]
pub struct HybridClock {
    last: AtomicU64,
}

impl HybridClock {
    /// A clock that has told no time yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next stamp, above every one told before.
    #[inline]
    pub fn stamp(&self, wall_ms: u64) -> u64 {
        let wall = wall_ms << COUNT_BITS;
        // Relaxed throughout: all that counts is the order of changes of this one word. Of those
        // who raise it to `wall`, one finds it lower; each `fetch_add` finds another value.
        if self.last.load(Ordering::Relaxed) < wall
            && self.last.fetch_max(wall, Ordering::Relaxed) < wall
        {
            return wall;
        }
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::HybridClock;

    #[test]
    fn a_later_millisecond_begins_its_own_count() {
        let clock = HybridClock::new();
        assert_eq!(clock.stamp(5), 5 << 16);
        assert_eq!(clock.stamp(5), (5 << 16) + 1);
        assert_eq!(clock.stamp(6), 6 << 16);
    }

    #[test]
    fn a_wall_clock_that_jumps_back_does_not_take_the_stamps_along() {
        let clock = HybridClock::new();
        clock.stamp(9);
        assert_eq!([clock.stamp(3), clock.stamp(9)], [(9 << 16) + 1, (9 << 16) + 2]);
    }

    #[test]
    fn more_stamps_than_a_millisecond_counts_run_into_the_next() {
        let clock = HybridClock::new();
        let last = (0..=65_536).map(|_| clock.stamp(1)).last();
        assert_eq!(last, Some(2 << 16));
        assert_eq!(clock.stamp(2), (2 << 16) + 1);
    }
}
