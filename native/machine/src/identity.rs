//! Who is meant.

/// One life of a node: a restart under the same name is a later life. Ordered by start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeLife {
    /// Start counter if the node persists one, else its start time. Unit then: ms of wall time.
    pub start: u64,
    /// Random bits that tell two lives of equal start apart.
    pub random: u64,
}

/// A node's name as a number. The host (or the simulator) gives numbers, keeps them for as long as
/// it runs, and knows the name and the address behind each; on the wire go names and addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeNo(pub u32);

/// One life of one node: what machines speak of. A later life of the node is another peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId {
    /// The node.
    pub node: NodeNo,
    /// Its life.
    pub life: NodeLife,
}

impl PeerId {
    /// Whether both are lives of one node and `self` is the later one.
    #[must_use]
    pub fn is_later_life_of(self, other: PeerId) -> bool {
        self.node == other.node && self.life > other.life
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_life_is_told_by_its_start_and_only_of_the_same_node() {
        let life = |start, random| NodeLife { start, random };
        let peer = |node, life| PeerId { node: NodeNo(node), life };
        assert!(peer(1, life(2, 0)).is_later_life_of(peer(1, life(1, 9))));
        assert!(!peer(1, life(1, 9)).is_later_life_of(peer(1, life(1, 9))));
        assert!(!peer(2, life(2, 0)).is_later_life_of(peer(1, life(1, 9))));
    }
}
