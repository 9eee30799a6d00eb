//! What checkers, metrics and the application may look at.

use foundation_broadcast::{Payload, Plumtree};
use foundation_detector::Probing;
use foundation_machine::{Micros, PeerId};
use foundation_membership::{Overlay, Roster, Strategy, Switch};

use crate::cluster::Cluster;
use crate::counters::{ClusterCounters, ClusterQueues};
use crate::io::OverlayNo;
use crate::named::{Generation, Named};
use crate::options::ClusterOptions;

/// One overlay as it is now.
#[derive(Clone, Copy, Debug)]
pub struct OverlayView<'a, B> {
    named: &'a Named<B>,
    current: &'a Generation,
}

impl<'a, B: Payload> OverlayView<'a, B> {
    /// Its name in the application.
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.named.options.name
    }

    /// The number of its epoch, which grows with each switch.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.current.epoch.number
    }

    /// What it runs.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.current.machine.strategy()
    }

    /// How many strategies run beside each other: two at most, while it is being switched.
    #[must_use]
    pub fn generations(&self) -> usize {
        self.named.generations.len()
    }

    /// The machine that decides its switches.
    #[must_use]
    pub fn switch(&self) -> &'a Switch<Strategy> {
        &self.named.switch
    }

    /// Its neighbours, in order: of both strategies while it is changing.
    pub fn neighbours(&self) -> impl Iterator<Item = PeerId> + use<'a, B> {
        self.named.neighbours.peers()
    }

    /// The machine that it runs.
    #[must_use]
    pub fn machine(&self) -> &'a Overlay {
        &self.current.machine
    }

    /// What is another one after every change of the machine or of its peers; nothing where that is
    /// not counted.
    #[must_use]
    pub fn version(&self) -> Option<(u64, u64)> {
        Some((self.current.key, self.current.machine.changes()?))
    }

    /// Its broadcast tree.
    #[must_use]
    pub fn tree(&self) -> &'a Plumtree<B> {
        &self.named.tree
    }
}

impl<B: Payload> Cluster<B> {
    /// Who this node is.
    #[must_use]
    pub fn own(&self) -> PeerId {
        self.own
    }

    /// How it was set up.
    #[must_use]
    pub fn options(&self) -> &ClusterOptions {
        &self.options
    }

    /// The peers to which a link is up, in order.
    pub fn links(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.links.peers()
    }

    /// How many links are up.
    #[must_use]
    pub fn link_count(&self) -> usize {
        self.links.count()
    }

    /// Whether a link to that peer is up, as far as the machine is concerned.
    #[must_use]
    pub fn is_linked(&self, peer: PeerId) -> bool {
        self.links.is_up(peer)
    }

    /// How many machines of this node hold the link to that peer; 0 also without a link.
    #[must_use]
    pub fn link_holders(&self, peer: PeerId) -> usize {
        self.links.holders(peer)
    }

    /// The round trip to that peer: the last one measured on its link, else estimated by
    /// coordinates.
    #[must_use]
    pub fn rtt(&self, peer: PeerId) -> Option<Micros> {
        self.links.rtt(peer).or_else(|| self.detector.as_ref()?.distance(peer))
    }

    /// How many overlays there are: their numbers are below that.
    #[must_use]
    pub fn overlays(&self) -> usize {
        self.overlays.len()
    }

    /// One overlay.
    #[must_use]
    pub fn overlay(&self, overlay: OverlayNo) -> Option<OverlayView<'_, B>> {
        let named = self.overlays.get(usize::from(overlay.0))?;
        Some(OverlayView { named, current: named.current()? })
    }

    /// The roster, if the node keeps one.
    #[must_use]
    pub fn roster(&self) -> Option<&Roster> {
        self.roster.as_ref()
    }

    /// The detector, if the node has one.
    #[must_use]
    pub fn detector(&self) -> Option<&Probing> {
        self.detector.as_ref()
    }

    /// Whether the application has been told that this life is up, and not that it is down.
    #[must_use]
    pub fn is_up(&self, peer: PeerId) -> bool {
        self.gate.is_up(peer)
    }

    /// How many other nodes the application has been told to be up.
    #[must_use]
    pub fn nodes_up(&self) -> usize {
        self.gate.up()
    }

    /// Whether messages over the link to that peer, of the host's own making, come behind all that
    /// was routed to it: a link is up, and nothing that was relayed may still be on its way.
    #[must_use]
    pub fn is_direct(&self, peer: PeerId, now: Micros) -> bool {
        self.links.is_usable(peer) && self.router.is_settled(peer, now)
    }

    /// What was refused and dropped so far.
    #[must_use]
    pub fn counters(&self) -> ClusterCounters {
        ClusterCounters {
            routes: self.router.counters(),
            detector: self.detector.as_ref().map(Probing::counters).unwrap_or_default(),
            stale: self.counters.stale + self.gate.stale,
            unannounced: self.gate.unannounced,
            ..self.counters
        }
    }

    /// What waits.
    #[must_use]
    pub fn queues(&self) -> ClusterQueues {
        let (routes, route_bytes) = self.router.queued();
        ClusterQueues {
            routes,
            route_bytes,
            routes_longest: self.router.longest_queue(),
            routes_held: self.router.held(),
            unannounced: self.gate.held(),
            dials: self.links.dialling(),
        }
    }
}
