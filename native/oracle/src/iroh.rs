//! iroh-gossip's HyParView and Plumtree with its own defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use foundation_machine::Micros;
use iroh_gossip::proto::state::MessageKind;
use iroh_gossip::proto::{
    Command, Config, DeliveryScope, Event as TopicEvent, InEvent, Message, OutEvent, PeerData,
    Scope, State, Timer, TopicId,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::Instant;

use crate::clockwork::Clockwork;
use crate::swarm::{Swarm, Tally};

enum Event {
    Message { from: u32, to: u32, message: Message<u32> },
    Closed { at: u32, peer: u32 },
    Timer { at: u32, timer: Timer<u32> },
}

pub struct Iroh {
    clock: Clockwork<Event>,
    /// What its clock shows when ours begins: it takes the time as an argument too.
    origin: Instant,
    nodes: BTreeMap<u32, State<u32, StdRng>>,
    views: BTreeMap<u32, BTreeSet<u32>>,
    links: BTreeSet<(u32, u32)>,
    seed: u64,
    broadcasts: u64,
    tally: Tally,
}

fn topic() -> TopicId {
    [7; 32].into()
}

fn pair(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

impl Iroh {
    pub fn new(seed: u64) -> Self {
        Iroh {
            clock: Clockwork::new(seed),
            origin: Instant::now(),
            nodes: BTreeMap::new(),
            views: BTreeMap::new(),
            links: BTreeSet::new(),
            seed,
            broadcasts: 0,
            tally: Tally::default(),
        }
    }

    fn give(&mut self, at: u32, event: InEvent<u32>) {
        let now = self.origin + Duration::from_micros(self.clock.now.0);
        let Some(node) = self.nodes.get_mut(&at) else { return };
        let out: Vec<OutEvent<u32>> = node.handle(event, now, None).collect();
        for event in out {
            self.perform(at, event);
        }
    }

    fn perform(&mut self, at: u32, event: OutEvent<u32>) {
        match event {
            OutEvent::SendMessage(to, message) => {
                if matches!(message.kind(), MessageKind::Data) {
                    self.tally.payloads += 1;
                }
                let wait = self.clock.delay(at, to);
                self.clock.after(wait, Event::Message { from: at, to, message });
            }
            OutEvent::ScheduleTimer(wait, timer) => {
                let wait = Micros(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX));
                self.clock.after(wait, Event::Timer { at, timer });
            }
            OutEvent::DisconnectPeer(peer) => self.close(at, peer),
            OutEvent::EmitEvent(_, event) => self.hear(at, event),
            OutEvent::PeerData(..) => {}
        }
    }

    fn hear(&mut self, at: u32, event: TopicEvent<u32>) {
        let view = self.views.entry(at).or_default();
        match event {
            TopicEvent::NeighborUp(peer) => drop(view.insert(peer)),
            TopicEvent::NeighborDown(peer) => drop(view.remove(&peer)),
            TopicEvent::Received(gossip) => {
                if let DeliveryScope::Swarm(round) = gossip.scope {
                    // It counts from 0 at the first receiver, and tells the number by comparison.
                    let hops = (0..u16::MAX).find(|&hops| round == hops.into()).unwrap_or(0);
                    self.tally.delivered(at, hops + 1, self.clock.now);
                }
            }
        }
    }

    /// The other end hears of it behind all that was sent before.
    fn close(&mut self, at: u32, peer: u32) {
        if self.links.remove(&pair(at, peer)) {
            let wait = self.clock.delay(at, peer) + Micros(1);
            self.clock.after(wait, Event::Closed { at: peer, peer: at });
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Message { from, to, message } => {
                if self.nodes.contains_key(&to) {
                    self.links.insert(pair(from, to));
                    self.give(to, InEvent::RecvMessage(from, message));
                } else {
                    // A message to nobody is a connection that cannot be made.
                    let wait = self.clock.delay(from, to);
                    self.clock.after(wait, Event::Closed { at: from, peer: to });
                }
            }
            Event::Closed { at, peer } => self.give(at, InEvent::PeerDisconnected(peer)),
            Event::Timer { at, timer } => self.give(at, InEvent::TimerExpired(timer)),
        }
    }
}

impl Swarm for Iroh {
    fn start(&mut self, node: u32, contact: Option<u32>) {
        let rng = StdRng::seed_from_u64(self.seed << 20 | u64::from(node));
        let state = State::new(node, PeerData::default(), Config::default(), rng);
        self.nodes.insert(node, state);
        self.views.insert(node, BTreeSet::new());
        let command = Command::Join(contact.into_iter().collect());
        self.give(node, InEvent::Command(topic(), command));
    }

    fn crash(&mut self, node: u32) {
        self.nodes.remove(&node);
        self.views.remove(&node);
        let ends = self.links.iter().filter(|(a, b)| *a == node || *b == node);
        for (a, b) in ends.copied().collect::<Vec<_>>() {
            self.close(node, if a == node { b } else { a });
        }
    }

    fn broadcast(&mut self, node: u32) {
        self.tally = Tally { sent_at: self.clock.now, ..Tally::default() };
        // Its ids are hashes of the content, so no two broadcasts may be alike.
        self.broadcasts += 1;
        let mut payload = vec![7; 100];
        payload[..8].copy_from_slice(&self.broadcasts.to_le_bytes());
        let command = Command::Broadcast(payload.into(), Scope::Swarm);
        self.give(node, InEvent::Command(topic(), command));
    }

    fn run_for(&mut self, millis: u64) {
        let end = self.clock.now + Micros::from_millis(millis);
        while let Some(event) = self.clock.next(end) {
            self.happen(event);
        }
    }

    fn alive(&self) -> BTreeSet<u32> {
        self.nodes.keys().copied().collect()
    }

    fn views(&self) -> BTreeMap<u32, BTreeSet<u32>> {
        self.views.clone()
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }
}
