//! Calls on the addresses that a node has to begin with.

use foundation_machine::{Micros, PeerId};

use super::request::{Aim, Request};
use super::{HyParView, HyParViewOptions, Out, Timer, fraction};
use crate::overlay::OverlayOutput;

#[derive(Clone, Debug)]
pub(super) struct Seeds {
    pub(super) count: u32,
    /// Dials of a comparison under way.
    compared: u32,
    /// The next to be dialled in this call, and how many are left.
    next: u32,
    left: u32,
    /// How long to wait before the next call.
    pause: Micros,
    pub(super) merge_wait: Micros,
}

impl Seeds {
    pub(super) fn new(options: &HyParViewOptions) -> Seeds {
        Seeds {
            count: 0,
            compared: 0,
            next: 0,
            left: 0,
            pause: options.seed_pause_min,
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
        // Each call goes on where the one before ended: drawn anew each time, the few of many seeds
        // that live may be missed for long.
        if self.seeds.pause == self.options.seed_pause_min {
            self.seeds.next = self.rng.below(self.seeds.count);
        }
        self.seeds.left = u32::from(self.options.seeds_at_once).min(self.seeds.count);
        self.dial_next_seed(now, out);
        let wait = self.around(self.seeds.pause, 50);
        self.timers.set(Timer::Seeds, now + wait);
        let twice = self.seeds.pause + self.seeds.pause;
        self.seeds.pause = twice.min(self.options.seed_pause_max);
    }

    /// One after the other, shortly: dialled all at once, the nearest would always be the contact,
    /// and nodes of one region would link to each other only.
    pub(super) fn dial_next_seed(&mut self, now: Micros, out: &mut Out) {
        self.timers.cancel(&Timer::NextSeed);
        let is_needy = self.views.active().is_empty() || self.views.passive().is_empty();
        if self.seeds.left == 0 || !is_needy {
            return;
        }
        out.push(OverlayOutput::DialSeed { pick: self.seeds.next });
        self.seeds.left -= 1;
        self.seeds.next = (self.seeds.next + 1) % self.seeds.count;
        if self.seeds.left > 0 {
            self.timers.set(Timer::NextSeed, now + self.options.seed_stagger);
        }
    }

    /// This node stands for its component: are some of the seeds in another one?
    pub(super) fn compare_with_seeds(&mut self, out: &mut Out) {
        if self.seeds.count == 0 {
            return;
        }
        let many = u32::from(self.options.seeds_at_once).min(self.seeds.count);
        let first = self.rng.below(self.seeds.count);
        self.seeds.compared = many;
        for step in 0..many {
            out.push(OverlayOutput::DialSeed { pick: (first + step) % self.seeds.count });
        }
    }

    pub(super) fn on_seeds_due(&mut self, now: Micros, out: &mut Out) {
        if self.views.active().is_empty() || self.views.passive().is_empty() {
            self.fill(now, out);
        } else {
            self.seeds.pause = self.options.seed_pause_min;
        }
    }

    pub(super) fn on_seed_failed(&mut self, now: Micros, out: &mut Out) {
        self.seeds.compared = self.seeds.compared.saturating_sub(1);
        self.dial_next_seed(now, out);
    }

    /// Somebody of another part, most likely: this node joins that one.
    pub(super) fn on_met(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        self.links.insert(peer);
        self.held.insert(peer);
        if !self.views.is_active(peer) && !self.requests.contains_key(&peer) {
            self.requests.insert(peer, Request::new(Aim::Join));
            self.ask(peer, now, out);
        }
    }

    pub(super) fn on_seed_up(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        let is_compared = self.seeds.compared > 0;
        self.seeds.compared = self.seeds.compared.saturating_sub(1);
        self.held.insert(peer);
        let is_joining = self.requests.values().any(|request| request.aim == Aim::Join);
        let aim = if self.views.is_active(peer) || self.requests.contains_key(&peer) {
            None
        } else if self.views.active().is_empty() && !is_joining {
            Some(Aim::Join)
        } else if is_compared && self.component.is_root() {
            Some(Aim::Compare)
        } else if self.views.passive().is_empty() && !is_joining {
            Some(Aim::Learn)
        } else {
            None
        };
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
