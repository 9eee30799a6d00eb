//! Detectors with their rosters on a virtual clock: links with heartbeats that break and are
//! dialled again, nodes that crash, freeze, stand still now and then, and cuts.

use std::collections::{BTreeMap, BTreeSet};

use foundation_detector::{
    DetectorInput, DetectorMessage, DetectorOptions, DetectorOutput, Probing,
};
use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Rng};
use foundation_membership::{
    Roster, RosterEvent, RosterInput, RosterMessage, RosterOptions, RosterOutput,
};

const LATENCY: Micros = Micros(500);
const BEAT: Micros = Micros::from_millis(1_000);
/// A link without a byte for so long is given up by its host.
const SILENT: Micros = Micros::from_millis(3_000);
const REDIAL: Micros = Micros::from_millis(300);
const DIAL_TIMEOUT: Micros = Micros::from_millis(250);

pub(crate) fn peer(node: u32) -> PeerId {
    let random = Rng::of_stream(99, u64::from(node)).next_u64();
    PeerId { node: NodeNo(node), life: NodeLife { start: 1, random } }
}

#[derive(Clone, Debug)]
enum Payload {
    Beat,
    Roster(RosterMessage),
    Detector(DetectorMessage),
}

#[derive(Clone, Debug)]
enum Event {
    Message {
        from: PeerId,
        to: PeerId,
        payload: Payload,
    },
    /// The heartbeats of a node's links are due.
    Beat(PeerId),
    /// The other end is gone.
    Break {
        own: PeerId,
        peer: PeerId,
    },
    Redial {
        own: PeerId,
        peer: PeerId,
    },
    /// What a dial of the detector came to.
    Dialled {
        own: PeerId,
        peer: PeerId,
    },
    /// A slow node stands still for a while.
    Stall(PeerId),
}

struct Node {
    roster: Roster,
    probing: Probing,
    awake_at: Micros,
    /// When the node wants to be called; as the scene's index has it.
    due: Micros,
    /// When each link was last heard by the host.
    heard: BTreeMap<PeerId, Micros>,
    /// Longest time that the node runs, and longest that it stands still, if it is slow.
    slow: Option<(Micros, Micros)>,
}

pub(crate) struct Scene {
    pub(crate) now: Micros,
    pub(crate) events: Vec<(Micros, PeerId, RosterEvent)>,
    pub(crate) bytes: usize,
    pub(crate) dials: usize,
    pub(crate) rng: Rng,
    nodes: BTreeMap<PeerId, Node>,
    crashed: BTreeSet<PeerId>,
    /// The members of one side, if the network is cut.
    side: BTreeSet<PeerId>,
    queue: BTreeMap<(Micros, u64), Event>,
    due: BTreeSet<(Micros, PeerId)>,
    count: u64,
}

impl Scene {
    /// So many nodes, linked as `linked` says, that have been running for half a minute.
    pub(crate) fn new(
        seed: u64,
        count: u32,
        options: DetectorOptions,
        linked: impl Fn(u32, u32) -> bool,
    ) -> Scene {
        let mut scene = Scene {
            now: Micros(0),
            events: Vec::new(),
            bytes: 0,
            dials: 0,
            rng: Rng::new(seed),
            nodes: BTreeMap::new(),
            crashed: BTreeSet::new(),
            side: BTreeSet::new(),
            queue: BTreeMap::new(),
            due: BTreeSet::new(),
            count: 0,
        };
        for node in 0..count {
            scene.start(peer(node), options);
        }
        for a in 0..count {
            for b in (a + 1..count).filter(|&b| linked(a, b)) {
                scene.link(peer(a), peer(b));
            }
        }
        scene.run(Micros::from_millis(30_000));
        scene.events.clear();
        scene.bytes = 0;
        scene
    }

    fn start(&mut self, own: PeerId, options: DetectorOptions) {
        let roster = Roster::new(RosterOptions::default(), own, self.rng.fork(), self.now);
        let probing = Probing::new(options, own, self.rng.fork(), self.now);
        let (awake_at, due, heard, slow) = (Micros(0), Micros::NEVER, BTreeMap::new(), None);
        self.nodes.insert(own, Node { roster, probing, awake_at, due, heard, slow });
        self.note_due(own);
        let first = Micros(u64::from(self.rng.below(BEAT.0 as u32)));
        self.push(first, Event::Beat(own));
    }

    fn push(&mut self, after: Micros, event: Event) {
        self.count += 1;
        self.queue.insert((self.now + after, self.count), event);
    }

    fn note_due(&mut self, own: PeerId) {
        let Some(node) = self.nodes.get_mut(&own) else { return };
        self.due.remove(&(node.due, own));
        node.due = node.roster.due().min(node.probing.due()).max(node.awake_at);
        self.due.insert((node.due, own));
    }

    // What happens to nodes.

    /// The process dies: the other ends of its links see a reset.
    pub(crate) fn crash(&mut self, own: PeerId) {
        self.crashed.insert(own);
        let Some(node) = self.nodes.remove(&own) else { return };
        self.due.remove(&(node.due, own));
        for &peer in node.heard.keys() {
            self.push(LATENCY, Event::Break { own: peer, peer: own });
        }
    }

    /// The process does nothing any more, but its sockets stay.
    pub(crate) fn freeze(&mut self, own: PeerId, time: Micros) {
        let awake_at = self.now + time;
        if let Some(node) = self.nodes.get_mut(&own) {
            node.awake_at = awake_at;
        }
        self.note_due(own);
    }

    /// From now on the node runs and stands still in turn, for up to that long each.
    pub(crate) fn slow_down(&mut self, own: PeerId, runs: Micros, stands: Micros) {
        if let Some(node) = self.nodes.get_mut(&own) {
            node.slow = Some((runs, stands));
        }
        self.push(Micros(0), Event::Stall(own));
    }

    pub(crate) fn busy(&mut self, own: PeerId, isolates: u16) {
        self.roster(own, RosterInput::Busy(isolates));
        self.probing(own, DetectorInput::Busy(isolates));
    }

    pub(crate) fn cut(&mut self, side: &[PeerId]) {
        self.side = side.iter().copied().collect();
    }

    fn is_cut(&self, a: PeerId, b: PeerId) -> bool {
        self.side.contains(&a) != self.side.contains(&b)
    }

    fn is_awake(&self, own: PeerId) -> bool {
        self.nodes.get(&own).is_some_and(|node| node.awake_at <= self.now)
    }

    pub(crate) fn nodes(&self) -> Vec<PeerId> {
        self.nodes.keys().copied().collect()
    }

    pub(crate) fn is_crashed(&self, peer: PeerId) -> bool {
        self.crashed.contains(&peer)
    }

    // Links.

    fn link(&mut self, a: PeerId, b: PeerId) {
        for (own, peer) in [(a, b), (b, a)] {
            let now = self.now;
            let Some(node) = self.nodes.get_mut(&own) else { return };
            if node.heard.insert(peer, now).is_none() {
                self.roster(own, RosterInput::NeighbourUp(peer));
            }
            self.probing(own, DetectorInput::LinkUp(peer));
        }
    }

    fn unlink(&mut self, own: PeerId, peer: PeerId, was_lost: bool) {
        let Some(node) = self.nodes.get_mut(&own) else { return };
        if node.heard.remove(&peer).is_none() {
            return;
        }
        self.roster(own, RosterInput::NeighbourDown(peer));
        self.probing(own, DetectorInput::LinkDown { peer, was_lost });
        if was_lost {
            self.push(REDIAL, Event::Redial { own, peer });
        }
    }

    fn is_linked(&self, own: PeerId, peer: PeerId) -> bool {
        self.nodes.get(&own).is_some_and(|node| node.heard.contains_key(&peer))
    }

    fn can_link(&self, a: PeerId, b: PeerId) -> bool {
        self.is_awake(a) && self.is_awake(b) && !self.is_cut(a, b)
    }

    fn beat(&mut self, own: PeerId) {
        let jitter = Micros(u64::from(self.rng.below(20_000)));
        self.push(BEAT + jitter, Event::Beat(own));
        let heard = self.nodes[&own].heard.clone();
        for (peer, at) in heard {
            if self.now.since(at) > SILENT {
                self.unlink(own, peer, true);
                self.push(LATENCY, Event::Break { own: peer, peer: own });
            } else {
                self.send(own, peer, Payload::Beat);
            }
        }
    }

    // Messages.

    fn send(&mut self, from: PeerId, to: PeerId, payload: Payload) {
        self.bytes += match &payload {
            Payload::Beat => 0,
            Payload::Roster(message) => message.wire_bytes(),
            Payload::Detector(message) => message.wire_bytes(),
        };
        if !self.is_cut(from, to) {
            self.push(LATENCY, Event::Message { from, to, payload });
        }
    }

    fn roster(&mut self, own: PeerId, input: RosterInput) {
        let Some(node) = self.nodes.get_mut(&own) else { return };
        let mut out = Vec::new();
        node.roster.handle(input, self.now, &mut out);
        self.note_due(own);
        for output in out {
            match output {
                RosterOutput::Send { to, message } => self.send(own, to, Payload::Roster(message)),
                RosterOutput::Event(event) => {
                    self.events.push((self.now, own, event.clone()));
                    self.tell_detector(own, event);
                }
            }
        }
    }

    fn tell_detector(&mut self, own: PeerId, event: RosterEvent) {
        let input = match event {
            RosterEvent::MemberUp(peer) => DetectorInput::MemberUp(peer),
            RosterEvent::MemberDown { peer, .. } => DetectorInput::MemberDown(peer),
            RosterEvent::MemberSuspect { peer, suspectors } => {
                DetectorInput::Suspected { peer, suspectors }
            }
            RosterEvent::MemberCleared(peer) => DetectorInput::Cleared(peer),
            RosterEvent::MemberBusy { peer, isolates } => {
                DetectorInput::MemberBusy { peer, isolates }
            }
            RosterEvent::MemberIdle(peer) => DetectorInput::MemberBusy { peer, isolates: 0 },
            RosterEvent::MemberLeaving(_) | RosterEvent::Removed(_) => return,
        };
        self.probing(own, input);
    }

    fn probing(&mut self, own: PeerId, input: DetectorInput) {
        let Some(node) = self.nodes.get_mut(&own) else { return };
        let mut out = Vec::new();
        node.probing.handle(input, self.now, &mut out);
        self.note_due(own);
        for output in out {
            match output {
                DetectorOutput::Send { to, message } | DetectorOutput::Relay { to, message } => {
                    self.send(own, to, Payload::Detector(message));
                }
                DetectorOutput::Dial(peer) => self.dial(own, peer),
                DetectorOutput::Release(_) => {}
                DetectorOutput::Suspect(peer) => self.roster(own, RosterInput::Suspect(peer)),
                DetectorOutput::Alive(peer) => self.roster(own, RosterInput::Alive(peer)),
                DetectorOutput::Down(peer) => self.roster(own, RosterInput::Down(peer)),
            }
        }
    }

    fn dial(&mut self, own: PeerId, peer: PeerId) {
        self.dials += 1;
        let is_told_at_once = self.can_link(own, peer) || self.is_crashed(peer);
        let after = if is_told_at_once { Micros(LATENCY.0 * 2) } else { DIAL_TIMEOUT };
        self.push(after, Event::Dialled { own, peer });
    }

    // Time.

    pub(crate) fn run(&mut self, time: Micros) {
        let end = self.now + time;
        loop {
            let queued = self.queue.keys().next().map_or(Micros::NEVER, |key| key.0);
            let (due, own) = self.due.first().copied().unwrap_or((Micros::NEVER, peer(0)));
            if queued.min(due) > end {
                break;
            }
            self.now = self.now.max(queued.min(due));
            // A node that wakes may look at its clock or at its sockets first.
            if queued < due || queued == due && self.rng.chance(0.5) {
                if let Some((_, event)) = self.queue.pop_first() {
                    self.happen(event);
                }
            } else {
                self.roster(own, RosterInput::Due);
                self.probing(own, DetectorInput::Due);
            }
        }
        self.now = end;
    }

    fn happen(&mut self, event: Event) {
        let own = match event {
            Event::Message { to: own, .. }
            | Event::Beat(own)
            | Event::Break { own, .. }
            | Event::Redial { own, .. }
            | Event::Dialled { own, .. }
            | Event::Stall(own) => own,
        };
        let Some(node) = self.nodes.get(&own) else { return };
        if node.awake_at > self.now {
            return self.push(node.awake_at - self.now, event);
        }
        match event {
            Event::Message { from, payload, .. } => self.receive(own, from, payload),
            Event::Beat(own) => self.beat(own),
            Event::Break { peer, .. } => self.unlink(own, peer, true),
            Event::Redial { peer, .. } => self.redial(own, peer),
            Event::Dialled { peer, .. } if self.can_link(own, peer) => self.link(own, peer),
            Event::Dialled { peer, .. } => self.probing(own, DetectorInput::DialFailed(peer)),
            Event::Stall(own) => self.stall(own),
        }
    }

    fn receive(&mut self, own: PeerId, from: PeerId, payload: Payload) {
        let now = self.now;
        if let Some(heard) = self.nodes.get_mut(&own).and_then(|node| node.heard.get_mut(&from)) {
            *heard = now;
        }
        match payload {
            Payload::Beat if self.is_linked(own, from) => {
                let rtt = Some(Micros(LATENCY.0 * 2));
                self.probing(own, DetectorInput::Heartbeat { peer: from, rtt });
            }
            Payload::Beat => {}
            Payload::Roster(message) if self.is_linked(own, from) => {
                self.probing(own, DetectorInput::Heard(from));
                self.roster(own, RosterInput::Received { from, message });
            }
            Payload::Roster(_) => {}
            Payload::Detector(message) => {
                self.probing(own, DetectorInput::Received { from, message });
            }
        }
    }

    fn redial(&mut self, own: PeerId, peer: PeerId) {
        if self.is_linked(own, peer) || self.is_crashed(peer) {
            return;
        }
        if self.can_link(own, peer) {
            self.link(own, peer);
        } else {
            self.push(REDIAL, Event::Redial { own, peer });
        }
    }

    fn stall(&mut self, own: PeerId) {
        let Some((runs, stands)) = self.nodes[&own].slow else { return };
        let stands = Micros(u64::from(self.rng.below(stands.0 as u32)));
        let runs = Micros(u64::from(self.rng.below(runs.0 as u32)));
        self.freeze(own, stands);
        self.push(stands + runs, Event::Stall(own));
    }
}
