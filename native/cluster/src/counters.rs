//! What a cluster machine counts.

use foundation_detector::DetectorCounters;

use crate::router::RouterCounters;

/// Messages that were refused or dropped, by why. Each only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterCounters {
    /// Messages from a peer to which no link is up, or of a life that is over; links of one.
    pub stale: u64,
    /// For an overlay that this node has not, or an epoch that it does not run.
    pub unknown_overlay: u64,
    /// Broadcasts and routed messages asked of an overlay that is not there.
    pub refused_inputs: u64,
    /// Messages for a peer whose link went down while they were made.
    pub unsent: u64,
    /// Messages of which the application did not hear, for no news came that their origin is up.
    pub unannounced: u64,
    /// What the detector did.
    pub detector: DetectorCounters,
    /// What became of routed messages.
    pub routes: RouterCounters,
}

/// What waits in a cluster machine, all of it bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterQueues {
    /// Routed messages that wait for a link: at most
    /// [`RouterOptions::destinations_max`](crate::RouterOptions::destinations_max) times
    /// [`RouterOptions::queue_messages_max`](crate::RouterOptions::queue_messages_max).
    pub routes: usize,
    /// Their payloads. Unit: bytes.
    pub route_bytes: usize,
    /// The most of them for one destination.
    pub routes_longest: usize,
    /// Routed messages that arrived and wait for an earlier one.
    pub routes_held: usize,
    /// Messages that wait for news of their origin: at most 4,096.
    pub unannounced: usize,
    /// Links that were asked for and are not up.
    pub dials: usize,
}
