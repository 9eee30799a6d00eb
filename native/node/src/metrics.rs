//! Counts of a node. Everything printed here was counted; nothing is estimated.

use std::collections::BTreeMap;

use foundation_buffer::Pool;
use foundation_link::{ChannelSpec, LinkCounters};
use serde_json::{Value, json};

use crate::isolate_io::IsolateIo;
use crate::node::Node;
use crate::record::{BUNDLE_ENCODING_MIN, BUNDLE_LENGTH_BYTES};

/// Messages and payload bytes of one channel, over all peers.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChannelMeter {
    name: String,
    messages_sent: u64,
    bytes_sent: u64,
    messages_received: u64,
    bytes_received: u64,
}

impl ChannelMeter {
    #[inline]
    pub(crate) fn sent(&mut self, load: Load) {
        self.messages_sent += load.messages;
        self.bytes_sent += load.bytes;
    }

    #[inline]
    pub(crate) fn received(&mut self, load: Load) {
        self.messages_received += load.messages;
        self.bytes_received += load.bytes;
    }
}

/// What one record carries: a single message, or several in a bundle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    messages: u64,
    bytes: u64,
}

impl Load {
    /// Reads it off a record's encoding, payload length and correlation.
    #[inline]
    pub(crate) fn of(encoding_bits: u32, payload_bytes: usize, correlation: u32) -> Load {
        let bytes = payload_bytes as u64;
        if encoding_bits < BUNDLE_ENCODING_MIN {
            return Load { messages: 1, bytes };
        }
        // The count is the sender's word; its lengths have to fit, whatever it says.
        let length_bytes = BUNDLE_LENGTH_BYTES as u64;
        let messages = u64::from(correlation).min(bytes / length_bytes);
        Load { messages, bytes: bytes - messages * length_bytes }
    }
}

/// Counts that outlive single links.
#[derive(Debug, Default)]
pub(crate) struct NodeMeters {
    pub(crate) channels: Vec<ChannelMeter>,
    closed_links: LinkCounters,
    dropped: BTreeMap<&'static str, u64>,
    handshakes_failed: BTreeMap<&'static str, u64>,
    dials_failed: BTreeMap<&'static str, u64>,
    links_ended: BTreeMap<String, u64>,
    pub(crate) links_lost: u64,
    seal_failures: u64,
    pub(crate) corrupt_rings: u64,
    pub(crate) unknown_records: u64,
    pub(crate) stale_slabs: u64,
    pub(crate) peers_refused: u64,
    pub(crate) bad_addresses: u64,
    pub(crate) machine_messages_ignored: u64,
}

impl NodeMeters {
    pub(crate) fn new(channels: &[ChannelSpec]) -> NodeMeters {
        let mut meters = NodeMeters::default();
        for channel in channels {
            meters.add_channel(&channel.name);
        }
        meters
    }

    pub(crate) fn add_channel(&mut self, name: &str) {
        self.channels.push(ChannelMeter { name: name.to_owned(), ..ChannelMeter::default() });
    }

    /// A message that was taken from an isolate and could not be given to a link.
    pub(crate) fn dropped(&mut self, code: &'static str) {
        *self.dropped.entry(code).or_insert(0) += 1;
    }

    /// Sealed bytes did not open: somebody on the way changed, repeated or cut them.
    pub(crate) fn seal_failed(&mut self) {
        self.seal_failures += 1;
    }

    pub(crate) fn handshake_failed(&mut self, code: &'static str) {
        *self.handshakes_failed.entry(code).or_insert(0) += 1;
    }

    pub(crate) fn dial_failed(&mut self, code: &'static str) {
        *self.dials_failed.entry(code).or_insert(0) += 1;
    }

    /// `reason` is one of the closed set of docs/errors.md.
    pub(crate) fn link_ended(&mut self, reason: &str) {
        *self.links_ended.entry(reason.to_owned()).or_insert(0) += 1;
    }

    pub(crate) fn add_link(&mut self, counters: &LinkCounters) {
        self.closed_links.add(counters);
    }
}

impl Node {
    /// Counters and gauges as JSON.
    pub(crate) fn metrics(&self, pool: &Pool) -> String {
        let mut links = self.meters.closed_links;
        let mut peers = Vec::new();
        for peer in &self.peers {
            if let Some(active) = &peer.link {
                links.add(&active.link.counters());
                let queued: u64 =
                    (0..self.declared as u16).map(|c| active.link.queued_bytes(c)).sum();
                peers.push(json!({
                    "node": peer.name,
                    "roundTripUs": active.link.rtt().map(|rtt| rtt.0),
                    "queuedBytes": queued,
                    "lanes": active.lanes.len(),
                    "isSealed": active.is_sealed,
                    "busyIsolates": peer.busy_isolates,
                }));
            }
        }
        let channels: serde_json::Map<String, Value> = self
            .meters
            .channels
            .iter()
            .map(|meter| (meter.name.clone(), channel_json(meter)))
            .collect();
        let backlog: usize = self.isolates.iter().map(|i| i.backlog_records()).sum();
        let overlays = self.cluster.as_deref().map(|cluster| self.cluster_counters(cluster));
        let takeovers = self.isolate_io.as_ref().map_or(0, IsolateIo::takeovers);
        json!({
            "node": self.identity.node,
            "handle": self.id,
            "laneTakeovers": takeovers,
            "channels": channels,
            "links": links_json(&links),
            "peers": peers,
            "dropped": self.meters.dropped,
            "handshakesFailed": self.meters.handshakes_failed,
            "dialsFailed": self.meters.dials_failed,
            "linksEnded": self.meters.links_ended,
            "linksLost": self.meters.links_lost,
            "sealFailures": self.meters.seal_failures,
            "corruptRings": self.meters.corrupt_rings,
            "unknownRecords": self.meters.unknown_records,
            "staleSlabs": self.meters.stale_slabs,
            "peersRefused": self.meters.peers_refused,
            "badAddresses": self.meters.bad_addresses,
            "machineMessagesIgnored": self.meters.machine_messages_ignored,
            "isolates": self.isolates.iter().count(),
            "isolateRings": self.pairs.len(),
            "backlogRecords": backlog,
            "strangers": self.strangers.len(),
            "cuts": self.cuts.len(),
            "peersKnown": self.peers.len(),
            "reserveFreeBytes": self.budget.free_bytes(),
            "slabs": slabs_json(pool),
            "overlays": overlays,
        })
        .to_string()
    }
}

fn channel_json(meter: &ChannelMeter) -> Value {
    json!({
        "messagesSent": meter.messages_sent,
        "bytesSent": meter.bytes_sent,
        "messagesReceived": meter.messages_received,
        "bytesReceived": meter.bytes_received,
    })
}

fn slabs_json(pool: &Pool) -> Value {
    let stats = pool.stats();
    json!({
        "live": stats.slabs_live,
        "liveBytes": stats.bytes_live,
        "allocatedTotal": stats.allocated_total,
        "doubleReleases": stats.double_releases,
        "staleUses": stats.stale_uses,
        "refused": stats.refused,
    })
}

fn links_json(links: &LinkCounters) -> Value {
    json!({
        "messagesSent": links.messages_sent,
        "messagesReceived": links.messages_received,
        "bytesReceived": links.bytes_received,
        "bytesTransmitted": links.bytes_transmitted,
        "superseded": links.superseded,
        "overflowed": links.overflowed,
        "framesSkipped": links.frames_skipped,
        "payloadCrcFailures": links.payload_crc_failures,
        "staleEpoch": links.stale_epoch,
        "unknownChannel": links.unknown_channel,
        "unsolicitedReplies": links.unsolicited_replies,
        "noProcess": links.no_process,
        "exhausted": links.exhausted,
        "reassemblyTimeouts": links.reassembly_timeouts,
        "orphanChunks": links.orphan_chunks,
        "namesRefused": links.names_refused,
        "controlRefused": links.control_refused,
    })
}
