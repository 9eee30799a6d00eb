//! A few nodes in virtual time: links with delays, first in, first out; dials, cuts and crashes.
//! No faults beyond these: the simulator proves the rest.

use std::collections::{BTreeMap, BTreeSet};

use foundation_cluster::{
    Cluster, ClusterEvent, ClusterMessage, ClusterOptions, Input, LinkEnd, Output, OverlayNo,
};
use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Rng};

pub(super) const FIRST: OverlayNo = OverlayNo(0);

#[derive(Debug)]
enum Happening {
    Message { link: u64, from: PeerId, to: PeerId, message: ClusterMessage<u64> },
    Closed { link: u64, at: PeerId, peer: PeerId, end: LinkEnd },
    Dialled { from: PeerId, to: PeerId },
    SeedDialled { from: PeerId, to: PeerId },
    RoundTrip { link: u64, at: PeerId, peer: PeerId },
}

#[derive(Debug)]
struct Link {
    id: u64,
    delay: Micros,
    /// When what was last sent arrives, by sender.
    arrives: BTreeMap<PeerId, Micros>,
}

pub(super) struct Net {
    pub(super) now: Micros,
    pub(super) nodes: BTreeMap<PeerId, Cluster<u64>>,
    pub(super) heard: Vec<(PeerId, ClusterEvent<u64>)>,
    /// Machines that held a link when it was hung up.
    pub(super) torn: usize,
    pub(super) cut_off: Vec<(PeerId, PeerId)>,
    pub(super) hung_up: Vec<(PeerId, PeerId)>,
    /// Pairs of nodes between which no dial succeeds.
    cuts: BTreeSet<(u32, u32)>,
    links: BTreeMap<(PeerId, PeerId), Link>,
    coming: BTreeMap<(Micros, u64), Happening>,
    counter: u64,
    rng: Rng,
    seeds: Vec<PeerId>,
    /// What waits for a node that stands still.
    frozen: BTreeMap<PeerId, Vec<Happening>>,
    pub(super) messages: BTreeMap<&'static str, u64>,
}

pub(super) fn peer_of(node: u32, start: u64) -> PeerId {
    PeerId { node: NodeNo(node), life: NodeLife { start, random: start * 1_000 + u64::from(node) } }
}

pub(super) fn peer(node: u32) -> PeerId {
    peer_of(node, 1)
}

fn pair(a: PeerId, b: PeerId) -> (PeerId, PeerId) {
    (a.min(b), a.max(b))
}

impl Net {
    pub(super) fn new(seed: u64) -> Net {
        Net {
            now: Micros(1_000_000),
            nodes: BTreeMap::new(),
            heard: Vec::new(),
            torn: 0,
            cut_off: Vec::new(),
            hung_up: Vec::new(),
            cuts: BTreeSet::new(),
            links: BTreeMap::new(),
            coming: BTreeMap::new(),
            counter: 0,
            rng: Rng::new(seed),
            seeds: vec![peer(0)],
            frozen: BTreeMap::new(),
            messages: BTreeMap::new(),
        }
    }

    /// So many nodes that all know node 0, in one second.
    pub(super) fn of(nodes: u32, options: &ClusterOptions, seed: u64) -> Net {
        let mut net = Net::new(seed);
        for node in 0..nodes {
            net.start(peer(node), options);
            net.run(Micros::from_millis(10));
        }
        net
    }

    pub(super) fn start(&mut self, own: PeerId, options: &ClusterOptions) {
        let rng = self.rng.fork();
        self.nodes.insert(own, Cluster::new(options.clone(), own, rng, self.now));
        if own != self.seeds[0] {
            self.give(own, Input::Seeds(1));
        }
    }

    /// The process is gone; the others' systems reset its connections.
    pub(super) fn crash(&mut self, peer: PeerId) {
        self.nodes.remove(&peer);
        for other in self.linked(peer) {
            self.close(other, peer, LinkEnd::Lost);
        }
    }

    /// The process stands still; its connections stay.
    pub(super) fn freeze(&mut self, peer: PeerId) {
        self.frozen.insert(peer, Vec::new());
    }

    /// It goes on, with all that came meanwhile.
    pub(super) fn thaw(&mut self, peer: PeerId) {
        for happening in self.frozen.remove(&peer).unwrap_or_default() {
            self.happen(happening);
        }
    }

    /// The link between the two breaks; another can be made.
    pub(super) fn reset(&mut self, a: PeerId, b: PeerId) {
        self.close(a, b, LinkEnd::Lost);
    }

    /// No link between the two any more.
    pub(super) fn cut(&mut self, a: u32, b: u32) {
        self.cuts.extend([(a, b), (b, a)]);
        for (one, other) in self.links.keys().copied().collect::<Vec<_>>() {
            if self.cuts.contains(&(one.node.0, other.node.0)) {
                self.close(one, other, LinkEnd::Lost);
            }
        }
    }

    pub(super) fn mend(&mut self, a: u32, b: u32) {
        self.cuts.remove(&(a, b));
        self.cuts.remove(&(b, a));
    }

    pub(super) fn linked(&self, peer: PeerId) -> Vec<PeerId> {
        let ends = self.links.keys().filter(|(a, b)| *a == peer || *b == peer);
        ends.map(|(a, b)| if *a == peer { *b } else { *a }).collect()
    }

    pub(super) fn is_linked(&self, a: PeerId, b: PeerId) -> bool {
        self.links.contains_key(&pair(a, b))
    }

    fn close(&mut self, a: PeerId, b: PeerId, end: LinkEnd) {
        let Some(link) = self.links.remove(&pair(a, b)) else { return };
        let arrives = |from: PeerId| link.arrives.get(&from).copied().unwrap_or(self.now);
        let (at_a, at_b) = (arrives(b), arrives(a));
        // What was sent before arrives before.
        let id = link.id;
        self.later(at_a, Happening::Closed { link: id, at: a, peer: b, end });
        self.later(at_b, Happening::Closed { link: id, at: b, peer: a, end });
    }

    fn later(&mut self, at: Micros, happening: Happening) {
        self.counter += 1;
        self.coming.insert((at.max(self.now), self.counter), happening);
    }

    pub(super) fn give(&mut self, at: PeerId, input: Input<u64>) {
        let Some(node) = self.nodes.get_mut(&at) else { return };
        let mut out = Vec::new();
        node.handle(input, self.now, &mut out);
        for output in out {
            self.perform(at, output);
        }
    }

    fn perform(&mut self, at: PeerId, output: Output<u64>) {
        match output {
            Output::Send { to, message } => self.send(at, to, message),
            Output::Dial(to) => {
                let when = self.now + self.delay();
                self.later(when, Happening::Dialled { from: at, to });
            }
            Output::DialSeed { pick } => {
                let to = self.seeds[pick as usize % self.seeds.len()];
                let when = self.now + self.delay();
                self.later(when, Happening::SeedDialled { from: at, to });
            }
            Output::HangUp(to) if !self.nodes[&at].is_linked(to) => {
                self.cut_off.push((at, to));
                self.close(at, to, LinkEnd::Lost);
            }
            Output::HangUp(to) => {
                self.hung_up.push((at, to));
                self.torn += self.nodes[&at].link_holders(to);
                self.close(at, to, LinkEnd::Released);
            }
            Output::Event(event) => self.heard.push((at, event)),
        }
    }

    fn delay(&mut self) -> Micros {
        Micros(1_000 + u64::from(self.rng.below(19_000)))
    }

    fn send(&mut self, from: PeerId, to: PeerId, message: ClusterMessage<u64>) {
        let kind = match &message {
            ClusterMessage::Roster(_) => "roster",
            ClusterMessage::Overlay { .. } => "overlay",
            ClusterMessage::Broadcast { .. } => "broadcast",
            ClusterMessage::LinkUse(_) => "link use",
            _ => "other",
        };
        *self.messages.entry(kind).or_default() += 1;
        let jitter = Micros(u64::from(self.rng.below(2_000)));
        let now = self.now;
        let Some(link) = self.links.get_mut(&pair(from, to)) else { return };
        let last = link.arrives.get(&from).copied().unwrap_or_default();
        let at = last.max(now + link.delay + jitter);
        link.arrives.insert(from, at);
        let link = link.id;
        self.later(at, Happening::Message { link, from, to, message });
    }

    fn connect(&mut self, from: PeerId, to: PeerId, is_seed: bool) {
        let is_cut = self.cuts.contains(&(from.node.0, to.node.0));
        if !self.nodes.contains_key(&from) {
            return;
        }
        if is_cut || !self.nodes.contains_key(&to) {
            let failed = if is_seed { Input::SeedFailed } else { Input::DialFailed(to) };
            return self.give(from, failed);
        }
        if self.is_linked(from, to) {
            if is_seed {
                self.give(from, Input::LinkUp { peer: to, is_seed });
            }
            return;
        }
        self.counter += 1;
        let (id, delay) = (self.counter, self.delay());
        self.links.insert(pair(from, to), Link { id, delay, arrives: BTreeMap::new() });
        self.give(from, Input::LinkUp { peer: to, is_seed });
        self.give(to, Input::LinkUp { peer: from, is_seed: false });
        for (at, peer) in [(from, to), (to, from)] {
            let when = self.now + delay + delay;
            self.later(when, Happening::RoundTrip { link: id, at, peer });
        }
    }

    fn happen(&mut self, happening: Happening) {
        let (Happening::Message { to: at, .. }
        | Happening::Closed { at, .. }
        | Happening::RoundTrip { at, .. }
        | Happening::Dialled { to: at, .. }
        | Happening::SeedDialled { to: at, .. }) = &happening;
        if let Some(waiting) = self.frozen.get_mut(at) {
            return waiting.push(happening);
        }
        match happening {
            Happening::Message { from, to, message, link } => {
                let is_open = self.links.get(&pair(from, to)).is_none_or(|now| now.id == link);
                if is_open {
                    self.give(to, Input::Received { from, message });
                }
            }
            Happening::Closed { at, peer, end, link } => {
                if self.links.get(&pair(at, peer)).is_none_or(|now| now.id == link) {
                    self.give(at, Input::LinkDown { peer, end });
                }
            }
            Happening::Dialled { from, to } => self.connect(from, to, false),
            Happening::SeedDialled { from, to } => self.connect(from, to, true),
            Happening::RoundTrip { link, at, peer } => {
                if let Some(up) = self.links.get(&pair(at, peer)).filter(|up| up.id == link) {
                    let rtt = up.delay + up.delay;
                    if !self.frozen.contains_key(&peer) {
                        self.give(at, Input::RoundTrip { peer, rtt });
                    }
                    let again = self.now + Micros::from_millis(1_000);
                    self.later(again, Happening::RoundTrip { link, at, peer });
                }
            }
        }
    }

    /// Lets so much time pass.
    pub(super) fn run(&mut self, time: Micros) {
        let end = self.now + time;
        let mut again = 0;
        loop {
            let awake = self.nodes.iter().filter(|(peer, _)| !self.frozen.contains_key(peer));
            let due = awake.map(|(peer, node)| (node.due(), *peer)).min();
            let (due, at) = due.unwrap_or((Micros::NEVER, peer(0)));
            let next = self.coming.keys().next().map_or(Micros::NEVER, |(at, _)| *at);
            if due.min(next) > end {
                break;
            }
            if next <= due {
                self.now = self.now.max(next);
                if let Some((_, happening)) = self.coming.pop_first() {
                    self.happen(happening);
                }
            } else {
                let is_again = self.now >= due;
                self.now = self.now.max(due);
                self.give(at, Input::Due);
                // A machine may set a timer for now, but not for ever.
                again = if is_again { again + 1 } else { 0 };
                assert!(again < 1_000, "{at:?} wants to be called again and again");
            }
        }
        self.now = end;
    }

    pub(super) fn broadcast(&mut self, from: u32, payload: u64) {
        self.give(peer(from), Input::Broadcast { overlay: FIRST, payload });
    }

    pub(super) fn route(&mut self, from: u32, to: u32, payload: u64) {
        self.give(peer(from), Input::Route { to: peer(to), overlay: FIRST, payload });
    }

    /// What the node heard that is not about neighbours.
    pub(super) fn events(&self, at: PeerId) -> Vec<&ClusterEvent<u64>> {
        let of_node = self.heard.iter().filter(|(node, _)| *node == at).map(|(_, event)| event);
        of_node
            .filter(|event| {
                !matches!(
                    event,
                    ClusterEvent::NeighbourUp { .. } | ClusterEvent::NeighbourDown { .. }
                )
            })
            .collect()
    }

    /// Payloads that came by broadcast, in order.
    pub(super) fn broadcasts(&self, at: PeerId) -> Vec<u64> {
        let broadcasts = self.events(at).into_iter().filter_map(|event| match event {
            ClusterEvent::Broadcast { payload, .. } => Some(*payload),
            _ => None,
        });
        broadcasts.collect()
    }

    /// Payloads that came by route, in order.
    pub(super) fn routed(&self, at: PeerId) -> Vec<u64> {
        let routed = self.events(at).into_iter().filter_map(|event| match event {
            ClusterEvent::Routed { payload, .. } => Some(*payload),
            _ => None,
        });
        routed.collect()
    }

    /// Fails unless every node heard of each life in the right order.
    pub(super) fn assert_order(&self) {
        assert_eq!(self.out_of_order(), Vec::<String>::new());
    }

    /// What a node heard of a life before it was up, or after it was down.
    pub(super) fn out_of_order(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut up: BTreeSet<(PeerId, PeerId)> = BTreeSet::new();
        for (at, event) in &self.heard {
            match event {
                ClusterEvent::NodeUp(peer) if up.insert((*at, *peer)) => {}
                ClusterEvent::NodeDown { peer, .. } if up.remove(&(*at, *peer)) => {}
                ClusterEvent::Broadcast { origin, .. } | ClusterEvent::Routed { origin, .. }
                    if origin == at || up.contains(&(*at, *origin)) => {}
                ClusterEvent::NodeUp(_)
                | ClusterEvent::NodeDown { .. }
                | ClusterEvent::Broadcast { .. }
                | ClusterEvent::Routed { .. } => wrong.push(format!("{at:?}: {event:?}")),
                _ => {}
            }
        }
        wrong
    }

    /// Neighbours to which there is no link.
    pub(super) fn without_link(&self) -> usize {
        let of_node = |node: &Cluster<u64>| {
            let overlays = (0..node.overlays() as u8).filter_map(|no| node.overlay(OverlayNo(no)));
            let neighbours = overlays.flat_map(|overlay| overlay.neighbours());
            neighbours.filter(|peer| !node.links().any(|link| link == *peer)).count()
        };
        self.nodes.values().map(of_node).sum()
    }
}
