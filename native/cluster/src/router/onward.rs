//! Which way a routed message goes from here.

use foundation_broadcast::Payload;
use foundation_machine::{Micros, PeerId};

use super::hops::HOPS_MAX;
use super::target::Waiting;
use super::{Around, Out, Router, RouterOutput, VISITED_MAX};
use crate::event::RouteFailure;
use crate::io::OverlayNo;
use crate::message::Routed;
use crate::options::Relay;

impl<B: Payload> Router<B> {
    /// This node's own, over the link that is up.
    pub(super) fn send_own(
        &mut self,
        to: PeerId,
        overlay: OverlayNo,
        payload: B,
        around: &impl Around,
        now: Micros,
        out: Out<'_, B>,
    ) {
        let routed = self.number(to, overlay, payload, None, around, now);
        self.counters.direct += 1;
        self.send(to, routed, out);
    }

    /// This node's own, over a neighbour.
    pub(super) fn relay_own(
        &mut self,
        to: PeerId,
        overlay: OverlayNo,
        payload: B,
        around: &impl Around,
        now: Micros,
        out: Out<'_, B>,
    ) {
        if self.options.relay != Relay::Auto {
            return self.fail(to, 0, payload, RouteFailure::NoPath, out);
        }
        let sticky = self.target(to).relay;
        let Some(relay) = self.first_relay(to, overlay, sticky, around) else {
            return self.fail(to, 0, payload, RouteFailure::NoPath, out);
        };
        let routed = self.number(to, overlay, payload, Some(relay), around, now);
        self.counters.relayed += 1;
        self.send(relay, routed, out);
    }

    /// The neighbour that is likeliest to lead there.
    fn first_relay(
        &mut self,
        to: PeerId,
        overlay: OverlayNo,
        sticky: Option<PeerId>,
        around: &impl Around,
    ) -> Option<PeerId> {
        let relays = around.relays(overlay);
        let known = [self.vias.of(to), around.news_from(to), sticky].into_iter().flatten();
        let known = known.into_iter().find(|peer| relays.contains(peer));
        known.or_else(|| self.rng.pick(&relays).copied())
    }

    /// Dropped where no neighbour can take it.
    pub(super) fn datagram(
        &mut self,
        to: PeerId,
        overlay: OverlayNo,
        payload: B,
        around: &impl Around,
        out: Out<'_, B>,
    ) {
        let next = match around.is_linked(to) {
            true => Some(to),
            false => self.first_relay(to, overlay, None, around),
        };
        let Some(next) = next else {
            self.counters.lost += 1;
            return;
        };
        let routed = Routed {
            origin: self.own,
            sequence: 0,
            after: 0,
            destination: to,
            overlay,
            path: Vec::new(),
            dead_ends: Vec::new(),
            hops_left: around.hops_max(overlay),
            payload,
        };
        self.send(next, routed, out);
    }

    fn number(
        &mut self,
        to: PeerId,
        overlay: OverlayNo,
        payload: B,
        relay: Option<PeerId>,
        around: &impl Around,
        now: Micros,
    ) -> Routed<B> {
        self.sequence += 1;
        let (sequence, settle) = (self.sequence, self.options.settle);
        let target = self.target(to);
        let mut after = target.predecessor(relay.is_some(), now, settle);
        target.last_sequence = sequence;
        target.last_sent = now;
        target.used = now;
        if relay.is_some() {
            target.relayed_at = Some(now);
            target.relay = relay;
        }
        if relay.is_none() && self.planted.is("router_overtakes") {
            after = 0;
        }
        Routed {
            origin: self.own,
            sequence,
            after,
            destination: to,
            overlay,
            path: Vec::new(),
            dead_ends: Vec::new(),
            hops_left: relay.map_or(1, |_| around.hops_max(overlay)),
            payload,
        }
    }

    fn send(&mut self, to: PeerId, mut routed: Routed<B>, out: Out<'_, B>) {
        if !self.planted.is("router_forgets_hops") {
            routed.hops_left = routed.hops_left.saturating_sub(1);
        }
        out.push(RouterOutput::Send { to, routed });
    }

    pub(super) fn received(
        &mut self,
        from: PeerId,
        mut routed: Routed<B>,
        around: &impl Around,
        now: Micros,
        out: Out<'_, B>,
    ) {
        let came_from = routed.path.last().copied().unwrap_or(routed.origin);
        if came_from != from || routed.origin == self.own || !self.is_well_formed(&routed) {
            self.counters.malformed += 1;
            return;
        }
        self.vias.learn(routed.origin, from);
        if routed.destination == self.own {
            return self.arrived(routed, now, out);
        }
        routed.path.push(self.own);
        self.onward(routed, true, around, now, out);
    }

    fn is_well_formed(&self, routed: &Routed<B>) -> bool {
        let mut visited = routed.path.iter().chain(&routed.dead_ends);
        routed.path.len() + routed.dead_ends.len() < VISITED_MAX
            && routed.hops_left <= HOPS_MAX
            && visited.all(|peer| *peer != self.own)
    }

    /// A neighbour could not take it on: another is tried.
    pub(super) fn returned(
        &mut self,
        from: PeerId,
        routed: Routed<B>,
        around: &impl Around,
        now: Micros,
        out: Out<'_, B>,
    ) {
        let holder = routed.path.last().copied().unwrap_or(routed.origin);
        let is_mine = holder == self.own && routed.dead_ends.last() == Some(&from);
        if !is_mine || routed.path.len() + routed.dead_ends.len() > VISITED_MAX {
            self.counters.malformed += 1;
            return;
        }
        let destination = routed.destination;
        if routed.origin == self.own {
            if self.given_up.contains(&routed.sequence) {
                self.counters.late += 1;
                return;
            }
            let target = self.target(destination);
            target.relay = target.relay.filter(|relay| *relay != from);
        }
        self.onward(routed, false, around, now, out);
    }

    /// Sends on a message that is numbered already and has this node as the last of its path, or
    /// as its origin. A dial has its turn only when the message is new here.
    pub(super) fn onward(
        &mut self,
        routed: Routed<B>,
        is_new: bool,
        around: &impl Around,
        now: Micros,
        out: Out<'_, B>,
    ) {
        let to = routed.destination;
        if routed.hops_left == 0 {
            return self.give_back(routed, around, out);
        }
        if around.is_linked(to) {
            return self.forward(to, routed, now, out);
        }
        if self.options.relay == Relay::Never {
            return self.give_back(routed, around, out);
        }
        let is_visited = |peer: &PeerId| {
            routed.path.contains(peer) || routed.dead_ends.contains(peer) || routed.origin == *peer
        };
        let mut relays = around.relays(routed.overlay);
        relays.retain(|peer| !is_visited(peer));
        let known = [self.vias.of(to), around.news_from(to)].into_iter().flatten();
        let via = known.into_iter().find(|via| relays.contains(via));
        // News may have taken a longer way than one server.
        let is_far = around.has_servers(routed.overlay) && routed.path.len() > 1;
        if let Some(via) = via.filter(|_| !is_far) {
            return self.forward(via, routed, now, out);
        }
        let is_dialled = is_new && routed.sequence > 0;
        if is_dialled && self.may_dial(to, routed.overlay, around, now) && self.has_room(&routed) {
            self.target(to).wait(Waiting::Relayed(routed));
            return self.dial(to, now, out);
        }
        match via.or_else(|| self.rng.pick(&relays).copied()) {
            Some(relay) => self.forward(relay, routed, now, out),
            None => self.give_back(routed, around, out),
        }
    }

    fn has_room(&mut self, routed: &Routed<B>) -> bool {
        let (messages, bytes) = (self.options.queue_messages_max, self.options.queue_bytes_max);
        self.target(routed.destination).has_room(routed.payload.bytes(), messages, bytes)
    }

    fn forward(&mut self, next: PeerId, routed: Routed<B>, now: Micros, out: Out<'_, B>) {
        if let Some(target) = self.targets.get_mut(&next) {
            target.used = now;
        }
        self.counters.forwarded += u64::from(routed.origin != self.own);
        self.send(next, routed, out);
    }

    /// The message can go nowhere from here.
    fn give_back(&mut self, mut routed: Routed<B>, around: &impl Around, out: Out<'_, B>) {
        if routed.origin == self.own && routed.sequence == 0 {
            self.counters.lost += 1;
            return;
        }
        if routed.origin == self.own {
            let (to, sequence) = (routed.destination, routed.sequence);
            return self.fail(to, sequence, routed.payload, RouteFailure::Refused, out);
        }
        if let Some(own) = routed.path.pop() {
            routed.dead_ends.push(own);
        }
        let previous = routed.path.last().copied().unwrap_or(routed.origin);
        if !around.is_linked(previous) {
            self.counters.lost += 1;
            return;
        }
        self.counters.returned += 1;
        out.push(RouterOutput::SendBack { to: previous, routed });
    }
}
