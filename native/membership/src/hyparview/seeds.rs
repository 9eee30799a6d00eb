//! Calls on the addresses that a node has to begin with.

use foundation_machine::{Micros, PeerId};

use super::request::{Aim, Request};
use super::{HyParView, HyParViewOptions, Out, Timer, fraction};
use crate::overlay::OverlayOutput;

#[derive(Clone, Debug)]
pub(super) struct Seeds {
    pub(super) count: u32,
    /// Dials under way.
    dialled: u32,
    /// How long to wait before the next call.
    pause: Micros,
    /// The next seed that answers is asked whether it is in another component.
    pub(super) is_comparing: bool,
    pub(super) merge_wait: Micros,
}

impl Seeds {
    pub(super) fn new(options: &HyParViewOptions) -> Seeds {
        Seeds {
            count: 0,
            dialled: 0,
            pause: options.seed_pause_min,
            is_comparing: false,
            merge_wait: fraction(options.merge_period, 33),
        }
    }
}

impl HyParView {
    /// Nobody is left to ask: the seeds may know somebody. At most once per pause.
    pub(super) fn call_seeds(&mut self, now: Micros, out: &mut Out) {
        if self.seeds.count == 0 || self.timers.at(&Timer::Seeds).is_some() {
            return;
        }
        self.dial_seeds(now, out);
        let wait = self.around(self.seeds.pause, 50);
        self.timers.set(Timer::Seeds, now + wait);
        let twice = self.seeds.pause + self.seeds.pause;
        self.seeds.pause = twice.min(self.options.seed_pause_max);
    }

    pub(super) fn dial_seeds(&mut self, _now: Micros, out: &mut Out) {
        let many = u32::from(self.options.seeds_at_once).min(self.seeds.count);
        let first = self.rng.below(self.seeds.count);
        self.seeds.dialled = many;
        for step in 0..many {
            out.push(OverlayOutput::DialSeed { pick: (first + step) % self.seeds.count });
        }
    }

    pub(super) fn on_seeds_due(&mut self, now: Micros, out: &mut Out) {
        if self.views.active.is_empty() || self.views.passive.is_empty() {
            self.fill(now, out);
        } else {
            self.seeds.pause = self.options.seed_pause_min;
        }
    }

    pub(super) fn on_seed_failed(&mut self, _now: Micros, _out: &mut Out) {
        self.seeds.dialled = self.seeds.dialled.saturating_sub(1);
    }

    pub(super) fn on_seed_up(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        self.seeds.dialled = self.seeds.dialled.saturating_sub(1);
        self.held.insert(peer);
        let is_joining = self.requests.values().any(|request| request.aim == Aim::Join);
        let aim = if self.views.is_active(peer) || self.requests.contains_key(&peer) {
            None
        } else if self.views.active.is_empty() && !is_joining {
            Some(Aim::Join)
        } else if self.seeds.is_comparing && self.component.is_root() {
            Some(Aim::Compare)
        } else if self.views.passive.is_empty() && !is_joining {
            Some(Aim::Learn)
        } else {
            None
        };
        if self.seeds.dialled == 0 {
            self.seeds.is_comparing = false;
        }
        match aim {
            Some(aim) => {
                self.requests.insert(peer, Request::new(aim));
                self.ask(peer, now, out);
            }
            None => {
                self.keep(peer);
                self.let_go(peer, out);
                if self.requests.get(&peer).is_some_and(|request| request.token.is_none()) {
                    self.ask(peer, now, out);
                }
            }
        }
    }
}
