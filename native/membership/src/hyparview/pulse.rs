//! Pulses between neighbours, and the comparison with seeds that merges separate overlays.

use foundation_machine::{Micros, PeerId};

use super::message::HyParViewMessage;
use super::{HyParView, Out, Timer, fraction};
use crate::overlay::OverlayOutput;

/// Silence of the root after which it counts as gone: two pulses are late. Unit: thousandths of a
/// period, as of those below.
const SILENCE: u32 = 2_500;
/// Silence after which another's word that it is gone is taken.
const PATIENCE: u32 = 2_000;
/// Silence after which a node is not sure any more of its component.
const DOUBT: u32 = 1_500;

impl HyParView {
    /// A new neighbour hears at once which component it is in.
    pub(super) fn greet(&mut self, peer: PeerId, out: &mut Out) {
        out.push(OverlayOutput::Send { to: peer, message: self.pulse() });
    }

    fn pulse(&self) -> HyParViewMessage {
        HyParViewMessage::Pulse { root: self.component.root(), count: self.component.count() }
    }

    fn tell_pulse(&mut self, except: Option<PeerId>, out: &mut Out) {
        for &to in self.views.active().iter().filter(|peer| Some(**peer) != except) {
            out.push(OverlayOutput::Send { to, message: self.pulse() });
        }
    }

    /// The root's next beat, or the end of everybody else's patience with it.
    pub(super) fn on_pulse_due(&mut self, now: Micros, out: &mut Out) {
        if self.component.is_root() {
            self.component.beat(now);
        } else {
            self.component.expire(now);
            self.expect_separation(now);
        }
        self.beat(now, out);
    }

    /// Tells all neighbours, and plans the next time.
    fn beat(&mut self, now: Micros, out: &mut Out) {
        self.tell_pulse(None, out);
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
        let period = self.options.pulse_period;
        if self.component.hear(root, count, fraction(period, PATIENCE), now) {
            self.tell_pulse(Some(from), out);
            // Not all at the same time: the first one's wave spares the others theirs.
            let wait = fraction(period, SILENCE + self.rng.below(200));
            self.timers.set(Timer::Pulse, now + wait);
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
        // A root that knows only seeds of its own component compares for ever in vain. So the
        // oldest node, which came before the others and knows what was there then, takes its place.
        if self.component.is_elder() && self.seeds.count > 0 {
            self.component.beat(now);
            self.beat(now, out);
        }
        if self.component.is_root() {
            self.compare_with_seeds(out);
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
        let is_unsure = self.component.silence(now) >= fraction(self.options.pulse_period, DOUBT);
        let is_same = self.component.is_same(from, count) || self.views.is_active(from);
        if is_same || is_unsure || self.options.planted.is("hyparview_merges_nobody") {
            out.push(OverlayOutput::Send { to: from, message: HyParViewMessage::Reject { token } });
        } else {
            self.on_join(from, token, now, out);
        }
    }
}
