//! Messages that others pass on: to nodes that this one cannot dial, and from such nodes.

use std::sync::Arc;

use foundation_cluster::OverlayNo;
use foundation_link::{Payload, Source};
use foundation_machine::PeerId;

use super::parcel::{Body, Envelope, Parcel};
use super::pending::Held;
use super::routes::NO_CONNECTION;
use super::{ClusterHost, MachineInput};
use crate::isolate::{Pushed, Urgency, lock};
use crate::metrics::Load;
use crate::names::Owner;
use crate::node::Node;
use crate::record::{self, Head};

/// Records that wait for an isolate which does not read. Beyond, it gets nothing that it has not
/// given credit for.
const BACKLOG_RECORDS_MAX: usize = 1_024;
/// The same while payloads in slabs wait, of up to 16 MiB each.
const BACKLOG_SLABS_MAX: usize = 32;
/// Relayed requests that isolates may have to answer.
const REQUESTS_MAX: usize = 65_536;
/// An account of no link: nothing is settled for it.
const NO_ACCOUNT: u16 = u16::MAX;

/// A request that came over others, by its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RelayedRequest {
    place: usize,
    slot: u16,
    correlation: u32,
}

impl RelayedRequest {
    pub(super) fn is_of(self, place: usize) -> bool {
        self.place == place
    }
}

impl Node {
    /// Gives a message to the router, or tells its sender that it did not go.
    pub(super) fn relay_or_refuse(&mut self, index: usize, held: Held) {
        let Some(settings) = &self.options.overlays else { return };
        let may_relay = settings.may_relay();
        let known = &self.peers[index];
        let peer = known.usage.no.map(|node| PeerId { node, life: known.life });
        let parcel = self.parcel(&held);
        match (peer, parcel) {
            (Some(to), Some(payload)) if may_relay => {
                self.overlay_meters.relayed += 1;
                self.peers[index].usage.is_relayed_to = true;
                let overlay = self.overlay_of(payload.channel);
                self.inputs.push_back(MachineInput::Route { to, overlay, payload });
            }
            _ => {
                self.overlay_meters.failed += 1;
                self.meters.dropped("noconnection");
                if held.tag & record::REQUEST != 0 {
                    let correlation = record::u32_at(&held.body, record::CORRELATION);
                    self.push_undelivered(held.owner.slot, correlation, NO_CONNECTION);
                }
            }
        }
    }

    fn overlay_of(&self, channel: u16) -> OverlayNo {
        let Some(settings) = &self.options.overlays else { return OverlayNo(0) };
        let name = self.channels.get(usize::from(channel)).map(|spec| spec.name.as_str());
        OverlayNo(settings.overlay_of(name.unwrap_or_default()))
    }

    pub(super) fn push_undelivered(&mut self, slot: u16, correlation: u32, reason: u32) {
        let mut body = [0; 8];
        body[..4].copy_from_slice(&correlation.to_le_bytes());
        body[4..].copy_from_slice(&reason.to_le_bytes());
        self.isolates.push_to_slot(slot, record::UNDELIVERED, &body);
    }

    /// A record as it travels over others. A bundle keeps its count in `correlation`.
    fn parcel(&self, held: &Held) -> Option<Parcel> {
        let Held { owner, tag, body, slab } = held;
        let serial = record::u32_at(body, record::DESTINATION);
        let is_to_process = tag & record::PROCESS != 0;
        let name = match is_to_process {
            true => String::new(),
            false => lock(&self.names).name(serial)?.to_owned(),
        };
        let to = Source {
            slot: record::u16_at(body, record::SLOT),
            generation: record::u16_at(body, record::GENERATION),
            serial: if is_to_process { serial } else { 0 },
        };
        let end = record::key_start(body);
        Some(Parcel {
            envelope: Arc::new(Envelope {
                name,
                encoding: ((tag >> record::ENCODING_SHIFT) & 7) as u8,
                is_request: tag & record::REQUEST != 0,
                is_reply: tag & record::REPLY != 0,
                undelivered: 0,
                correlation: record::u32_at(body, record::CORRELATION),
                reply_bytes_max: record::u32_at(body, record::REPLY_BYTES_MAX),
                source: Source { slot: owner.slot, generation: owner.generation, serial: 0 },
                to,
            }),
            channel: record::u16_at(body, record::CHANNEL),
            body: match slab {
                Some(slab) => Body::Slab(slab.clone()),
                None => Body::of(Payload::Inline(body.get(record::HEAD_BYTES..end)?)),
            },
        })
    }

    /// Whether a reply answers a request that came over others; it goes back the same way then.
    pub(crate) fn take_relayed_request(&mut self, index: usize, body: &[u8]) -> bool {
        if self.relayed_requests.is_empty() {
            return false;
        }
        self.relayed_requests.remove(&RelayedRequest {
            place: index,
            slot: record::u16_at(body, record::SLOT),
            correlation: record::u32_at(body, record::CORRELATION),
        })
    }

    /// The router could not bring a message to its node.
    pub(super) fn relay_failed(&mut self, parcel: &Parcel) {
        self.meters.dropped("noconnection");
        let envelope = &parcel.envelope;
        if envelope.is_request {
            self.push_undelivered(envelope.source.slot, envelope.correlation, NO_CONNECTION);
        }
    }

    /// A message of a node that came over others.
    pub(super) fn deliver_relayed(
        &mut self,
        cluster: &mut ClusterHost,
        origin: PeerId,
        parcel: Parcel,
    ) {
        let envelope = Arc::clone(&parcel.envelope);
        if envelope.undelivered != 0 {
            let reason = u32::from(envelope.undelivered);
            return self.push_undelivered(envelope.to.slot, envelope.correlation, reason);
        }
        let (owner, number) = if envelope.name.is_empty() {
            let Source { slot, generation, serial } = envelope.to;
            (Some(Owner { slot, generation }), serial)
        } else {
            let id = lock(&self.names).intern_for_peer(&envelope.name).unwrap_or(u32::MAX);
            (self.owners.get(id as usize).copied().flatten(), id)
        };
        let Some(index) = self.open_place(cluster, origin.node) else {
            self.overlay_meters.undelivered += 1;
            return;
        };
        let handle = self.peers[index].handle(index);
        let head = Head::new()
            .u32(record::PEER, handle)
            .u16(record::CHANNEL, parcel.channel)
            .u16(record::ACCOUNT, NO_ACCOUNT)
            .u32(record::DESTINATION, number)
            .u16(record::SLOT, envelope.source.slot)
            .u16(record::GENERATION, envelope.source.generation)
            .u32(record::CORRELATION, envelope.correlation)
            .u32(record::REPLY_BYTES_MAX, envelope.reply_bytes_max)
            .u32(record::SERIAL, envelope.source.serial);
        let mut tag = 0;
        for (is_set, bit) in [
            (envelope.is_request, record::REQUEST),
            (envelope.is_reply, record::REPLY),
            (envelope.name.is_empty(), record::PROCESS),
        ] {
            tag |= if is_set { bit } else { 0 };
        }
        let is_taken = owner.is_some_and(|owner| self.push_uncharged(owner, tag, head, &parcel));
        if !envelope.is_request {
            return;
        }
        if is_taken {
            let (slot, correlation) = (envelope.source.slot, envelope.correlation);
            if self.relayed_requests.len() >= REQUESTS_MAX {
                self.relayed_requests.pop_first(); // nobody waits that long for an answer
            }
            self.relayed_requests.insert(RelayedRequest { place: index, slot, correlation });
        } else {
            self.send_back(origin, &envelope, parcel.channel, if owner.is_none() { 1 } else { 2 });
        }
    }

    /// Tells the caller of a relayed request that nobody got it.
    fn send_back(&mut self, to: PeerId, request: &Envelope, channel: u16, reason: u8) {
        let envelope = Envelope {
            undelivered: reason,
            correlation: request.correlation,
            to: request.source,
            ..Envelope::default()
        };
        let body = Body::of(Payload::Inline(&[]));
        let payload = Parcel { envelope: Arc::new(envelope), channel, body };
        let overlay = self.overlay_of(channel);
        self.inputs.push_back(MachineInput::Route { to, overlay, payload });
    }

    /// Hands an isolate what it has not given credit for, unless it does not read.
    pub(super) fn push_uncharged(
        &mut self,
        owner: Owner,
        tag: u32,
        head: Head,
        parcel: &Parcel,
    ) -> bool {
        let is_urgent =
            self.channels.get(usize::from(parcel.channel)).is_some_and(|spec| spec.priority == 0);
        let urgency = if is_urgent { Urgency::Urgent } else { Urgency::Normal };
        let encoding = u32::from(parcel.envelope.encoding);
        let tag = tag | record::MESSAGE | encoding << record::ENCODING_SHIFT;
        let waiting_max = match parcel.body {
            Body::Bytes(_) => BACKLOG_RECORDS_MAX,
            Body::Slab(_) => BACKLOG_SLABS_MAX,
        };
        let pool = self.pool.clone();
        let isolate = self.isolates.target(owner);
        let isolate = isolate.filter(|isolate| isolate.backlog_records() < waiting_max);
        let pushed = isolate
            .map(|isolate| isolate.push_message(&pool, urgency, tag, head, parcel.body.payload()));
        if pushed != Some(Pushed::Taken) {
            self.overlay_meters.undelivered += 1;
            return false;
        }
        let load = Load::of(encoding, parcel.body.len(), parcel.envelope.correlation);
        if let Some(meter) = self.meters.channels.get_mut(usize::from(parcel.channel)) {
            meter.received(load);
        }
        true
    }
}
