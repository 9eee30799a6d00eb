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

    /// The root's next pulse.
    pub(super) fn beat(&mut self, now: Micros) {
        self.own_count = self.own_count.wrapping_add(1);
        (self.root, self.count, self.fresh_at) = (self.own, self.own_count, now);
    }

    /// Stands for itself where the root has been silent for too long; whether it does now.
    pub(super) fn expire(&mut self, silence: Micros, now: Micros) -> bool {
        if self.is_root() || now.since(self.fresh_at) < silence {
            return false;
        }
        self.expired.retain(|(root, _)| *root != self.root);
        if self.expired.len() >= EXPIRED_MAX {
            self.expired.remove(0);
        }
        self.expired.push((self.root, self.count));
        self.beat(now);
        true
    }

    /// Takes in a pulse; whether it is news, to be passed on. One of a younger root is not, and
    /// gets no answer: the older root's next pulse is on its way to who sent it.
    pub(super) fn hear(&mut self, root: PeerId, count: u32, now: Micros) -> bool {
        let is_echo = self.expired.iter().any(|&(gone, at)| gone == root && count <= at);
        let is_known = root == self.root && count <= self.count;
        if root == self.own || is_echo || is_known || rank(root) > rank(self.root) {
            return false;
        }
        (self.root, self.count, self.fresh_at) = (root, count, now);
        true
    }

    /// Whether a root that has sent so many pulses is the one whose pulses come here.
    pub(super) fn is_same(&self, root: PeerId, count: u32) -> bool {
        self.root == root && count <= self.count.saturating_add(2)
    }
}
