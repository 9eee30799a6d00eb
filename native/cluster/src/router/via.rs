//! Over which neighbour a node is best reached, learnt from where its messages came.

use std::collections::BTreeMap;

use foundation_machine::PeerId;

/// Nodes of which the table knows a way; of more, the one first in order is forgotten. Unit:
/// entries of 48 bytes.
pub(crate) const VIAS_MAX: usize = 16_384;

/// The learnt ways. A way that is gone is found out when it is asked for: the neighbour is none.
#[derive(Debug, Default)]
pub(crate) struct Vias {
    by_node: BTreeMap<PeerId, PeerId>,
}

impl Vias {
    /// News of `node` came from `neighbour`: it replaces what was known.
    pub(crate) fn learn(&mut self, node: PeerId, neighbour: PeerId) {
        if node == neighbour {
            return;
        }
        if !self.by_node.contains_key(&node) && self.by_node.len() >= VIAS_MAX {
            self.by_node.pop_first();
        }
        self.by_node.insert(node, neighbour);
    }

    /// The neighbour from which the newest news of that node came.
    pub(crate) fn of(&self, node: PeerId) -> Option<PeerId> {
        self.by_node.get(&node).copied()
    }

    /// That life is over.
    pub(crate) fn forget(&mut self, node: PeerId) {
        self.by_node.remove(&node);
    }
}
