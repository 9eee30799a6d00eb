//! Two links against each other in memory, under virtual time: nothing sleeps, every run repeats.
//!
//! Ends are numbered: 0 dialled, 1 accepted. [`Pair::run_until`] does what is due now, then moves
//! the clock to the next moment at which anything happens.

#![allow(dead_code, reason = "each test file uses its part of the harness")]
#![allow(unreachable_pub, reason = "a test crate has no outside")]

pub mod arena;
pub mod recorder;
pub mod wire;

use std::sync::Arc;

use foundation_buffer::Pool;
use foundation_link::{
    Budget, ChannelSpec, Destination, Encoding, Established, Event, Handshake, Identity, KeyRing,
    Link, LinkError, LinkOptions, Message, Micros, NodeLife, Payload, PeerChannels, Progress,
    Refused, Source, plain_channel,
};

use recorder::{NameList, Random, Recorder, Settling};
use wire::Wire;

/// Lanes that the harness connects; more than any test's channels ask for.
const LANES: usize = 8;

/// What a test may set before the links are made.
pub struct Setup {
    pub options: LinkOptions,
    pub channels: Vec<ChannelSpec>,
    pub latency: Micros,
    pub bytes_per_second: Option<u64>,
    pub budget_bytes: u64,
    pub arena_bytes: usize,
    pub seed: u64,
    /// Whether arriving bytes are cut at random points before the link sees them.
    pub is_split: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            options: LinkOptions::default(),
            channels: vec![plain_channel("default")],
            latency: Micros(50),
            bytes_per_second: None,
            budget_bytes: 256 << 20,
            arena_bytes: 64 << 20,
            seed: 1,
            is_split: false,
        }
    }
}

/// One end: a link and its host.
pub struct End {
    pub link: Link,
    pub host: Recorder,
    pub budget: Arc<Budget>,
    pub pool: Pool,
}

/// Both ends and what lies between them.
pub struct Pair {
    pub now: Micros,
    pub ends: [End; 2],
    /// `wires[end][lane]` carries what `end` says.
    pub wires: [Vec<Wire>; 2],
    pub latency: Micros,
    pub bytes_per_second: Option<u64>,
    pub is_split: bool,
    pub random: Random,
}

/// What a node of the tests says of itself.
pub fn identity(node: &str, channels: &[ChannelSpec]) -> Identity {
    Identity {
        node: node.to_owned(),
        cluster: "test".to_owned(),
        life: NodeLife { start: 1, random: 2 },
        listen: String::new(),
        channels: channels.to_vec(),
        keys: Arc::new(keys(&["a secret of the tests"])),
        wants_seal: false,
        has_aes: true,
        versions: Identity::VERSIONS,
    }
}

/// A ring of these secrets.
pub fn keys(secrets: &[&str]) -> KeyRing {
    KeyRing::new(secrets).expect("secrets of sufficient length")
}

/// Runs two handshakes against each other; admits the dialler.
pub fn shake(
    dialler: &mut Handshake,
    acceptor: &mut Handshake,
) -> Result<(Established, Established), LinkError> {
    let (mut dialled, mut accepted) = (None, None);
    for _ in 0..4 {
        let (_, progress) = acceptor.handle(&dialler.take_output())?;
        if let Progress::Decide(peer) = progress {
            accepted = Some(*peer);
            acceptor.admit();
        }
        let (_, progress) = dialler.handle(&acceptor.take_output())?;
        if let Progress::Done(peer) = progress {
            dialled = Some(*peer);
        }
    }
    match (dialled, accepted) {
        (Some(dialled), Some(accepted)) => Ok((dialled, accepted)),
        _ => Err(LinkError::Protocol("the handshake did not end")),
    }
}

/// Our channel number for each of the peer's.
pub fn map_channels(own: &[ChannelSpec], peer: &Established) -> PeerChannels {
    let find = |name: &str| own.iter().position(|one| one.name == name).map(|at| at as u16);
    PeerChannels { local: peer.channels.iter().map(|spec| find(&spec.name)).collect() }
}

impl Pair {
    pub fn new(setup: Setup) -> Pair {
        let channels = setup.channels.clone();
        Pair::with_channels(setup, [channels.clone(), channels])
    }

    /// Ends that declare different channels.
    pub fn with_channels(setup: Setup, channels: [Vec<ChannelSpec>; 2]) -> Pair {
        println!("seed {}", setup.seed);
        let now = Micros(0);
        let options = Arc::new(setup.options);
        let mine = identity("alpha", &channels[0]);
        let theirs = identity("beta", &channels[1]);
        let mut dialler = Handshake::dial(mine, &options, [1; 32], 0, 7, now);
        let mut acceptor = Handshake::accept(theirs, &options, [2; 32], now);
        let (dialled, accepted) = shake(&mut dialler, &mut acceptor).expect("a good handshake");
        let end = |own: &[ChannelSpec], name: &str, peer: &Established, seed: u64| {
            let budget = Arc::new(Budget::new(setup.budget_bytes));
            let pool = arena::leaked_pool(setup.arena_bytes);
            let map = map_channels(own, peer);
            let options = Arc::clone(&options);
            let held = Arc::clone(&budget);
            let link = Link::new(options, pool.clone(), held, own, name, peer, map, now);
            End { link, host: Recorder::new(seed), budget, pool }
        };
        let ends = [
            end(&channels[0], "alpha", &dialled, setup.seed ^ 0xa),
            end(&channels[1], "beta", &accepted, setup.seed ^ 0xb),
        ];
        let wires = || -> Vec<Wire> { (0..LANES).map(|lane| Wire::new(lane == 0)).collect() };
        Pair {
            now,
            ends,
            wires: [wires(), wires()],
            latency: setup.latency,
            bytes_per_second: setup.bytes_per_second,
            is_split: setup.is_split,
            random: Random(setup.seed),
        }
    }

    /// Enqueues a message at one end.
    pub fn enqueue(&mut self, from: usize, message: Message<'_>) -> Result<(), Refused> {
        let End { link, host, .. } = &mut self.ends[from];
        link.enqueue(message, &NameList(&host.names))
    }

    /// Sends a plain message to a name at the other end.
    pub fn send(&mut self, from: usize, channel: u16, to: &str, payload: &[u8]) {
        let result = self.try_send(from, channel, isolate(0), to, payload);
        assert_eq!(result, Ok(()));
    }

    /// As [`Pair::send`], from a given sender; what the link answers is given back.
    pub fn try_send(
        &mut self,
        from: usize,
        channel: u16,
        source: Source,
        to: &str,
        payload: &[u8],
    ) -> Result<(), Refused> {
        let destination = Destination::Named(self.ends[from].host.name_id(to));
        self.enqueue(from, Message { source, ..plain(channel, destination, payload) })
    }

    /// Does everything that is due now.
    pub fn settle_now(&mut self) {
        loop {
            let mut has_moved = false;
            for end in 0..2 {
                has_moved |= self.receive(end);
                has_moved |= self.settle_due(end);
                has_moved |= self.poll(end);
                has_moved |= self.transmit(end);
            }
            if !has_moved {
                return;
            }
        }
    }

    fn receive(&mut self, end: usize) -> bool {
        let mut has_moved = false;
        for lane in 0..LANES {
            while let Some(bytes) = self.wires[1 - end][lane].arrive(self.now) {
                has_moved = true;
                self.feed(end, lane, &bytes);
            }
        }
        has_moved
    }

    /// Gives bytes to a link as if they had arrived on a lane.
    pub fn feed(&mut self, end: usize, lane: usize, bytes: &[u8]) {
        let mut left = bytes;
        while !left.is_empty() {
            let most = left.len() as u64;
            let count = if self.is_split { 1 + self.random.below(most) } else { most };
            let (now_part, later) = left.split_at(count as usize);
            left = later;
            let rest = &mut self.wires[1 - end][lane].rest;
            rest.extend_from_slice(now_part);
            let End { link, host, .. } = &mut self.ends[end];
            if host.failure.is_some() {
                return;
            }
            host.now = self.now;
            // Half of a split stream goes the way of a transport that reads into place.
            if self.is_split
                && rest.len() == count as usize
                && self.random.below(2) == 0
                && let Some(place) = link.landing(lane as u8)
            {
                let landed = place.len().min(rest.len());
                place[..landed].copy_from_slice(&rest[..landed]);
                rest.drain(..landed);
                if let Err(error) = link.landed(lane as u8, landed, self.now, host) {
                    self.fail(end, error);
                    return;
                }
            }
            match link.handle(lane as u8, rest, self.now, host) {
                Ok(used) => drop(rest.drain(..used)),
                Err(error) => self.fail(end, error),
            }
        }
    }

    fn fail(&mut self, end: usize, error: LinkError) {
        self.ends[end].host.failure = Some(error);
        self.ends[end].link.close();
        self.cut();
    }

    /// Loses all connections at once, with what is on the way.
    pub fn cut(&mut self) {
        self.wires.iter_mut().flatten().for_each(Wire::cut);
    }

    fn settle_due(&mut self, end: usize) -> bool {
        let now = self.now;
        let End { link, host, .. } = &mut self.ends[end];
        let mut has_moved = false;
        let mut index = 0;
        while index < host.due.len() {
            if host.due[index].at > now {
                index += 1;
                continue;
            }
            let due = host.due.remove(index);
            host.held_bytes -= due.payload_bytes;
            link.settle(due.channel, due.account, due.payload_bytes, 1);
            has_moved = true;
        }
        has_moved
    }

    fn poll(&mut self, end: usize) -> bool {
        let mut has_moved = false;
        if self.ends[end].budget.take_released() {
            self.ends[end].link.poll_reservations();
            has_moved = true;
        }
        while let Some(event) = self.ends[end].link.poll_event() {
            has_moved = true;
            if let Event::LaneWanted(lane) = event {
                for (wires, end) in self.wires.iter_mut().zip(&mut self.ends) {
                    wires[lane as usize].is_open = true;
                    end.link.lane_opened(lane);
                }
            }
            self.ends[end].host.events.push((self.now, event));
        }
        has_moved
    }

    fn transmit(&mut self, end: usize) -> bool {
        let mut has_moved = false;
        for lane in 0..LANES {
            let link = &mut self.ends[end].link;
            let wire = &mut self.wires[end][lane];
            if wire.room() > 0 && link.has_output(lane as u8) {
                let count = wire.fill(|batch, room| link.transmit(lane as u8, room, batch));
                has_moved |= count > 0;
            }
            wire.send(self.now, self.latency, self.bytes_per_second);
        }
        has_moved
    }

    /// When anything happens next.
    fn next_at(&self) -> Micros {
        let wires = self.wires.iter().flatten().map(Wire::next_at);
        let settlements = self.ends.iter().flat_map(|end| end.host.due.iter().map(|due| due.at));
        let alive = self.ends.iter().filter(|end| end.host.failure.is_none());
        let timers = alive.map(|end| end.link.next_timeout());
        wires.chain(settlements).chain(timers).min().unwrap_or(Micros::NEVER)
    }

    /// Runs until `is_done` or the deadline; answers whether it was done.
    pub fn run_until(&mut self, deadline: Micros, is_done: impl Fn(&Pair) -> bool) -> bool {
        loop {
            self.settle_now();
            if is_done(self) {
                return true;
            }
            let next = match self.next_at() {
                Micros(0) => self.now, // at once
                next => next,
            };
            if next > deadline {
                self.now = deadline;
                return false;
            }
            assert!(next >= self.now, "time does not run backwards");
            self.now = next;
            self.fire_timers();
        }
    }

    fn fire_timers(&mut self) {
        for end in 0..2 {
            if self.ends[end].host.failure.is_none()
                && self.ends[end].link.next_timeout() <= self.now
                && let Err(error) = self.ends[end].link.handle_timeout(self.now)
            {
                self.fail(end, error);
            }
        }
    }

    /// Lets virtual time pass.
    pub fn run_for(&mut self, time: Micros) {
        let deadline = self.now + time;
        self.run_until(deadline, |_| false);
    }

    /// Messages delivered at an end.
    pub fn delivered(&self, end: usize) -> usize {
        self.ends[end].host.delivered.len()
    }

    /// Runs until an end has so many deliveries; fails the test after a virtual minute.
    pub fn run_until_delivered(&mut self, end: usize, count: usize) {
        let deadline = self.now + Micros::from_millis(60_000);
        let is_done = self.run_until(deadline, |pair| pair.delivered(end) >= count);
        assert!(is_done, "{} of {count} messages arrived", self.delivered(end));
    }

    /// Asserts that neither end failed, nothing waits, and all memory is given back.
    pub fn assert_quiet(&mut self, budget_bytes: u64) {
        for end in &mut self.ends {
            assert_eq!(end.host.failure, None);
            assert!(end.link.is_drained(), "nothing is left queued");
            assert!(!end.link.has_waiting_reservations(), "no reservation waits");
            assert_eq!(end.host.held_bytes, 0, "everything is settled");
            assert_eq!(end.budget.reserved_bytes(), 0, "reservations are given back");
            end.link.close(); // windows that grew give back what they grew by
            assert_eq!(end.budget.free_bytes(), budget_bytes, "the budget is whole again");
        }
    }
}

/// An isolate of the first generation.
pub fn isolate(slot: u16) -> Source {
    Source { slot, generation: 1, serial: 0 }
}

/// A message without any marks.
pub fn plain(channel: u16, destination: Destination, payload: &[u8]) -> Message<'_> {
    Message {
        channel,
        source: isolate(0),
        destination,
        encoding: Encoding::Bytes,
        is_request: false,
        is_reply: false,
        is_reply_reserved: false,
        correlation: 0,
        reply_bytes_max: 0,
        key: &[],
        payload: Payload::Inline(payload),
    }
}

/// A call that reserves `reply_bytes_max` for its answer.
pub fn request(
    channel: u16,
    destination: Destination,
    correlation: u32,
    reply_bytes_max: u32,
    payload: &[u8],
) -> Message<'_> {
    let message = plain(channel, destination, payload);
    Message { is_request: true, correlation, reply_bytes_max, ..message }
}

/// Handlers that are done after so many virtual milliseconds.
pub fn settles_after_ms(millis: u64) -> Settling {
    Settling::After(Micros::from_millis(millis))
}
