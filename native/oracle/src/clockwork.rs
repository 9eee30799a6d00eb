//! Virtual time for whatever is driven: events in the order of their time, delays of pairs.

use std::collections::BTreeMap;

use foundation_machine::{Micros, Rng};

/// Events to come. Two of one time come in the order they were set.
pub struct Clockwork<E> {
    pub now: Micros,
    coming: BTreeMap<(Micros, u64), E>,
    count: u64,
    seed: u64,
}

impl<E> Clockwork<E> {
    pub fn new(seed: u64) -> Self {
        // No machine starts at zero: a difference to the origin would be no time at all.
        Clockwork { now: Micros(1_000_000), coming: BTreeMap::new(), count: 0, seed }
    }

    pub fn after(&mut self, wait: Micros, event: E) {
        self.count += 1;
        self.coming.insert((self.now + wait, self.count), event);
    }

    /// The next event that is due by then, and time has come to it.
    pub fn next(&mut self, end: Micros) -> Option<E> {
        let due = self.coming.first_key_value().is_some_and(|((at, _), _)| *at <= end);
        if !due {
            self.now = self.now.max(end);
            return None;
        }
        let ((at, _), event) = self.coming.pop_first()?;
        self.now = self.now.max(at);
        Some(event)
    }

    /// 10 to 50 ms, the same for a pair of nodes in every system of one seed.
    pub fn delay(&self, a: u32, b: u32) -> Micros {
        let pair = u64::from(a.min(b)) << 32 | u64::from(a.max(b));
        Micros(10_000 + u64::from(Rng::of_stream(self.seed, pair).below(40_000)))
    }
}
