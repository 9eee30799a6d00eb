//! How much a node trusts its own judgement.
//!
//! Dadgar, Phillips, Currey: "Lifeguard: local health awareness for more accurate failure
//! detection" (2018), section IV-A.

use foundation_machine::Micros;

/// 0 for a healthy node; each point adds once more to every time that the node gives others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Health {
    score: u8,
    max: u8,
}

impl Health {
    pub(crate) fn new(max: u8) -> Health {
        Health { score: 0, max }
    }

    pub(crate) fn worse(&mut self, by: usize) {
        let by = u8::try_from(by).unwrap_or(u8::MAX);
        self.score = self.score.saturating_add(by).min(self.max);
    }

    pub(crate) fn better(&mut self) {
        self.score = self.score.saturating_sub(1);
    }

    pub(crate) fn score(self) -> u8 {
        self.score
    }

    pub(crate) fn stretch(self, time: Micros) -> Micros {
        Micros(time.0.saturating_mul(u64::from(self.score) + 1))
    }
}
