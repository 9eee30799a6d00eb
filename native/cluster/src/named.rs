//! One overlay of the node under its name: the strategy it runs, the one it may be changing to, and
//! the broadcast tree over the neighbours of both.

use foundation_broadcast::{Payload, Plumtree};
use foundation_machine::{Micros, PeerId, Planted, Rng};
use foundation_membership::{
    Epoch, NeighbourUnion, Overlay, Role, RosterInput, Strategy, Switch, Version,
};

use crate::options::NamedOverlay;

/// An epoch as messages name it: its number, and bits of the life of the node that proposed it,
/// since two may propose one of the same number at once.
#[must_use]
pub fn epoch_key(epoch: Epoch) -> u64 {
    let tag = epoch.coordinator.map_or(0, |by| by.life.random ^ by.life.start);
    u64::from(epoch.number) << 32 | (tag & 0xffff_ffff)
}

/// One strategy of an overlay, for as long as it runs.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) epoch: Epoch,
    pub(crate) key: u64,
    pub(crate) machine: Overlay,
    /// It begins where others are linked already: members are its seeds.
    pub(crate) has_member_seeds: bool,
}

impl Generation {
    /// Clients hear of others from few nodes, their servers, which may have many clients.
    pub(crate) fn reliance(&self, peer: PeerId) -> Option<RosterInput> {
        let Overlay::ClientServer(roles) = &self.machine else { return None };
        match (roles.role(), roles.role_of(peer)?) {
            (Role::Server, Role::Client) => Some(RosterInput::Relies(peer)),
            (Role::Client, Role::Server) => Some(RosterInput::RelyOn(peer)),
            _ => None,
        }
    }

    /// Whether that neighbour is a client, which relays nothing.
    pub(crate) fn is_client(&self, peer: PeerId) -> bool {
        let Overlay::ClientServer(roles) = &self.machine else { return false };
        roles.role_of(peer) == Some(Role::Client)
    }
}

/// An overlay.
#[derive(Debug)]
pub(crate) struct Named<B> {
    pub(crate) options: NamedOverlay,
    planted: Planted,
    own: PeerId,
    /// What runs: one generation, and during a switch two.
    pub(crate) generations: Vec<Generation>,
    pub(crate) neighbours: NeighbourUnion,
    /// One tree for all generations: what it has seen and still looks for is the node's, so a
    /// change of neighbours neither loses a broadcast nor doubles one.
    pub(crate) tree: Plumtree<B>,
    pub(crate) switch: Switch<Strategy>,
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
        let mut switch = options.switch.clone();
        switch.planted = planted;
        let strategy = options.strategy;
        let mut named = Named {
            tree: Plumtree::new(plumtree, own, rng.fork(), now),
            switch: Switch::new(switch, own, strategy, rng.fork(), now),
            options,
            planted,
            own,
            generations: Vec::new(),
            neighbours: NeighbourUnion::default(),
        };
        named.begin(Version { epoch: Epoch::FIRST, strategy }, rng.fork(), now);
        named
    }

    /// Runs a strategy, beside those that run already.
    pub(crate) fn begin(&mut self, version: Version<Strategy>, rng: Rng, now: Micros) {
        let mut options = self.options.strategies.clone();
        options.full_mesh.planted = self.planted;
        options.hyparview.planted = self.planted;
        options.client_server.planted = self.planted;
        let Version { epoch, strategy } = version;
        let machine = Overlay::new(strategy, &options, self.own, rng, now);
        let has_member_seeds = epoch != Epoch::FIRST && strategy != Strategy::Static;
        let key = epoch_key(epoch);
        self.generations.push(Generation { epoch, key, machine, has_member_seeds });
    }

    pub(crate) fn generation(&mut self, key: u64) -> Option<&mut Generation> {
        self.generations.iter_mut().find(|generation| generation.key == key)
    }

    /// What the overlay is; what it may become, or was, runs beside it.
    pub(crate) fn current(&self) -> Option<&Generation> {
        let epoch = self.switch.current().epoch;
        self.generations.iter().find(|generation| generation.epoch == epoch)
    }

    pub(crate) fn due(&self) -> Micros {
        let machines = self.generations.iter().map(|generation| generation.machine.due());
        machines.fold(self.tree.due().min(self.switch.due()), Micros::min)
    }
}
