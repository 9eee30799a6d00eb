//! Handles of members: what isolates write into records to say whom a message is for. A member gets
//! one when there is a link to it, or when somebody sends to it.

use foundation_buffer::Slab;
use foundation_link::{Micros, Payload};
use foundation_machine::{NodeNo, PeerId};

use super::ClusterHost;
use super::pending::{Held, Room};
use crate::command::NodeError;
use crate::events;
use crate::names::Owner;
use crate::node::Node;
use crate::record;

/// A node that could not be dialled is dialled again for a message after so long.
const REDIAL_AFTER: Micros = Micros::from_millis(5_000);
/// Why a request comes back whose node was not reached (record::UNDELIVERED_REASON).
pub(crate) const NO_CONNECTION: u32 = 3;

/// A record on its way to a peer that there may be no link to.
pub(crate) struct Outgoing<'a> {
    pub(crate) owner: Owner,
    pub(crate) tag: u32,
    pub(crate) body: &'a [u8],
    pub(crate) payload: Payload<'a>,
    pub(crate) key: &'a [u8],
}

impl<'a> Outgoing<'a> {
    /// The parts of a record, which has a head. A slab stands for the payload where there is one.
    pub(crate) fn read(owner: Owner, tag: u32, body: &'a [u8], slab: Option<Slab>) -> Outgoing<'a> {
        let end = record::key_start(body);
        let inline = || Payload::Inline(&body[record::HEAD_BYTES..end]);
        let payload = slab.map_or_else(inline, Payload::Slab);
        Outgoing { owner, tag, body, payload, key: &body[end..] }
    }
}

impl Node {
    /// The handle of a member for those who want to send to it.
    pub(crate) fn open_route(&mut self, name: &str) -> Result<u32, NodeError> {
        let no_connection = |text: &str| NodeError::new("noconnection", text);
        let Some(cluster) = self.cluster.take() else {
            return Err(no_connection("the node has no overlays"));
        };
        let found = self.route_to_member(&cluster, name);
        self.cluster = Some(cluster);
        found.map_err(|text| no_connection(&text))
    }

    fn route_to_member(&mut self, cluster: &ClusterHost, name: &str) -> Result<u32, String> {
        let node = cluster.directory.find(name);
        let told = node.and_then(|node| cluster.members.get(&node).map(|told| (node, *told)));
        let Some((node, told)) = told else { return Err(format!("'{name}' is not a member")) };
        if let Some(&index) = self.by_name.get(name)
            && self.peers[index].usage.is_routed
        {
            return Ok(self.peers[index].handle(index));
        }
        let is_linked = self.linked_index(cluster, PeerId { node, life: told.life }).is_some();
        if !is_linked && !cluster.settings.may_dial() {
            return Err(format!("there is no link to '{name}', and relay: 'never' makes none"));
        }
        let index = self.open_place(cluster, node).ok_or("too many peers are linked to")?;
        Ok(self.peers[index].handle(index))
    }

    /// Gives a member a handle, and tells isolates.
    pub(super) fn open_place(&mut self, cluster: &ClusterHost, node: NodeNo) -> Option<usize> {
        let index = self.place_of_member(cluster, node)?;
        let known = &mut self.peers[index];
        if !known.usage.is_routed {
            if known.link.is_none() {
                known.generation = known.generation.wrapping_add(1);
                known.usage.route_from = known.generation;
            }
            known.usage.is_routed = true;
            self.writability.set_all(index, true);
            self.tell_link(index, self.peers[index].link.is_some());
        }
        Some(index)
    }

    /// Isolates learn the present handle of a peer, before anything that came over its link.
    pub(super) fn tell_link(&mut self, index: usize, is_linked: bool) {
        let known = &self.peers[index];
        self.news_no += 1;
        let news = events::linked(self.news_no, known.handle(index), known, is_linked);
        self.isolates.tell_all_up(&news.to_string());
    }

    /// Marks a linked peer as one that isolates have a handle of.
    pub(super) fn route(&mut self, index: usize) {
        self.peers[index].usage.is_routed = true;
    }

    /// Takes a peer's handle away.
    pub(crate) fn unroute(&mut self, index: usize) {
        let known = &mut self.peers[index];
        self.relayed_requests.retain(|request| !request.is_of(index));
        if std::mem::take(&mut known.usage.is_routed) {
            self.news_no += 1;
            let handle = known.handle(index);
            let news = events::unlinked(self.news_no, handle, &known.name, "unrouted");
            self.isolates.tell_all(&news);
        }
    }

    /// The place that a handle stands for, whichever link it was of: the same life of a peer.
    pub(crate) fn routed_index(&self, handle: u32) -> Option<usize> {
        let index = (handle & 0xffff) as usize;
        let known = self.peers.get(index)?;
        let from = known.usage.route_from;
        let age = ((handle >> 16) as u16).wrapping_sub(from);
        let is_same = known.usage.no.is_some() && age <= known.generation.wrapping_sub(from);
        is_same.then_some(index)
    }

    /// Whether a message to this place goes over its link at once.
    #[inline]
    pub(crate) fn is_open(&self, index: usize) -> bool {
        let known = &self.peers[index];
        known.link.is_some() && !known.usage.is_releasing
    }

    /// Whether a message over the link in this place overtakes none that was relayed.
    #[inline]
    pub(crate) fn is_direct(&mut self, index: usize) -> bool {
        !self.peers[index].usage.is_relayed_to || self.has_settled(index)
    }

    fn has_settled(&mut self, index: usize) -> bool {
        let usage = &self.peers[index].usage;
        // The machine is at work, or has not been told of all that was relayed.
        let Some(cluster) = self.cluster.as_ref().filter(|_| self.inputs.is_empty()) else {
            return false;
        };
        let life = self.peers[index].life;
        let peer = usage.no.map(|node| PeerId { node, life });
        let now = cluster.pace.time(crate::clock::now());
        let is_direct = peer.is_none_or(|peer| cluster.machine.is_direct(peer, now));
        self.peers[index].usage.is_relayed_to = !is_direct;
        is_direct
    }

    /// Keeps a message until there is a link, which is dialled; one to a node that could not be
    /// dialled lately is given to the router.
    pub(crate) fn hold(&mut self, index: usize, outgoing: Outgoing<'_>) {
        let Some(cluster) = &self.cluster else { return };
        let now = crate::clock::now();
        let known = &self.peers[index];
        let is_member = known.usage.no.is_some_and(|no| cluster.members.contains_key(&no));
        let is_failing = known
            .usage
            .failed_at
            .is_some_and(|at| now.since(at) < REDIAL_AFTER && known.link.is_none());
        let may_dial = cluster.settings.may_dial();
        let held = keep(outgoing);
        if !is_member || is_failing || !may_dial {
            return self.relay_or_refuse(index, held);
        }
        let high_water = self.options.high_water_bytes as usize;
        let known = &mut self.peers[index];
        match known.usage.pending.push(held, high_water) {
            Room::Plenty => {}
            Room::Filled => self.writability.set_all(index, false),
            Room::None => return self.meters.dropped("queue_overflow"),
        }
        if self.peers[index].link.is_none() {
            self.plan_dial_for_message(index);
        }
    }

    /// Gives a message to the router at once: what it answers came the same way, or it has to stay
    /// behind what was relayed.
    pub(crate) fn relay(&mut self, index: usize, outgoing: Outgoing<'_>) {
        self.relay_or_refuse(index, keep(outgoing));
    }

    fn plan_dial_for_message(&mut self, index: usize) {
        let known = &self.peers[index];
        let is_under_way = known.dial.is_some() || known.redial.is_some();
        self.overlay_meters.dialled += u64::from(!is_under_way);
        self.plan_dial(index);
    }

    /// What waited goes out over the link that is there now.
    pub(super) fn flush_pending(&mut self, index: usize) {
        let names = std::sync::Arc::clone(&self.names);
        let handle = self.peers[index].handle(index);
        let (held, was_filled) = self.peers[index].usage.pending.take();
        for one in held {
            let Held { owner, tag, body, slab } = one;
            self.send(handle, Outgoing::read(owner, tag, &body, slab), &names);
        }
        self.reopen(index, was_filled);
    }

    /// What waited for a link that is not to be had: others may relay it, or it comes back.
    pub(super) fn give_up_pending(&mut self, index: usize) {
        let (held, was_filled) = self.peers[index].usage.pending.take();
        for one in held {
            self.relay_or_refuse(index, one);
        }
        self.reopen(index, was_filled);
    }

    /// Senders that were told to stop may go on.
    fn reopen(&mut self, index: usize, was_filled: bool) {
        if !was_filled {
            return;
        }
        self.writability.set_all(index, true);
        let head = record::Head::new().u32(record::PEER, self.peers[index].handle(index));
        self.isolates.push_to_all(record::WRITABLE, &head.0[..8]);
    }
}

fn keep(outgoing: Outgoing<'_>) -> Held {
    let Outgoing { owner, tag, body, payload, key } = outgoing;
    let mut kept = body[..record::HEAD_BYTES.min(body.len())].to_vec();
    let slab = match payload {
        Payload::Inline(bytes) => {
            kept.extend_from_slice(bytes);
            None
        }
        Payload::Slab(slab) => Some(slab),
    };
    kept.extend_from_slice(key);
    Held { owner, tag, body: kept, slab }
}
