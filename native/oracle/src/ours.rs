//! The cluster machine. Beside iroh-gossip it has HyParView and no roster: views only, as in the
//! papers. Beside foca it has all that a node has.

use std::collections::{BTreeMap, BTreeSet};

use foundation_broadcast::PlumtreeMessage;
use foundation_cluster::{
    Cluster, ClusterEvent, ClusterMessage, ClusterOptions, Input, LinkEnd, NamedOverlay, Output,
    OverlayNo, Strategy,
};
use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Planted, Rng};

use crate::clockwork::Clockwork;
use crate::swarm::{Swarm, Tally};
use crate::swim::Watch;

const OVERLAY: OverlayNo = OverlayNo(0);
/// The host's heartbeat on each link.
const HEARTBEAT: Micros = Micros::from_millis(1_000);
/// A dial that nobody answers is given up.
const DIAL_TIMEOUT: Micros = Micros::from_millis(1_000);

enum Event {
    Message { link: u64, from: u32, to: u32, message: ClusterMessage<Vec<u8>> },
    Closed { link: u64, at: u32, peer: u32, end: LinkEnd },
    Dialled { from: u32, to: u32, is_seed: bool },
    DialFailed { from: u32, to: u32, is_seed: bool },
    RoundTrip { link: u64, at: u32, peer: u32 },
    Due(u32),
}

pub struct Ours {
    clock: Clockwork<Event>,
    nodes: BTreeMap<u32, Cluster<Vec<u8>>>,
    wakes: BTreeMap<u32, Micros>,
    seeds: BTreeMap<u32, u32>,
    /// Links by their ends, the lower first.
    links: BTreeMap<(u32, u32), u64>,
    count: u64,
    rng: Rng,
    options: ClusterOptions,
    /// Nodes that stand still for good, with their links.
    silent: BTreeSet<u32>,
    wronged: u32,
    tally: Tally,
}

fn peer(node: u32) -> PeerId {
    PeerId { node: NodeNo(node), life: NodeLife { start: 1, random: u64::from(node) } }
}

fn pair(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

impl Ours {
    pub fn views_only(seed: u64, planted: Planted) -> Self {
        let overlays = vec![NamedOverlay::new("data", Strategy::HyParView)];
        let options = ClusterOptions { overlays, planted, ..ClusterOptions::default() };
        Ours::new(seed, ClusterOptions { roster: None, ..options })
    }

    pub fn with_roster(seed: u64, strategy: Strategy) -> Self {
        let overlays = vec![NamedOverlay::new("data", strategy)];
        Ours::new(seed, ClusterOptions { overlays, ..ClusterOptions::default() })
    }

    fn new(seed: u64, options: ClusterOptions) -> Self {
        Ours {
            clock: Clockwork::new(seed),
            nodes: BTreeMap::new(),
            wakes: BTreeMap::new(),
            seeds: BTreeMap::new(),
            links: BTreeMap::new(),
            count: 0,
            rng: Rng::of_stream(seed, 1),
            options,
            silent: BTreeSet::new(),
            wronged: 0,
            tally: Tally::default(),
        }
    }

    fn begin(&mut self, node: u32, contact: Option<u32>) {
        let (options, rng) = (self.options.clone(), self.rng.fork());
        self.nodes.insert(node, Cluster::new(options, peer(node), rng, self.clock.now));
        if let Some(contact) = contact {
            self.seeds.insert(node, contact);
            self.give(node, Input::Seeds(1));
        }
    }

    fn pass(&mut self, millis: u64) {
        let end = self.clock.now + Micros::from_millis(millis);
        while let Some(event) = self.clock.next(end) {
            self.happen(event);
        }
    }

    fn give(&mut self, at: u32, input: Input<Vec<u8>>) {
        let Some(node) = self.nodes.get_mut(&at) else { return };
        let mut out = Vec::new();
        node.handle(input, self.clock.now, &mut out);
        let due = node.due();
        for output in out {
            self.perform(at, output);
        }
        if self.wakes.get(&at).is_none_or(|&wake| due < wake) {
            self.wakes.insert(at, due);
            self.clock.after(due.since(self.clock.now), Event::Due(at));
        }
    }

    fn perform(&mut self, at: u32, output: Output<Vec<u8>>) {
        match output {
            Output::Send { to, message } => self.send(at, to.node.0, message),
            Output::Dial(to) => self.dial(at, to.node.0, false),
            Output::DialSeed { .. } => self.dial(at, self.seeds[&at], true),
            Output::HangUp(to) => self.close(at, to.node.0, LinkEnd::Released),
            Output::Event(ClusterEvent::Broadcast { hops, .. }) => {
                self.tally.delivered(at, hops, self.clock.now);
            }
            Output::Event(ClusterEvent::NodeDown { peer, .. }) => {
                self.wronged += u32::from(self.nodes.contains_key(&peer.node.0));
            }
            Output::Event(_) => {}
        }
    }

    fn send(&mut self, from: u32, to: u32, message: ClusterMessage<Vec<u8>>) {
        let Some(&link) = self.links.get(&pair(from, to)) else { return };
        let is_payload = matches!(
            message,
            ClusterMessage::Broadcast { message: PlumtreeMessage::Gossip { .. }, .. }
        );
        self.tally.payloads += u64::from(is_payload);
        let wait = self.clock.delay(from, to);
        self.clock.after(wait, Event::Message { link, from, to, message });
    }

    /// A connection takes one round trip to be made.
    fn dial(&mut self, from: u32, to: u32, is_seed: bool) {
        let wait = self.clock.delay(from, to);
        self.clock.after(wait + wait, Event::Dialled { from, to, is_seed });
    }

    fn connect(&mut self, from: u32, to: u32, is_seed: bool) {
        if !self.nodes.contains_key(&from) {
            return;
        }
        if self.silent.contains(&to) {
            let failed = Event::DialFailed { from, to, is_seed };
            return self.clock.after(DIAL_TIMEOUT, failed);
        }
        if !self.nodes.contains_key(&to) || from == to {
            return self.happen(Event::DialFailed { from, to, is_seed });
        }
        let is_new = !self.links.contains_key(&pair(from, to));
        if is_new {
            self.count += 1;
            self.links.insert(pair(from, to), self.count);
            let rtt = self.clock.delay(from, to) + self.clock.delay(from, to);
            for (at, peer) in [(from, to), (to, from)] {
                self.clock.after(rtt, Event::RoundTrip { link: self.count, at, peer });
            }
        }
        self.give(from, Input::LinkUp { peer: peer(to), is_seed });
        if is_new {
            self.give(to, Input::LinkUp { peer: peer(from), is_seed: false });
        }
    }

    /// The other end hears of it behind all that was sent before.
    fn close(&mut self, at: u32, other: u32, end: LinkEnd) {
        let Some(link) = self.links.remove(&pair(at, other)) else { return };
        self.clock.after(Micros(0), Event::Closed { link, at, peer: other, end });
        let wait = self.clock.delay(at, other);
        self.clock.after(wait, Event::Closed { link, at: other, peer: at, end });
    }

    fn happen(&mut self, event: Event) {
        // What was sent before a link was closed is still read; a new link begins anew.
        let is_of = |links: &BTreeMap<(u32, u32), u64>, a, b, link| {
            links.get(&pair(a, b)).is_none_or(|&there| there == link)
        };
        match event {
            Event::Message { link, from, to, message } => {
                if is_of(&self.links, from, to, link) {
                    self.give(to, Input::Received { from: peer(from), message });
                }
            }
            Event::Closed { link, at, peer: other, end } => {
                if is_of(&self.links, at, other, link) {
                    self.give(at, Input::LinkDown { peer: peer(other), end });
                }
            }
            Event::Dialled { from, to, is_seed } => self.connect(from, to, is_seed),
            Event::DialFailed { from, to, is_seed } => {
                let failed = if is_seed { Input::SeedFailed } else { Input::DialFailed(peer(to)) };
                self.give(from, failed);
            }
            Event::RoundTrip { link, at, peer: other } => {
                let is_open = self.links.get(&pair(at, other)) == Some(&link);
                if is_open && !self.silent.contains(&other) {
                    let wait = self.clock.delay(at, other);
                    self.give(at, Input::RoundTrip { peer: peer(other), rtt: wait + wait });
                    self.clock.after(HEARTBEAT, Event::RoundTrip { link, at, peer: other });
                }
            }
            Event::Due(at) => {
                if self.wakes.get(&at).is_some_and(|&wake| wake <= self.clock.now) {
                    self.wakes.remove(&at);
                    self.give(at, Input::Due);
                }
            }
        }
    }
}

impl Swarm for Ours {
    fn start(&mut self, node: u32, contact: Option<u32>) {
        self.begin(node, contact);
    }

    fn crash(&mut self, node: u32) {
        self.nodes.remove(&node);
        self.wakes.remove(&node);
        let ends = self.links.keys().filter(|(a, b)| *a == node || *b == node);
        for (a, b) in ends.copied().collect::<Vec<_>>() {
            self.close(node, if a == node { b } else { a }, LinkEnd::Lost);
        }
    }

    fn broadcast(&mut self, node: u32) {
        self.tally = Tally { sent_at: self.clock.now, ..Tally::default() };
        self.give(node, Input::Broadcast { overlay: OVERLAY, payload: vec![7; 100] });
    }

    fn run_for(&mut self, millis: u64) {
        self.pass(millis);
    }

    fn alive(&self) -> BTreeSet<u32> {
        self.nodes.keys().copied().collect()
    }

    fn views(&self) -> BTreeMap<u32, BTreeSet<u32>> {
        let view = |node: &Cluster<Vec<u8>>| {
            let overlay = node.overlay(OVERLAY).into_iter();
            overlay.flat_map(|overlay| overlay.neighbours()).map(|peer| peer.node.0).collect()
        };
        self.nodes.iter().map(|(id, node)| (*id, view(node))).collect()
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Watch for Ours {
    fn start(&mut self, node: u32, contact: Option<u32>) {
        self.begin(node, contact);
    }

    fn silence(&mut self, node: u32) {
        self.nodes.remove(&node);
        self.wakes.remove(&node);
        self.silent.insert(node);
    }

    fn run_for(&mut self, millis: u64) {
        self.pass(millis);
    }

    fn up(&self) -> BTreeMap<u32, BTreeSet<u32>> {
        let all: BTreeSet<u32> = self.nodes.keys().chain(&self.silent).copied().collect();
        let up = |node: &Cluster<Vec<u8>>| {
            all.iter().copied().filter(|&other| node.is_up(peer(other))).collect()
        };
        self.nodes.iter().map(|(id, node)| (*id, up(node))).collect()
    }

    fn wronged(&self) -> u32 {
        self.wronged
    }
}
