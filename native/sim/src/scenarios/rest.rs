//! What must hold of all overlays when nothing has happened for a while.

use foundation_cluster::{Overlay, OverlayNo, Strategy};
use foundation_machine::PeerId;

use super::stage::{at_rest, seconds};
use crate::node::Machine;
use crate::run::{End, Fleet, Run};
use crate::subject::Subject;

/// Checks all of it; a violation names the first thing that does not.
pub(super) fn rest(run: &mut Run<'_>) -> Result<(), End> {
    for overlay in 0..overlays(&run.fleet) {
        if let Some(what) = wrong(&run.fleet, overlay) {
            return Err(run.violated(format!("at rest overlay {overlay}: {what}")));
        }
        at_rest(run, overlay)?;
    }
    // A link outlives its last use by a second at each end, and seeds are compared with again and
    // again: what is unused each time is so for good.
    let mut unused = unheld(&run.fleet);
    for pause in [7, 11, 13] {
        if !unused.is_empty() {
            run.wait(seconds(pause))?;
            let now = unheld(&run.fleet);
            unused.retain(|link| now.contains(link));
        }
    }
    match unused.first() {
        Some((one, other)) => {
            Err(run.violated(format!("at rest nobody holds the link of nodes {one} and {other}")))
        }
        None => Ok(()),
    }
}

/// How many overlays each node has.
pub(super) fn overlays(fleet: &Fleet) -> usize {
    fleet.up().first().and_then(|&node| fleet.subject(node)).map_or(0, Subject::overlays)
}

fn machines(fleet: &Fleet) -> impl Iterator<Item = (u32, &Machine)> {
    fleet.up().into_iter().filter_map(|node| Some((node, fleet.subject(node)?)))
}

fn wrong(fleet: &Fleet, overlay: usize) -> Option<String> {
    unsettled(fleet, overlay)
        .or_else(|| machines(fleet).find_map(|(node, one)| of_one(fleet, overlay, node, one)))
        .or_else(|| free_places(fleet, overlay))
}

/// A switch that is not over, or over with two ends.
fn unsettled(fleet: &Fleet, overlay: usize) -> Option<String> {
    let mut first = None;
    for (node, machine) in machines(fleet) {
        let Some(view) = machine.cluster().overlay(OverlayNo(overlay as u8)) else {
            return Some(format!("node {node} runs nothing"));
        };
        if let Some(attempt) = view.switch().attempt() {
            return Some(format!("node {node} still tries {:?}", attempt.version));
        }
        if view.generations() != 1 {
            return Some(format!("node {node} runs {} strategies", view.generations()));
        }
        let own = (view.switch().current(), node);
        let (version, other) = *first.get_or_insert(own);
        if version != own.0 {
            return Some(format!("node {node} runs {:?}, node {other} {version:?}", own.0));
        }
    }
    None
}

fn of_one(fleet: &Fleet, overlay: usize, node: u32, machine: &Machine) -> Option<String> {
    let view = machine.cluster().overlay(OverlayNo(overlay as u8))?;
    let missing = view.tree().missing();
    if missing > 0 {
        return Some(format!("node {node} still looks for {missing} broadcasts"));
    }
    let is_dead = |peer: &&PeerId| !fleet.is_up(peer.node.0) || fleet.id(peer.node.0) != **peer;
    let neighbours = view.machine().neighbours();
    if let Some(dead) = neighbours.iter().find(is_dead) {
        return Some(format!("node {node} has the dead neighbour {dead:?}"));
    }
    if let Some(dead) = view.machine().passive().iter().find(is_dead) {
        return Some(format!("node {node} knows {dead:?}, which is dead"));
    }
    if view.strategy() == Strategy::FullMesh && neighbours.len() + 1 != fleet.up_count() {
        let (has, all) = (neighbours.len(), fleet.up_count());
        return Some(format!("node {node} has {has} neighbours of {all} nodes"));
    }
    if let Overlay::ClientServer(_) = view.machine()
        && neighbours.is_empty()
    {
        return Some(format!("node {node} is alone"));
    }
    None
}

/// Two nodes with free places that know each other would be neighbours.
fn free_places(fleet: &Fleet, overlay: usize) -> Option<String> {
    let mut free = Vec::new();
    for (node, machine) in machines(fleet) {
        let view = machine.cluster().overlay(OverlayNo(overlay as u8))?;
        let size = &machine.cluster().options().overlays[overlay].strategies.hyparview.active_size;
        if let Overlay::HyParView(views) = view.machine()
            && views.active().len() < usize::from(*size)
        {
            free.push((fleet.id(node), views));
        }
    }
    for (one, views) in &free {
        let known = |(other, _): &&(PeerId, _)| views.passive().contains(other);
        if let Some((other, _)) = free.iter().find(known) {
            let (one, other) = (one.node.0, other.node.0);
            return Some(format!("nodes {one} and {other} have places for each other"));
        }
    }
    None
}

/// Links that neither of their ends holds.
fn unheld(fleet: &Fleet) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    for (node, machine) in machines(fleet) {
        let own = fleet.id(node);
        let idle = |peer: &PeerId| machine.cluster().link_holders(*peer) == 0;
        for peer in machine.cluster().links().filter(idle) {
            let there = fleet.subject(peer.node.0).filter(|_| fleet.id(peer.node.0) == peer);
            if there.is_none_or(|there| there.cluster().link_holders(own) == 0) {
                found.push((node, peer.node.0));
            }
        }
    }
    found
}
