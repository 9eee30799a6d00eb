//! A node among peers that hold the key and send what they like. What they send is read as the host
//! reads it, and the machine takes what can be read. For tests and the fuzzer.

use std::collections::VecDeque;

use foundation_cluster::{
    Cluster, ClusterMessage, ClusterOptions, Input, LinkEnd, NamedOverlay, Output, OverlayNo,
    Strategy,
};
use foundation_link::{Control, Machine, Member, Micros, NodeLife, Payload};
use foundation_machine::{PeerId, Rng};
use foundation_membership::XBotOptions;

use super::directory::Directory;
use super::messages;
use super::parcel::{Body, Parcel};

/// Peers with a link to the node.
pub const PEERS: usize = 6;
/// Views are this small, so that few peers fill them.
const ACTIVE_MAX: u16 = 2;
const PASSIVE_MAX: u16 = 4;
/// What one input may have done: many times what thousands of members cost.
const OUTPUTS_MAX: usize = 20_000;
/// Timers that may run at one moment: beyond that the machine stands still in time.
const DUES_MAX: usize = 1_000;
/// Dials whose outcome is still to come; what is beyond fails at once.
const DIALS_MAX: usize = 64;

/// The node, what it knows, and its clock.
#[derive(Debug)]
pub struct Besieged {
    machine: Cluster<Parcel>,
    directory: Directory,
    peers: Vec<PeerId>,
    now: Micros,
    out: Vec<Output<Parcel>>,
    /// What became of links that the machine wanted, or wanted no more.
    answers: VecDeque<Input<Parcel>>,
    /// Messages that could not be read.
    pub unreadable: u64,
    /// Messages that were read.
    pub read: u64,
}

/// A node as the wire names it.
#[must_use]
pub fn member(name: &str, start: u64) -> Member {
    let address = format!("127.0.0.1:{}", 1_000 + start % 8);
    Member { name: name.to_owned(), address, life: NodeLife { start, random: 7 } }
}

/// Name of a peer.
#[must_use]
pub fn peer_name(at: usize) -> String {
    format!("peer-{at}")
}

fn options() -> ClusterOptions {
    let strategies =
        [Strategy::HyParView, Strategy::FullMesh, Strategy::ClientServer, Strategy::Static];
    let overlays = strategies.map(|strategy| {
        let mut named = NamedOverlay::new("", strategy);
        let views = &mut named.strategies.hyparview;
        (views.active_size, views.passive_size) = (ACTIVE_MAX, PASSIVE_MAX);
        views.xbot = Some(XBotOptions::default());
        named
    });
    ClusterOptions { overlays: overlays.into(), ..ClusterOptions::default() }
}

impl Besieged {
    /// The node with a link to each peer.
    #[must_use]
    pub fn new(seed: u64) -> Besieged {
        let own = member("own", 1);
        let mut directory = Directory::new(&own);
        let own = directory.latest(super::directory::OWN);
        let peers = (0..PEERS).filter_map(|at| directory.learn(&member(&peer_name(at), 2)));
        let peers: Vec<PeerId> = peers.collect();
        let now = Micros(1);
        let mut besieged = Besieged {
            machine: Cluster::new(options(), own, Rng::new(seed), now),
            directory,
            now,
            out: Vec::new(),
            answers: VecDeque::new(),
            unreadable: 0,
            read: 0,
            peers: peers.clone(),
        };
        besieged.take(Input::Seeds(2));
        for peer in peers {
            besieged.take(Input::LinkUp { peer, is_seed: false });
        }
        besieged
    }

    fn peer(&self, at: usize) -> PeerId {
        self.peers[at % PEERS]
    }

    /// A control message from a peer, as a link decodes it, with a payload beside it or none.
    pub fn hear(&mut self, from: usize, wire: &[u8], body: Option<&[u8]>) {
        if let Ok(Control::Machine(machine)) = Control::decode(wire) {
            self.hear_machine(from, machine, body);
        }
    }

    /// The same behind the link's decoder. What is read has to be the same when it is written and
    /// read again.
    ///
    /// # Panics
    ///
    /// If it is not, or the machine does without end what was asked for.
    pub fn hear_machine(&mut self, from: usize, machine: Machine, body: Option<&[u8]>) {
        let body = body.map(|bytes| (Body::of(Payload::Inline(bytes)), 3));
        let Some(message) = messages::read(&mut self.directory, machine, body) else {
            self.unreadable += 1;
            return;
        };
        self.read += 1;
        // One that brings word of a later life of a node that it refers to goes no further.
        let may_end =
            matches!(message, ClusterMessage::Routed(_) | ClusterMessage::RouteReturned(_));
        let (written, parcel) = messages::write(&self.directory, message.clone());
        let body = parcel.map(|parcel| (parcel.body, parcel.channel));
        let again = messages::read(&mut self.directory, written.clone(), body);
        let again = again.map(|message| messages::write(&self.directory, message).0);
        if again.is_some() || !may_end {
            assert_eq!(again, Some(written), "is another message when read again");
        }
        let from = self.peer(from);
        self.take(Input::Received { from, message });
    }

    /// What the node's own application and host do.
    pub fn act(&mut self, what: u8, with: usize) {
        let overlay = OverlayNo((with % 5) as u8);
        let peer = self.peer(with);
        let payload = || {
            let envelope = std::sync::Arc::default();
            Parcel { envelope, channel: 0, body: Body::of(Payload::Inline(b"own")) }
        };
        let strategies = [Strategy::HyParView, Strategy::FullMesh, Strategy::Static];
        let to = strategies[with % strategies.len()];
        let view = self.machine.overlay(overlay).map(|view| (view.epoch(), view.strategy()));
        self.take(match what % 8 {
            0 => Input::Broadcast { overlay, payload: payload() },
            1 => Input::Route { to: peer, overlay, payload: payload() },
            2 => Input::LinkUp { peer, is_seed: with.is_multiple_of(2) },
            3 => Input::LinkDown { peer, end: LinkEnd::Lost },
            4 => Input::LinkDown { peer, end: LinkEnd::Released },
            5 => Input::RoundTrip { peer, rtt: Micros(1 << (with % 40)) },
            6 => Input::Busy(with as u16),
            _ => {
                let (epoch, from) = view.unwrap_or((0, Strategy::Static));
                Input::Switch { overlay, epoch, from, to }
            }
        });
    }

    /// Time passes; what was dialled meanwhile failed, what was hung up is gone.
    ///
    /// # Panics
    ///
    /// If timers of one moment do not end.
    pub fn pass(&mut self, millis: u64) {
        let until = self.now + Micros::from_millis(millis);
        for answer in std::mem::take(&mut self.answers) {
            self.take(answer);
        }
        let mut at_once = 0;
        while self.machine.due() <= until {
            at_once = if self.machine.due() <= self.now { at_once + 1 } else { 0 };
            assert!(at_once < DUES_MAX, "timers at {:?} do not end", self.now);
            self.now = self.now.max(self.machine.due());
            self.take(Input::Due);
        }
        self.now = until;
    }

    fn take(&mut self, input: Input<Parcel>) {
        self.machine.handle(input, self.now, &mut self.out);
        assert!(self.out.len() < OUTPUTS_MAX, "{} outputs of one input", self.out.len());
        for output in self.out.drain(..) {
            let answer = match output {
                Output::Dial(peer) => Input::DialFailed(peer),
                Output::DialSeed { .. } => Input::SeedFailed,
                Output::HangUp(peer) => Input::LinkDown { peer, end: LinkEnd::Released },
                Output::Send { message, .. } => {
                    drop(messages::write(&self.directory, message));
                    continue;
                }
                Output::Event(_) => continue,
            };
            if self.answers.len() < DIALS_MAX {
                self.answers.push_back(answer);
            }
        }
    }

    /// What the peers can make the node hold is bounded, and its views are in order.
    ///
    /// # Panics
    ///
    /// If it is not so.
    pub fn check(&self) {
        let own = self.machine.own();
        for at in 0..self.machine.overlays() {
            let Some(view) = self.machine.overlay(OverlayNo(at as u8)) else { continue };
            let neighbours = view.machine().neighbours();
            assert!(!neighbours.contains(&own), "a node is its own neighbour");
            assert!(view.generations() <= 2);
            if view.strategy() == Strategy::HyParView {
                assert!(neighbours.len() <= usize::from(ACTIVE_MAX));
            }
            assert!(view.machine().passive().len() <= usize::from(PASSIVE_MAX));
            let limits = &self.machine.options().overlays[at].plumtree;
            let (payloads, bytes) = view.tree().cached();
            assert!(payloads <= limits.cache_payloads_max && bytes <= limits.cache_bytes_max);
            assert!(view.tree().missing() <= limits.missing_max);
            assert!(view.tree().origins() <= limits.origins_max);
        }
        let (queues, router) = (self.machine.queues(), &self.machine.options().router);
        assert!(queues.routes_longest <= router.queue_messages_max);
        assert!(queues.unannounced <= 4_096);
        assert!(self.directory.len() <= super::directory::NODES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of the test; the fuzzer does what is left.
    const RUNS: u64 = 300;
    const STEPS: usize = 120;

    /// One part of a message is another one.
    fn change(machine: &mut Machine, rng: &mut Rng) {
        let numbers = [0, 1, 2, 255, 256, 1 << 16, 1 << 32, u64::MAX];
        let number = numbers[rng.index(numbers.len())];
        let name = peer_name(rng.index(PEERS * 2));
        let start = 1 + u64::from(rng.below(3));
        match rng.below(8) {
            0 => machine.kind = rng.next_u32() as u8,
            1 => machine.overlay = rng.below(5) as u8,
            2 => machine.epoch = number,
            3 if !machine.numbers.is_empty() => {
                let at = rng.index(machine.numbers.len());
                machine.numbers[at] = number;
            }
            4 if !machine.nodes.is_empty() => {
                let at = rng.index(machine.nodes.len());
                machine.nodes[at] = member(&name, start);
            }
            5 if !machine.nodes.is_empty() => {
                let at = rng.index(machine.nodes.len());
                machine.nodes[at] = member("own", start);
            }
            6 => machine.nodes.push(member(&name, start)),
            _ => machine.numbers.push(number),
        }
    }

    #[test]
    fn a_node_outlives_whatever_its_peers_say() {
        let given = std::env::var("FOUNDATION_TEST_SEED").ok().and_then(|it| it.parse().ok());
        let seed: u64 = given.unwrap_or_else(|| u64::from(std::process::id()) << 20);
        println!("seeds from {seed} on; FOUNDATION_TEST_SEED repeats them");
        let (mut read, mut unreadable) = (0, 0);
        for run in seed..seed + RUNS {
            let mut rng = Rng::new(run);
            let mut besieged = Besieged::new(run);
            let messages = messages::examples(&mut besieged.directory);
            for _ in 0..STEPS {
                match rng.below(8) {
                    0 => besieged.act(rng.next_u32() as u8, rng.index(64)),
                    1 => besieged.pass(u64::from(rng.below(3_000))),
                    _ => {
                        let mut machine = messages[rng.index(messages.len())].clone();
                        for _ in 0..rng.below(4) {
                            change(&mut machine, &mut rng);
                        }
                        besieged.hear_machine(rng.index(PEERS), machine, Some(b"payload"));
                    }
                }
                besieged.check();
            }
            read += besieged.read;
            unreadable += besieged.unreadable;
        }
        assert!(read > RUNS * 10 && unreadable > RUNS, "{read} read, {unreadable} not");
    }
}
