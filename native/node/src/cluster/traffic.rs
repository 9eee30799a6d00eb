//! What a node's machines have sent, by kind of message: of what its idle traffic consists.

use std::collections::BTreeMap;

use foundation_broadcast::PlumtreeMessage;
use foundation_cluster::{Carried, ClusterMessage};
use foundation_detector::DetectorMessage;
use foundation_membership::{HyParViewMessage, OverlayMessage, RosterMessage};
use serde_json::{Value, json};

/// Messages of one kind.
#[derive(Debug, Default, Clone, Copy)]
struct Sent {
    messages: u64,
    bytes: u64,
}

/// Messages of machines that went to links; one entry a kind that was ever sent.
#[derive(Debug, Default)]
pub(crate) struct Traffic(BTreeMap<&'static str, Sent>);

impl Traffic {
    /// One more message of so many bytes, its frame and payload included.
    pub(crate) fn add(&mut self, kind: &'static str, bytes: usize) {
        let sent = self.0.entry(kind).or_default();
        sent.messages += 1;
        sent.bytes += bytes as u64;
    }

    pub(crate) fn json(&self) -> Value {
        let kinds = self.0.iter().map(|(&kind, sent)| {
            (kind.to_owned(), json!({ "messages": sent.messages, "bytes": sent.bytes }))
        });
        Value::Object(kinds.collect())
    }
}

/// What a message is counted as.
pub(crate) fn kind_of<B>(message: &ClusterMessage<B>) -> &'static str {
    match message {
        ClusterMessage::Roster(message) => match message {
            RosterMessage::News { .. } => "rosterNews",
            RosterMessage::Digest { .. } => "rosterDigest",
            RosterMessage::Same => "rosterSame",
            RosterMessage::Buckets { .. } => "rosterBuckets",
            RosterMessage::Sync { .. } => "rosterSync",
            RosterMessage::Missing { .. } => "rosterMissing",
            RosterMessage::Found { .. } => "rosterFound",
        },
        ClusterMessage::Detector(message) => match message {
            DetectorMessage::Ping { .. } => "probe",
            DetectorMessage::Ack { .. } => "probeAnswer",
            DetectorMessage::PingRequest { .. } => "probeAsked",
            DetectorMessage::IndirectAck { .. } | DetectorMessage::Nack { .. } => "probeReport",
        },
        ClusterMessage::Overlay { message: OverlayMessage::HyParView(message), .. } => {
            match message {
                HyParViewMessage::Shuffle { .. } => "shuffle",
                HyParViewMessage::ShuffleReply { .. } => "shuffleAnswer",
                HyParViewMessage::Pulse { .. } => "pulse",
                _ => "neighbourRequest",
            }
        }
        ClusterMessage::Overlay { .. } => "overlay",
        ClusterMessage::Broadcast { message, .. } => match message {
            PlumtreeMessage::Gossip { .. } => "broadcast",
            PlumtreeMessage::IHave(_) => "broadcastWord",
            PlumtreeMessage::Summary { .. } | PlumtreeMessage::Offer(_) => "broadcastSummary",
            PlumtreeMessage::Graft(_) | PlumtreeMessage::Prune | PlumtreeMessage::Stale(_) => {
                "broadcastTree"
            }
        },
        ClusterMessage::Switch { .. } => "switch",
        ClusterMessage::Routed(routed) => match routed.payload {
            Carried::Detector(_) => "probeRelayed",
            Carried::Payload(_) => "routed",
        },
        ClusterMessage::RouteReturned(routed) => match routed.payload {
            Carried::Detector(_) => "probeReturned",
            Carried::Payload(_) => "routeReturned",
        },
        ClusterMessage::LinkUse(_) => "linkUse",
    }
}
