//! The looped repair: every passive candidate is asked until the view is full, the dead are
//! dropped on the way.

use foundation_machine::{Micros, PeerId};

use super::request::Aim;
use super::{HyParView, Out, Timer};

/// Longest pause between repairs that find nobody. Unit: periods.
const PATIENCE_MAX: u32 = 16;

impl HyParView {
    /// Asks as many candidates as there are free places; what comes next follows from the answers.
    pub(super) fn fill(&mut self, now: Micros, out: &mut Out) {
        let size = usize::from(self.options.active_size);
        loop {
            let free = size.saturating_sub(self.views.active().len());
            if self.requests.len() >= free {
                return;
            }
            if self.options.planted.is("hyparview_repairs_once") && !self.tried.is_empty() {
                return;
            }
            let Some(candidate) = self.candidate() else { break };
            self.tried.insert(candidate);
            self.request(candidate, Aim::Fill, now, out);
        }
        if self.requests.is_empty() {
            self.on_pass_over(now, out);
        }
    }

    /// A passive peer not asked yet, each equally likely.
    fn candidate(&mut self) -> Option<PeerId> {
        let is_new =
            |peer: &&PeerId| !self.tried.contains(peer) && !self.requests.contains_key(peer);
        let candidates: Vec<PeerId> = self.views.passive().iter().filter(is_new).copied().collect();
        self.rng.pick(&candidates).copied()
    }

    /// Every candidate has been asked and there is room still.
    fn on_pass_over(&mut self, now: Micros, out: &mut Out) {
        if self.views.passive().is_empty() || self.views.active().is_empty() {
            self.call_seeds(now, out);
        }
    }

    pub(super) fn on_repair_due(&mut self, now: Micros, out: &mut Out) {
        let size = usize::from(self.options.active_size);
        self.tried.clear();
        // A full pass found nobody with room: a pair that has only each other would never be let
        // in by views that are full.
        if self.views.active().len() == 1 && self.patience > 1 {
            let passive = self.views.passive().to_vec();
            if let Some(peer) = self.rng.pick(&passive).copied() {
                self.tried.insert(peer);
                self.request(peer, Aim::Insist, now, out);
            }
        }
        if self.views.active().len() < size && self.views.active().len() > 1 {
            self.patience = (self.patience * 2).min(PATIENCE_MAX);
        } else {
            self.patience = if self.views.active().len() == 1 { 2 } else { 1 };
        }
        self.fill(now, out);
        self.set_repair(now);
    }

    /// A neighbour is gone: the next repair comes soon, and those that were full may not be.
    pub(super) fn hurry(&mut self, ask_everybody: bool, now: Micros) {
        if ask_everybody {
            self.tried.clear();
        }
        if self.patience > 1 {
            self.patience = 1;
            self.set_repair(now);
        }
    }

    fn set_repair(&mut self, now: Micros) {
        let wait = self.around(self.options.repair_period, 20);
        let wait = Micros(wait.0.saturating_mul(u64::from(self.patience)));
        self.timers.set(Timer::Repair, now + wait);
    }
}
