//! Opening connections: to seeds, to members, and further lanes of a link.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use foundation_link::{Established, Handshake, LinkKeys, Micros, Progress, Redial};
use foundation_transport::Lane;
use tokio::task::AbortHandle;

use crate::cluster::MachineInput;
use crate::connection::{ConnectionError, shake};
use crate::cuts::PARTITIONED;
use crate::descriptors;
use crate::events;
use crate::node::{Node, Phase};
use crate::places::is_hearsay;
use crate::state::{Shared, State};

/// Attempts a second a node makes at most, over all peers (docs/protocol.md, "Dialling").
const DIALS_PER_SECOND_MAX: u32 = 64;
/// Attempts up to which nodes are dialled that are known from hearsay alone: whatever a member
/// tells of, those that were linked to before still get their turn.
const HEARSAY_DIALS_PER_SECOND_MAX: u32 = 32;

/// An address to be dialled until a member answers there.
#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) address: SocketAddr,
    pub(crate) redial: Redial,
    /// The member that answered at this address last.
    pub(crate) node: Option<String>,
    pub(crate) task: Option<AbortHandle>,
    /// The address is this node's own: never dialled again.
    pub(crate) is_self: bool,
    /// With overlays: the application has asked for it and was not answered yet.
    pub(crate) is_asked: bool,
    /// With overlays: so many times the machine has asked for it and was not answered yet.
    pub(crate) wants: u32,
    /// With overlays: the machine was told that it did not answer, and is to hear if it does.
    pub(crate) is_owed: bool,
    /// With overlays: another connection to it survived ours, and has until then to come up.
    pub(crate) crossed_until: Option<Micros>,
}

impl Seed {
    pub(crate) fn new(address: SocketAddr, now: Micros) -> Seed {
        Seed {
            address,
            redial: Redial::new(now),
            node: None,
            task: None,
            is_self: false,
            is_asked: false,
            wants: 0,
            is_owed: false,
            crossed_until: None,
        }
    }

    pub(crate) fn abort(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

/// What a dial is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Seed(SocketAddr),
    Peer(usize),
    Lane { index: usize, generation: u16, lane: u8, epoch: u64 },
}

/// Fresh random bytes from the system.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The system's generator does not fail once it has started; were it to, a handshake with a
    // constant nonce would be unsafe, so the thread may not go on.
    if getrandom::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// Spreads attempts within a second.
#[derive(Debug, Default)]
pub(crate) struct DialRate {
    second: u64,
    count: u32,
}

impl DialRate {
    fn take(&mut self, now: Micros, is_hearsay: bool) -> bool {
        let second = now.0 / 1_000_000;
        if second != self.second {
            *self = DialRate { second, count: 0 };
        }
        let most = if is_hearsay { HEARSAY_DIALS_PER_SECOND_MAX } else { DIALS_PER_SECOND_MAX };
        if self.count >= most {
            return false;
        }
        self.count += 1;
        true
    }
}

impl State {
    /// Adds addresses to dial.
    pub(crate) fn join(&mut self, node: u32, addresses: &[SocketAddr]) {
        let now = crate::clock::now();
        let Some(host) = self.nodes.get_mut(&node) else { return };
        for &address in addresses {
            let place = host.seeds.iter().position(|seed| seed.address == address);
            let place = place.unwrap_or_else(|| {
                host.seeds.push(Seed::new(address, now));
                host.seeds.len() - 1
            });
            let seed = &mut host.seeds[place];
            // A member that is linked already, whoever dialled, has answered. Another dial would be
            // taken for one that crossed the first, or later on replace the link.
            let at_address =
                host.peers.iter().find(|peer| peer.link.is_some() && peer.address == Some(address));
            seed.node = at_address.map(|peer| peer.name.clone()).or(seed.node.take());
            match seed.node.clone().filter(|name| is_up(&host.by_name, &host.peers, name)) {
                Some(name) => {
                    host.isolates.tell_all(&events::joined(&address.to_string(), &name));
                }
                None => {
                    seed.redial = Redial::new(now);
                    seed.is_asked = true;
                }
            }
        }
        let count = host.seeds.len() as u32;
        host.tell_machine(MachineInput::Seeds(count));
        host.run_cluster();
        self.tick_node(node);
    }

    /// Takes addresses out of those to dial: seeds, and members that there is no link to. Links to
    /// them end only with `hangs_up`, and only where no overlay decides which links there are.
    pub(crate) fn forget(&mut self, node: u32, addresses: &[SocketAddr], hangs_up: bool) {
        let Some(host) = self.nodes.get_mut(&node) else { return };
        let mut wants = 0;
        host.seeds.retain_mut(|seed| {
            let is_kept = !addresses.contains(&seed.address);
            if !is_kept {
                seed.abort();
                wants += seed.wants;
            }
            is_kept
        });
        for _ in 0..wants {
            host.tell_machine(MachineInput::SeedFailed);
        }
        let hangs_up = hangs_up && !host.has_overlays();
        for index in 0..host.peers.len() {
            if host.peers[index].address.is_some_and(|address| addresses.contains(&address)) {
                host.forget_peer(index, hangs_up);
            }
        }
        let count = host.seeds.len() as u32;
        host.tell_machine(MachineInput::Seeds(count));
        host.run_cluster();
        self.tick_node(node);
    }

    /// Starts the dials that are due; answers when the next one is.
    pub(crate) fn start_dials(&mut self, id: u32, now: Micros) -> Micros {
        let Some(host) = self.nodes.get_mut(&id) else { return Micros::NEVER };
        if host.phase != Phase::Running {
            return Micros::NEVER;
        }
        let (due, next) = host.due_dials(now);
        for (target, address) in due {
            self.spawn_dial(id, target, address);
        }
        next
    }

    fn spawn_dial(&mut self, id: u32, target: Target, address: SocketAddr) {
        let runtime = self.runtime.clone();
        let (Some(shared), Some(host)) = (self.own.upgrade(), self.nodes.get_mut(&id)) else {
            return;
        };
        // A handshake needs some turns of this thread at either end.
        let lag = Duration::from_micros(self.pace.lag(crate::clock::now()).0);
        let limit = host.dial_limit(&target) + lag * 8;
        let task = runtime.spawn(dial(shared, id, target.clone(), address, limit));
        let handle = task.abort_handle();
        match target {
            Target::Seed(address) => {
                if let Some(seed) = host.seeds.iter_mut().find(|seed| seed.address == address) {
                    seed.task = Some(handle);
                }
            }
            Target::Peer(index) => {
                host.peers[index].dial = Some(crate::peer::Dial { task: handle });
            }
            Target::Lane { .. } => {}
        }
    }

    /// Opens a further lane of a link that this node dialled.
    pub(crate) fn start_lane_dials(&mut self, id: u32) {
        let Some(host) = self.nodes.get_mut(&id) else { return };
        for (target, address) in std::mem::take(&mut host.lanes_wanted) {
            self.spawn_dial(id, target, address);
        }
    }
}

pub(crate) fn is_up(
    by_name: &std::collections::BTreeMap<String, usize>,
    peers: &[crate::peer::Peer],
    name: &str,
) -> bool {
    by_name.get(name).is_some_and(|&index| peers[index].link.is_some())
}

impl Node {
    fn due_dials(&mut self, now: Micros) -> (Vec<(Target, SocketAddr)>, Micros) {
        let mut due = Vec::new();
        let mut next = Micros::NEVER;
        let has_overlays = self.has_overlays();
        let Node { seeds, peers, by_name, dial_options, dial_rate, .. } = self;
        for seed in seeds.iter_mut() {
            let is_satisfied = seed.node.as_deref().is_some_and(|name| is_up(by_name, peers, name));
            // With overlays a seed is dialled when somebody asks for it.
            let is_unwanted = has_overlays && !seed.is_asked && seed.wants == 0;
            if is_satisfied || is_unwanted || seed.is_self || seed.task.is_some() {
                continue;
            }
            if seed.redial.next_at() <= now && dial_rate.take(now, false) {
                seed.redial.attempted(now, random_bytes::<1>()[0], dial_options);
                due.push((Target::Seed(seed.address), seed.address));
            } else {
                next = next.min(seed.redial.next_at().max(now + Micros::from_millis(10)));
            }
        }
        // Who was linked to before goes first, then whoever has waited longest: a place in the
        // table is no claim to be dialled before others.
        let mut waiting = Vec::new();
        for (index, peer) in peers.iter().enumerate() {
            let (Some(redial), Some(_)) = (&peer.redial, peer.address) else { continue };
            if peer.link.is_none() && peer.dial.is_none() {
                next = next.min(redial.next_at().max(now + Micros::from_millis(10)));
                if redial.next_at() <= now {
                    waiting.push((is_hearsay(peer), redial.next_at(), index));
                }
            }
        }
        waiting.sort_unstable();
        for (is_hearsay, _, index) in waiting {
            let peer = &mut peers[index];
            let (Some(redial), Some(address)) = (&mut peer.redial, peer.address) else { continue };
            if !dial_rate.take(now, is_hearsay) {
                break; // hearsay comes last, so nobody behind it has more
            }
            redial.attempted(now, random_bytes::<1>()[0], dial_options);
            due.push((Target::Peer(index), address));
            next = next.min(redial.next_at());
            if has_overlays {
                peer.redial = None; // whoever wants it is told how it went, and decides
            }
        }
        (due, next)
    }

    fn forget_peer(&mut self, index: usize, hangs_up: bool) {
        let has_overlays = self.has_overlays();
        let peer = &mut self.peers[index];
        match &mut peer.link {
            // The peer closes the link when it has read this, and does not dial us either.
            Some(active) if hangs_up => {
                peer.is_leaving = true;
                active.link.leave("pruned");
                self.mark_dirty(index);
            }
            Some(_) => {}
            // With overlays whoever wants a link to it is waiting for this dial.
            None if has_overlays => {}
            None => {
                peer.redial = None;
                if let Some(dial) = peer.dial.take() {
                    dial.task.abort();
                }
            }
        }
    }

    /// Whether a dial leads to a node that is cut off, as far as it is known who is there.
    fn is_cut_off(&self, target: &Target) -> bool {
        match target {
            Target::Seed(address) => {
                let seed = self.seeds.iter().find(|seed| seed.address == *address);
                let name = seed.and_then(|seed| seed.node.as_deref());
                name.is_some_and(|name| self.cuts.has(name))
            }
            Target::Peer(index) | Target::Lane { index, .. } => {
                self.cuts.has(&self.peers[*index].name)
            }
        }
    }

    fn dial_limit(&self, target: &Target) -> Duration {
        let limit = match target {
            // As long as overlays wait for the link that they asked for.
            Target::Peer(_) if self.has_overlays() => Micros::from_millis(1_000),
            Target::Peer(index) => {
                self.peers[*index].redial.as_ref().map_or(self.dial_options.abandon_min, |redial| {
                    redial.abandon_after(&self.dial_options)
                })
            }
            // Nothing is known of a seed's distance yet.
            Target::Seed(_) | Target::Lane { .. } => Micros::from_millis(2_000),
        };
        Duration::from_micros(limit.0)
    }

    /// A dial ended without a link.
    pub(crate) fn dial_failed(
        &mut self,
        target: &Target,
        error: &ConnectionError,
        name: Option<String>,
    ) {
        self.meters.dial_failed(error.code());
        if error.is_seal_failure() {
            self.meters.seal_failed();
        }
        match target {
            Target::Seed(address) => {
                let is_crossing = error.code() == "crossing_dial";
                let is_there = is_crossing || error.code() == PARTITIONED.code();
                self.seed_dial_failed(*address, is_crossing);
                if let Some(seed) = self.seeds.iter_mut().find(|seed| seed.address == *address) {
                    seed.task = None;
                    seed.is_self = error.code() == "self_dial";
                    seed.node = name.filter(|_| is_there).or(seed.node.take());
                }
                if is_crossing {
                    return self.tell_crossed(*address);
                }
                let news = events::dial_failed(&address.to_string(), error.code(), &error.text());
                self.isolates.tell_all(&news);
            }
            Target::Peer(index) => {
                self.peers[*index].dial = None;
                if self.has_overlays() {
                    self.member_dial_failed(*index, error.code());
                }
            }
            Target::Lane { index, generation, .. } => {
                // A link without one of its lanes would stall a channel: it ends, and is dialled
                // anew.
                self.lost.push((*index, *generation, "lane_failed".to_owned()));
            }
        }
    }

    /// A dial of ours gave way to one that crossed it. Where that one has made the link already,
    /// whoever waits for this address hears of it here, else when the link is made.
    fn tell_crossed(&mut self, address: SocketAddr) {
        let seed = self.seeds.iter().find(|seed| seed.address == address);
        let name = seed.and_then(|seed| seed.node.clone());
        if let Some(name) = name.filter(|name| is_up(&self.by_name, &self.peers, name)) {
            self.isolates.tell_all(&events::joined(&address.to_string(), &name));
        }
    }
}

async fn dial(shared: Shared, node: u32, target: Target, address: SocketAddr, limit: Duration) {
    let mut name = None;
    let attempt = attempt(&shared, node, &target, address, limit, &mut name);
    let result = match tokio::time::timeout(limit * 4, attempt).await {
        Ok(result) => result,
        Err(_) => Err(ConnectionError::Dropped("handshake_timeout")),
    };
    match result {
        Ok((peer, keys, lane, rest)) => {
            State::establish(&shared, node, peer, keys, lane, rest, Some(target));
        }
        Err(error) => {
            let mut state = shared.lock();
            if let Some(host) = state.nodes.get_mut(&node) {
                host.dial_failed(&target, &error, name);
            }
            state.tick_node(node);
            state.settle_node(node);
        }
    }
}

async fn attempt(
    shared: &Shared,
    node: u32,
    target: &Target,
    address: SocketAddr,
    limit: Duration,
    name: &mut Option<String>,
) -> Result<(Established, LinkKeys, Lane, Vec<u8>), ConnectionError> {
    let gone = ConnectionError::Dropped("unknown_node");
    let (mut handshake, options) = {
        let state = shared.lock();
        let Some(host) = state.nodes.get(&node) else { return Err(gone) };
        let (lane, epoch) = match target {
            Target::Lane { lane, epoch, .. } => (*lane, *epoch),
            _ => (0, u64::from_le_bytes(random_bytes())),
        };
        if !host.may_link_with(address.ip()) {
            return Err(ConnectionError::Dropped("insecure_dial"));
        }
        if host.is_cut_off(target) {
            return Err(PARTITIONED);
        }
        let (identity, now) = (host.identity_towards(address.ip()), crate::clock::now());
        let mut shake =
            Handshake::dial(identity, &host.link_options, random_bytes(), lane, epoch, now);
        if let Target::Lane { index, .. } = target {
            let link = host.peers[*index].link.as_ref().filter(|link| link.epoch == epoch);
            let link = link.ok_or(gone)?;
            shake.join_link(link.link_key.clone(), link.is_sealed)?;
        }
        (shake, host.transport_options.clone())
    };
    let lane = Lane::connect(address, limit, &options).await?;
    descriptors::stay_ahead(lane.as_fd());
    let mut rest = Vec::new();
    let shaken = shake(&lane, &mut handshake, &mut rest).await;
    *name = handshake.peer_name().map(str::to_owned);
    match (shaken?, handshake.take_keys()) {
        (Progress::Done(peer), Some(keys)) => Ok((*peer, keys, lane, rest)),
        _ => Err(ConnectionError::Closed),
    }
}
