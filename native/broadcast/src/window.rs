//! Which broadcasts of which origins are known.

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::{Micros, PeerId};

use crate::io::BroadcastId;

/// Runs of known sequences above the low-water mark, per origin. With more, the lowest gap is given
/// up: a payload that late is not waited for.
const RANGES_MAX: usize = 256;

/// A run of known sequences.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// When the first of the run came: since then the gap below it has been waiting.
    since: Micros,
}

/// What is known of one origin: everything below `low`, and some runs above.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) low: u64,
    pub(crate) ranges: Vec<Range>,
    heard: Micros,
}

impl Known {
    pub(crate) fn contains(&self, sequence: u64) -> bool {
        sequence < self.low || self.ranges.iter().any(|r| (r.first..=r.last).contains(&sequence))
    }

    /// Whether it was new.
    fn insert(&mut self, sequence: u64, now: Micros) -> bool {
        if self.contains(sequence) {
            return false;
        }
        let at = self.ranges.partition_point(|range| range.last < sequence);
        let joins_lower = at > 0 && self.ranges[at - 1].last + 1 == sequence;
        let joins_upper = at < self.ranges.len() && self.ranges[at].first == sequence + 1;
        match (joins_lower, joins_upper) {
            (true, true) => {
                self.ranges[at - 1].last = self.ranges[at].last;
                self.ranges.remove(at);
            }
            (true, false) => self.ranges[at - 1].last = sequence,
            (false, true) => self.ranges[at].first = sequence,
            (false, false) => {
                self.ranges.insert(at, Range { first: sequence, last: sequence, since: now });
            }
        }
        self.absorb();
        true
    }

    /// A run that begins at the mark is below it.
    fn absorb(&mut self) {
        while self.ranges.first().is_some_and(|range| range.first <= self.low) {
            self.low = self.ranges.remove(0).last + 1;
        }
    }

    fn give_up_lowest_gap(&mut self) -> u64 {
        let Some(first) = self.ranges.first().map(|range| range.first) else { return 0 };
        let gap = first - self.low;
        self.low = first;
        self.absorb();
        gap
    }
}

/// What became of an id that was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    New,
    Known,
    /// Too many origins, all heard of lately.
    Refused,
}

/// What is known of all origins, bounded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    origins: BTreeMap<PeerId, Known>,
    by_heard: BTreeSet<(Micros, PeerId)>,
    gapped: BTreeSet<PeerId>,
    /// Sequences that were given up.
    pub(crate) given_up: u64,
}

impl Window {
    pub(crate) fn contains(&self, id: BroadcastId) -> bool {
        self.origins.get(&id.origin).is_some_and(|known| known.contains(id.sequence))
    }

    pub(crate) fn known(&self, origin: PeerId) -> Option<&Known> {
        self.origins.get(&origin)
    }

    pub(crate) fn origins(&self) -> usize {
        self.origins.len()
    }

    /// Origins by when they were last heard of, the latest first.
    pub(crate) fn lately(&self) -> impl Iterator<Item = (Micros, PeerId)> + '_ {
        self.by_heard.iter().rev().copied()
    }

    pub(crate) fn note(
        &mut self,
        id: BroadcastId,
        now: Micros,
        origins_max: usize,
        forget_after: Micros,
    ) -> Noted {
        if !self.origins.contains_key(&id.origin) && self.origins.len() >= origins_max {
            let Some(&(heard, oldest)) = self.by_heard.first() else { return Noted::Refused };
            if now.since(heard) < forget_after {
                return Noted::Refused;
            }
            self.forget(oldest);
        }
        let known = self.origins.entry(id.origin).or_default();
        if !known.insert(id.sequence, now) {
            return Noted::Known;
        }
        self.by_heard.remove(&(known.heard, id.origin));
        known.heard = now;
        self.by_heard.insert((now, id.origin));
        if known.ranges.len() > RANGES_MAX {
            self.given_up += known.give_up_lowest_gap();
        }
        if known.ranges.is_empty() {
            self.gapped.remove(&id.origin);
        } else {
            self.gapped.insert(id.origin);
        }
        Noted::New
    }

    /// Gives gaps up that have waited for longer than that.
    pub(crate) fn expire(&mut self, now: Micros, gap_kept: Micros) {
        let gapped: Vec<PeerId> = self.gapped.iter().copied().collect();
        for origin in gapped {
            let Some(known) = self.origins.get_mut(&origin) else { continue };
            while known.ranges.first().is_some_and(|range| now.since(range.since) > gap_kept) {
                self.given_up += known.give_up_lowest_gap();
            }
            if known.ranges.is_empty() {
                self.gapped.remove(&origin);
            }
        }
    }

    /// Forgets origins that have been silent for longer than that: what a planted bug does.
    pub(crate) fn forget_silent(&mut self, now: Micros, silent: Micros) {
        while let Some(&(heard, origin)) = self.by_heard.first()
            && now.since(heard) > silent
        {
            self.forget(origin);
        }
    }

    fn forget(&mut self, origin: PeerId) {
        if let Some(known) = self.origins.remove(&origin) {
            self.by_heard.remove(&(known.heard, origin));
        }
        self.gapped.remove(&origin);
    }
}

#[cfg(test)]
mod tests {
    use foundation_machine::{NodeLife, NodeNo, Rng};

    use super::*;

    fn id(node: u32, sequence: u64) -> BroadcastId {
        let origin = PeerId { node: NodeNo(node), life: NodeLife::default() };
        BroadcastId { origin, sequence }
    }

    fn note(window: &mut Window, id: BroadcastId, now: u64) -> Noted {
        window.note(id, Micros(now), 2, Micros(100))
    }

    #[test]
    fn sequences_in_any_order_are_each_new_once_and_end_as_one_mark() {
        for seed in 0..50 {
            let mut rng = Rng::new(seed);
            let mut order: Vec<u64> = (0..200).chain(0..200).collect();
            rng.shuffle(&mut order);
            let mut window = Window::default();
            let new = order.iter().filter(|&&s| note(&mut window, id(1, s), 0) == Noted::New);
            assert_eq!(new.count(), 200, "seed {seed}");
            let known = window.known(id(1, 0).origin).expect("noted");
            assert_eq!((known.low, known.ranges.len()), (200, 0), "seed {seed}");
        }
    }

    #[test]
    fn a_gap_that_nobody_fills_is_given_up_and_then_counts_as_known() {
        let mut window = Window::default();
        note(&mut window, id(1, 0), 0);
        note(&mut window, id(1, 5), 10);
        window.expire(Micros(110), Micros(100));
        assert!(!window.contains(id(1, 3)));
        window.expire(Micros(111), Micros(100));
        assert!(window.contains(id(1, 3)));
        assert_eq!(window.given_up, 4);
        assert_eq!(note(&mut window, id(1, 6), 112), Noted::New);
    }

    #[test]
    fn more_runs_than_the_bound_give_the_lowest_gap_up() {
        let mut window = Window::default();
        for run in 0..=RANGES_MAX as u64 {
            note(&mut window, id(1, 10 + 2 * run), 0);
        }
        assert!(window.contains(id(1, 4)));
        assert!(!window.contains(id(1, 11)));
    }

    #[test]
    fn a_silent_origin_makes_room_and_a_lively_one_does_not() {
        let mut window = Window::default();
        note(&mut window, id(1, 0), 0);
        note(&mut window, id(2, 0), 50);
        assert_eq!(note(&mut window, id(3, 0), 99), Noted::Refused);
        assert_eq!(note(&mut window, id(3, 0), 100), Noted::New);
        assert!(!window.contains(id(1, 0)));
        assert!(window.contains(id(2, 0)));
    }
}
