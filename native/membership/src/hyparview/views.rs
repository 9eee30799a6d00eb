//! The two views: neighbours, and peers known for repair.

use std::collections::BTreeSet;

use foundation_machine::{PeerId, Rng};

/// Both views and who was lost since the last shuffle. Disjoint, without oneself, one life of a
/// node at most.
#[derive(Clone, Debug)]
pub(super) struct Views {
    own: PeerId,
    passive_size: usize,
    active: Vec<PeerId>,
    passive: Vec<PeerId>,
    /// Counts what was changed in them.
    changes: u64,
    /// Lost since the last shuffle: a reply on its way may name them still (the package
    /// `b-erdem/hyparview` found that it brings the dead back). At most as many as both views hold.
    pub(super) lost: BTreeSet<PeerId>,
    lost_size: usize,
}

impl Views {
    pub(super) fn new(own: PeerId, active_size: u16, passive_size: u16) -> Views {
        Views {
            own,
            passive_size: usize::from(passive_size),
            active: Vec::with_capacity(usize::from(active_size) + 1),
            passive: Vec::with_capacity(usize::from(passive_size)),
            changes: 0,
            lost: BTreeSet::new(),
            lost_size: usize::from(active_size) + usize::from(passive_size),
        }
    }

    pub(super) fn active(&self) -> &[PeerId] {
        &self.active
    }

    pub(super) fn passive(&self) -> &[PeerId] {
        &self.passive
    }

    /// Grows with every change of either view.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn is_active(&self, peer: PeerId) -> bool {
        self.active.contains(&peer)
    }

    /// Keeps a peer for repair: not oneself, nobody lost just now, nobody known, no earlier life of
    /// somebody known. A full view forgets one of `spare` first, else anybody.
    pub(super) fn keep(&mut self, peer: PeerId, spare: &mut Vec<PeerId>, rng: &mut Rng) -> bool {
        let known = |other: &PeerId| other.node == peer.node;
        if peer.node == self.own.node || self.lost.contains(&peer) || self.passive_size == 0 {
            return false;
        }
        if self.active.iter().any(known) {
            return false;
        }
        if let Some(place) = self.passive.iter().position(known) {
            let later = peer.is_later_life_of(self.passive[place]);
            if later {
                self.passive[place] = peer;
                self.changes += 1;
            }
            return later;
        }
        if self.passive.len() >= self.passive_size {
            let place = spare.pop().and_then(|one| self.passive.iter().position(|p| *p == one));
            self.passive.swap_remove(place.unwrap_or_else(|| rng.index(self.passive.len())));
        }
        self.add_passive(peer);
        true
    }

    /// Keeps a peer without looking whether that may be.
    pub(super) fn add_passive(&mut self, peer: PeerId) {
        self.passive.push(peer);
        self.changes += 1;
    }

    /// A later life takes the place of the passive one.
    pub(super) fn supersede_passive(&mut self, peer: PeerId) {
        if let Some(place) = self.passive.iter().position(|one| peer.is_later_life_of(*one)) {
            self.passive[place] = peer;
            self.changes += 1;
        }
    }

    /// Forgets a passive peer.
    pub(super) fn forget(&mut self, peer: PeerId) -> bool {
        let place = self.passive.iter().position(|other| *other == peer);
        let found = place.map(|place| self.passive.swap_remove(place));
        self.changes += u64::from(found.is_some());
        found.is_some()
    }

    /// Forgets whichever life of the node is passive.
    pub(super) fn forget_lives_of(&mut self, peer: PeerId) {
        self.passive.retain(|other| other.node != peer.node);
        self.changes += 1;
    }

    /// Forgets a peer that is dead or out of reach, and does not hear of it until the next shuffle.
    pub(super) fn lose(&mut self, peer: PeerId) {
        self.forget(peer);
        if self.lost.len() < self.lost_size {
            self.lost.insert(peer);
        }
    }

    pub(super) fn add_active(&mut self, peer: PeerId) {
        self.lost.remove(&peer);
        self.active.push(peer);
        self.changes += 1;
    }

    /// Takes a peer out of the active view.
    pub(super) fn remove_active(&mut self, peer: PeerId) -> bool {
        let place = self.active.iter().position(|other| *other == peer);
        let found = place.map(|place| self.active.remove(place));
        self.changes += u64::from(found.is_some());
        found.is_some()
    }

    /// Takes all out of the active view.
    pub(super) fn take_active(&mut self) -> Vec<PeerId> {
        self.changes += 1;
        std::mem::take(&mut self.active)
    }

    /// The life of the same node that the active view has, if it is another one.
    pub(super) fn other_life(&self, peer: PeerId) -> Option<PeerId> {
        self.active.iter().copied().find(|other| other.node == peer.node && *other != peer)
    }
}
