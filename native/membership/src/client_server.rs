//! Servers link to each other, clients to servers; a client never links to a client.
//!
//! A client holds links to some servers and takes others in place of those it loses; servers tell
//! whom they know. Messages between clients are relayed by servers, which is the router's work.

mod message;

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::{Micros, PeerId, Planted, Rng, Timers};

pub use message::{ClientServerMessage, Role, SERVERS_TOLD_MAX};

use crate::overlay::{LinkEnd, OverlayInput, OverlayOutput};
use crate::seed_calls::{SeedCalls, SeedPauses, around};

/// Options of [`ClientServer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientServerOptions {
    /// What this node is. Default a server.
    pub role: Role,
    /// Servers that a client keeps links to. Default 2: one may fail and nothing waits for a dial.
    pub homes: u16,
    /// Clients that a server takes. Default 1,024: with one link each, half of the file
    /// descriptors that many systems allow a process.
    pub clients_max: u16,
    /// Time between two looks at whether a link is wanting, give or take a fifth. Default 1 s: the
    /// longest that a client is homeless where a dial led nowhere.
    pub check_period: Micros,
    /// When a dial or a request without an answer counts as failed. Default 1 s: Partisan's
    /// connect timeout.
    pub answer_timeout: Micros,
    /// When seeds are called on.
    pub seeds: SeedPauses,
    /// The bug that it is to have.
    pub planted: Planted,
}

impl Default for ClientServerOptions {
    fn default() -> Self {
        ClientServerOptions {
            role: Role::Server,
            homes: 2,
            clients_max: 1_024,
            check_period: Micros::from_millis(1_000),
            answer_timeout: Micros::from_millis(1_000),
            seeds: SeedPauses::default(),
            planted: Planted::NONE,
        }
    }
}

/// Servers that a node knows at most.
const SERVERS_MAX: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Check,
    Seeds,
    Request(PeerId),
}

type Out = Vec<OverlayOutput<ClientServerMessage>>;

/// The machine of one node.
#[derive(Debug)]
pub struct ClientServer {
    options: ClientServerOptions,
    own: PeerId,
    rng: Rng,
    timers: Timers<Timer>,
    seeds: SeedCalls,
    /// Neighbours and what they are.
    neighbours: BTreeMap<PeerId, Role>,
    /// Servers known, linked or not.
    servers: BTreeSet<PeerId>,
    /// Peers dialled, and whether they have been asked.
    requests: BTreeMap<PeerId, bool>,
    /// Servers that could not be reached, and until when others' word for them counts nothing:
    /// else a dead server would be passed round for ever.
    unreached: BTreeMap<PeerId, Micros>,
    has_left: bool,
}

impl ClientServer {
    /// A node that knows nobody.
    #[must_use]
    pub fn new(
        options: ClientServerOptions,
        own: PeerId,
        mut rng: Rng,
        now: Micros,
    ) -> ClientServer {
        let mut timers = Timers::default();
        timers.set(Timer::Check, now + around(options.check_period, &mut rng));
        ClientServer {
            seeds: SeedCalls::new(options.seeds),
            options,
            own,
            rng,
            timers,
            neighbours: BTreeMap::new(),
            servers: BTreeSet::new(),
            requests: BTreeMap::new(),
            unreached: BTreeMap::new(),
            has_left: false,
        }
    }

    /// Advances the node by one input.
    pub fn handle(&mut self, input: OverlayInput<ClientServerMessage>, now: Micros, out: &mut Out) {
        if self.has_left {
            return;
        }
        match input {
            OverlayInput::Seeds(count) => {
                self.seeds.count = count;
                self.call_seeds(now, out);
            }
            OverlayInput::LinkUp { peer, is_seed } => {
                let is_dialled = self.requests.get(&peer) == Some(&false);
                if is_dialled || (is_seed && self.wants_seed(peer)) {
                    self.ask(peer, now, out);
                } else if is_seed && !self.is_neighbour(peer) && !self.requests.contains_key(&peer)
                {
                    out.push(OverlayOutput::Release(peer));
                }
            }
            OverlayInput::LinkDown { peer, end } => {
                self.end_request(peer);
                if self.neighbours.remove(&peer).is_some() {
                    out.push(OverlayOutput::NeighbourDown(peer));
                }
                if end == LinkEnd::Left {
                    self.servers.remove(&peer);
                }
                self.link_up_wanted(now, out);
            }
            OverlayInput::DialFailed(peer) => {
                if self.end_request(peer).is_some() {
                    self.give_up(peer, now);
                    self.link_up_wanted(now, out);
                }
            }
            OverlayInput::Received { from, message } => self.on_message(from, message, now, out),
            OverlayInput::MemberDown(peer) => {
                self.servers.remove(&peer);
            }
            OverlayInput::Met(peer) if self.wants_seed(peer) => self.ask(peer, now, out),
            OverlayInput::Due => self.on_due(now, out),
            OverlayInput::Leave => self.leave(out),
            OverlayInput::SeedFailed
            | OverlayInput::Met(_)
            | OverlayInput::Cost { .. }
            | OverlayInput::MemberUp(_) => {}
        }
    }

    /// When it wants to hear [`OverlayInput::Due`].
    #[must_use]
    pub fn due(&self) -> Micros {
        if self.has_left { Micros::NEVER } else { self.timers.due() }
    }

    /// Its neighbours.
    pub fn neighbours(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.neighbours.keys().copied()
    }

    /// Whether that peer is a neighbour.
    #[must_use]
    pub fn is_neighbour(&self, peer: PeerId) -> bool {
        self.neighbours.contains_key(&peer)
    }

    /// What this node is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.options.role
    }

    /// What a neighbour is.
    #[must_use]
    pub fn role_of(&self, peer: PeerId) -> Option<Role> {
        self.neighbours.get(&peer).copied()
    }

    /// Servers that it knows.
    #[must_use]
    pub fn servers(&self) -> &BTreeSet<PeerId> {
        &self.servers
    }

    fn homes(&self) -> usize {
        self.neighbours.values().filter(|role| **role == Role::Server).count()
    }

    /// A client without enough homes wants any seed, a server each that is no neighbour.
    fn wants_seed(&self, peer: PeerId) -> bool {
        peer.node != self.own.node
            && !self.neighbours.contains_key(&peer)
            && !self.requests.contains_key(&peer)
            && (self.options.role == Role::Server || self.homes() < usize::from(self.options.homes))
    }

    fn call_seeds(&mut self, now: Micros, out: &mut Out) {
        let is_alone = self.homes() == 0;
        // A client that has a home knows servers by it.
        let is_idle = !is_alone && self.options.role == Role::Client;
        if self.seeds.count == 0 || is_idle {
            return;
        }
        let wait = self.seeds.call(is_alone, false, &mut self.rng, out);
        self.timers.set(Timer::Seeds, now + wait);
    }

    fn ask(&mut self, peer: PeerId, now: Micros, out: &mut Out) {
        self.requests.insert(peer, true);
        self.timers.set(Timer::Request(peer), now + self.options.answer_timeout);
        let message = ClientServerMessage::Hello { role: self.options.role, servers: self.told() };
        out.push(OverlayOutput::Send { to: peer, message });
    }

    /// Some servers that this node knows.
    fn told(&mut self) -> Vec<PeerId> {
        let servers: Vec<PeerId> = self.servers.iter().copied().collect();
        self.rng.sample(&servers, SERVERS_TOLD_MAX)
    }

    /// Dials what is wanting: a server everybody it knows, a client as many as it has no home.
    fn link_up_wanted(&mut self, now: Micros, out: &mut Out) {
        let is_free = |peer: &PeerId| {
            !self.neighbours.contains_key(peer) && !self.requests.contains_key(peer)
        };
        let mut wanted: Vec<PeerId> = self.servers.iter().copied().filter(is_free).collect();
        if self.options.role == Role::Client {
            let missing = usize::from(self.options.homes).saturating_sub(self.homes());
            let missing = missing.saturating_sub(self.requests.len());
            wanted = self.rng.sample(&wanted, missing);
        }
        for peer in wanted {
            self.requests.insert(peer, false);
            self.timers.set(Timer::Request(peer), now + self.options.answer_timeout);
            out.push(OverlayOutput::Dial(peer));
        }
        if self.homes() == 0 && self.requests.is_empty() && self.seeds.count > 0 {
            self.seeds.hurry();
            if self.timers.at(&Timer::Seeds).is_none() {
                self.call_seeds(now, out);
            }
        }
    }

    fn end_request(&mut self, peer: PeerId) -> Option<bool> {
        self.timers.cancel(&Timer::Request(peer));
        self.requests.remove(&peer)
    }

    /// Forgets a server that could not be reached.
    fn give_up(&mut self, peer: PeerId, now: Micros) {
        self.servers.remove(&peer);
        self.unreached.retain(|_, until| *until > now);
        if self.unreached.len() < SERVERS_MAX {
            self.unreached.insert(peer, now + self.options.seeds.idle);
        }
    }

    fn on_message(
        &mut self,
        from: PeerId,
        message: ClientServerMessage,
        now: Micros,
        out: &mut Out,
    ) {
        if from.node == self.own.node {
            return;
        }
        match message {
            ClientServerMessage::Hello { role, servers } => {
                self.on_hello(from, role, now, out);
                self.learn(&servers, now, out);
            }
            ClientServerMessage::Welcome { role, servers } => {
                if self.end_request(from).is_some() {
                    self.add(from, role, now, out);
                } else if !self.neighbours.contains_key(&from) {
                    out.push(OverlayOutput::Send { to: from, message: ClientServerMessage::Bye });
                }
                self.learn(&servers, now, out);
            }
            ClientServerMessage::Refuse { role, servers } => {
                if self.end_request(from).is_some() || role == Role::Client {
                    self.give_up(from, now);
                }
                self.drop_neighbour(from, out);
                out.push(OverlayOutput::Release(from));
                self.learn(&servers, now, out);
            }
            ClientServerMessage::Servers { servers } => self.learn(&servers, now, out),
            ClientServerMessage::Bye => {
                if self.drop_neighbour(from, out) {
                    out.push(OverlayOutput::Release(from));
                }
            }
        }
        self.link_up_wanted(now, out);
    }

    /// Servers take everybody, clients take servers only.
    fn on_hello(&mut self, from: PeerId, role: Role, now: Micros, out: &mut Out) {
        let clients = self.neighbours.len() - self.homes();
        let is_fit = match (self.options.role, role) {
            (Role::Server, Role::Server) | (Role::Client, Role::Server) => true,
            (Role::Server, Role::Client) => clients < usize::from(self.options.clients_max),
            (Role::Client, Role::Client) => self.options.planted.is("client_takes_client"),
        };
        let servers = self.told();
        let own_role = self.options.role;
        if is_fit || self.neighbours.contains_key(&from) {
            self.end_request(from);
            self.add(from, role, now, out);
            let message = ClientServerMessage::Welcome { role: own_role, servers };
            out.push(OverlayOutput::Send { to: from, message });
        } else {
            let message = ClientServerMessage::Refuse { role: own_role, servers };
            out.push(OverlayOutput::Send { to: from, message });
        }
    }

    fn add(&mut self, peer: PeerId, role: Role, now: Micros, out: &mut Out) {
        if self.neighbours.insert(peer, role).is_none() {
            out.push(OverlayOutput::NeighbourUp(peer));
        }
        if role == Role::Server {
            self.unreached.remove(&peer);
            self.learn(&[peer], now, out);
        }
    }

    /// Takes in servers that others know, and passes the news on: each server once.
    fn learn(&mut self, servers: &[PeerId], now: Micros, out: &mut Out) {
        let mut news = Vec::new();
        for &peer in servers.iter().take(SERVERS_TOLD_MAX) {
            let is_stale = |known: &PeerId| known.node == peer.node && known.life >= peer.life;
            let is_unreached = self.unreached.get(&peer).is_some_and(|until| *until > now);
            if peer.node == self.own.node || is_unreached || self.servers.iter().any(is_stale) {
                continue;
            }
            self.servers.retain(|known| known.node != peer.node);
            if self.servers.len() < SERVERS_MAX {
                self.servers.insert(peer);
                news.push(peer);
            }
        }
        if news.is_empty() || self.options.role == Role::Client {
            return;
        }
        for &to in self.neighbours.keys().filter(|peer| !news.contains(peer)) {
            let message = ClientServerMessage::Servers { servers: news.clone() };
            out.push(OverlayOutput::Send { to, message });
        }
    }

    fn drop_neighbour(&mut self, peer: PeerId, out: &mut Out) -> bool {
        let was = self.neighbours.remove(&peer).is_some();
        if was {
            out.push(OverlayOutput::NeighbourDown(peer));
        }
        was
    }

    fn on_due(&mut self, now: Micros, out: &mut Out) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Check => {
                    self.link_up_wanted(now, out);
                    let wait = around(self.options.check_period, &mut self.rng);
                    self.timers.set(Timer::Check, now + wait);
                }
                Timer::Seeds => self.call_seeds(now, out),
                Timer::Request(peer) => {
                    if self.requests.remove(&peer) == Some(true) {
                        // Behind the greeting, which may be answered yet.
                        let message = ClientServerMessage::Bye;
                        out.push(OverlayOutput::Send { to: peer, message });
                    }
                    self.give_up(peer, now);
                    out.push(OverlayOutput::Release(peer));
                    self.link_up_wanted(now, out);
                }
            }
        }
    }

    fn leave(&mut self, out: &mut Out) {
        self.has_left = true;
        for (peer, _) in std::mem::take(&mut self.neighbours) {
            out.push(OverlayOutput::Send { to: peer, message: ClientServerMessage::Bye });
            out.push(OverlayOutput::NeighbourDown(peer));
            out.push(OverlayOutput::Release(peer));
        }
        for peer in std::mem::take(&mut self.requests).into_keys() {
            out.push(OverlayOutput::Release(peer));
        }
    }
}
