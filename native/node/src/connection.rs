//! A connection's life: handshake, then bytes in and bytes out until either end closes.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use foundation_link::{
    ChannelSpec, Crossing, Delivery, Destination, Established, HOST_SLOT, Handshake, Link,
    LinkError, Micros, NodeLife, Outbox, Progress, RejectCode, SealError, Source, UNBOUND_ACCOUNT,
    Verdict, crossing,
};
use foundation_transport::{Lane, Read, Sink};

use crate::cluster::Arrival;
use crate::cuts::PARTITIONED;
use crate::dues::Request;
use crate::isolate::{Pushed, Urgency, lock};
use crate::isolates::Isolates;
use crate::metrics::{ChannelMeter, Load};
use crate::names::{NameTable, Owner};
use crate::node::{Node, Phase};
use crate::peer::{LaneIo, OpenLane};
use crate::record::{self, Head};
use crate::state::{Shared, State};
use crate::strangers;

/// A link younger than this and a second dial of the same life are two dials that crossed; an older
/// one was lost at the other end.
const CROSSING_WINDOW: Micros = Micros::from_millis(2_000);
/// Reads in a row before other connections get their turn.
const READS_MAX: usize = 4;

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum ConnectionError {
    Io(io::Error),
    Link(LinkError),
    Closed,
    /// The connection closed inside a sealed record: it was cut, or the peer's process ended.
    CutShort,
    /// The host has no use for it any more.
    Dropped(&'static str),
}

impl ConnectionError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            ConnectionError::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => "connection_refused",
                io::ErrorKind::TimedOut => "dial_timeout",
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "connection_reset",
                _ => "io_error",
            },
            ConnectionError::Link(error) => error.code(),
            ConnectionError::Closed => "connection_closed",
            ConnectionError::CutShort => "record_cut_short",
            ConnectionError::Dropped(code) => code,
        }
    }

    pub(crate) fn is_seal_failure(&self) -> bool {
        matches!(self, ConnectionError::Link(LinkError::Seal(_)))
    }

    pub(crate) fn text(&self) -> String {
        match self {
            ConnectionError::Io(error) => error.to_string(),
            ConnectionError::Link(LinkError::Protocol(what)) => (*what).to_owned(),
            other => other.code().replace('_', " "),
        }
    }
}

impl From<io::Error> for ConnectionError {
    fn from(error: io::Error) -> Self {
        ConnectionError::Io(error)
    }
}

impl From<LinkError> for ConnectionError {
    fn from(error: LinkError) -> Self {
        ConnectionError::Link(error)
    }
}

impl From<SealError> for ConnectionError {
    fn from(error: SealError) -> Self {
        ConnectionError::Link(error.into())
    }
}

/// Reads until the handshake asks for a decision, is done, or fails.
pub(crate) async fn shake(
    lane: &Lane,
    handshake: &mut Handshake,
    rest: &mut Vec<u8>,
) -> Result<Progress, ConnectionError> {
    let mut buffer = [0; 4096];
    loop {
        lane.write_all(&handshake.take_output()).await?;
        if !rest.is_empty() {
            let result = handshake.handle(rest);
            if let Err(error) = result {
                // A reason is owed to an honest peer; that it cannot be written changes nothing.
                let _ = lane.write_all(&handshake.take_output()).await;
                return Err(error.into());
            }
            let (used, progress) = result?;
            rest.drain(..used);
            match progress {
                Progress::Wait => lane.write_all(&handshake.take_output()).await?,
                _ => return Ok(progress),
            }
        }
        lane.readable().await?;
        match lane.try_read(&mut buffer) {
            Ok(0) => return Err(ConnectionError::Closed),
            Ok(count) => rest.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Serves a connection that somebody opened to us.
pub(crate) async fn serve_incoming(
    shared: Shared,
    node: u32,
    lane: Lane,
    (handshake, place): (Handshake, strangers::Place),
) {
    let limit = handshake.deadline().since(crate::clock::now());
    let work = accept(&shared, node, lane, handshake, place.ticket);
    let result = tokio::select! {
        result = work => result,
        () = tokio::time::sleep(std::time::Duration::from_micros(limit.0)) => {
            Err(LinkError::HandshakeTimeout.into())
        }
        () = place.evicted.notified() => Err(ConnectionError::Dropped(RejectCode::TooMany.code())),
    };
    let mut state = shared.lock();
    let Some(host) = state.nodes.get_mut(&node) else { return };
    host.strangers.release(place.ticket);
    if let Err(error) = result {
        host.meters.handshake_failed(error.code());
        if error.is_seal_failure() {
            host.meters.seal_failed();
        }
    }
}

/// Gives a connection that somebody opened a place among the strangers.
pub(crate) fn admit_stranger(
    shared: &Shared,
    node: u32,
    from: IpAddr,
) -> Option<(Handshake, strangers::Place)> {
    let mut state = shared.lock();
    let host = state.nodes.get_mut(&node)?;
    let now = crate::clock::now();
    let place = host.strangers.admit(from, now);
    let (identity, seed) = (host.identity_towards(from), crate::dial::random_bytes());
    Some((Handshake::accept(identity, &host.link_options, seed, now), place))
}

async fn accept(
    shared: &Shared,
    node: u32,
    lane: Lane,
    mut handshake: Handshake,
    ticket: u64,
) -> Result<(), ConnectionError> {
    let mut rest = Vec::new();
    let mut progress = shake(&lane, &mut handshake, &mut rest).await?;
    if let Progress::Join(joining) = &progress {
        let known = {
            let state = shared.lock();
            let host = state.nodes.get(&node);
            host.and_then(|host| host.link_key(&joining.node, joining.life, joining.epoch))
        };
        let Some((key, is_sealed)) = known else {
            return refuse(&lane, handshake, RejectCode::UnknownLink).await;
        };
        handshake.join_link(key, is_sealed)?;
        progress = shake(&lane, &mut handshake, &mut rest).await?;
    }
    let Progress::Decide(peer) = progress else { return Err(ConnectionError::Closed) };
    let verdict = {
        let mut state = shared.lock();
        state.handle_commands();
        let host = state.nodes.get_mut(&node).ok_or(ConnectionError::Dropped("unknown_node"))?;
        host.strangers.release(ticket); // it has proved itself and makes way for nobody any more
        if host.cuts.has(&peer.node) {
            return Err(PARTITIONED); // without a word
        }
        let verdict = host.judge(&peer);
        state.settle_node(node);
        verdict
    };
    match verdict {
        Ok(()) => handshake.admit(),
        Err(code) => return refuse(&lane, handshake, code).await,
    }
    // The last words of the handshake are small and the socket is fresh: they do not wait.
    lane.write_all(&handshake.take_output()).await?;
    let keys = handshake.take_keys().ok_or(ConnectionError::Closed)?;
    State::establish(shared, node, *peer, keys, lane, rest, None);
    Ok(())
}

async fn refuse(
    lane: &Lane,
    mut handshake: Handshake,
    code: RejectCode,
) -> Result<(), ConnectionError> {
    handshake.reject(code);
    lane.write_all(&handshake.take_output()).await?;
    Err(ConnectionError::Dropped(code.code()))
}

impl Node {
    /// Whether an authenticated dialler is let in.
    fn judge(&mut self, peer: &Established) -> Result<(), RejectCode> {
        if self.phase != Phase::Running {
            return Err(RejectCode::Leaving);
        }
        // The key may have been removed while the handshake was under way.
        if peer.key_id != 0 && self.identity.keys.find(peer.key_id).is_none() {
            return Err(RejectCode::AuthFailed);
        }
        if peer.node == self.identity.node {
            let is_self = peer.life == self.life;
            if !is_self {
                self.report_refusal(RejectCode::DuplicateNode, &peer.node);
            }
            return Err(if is_self { RejectCode::SelfDial } else { RejectCode::DuplicateNode });
        }
        let known = self.by_name.get(&peer.node).map(|&index| &self.peers[index]);
        let link = known.and_then(|known| known.link.as_ref().map(|link| (known.life, link)));
        if peer.lane > 0 {
            let is_there = link.is_some_and(|(life, link)| {
                life == peer.life && link.epoch == peer.epoch && !link.is_dialler
            });
            return if is_there { Ok(()) } else { Err(RejectCode::UnknownLink) };
        }
        match link {
            // The newer of two live nodes of one name is refused, until the older one is down.
            Some((life, _)) if life != peer.life => {
                if self.report_refusal(RejectCode::DuplicateNode, &peer.node) {
                    self.tell_of_twin(peer);
                }
                Err(RejectCode::DuplicateNode)
            }
            Some((_, link)) if crate::clock::now().since(link.since) < CROSSING_WINDOW => {
                Err(RejectCode::Crossing)
            }
            Some(_) => Ok(()), // the peer lost this link and we have not noticed
            None => {
                let address = peer.listen.parse().ok();
                let is_seed_dialled =
                    |seed: &crate::dial::Seed| seed.task.is_some() && address == Some(seed.address);
                let is_dialling = known.is_some_and(|known| known.dial.is_some())
                    || self.seeds.iter().any(is_seed_dialled);
                if is_dialling && crossing(&self.identity.node, &peer.node) == Crossing::KeepOwn {
                    return Err(RejectCode::Crossing);
                }
                Ok(())
            }
        }
    }

    /// Tells isolates of a refused node; false where they have heard of too many this second.
    pub(crate) fn report_refusal(&mut self, code: RejectCode, name: &str) -> bool {
        let may_tell = self.strangers.may_tell_refusal(crate::clock::now());
        if may_tell {
            self.isolates.tell_all(&crate::events::refused(code.code(), name));
        }
        may_tell
    }
}

/// Reads a lane until it ends, then ends the link.
pub(crate) async fn run_lane(shared: Shared, place: Place, io: Arc<LaneIo>) {
    let mut result = shared.lock().replay_lane(place);
    while result.is_ok() {
        io.hearing().await;
        result = match io.lane.readable().await {
            Ok(()) => shared.lock().read_lane(place, READS_MAX),
            Err(error) => Err(error.into()),
        };
        tokio::task::consume_budget().await;
    }
    if let Err(error) = result {
        let mut state = shared.lock();
        state.lose_link(place, error.code());
        state.settle_node(place.node);
    }
}

/// Waits for the system to take bytes again whenever it had refused some.
pub(crate) async fn run_writer(shared: Shared, place: Place, io: Arc<LaneIo>) {
    loop {
        io.wake_writer.notified().await;
        let writable = io.lane.writable().await;
        let mut state = shared.lock();
        if let Err(error) = writable {
            state.lose_link(place, ConnectionError::from(error).code());
            return;
        }
        state.unblock_lane(place);
        state.settle_node(place.node);
    }
}

/// A lane of a link in a node of this thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) node: u32,
    pub(crate) index: usize,
    pub(crate) generation: u16,
    pub(crate) lane: u8,
}

const GONE: ConnectionError = ConnectionError::Dropped("link_replaced");

impl State {
    fn open_lane(&mut self, place: Place) -> Option<&mut OpenLane> {
        self.nodes.get_mut(&place.node)?.open_lane(place)
    }

    /// Uses the bytes that came with the handshake.
    pub(crate) fn replay_lane(&mut self, place: Place) -> Result<(), ConnectionError> {
        let mut buffer = std::mem::take(&mut self.open_lane(place).ok_or(GONE)?.buffer);
        let result = buffer.replay(&mut Inflow { state: self, place });
        self.note_seal_failure(place, &result);
        if let Some(open) = self.open_lane(place) {
            open.buffer = buffer;
        }
        self.settle_node(place.node);
        result
    }

    /// Reads what has come on a lane, a few times in a row at most.
    pub(crate) fn read_lane(
        &mut self,
        place: Place,
        reads_max: usize,
    ) -> Result<(), ConnectionError> {
        let open = self.open_lane(place).ok_or(GONE)?;
        let io = Arc::clone(&open.io);
        if io.is_deaf() {
            return Ok(());
        }
        // Buffer and scratch are taken out while their bytes act on the state.
        let mut buffer = std::mem::take(&mut open.buffer);
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut result = Ok(());
        for _ in 0..reads_max {
            let read = buffer.read(&io.lane, &mut scratch, &mut Inflow { state: self, place });
            match read {
                Ok(Read::Bytes { is_full: true, .. }) => {}
                Ok(Read::Bytes { is_full: false, .. } | Read::Nothing) => break,
                Ok(Read::Closed) => {
                    result = Err(if buffer.is_inside_record() {
                        ConnectionError::CutShort
                    } else {
                        ConnectionError::Closed
                    });
                    break;
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        self.scratch = scratch;
        self.note_seal_failure(place, &result);
        if let Some(open) = self.open_lane(place) {
            open.buffer = buffer;
        }
        self.settle_node(place.node);
        result
    }

    fn note_seal_failure(&mut self, place: Place, result: &Result<(), ConnectionError>) {
        if result.as_ref().is_err_and(ConnectionError::is_seal_failure)
            && let Some(host) = self.nodes.get_mut(&place.node)
        {
            host.meters.seal_failed();
        }
    }

    /// The system takes bytes of a lane again.
    pub(crate) fn unblock_lane(&mut self, place: Place) {
        if let Some(host) = self.nodes.get_mut(&place.node)
            && let Some(open) = host.open_lane(place)
        {
            open.is_blocked = false;
            let io = Arc::clone(&open.io);
            host.mark_dirty(place.index);
            if let Some(isolate_io) = &host.isolate_io
                && isolate_io.watch(&io, place, false).is_err()
            {
                host.lost.push((place.index, place.generation, "io_error".to_owned()));
            }
        }
    }

    /// Feeds received bytes to the link they came for.
    fn receive<T>(
        &mut self,
        place: Place,
        feed: impl FnOnce(&mut Link, Micros, &mut Inbound<'_>) -> Result<T, LinkError>,
    ) -> Result<T, ConnectionError> {
        self.handle_commands();
        let Some(host) = self.nodes.get_mut(&place.node) else { return Err(GONE) };
        let has_overlays = host.has_overlays();
        let Node { peers, isolates, owners, names, meters, channels, arrivals, .. } = host;
        let Some(peer) = peers.get_mut(place.index) else { return Err(GONE) };
        let handle = peer.handle(place.index);
        let Some(active) = peer.link.as_mut().filter(|_| peer.generation == place.generation)
        else {
            return Err(GONE);
        };
        let mut inbound = Inbound {
            handle,
            isolates,
            owners,
            names,
            meters: &mut meters.channels,
            channels,
            pool: &self.pool,
            arrivals: has_overlays.then_some(arrivals),
        };
        let result = feed(&mut active.link, crate::clock::now(), &mut inbound)?;
        host.take_events(place.index);
        host.take_arrivals(place.index);
        host.mark_dirty(place.index);
        Ok(result)
    }
}

/// The bytes of one lane on their way to its link.
struct Inflow<'a> {
    state: &'a mut State,
    place: Place,
}

impl Sink for Inflow<'_> {
    type Error = ConnectionError;

    fn landing(&mut self) -> Option<&mut [u8]> {
        let place = self.place;
        let peer = self.state.nodes.get_mut(&place.node)?.peers.get_mut(place.index)?;
        let is_same = peer.generation == place.generation;
        peer.link.as_mut().filter(|_| is_same)?.link.landing(place.lane)
    }

    fn landed(&mut self, count: usize) -> Result<(), ConnectionError> {
        let lane = self.place.lane;
        self.state.receive(self.place, |link, now, out| link.landed(lane, count, now, out))
    }

    fn take(&mut self, bytes: &[u8]) -> Result<usize, ConnectionError> {
        let lane = self.place.lane;
        self.state.receive(self.place, |link, now, out| link.handle(lane, bytes, now, out))
    }
}

/// Takes a link's deliveries to the isolates' rings.
struct Inbound<'a> {
    handle: u32,
    isolates: &'a mut Isolates,
    owners: &'a [Option<Owner>],
    names: &'a std::sync::Mutex<NameTable>,
    meters: &'a mut [ChannelMeter],
    channels: &'a [ChannelSpec],
    pool: &'a foundation_buffer::Pool,
    /// Where messages for the host itself go, in a node with overlays.
    arrivals: Option<&'a mut Vec<Arrival>>,
}

impl Outbox for Inbound<'_> {
    fn deliver(&mut self, delivery: Delivery<'_>) -> Verdict {
        if let Destination::Process(Source { slot: HOST_SLOT, .. }) = delivery.destination {
            let Some(arrivals) = &mut self.arrivals else { return Verdict::NoProcess };
            arrivals.push(Arrival::of(delivery));
            return Verdict::Taken;
        }
        let (owner, number) = match delivery.destination {
            Destination::Named(id) => (self.owners.get(id as usize).copied().flatten(), id),
            Destination::Process(process) => {
                let owner = Owner { slot: process.slot, generation: process.generation };
                (Some(owner), process.serial)
            }
        };
        let Some(isolate) = owner.and_then(|owner| self.isolates.target(owner)) else {
            return Verdict::NoProcess;
        };
        let mut tag = record::MESSAGE | u32::from(delivery.encoding_bits) << record::ENCODING_SHIFT;
        for (is_set, bit) in [
            (delivery.is_request, record::REQUEST),
            (delivery.is_reply, record::REPLY),
            (delivery.is_charged, record::CHARGED),
            (matches!(delivery.destination, Destination::Process(_)), record::PROCESS),
        ] {
            if is_set {
                tag |= bit;
            }
        }
        let head = Head::new()
            .u32(record::PEER, self.handle)
            .u16(record::CHANNEL, delivery.channel)
            .u16(record::ACCOUNT, delivery.account)
            .u32(record::DESTINATION, number)
            .u16(record::SLOT, delivery.source.slot)
            .u16(record::GENERATION, delivery.source.generation)
            .u32(record::CORRELATION, delivery.correlation)
            .u32(record::REPLY_BYTES_MAX, delivery.reply_bytes_max)
            .u32(record::SERIAL, delivery.source.serial);
        let encoding_bits = u32::from(delivery.encoding_bits);
        let bytes = delivery.payload.len() as u64;
        let load = Load::of(encoding_bits, delivery.payload.len(), delivery.correlation);
        let is_urgent =
            self.channels.get(delivery.channel as usize).is_some_and(|spec| spec.priority == 0);
        let urgency = if is_urgent { Urgency::Urgent } else { Urgency::Normal };
        let pushed = isolate.push_message(self.pool, urgency, tag, head, delivery.payload);
        if pushed == Pushed::Exhausted {
            return Verdict::Exhausted;
        }
        if delivery.is_charged {
            isolate.dues.delivered(self.handle, delivery.channel, delivery.account, bytes);
        }
        if delivery.is_request {
            let (slot, correlation) = (delivery.source.slot, delivery.correlation);
            isolate.dues.took(Request { peer: self.handle, slot, correlation });
        }
        if let Some(meter) = self.meters.get_mut(delivery.channel as usize) {
            meter.received(load);
        }
        Verdict::Taken
    }

    fn intern(&mut self, name: &str) -> Option<(u32, u16)> {
        let mut names = lock(self.names);
        let id = names.intern_for_peer(name)?;
        Some((id, names.owner(id).map_or(UNBOUND_ACCOUNT, |owner| owner.slot)))
    }
}

/// Which of two lives is the later run of a node.
pub(crate) fn is_newer(life: NodeLife, than: NodeLife) -> bool {
    life > than
}
