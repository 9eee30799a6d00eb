//! For how long a kernel thread could not hear its peers: it was stopped, starved of a core, or had
//! more to do than it can. What they said meanwhile lies unread, so that time is no silence of
//! theirs. The rest is: a thread that loses time again and again finds a silent peer later, yet
//! finds it.

use foundation_link::Micros;

/// Of a round, or of a tick's delay, this much counts all the same. Where a thread serves both ends
/// of a link, an answer takes it up to four rounds: half of what a link waits for one. So a silent
/// peer is found within as many rounds as this fits into `silentAfterMs`, 18 by default.
pub(crate) const COUNTED: Micros = Micros::from_millis(150);

/// What was lost, looked at with each tick.
#[derive(Debug, Default)]
pub(crate) struct LostTime {
    total: Micros,
    /// What rounds had lost at the last tick.
    by_rounds: Micros,
}

impl LostTime {
    /// A tick that was planned for an earlier time; `by_rounds` is what rounds have lost so far. A
    /// round that was too long may be why the tick is late, so the longer one counts.
    pub(crate) fn tick(&mut self, now: Micros, planned: Micros, by_rounds: Micros) {
        let in_rounds = by_rounds.since(std::mem::replace(&mut self.by_rounds, by_rounds));
        self.total = self.total + in_rounds.max(now.since(planned + COUNTED));
    }

    /// All that was lost so far.
    pub(crate) fn total(&self) -> Micros {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Pace;

    const SILENT: Micros = Micros::from_millis(2_700);

    fn at(millis: u64) -> Micros {
        Micros::from_millis(millis)
    }

    /// A thread by a clock that the test moves, and a peer that was heard when it began.
    #[derive(Default)]
    struct Thread {
        now: Micros,
        pace: Pace,
        lost: LostTime,
    }

    impl Thread {
        /// Sleeps until `planned` and longer, then ticks and takes `round` to read all sockets.
        fn tick(&mut self, planned: Micros, late: Micros, round: Micros) {
            self.now = planned + late;
            self.lost.tick(self.now, planned, self.pace.lost(self.now));
            assert!(self.pace.begin(self.now));
            self.now = self.now + round;
            self.pace.end(self.now);
        }

        fn silence(&self) -> Micros {
            self.now.since(self.lost.total())
        }
    }

    #[test]
    fn a_thread_that_keeps_up_loses_nothing() {
        let mut thread = Thread::default();
        for _ in 0..10 {
            thread.tick(thread.now + at(250), at(140), at(100));
        }
        assert_eq!(thread.silence(), thread.now);
    }

    #[test]
    fn one_that_is_always_behind_finds_a_silent_peer_within_18_rounds() {
        for round in [at(200), at(444), at(1_000), at(5_000)] {
            let mut thread = Thread::default();
            let mut rounds = 0;
            while thread.silence() < SILENT {
                // Its ticks are as late as its rounds are long: the same time, lost once.
                thread.tick(thread.now + at(2), round, round);
                rounds += 2;
                assert!(rounds <= 20, "{rounds} rounds of {round:?}");
            }
            assert!(thread.now >= SILENT);
        }
    }

    #[test]
    fn one_that_was_stopped_takes_that_for_no_silence_and_judges_nobody_unread() {
        let mut thread = Thread::default();
        thread.tick(at(250), at(0), at(1));
        let heard = thread.pace.heard();
        thread.now = at(10_500);
        thread.lost.tick(thread.now, at(500), thread.pace.lost(thread.now));
        assert_eq!(thread.silence(), at(500) + COUNTED);
        assert_eq!(thread.pace.heard(), heard, "what came meanwhile is not read");
        assert!(thread.pace.begin(thread.now));
        thread.pace.end(thread.now + at(3));
        assert_eq!(thread.pace.heard(), at(10_500));
    }

    #[test]
    fn a_stop_amid_a_round_is_lost_once() {
        let mut thread = Thread::default();
        thread.tick(at(250), at(0), at(10_000));
        thread.lost.tick(thread.now, at(500), thread.pace.lost(thread.now));
        assert_eq!(thread.lost.total(), at(10_000 - 150));
    }
}
