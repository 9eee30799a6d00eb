//! Which members that were found failed are tried again, and links to those that answered.
//!
//! A cut that lasts leaves two parts whose members take each other for failed. Somebody has to dial
//! across it when it heals, and seeds may all be on one side. So every member dials one that is
//! lost now and then, all together about one in a period.

use std::collections::BTreeMap;

use foundation_machine::{Micros, PeerId, Rng};

/// Shortest and longest mean time between two dials of one node.
const PAUSE_MIN: Micros = Micros::from_millis(2_000);
const PAUSE_MAX: Micros = Micros::from_millis(300_000);

/// A link to one that was lost counts as a neighbour's for so long: it hears what is said of it and
/// answers, and both sides tell each other whom they have.
const HOLD: Micros = Micros::from_millis(10_000);

#[derive(Debug)]
pub(crate) struct Reach {
    period: Micros,
    at: Micros,
    /// Whom the last dial was for.
    pub(crate) asked: Option<PeerId>,
    held: BTreeMap<PeerId, Micros>,
}

impl Reach {
    pub(crate) fn new(period: Micros) -> Reach {
        Reach { period, at: Micros::NEVER, asked: None, held: BTreeMap::new() }
    }

    pub(crate) fn due(&self) -> Micros {
        self.held.values().fold(self.at, |due, until| due.min(*until))
    }

    /// Whether it is time for a dial.
    pub(crate) fn is_due(&self, now: Micros) -> bool {
        self.at <= now
    }

    /// Somebody is lost: plans a dial among so many members that are up, unless one is planned.
    pub(crate) fn plan(&mut self, members: usize, rng: &mut Rng, now: Micros) {
        if self.at == Micros::NEVER && self.period != Micros::NEVER {
            let pause = Micros(self.period.0.saturating_mul(members as u64));
            let pause = pause.clamp(PAUSE_MIN, PAUSE_MAX).0;
            // Anywhere within twice the pause: of many nodes some dial soon.
            let spread = u32::try_from(2 * pause).unwrap_or(u32::MAX);
            self.at = now + Micros(u64::from(rng.below(spread)));
        }
    }

    /// The planned dial is made, or nobody is lost any more.
    pub(crate) fn done(&mut self) {
        self.at = Micros::NEVER;
    }

    /// Whether that peer counts as a neighbour since it was met.
    pub(crate) fn holds(&self, peer: PeerId) -> bool {
        self.held.contains_key(&peer)
    }

    /// A link to one that was lost is up.
    pub(crate) fn meet(&mut self, peer: PeerId, now: Micros) {
        self.held.insert(peer, now + HOLD);
    }

    pub(crate) fn part(&mut self, peer: PeerId) -> bool {
        self.held.remove(&peer).is_some()
    }

    /// Those met so long ago that overlays have had their time to link to them.
    pub(crate) fn expired(&self, now: Micros) -> Vec<PeerId> {
        self.held.iter().filter(|(_, until)| **until <= now).map(|(peer, _)| *peer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_members_together_make_about_one_dial_in_a_period() {
        let period = Micros::from_millis(1_000);
        for (members, mean) in [(1, 2), (10, 10), (100, 100), (100_000, 300)] {
            let mut rng = Rng::new(7);
            let total: u64 = (0..1_000)
                .map(|_| {
                    let mut reach = Reach::new(period);
                    reach.plan(members, &mut rng, Micros(0));
                    reach.due().0
                })
                .sum();
            let found = total / 1_000_000;
            let mean = mean * 1_000;
            assert!((mean - mean / 10..=mean + mean / 10).contains(&found), "{members}: {found}");
        }
        let mut reach = Reach::new(Micros::NEVER);
        reach.plan(10, &mut Rng::new(7), Micros(0));
        assert_eq!(reach.due(), Micros::NEVER);
    }
}
