//! Broadcasts: from an isolate into the tree, and out of it to whoever handles their topic.

use std::sync::Arc;

use foundation_cluster::OverlayNo;
use foundation_link::Payload;
use foundation_machine::PeerId;

use super::MachineInput;
use super::parcel::{Body, Envelope, Parcel};
use crate::isolate::lock;
use crate::metrics::Load;
use crate::names::Owner;
use crate::node::Node;
use crate::record::{self, Head};

/// Isolates of a node that may subscribe to one topic, and topics that are subscribed to.
const SUBSCRIBERS_MAX: usize = 1_024;

impl Node {
    /// An isolate broadcasts. The handle says over which overlay.
    pub(crate) fn broadcast(&mut self, handle: u32, tag: u32, body: &[u8], payload: Payload<'_>) {
        let overlay = (handle >> 16) as u8;
        let encoding = (tag >> record::ENCODING_SHIFT) & 7;
        let channel = record::u16_at(body, record::CHANNEL);
        let id = record::u32_at(body, record::DESTINATION);
        let name = lock(&self.names).name(id).map(str::to_owned);
        let overlays = self.options.overlays.as_ref().map_or(0, |cluster| cluster.overlays.len());
        let Some(name) = name.filter(|_| usize::from(overlay) < overlays) else {
            return self.meters.dropped("unknown_name");
        };
        if let Some(meter) = self.meters.channels.get_mut(usize::from(channel)) {
            meter.sent(Load::of(encoding, payload.len(), 0));
        }
        let envelope = Envelope { name, encoding: encoding as u8, ..Envelope::default() };
        let payload = Parcel { envelope: Arc::new(envelope), channel, body: Body::of(payload) };
        let overlay = OverlayNo(overlay);
        self.inputs.push_back(MachineInput::Broadcast { overlay, payload });
    }

    /// A broadcast of another node: to whoever has the name, and to all who subscribed.
    pub(super) fn deliver_broadcast(&mut self, overlay: OverlayNo, origin: PeerId, parcel: Parcel) {
        let Some(id) = lock(&self.names).known(&parcel.envelope.name) else { return };
        let head = Head::new()
            .u32(record::PEER, record::BROADCAST_PEER | u32::from(overlay.0) << 16)
            .u16(record::CHANNEL, parcel.channel)
            .u32(record::DESTINATION, id)
            .u32(record::SERIAL, origin.node.0);
        let owner = self.owners.get(id as usize).copied().flatten();
        let mut receivers: Vec<Owner> = owner.into_iter().collect();
        receivers.extend(self.topics.get(&id).into_iter().flatten());
        for receiver in receivers {
            self.push_uncharged(receiver, 0, head, &parcel);
        }
    }

    /// An isolate takes the broadcasts of a topic from now on, beside others; or no more.
    pub(crate) fn subscribe(&mut self, id: u32, owner: Owner, is_wanted: bool) {
        let owners = self.topics.entry(id).or_default();
        owners.retain(|known| *known != owner);
        if is_wanted && owners.len() < SUBSCRIBERS_MAX {
            owners.push(owner);
        }
        if owners.is_empty() {
            self.topics.remove(&id);
        }
    }

    /// An isolate is gone: it takes nothing any more.
    pub(crate) fn unsubscribe_all(&mut self, owner: Owner) {
        self.topics.retain(|_, owners| {
            owners.retain(|known| *known != owner);
            !owners.is_empty()
        });
    }
}
