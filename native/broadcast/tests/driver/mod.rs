//! A network of Plumtrees over virtual time: fixed delays, links that come and go, crashes.
#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::{BTreeMap, BTreeSet};

use foundation_broadcast::{
    BroadcastId, BroadcastInput, BroadcastOutput, Payload, Plumtree, PlumtreeMessage,
    PlumtreeOptions,
};
use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Rng};

/// A payload of a size that is only claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sized(pub(crate) usize);

impl Payload for Sized {
    fn bytes(&self) -> usize {
        self.0
    }
}

pub(crate) fn peer(node: u32, start: u64) -> PeerId {
    PeerId { node: NodeNo(node), life: NodeLife { start, random: 0 } }
}

/// What one broadcast did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    pub(crate) sent_at: Micros,
    pub(crate) payloads: usize,
    pub(crate) rounds: BTreeMap<PeerId, u16>,
    pub(crate) twice: usize,
    pub(crate) last_at: Micros,
}

impl Trace {
    /// Last delivery hop.
    pub(crate) fn ldh(&self) -> u16 {
        self.rounds.values().copied().max().unwrap_or(0)
    }

    /// Relative message redundancy: m / (n - 1) - 1.
    pub(crate) fn rmr(&self) -> f64 {
        self.payloads as f64 / (self.rounds.len() as f64 - 1.0) - 1.0
    }

    pub(crate) fn millis(&self) -> u64 {
        self.last_at.since(self.sent_at).as_millis()
    }
}

#[derive(Clone, Debug)]
enum Event {
    Message { from: PeerId, to: PeerId, message: PlumtreeMessage<Sized> },
    Due(PeerId),
}

pub(crate) struct Network {
    pub(crate) now: Micros,
    pub(crate) nodes: BTreeMap<PeerId, Plumtree<Sized>>,
    pub(crate) links: BTreeMap<PeerId, BTreeSet<PeerId>>,
    pub(crate) traces: BTreeMap<BroadcastId, Trace>,
    pub(crate) rng: Rng,
    /// Messages that a link may lose.
    pub(crate) loss: f64,
    /// Messages other than payloads.
    pub(crate) control: u64,
    options: PlumtreeOptions,
    queue: BTreeMap<(Micros, u64), Event>,
    wakes: BTreeMap<PeerId, Micros>,
    count: u64,
    delays: BTreeMap<(PeerId, PeerId), Micros>,
}

impl Network {
    pub(crate) fn new(seed: u64, options: PlumtreeOptions) -> Self {
        Network {
            now: Micros(0),
            nodes: BTreeMap::new(),
            links: BTreeMap::new(),
            traces: BTreeMap::new(),
            rng: Rng::new(seed),
            loss: 0.0,
            control: 0,
            options,
            queue: BTreeMap::new(),
            wakes: BTreeMap::new(),
            count: 0,
            delays: BTreeMap::new(),
        }
    }

    /// Nodes with five random neighbours each (one or two of them with fewer).
    pub(crate) fn random(seed: u64, options: PlumtreeOptions, nodes: u32, degree: usize) -> Self {
        let mut network = Network::new(seed, options);
        for node in 0..nodes {
            network.add(peer(node, 0));
        }
        network.fill(degree);
        network
    }

    pub(crate) fn add(&mut self, id: PeerId) {
        let rng = self.rng.fork();
        self.nodes.insert(id, Plumtree::new(self.options.clone(), id, rng, self.now));
        self.links.insert(id, BTreeSet::new());
        self.wake(id);
    }

    /// Links nodes with too few neighbours at random until no two of them can be linked.
    pub(crate) fn fill(&mut self, degree: usize) {
        for _ in 0..50 {
            let mut open: Vec<PeerId> = self.short_of(degree);
            self.rng.shuffle(&mut open);
            for pair in open.chunks_exact(2) {
                self.link(pair[0], pair[1]);
            }
        }
    }

    fn short_of(&self, degree: usize) -> Vec<PeerId> {
        let short = self.links.iter().filter(|(_, linked)| linked.len() < degree);
        short.map(|(id, _)| *id).collect()
    }

    pub(crate) fn link(&mut self, a: PeerId, b: PeerId) {
        if a == b || !self.links.get_mut(&a).expect("there").insert(b) {
            return;
        }
        self.links.get_mut(&b).expect("there").insert(a);
        let delay = Micros::from_millis(10) + Micros(u64::from(self.rng.below(40_000)));
        self.delays.insert((a.min(b), a.max(b)), delay);
        for (own, other) in [(a, b), (b, a)] {
            self.tell(own, BroadcastInput::NeighbourUp(other));
            let rtt = delay + delay;
            self.tell(own, BroadcastInput::RoundTrip { peer: other, rtt });
        }
    }

    pub(crate) fn unlink(&mut self, a: PeerId, b: PeerId) {
        for (own, other) in [(a, b), (b, a)] {
            let was = self.links.get_mut(&own).is_some_and(|linked| linked.remove(&other));
            if was {
                self.tell(own, BroadcastInput::NeighbourDown(other));
            }
        }
    }

    /// The node is gone; neighbours hear of it at once, or never.
    pub(crate) fn kill(&mut self, id: PeerId, is_noticed: bool) {
        self.nodes.remove(&id);
        self.wakes.remove(&id);
        for other in self.links.remove(&id).unwrap_or_default() {
            self.links.get_mut(&other).expect("there").remove(&id);
            if is_noticed {
                self.tell(other, BroadcastInput::NeighbourDown(id));
            }
        }
    }

    /// The node is gone; its neighbours hear of it when [`Network::notice`] tells them.
    pub(crate) fn crash(&mut self, id: PeerId) -> BTreeSet<PeerId> {
        self.nodes.remove(&id);
        self.wakes.remove(&id);
        self.links.get(&id).cloned().unwrap_or_default()
    }

    /// The neighbours of a crashed node hear that it is gone.
    pub(crate) fn notice(&mut self, id: PeerId) {
        for other in self.links.remove(&id).unwrap_or_default() {
            if self.links.get_mut(&other).is_some_and(|linked| linked.remove(&id)) {
                self.tell(other, BroadcastInput::NeighbourDown(id));
            }
        }
    }

    /// Whether links lead from each living node to each other.
    pub(crate) fn is_connected(&self) -> bool {
        let Some(&first) = self.nodes.keys().next() else { return true };
        let mut reached = BTreeSet::from([first]);
        let mut pending = vec![first];
        while let Some(id) = pending.pop() {
            for &next in &self.links[&id] {
                if self.nodes.contains_key(&next) && reached.insert(next) {
                    pending.push(next);
                }
            }
        }
        reached.len() == self.nodes.len()
    }

    pub(crate) fn broadcast(&mut self, from: PeerId, bytes: usize) -> BroadcastId {
        let before: BTreeSet<BroadcastId> = self.traces.keys().copied().collect();
        self.tell(from, BroadcastInput::Broadcast(Sized(bytes)));
        let new = self.traces.keys().find(|id| !before.contains(id) && id.origin == from);
        let id = *new.expect("a broadcast is delivered where it is made");
        self.traces.get_mut(&id).expect("there").sent_at = self.now;
        id
    }

    pub(crate) fn tell(&mut self, id: PeerId, input: BroadcastInput<Sized>) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let mut out = Vec::new();
        node.handle(input, self.now, &mut out);
        for output in out {
            match output {
                BroadcastOutput::Send { to, message } => self.send(id, to, message),
                BroadcastOutput::Deliver { id: broadcast, round, .. } => {
                    let trace = self.traces.entry(broadcast).or_default();
                    if trace.rounds.insert(id, round).is_some() {
                        trace.twice += 1;
                    }
                    trace.last_at = self.now;
                }
            }
        }
        self.wake(id);
    }

    fn send(&mut self, from: PeerId, to: PeerId, message: PlumtreeMessage<Sized>) {
        match &message {
            PlumtreeMessage::Gossip { id, .. } => {
                self.traces.entry(*id).or_default().payloads += 1;
            }
            _ => self.control += 1,
        }
        let Some(&delay) = self.delays.get(&(from.min(to), from.max(to))) else { return };
        if self.loss > 0.0 && self.rng.chance(self.loss) {
            return;
        }
        self.push(self.now + delay, Event::Message { from, to, message });
    }

    fn push(&mut self, at: Micros, event: Event) {
        self.count += 1;
        self.queue.insert((at, self.count), event);
    }

    fn wake(&mut self, id: PeerId) {
        let Some(node) = self.nodes.get(&id) else { return };
        let due = node.due();
        if self.wakes.get(&id).is_none_or(|&at| due < at) {
            self.wakes.insert(id, due);
            self.push(due, Event::Due(id));
        }
    }

    pub(crate) fn run_for(&mut self, millis: u64) {
        let end = self.now + Micros::from_millis(millis);
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= end
        {
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            match event {
                Event::Message { from, to, message } => {
                    // What is under way on a link that ends is lost with it.
                    if self.links.get(&to).is_some_and(|linked| linked.contains(&from)) {
                        self.tell(to, BroadcastInput::Received { from, message });
                    }
                }
                Event::Due(id) => {
                    if self.wakes.get(&id).is_some_and(|&wake| wake <= self.now) {
                        self.wakes.remove(&id);
                        self.tell(id, BroadcastInput::Due);
                    }
                }
            }
        }
        self.now = end;
    }

    pub(crate) fn any(&mut self) -> PeerId {
        let ids: Vec<PeerId> = self.nodes.keys().copied().collect();
        *self.rng.pick(&ids).expect("a node")
    }

    /// Nodes that are there and have not got it.
    pub(crate) fn missed(&self, id: BroadcastId) -> usize {
        let trace = &self.traces[&id];
        self.nodes.keys().filter(|node| !trace.rounds.contains_key(node)).count()
    }

    /// The tree and the lazy links together are the neighbours; what is kept is bounded.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (id, node) in &self.nodes {
            let kept: BTreeSet<PeerId> = node.eager().chain(node.lazy()).collect();
            let linked = &self.links[id];
            if &kept != linked {
                return Err(format!("{id:?} keeps {kept:?}, its neighbours are {linked:?}"));
            }
            let (payloads, bytes) = node.cached();
            let is_bounded = payloads <= self.options.cache_payloads_max
                && bytes <= self.options.cache_bytes_max
                && node.missing() <= self.options.missing_max
                && node.origins() <= self.options.origins_max;
            if !is_bounded {
                return Err(format!("{id:?}: {payloads} payloads of {bytes} bytes"));
            }
        }
        match self.traces.iter().find(|(_, trace)| trace.twice > 0) {
            Some((broadcast, trace)) => Err(format!("{broadcast:?}: {} twice", trace.twice)),
            None => Ok(()),
        }
    }
}
