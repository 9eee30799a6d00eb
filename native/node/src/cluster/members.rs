//! What isolates hear of members: of one life, `up` before anything else of it, `down` behind all.

use foundation_cluster::{ClusterEvent, DownReason};
use foundation_machine::PeerId;
use serde_json::json;

use super::parcel::Parcel;
use super::ups::{Ups, member_text};
use super::{ClusterHost, Told};
use crate::events::{self, life_text};
use crate::node::Node;

impl Node {
    pub(super) fn on_cluster_event(
        &mut self,
        cluster: &mut ClusterHost,
        event: ClusterEvent<Parcel>,
    ) {
        match event {
            ClusterEvent::NodeUp(peer) => self.tell_up(cluster, peer),
            ClusterEvent::NodeDown { peer, reason } => {
                self.tell_down(cluster, peer, down_text(reason));
            }
            ClusterEvent::Busy { peer, isolates } => self.tell_busy(cluster, peer, isolates),
            ClusterEvent::Idle(peer) => self.tell_busy(cluster, peer, 0),
            ClusterEvent::Suspect(peer) => mark(cluster, peer, |told| told.is_suspect = true),
            ClusterEvent::Trusted(peer) => mark(cluster, peer, |told| told.is_suspect = false),
            ClusterEvent::Leaving(peer) => {
                mark(cluster, peer, |told| told.is_leaving = true);
                let news = events::leaving(cluster.directory.name(peer.node));
                self.isolates.tell_all(&news);
            }
            ClusterEvent::Broadcast { overlay, origin, payload, hops, .. } => {
                cluster.last_hops.insert(overlay, hops);
                self.deliver_broadcast(overlay, origin, payload);
            }
            ClusterEvent::Routed { origin, payload, .. } => {
                self.deliver_relayed(cluster, origin, payload);
            }
            ClusterEvent::RouteFailed { payload: Some(parcel), .. } => {
                self.relay_failed(&parcel);
            }
            ClusterEvent::RouteFailed { payload: None, .. } => self.overlay_meters.failed += 1,
            ClusterEvent::NeighbourUp { overlay, peer } => {
                self.tell_neighbour(cluster, "neighbourUp", overlay.0, peer);
            }
            ClusterEvent::NeighbourDown { overlay, peer } => {
                self.tell_neighbour(cluster, "neighbourDown", overlay.0, peer);
            }
            ClusterEvent::Removed(reason) => {
                let news = json!({ "type": "removed", "reason": down_text(reason) });
                self.isolates.tell_all(&news);
            }
            ClusterEvent::HasLeft => self.has_said_goodbye = true,
            ClusterEvent::Switched { .. } | ClusterEvent::SwitchFailed { .. } => {
                self.tell_switch(cluster, &event);
            }
        }
    }

    fn tell_neighbour(&mut self, cluster: &ClusterHost, kind: &str, overlay: u8, peer: PeerId) {
        let Some(overlay) = cluster.settings.overlays.get(usize::from(overlay)) else { return };
        let node = cluster.directory.name(peer.node);
        self.isolates.tell_all(&json!({ "type": kind, "overlay": overlay.name, "node": node }));
    }

    /// A linked peer is up, whatever the machine has said of it so far.
    pub(super) fn tell_up_if_new(&mut self, peer: PeerId) {
        let Some(mut cluster) = self.cluster.take() else { return };
        self.tell_up(&mut cluster, peer);
        self.tell_ups(&mut cluster);
        self.cluster = Some(cluster);
    }

    /// Isolates hear of it with those that come right behind it, by [`Node::tell_ups`].
    pub(super) fn tell_up(&mut self, cluster: &mut ClusterHost, peer: PeerId) {
        match cluster.members.get(&peer.node) {
            Some(told) if told.life >= peer.life => return,
            Some(told) => {
                let earlier = PeerId { life: told.life, ..peer };
                self.tell_ups(cluster);
                self.tell_down(cluster, earlier, "restarted");
            }
            None => {}
        }
        let told = Told { life: peer.life, busy_isolates: 0, is_leaving: false, is_suspect: false };
        cluster.members.insert(peer.node, told);
        let member = member_text(cluster, peer, told);
        cluster.ups.add(&member);
    }

    /// Tells isolates of the members that have come up since.
    pub(super) fn tell_ups(&mut self, cluster: &mut ClusterHost) {
        if cluster.ups.is_empty() {
            return;
        }
        for text in cluster.ups.take() {
            self.isolates.tell_all_up(&text);
        }
    }

    fn tell_down(&mut self, cluster: &mut ClusterHost, peer: PeerId, reason: &str) {
        let is_told = cluster.members.get(&peer.node).is_some_and(|told| told.life == peer.life);
        if !is_told {
            return;
        }
        cluster.members.remove(&peer.node);
        if let Some(index) = self.linked_index(cluster, peer) {
            let generation = self.peers[index].generation;
            self.end_link(index, generation, reason);
        }
        let name = cluster.directory.name(peer.node).to_owned();
        if let Some(&index) = self.by_name.get(&name)
            && self.peers[index].life == peer.life
        {
            self.unroute(index);
            self.give_up_pending(index);
        }
        let life = life_text(peer.life);
        let news = json!({
            "type": "memberDown", "no": peer.node.0, "node": name, "life": life, "reason": reason,
        });
        // On both rings, as it came up: whichever is read last, nothing comes behind it.
        self.isolates.tell_all(&news);
    }

    fn tell_busy(&mut self, cluster: &mut ClusterHost, peer: PeerId, isolates: u16) {
        mark(cluster, peer, |told| told.busy_isolates = isolates);
        let news = events::busy(cluster.directory.name(peer.node), isolates);
        self.isolates.tell_all(&news);
    }

    /// What a new isolate has to hear of members and links.
    pub(crate) fn member_news(&self) -> Vec<String> {
        let Some(cluster) = &self.cluster else { return Vec::new() };
        let mut ups = Ups::default();
        for (&node, &told) in &cluster.members {
            let peer = PeerId { node, life: told.life };
            ups.add(&member_text(cluster, peer, told));
        }
        let mut news = ups.take();
        for (index, peer) in self.peers.iter().enumerate() {
            if peer.usage.is_routed {
                let (handle, is_linked) = (peer.handle(index), peer.link.is_some());
                news.push(events::linked(self.news_no, handle, peer, is_linked).to_string());
            }
        }
        news
    }
}

fn mark(cluster: &mut ClusterHost, peer: PeerId, change: impl FnOnce(&mut Told)) {
    let told = cluster.members.get_mut(&peer.node);
    if let Some(told) = told.filter(|told| told.life == peer.life) {
        change(told);
    }
}

fn down_text(reason: DownReason) -> &'static str {
    match reason {
        DownReason::Failed => "failed",
        DownReason::Left => "left",
        DownReason::Replaced => "restarted",
        DownReason::LinkLost => "link_lost",
        DownReason::Evicted => "evicted",
        DownReason::Expired => "expired",
    }
}
