//! Full-mesh membership over static seeds: who links to whom, and what a new or a lost link means.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foundation_link::{
    AuthKey, Batch, Budget, CHANNELS_MAX, ChannelSpec, Established, Link, LinkKeys, Member, Micros,
    NodeLife, PeerChannels, Redial, RejectCode, Role,
};
use foundation_transport::{Incoming, Lane};

use crate::connection::{ConnectionError, Place, is_newer, run_lane, run_writer};
use crate::dial::Target;
use crate::events;
use crate::node::{Node, Phase};
use crate::peer::{Active, LaneIo, OpenLane};
use crate::places::is_dialable;
use crate::state::{Shared, State};

/// A member learnt from a third one is left to dial us for this long if its name is the lower one.
const DIAL_GRACE: Micros = Micros::from_millis(200);

impl State {
    /// A handshake succeeded: a new link, or a further lane of one.
    pub(crate) fn establish(
        shared: &Shared,
        node: u32,
        peer: Established,
        keys: LinkKeys,
        lane: Lane,
        rest: Vec<u8>,
        target: Option<Target>,
    ) {
        let mut state = shared.lock();
        let pool = state.pool.clone();
        let runtime = state.runtime.clone();
        let Some(host) = state.nodes.get_mut(&node) else { return };
        if host.cuts.has(&peer.node) {
            host.refuse_for_cut(peer.node, target);
            state.tick_node(node);
            state.settle_node(node);
            return;
        }
        let is_polled = host.isolate_io.is_some();
        let lane = match if is_polled { lane.unwatch() } else { Ok(lane) } {
            Ok(lane) => lane,
            Err(error) => {
                // Closed with the error; the dialler tries again.
                host.meters.handshake_failed(ConnectionError::from(error).code());
                return;
            }
        };
        let is_sealed = keys.seal.is_some();
        let (sealer, opener) = keys.seal.unzip();
        let batch = sealer.map_or_else(Batch::default, Batch::sealed);
        let open = OpenLane::new(peer.lane, lane, Incoming::with(rest, opener), batch);
        let io = Arc::clone(&open.io);
        let place = if peer.lane > 0 {
            host.add_lane(node, &peer, open)
        } else {
            host.add_link(node, pool, &peer, (keys.link_key, is_sealed), open, target)
        };
        let Some(place) = place else { return };
        if is_polled {
            state.begin_polled(place, &io);
        } else {
            let reader = run_lane(Arc::clone(shared), place, Arc::clone(&io));
            let writer = run_writer(Arc::clone(shared), place, io);
            let tasks =
                [runtime.spawn(reader).abort_handle(), runtime.spawn(writer).abort_handle()];
            if let Some(open) = host.open_lane(place) {
                open.tasks.extend(tasks);
            }
        }
        state.tick_node(node);
        state.settle_node(node);
    }

    /// A connection that an isolate polls begins with what came behind the handshake.
    fn begin_polled(&mut self, place: Place, io: &LaneIo) {
        let added = match self.nodes.get(&place.node).and_then(|host| host.isolate_io.as_ref()) {
            Some(isolate_io) => isolate_io.add(&io.lane, place).map_err(ConnectionError::from),
            None => return,
        };
        if let Err(error) = added.and_then(|()| self.replay_lane(place)) {
            self.lose_link(place, error.code());
        }
    }

    /// Ends a link, if it is still the one meant.
    pub(crate) fn lose_link(&mut self, place: Place, reason: &str) {
        if let Some(host) = self.nodes.get_mut(&place.node) {
            host.end_link(place.index, place.generation, reason);
        }
        self.tick_node(place.node);
    }

    /// Ends the links of a node that broke while it was busy with something else.
    pub(crate) fn reap_lost_links(&mut self, id: u32) {
        let Some(host) = self.nodes.get_mut(&id) else { return };
        while let Some((index, generation, reason)) = host.lost.pop() {
            host.end_link(index, generation, &reason);
        }
        host.isolates.publish();
        self.tick_node(id);
    }
}

impl Node {
    /// A connection of a link, if it is still there.
    pub(crate) fn open_lane(&mut self, place: Place) -> Option<&mut OpenLane> {
        let peer = self.peers.get_mut(place.index)?;
        let active = peer.link.as_mut().filter(|_| peer.generation == place.generation)?;
        active.lane(place.lane)
    }

    fn add_lane(&mut self, node: u32, peer: &Established, open: OpenLane) -> Option<Place> {
        let index = *self.by_name.get(&peer.node)?;
        let known = &mut self.peers[index];
        let generation = known.generation;
        let active = known.link.as_mut().filter(|active| active.epoch == peer.epoch)?;
        active.link.lane_opened(peer.lane);
        let lane = open.number;
        match active.lane(lane) {
            Some(old) => *old = open,
            None => active.lanes.push(open),
        }
        self.mark_dirty(index);
        Some(Place { node, index, generation, lane })
    }

    fn add_link(
        &mut self,
        node: u32,
        pool: foundation_buffer::Pool,
        peer: &Established,
        (link_key, is_sealed): (AuthKey, bool),
        open: OpenLane,
        target: Option<Target>,
    ) -> Option<Place> {
        let index = self.place_of_linked(&peer.node)?;
        if self.peers[index].link.is_some() {
            let generation = self.peers[index].generation;
            let reason =
                if self.peers[index].life == peer.life { "link_replaced" } else { "restarted" };
            self.end_link(index, generation, reason);
        }
        if let Some(dial) = self.peers[index].dial.take()
            && target != Some(Target::Peer(index))
        {
            dial.task.abort(); // two dials crossed and this one survived
        }
        let now = crate::clock::now();
        let map = self.map_channels(&peer.channels);
        let mut link = Link::new(
            Arc::clone(&self.link_options),
            pool,
            Arc::clone(&self.budget),
            &self.channels[..self.declared],
            &self.identity.node,
            peer,
            map,
            now,
        );
        link.set_busy(self.busy_isolates);
        let lane = open.number;
        let active = Active {
            link,
            lanes: vec![open],
            epoch: peer.epoch,
            since: now,
            is_dialler: peer.role == Role::Dialler,
            link_key,
            is_sealed,
            is_dirty: false,
        };
        let generation = self.link_made(index, peer, active, target);
        Some(Place { node, index, generation, lane })
    }

    /// A link is there: its peer is told of, to isolates and others. Answers its generation.
    fn link_made(
        &mut self,
        index: usize,
        peer: &Established,
        active: Active,
        target: Option<Target>,
    ) -> u16 {
        let has_overlays = self.has_overlays();
        let known = &mut self.peers[index];
        let is_other_life = known.life != peer.life;
        // Whoever told us of it has told everybody: only a later link brings news of its own.
        let is_introduced = std::mem::take(&mut known.is_introduced);
        known.generation = known.generation.wrapping_add(1);
        if is_other_life || known.usage.no.is_none() {
            known.usage.route_from = known.generation;
        }
        known.life = peer.life;
        known.address = peer.listen.parse().ok();
        // What cannot be dialled is not passed on.
        known.address_text = known.address.map(|address| address.to_string()).unwrap_or_default();
        known.busy_isolates = 0;
        known.is_leaving = false;
        known.redial = None;
        known.channel_names = peer.channels.iter().map(|channel| channel.name.clone()).collect();
        known.link = Some(active);
        self.vigil.is_stale = true;
        let generation = known.generation;
        self.writability.set_all(index, true);
        if has_overlays {
            let wants = self.satisfy_seeds(index, target);
            self.member_linked(index, wants);
        } else {
            let news = events::up(self.peers[index].handle(index), &self.peers[index]);
            self.isolates.tell_all_up(&news.to_string());
            self.satisfy_seeds(index, target);
            if !is_introduced {
                self.introduce(index);
            }
        }
        self.mark_dirty(index);
        generation
    }

    /// Tells who waited for a seed; answers how often the cluster machine waits for it, and zero
    /// where it was told before that the seed did not answer. A seed that only the application asks
    /// for is none of the machine's: of many that are dialled at once the nearest answers first.
    fn satisfy_seeds(&mut self, index: usize, target: Option<Target>) -> Option<u32> {
        let Node { seeds, peers, isolates, .. } = self;
        let peer = &peers[index];
        let mut wants = None;
        for seed in seeds.iter_mut() {
            let is_dialled = target == Some(Target::Seed(seed.address));
            if is_dialled || peer.address == Some(seed.address) {
                if is_dialled {
                    seed.task = None;
                } else {
                    seed.abort();
                }
                seed.node = Some(peer.name.clone());
                seed.is_asked = false;
                if std::mem::take(&mut seed.is_owed) || seed.wants > 0 {
                    wants = Some(wants.unwrap_or(0) + std::mem::take(&mut seed.wants));
                }
                seed.crossed_until = None;
                isolates.tell_all(&events::joined(&seed.address.to_string(), &peer.name));
            }
        }
        wants
    }

    /// Tells the newcomer of all members, and all members of the newcomer.
    fn introduce(&mut self, newcomer: usize) {
        let member = self.member(newcomer);
        let mut known = Vec::new();
        for index in 0..self.peers.len() {
            if index == newcomer || self.peers[index].is_leaving {
                continue;
            }
            let other = self.member(index);
            if let (Some(active), Some(member)) = (&mut self.peers[index].link, &member) {
                active.link.tell_members(std::slice::from_ref(member));
                known.extend(other);
            }
            self.mark_dirty(index);
        }
        if let Some(active) = &mut self.peers[newcomer].link
            && !known.is_empty()
        {
            active.link.tell_members(&known);
        }
    }

    fn member(&self, index: usize) -> Option<Member> {
        let peer = &self.peers[index];
        let is_listed = peer.link.is_some() && !peer.address_text.is_empty();
        is_listed.then(|| Member {
            name: peer.name.clone(),
            address: peer.address_text.clone(),
            life: peer.life,
        })
    }

    /// A peer told of members: those that are new get dialled.
    pub(crate) fn learn_members(&mut self, members: &[Member]) {
        let now = crate::clock::now();
        let mut hearsay = self.hearsay();
        for member in members {
            if member.name == self.identity.node {
                self.hear_of_twin(member);
                continue;
            }
            if self.has_overlays() {
                continue; // the roster knows
            }
            let parsed = member.address.parse::<SocketAddr>();
            let Some(address) = parsed.ok().filter(is_dialable) else {
                self.meters.bad_addresses += 1;
                continue;
            };
            let Some(index) = self.place_of_told(&member.name, &mut hearsay) else { continue };
            let own = self.identity.node.as_str();
            let peer = &mut self.peers[index];
            let is_known = peer.life == member.life || is_newer(peer.life, member.life);
            if peer.link.is_some() || (is_known && peer.redial.is_some()) {
                continue;
            }
            peer.address = Some(address);
            peer.life = member.life;
            peer.is_introduced = true;
            // Both sides hear of each other: the lower name dials at once, the other one only if it
            // must.
            let grace = if own < peer.name.as_str() { Micros(0) } else { DIAL_GRACE };
            peer.redial = Some(Redial::new(now + grace));
            self.is_tick_due = true;
        }
    }

    /// A member refused another live node of our name: it cannot know whether we wanted that.
    fn hear_of_twin(&mut self, twin: &Member) {
        if twin.life != self.life {
            self.report_refusal(RejectCode::DuplicateNode, &twin.name);
        }
    }

    /// Tells the node that a name belongs to of another one that came with it and was refused.
    pub(crate) fn tell_of_twin(&mut self, twin: &Established) {
        let Some(&index) = self.by_name.get(&twin.node) else { return };
        let Some(active) = &mut self.peers[index].link else { return };
        active.link.tell_members(&[Member {
            name: twin.node.clone(),
            address: twin.listen.clone(),
            life: twin.life,
        }]);
        self.mark_dirty(index);
    }

    /// Our number for each of the peer's channels; a channel we never heard of is added for
    /// receiving.
    fn map_channels(&mut self, theirs: &[ChannelSpec]) -> PeerChannels {
        let mut is_grown = false;
        let mut local = Vec::new();
        for spec in theirs {
            let mut number = self.channels.iter().position(|own| own.name == spec.name);
            if number.is_none() && self.channels.len() < CHANNELS_MAX {
                self.channels.push(spec.clone());
                self.meters.add_channel(&spec.name);
                number = Some(self.channels.len() - 1);
                is_grown = true;
            }
            local.push(number.map(|number| number as u16));
        }
        if is_grown {
            let names: Vec<String> = self.channels.iter().map(|own| own.name.clone()).collect();
            self.isolates.tell_all(&events::channels(&names));
        }
        PeerChannels { local }
    }

    /// Ends a link of this generation: news, redial, counters.
    pub(crate) fn end_link(&mut self, index: usize, generation: u16, reason: &str) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        if peer.generation != generation {
            return;
        }
        let Some(mut active) = peer.link.take() else { return };
        active.close();
        self.vigil.is_stale = true;
        // A link that the peer closes on our goodbye ends because we leave.
        let reason = if matches!(self.phase, Phase::SayingGoodbye(_)) { "left" } else { reason };
        // One that both sides have no use for ends by either's closing it.
        let is_release = peer.usage.is_releasing && reason != "left";
        let reason = if is_release { "released" } else { reason };
        self.overlay_meters.released += u64::from(is_release);
        self.meters.link_ended(reason);
        let handle = peer.handle(index);
        let mut redial = Redial::new(crate::clock::now());
        if let Some(rtt) = active.link.rtt() {
            redial.set_rtt(rtt);
        }
        let has_overlays = self.options.overlays.is_some();
        let is_redialled = !peer.is_leaving && peer.address.is_some() && !has_overlays;
        peer.redial = is_redialled.then_some(redial);
        let news = events::down(handle, &peer.name, reason);
        self.meters.add_link(&active.link.counters());
        // Closed for senders until the next link, whose handle differs anyway.
        self.writability.set_all(index, false);
        for isolate in self.isolates.iter_mut() {
            isolate.dues.forget(handle);
        }
        if has_overlays {
            self.member_unlinked(index, handle, reason);
        } else {
            self.isolates.tell_all(&news);
        }
        if self.phase == Phase::Running && reason != "left" && reason != "released" {
            self.meters.links_lost += 1;
        }
    }

    pub(crate) fn want_lane(&mut self, index: usize, lane: u8) {
        let peer = &self.peers[index];
        let (Some(active), Some(address)) = (&peer.link, peer.address) else { return };
        if active.is_dialler && active.lanes.iter().all(|open| open.number != lane) {
            let target =
                Target::Lane { index, generation: peer.generation, lane, epoch: active.epoch };
            if !self.lanes_wanted.iter().any(|(wanted, _)| *wanted == target) {
                self.lanes_wanted.push((target, address));
                self.is_tick_due = true;
            }
        }
    }
}

/// The life of a node that starts now.
pub(crate) fn new_life(start: Option<u64>) -> NodeLife {
    NodeLife {
        start: start.unwrap_or_else(next_start),
        random: u64::from_le_bytes(crate::dial::random_bytes()),
    }
}

/// The wall clock in ms, but above what this process took before: a node that comes back within the
/// same millisecond, or after the clock was set back, is the newer one.
fn next_start() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = wall.map_or(0, |elapsed| elapsed.as_millis() as u64);
    let next = |last: u64| Some(millis.max(last.saturating_add(1)));
    // The closure always answers, so there is no other case.
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_default();
    millis.max(last.saturating_add(1))
}

/// The memory that reservations of all links of a node share.
pub(crate) fn new_budget(bytes: u64) -> Arc<Budget> {
    Arc::new(Budget::new(bytes))
}
