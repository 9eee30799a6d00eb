//! Whether many members were lost at once.
//!
//! Whoever lost all its neighbours together with its own life is missed by nobody's link: with half
//! of the members lost, and five links each, that is one in thirty. Strangers are probed more then.

use foundation_machine::Micros;

/// Losses are counted for so long, and many of them are remembered for as long.
const WINDOW: Micros = Micros::from_millis(10_000);

/// Members that were lost in the last seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Losses {
    count: usize,
    since: Micros,
    many_until: Micros,
}

impl Losses {
    /// One more is lost, and so many are left.
    pub(crate) fn add(&mut self, left: usize, now: Micros) {
        if now.since(self.since) > WINDOW {
            (self.count, self.since) = (0, now);
        }
        self.count += 1;
        // Fewer than one in ten leave one in a hundred thousand without a neighbour.
        if self.count >= 2 && self.count * 9 >= left {
            self.many_until = now + WINDOW;
        }
    }

    pub(crate) fn are_many(&self, now: Micros) -> bool {
        now < self.many_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Micros {
        Micros::from_millis(seconds * 1_000)
    }

    #[test]
    fn one_in_ten_within_ten_seconds_are_many_for_ten_more() {
        let mut losses = Losses::default();
        (1..10).for_each(|lost| losses.add(100 - lost, at(1)));
        assert!(!losses.are_many(at(1)));
        losses.add(90, at(2));
        assert!(losses.are_many(at(11)) && !losses.are_many(at(12)));
    }

    #[test]
    fn losses_one_by_one_are_not_many() {
        let mut losses = Losses::default();
        for turn in 0..50 {
            losses.add(100, at(turn * 2));
            assert!(!losses.are_many(at(turn * 2)));
        }
        let mut alone = Losses::default();
        alone.add(1, at(0));
        assert!(!alone.are_many(at(0)));
    }
}
