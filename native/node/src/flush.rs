//! Writing what links have to say, and starting nodes on their sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};

use foundation_link::{LANES_MAX, Member, Micros};
use foundation_transport::{Flushed, Listener, TransportOptions};

use crate::busy_word::BusyWord;
use crate::cluster::{ClusterHost, ClusterMeters, MachineInput};
use crate::command::{NodeError, Started};
use crate::connection::{ConnectionError, Place, admit_stranger, serve_incoming};
use crate::cuts::Cuts;
use crate::descriptors;
use crate::dial::Seed;
use crate::events::life_text;
use crate::isolate_io::IsolateIo;
use crate::isolates::Isolates;
use crate::membership::{new_budget, new_life};
use crate::metrics::NodeMeters;
use crate::names::NameTable;
use crate::node::{Node, Phase};
use crate::options::{IoMode, NodeOptions};
use crate::pairs::Pairs;
use crate::peer::{Active, OpenLane};
use crate::state::{Shared, State};
use crate::writability::Writability;

/// Bytes that a lane holds ready for the system. What is in here goes out in order, so an urgent
/// frame waits for at most this much and the system's own unsent bytes.
const BACKLOG_BYTES: usize = 128 << 10;
/// Bytes that a link writes before rings, sockets and timers get their turn. A system that takes
/// bytes as fast as they come would keep the thread here, and urgent messages in their ring.
const FLUSH_BYTES: usize = 256 << 10;
/// A handshake message may take 2 KiB on the wire, its frame included.
const HELLO_BYTES_MAX: usize = 2048;

impl Node {
    /// Writes dirty links and shows isolates their records.
    pub(crate) fn settle_output(&mut self) {
        self.run_cluster();
        // Again as long as somebody was served: the next in line may be another link.
        while self.budget.take_released() {
            self.poll_reservations();
        }
        self.dirty.append(&mut self.put_off);
        while !self.dirty.is_empty() {
            for index in std::mem::take(&mut self.dirty) {
                self.flush_link(index);
            }
        }
        self.isolates.publish();
    }

    fn poll_reservations(&mut self) {
        for index in 0..self.peers.len() {
            if let Some(active) = &mut self.peers[index].link
                && active.link.has_waiting_reservations()
            {
                active.link.poll_reservations();
                self.mark_dirty(index);
            }
        }
    }

    fn flush_link(&mut self, index: usize) {
        let Node { id, peers, isolate_io, .. } = self;
        let generation = peers[index].generation;
        let Some(active) = &mut peers[index].link else { return };
        active.is_dirty = false;
        let mut failure = None;
        let mut left_bytes = FLUSH_BYTES;
        let Active { link, lanes, is_dirty, .. } = active;
        for OpenLane { number, io, batch, is_blocked, is_mute, .. } in lanes {
            if *is_blocked || *is_mute {
                continue;
            }
            loop {
                let room = BACKLOG_BYTES.saturating_sub(batch.len());
                if room > 0 && link.has_output(*number) {
                    link.transmit(*number, room, batch);
                }
                if batch.is_empty() {
                    break;
                }
                if left_bytes == 0 {
                    *is_dirty = true;
                    self.put_off.push(index);
                    break;
                }
                left_bytes = left_bytes.saturating_sub(batch.len());
                match io.lane.flush(batch) {
                    Ok(Flushed::All) => {}
                    Ok(Flushed::Blocked) => {
                        *is_blocked = true;
                        let place = Place { node: *id, index, generation, lane: *number };
                        let Some(isolate_io) = isolate_io else {
                            io.wake_writer.notify_one();
                            break;
                        };
                        if let Err(error) = isolate_io.watch(io, place, true) {
                            failure = Some(ConnectionError::from(error).code());
                        }
                        break;
                    }
                    Err(error) => {
                        failure = Some(ConnectionError::from(error).code());
                        break;
                    }
                }
            }
        }
        if let Some(code) = failure {
            self.lost.push((index, generation, code.to_owned()));
        }
        self.take_events(index);
    }

    /// Whether everything given to links has been handed to the system.
    pub(crate) fn is_drained(&self) -> bool {
        self.peers.iter().filter_map(|peer| peer.link.as_ref()).all(|active| {
            active.link.is_drained()
                && (0..LANES_MAX as u8).all(|lane| !active.link.has_output(lane))
                && active.lanes.iter().all(|open| open.batch.is_empty())
        })
    }
}

impl State {
    pub(crate) fn start_node(
        &mut self,
        id: u32,
        options: NodeOptions,
    ) -> Result<Started, NodeError> {
        let failed = |error: std::io::Error| {
            NodeError::new("listen_failed", format!("cannot listen on {}: {error}", options.listen))
        };
        let runtime = self.runtime.clone();
        let _context = runtime.enter(); // a socket belongs to the runtime that waits for it
        let listener = Listener::bind(options.listen).map_err(failed)?;
        let address = listener.local_address().map_err(failed)?;
        let node = self.build_node(id, options, address)?;
        let started = Started {
            node: id,
            address: node.identity.listen.clone(),
            life: life_text(node.life),
            names: Arc::clone(&node.names),
            writability_offset: node.writability.offset(),
            channels: node.channels.iter().map(|channel| channel.name.clone()).collect(),
        };
        let transport = node.transport_options.clone();
        self.nodes.insert(id, node);
        self.nodes_changed();
        if let Some(shared) = self.own.upgrade() {
            if let Some(io) = self.nodes.get_mut(&id).and_then(|node| node.isolate_io.as_mut()) {
                io.start(Arc::clone(&shared), id, &runtime);
            }
            let task = runtime.spawn(listen(shared, id, listener, transport));
            if let Some(node) = self.nodes.get_mut(&id) {
                node.listener = Some(task.abort_handle());
            }
        }
        self.tick_node(id);
        Ok(started)
    }

    fn build_node(
        &self,
        id: u32,
        options: NodeOptions,
        address: SocketAddr,
    ) -> Result<Node, NodeError> {
        let life = new_life(options.life_start);
        let identity = options.identity(address, life)?;
        if identity.hello_bytes().is_none_or(|bytes| bytes > HELLO_BYTES_MAX) {
            let text = "names, addresses and channels of the node do not fit a 2 KiB handshake";
            return Err(NodeError::new("invalid_options", text));
        }
        let exhausted = |_| NodeError::new("arena_exhausted", "no room in the arena for a node");
        let writability = Writability::new(&self.pool).map_err(exhausted)?;
        let channels = options.channel_specs();
        let is_polled = options.io == IoMode::Isolate;
        let isolate_io = is_polled.then(IsolateIo::new).transpose()?;
        let own = Member { name: options.name.clone(), address: identity.listen.clone(), life };
        let overlays = options.overlays.clone();
        let cluster =
            overlays.map(|settings| Box::new(ClusterHost::new(settings, &own, &self.pace)));
        let seeds = MachineInput::Seeds(options.seeds.len() as u32);
        Ok(Node {
            id,
            pool: self.pool.clone(),
            inputs: cluster.iter().map(|_| seeds.clone()).collect(),
            cluster,
            arrivals: Vec::new(),
            topics: BTreeMap::new(),
            relayed_requests: BTreeSet::new(),
            overlay_meters: ClusterMeters::default(),
            news_no: 0,
            has_said_goodbye: false,
            life,
            link_options: Arc::new(options.link_options()),
            dial_options: options.dial_options(),
            is_tick_due: false,
            tick_at: Micros(0),
            forgiven: self.lost_time.total(),
            dial_rate: crate::dial::DialRate::default(),
            vigil: crate::watch::Vigil::default(),
            transport_options: options.transport_options(),
            budget: new_budget(options.receive_bytes_max),
            declared: channels.len(),
            meters: NodeMeters::new(&channels),
            channels,
            names: Arc::new(Mutex::new(NameTable::default())),
            owners: Vec::new(),
            peers: Vec::new(),
            by_name: BTreeMap::new(),
            seeds: options.seeds.iter().map(|&seed| Seed::new(seed, crate::clock::now())).collect(),
            isolates: Isolates::default(),
            pairs: Pairs::default(),
            writability,
            listener: None,
            phase: Phase::Running,
            dirty: Vec::new(),
            put_off: Vec::new(),
            lost: Vec::new(),
            lanes_wanted: Vec::new(),
            was_drained: false,
            strangers: crate::strangers::Strangers::default(),
            busy_isolates: 0,
            cuts: Cuts::default(),
            busy_word: BusyWord::default(),
            isolate_io,
            identity,
            options,
        })
    }
}

/// Waits until one more stranger may come.
async fn await_room(shared: &Shared, node: u32) {
    loop {
        let now = crate::clock::now();
        let full = {
            let state = shared.lock();
            let lag = state.pace.lag(now);
            state.nodes.get(&node).and_then(|host| host.strangers.full_until(now, lag))
        };
        let Some((until, freed)) = full else { return };
        tokio::select! {
            () = freed.notified() => {}
            () = tokio::time::sleep(std::time::Duration::from_micros(until.since(now).0)) => {}
        }
    }
}

async fn listen(shared: Shared, node: u32, listener: Listener, options: TransportOptions) {
    loop {
        await_room(&shared, node).await;
        match listener.accept(&options).await {
            Ok((lane, from)) => {
                descriptors::stay_ahead(lane.as_fd());
                let Some(admitted) = admit_stranger(&shared, node, from.ip()) else { return };
                tokio::spawn(serve_incoming(Arc::clone(&shared), node, lane, admitted));
            }
            Err(error) => {
                // Out of descriptors, mostly: taking the next one at once would spin.
                if let Some(host) = shared.lock().nodes.get_mut(&node) {
                    host.meters.handshake_failed(ConnectionError::from(error).code());
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}
