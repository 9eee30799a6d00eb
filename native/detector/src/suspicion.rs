//! How long a suspected member has to answer: less, the more members suspect it.

use foundation_machine::{Micros, PeerId};

use crate::options::DetectorOptions;

/// One member under suspicion.
#[derive(Clone, Debug)]
pub(crate) struct Suspicion {
    pub(crate) since: Micros,
    /// The roster has heard that the member answered.
    pub(crate) is_answered: bool,
    suspectors: Vec<PeerId>,
}

/// Natural logarithms of 1 to 8: a table, so that every platform finds the same microsecond.
const LN: [f64; 8] = [
    0.0,
    std::f64::consts::LN_2,
    1.098_612_288_668_11,
    1.386_294_361_119_891,
    1.609_437_912_434_1,
    1.791_759_469_228_055,
    1.945_910_149_055_313,
    2.079_441_541_679_836,
];

/// Confirmations beyond this change nothing more.
const CONFIRMATIONS_MAX: usize = LN.len() - 1;

impl Suspicion {
    pub(crate) fn new(since: Micros) -> Suspicion {
        Suspicion { since, is_answered: false, suspectors: Vec::new() }
    }

    /// Answers whether this one is new.
    pub(crate) fn add(&mut self, suspector: PeerId, counts_twice: bool) -> bool {
        let is_full = self.suspectors.len() > CONFIRMATIONS_MAX;
        if is_full || (self.suspectors.contains(&suspector) && !counts_twice) {
            return false;
        }
        self.suspectors.push(suspector);
        true
    }

    pub(crate) fn is_by(&self, suspector: PeerId) -> bool {
        self.suspectors.contains(&suspector)
    }

    /// When it ends in a cluster of so many. The first suspector is no confirmation.
    pub(crate) fn ends(&self, options: &DetectorOptions, members: usize) -> Micros {
        let expected = options.confirmations.min(members.saturating_sub(2)).min(CONFIRMATIONS_MAX);
        let confirmed = self.suspectors.len().saturating_sub(1).min(expected);
        let shortest = options.suspicion.0 as f64 * log10(members).max(1.0);
        let longest = shortest * f64::from(options.suspicion_factor_max.max(1));
        let share = if expected == 0 { 1.0 } else { LN[confirmed] / LN[expected] };
        self.since + Micros((longest - (longest - shortest) * share) as u64)
    }
}

/// The decimal logarithm, within 0.03: straight between powers of two, arithmetic alone.
fn log10(number: usize) -> f64 {
    let Some(power) = number.checked_ilog2() else { return 0.0 };
    let below = (1u64 << power) as f64;
    (f64::from(power) + number as f64 / below - 1.0) * std::f64::consts::LOG10_2
}

#[cfg(test)]
mod tests {
    use super::*;
    use foundation_machine::{NodeLife, NodeNo};

    fn peer(node: u32) -> PeerId {
        PeerId { node: NodeNo(node), life: NodeLife { start: 1, random: u64::from(node) } }
    }

    /// Suspicions of 1 s to 6 s at ten members, with so many suspectors.
    fn length(suspectors: u32, members: usize) -> u64 {
        let options =
            DetectorOptions { suspicion: Micros::from_millis(1_000), ..Default::default() };
        let mut suspicion = Suspicion::new(Micros(0));
        for node in 0..suspectors {
            suspicion.add(peer(node), false);
        }
        suspicion.ends(&options, members).as_millis()
    }

    #[test]
    fn each_confirmation_shortens_a_suspicion_by_the_logarithm() {
        // max - (max - min) * log(n + 1) / log(k + 1), with k = 3 (Lifeguard, section IV-B).
        assert_eq!(length(1, 10), 6_000);
        assert_eq!(length(2, 10), 3_500);
        assert_eq!(length(3, 10), 2_037);
        assert_eq!(length(4, 10), 1_000);
        assert_eq!(length(9, 10), 1_000);
    }

    #[test]
    fn nobody_confirms_in_a_pair_and_one_in_three() {
        assert_eq!(length(1, 2), 1_000);
        assert_eq!((length(1, 3), length(2, 3)), (6_000, 1_000));
    }

    #[test]
    fn a_member_confirms_once() {
        let mut suspicion = Suspicion::new(Micros(0));
        assert!(suspicion.add(peer(1), false));
        assert!(!suspicion.add(peer(1), false));
    }

    #[test]
    fn the_logarithm_is_near_enough() {
        for number in [1usize, 2, 3, 7, 10, 32, 99, 1_000, 1_023, 10_000, 65_536] {
            let exact = (number as f64).log10();
            assert!((log10(number) - exact).abs() < 0.03, "{number}");
        }
    }
}
