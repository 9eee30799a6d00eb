//! A node's own clock, which may run slow or fast.

use foundation_machine::Micros;

/// Virtual time of a run to the time of one node and back. Never runs backwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    from_run: u64,
    from_own: u64,
    millionths: u64,
}

/// The rate of a clock that is right.
pub(crate) const TRUE_RATE: u64 = 1_000_000;

impl Default for Clock {
    fn default() -> Self {
        Clock { from_run: 0, from_own: 0, millionths: TRUE_RATE }
    }
}

impl Clock {
    /// What the node reads.
    pub(crate) fn own(&self, run: Micros) -> Micros {
        let passed = run.0.saturating_sub(self.from_run);
        Micros(self.from_own + passed * self.millionths / TRUE_RATE)
    }

    /// The first point of the run at which the node reads at least that.
    pub(crate) fn run(&self, own: Micros) -> Micros {
        if own == Micros::NEVER {
            return own;
        }
        let ahead = own.0.saturating_sub(self.from_own);
        Micros(self.from_run + (ahead * TRUE_RATE).div_ceil(self.millionths))
    }

    /// From now on the clock runs at that rate.
    pub(crate) fn set_rate(&mut self, millionths: u64, now: Micros) {
        self.from_own = self.own(now).0;
        self.from_run = now.0;
        self.millionths = millionths;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_never_jumps_and_wakes_no_earlier_than_asked() {
        let mut clock = Clock::default();
        clock.set_rate(1_500_000, Micros(1_000));
        assert_eq!(clock.own(Micros(1_000)), Micros(1_000));
        assert_eq!(clock.own(Micros(2_000)), Micros(2_500));
        clock.set_rate(333_333, Micros(2_000));
        assert_eq!(clock.own(Micros(2_000)), Micros(2_500));
        for own in 2_500..2_600 {
            let run = clock.run(Micros(own));
            assert!(clock.own(run) >= Micros(own), "{own}");
            assert!(run.0 == 2_000 || clock.own(Micros(run.0 - 1)) < Micros(own), "{own}");
        }
        assert_eq!(clock.run(Micros::NEVER), Micros::NEVER);
    }
}
