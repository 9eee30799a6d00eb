//! One overlay of the node under its name: the strategy it runs, the one it may be changing to, and
//! the broadcast tree over the neighbours of both.

use std::collections::BTreeSet;

use foundation_broadcast::{Payload, Plumtree};
use foundation_machine::{Micros, PeerId, Planted, Rng};
use foundation_membership::{HyParView, HyParViewMessage};

use crate::options::{NamedOverlay, Strategy};

pub(crate) type Overlay = HyParView;
/// A message between two nodes' sides of one overlay.
pub type OverlayMessage = HyParViewMessage;

/// One strategy of an overlay, for as long as it runs.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) epoch: u32,
    pub(crate) strategy: Strategy,
    pub(crate) machine: Overlay,
    pub(crate) neighbours: BTreeSet<PeerId>,
}

/// An overlay.
#[derive(Debug)]
pub(crate) struct Named<B> {
    pub(crate) options: NamedOverlay,
    /// What runs: one generation, and while it is being changed two, in order of epoch.
    pub(crate) generations: Vec<Generation>,
    /// One tree for both generations: what it has seen and still looks for is the node's, so a
    /// change of neighbours neither loses a broadcast nor doubles one.
    pub(crate) tree: Plumtree<B>,
}

impl<B: Payload> Named<B> {
    pub(crate) fn new(
        options: NamedOverlay,
        planted: Planted,
        own: PeerId,
        rng: &mut Rng,
        now: Micros,
    ) -> Self {
        let mut plumtree = options.plumtree.clone();
        plumtree.planted = planted;
        let tree = Plumtree::new(plumtree, own, rng.fork(), now);
        let mut named = Named { options, generations: Vec::new(), tree };
        let strategy = named.options.strategy;
        named.begin(0, strategy, planted, own, rng, now);
        named
    }

    /// Runs a strategy, beside the one that runs already.
    pub(crate) fn begin(
        &mut self,
        epoch: u32,
        strategy: Strategy,
        planted: Planted,
        own: PeerId,
        rng: &mut Rng,
        now: Micros,
    ) {
        let mut hyparview = self.options.hyparview.clone();
        hyparview.planted = planted;
        let machine = HyParView::new(hyparview, own, rng.fork(), now);
        let neighbours = BTreeSet::new();
        self.generations.push(Generation { epoch, strategy, machine, neighbours });
    }

    pub(crate) fn generation(&mut self, epoch: u32) -> Option<&mut Generation> {
        self.generations.iter_mut().find(|generation| generation.epoch == epoch)
    }

    /// Whether any generation has that neighbour.
    pub(crate) fn has_neighbour(&self, peer: PeerId) -> bool {
        self.generations.iter().any(|generation| generation.neighbours.contains(&peer))
    }

    /// The neighbours of all generations, in order.
    pub(crate) fn neighbours(&self) -> BTreeSet<PeerId> {
        self.generations.iter().flat_map(|generation| &generation.neighbours).copied().collect()
    }

    pub(crate) fn due(&self) -> Micros {
        let machines = self.generations.iter().map(|generation| generation.machine.due());
        machines.fold(self.tree.due(), Micros::min)
    }
}
