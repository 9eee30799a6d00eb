//! The overlays of a node at one moment, for those who ask.

use foundation_cluster::{ClusterEvent, OverlayNo, OverlayView, SwitchFailure};
use foundation_detector::Probing;
use foundation_machine::{NodeNo, PeerId};
use serde_json::{Value, json};

use super::options::{strategy_of, strategy_text};
use super::parcel::Parcel;
use super::{ClusterHost, MachineInput, Told};
use crate::command::{NodeError, SwitchWish};
use crate::events::life_text;
use crate::node::Node;

impl Node {
    fn overlays(&self) -> Result<&ClusterHost, NodeError> {
        let none = || NodeError::new("no_overlays", "the node was started without overlays");
        self.cluster.as_deref().ok_or_else(none)
    }

    /// Members, overlays and counters as JSON.
    pub(crate) fn topology(&self) -> Result<String, NodeError> {
        let cluster = self.overlays()?;
        let machine = &cluster.machine;
        let members: Vec<Value> = cluster
            .members
            .iter()
            .map(|(&node, told)| self.member_json(cluster, node, told))
            .collect();
        let overlays: Vec<Value> = (0..machine.overlays())
            .map(|at| OverlayNo(at as u8))
            .filter_map(|at| Some(overlay_json(cluster, at, machine.overlay(at)?)))
            .collect();
        let own = machine.own();
        Ok(json!({
            "self": { "name": self.identity.node, "life": life_text(own.life) },
            "members": members,
            "overlays": overlays,
            "counters": self.cluster_counters(cluster),
        })
        .to_string())
    }
}

impl Node {
    fn member_json(&self, cluster: &ClusterHost, node: NodeNo, told: &Told) -> Value {
        let peer = PeerId { node, life: told.life };
        let state = match (told.is_suspect, told.is_leaving, told.busy_isolates) {
            (true, _, _) => "suspect",
            (_, true, _) => "leaving",
            (_, _, 0) => "alive",
            _ => "busy",
        };
        json!({
            "name": cluster.directory.name(node), "life": life_text(told.life),
            "address": cluster.directory.address_text(node), "state": state,
            "isLinked": self.linked_index(cluster, peer).is_some(),
            "roundTripUs": cluster.machine.rtt(peer).map(|rtt| rtt.0),
        })
    }

    /// What the host and the machines counted.
    pub(crate) fn cluster_counters(&self, cluster: &ClusterHost) -> Value {
        let (host, machine) = (&self.overlay_meters, cluster.machine.counters());
        let (routes, roster) = (machine.routes, cluster.machine.roster().map(|one| one.counters()));
        let roster = roster.unwrap_or_default();
        let detector = machine.detector;
        let health = cluster.machine.detector().map_or(0, Probing::health);
        json!({
            "nodesKnown": cluster.directory.len(), "nodesRefused": cluster.directory.refused,
            "unsent": host.unsent + machine.unsent, "unreadable": host.unreadable,
            "undelivered": host.undelivered, "linksReleased": host.released,
            "linksDialledForMessages": host.dialled, "messagesRelayed": host.relayed,
            "messagesFailed": host.failed, "stale": machine.stale,
            "unknownOverlay": machine.unknown_overlay, "unannounced": machine.unannounced,
            "routesDirect": routes.direct, "routesRelayed": routes.relayed,
            "routesForwarded": routes.forwarded, "routesReturned": routes.returned,
            "routesLost": routes.lost, "routesLate": routes.late, "routesFailed": routes.failed,
            "rosterMalformed": roster.malformed, "rosterRefused": roster.refused,
            "rosterRefuted": roster.refuted, "rosterExchanges":
                roster.exchanges_same + roster.exchanges_different,
            "rosterExchangesLate": roster.exchanges_late,
            "probes": detector.probes, "probesFailed": detector.probes_failed,
            "probesAskedOfOthers": detector.asked, "reportsMissing": detector.nacks_missing,
            "stalls": detector.stalls, "doubt": health, "behindUs": cluster.pace.behind().0,
            "sent": host.traffic.json(),
        })
    }

    /// Asks for another strategy of an overlay, if strategy and epoch are still those.
    pub(crate) fn switch_overlay(&mut self, wish: &SwitchWish) -> Result<(), NodeError> {
        let SwitchWish { overlay, epoch, from, to } = wish;
        let no = self.overlays()?.settings.named(overlay).ok_or_else(|| {
            NodeError::new("unknown_overlay", format!("the node has no overlay '{overlay}'"))
        })?;
        let strategy = |text: &str| {
            strategy_of(text).ok_or_else(|| {
                NodeError::new("invalid_options", format!("there is no strategy '{text}'"))
            })
        };
        let (from, to) = (strategy(from)?, strategy(to)?);
        let (overlay, epoch) = (OverlayNo(no), *epoch);
        self.inputs.push_back(MachineInput::Switch { overlay, epoch, from, to });
        self.run_cluster();
        Ok(())
    }

    pub(super) fn tell_switch(&mut self, cluster: &ClusterHost, event: &ClusterEvent<Parcel>) {
        let (overlay, epoch, outcome, reason, strategy) = match event {
            ClusterEvent::Switched { overlay, epoch, strategy } => {
                (*overlay, *epoch, "switched", "", Some(strategy_text(*strategy)))
            }
            ClusterEvent::SwitchFailed { overlay, epoch, reason, .. } => {
                let (outcome, text) = failure_text(*reason);
                (*overlay, *epoch, outcome, text, None)
            }
            _ => return,
        };
        let Some(named) = cluster.settings.overlays.get(usize::from(overlay.0)) else { return };
        self.isolates.tell_all(&json!({
            "type": "overlaySwitch", "overlay": named.name, "epoch": epoch, "outcome": outcome,
            "reason": reason, "strategy": strategy,
        }));
    }
}

/// Whether a switch was begun at all, and why it was not made.
fn failure_text(reason: SwitchFailure) -> (&'static str, &'static str) {
    match reason {
        SwitchFailure::Changed => ("refused", "strategy or epoch is another"),
        SwitchFailure::UnderWay => ("refused", "another switch is under way"),
        SwitchFailure::UnknownOverlay => ("refused", "no such overlay"),
        SwitchFailure::TimedOut => ("rolled_back", "not every member was connected in time"),
        SwitchFailure::Refused => ("rolled_back", "a member refused"),
        SwitchFailure::CoordinatorDown => ("rolled_back", "the node that had asked is gone"),
    }
}

fn overlay_json(cluster: &ClusterHost, at: OverlayNo, view: OverlayView<'_, Parcel>) -> Value {
    let peers = |peers: &mut dyn Iterator<Item = PeerId>| -> Vec<Value> {
        peers.map(|peer| peer_json(cluster, peer)).collect()
    };
    let counted = view.tree().counters();
    let (passive, next) = (view.machine().passive(), view.switch().attempt());
    json!({
        "name": view.name(), "strategy": strategy_text(view.strategy()), "epoch": view.epoch(),
        "switchingTo": next.map(|attempt| strategy_text(attempt.version.strategy)),
        "neighbours": peers(&mut view.neighbours()),
        "passive": peers(&mut passive.iter().copied()),
        "eager": peers(&mut view.tree().eager()), "lazy": peers(&mut view.tree().lazy()),
        "lastHops": cluster.last_hops.get(&at),
        "counters": {
            "delivered": counted.delivered, "duplicates": counted.duplicates,
            "grafts": counted.grafts, "stale": counted.stale, "optimised": counted.optimised,
            "strangers": counted.strangers, "malformed": counted.malformed,
            "missed": counted.missed, "givenUp": counted.given_up,
        },
    })
}

fn peer_json(cluster: &ClusterHost, peer: PeerId) -> Value {
    json!({ "name": cluster.directory.name(peer.node), "life": life_text(peer.life) })
}
