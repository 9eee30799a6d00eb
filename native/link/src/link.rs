//! The link itself: what it is made of, how it begins, lives and ends.

use std::collections::VecDeque;
use std::sync::Arc;

use foundation_buffer::Pool;
use foundation_frame::encode_control;
use foundation_schema::{
    ChannelSpec, Control, Encoder, Leave, Member, Members, Ping, Role, Status,
};

use crate::budget::Budget;
use crate::busy::BusyNews;
use crate::channel::{LANES_MAX, assign_lanes};
use crate::counters::LinkCounters;
use crate::error::LinkError;
use crate::identity::Established;
use crate::keep_alive::{Due, KeepAlive, Watch};
use crate::landing::Landing;
use crate::ledger::{AccountKey, Ledger};
use crate::message::{Event, MESSAGE_COST_BYTES};
use crate::names::{Accounts, Announced, RemoteNames};
use crate::options::LinkOptions;
use crate::queue::Queue;
use crate::reassembly::Reassembly;
use crate::receive_account::{Bounds, ReceiveAccount};
use crate::scheduler::Schedule;
use crate::send_account::SendAccount;
use foundation_machine::Micros;

/// What may wait to be written before a host's own messages are refused: they have no credit.
const HOST_BYTES_MAX: usize = 1 << 20;

/// How the peer's channel numbers map to ours and back.
#[derive(Debug, Clone, Default)]
pub struct PeerChannels {
    /// Our number for each number of the peer; `None` where we have no such channel.
    pub local: Vec<Option<u16>>,
}

/// A channel as this end sends on it.
#[derive(Debug)]
pub(crate) struct ChannelState {
    pub(crate) is_monotonic: bool,
    pub(crate) queued_bytes: u64,
    pub(crate) is_unwritable: bool,
    pub(crate) lane_first: u8,
    pub(crate) lane_count: u8,
    /// Index of this channel's first queue; its further lanes follow.
    pub(crate) queue_first: usize,
}

#[derive(Debug, Default)]
pub(crate) struct LaneState {
    pub(crate) control: Vec<u8>,
    pub(crate) schedule: Schedule,
    /// The payload that the lane is in the midst of, if it is a large one.
    pub(crate) landing: Option<Landing>,
    pub(crate) is_open: bool,
    pub(crate) is_wanted: bool,
}

/// Calls of one local isolate that the peer has not answered.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CallsOut {
    pub(crate) waiting: u32,
    pub(crate) reply_bytes_max: u32,
}

/// One link to one life of a peer.
///
/// The host feeds it bytes ([`Link::handle`]), messages ([`Link::enqueue`]), settlements and time,
/// and takes bytes ([`Link::transmit`]) and events out. Dropped or closed, it returns its
/// reservations.
#[derive(Debug)]
pub struct Link {
    pub(crate) options: Arc<LinkOptions>,
    pub(crate) pool: Pool,
    pub(crate) budget: Arc<Budget>,
    pub(crate) epoch: u32,
    pub(crate) role: Role,
    pub(crate) encoder: Encoder,
    pub(crate) keep_alive: KeepAlive,
    /// Messages counted when the link was last looked at.
    messages_seen: u64,
    pub(crate) events: VecDeque<Event>,
    pub(crate) counters: LinkCounters,
    // The sending half: enqueue.rs, credit.rs, transmit.rs.
    pub(crate) peer_message_bytes_max: u64,
    pub(crate) peer_window_bytes: u64,
    pub(crate) channels: Vec<ChannelState>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) lanes: Vec<LaneState>,
    pub(crate) send_accounts: Ledger<SendAccount>,
    pub(crate) announced: Announced,
    pub(crate) accounts: Accounts,
    pub(crate) sequence: u32,
    pub(crate) spare: Vec<Vec<u8>>,
    pub(crate) calls: Vec<CallsOut>,
    pub(crate) own_busy: u16,
    /// The ping to answer; one answer serves all that came since the last write.
    pub(crate) pong: Option<u32>,
    // The receiving half: receive.rs, control.rs.
    pub(crate) peer_channels: PeerChannels,
    /// The peer's number for each number of ours.
    pub(crate) remote_channels: Vec<Option<u16>>,
    pub(crate) receive_accounts: Ledger<ReceiveAccount>,
    pub(crate) remote_names: RemoteNames,
    pub(crate) reassembly: Reassembly,
    /// Accounts whose new limit the peer has to be told.
    pub(crate) raised: Vec<AccountKey>,
    pub(crate) busy: BusyNews,
    /// Cost of messages that share windows and are not settled.
    pub(crate) unsettled_bytes: u64,
    /// The peer has said goodbye.
    pub(crate) is_left: bool,
}

impl Link {
    /// A link over the connection whose handshake ended with `peer`; that connection is its lane 0.
    /// `options` has to be the one that the handshake announced.
    #[must_use]
    #[expect(
        clippy::too_many_arguments,
        reason = "a link's surroundings, each named once by its host"
    )]
    pub fn new(
        options: Arc<LinkOptions>,
        pool: Pool,
        budget: Arc<Budget>,
        own_channels: &[ChannelSpec],
        own_name: &str,
        peer: &Established,
        peer_channels: PeerChannels,
        now: Micros,
    ) -> Link {
        let (channels, queues) = build_channels(own_channels);
        let is_first = own_name < peer.node.as_str();
        Link {
            keep_alive: KeepAlive::new(is_first, now, &options),
            messages_seen: 0,
            options,
            pool,
            budget,
            epoch: peer.epoch as u32,
            role: peer.role,
            encoder: Encoder::new(),
            events: VecDeque::new(),
            counters: LinkCounters::default(),
            peer_message_bytes_max: peer.message_bytes_max.min(u64::from(u32::MAX)),
            peer_window_bytes: peer.window_bytes,
            lanes: build_lanes(&channels, &queues),
            channels,
            queues,
            send_accounts: Ledger::default(),
            announced: Announced::default(),
            accounts: Accounts::default(),
            sequence: 0,
            spare: Vec::new(),
            calls: Vec::new(),
            own_busy: 0,
            pong: None,
            remote_channels: invert(&peer_channels),
            peer_channels,
            receive_accounts: Ledger::default(),
            remote_names: RemoteNames::default(),
            reassembly: Reassembly::default(),
            raised: Vec::new(),
            busy: BusyNews::default(),
            unsettled_bytes: 0,
            is_left: false,
        }
    }

    /// What this link counted so far.
    #[must_use]
    pub fn counters(&self) -> LinkCounters {
        self.counters
    }

    /// The host was not running for that long: so much of the peer's silence does not count, for
    /// its bytes may lie unread.
    pub fn forgive(&mut self, lost: Micros, now: Micros) {
        self.keep_alive.forgive(lost, now);
    }

    /// When [`Link::handle_timeout`] takes the peer's silence for its end, if nothing comes until
    /// then; never, while nothing was asked.
    #[must_use]
    pub fn silent_at(&self) -> Micros {
        self.keep_alive.silent_at(&self.options)
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

    /// Calls of this node that the peer has not answered.
    #[must_use]
    pub fn calls_waiting(&self) -> u64 {
        self.calls.iter().map(|calls| u64::from(calls.waiting)).sum()
    }

    /// Whether nothing waits to be written on any channel.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.channels.iter().all(|state| state.queued_bytes == 0)
    }

    /// A further connection joined the link.
    pub fn lane_opened(&mut self, lane: u8) {
        if let Some(state) = self.lanes.get_mut(lane as usize) {
            state.is_open = true;
        }
    }

    /// When [`Link::handle_timeout`] is due next; 0: at once.
    #[must_use]
    pub fn next_timeout(&self) -> Micros {
        if self.keep_alive.is_resting() && self.messages() != self.messages_seen {
            return Micros(0);
        }
        let other = self.reassembly.next_timeout().min(self.busy.next_timeout());
        self.keep_alive.next_timeout(&self.options).min(other)
    }

    /// Probes an idle peer, gives up late messages.
    ///
    /// # Errors
    /// [`LinkError::Silent`] ends the link, as does memory that the peer asked for, others wait
    /// for, and nobody uses.
    pub fn handle_timeout(&mut self, now: Micros) -> Result<(), LinkError> {
        self.expire_reassembly(now);
        self.busy.tell(now, &mut self.events);
        self.check_reservations(now)?;
        let messages = self.messages();
        if std::mem::replace(&mut self.messages_seen, messages) != messages {
            self.keep_alive.watch_closely(now, &self.options);
        }
        loop {
            match self.keep_alive.handle_timeout(now, &self.options) {
                Due::Nothing => return Ok(()),
                Due::Silent => return Err(LinkError::Silent),
                Due::Doubt => self.events.push_back(Event::Doubt),
                Due::Probe { sequence } => {
                    // Only a quiet link is probed: it keeps no memory that it does not use.
                    self.spare.clear();
                    self.say_ping(sequence, false);
                }
            }
        }
    }

    fn messages(&self) -> u64 {
        self.counters.messages_sent + self.counters.messages_received
    }

    fn say_ping(&mut self, sequence: u32, alarm: bool) {
        let busy_isolates = self.own_busy;
        self.say(0, &Control::Ping(Ping { sequence, busy_isolates, alarm }));
    }

    /// Who probes the link while nothing goes over it. Until this is called: the end whose node has
    /// the lower name.
    pub fn set_watch(&mut self, watch: Watch, now: Micros) {
        self.keep_alive.set_watch(watch, now, &self.options);
    }

    /// Somebody misses a peer, be it this node (which `tells` this one's peer so) or another: a
    /// link that rests is watched as any other for as long as a silence may last.
    pub fn watch_closely(&mut self, now: Micros, tells: bool) {
        self.keep_alive.watch_closely(now, &self.options);
        if tells {
            let sequence = self.keep_alive.probe(now, &self.options);
            self.say_ping(sequence, true);
        }
    }

    /// Tells the peer how many isolates of this node are stalled, if that changed.
    pub fn set_busy(&mut self, isolates: u16) {
        if self.own_busy != isolates {
            self.own_busy = isolates;
            self.say(0, &Control::Status(Status { busy_isolates: isolates }));
        }
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

    /// Tells the peer's host something that the link has no part in; answers how long its frame is.
    /// `None` where too much waits to be written already, or where it does not fit a control frame.
    pub fn tell_host(&mut self, control: &Control) -> Option<usize> {
        let waiting = self.lanes[0].control.len();
        if waiting > HOST_BYTES_MAX {
            self.counters.control_refused += 1;
            return None;
        }
        self.say(0, control);
        let bytes = self.lanes[0].control.len() - waiting;
        (bytes > 0).then_some(bytes)
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

    /// What an account of this link may promise.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            message_cost_max: self.options.message_bytes_max + MESSAGE_COST_BYTES,
            window_bytes_max: self.options.window_bytes_max,
        }
    }

    /// Ends the link: reservations go back to the node's budget.
    pub fn close(&mut self) {
        for (_, account) in self.receive_accounts.iter_mut() {
            account.close(&self.budget);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.close();
    }
}

fn build_channels(specs: &[ChannelSpec]) -> (Vec<ChannelState>, Vec<Queue>) {
    let mut channels = Vec::new();
    let mut queues = Vec::new();
    for (number, (spec, (first, count))) in specs.iter().zip(assign_lanes(specs)).enumerate() {
        channels.push(ChannelState {
            is_monotonic: spec.monotonic,
            queued_bytes: 0,
            is_unwritable: false,
            lane_first: first,
            lane_count: count,
            queue_first: queues.len(),
        });
        let queue = || Queue::new(number as u16, spec.priority, spec.weight);
        queues.extend((0..count).map(|_| queue()));
    }
    (channels, queues)
}

fn build_lanes(channels: &[ChannelState], queues: &[Queue]) -> Vec<LaneState> {
    (0..LANES_MAX as u8)
        .map(|lane| {
            let members = channels
                .iter()
                .filter(|channel| {
                    (channel.lane_first..channel.lane_first + channel.lane_count).contains(&lane)
                })
                .map(|channel| channel.queue_first + (lane - channel.lane_first) as usize)
                .collect();
            let schedule = Schedule::new(queues, members);
            let is_first = lane == 0;
            LaneState { schedule, is_open: is_first, is_wanted: is_first, ..LaneState::default() }
        })
        .collect()
}

fn invert(channels: &PeerChannels) -> Vec<Option<u16>> {
    // Channels that only the peer declared have local numbers above our own ones.
    let count = channels.local.iter().flatten().max().map_or(0, |&highest| highest as usize + 1);
    let mut remote = vec![None; count];
    for (number, local) in channels.local.iter().enumerate().rev() {
        if let Some(place) = local.and_then(|local| remote.get_mut(local as usize)) {
            *place = Some(number as u16);
        }
    }
    remote
}
