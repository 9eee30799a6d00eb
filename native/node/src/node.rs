//! A node: who it is, whom it knows, which isolates it serves, and what the rings ask of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use foundation_buffer::Pool;
use foundation_link::{
    Budget, ChannelSpec, Control, Destination, DialOptions, Event, Identity, LinkOptions, Message,
    Micros, Names, NodeLife, Refused, Source,
};
use foundation_transport::TransportOptions;
use tokio::task::AbortHandle;

use crate::busy_word::BusyWord;
use crate::cluster::{Arrival, ClusterHost, ClusterMeters, MachineInput, Outgoing, RelayedRequest};
use crate::command::{Attached, NodeError};
use crate::cuts::Cuts;
use crate::dial::Seed;
use crate::dues::{Credit, Dues, Request};
use crate::events;
use crate::isolate::{Doorbell, Isolate, LoopMark, adopt, lock};
use crate::isolate_io::IsolateIo;
use crate::isolates::Isolates;
use crate::metrics::{Load, NodeMeters};
use crate::names::{NameTable, Owner};
use crate::options::{IoMode, NodeOptions, PollMode};
use crate::pairs::{InTransit, Pairs};
use crate::peer::Peer;
use crate::record;
use crate::strangers::Strangers;
use crate::writability::Writability;

/// Bytes taken from one isolate's ring before others and the sockets get their turn.
pub(crate) const DRAIN_BYTES: usize = 1 << 20;

/// How far a node is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// Queues empty until then; goodbyes follow.
    Draining(Micros),
    /// Goodbyes are said; links close once they are written.
    SayingGoodbye(Micros),
    Left,
}

pub(crate) struct Node {
    pub(crate) id: u32,
    pub(crate) options: NodeOptions,
    pub(crate) identity: Identity,
    pub(crate) life: NodeLife,
    pub(crate) link_options: Arc<LinkOptions>,
    pub(crate) dial_options: DialOptions,
    pub(crate) transport_options: TransportOptions,
    pub(crate) budget: Arc<Budget>,
    pub(crate) channels: Vec<ChannelSpec>,
    /// Channels of `channels` that this node declared itself; the rest was learnt from peers.
    pub(crate) declared: usize,
    pub(crate) names: Arc<Mutex<NameTable>>,
    pub(crate) owners: Vec<Option<Owner>>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) by_name: BTreeMap<String, usize>,
    pub(crate) seeds: Vec<Seed>,
    pub(crate) isolates: Isolates,
    pub(crate) pairs: Pairs,
    pub(crate) writability: Writability,
    pub(crate) listener: Option<AbortHandle>,
    pub(crate) phase: Phase,
    pub(crate) meters: NodeMeters,
    /// Links that have something to write, as peer indexes.
    pub(crate) dirty: Vec<usize>,
    /// Links that wrote their share and have more: they go on in the next turn.
    pub(crate) put_off: Vec<usize>,
    /// Links that broke while something else was borrowed, with the reason.
    pub(crate) lost: Vec<(usize, u16, String)>,
    /// Set by whoever plans a dial: it is not left for the next tick that comes by itself.
    pub(crate) is_tick_due: bool,
    /// With overlays: when its timers are served next. Many such nodes share a thread, and most
    /// ticks are for a few of them.
    pub(crate) tick_at: Micros,
    /// How much of the time that this thread has lost its peers were forgiven.
    pub(crate) forgiven: Micros,
    pub(crate) lanes_wanted: Vec<(crate::dial::Target, std::net::SocketAddr)>,
    pub(crate) dial_rate: crate::dial::DialRate,
    pub(crate) vigil: crate::watch::Vigil,
    /// Whether the queues were empty when the goodbyes were said.
    pub(crate) was_drained: bool,
    pub(crate) strangers: Strangers,
    pub(crate) busy_isolates: u16,
    /// What the members of an overlay are told of that.
    pub(crate) busy_word: BusyWord,
    /// Who this node is cut off from, to see what happens then.
    pub(crate) cuts: Cuts,
    /// Where an isolate polls the lanes (`io: "isolate"`).
    pub(crate) isolate_io: Option<IsolateIo>,
    pub(crate) pool: Pool,
    /// With overlays: the machine that keeps them. Absent while it is at work.
    pub(crate) cluster: Option<Box<ClusterHost>>,
    pub(crate) overlay_meters: ClusterMeters,
    /// Counts news of links, which isolates may read in another order than they were told in.
    pub(crate) news_no: u64,
    /// What the machine has not been told yet.
    pub(crate) inputs: VecDeque<MachineInput>,
    /// What came for this host itself from the link that is being read.
    pub(crate) arrivals: Vec<Arrival>,
    /// By name number: isolates that take its broadcasts beside whoever has the name.
    pub(crate) topics: BTreeMap<u32, Vec<Owner>>,
    /// Requests that came over other nodes and are not answered.
    pub(crate) relayed_requests: BTreeSet<RelayedRequest>,
    /// The machine has told members all that there is to tell before this node leaves.
    pub(crate) has_said_goodbye: bool,
}

impl Node {
    pub(crate) fn attach(
        &mut self,
        pool: &Pool,
        bell: Arc<dyn Doorbell>,
        mark: Arc<LoopMark>,
        is_poller: bool,
    ) -> Result<Attached, NodeError> {
        let owner = self.isolates.reserve()?;
        let isolate = Isolate::new(pool, self.options.ring_bytes, owner, bell, Arc::clone(&mark))?;
        let io = self.isolate_io.as_mut().filter(|_| is_poller);
        let lane_poll = io.map(|io| io.set_poller(owner, mark));
        let (urgent_offset, inward_offset) = isolate.inward_offsets();
        let attached = Attached {
            slot: owner.slot,
            generation: owner.generation,
            outward_offset: isolate.outward_block.offset() as u32,
            urgent_offset,
            inward_offset,
            ring_bytes: self.options.ring_bytes,
            handles: Arc::clone(&isolate.handles),
            lane_poll,
        };
        self.isolates.insert(isolate);
        self.tell_all_news(owner);
        // Before the answer: the isolate knows peers and names from its first moment on.
        self.isolates.publish();
        Ok(attached)
    }

    /// Brings a new isolate up to date: channels, peers, names.
    fn tell_all_news(&mut self, owner: Owner) {
        let names: Vec<String> = self.channels.iter().map(|channel| channel.name.clone()).collect();
        let mut news = vec![events::channels(&names)];
        for event in self.member_news() {
            self.isolates.tell_up(owner, &event);
        }
        for (index, peer) in self.peers.iter().enumerate() {
            if peer.link.is_some() && !self.has_overlays() {
                let news = events::up(peer.handle(index), peer).to_string();
                self.isolates.tell_up(owner, &news);
            }
        }
        for (id, name, owner) in lock(&self.names).owned() {
            news.push(events::owner(id, name, Some(owner)));
        }
        for event in news {
            self.isolates.tell(owner, &event);
        }
    }

    pub(crate) fn detach(&mut self, pool: &Pool, owner: Owner) -> Result<(), NodeError> {
        if self.isolates.get(owner).is_none() {
            return Err(NodeError::new("unknown_node", "the isolate is not attached"));
        }
        if let Some(io) = &mut self.isolate_io {
            io.drop_poller(owner);
        }
        // What it had published is still its word.
        self.drain_ring(pool, owner.slot as usize, usize::MAX);
        self.unsubscribe_all(owner);
        let freed = lock(&self.names).give_up_all(owner);
        for id in freed {
            self.owner_changed(id, None);
        }
        if let Some(mut isolate) = self.isolates.remove(owner) {
            self.pay(&mut isolate.dues);
            isolate.dismantle(pool);
        }
        for (end, offset) in self.pairs.close_all(pool, owner) {
            self.isolates.tell(end, &events::pair_closed(offset));
        }
        Ok(())
    }

    /// Pays what a gone isolate owes: peers may send again, and their calls end.
    fn pay(&mut self, dues: &mut Dues) {
        let (credits, requests) = dues.take();
        for credit in credits {
            let Some(index) = self.peer_of(credit.peer) else { continue };
            if let Some(active) = &mut self.peers[index].link {
                let Credit { channel, account, bytes, messages, .. } = credit;
                active.link.settle(channel, account, bytes, messages);
            }
            self.mark_dirty(index);
        }
        for request in requests {
            let Some(index) = self.peer_of(request.peer) else { continue };
            if let Some(active) = &mut self.peers[index].link {
                active.link.give_up_call(request.slot, request.correlation);
            }
            self.mark_dirty(index);
        }
    }

    pub(crate) fn owner_changed(&mut self, id: u32, owner: Option<Owner>) {
        let index = id as usize;
        if index >= self.owners.len() {
            self.owners.resize(index + 1, None);
        }
        self.owners[index] = owner;
        let name = lock(&self.names).name(id).unwrap_or_default().to_owned();
        self.isolates.tell_all(&events::owner(id, &name, owner));
    }

    pub(crate) fn open_pair(
        &mut self,
        pool: &Pool,
        from: Owner,
        to: Owner,
    ) -> Result<(u32, InTransit), NodeError> {
        if self.isolates.get(to).is_none() {
            return Err(NodeError::new("noproc", "the other isolate is gone"));
        }
        let (offset, in_transit) = self.pairs.open(pool, self.options.ring_bytes, from, to)?;
        self.isolates.tell(to, &events::pair(offset, self.options.ring_bytes, from));
        Ok((offset, in_transit))
    }

    pub(crate) fn drain_rings(&mut self, pool: &Pool) {
        for slot in 0..self.isolates.len() {
            self.drain_ring(pool, slot, DRAIN_BYTES);
        }
    }

    pub(crate) fn drain_ring(&mut self, pool: &Pool, slot: usize, bytes_max: usize) {
        // The isolate is taken out while its records act on the node. It comes back in any case:
        // its rings are in use, and it has to hear of a panic.
        if !self.isolates.has_records(slot) {
            return;
        }
        let Some(mut isolate) = self.isolates.take(slot) else { return };
        let acted = catch_unwind(AssertUnwindSafe(|| {
            self.act_on_ring(pool, &mut isolate, bytes_max);
        }));
        self.isolates.put_back(slot, isolate);
        if let Err(panic) = acted {
            resume_unwind(panic);
        }
    }

    fn act_on_ring(&mut self, pool: &Pool, isolate: &mut Isolate, bytes_max: usize) {
        let mut bytes = 0;
        let names = Arc::clone(&self.names);
        while bytes < bytes_max && !isolate.is_corrupt {
            // The record borrows the ring's consumer, and `adopt` needs the isolate's handle table:
            // two fields, so the record is copied out of the borrow by parts.
            let Isolate { outward, handles, owner, dues, .. } = &mut *isolate;
            match outward.next() {
                Ok(Some(found)) => {
                    bytes += found.body.len() + 8;
                    let mut take = |index, generation| adopt(handles, pool, index, generation);
                    self.act_on(*owner, found.tag, found.body, &names, dues, &mut take);
                }
                Ok(None) => break,
                Err(_) => {
                    self.meters.corrupt_rings += 1;
                    isolate.is_corrupt = true;
                }
            }
        }
        if isolate.outward.release() {
            isolate.bell.ring();
        }
    }

    fn act_on(
        &mut self,
        owner: Owner,
        tag: u32,
        body: &[u8],
        names: &Mutex<NameTable>,
        dues: &mut Dues,
        take: &mut dyn FnMut(u32, u32) -> Option<foundation_buffer::Slab>,
    ) {
        let handle = record::u32_at(body, record::PEER);
        match tag & record::KIND_MASK {
            record::MESSAGE if body.len() >= record::HEAD_BYTES => {
                if tag & record::REPLY != 0 {
                    let slot = record::u16_at(body, record::SLOT);
                    let correlation = record::u32_at(body, record::CORRELATION);
                    dues.answered(Request { peer: handle, slot, correlation });
                }
                let mut slab = None;
                if tag & record::SLAB != 0 {
                    let index = record::u32_at(body, record::SLAB_INDEX);
                    slab = take(index, record::u32_at(body, record::SLAB_GENERATION));
                    if slab.is_none() {
                        self.meters.stale_slabs += 1;
                        return;
                    }
                }
                self.send(handle, Outgoing::read(owner, tag, body, slab), names);
            }
            record::SETTLE => {
                let channel = record::u16_at(body, record::CHANNEL);
                let account = record::u16_at(body, record::ACCOUNT);
                let bytes = u64::from(record::u32_at(body, record::SETTLE_BYTES));
                let messages = record::u32_at(body, record::SETTLE_MESSAGES);
                dues.settled(Credit { peer: handle, channel, account, bytes, messages });
                if let Some(index) = self.peer_of(handle) {
                    if let Some(active) = &mut self.peers[index].link {
                        active.link.settle(channel, account, bytes, messages);
                    }
                    self.mark_dirty(index);
                }
            }
            _ => self.meters.unknown_records += 1,
        }
    }

    pub(crate) fn send(
        &mut self,
        mut handle: u32,
        outgoing: Outgoing<'_>,
        names: &Mutex<NameTable>,
    ) {
        if self.has_overlays() {
            let Outgoing { tag, body, .. } = outgoing;
            if handle & 0xffff == record::BROADCAST_PEER {
                return self.broadcast(handle, tag, body, outgoing.payload);
            }
            if let Some(index) = self.routed_index(handle) {
                if tag & record::REPLY != 0 && self.take_relayed_request(index, body) {
                    return self.relay(index, outgoing);
                }
                if !self.is_open(index) {
                    return self.hold(index, outgoing);
                }
                if !self.is_direct(index) {
                    return self.relay(index, outgoing);
                }
                handle = self.peers[index].handle(index);
            }
        }
        self.send_over(handle, outgoing, names);
    }

    /// Gives a message to the link that the handle is of.
    fn send_over(&mut self, handle: u32, outgoing: Outgoing<'_>, names: &Mutex<NameTable>) {
        let Outgoing { owner, tag, body, payload, key } = outgoing;
        let channel = record::u16_at(body, record::CHANNEL);
        let correlation = record::u32_at(body, record::CORRELATION);
        let load = Load::of((tag >> record::ENCODING_SHIFT) & 7, payload.len(), correlation);
        let serial = record::u32_at(body, record::DESTINATION);
        let destination = if tag & record::PROCESS == 0 {
            Destination::Named(serial)
        } else {
            Destination::Process(Source {
                slot: record::u16_at(body, record::SLOT),
                generation: record::u16_at(body, record::GENERATION),
                serial,
            })
        };
        let (Some(index), Some(encoding)) = (self.peer_of(handle), record::encoding_of(tag)) else {
            self.meters.dropped("noconnection");
            return;
        };
        let Some(active) = &mut self.peers[index].link else { return };
        let message = Message {
            channel,
            source: Source { slot: owner.slot, generation: owner.generation, serial: 0 },
            destination,
            encoding,
            is_request: tag & record::REQUEST != 0,
            is_reply: tag & record::REPLY != 0,
            is_reply_reserved: tag & record::RESERVED != 0,
            correlation,
            reply_bytes_max: record::u32_at(body, record::REPLY_BYTES_MAX),
            key,
            payload,
        };
        let result = active.link.enqueue(message, &LockedNames(names));
        match result {
            Ok(()) => {
                if let Some(meter) = self.meters.channels.get_mut(channel as usize) {
                    meter.sent(load);
                }
            }
            Err(refused) => self.meters.dropped(Refused::code(refused)),
        }
        self.mark_dirty(index);
    }

    /// The index behind a handle, if that very link is up.
    #[inline]
    pub(crate) fn peer_of(&self, handle: u32) -> Option<usize> {
        let index = (handle & 0xffff) as usize;
        let peer = self.peers.get(index)?;
        (peer.generation == (handle >> 16) as u16 && peer.link.is_some()).then_some(index)
    }

    #[inline]
    pub(crate) fn mark_dirty(&mut self, index: usize) {
        if let Some(active) = &mut self.peers[index].link
            && !active.is_dirty
        {
            active.is_dirty = true;
            self.dirty.push(index);
        }
    }

    /// What a link reports becomes table entries and news.
    pub(crate) fn take_events(&mut self, index: usize) {
        loop {
            let Some(active) = &mut self.peers[index].link else { return };
            let Some(event) = active.link.poll_event() else { return };
            self.on_event(index, event);
        }
    }

    fn on_event(&mut self, index: usize, event: Event) {
        let handle = self.peers[index].handle(index);
        match event {
            Event::Unwritable(channel) => self.writability.set(index, channel as usize, false),
            Event::Writable(channel) => {
                self.writability.set(index, channel as usize, true);
                let head =
                    record::Head::new().u32(record::PEER, handle).u16(record::CHANNEL, channel);
                self.isolates.push_to_all(record::WRITABLE, &head.0[..8]);
            }
            // The roster tells it, whether there is a link or not.
            Event::Busy(_) if self.has_overlays() => {}
            Event::Busy(isolates) => {
                self.peers[index].busy_isolates = isolates;
                let news = events::busy(&self.peers[index].name, isolates);
                self.isolates.tell_all(&news);
            }
            Event::Members(members) => self.learn_members(&members),
            Event::Host(said) => match *said {
                Control::LinkUse(said) if self.has_overlays() => {
                    self.on_link_use(index, said.wanted);
                }
                Control::Machine(machine) if self.has_overlays() => {
                    self.on_machine_message(index, machine);
                }
                _ => self.meters.machine_messages_ignored += 1,
            },
            Event::LaneWanted(lane) => self.want_lane(index, lane),
            Event::Left(_) => {
                self.peers[index].is_leaving = true;
                if !self.has_overlays() {
                    let news = events::leaving(&self.peers[index].name);
                    self.isolates.tell_all(&news);
                }
                let generation = self.peers[index].generation;
                self.lost.push((index, generation, "left".to_owned()));
            }
            Event::Undelivered { slot, correlation, reason } => {
                let mut body = [0; 8];
                body[..4].copy_from_slice(&correlation.to_le_bytes());
                body[4..].copy_from_slice(&u32::from(reason as u8).to_le_bytes());
                self.isolates.push_to_slot(slot, record::UNDELIVERED, &body);
            }
            Event::RoundTrip(rtt) => {
                if let Some(redial) = &mut self.peers[index].redial {
                    redial.set_rtt(rtt);
                }
                self.round_trip(index, rtt);
            }
            Event::Heartbeat => self.heartbeat(index),
            Event::Doubt => self.on_doubt(index),
            Event::Alarm => self.on_alarm(index),
        }
    }

    /// Whether nothing is left to do and every ring is armed: a ring that has records rings.
    pub(crate) fn rest(&mut self) -> bool {
        self.put_off.is_empty() && self.isolates.arm()
    }

    /// Whether the kernel thread spins for this node.
    pub(crate) fn is_kernel_spinning(&self) -> bool {
        self.options.poll == PollMode::Spin && self.options.io == IoMode::Thread
    }

    /// Closes the listener and every connection, those under way included.
    pub(crate) fn close_sockets(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.abort();
        }
        for peer in &mut self.peers {
            if let Some(mut active) = peer.link.take() {
                active.close();
            }
            if let Some(dial) = peer.dial.take() {
                dial.task.abort();
            }
        }
        for seed in &mut self.seeds {
            seed.abort();
        }
    }

    /// Frees everything that the node holds in the arena and closes its sockets.
    pub(crate) fn dismantle(mut self, pool: &Pool) {
        self.close_sockets();
        for isolate in self.isolates.take_all() {
            isolate.dismantle(pool);
        }
        self.pairs.clear(pool);
    }
}

/// Reads the shared table only when a link meets a name for the first time.
struct LockedNames<'a>(&'a Mutex<NameTable>);

impl Names for LockedNames<'_> {
    fn name(&self, id: u32) -> Option<String> {
        lock(self.0).name(id).map(str::to_owned)
    }
}
