//! Requests to peers: dial, ask, answer, each within its time.

use foundation_machine::{Micros, PeerId};

use super::message::{HyParViewMessage, Priority};
use super::{HyParView, Out, Timer};
use crate::overlay::OverlayOutput;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// To fill the view: a high priority only where there is no neighbour at all.
    Fill,
    /// To be neighbours, whatever the peer has.
    Insist,
    /// To come in.
    Join,
    /// To find out whether there are two components.
    Compare,
    /// To learn of more peers.
    Learn,
    /// X-BOT's initiator, to its candidate.
    Optimise,
    /// X-BOT's d, to o.
    Switch,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) aim: Aim,
    /// Set once the peer has been asked.
    pub(super) token: Option<u32>,
    /// Asked with a high priority.
    is_high: bool,
    /// Made for the second time: the first link was hung up under it.
    is_again: bool,
}

impl Request {
    pub(super) fn new(aim: Aim) -> Request {
        Request { aim, token: None, is_high: false, is_again: false }
    }
}

impl HyParView {
    /// Begins a request: the link first. Whether it did.
    pub(super) fn request(&mut self, peer: PeerId, aim: Aim, now: Micros, out: &mut Out) -> bool {
        if peer.node == self.own.node || self.views.is_active(peer) {
            return false;
        }
        if self.requests.contains_key(&peer) {
            return false;
        }
        // Besides those that fill the view, as many again that others caused.
        if self.requests.len() >= 2 * usize::from(self.options.active_size) {
            self.counters.requests_refused += 1;
            return false;
        }
        self.requests.insert(peer, Request::new(aim));
        self.timers.set(Timer::Request(peer), now + self.options.dial_timeout);
        self.held.insert(peer);
        out.push(OverlayOutput::Dial(peer));
        true
    }

    pub(super) fn answer_timeout(&self, peer: PeerId) -> Micros {
        let twice = self.costs.get(&peer).map_or(Micros(0), |cost| *cost + *cost);
        twice.max(self.options.answer_timeout_min)
    }

    /// Asked now, with a new token.
    pub(super) fn new_token(&mut self, peer: PeerId) -> u32 {
        self.token = self.token.wrapping_add(1);
        if let Some(request) = self.requests.get_mut(&peer) {
            request.token = Some(self.token);
        }
        self.token
    }

    /// Asks a peer whose link is up.
    pub(super) fn ask(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        let Some(request) = self.requests.get(&peer).copied() else { return };
        if matches!(request.aim, Aim::Optimise | Aim::Switch) {
            self.ask_swap(peer, now, out);
            return;
        }
        let has_room = self.views.active().len() < usize::from(self.options.active_size);
        if request.aim == Aim::Fill && !has_room {
            self.end_request(peer);
            self.let_go(peer, out);
            return;
        }
        self.token = self.token.wrapping_add(1);
        let token = self.token;
        let mut is_high = matches!(request.aim, Aim::Insist | Aim::Join | Aim::Compare);
        if request.aim == Aim::Fill && self.views.active().is_empty() {
            is_high = !self.requests.values().any(|other| other.is_high);
        }
        let message = match request.aim {
            Aim::Join => HyParViewMessage::Join { token },
            Aim::Compare => HyParViewMessage::Compare { token, count: self.component.count() },
            Aim::Learn => self.question(),
            _ if is_high => HyParViewMessage::Neighbour { token, priority: Priority::High },
            _ => {
                let wrong = self.options.planted.is("hyparview_always_high");
                let priority = if wrong { Priority::High } else { Priority::Low };
                HyParViewMessage::Neighbour { token, priority }
            }
        };
        self.requests.insert(peer, Request { token: Some(token), is_high, ..request });
        if self.options.planted.is("hyparview_waits_for_ever") {
            self.timers.cancel(&Timer::Request(peer));
        } else {
            let wait = self.answer_timeout(peer);
            self.timers.set(Timer::Request(peer), now + wait);
        }
        out.push(OverlayOutput::Send { to: peer, message });
    }

    /// The other end let go of the link just as this one asked over it: once more, over a new one.
    pub(super) fn request_again(&mut self, peer: PeerId, was: Request, now: Micros, out: &mut Out) {
        if was.is_again || was.token.is_none() || matches!(was.aim, Aim::Optimise | Aim::Switch) {
            return;
        }
        self.request(peer, was.aim, now, out);
        if let Some(request) = self.requests.get_mut(&peer) {
            request.is_again = true;
        }
    }

    /// Forgets a request, whatever has become of it.
    pub(super) fn end_request(&mut self, peer: PeerId) -> Option<Request> {
        self.timers.cancel(&Timer::Request(peer));
        self.requests.remove(&peer)
    }

    pub(super) fn on_neighbour(
        &mut self,
        from: PeerId,
        token: u32,
        priority: Priority,
        now: Micros,
        out: &mut Out,
    ) {
        let has_room = self.views.active().len() < usize::from(self.options.active_size);
        if self.views.is_active(from) || has_room || priority == Priority::High {
            self.accept(from, token, now, out);
        } else {
            // Not kept: who is short of one neighbour asks everybody, and would be in all views.
            out.push(OverlayOutput::Send { to: from, message: HyParViewMessage::Reject { token } });
        }
    }

    /// Takes in a peer that has asked.
    pub(super) fn accept(&mut self, from: PeerId, token: u32, now: Micros, out: &mut Out) {
        let is_new = !self.views.is_active(from);
        if is_new {
            self.add_active(from, now, out);
        }
        out.push(OverlayOutput::Send { to: from, message: HyParViewMessage::Accept { token } });
        if is_new {
            self.greet(from, out);
            self.fill(now, out);
        }
    }

    /// The request that an answer with this token belongs to, taken out.
    pub(super) fn answered(&mut self, from: PeerId, token: u32) -> Option<Request> {
        let is_it = self.requests.get(&from).is_some_and(|request| request.token == Some(token));
        if is_it { self.end_request(from) } else { None }
    }

    pub(super) fn on_accept(&mut self, from: PeerId, token: u32, now: Micros, out: &mut Out) {
        // An answer to a request given up: DISCONNECT went out behind that request. A neighbour by
        // a crossing request of its own is one already.
        let Some(request) = self.answered(from, token) else { return };
        self.counters.merged += u64::from(request.aim == Aim::Compare);
        let has_room = self.views.active().len() < usize::from(self.options.active_size);
        if has_room || request.is_high {
            self.add_active(from, now, out);
            self.greet(from, out);
        } else {
            let message = HyParViewMessage::Disconnect { alive: true };
            out.push(OverlayOutput::Send { to: from, message });
            self.keep(from);
            self.let_go(from, out);
        }
        self.fill(now, out);
    }

    pub(super) fn on_reject(&mut self, from: PeerId, token: u32, now: Micros, out: &mut Out) {
        if self.answered(from, token).is_none() {
            return;
        }
        self.keep(from);
        self.tried.insert(from);
        self.let_go(from, out);
        self.fill(now, out);
    }

    /// A dial or an answer has taken too long.
    pub(super) fn on_request_due(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        let Some(request) = self.end_request(peer) else { return };
        self.counters.unanswered += 1;
        if request.token.is_none() {
            self.lose(peer);
        } else if request.aim != Aim::Learn {
            // It may accept yet: this is behind the request on the same link.
            let message = HyParViewMessage::Disconnect { alive: true };
            out.push(OverlayOutput::Send { to: peer, message });
        }
        self.on_swap_ended(peer, request, now, out);
        self.let_go(peer, out);
        self.fill(now, out);
    }

    pub(super) fn on_dial_failed(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        self.held.remove(&peer);
        if let Some(request) = self.end_request(peer) {
            self.lose(peer);
            self.on_swap_ended(peer, request, now, out);
            self.fill(now, out);
        }
    }
}
