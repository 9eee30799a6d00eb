//! The time that a node's machines go by. While this thread is behind, it hardly passes: what lies
//! unread in sockets is no silence of the peers, and no answer of theirs is late.

use std::sync::atomic::{AtomicU64, Ordering};

use foundation_link::Micros;

use crate::lost_time::COUNTED;

/// Time that counts while everything that is ready gets its turn once; what a round takes longer
/// does not count. An answer over a dozen relays then takes a quarter of what a probe waits for it.
const ROUND: Micros = Micros::from_millis(20);

/// How far machines' time is behind the clock. One per kernel thread; changed under its lock.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    behind: AtomicU64,
    /// When the round under way began; 0 for none.
    began_at: AtomicU64,
    /// What the last round took.
    last: AtomicU64,
    /// What rounds took longer than counts as silence.
    lost: AtomicU64,
    /// What came before then has been read.
    heard: AtomicU64,
}

impl Pace {
    /// The time of machines.
    pub(crate) fn time(&self, now: Micros) -> Micros {
        let began_at = self.began_at.load(Ordering::Relaxed);
        let counted = if began_at == 0 { now } else { now.min(Micros(began_at) + ROUND) };
        Micros(counted.0.saturating_sub(self.behind.load(Ordering::Relaxed)))
    }

    /// When the clock shows a time of machines, if the thread keeps up from here on.
    pub(crate) fn clock(&self, at: Micros, now: Micros) -> Micros {
        Micros(at.0.saturating_add(now.since(self.time(now)).0))
    }

    /// A round begins; false if one is under way.
    pub(crate) fn begin(&self, now: Micros) -> bool {
        let is_first = self.began_at.load(Ordering::Relaxed) == 0;
        if is_first {
            self.began_at.store(now.0, Ordering::Relaxed);
        }
        is_first
    }

    /// All that was ready when the round began has had its turn.
    pub(crate) fn end(&self, now: Micros) {
        let began_at = Micros(self.began_at.swap(0, Ordering::Relaxed));
        let took = now.since(began_at);
        self.heard.store(began_at.0, Ordering::Relaxed);
        self.behind.fetch_add(took.since(ROUND).0, Ordering::Relaxed);
        self.lost.fetch_add(took.since(COUNTED).0, Ordering::Relaxed);
        self.last.store(took.0, Ordering::Relaxed);
    }

    /// How far machines' time is behind the clock.
    pub(crate) fn behind(&self) -> Micros {
        Micros(self.behind.load(Ordering::Relaxed))
    }

    /// How long a socket that is ready waits for its turn, as far as is known.
    pub(crate) fn lag(&self, now: Micros) -> Micros {
        self.under_way(now).max(Micros(self.last.load(Ordering::Relaxed)))
    }

    /// Until when peers have been heard: what came before then has been read.
    pub(crate) fn heard(&self) -> Micros {
        Micros(self.heard.load(Ordering::Relaxed))
    }

    /// For how long, in all, the thread was too far behind to hear its peers.
    pub(crate) fn lost(&self, now: Micros) -> Micros {
        Micros(self.lost.load(Ordering::Relaxed)) + self.under_way(now).since(COUNTED)
    }

    fn under_way(&self, now: Micros) -> Micros {
        let began_at = self.began_at.load(Ordering::Relaxed);
        if began_at == 0 { Micros(0) } else { now.since(Micros(began_at)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Micros {
        Micros::from_millis(millis)
    }

    #[test]
    fn time_stands_still_while_the_thread_is_behind() {
        let pace = Pace::default();
        assert_eq!(pace.time(at(100)), at(100));
        assert!(pace.begin(at(100)));
        assert!(!pace.begin(at(105)));
        assert_eq!(pace.time(at(110)), at(110));
        assert_eq!(pace.time(at(900)), at(120));
        assert_eq!(pace.lag(at(900)), at(800));
        pace.end(at(1_100));
        // It goes on where it stood.
        assert_eq!(pace.time(at(1_100)), at(120));
        assert_eq!(pace.time(at(1_130)), at(150));
        assert_eq!(pace.lag(at(1_130)), at(1_000));
        assert_eq!(pace.clock(at(160), at(1_130)), at(1_140));
    }

    #[test]
    fn a_thread_that_keeps_up_loses_no_time() {
        let pace = Pace::default();
        for round in 1..100 {
            assert!(pace.begin(at(round * 10)));
            pace.end(at(round * 10 + 5));
        }
        assert_eq!(pace.time(at(1_000)), at(1_000));
        assert_eq!(pace.clock(Micros::NEVER, at(1_000)), Micros::NEVER);
    }
}
