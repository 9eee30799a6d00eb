//! Messages to nodes that may not be linked to this one.
//!
//! A link is used where one is up; else one is dialled; where that fails, a neighbour relays. A
//! relay does the same, with the neighbour from which news of the destination came before a dial,
//! and sends the message back where it can go nowhere: so a message walks the overlay depth first,
//! within its hop limit, and is in one place at a time. It arrives at most once; a link that breaks
//! may take it along. Messages of one node to another arrive in the order sent: each names the one
//! that it must not overtake, and the destination waits for that one, though not for ever.

mod hops;
mod inbox;
mod io;
mod onward;
mod target;
#[cfg(test)]
mod tests;
mod via;

use std::collections::{BTreeMap, BTreeSet};

use foundation_broadcast::Payload;
use foundation_machine::{Bug, Micros, PeerId, Planted, Rng, Timers};

use crate::event::RouteFailure;
use crate::io::OverlayNo;
use crate::message::Routed;
use crate::options::{Relay, RouterOptions};
use inbox::{Arrived, Inbox};
use target::{Target, Waiting};
use via::Vias;

pub(crate) use hops::hop_limit;
pub(crate) use io::{Around, RouterInput, RouterOutput};

/// Relays and dead ends that a message can name; one that names more is refused.
pub const VISITED_MAX: usize = 64;

/// Destinations of which the last path is remembered. Unit: entries of some 150 bytes.
const TARGETS_MAX: usize = 16_384;

/// Own messages remembered as given up, the latest: one that is handed back once more has ended.
const GIVEN_UP_MAX: usize = 1_024;

/// The bugs that a router can be told to have.
pub(crate) const BUGS: &[Bug] = &[
    Bug {
        name: "router_delivers_a_repeat",
        what: "a routed message that arrives a second time is delivered again",
    },
    Bug { name: "router_overtakes", what: "a message over a new link names no predecessor" },
    Bug {
        name: "router_flushes_twice",
        what: "the first of the messages that waited for a link is sent twice when it is up",
    },
    Bug { name: "router_queue_unbounded", what: "the queue of a dialled destination has no bound" },
    Bug { name: "router_forgets_hops", what: "a relay does not count down the hop limit" },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A dial takes too long.
    Dial(PeerId),
    /// The wait for an origin's missing message ends.
    Gap(PeerId),
    /// The link to a destination may have become idle.
    Idle(PeerId),
}

/// What a router counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouterCounters {
    /// This node's messages that went over a link of its own.
    pub direct: u64,
    /// This node's messages that went over a neighbour.
    pub relayed: u64,
    /// Other nodes' messages that this one took on.
    pub forwarded: u64,
    /// Other nodes' messages that this one sent back, for it had nowhere to send them.
    pub returned: u64,
    /// Other nodes' messages that were lost here: no link led back, or their destination is down.
    pub lost: u64,
    /// Arrived a second time, or after a later one had given up the wait for them; or came back
    /// after they had been given up.
    pub late: u64,
    /// Messages that no correct node sends: an own one, one seen before, one with too long a path.
    pub malformed: u64,
    /// This node's messages that failed.
    pub failed: u64,
}

/// The routes of one node.
#[derive(Debug)]
pub(crate) struct Router<B> {
    options: RouterOptions,
    planted: Planted,
    own: PeerId,
    rng: Rng,
    /// Counts all routed messages of this node, so that no destination sees a number again though
    /// its [`Target`] was forgotten.
    sequence: u64,
    targets: BTreeMap<PeerId, Target<B>>,
    dialling: usize,
    /// Own messages, by their numbers, of which the application was told that they did not arrive.
    given_up: BTreeSet<u64>,
    inbox: Inbox<B>,
    vias: Vias,
    timers: Timers<Timer>,
    counters: RouterCounters,
}

type Out<'a, B> = &'a mut Vec<RouterOutput<B>>;

impl<B: Payload> Router<B> {
    pub(crate) fn new(options: RouterOptions, planted: Planted, own: PeerId, rng: Rng) -> Self {
        Router {
            inbox: Inbox::new(options.gap_wait, planted),
            options,
            planted,
            own,
            rng,
            sequence: 0,
            targets: BTreeMap::new(),
            dialling: 0,
            given_up: BTreeSet::new(),
            vias: Vias::default(),
            timers: Timers::default(),
            counters: RouterCounters::default(),
        }
    }

    pub(crate) fn handle(
        &mut self,
        input: RouterInput<B>,
        around: &impl Around,
        now: Micros,
        out: Out<'_, B>,
    ) {
        match input {
            RouterInput::Route { to, overlay, payload } => {
                self.route(to, overlay, payload, around, now, out);
            }
            RouterInput::Datagram { to, overlay, payload } => {
                self.datagram(to, overlay, payload, around, out);
            }
            RouterInput::Received { from, routed } => {
                self.received(from, routed, around, now, out);
            }
            RouterInput::Returned { from, routed } => {
                self.returned(from, routed, around, now, out);
            }
            RouterInput::LinkUp(peer) => self.link_up(peer, around, now, out),
            RouterInput::LinkDown(peer) => {
                if let Some(target) = self.targets.get_mut(&peer) {
                    target.holds_link = false;
                }
                self.timers.cancel(&Timer::Idle(peer));
            }
            RouterInput::DialFailed(peer) => self.dial_failed(peer, around, now, out),
            RouterInput::Down(peer) => self.down(peer, out),
            RouterInput::Learnt { node, neighbour } => self.vias.learn(node, neighbour),
            RouterInput::Due => self.due_timers(around, now, out),
        }
    }

    pub(crate) fn due(&self) -> Micros {
        self.timers.due()
    }

    pub(crate) fn counters(&self) -> RouterCounters {
        RouterCounters { late: self.counters.late + self.inbox.late, ..self.counters }
    }

    /// Messages that wait for a link, and their bytes.
    pub(crate) fn queued(&self) -> (usize, usize) {
        let targets = self.targets.values();
        targets.fold((0, 0), |(messages, bytes), target| {
            (messages + target.queued(), bytes + target.queued_bytes())
        })
    }

    /// The most messages that wait for one destination.
    pub(crate) fn longest_queue(&self) -> usize {
        self.targets.values().map(Target::queued).max().unwrap_or(0)
    }

    /// Messages that arrived and wait for an earlier one.
    pub(crate) fn held(&self) -> usize {
        self.inbox.held()
    }

    /// Whether a message over the link to that peer can overtake none that went another way.
    pub(crate) fn is_settled(&self, peer: PeerId, now: Micros) -> bool {
        self.targets.get(&peer).is_none_or(|target| {
            !target.is_dialling && target.predecessor(false, now, self.options.settle) == 0
        })
    }

    fn target(&mut self, peer: PeerId) -> &mut Target<B> {
        if self.targets.len() >= TARGETS_MAX && !self.targets.contains_key(&peer) {
            let idle = self.targets.iter().filter(|(_, target)| target.is_idle());
            if let Some(oldest) = idle.min_by_key(|(_, target)| target.last_sent) {
                let oldest = *oldest.0;
                self.targets.remove(&oldest);
            }
        }
        self.targets.entry(peer).or_default()
    }

    fn route(
        &mut self,
        to: PeerId,
        overlay: OverlayNo,
        payload: B,
        around: &impl Around,
        now: Micros,
        out: Out<'_, B>,
    ) {
        if to == self.own {
            self.sequence += 1;
            let (origin, sequence) = (self.own, self.sequence);
            return out.push(RouterOutput::Deliver { origin, sequence, hops: 0, payload });
        }
        if self.target(to).is_dialling {
            return self.wait_own(to, overlay, payload, out);
        }
        if around.is_linked(to) {
            return self.send_own(to, overlay, payload, around, now, out);
        }
        if self.may_dial(to, overlay, around, now) {
            self.wait_own(to, overlay, payload, out);
            return self.dial(to, now, out);
        }
        self.relay_own(to, overlay, payload, around, now, out);
    }

    fn wait_own(&mut self, to: PeerId, overlay: OverlayNo, payload: B, out: Out<'_, B>) {
        let (messages, bytes) = (self.options.queue_messages_max, self.options.queue_bytes_max);
        let is_unbounded = self.planted.is("router_queue_unbounded");
        let target = self.target(to);
        if target.has_room(payload.bytes(), messages, bytes) || is_unbounded {
            return target.wait(Waiting::Own { overlay, payload });
        }
        self.fail(to, 0, payload, RouteFailure::QueueFull, out);
    }

    fn may_dial(
        &mut self,
        to: PeerId,
        overlay: OverlayNo,
        around: &impl Around,
        now: Micros,
    ) -> bool {
        self.options.relay != Relay::Never
            && self.dialling < self.options.destinations_max
            && around.may_dial(overlay, to)
            && self.target(to).cut_until <= now
    }

    fn dial(&mut self, to: PeerId, now: Micros, out: Out<'_, B>) {
        let target = self.target(to);
        if std::mem::replace(&mut target.is_dialling, true) {
            return;
        }
        self.dialling += 1;
        let wait = self.jittered(self.options.dial_timeout);
        self.timers.set(Timer::Dial(to), now + wait);
        out.push(RouterOutput::Dial(to));
    }

    /// Up to a quarter more than that.
    fn jittered(&mut self, time: Micros) -> Micros {
        let spread = u32::try_from(time.0 / 4).unwrap_or(u32::MAX);
        time + Micros(u64::from(self.rng.below(spread)))
    }

    fn link_up(&mut self, peer: PeerId, around: &impl Around, now: Micros, out: Out<'_, B>) {
        let Some(target) = self.targets.get_mut(&peer) else { return };
        target.cut_until = Micros(0);
        if !std::mem::replace(&mut target.is_dialling, false) {
            return;
        }
        target.holds_link = true;
        target.used = now;
        self.dialling -= 1;
        self.timers.cancel(&Timer::Dial(peer));
        let idle = self.jittered(self.options.idle_hold);
        self.timers.set(Timer::Idle(peer), now + idle);
        let queue = self.target(peer).take_queue();
        for (place, waiting) in queue.into_iter().enumerate() {
            match waiting {
                Waiting::Own { overlay, payload } => {
                    if place == 0 && self.planted.is("router_flushes_twice") {
                        self.send_own(peer, overlay, payload.clone(), around, now, out);
                    }
                    self.send_own(peer, overlay, payload, around, now, out);
                }
                Waiting::Relayed(routed) => self.onward(routed, false, around, now, out),
            }
        }
    }

    fn dial_failed(&mut self, peer: PeerId, around: &impl Around, now: Micros, out: Out<'_, B>) {
        let cut = self.jittered(self.options.redial_after);
        let target = self.target(peer);
        target.cut_until = now + cut;
        if !std::mem::replace(&mut target.is_dialling, false) {
            return;
        }
        let queue = target.take_queue();
        self.dialling -= 1;
        self.timers.cancel(&Timer::Dial(peer));
        for waiting in queue {
            match waiting {
                Waiting::Own { overlay, payload } => {
                    self.relay_own(peer, overlay, payload, around, now, out);
                }
                Waiting::Relayed(routed) => self.onward(routed, false, around, now, out),
            }
        }
    }

    fn down(&mut self, peer: PeerId, out: Out<'_, B>) {
        self.vias.forget(peer);
        self.counters.lost += self.inbox.forget(peer) as u64;
        self.timers.cancel(&Timer::Gap(peer));
        self.timers.cancel(&Timer::Idle(peer));
        self.timers.cancel(&Timer::Dial(peer));
        let Some(mut target) = self.targets.remove(&peer) else { return };
        self.dialling -= usize::from(target.is_dialling);
        if target.holds_link || target.is_dialling {
            out.push(RouterOutput::Release(peer));
        }
        for waiting in target.take_queue() {
            match waiting {
                Waiting::Own { payload, .. } => {
                    self.fail(peer, 0, payload, RouteFailure::Down, out);
                }
                Waiting::Relayed(_) => self.counters.lost += 1,
            }
        }
    }

    fn fail(
        &mut self,
        to: PeerId,
        sequence: u64,
        payload: B,
        reason: RouteFailure,
        out: Out<'_, B>,
    ) {
        self.counters.failed += 1;
        if sequence > 0 {
            self.given_up.insert(sequence);
            if self.given_up.len() > GIVEN_UP_MAX {
                self.given_up.pop_first();
            }
        }
        out.push(RouterOutput::Failed { to, sequence, payload, reason });
    }

    fn arrived(&mut self, routed: Routed<B>, now: Micros, out: Out<'_, B>) {
        let origin = routed.origin;
        let hops = routed.path.len() as u8 + 1;
        let Routed { sequence, after, payload, .. } = routed;
        if sequence == 0 {
            return out.push(RouterOutput::Deliver { origin, sequence, hops, payload });
        }
        self.inbox.arrive(origin, Arrived { sequence, after, hops, payload }, now);
        self.deliver(origin, now, out);
    }

    fn deliver(&mut self, origin: PeerId, now: Micros, out: Out<'_, B>) {
        while let Some(Arrived { sequence, hops, payload, .. }) = self.inbox.take(origin, now) {
            out.push(RouterOutput::Deliver { origin, sequence, hops, payload });
        }
        match self.inbox.due(origin) {
            Some(at) => self.timers.set(Timer::Gap(origin), at),
            None => {
                self.timers.cancel(&Timer::Gap(origin));
            }
        }
    }

    fn due_timers(&mut self, around: &impl Around, now: Micros, out: Out<'_, B>) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Dial(peer) => {
                    out.push(RouterOutput::Release(peer));
                    self.dial_failed(peer, around, now, out);
                }
                Timer::Gap(origin) => self.deliver(origin, now, out),
                Timer::Idle(peer) => self.release_if_idle(peer, now, out),
            }
        }
    }

    fn release_if_idle(&mut self, peer: PeerId, now: Micros, out: Out<'_, B>) {
        let idle = self.options.idle_hold;
        let Some(target) = self.targets.get_mut(&peer) else { return };
        if now.since(target.used) < idle {
            let again = target.used + idle;
            return self.timers.set(Timer::Idle(peer), again);
        }
        target.holds_link = false;
        out.push(RouterOutput::Release(peer));
    }
}
