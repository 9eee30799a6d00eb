//! Our end: a link with small limits, a host that keeps what is delivered to it, and the books of
//! what it holds.

use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::Arc;

use foundation_buffer::{ArenaMemory, Pool, Slab};
use foundation_frame::{CONTROL_BYTES_MAX, Decoded, Frame, HEADER_BYTES_MAX, Limits, decode};
use foundation_fuzz::Script;
use foundation_link::{
    Batch, Budget, ChannelSpec, Delivery, Destination, Encoding, Established, Event, LANES_MAX,
    Link, LinkOptions, Message, Micros, Names, NodeLife, Outbox, Payload, PeerChannels, Role,
    Source, UNBOUND_ACCOUNT, Verdict, plain_channel,
};
use foundation_schema::Control;

/// Epoch of the link.
pub(crate) const EPOCH: u32 = 7;
const ARENA_BYTES: usize = 1 << 20;
const BUDGET_BYTES: u64 = 96 << 10;
const MESSAGE_BYTES_MAX: u64 = 64 << 10;
const WINDOW_BYTES: u64 = 4 << 10;
const UNSETTLED_BYTES_MAX: u64 = 24 << 10;
const NAMES_MAX: usize = 8;
/// Shorter messages travel through rings: a slab takes pages.
const SLAB_BYTES_MIN: u64 = 16 << 10;
/// Bytes of a frame that a lane waits for the rest of: the longest one that is not data.
const REST_BYTES_MAX: usize = CONTROL_BYTES_MAX + HEADER_BYTES_MAX;

/// Memory of all runs, one after another; nothing of it outlives its run.
static mut ARENA: [u8; ARENA_BYTES] = [0; ARENA_BYTES];

#[derive(Default)]
struct Host {
    names: BTreeMap<String, u32>,
    held: Vec<Held>,
    verdict: u8,
    deliveries: u64,
    requests: Vec<(u16, u32)>,
}

/// A message that its handler is not done with.
struct Held {
    channel: u16,
    account: u16,
    is_charged: bool,
    payload_bytes: u64,
    slab: Option<Slab>,
}

impl Outbox for Host {
    fn deliver(&mut self, delivery: Delivery<'_>) -> Verdict {
        self.deliveries += 1;
        let payload_bytes = delivery.payload.len() as u64;
        let is_slab = matches!(delivery.payload, Payload::Slab(_));
        assert!(!is_slab || payload_bytes >= SLAB_BYTES_MIN, "a page for {payload_bytes} bytes");
        match self.verdict {
            1 => return Verdict::NoProcess,
            2 => return Verdict::Exhausted,
            _ => {}
        }
        if delivery.is_request {
            self.requests.push((delivery.source.slot, delivery.correlation));
        }
        self.held.push(Held {
            channel: delivery.channel,
            account: delivery.account,
            is_charged: delivery.is_charged,
            payload_bytes,
            slab: match delivery.payload {
                Payload::Slab(slab) => Some(slab),
                Payload::Inline(_) => None,
            },
        });
        Verdict::Taken
    }

    fn intern(&mut self, name: &str) -> Option<(u32, u16)> {
        let count = self.names.len();
        if count >= NAMES_MAX && !self.names.contains_key(name) {
            return None;
        }
        let id = *self.names.entry(name.to_owned()).or_insert(count as u32);
        let account = if id % 2 == 0 { UNBOUND_ACCOUNT } else { (id & 3) as u16 };
        Some((id, account))
    }
}

struct OwnNames;

impl Names for OwnNames {
    fn name(&self, id: u32) -> Option<String> {
        (id < 4).then(|| format!("own{id}"))
    }
}

/// One end of a link, and everything around it.
pub(crate) struct End {
    link: Link,
    host: Host,
    budget: Arc<Budget>,
    pool: Pool,
    now: Micros,
    rest: Vec<Vec<u8>>,
    batch: Batch,
    piece: usize,
    is_failed: bool,
}

fn channels() -> Vec<ChannelSpec> {
    let bulk = ChannelSpec { lanes: 2, weight: 3, ..plain_channel("bulk") };
    let state = ChannelSpec { monotonic: true, priority: 0, ..plain_channel("state") };
    vec![plain_channel("default"), bulk, state]
}

fn options() -> LinkOptions {
    LinkOptions {
        chunk_bytes: 1 << 10,
        message_bytes_max: MESSAGE_BYTES_MAX,
        high_water_bytes: 32 << 10,
        low_water_bytes: 8 << 10,
        overrun_bytes: 16 << 10,
        window_bytes: WINDOW_BYTES,
        window_bytes_max: 4 * WINDOW_BYTES,
        unsettled_bytes_max: UNSETTLED_BYTES_MAX,
        reassembly_timeout: Micros::from_millis(100),
        ..LinkOptions::default()
    }
}

fn peer(role: Role) -> Established {
    Established {
        role,
        node: "peer".to_owned(),
        life: NodeLife { start: 1, random: 2 },
        listen: String::new(),
        channels: channels(),
        lane: 0,
        epoch: u64::from(EPOCH),
        window_bytes: WINDOW_BYTES,
        message_bytes_max: MESSAGE_BYTES_MAX,
        version: 1,
        key_id: 0,
    }
}

impl End {
    pub(crate) fn new(setup: u8) -> End {
        // SAFETY: initialised, never freed, and every run gives back all that it took of it.
        let arena =
            unsafe { ArenaMemory::new(NonNull::from(&mut *(&raw mut ARENA)).cast(), ARENA_BYTES) };
        let pool = Pool::new(arena);
        let budget = Arc::new(Budget::new(BUDGET_BYTES));
        let role = if setup & 1 == 0 { Role::Acceptor } else { Role::Dialler };
        let own_name = if setup & 2 == 0 { "near" } else { "quite near" };
        // The peer has one channel more than we have, so there is one that we do not know.
        let map = PeerChannels { local: vec![Some(0), Some(1), Some(2), None] };
        let mut link = Link::new(
            Arc::new(options()),
            pool.clone(),
            Arc::clone(&budget),
            &channels(),
            own_name,
            &peer(role),
            map,
            Micros(0),
        );
        link.lane_opened(1);
        End {
            link,
            host: Host::default(),
            budget,
            pool,
            now: Micros(0),
            rest: vec![Vec::new(); LANES_MAX],
            batch: Batch::default(),
            piece: usize::MAX,
            is_failed: false,
        }
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.is_failed
    }

    /// Bytes arrive on a lane, in pieces, some of them read straight to where they belong.
    pub(crate) fn hear(&mut self, lane: u8, bytes: &[u8]) {
        let is_landing = lane & 0x80 != 0;
        let lane = lane & 1;
        for piece in bytes.chunks(self.piece.max(bytes.len() / 16 + 1)) {
            let rest = &mut self.rest[lane as usize];
            rest.extend_from_slice(piece);
            if is_landing && let Some(place) = self.link.landing(lane) {
                let count = place.len().min(rest.len());
                place[..count].copy_from_slice(&rest[..count]);
                rest.drain(..count);
                if let Err(error) = self.link.landed(lane, count, self.now, &mut self.host) {
                    assert!(!error.code().is_empty());
                    self.is_failed = true;
                    return;
                }
            }
            match self.link.handle(lane, rest, self.now, &mut self.host) {
                Ok(used) => drop(rest.drain(..used)),
                Err(error) => {
                    assert!(!error.code().is_empty());
                    self.is_failed = true;
                    return;
                }
            }
            assert!(rest.len() <= REST_BYTES_MAX, "{} bytes wait on a lane", rest.len());
        }
        while let Some(event) = self.link.poll_event() {
            if let Event::LaneWanted(lane) = event {
                self.link.lane_opened(lane);
            }
        }
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        self.now = self.now + Micros::from_millis(millis % 4_000);
        if self.link.next_timeout() > self.now {
            return;
        }
        match self.link.handle_timeout(self.now) {
            Ok(()) => assert!(self.link.next_timeout() > self.now, "a timer without an end"),
            Err(error) => {
                assert!(!error.code().is_empty());
                self.is_failed = true;
            }
        }
    }

    /// Writes what is to be written; all of it has to be frames.
    pub(crate) fn transmit(&mut self, lane: u8) {
        self.link.transmit(lane & 1, 16 << 10, &mut self.batch);
        let mut slices = Vec::new();
        self.batch.slices(usize::MAX, &mut slices);
        let written = slices.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<u8>>();
        let mut left = &written[..];
        while !left.is_empty() {
            let Ok(Decoded::Frame { frame, consumed }) = decode(left, &Limits::default()) else {
                panic!("a link wrote what is no frame");
            };
            match frame {
                Frame::Data { payload_ok, .. } => assert!(payload_ok),
                Frame::Control { payload } => assert!(Control::decode(payload).is_ok()),
                Frame::Skipped { .. } => panic!("a link wrote what it does not know"),
            }
            left = &left[consumed..];
        }
        let count = written.len();
        self.batch.consume(count);
    }

    pub(crate) fn settle(&mut self, count: u8) {
        let count = usize::from(count).min(self.host.held.len());
        for held in self.host.held.drain(..count) {
            if held.is_charged {
                self.link.settle(held.channel, held.account, held.payload_bytes, 1);
            }
        }
        if self.budget.take_released() {
            self.link.poll_reservations();
        }
    }

    /// Our own end sends: messages, calls, answers.
    pub(crate) fn send(&mut self, script: &mut Script<'_>) {
        let kind = script.byte();
        let length = usize::from(script.byte()) << (kind >> 5);
        let payload = vec![kind; length];
        let source = Source { slot: u16::from(script.byte() & 3), generation: 1, serial: 0 };
        let answered = if kind & 1 == 1 { self.host.requests.pop() } else { None };
        let destination = match answered {
            Some((slot, _)) => Destination::Process(Source { slot, generation: 1, serial: 0 }),
            None => Destination::Named(u32::from(script.byte() % 6)),
        };
        let message = Message {
            channel: u16::from(kind >> 2 & 3),
            source,
            destination,
            encoding: Encoding::Bytes,
            is_request: answered.is_none() && kind & 2 != 0,
            is_reply: answered.is_some(),
            is_reply_reserved: answered.is_some() && kind & 2 != 0,
            correlation: answered.map_or(u32::from(kind), |(_, correlation)| correlation),
            reply_bytes_max: u32::from(script.short()),
            key: &payload[..length.min(4)],
            payload: Payload::Inline(&payload),
        };
        if let Err(refused) = self.link.enqueue(message, &OwnNames) {
            assert!(!refused.code().is_empty());
        }
    }

    pub(crate) fn choose(&mut self, choice: u8) {
        match choice % 8 {
            verdict @ 0..=2 => self.host.verdict = verdict,
            3 => self.piece = usize::from(choice >> 3) + 1,
            4 => self.piece = usize::MAX,
            5 => self.link.set_busy(u16::from(choice >> 3)),
            6 => self.link.give_up_call(u16::from(choice >> 3), u32::from(choice)),
            _ => self.link.leave("enough"),
        }
    }

    /// What holds at every moment, whatever the peer does.
    pub(crate) fn check(&self) {
        let stats = self.pool.stats();
        let promised = UNSETTLED_BYTES_MAX + WINDOW_BYTES + BUDGET_BYTES;
        assert!(self.budget.reserved_bytes() <= BUDGET_BYTES, "more reserved than there is");
        assert!(stats.bytes_live as u64 <= promised, "{} bytes in slabs", stats.bytes_live);
        let charged = self.host.held.iter().filter(|held| held.is_charged);
        let held: u64 = charged.map(|held| held.payload_bytes).sum();
        assert!(held <= promised, "{held} bytes delivered and not settled");
        let counters = self.link.counters();
        assert_eq!(counters.messages_received, self.host.deliveries);
    }

    /// The link ends: everything is given back.
    pub(crate) fn finish(mut self) {
        let slabs: usize = self.host.held.iter().filter(|held| held.slab.is_some()).count();
        assert!(slabs <= self.pool.stats().slabs_live);
        self.settle(255);
        self.host.held.clear();
        self.link.close();
        assert_eq!(self.budget.reserved_bytes(), 0, "reserved for a link that is gone");
        assert_eq!(self.budget.free_bytes(), BUDGET_BYTES, "grown for a link that is gone");
        drop(self.link);
        drop(self.batch);
        let stats = self.pool.stats();
        assert_eq!((stats.slabs_live, stats.bytes_live), (0, 0), "slabs of a link that is gone");
        assert_eq!((stats.double_releases, stats.stale_uses), (0, 0));
    }
}
