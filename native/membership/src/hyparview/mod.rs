//! HyParView: a few neighbours each, and a few more peers known for repair.
//!
//! Links are made by the host, so a view changes over several inputs, and messages of two peers
//! cross. Three rules keep both ends of one opinion. A link is first in, first out while it lasts,
//! and who takes a peer in says so over it at once. An answer repeats the token of its request: an
//! answer to a request that was given up changes nothing, and giving one up says DISCONNECT behind
//! it. And each neighbour hears a pulse per period; who gets one from a peer that is none answers
//! DISCONNECT, so that whatever went wrong is right again within two periods.
//!
//! The answer to a shuffle goes back along the way of its walk (a list of at most `shuffle_walk`
//! peers in the message), over links that are up in any case: a link of its own to the beginner
//! would cost a handshake per node and shuffle. Where the walk has broken, one exchange is lost.

mod bugs;
mod component;
mod join;
mod message;
mod options;
mod pulse;
mod repair;
mod request;
mod seeds;
mod shuffle;
mod views;
mod xbot;

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::{Micros, PeerId, Rng, Timers};

pub use bugs::BUGS as HYPARVIEW_BUGS;
pub use message::{HyParViewMessage, Priority, SHUFFLE_PATH_MAX, SHUFFLE_PEERS_MAX};
pub use options::{HyParViewOptions, passive_size_for};
pub use xbot::XBotOptions;

use crate::overlay::{LinkEnd, OverlayInput, OverlayOutput};
use component::Component;
use request::Request;
use seeds::Seeds;
use views::Views;
use xbot::XBot;

type Out = Vec<OverlayOutput<HyParViewMessage>>;

/// What happened so many times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HyParViewCounters {
    /// Messages that say what none may: too long, with the wrong sender, with too many hops.
    pub malformed: u64,
    /// Requests not made since so many were under way.
    pub requests_refused: u64,
    /// Neighbours put out for one with a high priority.
    pub evicted: u64,
    /// Neighbours lost without a goodbye.
    pub lost: u64,
    /// Requests and dials that nobody answered in time.
    pub unanswered: u64,
    /// DISCONNECTs sent to peers that took this node for a neighbour.
    pub corrected: u64,
    /// Components found by comparing with a seed, and joined.
    pub merged: u64,
    /// Rounds of X-BOT.
    pub rounds: u64,
    /// Swaps that this node began and that came about.
    pub swaps: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Shuffle,
    Repair,
    Pulse,
    Merge,
    Seeds,
    NextSeed,
    Optimise,
    Swap,
    Request(PeerId),
}

/// The machine of one node.
#[derive(Debug)]
pub struct HyParView {
    options: HyParViewOptions,
    own: PeerId,
    rng: Rng,
    timers: Timers<Timer>,
    views: Views,
    component: Component,
    seeds: Seeds,
    xbot: Option<XBot>,
    /// Links that are up; the host bounds them.
    links: BTreeSet<PeerId>,
    /// Links that this overlay holds.
    held: BTreeSet<PeerId>,
    requests: BTreeMap<PeerId, Request>,
    token: u32,
    /// Passive peers asked since the last repair; a part of the passive view.
    tried: BTreeSet<PeerId>,
    /// How many times longer than its period the next repair waits.
    patience: u32,
    /// Passive peers told in the last shuffle: the first to make room for what comes in return.
    told: Vec<PeerId>,
    /// Round trips to peers in a view or asked.
    costs: BTreeMap<PeerId, Micros>,
    counters: HyParViewCounters,
    /// How many times it takes a random peer for a neighbour.
    mixes_left: u8,
    has_left: bool,
}

impl HyParView {
    /// A node that knows nobody.
    #[must_use]
    pub fn new(options: HyParViewOptions, own: PeerId, mut rng: Rng, now: Micros) -> HyParView {
        let mut timers = Timers::default();
        let first_shuffle = match options.mixes {
            0 => options.shuffle_period,
            _ => Micros(options.shuffle_period.0 / 10),
        };
        // The first of each comes at any time within its period: nodes started together drift
        // apart at once.
        for (timer, period) in [
            (Timer::Shuffle, first_shuffle),
            (Timer::Repair, options.repair_period),
            (Timer::Pulse, options.pulse_period),
        ] {
            timers.set(timer, now + fraction(period, rng.below(1_000)));
        }
        if options.merge_period != Micros::NEVER {
            timers.set(Timer::Merge, now + fraction(options.merge_period, 20 + rng.below(20)));
        }
        if let Some(xbot) = options.xbot {
            timers.set(Timer::Optimise, now + fraction(xbot.period_min, rng.below(1_000)));
        }
        HyParView {
            views: Views::new(own, options.active_size, options.passive_size),
            component: Component::new(own, now),
            seeds: Seeds::new(&options),
            mixes_left: options.mixes,
            xbot: options.xbot.map(XBot::new),
            options,
            own,
            rng,
            timers,
            links: BTreeSet::new(),
            held: BTreeSet::new(),
            requests: BTreeMap::new(),
            token: 0,
            tried: BTreeSet::new(),
            patience: 1,
            told: Vec::new(),
            costs: BTreeMap::new(),
            counters: HyParViewCounters::default(),
            has_left: false,
        }
    }

    /// Advances the node by one input.
    pub fn handle(
        &mut self,
        input: OverlayInput<HyParViewMessage>,
        now: Micros,
        out: &mut Vec<OverlayOutput<HyParViewMessage>>,
    ) {
        if self.has_left {
            return;
        }
        match input {
            OverlayInput::Seeds(count) => {
                self.seeds.count = count;
                self.fill(now, out);
            }
            OverlayInput::LinkUp { peer, is_seed } => self.on_link_up(peer, is_seed, now, out),
            OverlayInput::LinkDown { peer, end } => self.on_link_down(peer, end, now, out),
            OverlayInput::DialFailed(peer) => self.on_dial_failed(peer, now, out),
            OverlayInput::SeedFailed => self.on_seed_failed(now, out),
            OverlayInput::Received { from, message } => self.on_message(from, message, now, out),
            OverlayInput::Cost { peer, cost } => self.on_cost(peer, cost),
            OverlayInput::MemberUp(peer) => self.supersede(peer, now, out),
            OverlayInput::MemberDown(peer) => {
                self.views.forget(peer);
                self.tried.remove(&peer);
            }
            OverlayInput::Met(peer) => self.on_met(peer, now, out),
            OverlayInput::Due => self.on_due(now, out),
            OverlayInput::Leave => self.leave(out),
        }
    }

    /// When it wants to hear [`OverlayInput::Due`].
    #[must_use]
    pub fn due(&self) -> Micros {
        if self.has_left { Micros::NEVER } else { self.timers.due() }
    }

    /// Its neighbours.
    #[must_use]
    pub fn active(&self) -> &[PeerId] {
        self.views.active()
    }

    /// Peers known for repair.
    #[must_use]
    pub fn passive(&self) -> &[PeerId] {
        self.views.passive()
    }

    /// Grows with every change of a view.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.views.changes()
    }

    /// Links that it holds: neighbours, and peers asked.
    #[must_use]
    pub fn held(&self) -> &BTreeSet<PeerId> {
        &self.held
    }

    /// Who stands for the component that it believes to be in.
    #[must_use]
    pub fn root(&self) -> PeerId {
        self.component.root()
    }

    /// Requests under way.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    /// The peers that are asked for something.
    pub fn requested(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.requests.keys().copied()
    }

    /// Whether that peer is asked for something.
    #[must_use]
    pub fn is_requested(&self, peer: PeerId) -> bool {
        self.requests.contains_key(&peer)
    }

    /// What happened how often.
    #[must_use]
    pub fn counters(&self) -> HyParViewCounters {
        self.counters
    }

    fn on_link_up(&mut self, peer: PeerId, is_seed: bool, now: Micros, out: &mut Out) {
        if peer.node == self.own.node {
            return;
        }
        let was_up = !self.links.insert(peer);
        if was_up && self.views.is_active(peer) {
            // Perhaps a new link in place of one whose end has not been heard of: a peer that is no
            // neighbour any more says so.
            self.greet(peer, out);
        }
        if is_seed {
            self.on_seed_up(peer, now, out);
        } else if self.requests.get(&peer).is_some_and(|request| request.token.is_none()) {
            self.ask(peer, now, out);
        }
    }

    fn on_link_down(&mut self, peer: PeerId, end: LinkEnd, now: Micros, out: &mut Out) {
        self.links.remove(&peer);
        // A dial under way is for the next link.
        let is_dialling = self.requests.get(&peer).is_some_and(|request| request.token.is_none());
        let asked = if is_dialling { None } else { self.end_request(peer) };
        if !is_dialling {
            self.held.remove(&peer);
        }
        let was_asked = asked.is_some();
        let was_active = self.views.remove_active(peer);
        if was_active {
            out.push(OverlayOutput::NeighbourDown(peer));
        }
        if end == LinkEnd::Released {
            if was_active {
                self.keep(peer);
            }
            if let Some(request) = asked {
                self.request_again(peer, request, now, out);
            }
        } else if was_active || was_asked || end == LinkEnd::Left {
            self.counters.lost += u64::from(was_active && end == LinkEnd::Lost);
            self.lose(peer);
        }
        if was_active {
            self.hurry(end == LinkEnd::Lost, now);
        }
        if let Some(request) = asked {
            self.on_swap_ended(peer, request, now, out);
        }
        if was_active || was_asked {
            self.fill(now, out);
        }
    }

    fn on_message(&mut self, from: PeerId, message: HyParViewMessage, now: Micros, out: &mut Out) {
        if from.node == self.own.node {
            self.counters.malformed += 1;
            return;
        }
        match message {
            HyParViewMessage::Join { token } => self.on_join(from, token, now, out),
            HyParViewMessage::ForwardJoin { joiner, ttl } => {
                self.on_forward_join(from, joiner, ttl, now, out);
            }
            HyParViewMessage::Neighbour { token, priority } => {
                self.on_neighbour(from, token, priority, now, out);
            }
            HyParViewMessage::Accept { token } => self.on_accept(from, token, now, out),
            HyParViewMessage::Reject { token } => self.on_reject(from, token, now, out),
            HyParViewMessage::Disconnect { alive } => self.on_disconnect(from, alive, now, out),
            HyParViewMessage::Shuffle { path, peers, ttl } => {
                self.on_shuffle(from, path, peers, ttl, out);
                self.fill(now, out);
            }
            HyParViewMessage::ShuffleReply { path, peers } => {
                self.on_shuffle_reply(from, path, peers, out);
                self.fill(now, out);
            }
            HyParViewMessage::Pulse { root, count } => self.on_pulse(from, root, count, now, out),
            HyParViewMessage::Compare { token, count } => {
                self.on_compare(from, token, count, now, out);
            }
            HyParViewMessage::Measure { token } => {
                let message = HyParViewMessage::Measured { token };
                out.push(OverlayOutput::Send { to: from, message });
            }
            other => self.on_swap_message(from, other, now, out),
        }
    }

    fn on_swap_message(
        &mut self,
        from: PeerId,
        message: HyParViewMessage,
        now: Micros,
        out: &mut Out,
    ) {
        match message {
            HyParViewMessage::Measured { token } => self.on_measured(from, token, now, out),
            HyParViewMessage::Optimise { token, old } => {
                self.on_optimise(from, token, old, now, out);
            }
            HyParViewMessage::Optimised { token, is_done } => {
                self.on_optimised(from, token, is_done, now, out);
            }
            HyParViewMessage::Replace { token, initiator, old } => {
                self.on_replace(from, token, (initiator, old), now, out);
            }
            HyParViewMessage::Replaced { token, is_done } => {
                self.on_replaced(from, token, is_done, now, out);
            }
            HyParViewMessage::Switch { token, initiator } => {
                self.on_switch(from, token, initiator, now, out);
            }
            HyParViewMessage::Switched { token, is_done } => {
                self.on_switched(from, token, is_done, now, out);
            }
            HyParViewMessage::DisconnectWait => self.on_disconnect_wait(from, now, out),
            _ => {} // each of the others has been dealt with
        }
    }

    fn on_disconnect(&mut self, from: PeerId, alive: bool, now: Micros, out: &mut Out) {
        let was_active = self.views.remove_active(from);
        if was_active {
            out.push(OverlayOutput::NeighbourDown(from));
        }
        if !alive {
            if let Some(request) = self.end_request(from) {
                self.on_swap_ended(from, request, now, out);
            }
            self.lose(from);
        } else if was_active {
            self.keep(from);
            if !self.views.active().is_empty() {
                self.tried.insert(from); // it is full
            }
        }
        self.let_go(from, out);
        if was_active {
            self.hurry(false, now);
        }
        self.fill(now, out);
    }

    fn on_due(&mut self, now: Micros, out: &mut Out) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Shuffle => self.on_shuffle_due(now, out),
                Timer::Repair => self.on_repair_due(now, out),
                Timer::Pulse => self.on_pulse_due(now, out),
                Timer::Merge => self.on_merge_due(now, out),
                Timer::Seeds => self.on_seeds_due(now, out),
                Timer::NextSeed => self.dial_next_seed(now, out),
                Timer::Optimise => self.on_optimise_due(now, out),
                Timer::Swap => self.on_swap_due(now, out),
                Timer::Request(peer) => self.on_request_due(peer, now, out),
            }
        }
    }

    fn on_cost(&mut self, peer: PeerId, cost: Micros) {
        let is_known = self.views.is_active(peer) || self.views.passive().contains(&peer);
        if is_known || self.requests.contains_key(&peer) {
            self.costs.insert(peer, cost);
        }
        if self.costs.len() > 2 * (self.options.passive_size as usize + 16) {
            let views = &self.views;
            self.costs.retain(|one, _| views.is_active(*one) || views.passive().contains(one));
        }
    }

    fn leave(&mut self, out: &mut Out) {
        self.has_left = true;
        for peer in self.views.take_active() {
            let message = HyParViewMessage::Disconnect { alive: false };
            out.push(OverlayOutput::Send { to: peer, message });
            out.push(OverlayOutput::NeighbourDown(peer));
        }
        for peer in std::mem::take(&mut self.held) {
            out.push(OverlayOutput::Release(peer));
        }
        self.requests.clear();
    }

    /// A neighbour from now on; one is put out where there is no room.
    fn add_active(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        if let Some(other) = self.views.other_life(peer) {
            self.views.remove_active(other);
            out.push(OverlayOutput::NeighbourDown(other));
            self.let_go(other, out);
        }
        let size = usize::from(self.options.active_size);
        let is_full = self.views.active().len() >= size;
        let planted = self.options.planted;
        let outgrows = planted.is("hyparview_accepts_beyond_full") || planted.is("xbot_takes_both");
        if is_full && !outgrows {
            let victim = self.views.active()[self.rng.index(self.views.active().len())];
            self.counters.evicted += 1;
            self.put_out(victim, out);
        }
        let asked = self.end_request(peer);
        if !self.options.planted.is("hyparview_neighbour_stays_passive") {
            self.views.forget_lives_of(peer);
        }
        self.tried.remove(&peer);
        self.views.add_active(peer);
        self.held.insert(peer);
        out.push(OverlayOutput::NeighbourUp(peer));
        if let Some(request) = asked {
            self.on_swap_ended(peer, request, now, out);
        }
    }

    /// Puts out a neighbour that goes on living.
    fn put_out(&mut self, victim: PeerId, out: &mut Out) {
        self.views.remove_active(victim);
        out.push(OverlayOutput::NeighbourDown(victim));
        self.keep(victim);
        if self.options.planted.is("hyparview_evicts_in_silence") {
            return;
        }
        let message = HyParViewMessage::Disconnect { alive: true };
        out.push(OverlayOutput::Send { to: victim, message });
        self.let_go(victim, out);
    }

    /// A later life of somebody known takes the place of the earlier one.
    fn supersede(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        if let Some(other) = self.views.other_life(peer)
            && peer.is_later_life_of(other)
        {
            self.views.remove_active(other);
            out.push(OverlayOutput::NeighbourDown(other));
            self.let_go(other, out);
            self.keep(peer);
            self.hurry(true, now);
            self.fill(now, out);
        }
        self.views.supersede_passive(peer);
    }

    fn keep(&mut self, peer: PeerId) -> bool {
        self.views.keep(peer, &mut self.told, &mut self.rng)
    }

    fn lose(&mut self, peer: PeerId) {
        if self.options.planted.is("hyparview_keeps_the_dead") {
            return;
        }
        self.tried.remove(&peer);
        self.views.lose(peer);
    }

    /// Releases a link that is neither a neighbour's nor under request.
    fn let_go(&mut self, peer: PeerId, out: &mut Out) {
        let is_used = self.views.is_active(peer) || self.requests.contains_key(&peer);
        if !is_used && self.held.remove(&peer) {
            out.push(OverlayOutput::Release(peer));
        }
    }

    /// `period`, up to so many percent less or more.
    fn around(&mut self, period: Micros, percent: u32) -> Micros {
        let spread = self.rng.below(20 * percent + 1);
        fraction(period, 1_000 - 10 * percent + spread)
    }
}

/// So many thousandths of a time.
fn fraction(of: Micros, thousandths: u32) -> Micros {
    Micros((of.0 / 1_000).saturating_mul(u64::from(thousandths)))
}
