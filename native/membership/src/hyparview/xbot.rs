//! X-BOT: swaps neighbours for cheaper ones, four nodes at a time, so that nobody's degree changes.
//!
//! The initiator i would rather have the candidate c than its old neighbour o. c is full and asks
//! its own worst neighbour d, which takes o in place of c if that is cheaper for it:
//!
//! ```text
//! i - o, c - d   =>   i - c, d - o
//! ```
//!
//! A node plays one part at a time, with a timeout; o's part takes no time. Nobody lets go of a
//! link before the other end of the new one has taken it: d drops c when o has accepted, c takes i
//! when d has, i drops o when c has. A step that fails leaves the old link where it is, or a free
//! place on each side, which the repair fills, the old neighbour first.
//!
//! The `unbiased` most expensive neighbours are never swapped away: without them the overlay falls
//! into regions that only a long way connects.

use std::collections::BTreeMap;

use foundation_machine::{Micros, PeerId};

use super::message::HyParViewMessage;
use super::request::{Aim, Request};
use super::{HyParView, Out, Timer};
use crate::overlay::OverlayOutput;

/// Options of X-BOT. "Paper" is Leitao, Marques, Pereira and Rodrigues, "X-BOT: A Protocol for
/// Resilient Optimization of Unstructured Overlay Networks", 2012.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XBotOptions {
    /// Neighbours, the most expensive ones, that are never swapped away; at least 1 counts.
    /// Default 1: with none the mean way grew from 6.4 to 50.9 hops in a model of 10,000 nodes,
    /// with two the links cost twice as much.
    pub unbiased: u8,
    /// Passive peers looked at per round (PSL). Default 2: paper.
    pub candidates: u8,
    /// Time between two rounds while they find something, give or take a fifth. Default 2 s: an
    /// overlay of 1,000 nodes has settled within two minutes.
    pub period_min: Micros,
    /// The same after rounds that found nothing, each a tenth later than the one before, at most.
    /// Default 60 s: less traffic than heartbeats.
    pub period_max: Micros,
    /// How much cheaper a link has to be. Default 10: less is within what round trips vary by, and
    /// a swap disturbs four nodes. Unit: percent.
    pub gain: u8,
    /// How long the candidate waits for its neighbour's answer, the initiator half as long again.
    /// Default 2 s: a dial that fails, twice.
    pub timeout: Micros,
}

impl Default for XBotOptions {
    fn default() -> Self {
        XBotOptions {
            unbiased: 1,
            candidates: 2,
            period_min: Micros::from_millis(2_000),
            period_max: Micros::from_millis(60_000),
            gain: 10,
            timeout: Micros::from_millis(2_000),
        }
    }
}

/// Which part a node has in a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// i, which wants `candidate` in place of `old`; `old` may have let go already.
    Initiator { candidate: PeerId, old: Option<PeerId>, is_dropped: bool },
    /// c, which has asked its neighbour d.
    Candidate { initiator: PeerId, its_token: u32, asked: PeerId, token: u32 },
    /// d, which would take `old` in place of `candidate`.
    Asked { candidate: PeerId, its_token: u32, old: PeerId, initiator: PeerId },
}

/// What a node knows of swaps.
#[derive(Clone, Debug)]
pub(super) struct XBot {
    options: XBotOptions,
    part: Option<Part>,
    /// Passive peers to be looked at in this round.
    candidates: Vec<PeerId>,
    period: Micros,
    /// Measurements under way: token and start. At most one per neighbour and request.
    measures: BTreeMap<PeerId, (u32, Micros)>,
}

impl XBot {
    pub(super) fn new(options: XBotOptions) -> XBot {
        XBot {
            options,
            part: None,
            candidates: Vec::new(),
            period: options.period_min,
            measures: BTreeMap::new(),
        }
    }
}

impl HyParView {
    /// Whether it has a part in a swap; none lasts longer than one and a half timeouts and a dial.
    #[must_use]
    pub fn is_swapping(&self) -> bool {
        self.part().is_some()
    }

    /// A round begins: candidates are drawn, where the view is full and no swap is under way.
    pub(super) fn on_optimise_due(&mut self, now: Micros, out: &mut Out) {
        let is_full = self.views.active().len() >= usize::from(self.options.active_size);
        let Some(xbot) = self.xbot.as_mut() else { return };
        let period = xbot.period;
        if is_full && xbot.part.is_none() {
            let many = usize::from(xbot.options.candidates);
            xbot.candidates = self.rng.sample(self.views.passive(), many);
            // Slowly: where costs fall into classes, one round of ten or twenty finds something.
            let longer = Micros(period.0 / 10);
            xbot.period = (period + longer).min(xbot.options.period_max);
            self.counters.rounds += 1;
            self.measure_neighbours(now, out);
            self.next_candidate(now, out);
        }
        let wait = self.around(period, 20);
        self.timers.set(Timer::Optimise, now + wait);
    }

    /// Those never measured, and another one since costs change.
    fn measure_neighbours(&mut self, now: Micros, out: &mut Out) {
        let again = self.rng.pick(self.views.active()).copied();
        let unknown = |peer: &PeerId| !self.costs.contains_key(peer) || Some(*peer) == again;
        let peers: Vec<PeerId> = self.views.active().iter().copied().filter(unknown).collect();
        for peer in peers {
            self.measure(peer, now, out);
        }
    }

    fn measure(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        self.token = self.token.wrapping_add(1);
        let token = self.token;
        let Some(xbot) = self.xbot.as_mut() else { return };
        let (views, requests) = (&self.views, &self.requests);
        xbot.measures.retain(|one, _| views.is_active(*one) || requests.contains_key(one));
        xbot.measures.insert(peer, (token, now));
        out.push(OverlayOutput::Send { to: peer, message: HyParViewMessage::Measure { token } });
    }

    pub(super) fn on_measured(&mut self, from: PeerId, token: u32, now: Micros, out: &mut Out) {
        let Some(xbot) = self.xbot.as_mut() else { return };
        let Some(&(asked, start)) = xbot.measures.get(&from) else { return };
        if asked != token {
            return;
        }
        xbot.measures.remove(&from);
        self.on_cost(from, now.since(start));
        let aim = self.requests.get(&from).map(|request| request.aim);
        if matches!(aim, Some(Aim::Optimise | Aim::Switch)) {
            self.ask_swap(from, now, out);
        }
    }

    /// The neighbour to be swapped away: the most expensive but the unbiased ones.
    fn worst(&self, except: Option<PeerId>) -> Option<PeerId> {
        let xbot = self.xbot.as_ref()?;
        let mut by_cost: Vec<(Micros, PeerId)> = self
            .views
            .active()
            .iter()
            .map(|peer| self.costs.get(peer).map(|cost| (*cost, *peer)))
            .collect::<Option<_>>()?;
        by_cost.sort_unstable_by(|a, b| b.cmp(a));
        let skip = if self.options.planted.is("xbot_all_biased") {
            0
        } else {
            usize::from(xbot.options.unbiased.max(1))
        };
        by_cost.into_iter().skip(skip).map(|(_, peer)| peer).find(|peer| Some(*peer) != except)
    }

    /// Whether `other` is cheaper than `present` by what makes a swap worth it.
    fn is_cheaper(&self, other: PeerId, present: PeerId) -> bool {
        let gain = self.xbot.as_ref().map_or(0, |xbot| u64::from(xbot.options.gain.min(99)));
        let (Some(other), Some(present)) = (self.costs.get(&other), self.costs.get(&present))
        else {
            return false;
        };
        other.0.saturating_mul(100) < present.0.saturating_mul(100 - gain)
    }

    fn next_candidate(&mut self, now: Micros, out: &mut Out) {
        while let Some(candidate) = self.xbot.as_mut().and_then(|xbot| xbot.candidates.pop()) {
            let is_passive = self.views.passive().contains(&candidate);
            let Some(old) = self.worst(None).filter(|_| is_passive) else { continue };
            let is_unknown = !self.costs.contains_key(&candidate);
            if !is_unknown && !self.is_cheaper(candidate, old) {
                continue;
            }
            if self.request(candidate, Aim::Optimise, now, out) {
                let part = Part::Initiator { candidate, old: None, is_dropped: false };
                self.set_part(Some(part));
                return;
            }
        }
    }

    fn set_part(&mut self, part: Option<Part>) {
        if let Some(xbot) = self.xbot.as_mut() {
            xbot.part = part;
        }
    }

    fn part(&self) -> Option<Part> {
        self.xbot.as_ref().and_then(|xbot| xbot.part)
    }

    /// The link for a swap is up: what does it cost, and is it worth it?
    pub(super) fn ask_swap(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        let wait = self.answer_timeout(peer);
        self.timers.set(Timer::Request(peer), now + wait);
        if !self.costs.contains_key(&peer) {
            self.measure(peer, now, out);
            return;
        }
        match self.part() {
            Some(Part::Initiator { candidate, .. }) if candidate == peer => {
                self.offer(candidate, now, out);
            }
            Some(Part::Asked { candidate, old, initiator, .. }) if old == peer => {
                let is_free = self.options.planted.is("xbot_ignores_cost");
                if is_free || self.is_cheaper(old, candidate) {
                    let token = self.new_token(peer);
                    let message = HyParViewMessage::Switch { token, initiator };
                    out.push(OverlayOutput::Send { to: peer, message });
                } else {
                    self.fail_swap(peer, now, out);
                }
            }
            _ => self.fail_swap(peer, now, out),
        }
    }

    fn offer(&mut self, candidate: PeerId, now: Micros, out: &mut Out) {
        let old = self.worst(None).filter(|old| self.is_cheaper(candidate, *old));
        let Some(old) = old else {
            self.fail_swap(candidate, now, out);
            return;
        };
        self.set_part(Some(Part::Initiator { candidate, old: Some(old), is_dropped: false }));
        let timeout = self.swap_timeout();
        self.timers.set(Timer::Request(candidate), now + timeout + Micros(timeout.0 / 2));
        let token = self.new_token(candidate);
        let message = HyParViewMessage::Optimise { token, old };
        out.push(OverlayOutput::Send { to: candidate, message });
    }

    fn swap_timeout(&self) -> Micros {
        self.xbot.as_ref().map_or(Micros(0), |xbot| xbot.options.timeout)
    }

    /// A request of a swap is over without one.
    pub(super) fn fail_swap(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        if let Some(request) = self.end_request(peer) {
            self.on_swap_ended(peer, request, now, out);
        }
        self.let_go(peer, out);
    }

    /// A request of a swap has ended, in whatever way: the part that hung on it ends too.
    pub(super) fn on_swap_ended(
        &mut self,
        peer: PeerId,
        request: Request,
        now: Micros,
        out: &mut Out,
    ) {
        match (request.aim, self.part()) {
            (Aim::Optimise, Some(Part::Initiator { candidate, old, is_dropped }))
                if candidate == peer =>
            {
                self.set_part(None);
                match old {
                    Some(old) if is_dropped => {
                        self.request(old, Aim::Fill, now, out);
                        self.fill(now, out);
                    }
                    _ => self.next_candidate(now, out),
                }
            }
            (Aim::Switch, Some(Part::Asked { candidate, its_token: token, old, .. }))
                if old == peer =>
            {
                self.set_part(None);
                if self.links.contains(&candidate) {
                    let message = HyParViewMessage::Replaced { token, is_done: false };
                    out.push(OverlayOutput::Send { to: candidate, message });
                }
            }
            _ => {}
        }
    }

    /// At c: somebody wants this node in place of `old`.
    pub(super) fn on_optimise(
        &mut self,
        from: PeerId,
        its_token: u32,
        old: PeerId,
        now: Micros,
        out: &mut Out,
    ) {
        let has_room = self.views.active().len() < usize::from(self.options.active_size);
        if has_room && !self.views.is_active(from) {
            self.add_active(from, now, out);
            self.answer_optimise(from, its_token, true, out);
            self.greet(from, out);
            return;
        }
        let is_free = self.part().is_none() && !self.views.is_active(from);
        let Some(asked) = self.worst(Some(old)).filter(|_| is_free) else {
            self.answer_optimise(from, its_token, false, out);
            return;
        };
        self.token = self.token.wrapping_add(1);
        let token = self.token;
        self.set_part(Some(Part::Candidate { initiator: from, its_token, asked, token }));
        if !self.options.planted.is("xbot_waits_for_ever") {
            self.timers.set(Timer::Swap, now + self.swap_timeout());
        }
        let message = HyParViewMessage::Replace { token, initiator: from, old };
        out.push(OverlayOutput::Send { to: asked, message });
    }

    fn answer_optimise(&self, to: PeerId, token: u32, is_done: bool, out: &mut Out) {
        if self.links.contains(&to) {
            let message = HyParViewMessage::Optimised { token, is_done };
            out.push(OverlayOutput::Send { to, message });
        }
    }

    /// At d: a neighbour asks whether this node would take `old` in its place.
    pub(super) fn on_replace(
        &mut self,
        from: PeerId,
        its_token: u32,
        (initiator, old): (PeerId, PeerId),
        now: Micros,
        out: &mut Out,
    ) {
        let is_known = self.costs.contains_key(&old);
        let is_fit = self.views.is_active(from)
            && self.part().is_none()
            && self.costs.contains_key(&from)
            && !self.views.is_active(old)
            && initiator.node != self.own.node
            && (!is_known || self.is_cheaper(old, from));
        if is_fit && self.request(old, Aim::Switch, now, out) {
            self.set_part(Some(Part::Asked { candidate: from, its_token, old, initiator }));
        } else if self.links.contains(&from) {
            let message = HyParViewMessage::Replaced { token: its_token, is_done: false };
            out.push(OverlayOutput::Send { to: from, message });
        }
    }

    /// At o: `from` would take the initiator's place.
    pub(super) fn on_switch(
        &mut self,
        from: PeerId,
        token: u32,
        initiator: PeerId,
        now: Micros,
        out: &mut Out,
    ) {
        let has_room = self.views.active().len() < usize::from(self.options.active_size);
        let is_neighbour = self.views.is_active(initiator);
        let is_done =
            !self.views.is_active(from) && self.part().is_none() && (is_neighbour || has_room);
        if is_done && is_neighbour {
            let message = HyParViewMessage::DisconnectWait;
            out.push(OverlayOutput::Send { to: initiator, message });
            self.part_from(initiator, out);
        }
        if is_done {
            self.add_active(from, now, out);
        }
        out.push(OverlayOutput::Send {
            to: from,
            message: HyParViewMessage::Switched { token, is_done },
        });
        if is_done {
            self.greet(from, out);
        }
    }

    /// A neighbour that goes on living is one no longer; it knows or is being told.
    fn part_from(&mut self, peer: PeerId, out: &mut Out) -> bool {
        let was = self.views.remove_active(peer);
        if was {
            out.push(OverlayOutput::NeighbourDown(peer));
            self.keep(peer);
        }
        self.let_go(peer, out);
        was
    }

    /// At d: o has answered.
    pub(super) fn on_switched(
        &mut self,
        from: PeerId,
        token: u32,
        is_done: bool,
        now: Micros,
        out: &mut Out,
    ) {
        let Some(request) = self.answered(from, token) else { return };
        let Some(Part::Asked { candidate, its_token, old, .. }) = self.part() else { return };
        if old != from || !is_done {
            self.on_swap_ended(from, request, now, out);
            self.let_go(from, out);
            return;
        }
        self.set_part(None);
        if self.links.contains(&candidate) {
            let message = HyParViewMessage::Replaced { token: its_token, is_done: true };
            out.push(OverlayOutput::Send { to: candidate, message });
        }
        if !self.options.planted.is("xbot_takes_both") {
            self.part_from(candidate, out);
        }
        self.take(from, now, out);
    }

    /// Takes a peer that has taken this node, if there is room (still).
    fn take(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        let outgrows = self.options.planted.is("xbot_takes_both");
        if self.views.active().len() < usize::from(self.options.active_size) || outgrows {
            self.add_active(peer, now, out);
            self.greet(peer, out);
        } else {
            let message = HyParViewMessage::Disconnect { alive: true };
            out.push(OverlayOutput::Send { to: peer, message });
            self.let_go(peer, out);
        }
        self.fill(now, out);
    }

    /// At c: d has answered; if it is done, d is a neighbour no longer, however late that comes.
    pub(super) fn on_replaced(
        &mut self,
        from: PeerId,
        token: u32,
        is_done: bool,
        now: Micros,
        out: &mut Out,
    ) {
        if is_done {
            self.part_from(from, out);
        }
        if let Some(Part::Candidate { initiator, its_token, asked, token: own }) = self.part()
            && asked == from
            && own == token
        {
            self.end_candidate(initiator, its_token, now, out);
        }
        self.fill(now, out);
    }

    /// At c: the swap is over; where there is room now, the initiator gets it.
    fn end_candidate(&mut self, initiator: PeerId, its_token: u32, now: Micros, out: &mut Out) {
        self.set_part(None);
        self.timers.cancel(&Timer::Swap);
        let has_room = self.views.active().len() < usize::from(self.options.active_size);
        let is_done =
            has_room && self.links.contains(&initiator) && !self.views.is_active(initiator);
        if is_done {
            self.add_active(initiator, now, out);
        }
        self.answer_optimise(initiator, its_token, is_done, out);
        if is_done {
            self.greet(initiator, out);
        }
    }

    /// At c: no answer from d.
    pub(super) fn on_swap_due(&mut self, now: Micros, out: &mut Out) {
        if let Some(Part::Candidate { initiator, its_token, .. }) = self.part() {
            self.end_candidate(initiator, its_token, now, out);
        }
    }

    /// At i: c has answered.
    pub(super) fn on_optimised(
        &mut self,
        from: PeerId,
        token: u32,
        is_done: bool,
        now: Micros,
        out: &mut Out,
    ) {
        let Some(request) = self.answered(from, token) else { return };
        let Some(Part::Initiator { candidate, old, .. }) = self.part() else { return };
        if candidate != from || !is_done {
            self.on_swap_ended(from, request, now, out);
            self.let_go(from, out);
            return;
        }
        self.set_part(None);
        self.counters.swaps += 1;
        if let Some(xbot) = self.xbot.as_mut() {
            xbot.period = xbot.options.period_min;
        }
        if let Some(old) = old.filter(|old| self.views.is_active(*old)) {
            let message = HyParViewMessage::Disconnect { alive: true };
            out.push(OverlayOutput::Send { to: old, message });
            self.part_from(old, out);
        }
        self.take(from, now, out);
    }

    /// At i: o has taken another in this node's place; the candidate's answer is on its way, so
    /// the place is not filled. Where no such swap is under way (any more), this is a DISCONNECT.
    pub(super) fn on_disconnect_wait(&mut self, from: PeerId, now: Micros, out: &mut Out) {
        match self.part() {
            Some(Part::Initiator { candidate, old, .. })
                if old == Some(from) && self.views.is_active(from) =>
            {
                self.set_part(Some(Part::Initiator { candidate, old, is_dropped: true }));
                self.part_from(from, out);
            }
            _ => self.on_disconnect(from, true, now, out),
        }
    }
}
