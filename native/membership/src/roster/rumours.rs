//! News on its way: whom each piece has been told to, and how often it may still be told.

use std::collections::BTreeMap;

use foundation_machine::{NodeNo, PeerId};

use super::io::RECORDS_MAX;

/// Neighbours remembered as told; beyond that a few are told twice.
const TOLD_MAX: usize = 64;

#[derive(Clone, Debug)]
struct Rumour {
    /// Neighbours that it came from or went to: links lose nothing, so once is enough.
    told: Vec<PeerId>,
    left: u32,
}

/// News by the node that it is about. At most one piece a node: the latest.
#[derive(Debug, Default)]
pub(crate) struct Rumours {
    by_node: BTreeMap<NodeNo, Rumour>,
}

impl Rumours {
    pub(crate) fn len(&self) -> usize {
        self.by_node.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_node.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.by_node.clear();
    }

    /// Something new about a node, in place of what was new before.
    pub(crate) fn add(&mut self, node: NodeNo, from: Option<PeerId>, budget: u32) {
        let told = from.into_iter().collect();
        self.by_node.insert(node, Rumour { told, left: budget });
    }

    /// That neighbour has said the same itself.
    pub(crate) fn heard(&mut self, node: NodeNo, from: PeerId) {
        let Some(rumour) = self.by_node.get_mut(&node) else { return };
        if rumour.told.len() < TOLD_MAX && !rumour.told.contains(&from) {
            rumour.told.push(from);
        }
    }

    /// What that neighbour has not been told yet; it counts as told.
    pub(crate) fn take_for(&mut self, neighbour: PeerId) -> Vec<NodeNo> {
        let mut taken = Vec::new();
        for (node, rumour) in &mut self.by_node {
            if taken.len() == RECORDS_MAX {
                break;
            }
            if rumour.left > 0 && !rumour.told.contains(&neighbour) {
                rumour.left -= 1;
                rumour.told.push(neighbour);
                taken.push(*node);
            }
        }
        taken
    }

    /// Drops what has been told as often as it may or to everybody there is.
    pub(crate) fn settle(&mut self, neighbours: &[PeerId]) {
        self.by_node.retain(|_, rumour| {
            let is_untold = |neighbour: &PeerId| !rumour.told.contains(neighbour);
            rumour.left > 0 && neighbours.iter().any(is_untold)
        });
    }
}
