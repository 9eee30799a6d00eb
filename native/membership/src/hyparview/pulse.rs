//! Pulses between neighbours, and the comparison with seeds that merges separate overlays.

use foundation_machine::{Micros, PeerId};

use super::message::HyParViewMessage;
use super::{HyParView, Out, Timer, fraction};
use crate::overlay::OverlayOutput;

/// Periods without a pulse after which the root is gone: two may be late. Unit: thousandths.
const SILENCE: u32 = 2_500;

impl HyParView {
    /// A new neighbour hears at once which component it is in.
    pub(super) fn greet(&mut self, peer: PeerId, out: &mut Out) {
        out.push(OverlayOutput::Send { to: peer, message: self.pulse() });
    }

    fn pulse(&self) -> HyParViewMessage {
        HyParViewMessage::Pulse { root: self.component.root(), count: self.component.count() }
    }

    fn tell_pulse(&mut self, except: Option<PeerId>, out: &mut Out) {
        for &to in self.views.active.iter().filter(|peer| Some(**peer) != except) {
            out.push(OverlayOutput::Send { to, message: self.pulse() });
        }
    }

    pub(super) fn on_pulse_due(&mut self, now: Micros, out: &mut Out) {
        if self.component.is_root() {
            self.component.beat(now);
            self.tell_pulse(None, out);
        } else if self.component.expire(fraction(self.options.pulse_period, SILENCE), now) {
            self.tell_pulse(None, out);
            self.expect_separation(now);
        }
        let wait = self.around(self.options.pulse_period, 10);
        self.timers.set(Timer::Pulse, now + wait);
    }

    pub(super) fn on_pulse(
        &mut self,
        from: PeerId,
        root: PeerId,
        count: u32,
        now: Micros,
        out: &mut Out,
    ) {
        if !self.views.is_active(from) {
            // A request under way will settle it; else it takes this node for a neighbour.
            if !self.requests.contains_key(&from) {
                self.counters.corrected += 1;
                let message = HyParViewMessage::Disconnect { alive: true };
                out.push(OverlayOutput::Send { to: from, message });
            }
            return;
        }
        if self.component.hear(root, count, now) {
            self.tell_pulse(Some(from), out);
        }
    }

    /// This node may be in a component of its own from now on: it asks seeds soon.
    fn expect_separation(&mut self, now: Micros) {
        if self.options.merge_period != Micros::NEVER {
            self.seeds.merge_wait = fraction(self.options.merge_period, 33);
            let wait = self.around(self.seeds.merge_wait, 50);
            self.timers.set(Timer::Merge, now + wait);
        }
    }

    pub(super) fn on_merge_due(&mut self, now: Micros, out: &mut Out) {
        if self.component.is_root() {
            self.seeds.is_comparing = true;
            self.dial_seeds(now, out);
            let twice = self.seeds.merge_wait + self.seeds.merge_wait;
            self.seeds.merge_wait = twice.min(self.options.merge_period);
        } else {
            self.seeds.merge_wait = self.options.merge_period;
        }
        let wait = self.around(self.seeds.merge_wait, 20);
        self.timers.set(Timer::Merge, now + wait);
    }

    /// `from` stands for its component: if that is not ours, it joins.
    pub(super) fn on_compare(
        &mut self,
        from: PeerId,
        token: u32,
        count: u32,
        now: Micros,
        out: &mut Out,
    ) {
        let is_same = self.component.is_same(from, count) || self.views.is_active(from);
        if is_same || self.options.planted.is("hyparview_merges_nobody") {
            out.push(OverlayOutput::Send { to: from, message: HyParViewMessage::Reject { token } });
        } else {
            self.on_join(from, token, now, out);
        }
    }
}
