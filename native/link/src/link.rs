//! The link itself: its channels, queues and lanes, and what sending does to them.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use foundation_buffer::Pool;
use foundation_frame::{DataHeader, Flags, encode_control};
use foundation_schema::{
    Bind, ChannelSpec, Control, CreditEntry, Credits, Encoder, LaneWanted, Leave, Member, Members,
    Ping, Reserve, Role, Status,
};

use crate::account::{Budget, ReceiveAccount, SendAccount};
use crate::channel::assign_lanes;
use crate::error::LinkError;
use crate::handshake::Established;
use crate::keep_alive::{Due, KeepAlive};
use crate::message::{
    Destination, Event, MESSAGE_COST_BYTES, Message, Names, PairKey, Payload, Refused,
};
use crate::names::{Accounts, Announced, RemoteNames};
use crate::options::LinkOptions;
use crate::queue::{Body, Pending, Queue, Step};
use crate::reassembly::Reassembly;
use crate::scheduler::Schedule;
use crate::time::Micros;
use crate::transmit::{Batch, Piece, recycle};

/// Set in an account's number for replies larger than their reservation: they have credit of their own,
/// so two nodes that call each other with full windows still answer.
pub(crate) const REPLY_ACCOUNT: u16 = 0x8000;

/// What a link counted. All counts only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name is the counter's documented name in docs/metrics.md")]
pub struct LinkCounters {
    pub messages_sent: u64,
    pub messages_received: u64,
    pub bytes_received: u64,
    pub bytes_transmitted: u64,
    pub superseded: u64,
    pub overflowed: u64,
    pub frames_skipped: u64,
    pub payload_crc_failures: u64,
    pub stale_epoch: u64,
    pub unknown_channel: u64,
    pub unsolicited_replies: u64,
    pub no_process: u64,
    pub exhausted: u64,
    pub reassembly_timeouts: u64,
    pub orphan_chunks: u64,
    pub names_refused: u64,
    pub control_refused: u64,
}

impl LinkCounters {
    /// Adds another link's counts.
    pub fn add(&mut self, other: &LinkCounters) {
        self.messages_sent += other.messages_sent;
        self.messages_received += other.messages_received;
        self.bytes_received += other.bytes_received;
        self.bytes_transmitted += other.bytes_transmitted;
        self.superseded += other.superseded;
        self.overflowed += other.overflowed;
        self.frames_skipped += other.frames_skipped;
        self.payload_crc_failures += other.payload_crc_failures;
        self.stale_epoch += other.stale_epoch;
        self.unknown_channel += other.unknown_channel;
        self.unsolicited_replies += other.unsolicited_replies;
        self.no_process += other.no_process;
        self.exhausted += other.exhausted;
        self.reassembly_timeouts += other.reassembly_timeouts;
        self.orphan_chunks += other.orphan_chunks;
        self.names_refused += other.names_refused;
        self.control_refused += other.control_refused;
    }
}

/// How the peer's channel numbers map to ours and back.
#[derive(Debug, Clone, Default)]
pub struct PeerChannels {
    /// Our number for each number of the peer; `None` where we have no such channel.
    pub local: Vec<Option<u16>>,
}

#[derive(Debug)]
pub(crate) struct ChannelState {
    spec: ChannelSpec,
    queued_bytes: u64,
    is_unwritable: bool,
    lane_first: u8,
    lane_count: u8,
    /// Index of this channel's first queue; its further lanes follow.
    queue_first: usize,
}

#[derive(Debug, Default)]
struct LaneState {
    control: Vec<u8>,
    schedule: Schedule,
    is_open: bool,
    is_wanted: bool,
}

/// One link to one life of a peer.
#[derive(Debug)]
pub struct Link {
    pub(crate) options: Rc<LinkOptions>,
    pub(crate) pool: Pool,
    pub(crate) budget: Rc<Budget>,
    pub(crate) epoch: u32,
    role: Role,
    peer_message_bytes_max: u64,
    peer_window_bytes: u64,
    channels: Vec<ChannelState>,
    queues: Vec<Queue>,
    lanes: Vec<LaneState>,
    send_accounts: BTreeMap<(u16, u16), SendAccount>,
    announced: Announced,
    pub(crate) accounts: Accounts,
    sequence: u32,
    pub(crate) spare: Vec<Vec<u8>>,
    pub(crate) calls: Vec<CallsOut>,
    // The receiving half; its code is in receive.rs.
    pub(crate) peer_channels: PeerChannels,
    pub(crate) receive_accounts: BTreeMap<(u16, u16), ReceiveAccount>,
    pub(crate) remote_names: RemoteNames,
    pub(crate) reassembly: Reassembly,
    pub(crate) credit_updates: Vec<CreditEntry>,
    pub(crate) keep_alive: KeepAlive,
    pub(crate) peer_busy: u16,
    own_busy: u16,
    pub(crate) events: VecDeque<Event>,
    encoder: Encoder,
    pub(crate) counters: LinkCounters,
}

/// Calls of one local isolate that the peer has not answered.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CallsOut {
    pub(crate) waiting: u32,
    pub(crate) reply_bytes_max: u32,
}

impl Link {
    /// A link over the connection whose handshake ended with `peer`; that connection is its lane 0.
    #[must_use]
    pub fn new(
        options: Rc<LinkOptions>,
        pool: Pool,
        budget: Rc<Budget>,
        own_channels: &[ChannelSpec],
        own_name: &str,
        peer: &Established,
        peer_channels: PeerChannels,
        now: Micros,
    ) -> Link {
        let mut channels = Vec::new();
        let mut queues = Vec::new();
        let lanes_of = assign_lanes(own_channels);
        for (number, (spec, &(first, count))) in own_channels.iter().zip(&lanes_of).enumerate() {
            channels.push(ChannelState {
                spec: spec.clone(),
                queued_bytes: 0,
                is_unwritable: false,
                lane_first: first,
                lane_count: count,
                queue_first: queues.len(),
            });
            for _ in 0..count {
                queues.push(Queue::new(number as u16, spec.priority, spec.weight));
            }
        }
        let lanes = build_lanes(&channels, &queues);
        let is_prober = own_name < peer.node.as_str();
        Link {
            keep_alive: KeepAlive::new(is_prober, now, &options),
            options,
            pool,
            budget,
            epoch: peer.epoch as u32,
            role: peer.role,
            peer_message_bytes_max: peer.message_bytes_max,
            peer_window_bytes: peer.window_bytes,
            channels,
            queues,
            lanes,
            send_accounts: BTreeMap::new(),
            announced: Announced::default(),
            accounts: Accounts::default(),
            sequence: 0,
            spare: Vec::new(),
            calls: Vec::new(),
            peer_channels,
            receive_accounts: BTreeMap::new(),
            remote_names: RemoteNames::default(),
            reassembly: Reassembly::default(),
            credit_updates: Vec::new(),
            peer_busy: 0,
            own_busy: 0,
            events: VecDeque::new(),
            encoder: Encoder::new(),
            counters: LinkCounters::default(),
        }
    }

    /// What this link counted so far.
    #[must_use]
    pub fn counters(&self) -> LinkCounters {
        self.counters
    }

    /// The last measured round trip.
    #[must_use]
    pub fn rtt(&self) -> Option<Micros> {
        self.keep_alive.rtt()
    }

    /// Takes the next event, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Bytes that wait on a channel.
    #[must_use]
    pub fn queued_bytes(&self, channel: u16) -> u64 {
        self.channels.get(channel as usize).map_or(0, |state| state.queued_bytes)
    }

    /// Whether nothing waits to be written on any channel.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.channels.iter().all(|state| state.queued_bytes == 0)
    }

    /// Takes a message for the peer.
    ///
    /// # Errors
    /// [`Refused`]; nothing of the message was taken then.
    pub fn enqueue(&mut self, message: Message<'_>, names: &dyn Names) -> Result<(), Refused> {
        let len = message.payload.len() as u64;
        let channel = message.channel as usize;
        let high = self.options.high_water_bytes + self.options.overrun_bytes;
        let Some(state) = self.channels.get(channel) else { return Err(Refused::UnknownChannel) };
        if len > self.peer_message_bytes_max {
            return Err(Refused::TooLarge);
        }
        if state.queued_bytes + len > high + self.options.message_bytes_max {
            self.counters.overflowed += 1;
            return Err(Refused::Overflow);
        }
        let pair = PairKey { source: message.source, destination: message.destination };
        let step = lane_step(state.lane_count, &pair, message.key);
        let (lane, queue) = (state.lane_first + step, state.queue_first + step as usize);
        let is_monotonic = state.spec.monotonic;
        self.announce(message.destination, lane, names)?;
        let header = self.header(&message, lane);
        if message.is_request {
            self.count_call(&message);
        }
        let is_charged = message.is_reply && message.is_reply_reserved;
        let key = (message.channel, header.account);
        let is_small = len as usize <= self.options.chunk_bytes;
        if is_small && !is_monotonic && !self.queues[queue].has_flow(&pair) {
            if let Payload::Inline(bytes) = &message.payload {
                if is_charged || self.charge(key, len) {
                    self.queues[queue].push_express(&header, bytes, &mut self.spare);
                    self.account_for(message.channel, len + MESSAGE_COST_BYTES);
                    return Ok(());
                }
            }
        }
        self.enqueue_flow(message, queue, pair, header, is_charged && !is_monotonic);
        Ok(())
    }

    fn enqueue_flow(
        &mut self,
        message: Message<'_>,
        queue: usize,
        pair: PairKey,
        header: DataHeader,
        is_charged: bool,
    ) {
        let channel = message.channel;
        let cost = message.payload.len() as u64 + MESSAGE_COST_BYTES;
        let mut body = match message.payload {
            Payload::Inline(bytes) => Body::Bytes(bytes.to_vec()),
            Payload::Slab(slab) => Body::Slab(slab),
        };
        if self.channels[channel as usize].spec.monotonic {
            match self.queues[queue].supersede(&pair, &header, body, message.key) {
                Ok(freed) => {
                    self.counters.superseded += 1;
                    self.release(channel, freed);
                    self.account_for(channel, cost);
                    return;
                }
                Err(unused) => body = unused,
            }
        }
        let pending = Pending::new(header, body, message.key.to_vec(), is_charged);
        self.queues[queue].push_flow(pair, pending);
        self.account_for(channel, cost);
    }

    fn count_call(&mut self, message: &Message<'_>) {
        let slot = message.source.slot as usize;
        if slot >= self.calls.len() {
            self.calls.resize(slot + 1, CallsOut::default());
        }
        let calls = &mut self.calls[slot];
        calls.waiting = calls.waiting.saturating_add(1);
        calls.reply_bytes_max = calls.reply_bytes_max.max(message.reply_bytes_max);
    }

    fn announce(
        &mut self,
        destination: Destination,
        lane: u8,
        names: &dyn Names,
    ) -> Result<(), Refused> {
        if let Destination::Named(id) = destination
            && self.announced.first_use(id, lane)
        {
            let Some(name) = names.name(id) else { return Err(Refused::UnknownName) };
            self.say(lane, &Control::Bind(Bind { id, name }));
        }
        self.want_lane(lane);
        Ok(())
    }

    fn want_lane(&mut self, lane: u8) {
        let state = &mut self.lanes[lane as usize];
        if state.is_open || state.is_wanted {
            return;
        }
        state.is_wanted = true;
        match self.role {
            Role::Dialler => self.events.push_back(Event::LaneWanted(lane)),
            Role::Acceptor => self.say(0, &Control::LaneWanted(LaneWanted { lane })),
        }
    }

    /// A further connection joined the link.
    pub fn lane_opened(&mut self, lane: u8) {
        if let Some(state) = self.lanes.get_mut(lane as usize) {
            state.is_open = true;
        }
    }

    fn header(&mut self, message: &Message<'_>, lane: u8) -> DataHeader {
        self.sequence = self.sequence.wrapping_add(1);
        self.counters.messages_sent += 1;
        let mut flags = Flags::default().with_encoding(message.encoding);
        if message.is_request {
            flags = flags.with(Flags::REQUEST);
        }
        if message.is_reply {
            flags = flags.with(Flags::REPLY);
        }
        if message.is_reply && message.is_reply_reserved {
            flags = flags.with(Flags::RESERVED_REPLY);
        }
        let mut header = DataHeader {
            channel: message.channel,
            lane,
            hop_limit: 1,
            link_epoch: self.epoch,
            sequence: self.sequence,
            source_slot: message.source.slot,
            source_generation: message.source.generation,
            source_serial: message.source.serial,
            correlation: message.correlation,
            message_bytes: message.payload.len() as u32,
            reply_bytes_max: if message.is_request { message.reply_bytes_max } else { 0 },
            ..DataHeader::default()
        };
        match message.destination {
            Destination::Named(id) => {
                flags = flags.with(Flags::NAMED);
                header.destination_serial = id;
                header.account = self.accounts.get(id);
            }
            Destination::Process(process) => {
                header.destination_slot = process.slot;
                header.destination_generation = process.generation;
                header.destination_serial = process.serial;
                header.account = process.slot;
                if message.is_reply {
                    header.account |= REPLY_ACCOUNT;
                }
            }
        }
        header.flags = flags;
        header
    }

    fn send_account(&mut self, key: (u16, u16)) -> &mut SendAccount {
        let window = self.peer_window_bytes;
        self.send_accounts.entry(key).or_insert_with(|| SendAccount::new(window))
    }

    fn charge(&mut self, key: (u16, u16), payload_bytes: u64) -> bool {
        let account = self.send_account(key);
        account.waiters.is_empty() && account.charge(payload_bytes)
    }

    fn account_for(&mut self, channel: u16, bytes: u64) {
        let high = self.options.high_water_bytes;
        let state = &mut self.channels[channel as usize];
        state.queued_bytes += bytes;
        if !state.is_unwritable && state.queued_bytes > high {
            state.is_unwritable = true;
            self.events.push_back(Event::Unwritable(channel));
        }
    }

    fn release(&mut self, channel: u16, bytes: u64) {
        let low = self.options.low_water_bytes;
        let state = &mut self.channels[channel as usize];
        state.queued_bytes = state.queued_bytes.saturating_sub(bytes);
        if state.is_unwritable && state.queued_bytes <= low {
            state.is_unwritable = false;
            self.events.push_back(Event::Writable(channel));
        }
    }

    /// Whether [`Link::transmit`] would write anything on this lane.
    #[must_use]
    pub fn has_output(&self, lane: u8) -> bool {
        let Some(state) = self.lanes.get(lane as usize) else { return false };
        !state.control.is_empty()
            || (lane == 0 && !self.credit_updates.is_empty())
            || state.schedule.has_ready(&self.queues)
    }

    /// Fills a lane's batch up to about `room` bytes: control first, then by priority and weight.
    pub fn transmit(&mut self, lane: u8, room: usize, batch: &mut Batch) {
        let before = batch.len();
        for spare in batch.spare.drain(..) {
            recycle(&mut self.spare, spare);
        }
        if lane == 0 {
            self.flush_credits();
        }
        let limit = before + room;
        let Some(state) = self.lanes.get_mut(lane as usize) else { return };
        if !state.control.is_empty() {
            batch.push(Piece::Bytes(std::mem::take(&mut state.control)));
        }
        while batch.len() < limit {
            let chunk_bytes = self.options.chunk_bytes;
            let schedule = &mut self.lanes[lane as usize].schedule;
            let Some(index) = schedule.pick(&mut self.queues, chunk_bytes) else { break };
            let queue = &mut self.queues[index];
            match queue.transmit(chunk_bytes, batch) {
                Step::Wrote { bytes, released } => {
                    queue.deficit -= bytes as i64;
                    let channel = queue.channel;
                    self.release(channel, released);
                }
                Step::NeedsCredit(pair) => self.ask_credit(index, pair),
                Step::Idle => {}
            }
        }
        // Credit asked for while filling goes out with this very batch.
        let state = &mut self.lanes[lane as usize];
        if !state.control.is_empty() {
            batch.push(Piece::Bytes(std::mem::take(&mut state.control)));
        }
        self.counters.bytes_transmitted += (batch.len() - before) as u64;
    }

    fn flush_credits(&mut self) {
        while !self.credit_updates.is_empty() {
            let part = self.credit_updates.len().min(1024);
            let entries = self.credit_updates.drain(..part).collect();
            self.say(0, &Control::Credits(Credits { entries }));
        }
    }

    /// Charges the head of a flow, or queues the flow for credit.
    fn ask_credit(&mut self, queue: usize, pair: PairKey) {
        let channel = self.queues[queue].channel;
        let Some(head) = self.queues[queue].head(&pair) else { return };
        let (account, bytes) = (head.header.account, head.payload_bytes());
        if self.charge((channel, account), bytes) {
            if let Some(head) = self.queues[queue].head(&pair) {
                head.is_charged = true;
            }
            self.queues[queue].resume(pair);
            return;
        }
        self.send_account((channel, account)).waiters.push_back((queue, pair));
        self.reserve_front(channel, account);
    }

    /// Tells the receiver how much the first waiter of an account needs.
    fn reserve_front(&mut self, channel: u16, account: u16) {
        let state = self.send_account((channel, account));
        let Some(&front) = state.waiters.front() else { return };
        if state.reserved_for == Some(front) {
            return;
        }
        state.reserved_for = Some(front);
        let available = state.available_bytes();
        let (queue, pair) = front;
        let Some(head) = self.queues[queue].head(&pair) else { return };
        let bytes = head.payload_bytes() + MESSAGE_COST_BYTES;
        debug_assert!(bytes > available, "a waiter could have been charged");
        self.say(0, &Control::Reserve(Reserve { channel, account, bytes }));
    }

    /// The peer raised a limit: waiters go on, first come first served.
    pub(crate) fn credit_arrived(&mut self, channel: u16, account: u16, limit: u64) {
        let Some(state) = self.send_accounts.get_mut(&(channel, account)) else { return };
        state.raise(limit);
        while let Some(&(queue, pair)) = state.waiters.front() {
            if let Some(head) = self.queues[queue].head(&pair) {
                if !state.charge(head.payload_bytes()) {
                    break;
                }
                head.is_charged = true;
                self.queues[queue].resume(pair);
            }
            state.waiters.pop_front();
            state.reserved_for = None;
        }
        self.reserve_front(channel, account);
    }

    /// When [`Link::handle_timeout`] is due next.
    #[must_use]
    pub fn next_timeout(&self) -> Micros {
        self.keep_alive.next_timeout(&self.options).min(self.reassembly.next_timeout())
    }

    /// Probes an idle peer, gives up late messages.
    ///
    /// # Errors
    /// [`LinkError::Silent`] ends the link.
    pub fn handle_timeout(&mut self, now: Micros) -> Result<(), LinkError> {
        self.expire_reassembly(now);
        match self.keep_alive.handle_timeout(now, &self.options) {
            Due::Nothing => Ok(()),
            Due::Silent => Err(LinkError::Silent),
            Due::Probe { sequence } => {
                let busy_isolates = self.own_busy;
                self.say(0, &Control::Ping(Ping { sequence, busy_isolates }));
                Ok(())
            }
        }
    }

    /// Tells the peer how many isolates of this node are stalled, if that changed.
    pub fn set_busy(&mut self, isolates: u16) {
        if self.own_busy != isolates {
            self.own_busy = isolates;
            self.say(0, &Control::Status(Status { busy_isolates: isolates }));
        }
    }

    pub(crate) fn own_busy(&self) -> u16 {
        self.own_busy
    }

    /// Tells the peer of members.
    pub fn tell_members(&mut self, members: &[Member]) {
        for page in Members::pages(members.to_vec()) {
            self.say(0, &Control::Members(page));
        }
    }

    /// Tells the peer that this node leaves in good order.
    pub fn leave(&mut self, reason: &str) {
        self.say(0, &Control::Leave(Leave { reason: reason.to_owned() }));
    }

    pub(crate) fn say(&mut self, lane: u8, control: &Control) {
        match self.encoder.encode(control) {
            Ok(payload) => {
                let framed = encode_control(payload, 0, &mut self.lanes[lane as usize].control);
                debug_assert!(framed.is_ok(), "the encoder keeps the control limit");
            }
            Err(_) => self.counters.control_refused += 1,
        }
    }

    /// Ends the link: reservations go back to the node's budget.
    pub fn close(&mut self) {
        for account in self.receive_accounts.values_mut() {
            account.close(&self.budget);
        }
    }
}

fn build_lanes(channels: &[ChannelState], queues: &[Queue]) -> Vec<LaneState> {
    let count = channels.iter().map(|c| c.lane_first + c.lane_count).max().unwrap_or(1).max(1);
    (0..crate::channel::LANES_MAX as u8)
        .map(|lane| {
            let members = channels
                .iter()
                .filter(|c| lane < count && lane >= c.lane_first && lane < c.lane_first + c.lane_count)
                .map(|c| c.queue_first + (lane - c.lane_first) as usize)
                .collect();
            let schedule = Schedule::new(queues, members);
            LaneState { control: Vec::new(), schedule, is_open: lane == 0, is_wanted: lane == 0 }
        })
        .collect()
}

/// Which of a channel's lanes a pair uses; a partition key takes the sender's place.
fn lane_step(count: u8, pair: &PairKey, key: &[u8]) -> u8 {
    if count <= 1 {
        return 0;
    }
    let mut crc = foundation_frame::crc32c(key);
    if key.is_empty() {
        crc = foundation_frame::crc32c(&pair.source.slot.to_le_bytes());
    }
    let destination = match pair.destination {
        Destination::Named(id) => id,
        Destination::Process(process) => process.serial ^ u32::from(process.slot),
    };
    let mixed = foundation_frame::crc32c_append(crc, &destination.to_le_bytes());
    (mixed % u32::from(count)) as u8
}
