//! The neighbours: who is in the tree, what is to be announced to whom, and how far the tree is
//! behind each one's word.

use std::collections::BTreeMap;

use foundation_machine::{Micros, PeerId};

use crate::io::Announcement;
use crate::options::PlumtreeOptions;

/// One neighbour.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) is_eager: bool,
    /// What it is to hear of soon.
    pub(crate) announcements: Vec<Announcement>,
    pub(crate) rtt: Option<Micros>,
    /// How long after its word the tree brings the payload: the longest of late.
    lag: Option<Micros>,
}

/// A lag that no new sample reaches falls by one part in so many with each sample.
const LAG_FALL: u64 = 64;

impl Link {
    pub(crate) fn new(is_eager: bool) -> Self {
        Link { is_eager, announcements: Vec::new(), rtt: None, lag: None }
    }

    /// The tree brought a payload so long after this neighbour's word; zero if it was before.
    pub(crate) fn learn_lag(&mut self, sample: Micros, options: &PlumtreeOptions) {
        let lag = self.lag(options);
        self.lag = Some(Micros(lag.0 - lag.0.div_ceil(LAG_FALL)).max(sample));
    }

    /// Until something is measured, what leads to the longest wait.
    fn lag(&self, options: &PlumtreeOptions) -> Micros {
        let unmeasured = options.graft_after_max.0 / u64::from(options.graft_lag_factor.max(1));
        self.lag.unwrap_or(Micros(unmeasured))
    }

    /// How long a broadcast that it announces is waited for.
    pub(crate) fn graft_after(&self, options: &PlumtreeOptions) -> Micros {
        let ten_trips = Micros(self.rtt.unwrap_or_default().0.saturating_mul(10));
        let most = options.graft_after_max.max(ten_trips);
        let wanted =
            Micros(self.lag(options).0.saturating_mul(u64::from(options.graft_lag_factor)));
        wanted.max(options.graft_after_min).min(most)
    }

    /// How long its answer to a graft is waited for.
    pub(crate) fn regraft_after(&self, options: &PlumtreeOptions) -> Micros {
        let trip = self.rtt.unwrap_or_default();
        (trip + Micros(trip.0 / 4)).max(options.regraft_after_min)
    }
}

/// All neighbours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    by_peer: BTreeMap<PeerId, Link>,
}

impl Links {
    pub(crate) fn contains(&self, peer: PeerId) -> bool {
        self.by_peer.contains_key(&peer)
    }

    pub(crate) fn get(&self, peer: PeerId) -> Option<&Link> {
        self.by_peer.get(&peer)
    }

    pub(crate) fn get_mut(&mut self, peer: PeerId) -> Option<&mut Link> {
        self.by_peer.get_mut(&peer)
    }

    /// Whether it was none before.
    pub(crate) fn add(&mut self, peer: PeerId, eager_max: usize) -> bool {
        if self.contains(peer) {
            return false;
        }
        let is_eager = self.by_peer.len() < eager_max;
        self.by_peer.insert(peer, Link::new(is_eager));
        true
    }

    /// Whether it was one before.
    pub(crate) fn remove(&mut self, peer: PeerId) -> bool {
        self.by_peer.remove(&peer).is_some()
    }

    /// Puts a neighbour into the tree or beside it; of others nothing is kept.
    pub(crate) fn set_eager(&mut self, peer: PeerId, is_eager: bool) {
        if let Some(link) = self.by_peer.get_mut(&peer) {
            link.is_eager = is_eager;
        }
    }

    pub(crate) fn eager(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.by_peer.iter().filter(|(_, link)| link.is_eager).map(|(peer, _)| *peer)
    }

    pub(crate) fn lazy(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.by_peer.iter().filter(|(_, link)| !link.is_eager).map(|(peer, _)| *peer)
    }

    pub(crate) fn peers(&self) -> Vec<PeerId> {
        self.by_peer.keys().copied().collect()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&PeerId, &mut Link)> {
        self.by_peer.iter_mut()
    }
}
