//! Which component of the overlay a node is in, as far as it can tell.
//!
//! The oldest node of a component is its root and sends a pulse that every node passes on to its
//! neighbours. Two nodes with one root whose pulse comes on are connected; a node that misses it
//! stands for itself until it hears of an older one. So only one node per component has to ask
//! whether there are others, and each neighbour hears from the other once a period.

use foundation_machine::{Micros, PeerId};

/// Roots remembered as gone.
const EXPIRED_MAX: usize = 8;

#[derive(Clone, Debug)]
pub(super) struct Component {
    own: PeerId,
    own_count: u32,
    root: PeerId,
    count: u32,
    fresh_at: Micros,
    /// Roots that went silent and their last pulse: an echo of them is no sign of life.
    expired: Vec<(PeerId, u32)>,
}

/// Age decides, since numbers of nodes are each host's own; they decide between equals (which only
/// a simulator makes).
fn rank(peer: PeerId) -> (foundation_machine::NodeLife, foundation_machine::NodeNo) {
    (peer.life, peer.node)
}

impl Component {
    pub(super) fn new(own: PeerId, now: Micros) -> Component {
        Component { own, own_count: 0, root: own, count: 0, fresh_at: now, expired: Vec::new() }
    }

    pub(super) fn root(&self) -> PeerId {
        self.root
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn is_root(&self) -> bool {
        self.root == self.own
    }

    /// Whether this node is older than its root: the one who first gave the last root up became
    /// the next, whatever its age.
    pub(super) fn is_elder(&self) -> bool {
        rank(self.own) < rank(self.root)
    }

    /// The root's next pulse.
    pub(super) fn beat(&mut self, now: Micros) {
        self.own_count = self.own_count.wrapping_add(1);
        (self.root, self.count, self.fresh_at) = (self.own, self.own_count, now);
    }

    /// How long the root has been silent: not at all where this node is it.
    pub(super) fn silence(&self, now: Micros) -> Micros {
        if self.is_root() { Micros(0) } else { now.since(self.fresh_at) }
    }

    /// Gives up the root and stands for itself.
    pub(super) fn expire(&mut self, now: Micros) {
        self.bury();
        self.beat(now);
    }

    fn bury(&mut self) {
        self.expired.retain(|(root, _)| *root != self.root);
        if self.expired.len() >= EXPIRED_MAX {
            self.expired.remove(0);
        }
        self.expired.push((self.root, self.count));
    }

    /// Takes in a pulse; whether it is news, to be passed on. Of two roots the older one counts,
    /// unless it has been silent for `patience`: then the first to give it up becomes the root of
    /// all, in one wave rather than one per node.
    pub(super) fn hear(&mut self, root: PeerId, count: u32, patience: Micros, now: Micros) -> bool {
        let is_echo = self.expired.iter().any(|&(gone, at)| gone == root && count <= at);
        let is_known = root == self.root && count <= self.count;
        if root == self.own || is_echo || is_known {
            return false;
        }
        if rank(root) > rank(self.root) {
            if self.silence(now) < patience {
                return false;
            }
            if !self.is_root() {
                self.bury();
            }
        }
        (self.root, self.count, self.fresh_at) = (root, count, now);
        true
    }

    /// Whether a root that has sent so many pulses is the one whose pulses come here.
    pub(super) fn is_same(&self, root: PeerId, count: u32) -> bool {
        self.root == root && count <= self.count.saturating_add(2)
    }
}

#[cfg(test)]
mod tests {
    use foundation_machine::{NodeLife, NodeNo};

    use super::*;

    #[test]
    fn an_elder_of_the_root_can_take_its_place_and_a_younger_node_follows() {
        let peer = |node| PeerId { node: NodeNo(node), life: NodeLife::default() };
        let (now, patience) = (Micros(100), Micros(10));
        let (mut elder, mut younger) = (Component::new(peer(1), now), Component::new(peer(3), now));
        for component in [&mut elder, &mut younger] {
            assert!(component.hear(peer(0), 1, patience, now));
            assert!(component.hear(peer(2), 1, patience, now + patience));
        }
        assert!(elder.is_elder() && !younger.is_elder());
        elder.beat(now + patience);
        assert!(!elder.is_elder());
        assert!(younger.hear(elder.root(), elder.count(), patience, now + patience));
        assert_eq!(younger.root(), peer(1));
    }
}
