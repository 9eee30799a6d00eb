//! Neighbours of several overlays at once, as one set.

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::PeerId;

use super::io::Epoch;

/// The neighbours in all overlays that stand beside each other during a switch. Fed with each one's
/// ups and downs it tells when a peer becomes a neighbour at all and when it is none any more, so
/// one broadcast tree and one set of routes outlive the overlays: new links join before old ones
/// go, and what is known of delivered messages stays.
#[derive(Clone, Debug, Default)]
pub struct NeighbourUnion {
    by_peer: BTreeMap<PeerId, BTreeSet<Epoch>>,
}

impl NeighbourUnion {
    /// A neighbour in the overlay of that epoch; answers whether it was none in any before.
    pub fn up(&mut self, epoch: Epoch, peer: PeerId) -> bool {
        let epochs = self.by_peer.entry(peer).or_default();
        epochs.insert(epoch) && epochs.len() == 1
    }

    /// No neighbour in the overlay of that epoch; answers whether it was one there and is none in
    /// any now.
    pub fn down(&mut self, epoch: Epoch, peer: PeerId) -> bool {
        let Some(epochs) = self.by_peer.get_mut(&peer) else { return false };
        if !epochs.remove(&epoch) || !epochs.is_empty() {
            return false;
        }
        self.by_peer.remove(&peer);
        true
    }

    /// The overlay of that epoch is dropped; answers whose neighbourhood ends with it, in order.
    pub fn drop_epoch(&mut self, epoch: Epoch) -> Vec<PeerId> {
        let peers: Vec<PeerId> = self.by_peer.keys().copied().collect();
        peers.into_iter().filter(|&peer| self.down(epoch, peer)).collect()
    }

    /// Neighbours in the overlay of that epoch, in order.
    pub fn of_epoch(&self, epoch: Epoch) -> impl Iterator<Item = PeerId> + '_ {
        let is_there = move |epochs: &BTreeSet<Epoch>| epochs.contains(&epoch);
        self.by_peer.iter().filter(move |(_, epochs)| is_there(epochs)).map(|(peer, _)| *peer)
    }

    /// Whether it is a neighbour in any.
    #[must_use]
    pub fn contains(&self, peer: PeerId) -> bool {
        self.by_peer.contains_key(&peer)
    }

    /// Neighbours in any, in order.
    pub fn peers(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.by_peer.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use foundation_machine::{NodeLife, NodeNo};

    use super::*;

    #[test]
    fn a_peer_is_a_neighbour_from_the_first_overlay_that_has_it_to_the_last() {
        let peer = |node| PeerId { node: NodeNo(node), life: NodeLife::default() };
        let next = Epoch { number: 1, coordinator: Some(peer(9)) };
        let mut union = NeighbourUnion::default();
        assert!(union.up(Epoch::FIRST, peer(1)));
        assert!(union.up(Epoch::FIRST, peer(2)));
        assert!(!union.up(next, peer(2)));
        assert!(!union.up(next, peer(2)));
        assert!(union.up(next, peer(3)));
        assert_eq!(union.drop_epoch(Epoch::FIRST), [peer(1)]);
        assert_eq!(union.peers().collect::<Vec<_>>(), [peer(2), peer(3)]);
        assert!(!union.down(Epoch::FIRST, peer(2)));
        assert!(union.down(next, peer(2)));
        assert_eq!(union.of_epoch(next).collect::<Vec<_>>(), [peer(3)]);
    }
}
