//! What a cluster machine counts.

/// Messages that were refused or dropped, by why. Each only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterCounters {
    /// From a peer to which no link is up, or from an earlier life.
    pub stale: u64,
    /// For an overlay that this node has not, or an epoch that it does not run.
    pub unknown_overlay: u64,
    /// Broadcasts and routed messages asked of an overlay that is not there.
    pub refused_inputs: u64,
}
