//! What a node may not do when an overlay is changed.

use foundation_cluster::{Epoch, Strategy, Switch};
use foundation_machine::PeerId;

use crate::subject::Gauge;

/// The changes of one overlay, as one node takes part in them.
#[derive(Debug)]
pub(super) struct Switches {
    current: Epoch,
    attempt: Option<Epoch>,
    /// The highest number that it has seen.
    highest: u32,
    went_back: usize,
    undrained: usize,
    repeated: usize,
}

impl Default for Switches {
    fn default() -> Self {
        Switches {
            current: Epoch::FIRST,
            attempt: None,
            highest: 0,
            went_back: 0,
            undrained: 0,
            repeated: 0,
        }
    }
}

impl Switches {
    /// After a step.
    pub(super) fn step(&mut self, own: PeerId, switch: &Switch<Strategy>) {
        let current = switch.current().epoch;
        let before = std::mem::replace(&mut self.current, current);
        self.went_back += usize::from(before > current);
        let attempt = switch.attempt().map(|attempt| attempt.version.epoch);
        // What was replaced stays, while others use it still; but two beside each other are enough.
        let is_kept = switch.draining().is_some() || attempt.is_some();
        self.undrained += usize::from(before != current && !is_kept);
        if let Some(epoch) = attempt.filter(|_| attempt != self.attempt)
            && epoch.coordinator == Some(own)
        {
            self.repeated += usize::from(epoch.number <= self.highest);
        }
        self.attempt = attempt;
        let numbers = [Some(current), attempt].into_iter().flatten().map(|epoch| epoch.number);
        self.highest = numbers.fold(self.highest, u32::max);
    }

    /// Appends what was found so far.
    pub(super) fn find(&self, into: &mut Vec<Gauge>) {
        let found = [
            ("epochs that went back", self.went_back),
            ("overlays dropped as soon as they were replaced", self.undrained),
            ("numbers given to two attempts", self.repeated),
        ];
        let gauge = |(name, size)| Gauge { name, size, limit: 0 };
        into.extend(found.into_iter().filter(|found| found.1 > 0).map(gauge));
    }
}
