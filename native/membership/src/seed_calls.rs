//! When a node calls on the addresses that it has to begin with: soon while it is alone, seldom
//! while it is not.

use foundation_machine::{Micros, Rng};

use crate::overlay::OverlayOutput;

/// Pauses between two calls on seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedPauses {
    /// The first pause while a node is alone; doubles. Default 500 ms: a restart of a seed takes
    /// about that long.
    pub min: Micros,
    /// The longest pause while a node is alone. Default 10 s: the cap of redials of a link.
    pub max: Micros,
    /// The pause while it is not: overlays that lost each other find each other again. Default
    /// 30 s: specification 3.1's rule for HyParView.
    pub idle: Micros,
}

impl Default for SeedPauses {
    fn default() -> Self {
        SeedPauses {
            min: Micros::from_millis(500),
            max: Micros::from_millis(10_000),
            idle: Micros::from_millis(30_000),
        }
    }
}

/// Seeds dialled side by side, so that one black hole delays nobody.
const AT_ONCE: u32 = 3;

#[derive(Clone, Debug)]
pub(crate) struct SeedCalls {
    pauses: SeedPauses,
    pub(crate) count: u32,
    pause: Micros,
}

impl SeedCalls {
    pub(crate) fn new(pauses: SeedPauses) -> SeedCalls {
        SeedCalls { pauses, count: 0, pause: pauses.min }
    }

    /// Dials some seeds, or all, and says how long to wait before the next call.
    pub(crate) fn call<M>(
        &mut self,
        is_alone: bool,
        wants_all: bool,
        rng: &mut Rng,
        out: &mut Vec<OverlayOutput<M>>,
    ) -> Micros {
        let some = if is_alone { AT_ONCE } else { 1 };
        let many = if wants_all { self.count } else { some.min(self.count) };
        let first = rng.below(self.count);
        for step in 0..many {
            out.push(OverlayOutput::DialSeed { pick: (first + step) % self.count });
        }
        let pause = if is_alone || wants_all { self.pause } else { self.pauses.idle };
        self.pause = if is_alone || wants_all {
            (self.pause + self.pause).min(self.pauses.max)
        } else {
            self.pauses.min
        };
        around(pause, rng)
    }

    /// Something has changed: the next pauses are short again.
    pub(crate) fn hurry(&mut self) {
        self.pause = self.pauses.min;
    }
}

/// A time, up to a fifth less or more.
pub(crate) fn around(time: Micros, rng: &mut Rng) -> Micros {
    Micros((time.0 / 1_000).saturating_mul(u64::from(800 + rng.below(401))))
}
