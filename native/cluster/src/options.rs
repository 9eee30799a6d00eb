//! How a node's cluster machine is set up.

use foundation_broadcast::PlumtreeOptions;
use foundation_detector::DetectorOptions;
use foundation_machine::{Micros, Planted};
use foundation_membership::{OverlayOptions, RosterOptions, Strategy, SwitchOptions};

/// What a cluster machine is made of. Every node of a cluster has the same overlays in the same
/// order.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// The roster of members that every node holds whole. Without one a node knows its neighbours
    /// only, as in the papers: for thousands of nodes in the simulator.
    pub roster: Option<RosterOptions>,
    /// The detector of silent members. Without one only links that break tell of failures.
    pub detector: Option<DetectorOptions>,
    /// The overlays; at least one, at most [`OVERLAYS_MAX`](Self::OVERLAYS_MAX).
    pub overlays: Vec<NamedOverlay>,
    /// How messages reach nodes that are no neighbours.
    pub router: RouterOptions,
    /// A link that no machine of this node has used for so long is said to be unused. Default: 1 s
    /// (an overlay that asks a peer and is turned down asks the next within that).
    pub link_linger: Micros,
    /// A message waits so long for news that its origin is up. Default: 10 s (news crosses
    /// 1,000 nodes within one; a member that was found failed has two to answer).
    pub announce_wait: Micros,
    /// A node that leaves has so long to tell members, before it tells neighbours. Default: 50 ms
    /// (news is batched for 10 ms).
    pub leave_linger: Micros,
    /// All members together dial about one that was found failed in this time, each at most every
    /// 2 s and at least every 5 min on average, so that the two sides of a cut that heals meet;
    /// [`Micros::NEVER`] for not at all. Default: 1 s (parts of 2,000 nodes meet within seconds,
    /// and whoever is gone for good is dialled once a second at most, by all).
    pub reach_period: Micros,
    /// How often overlays hear what links to peers that they may choose would cost, and which of
    /// these are down. Default: 5 s
    /// (half of a shuffle period).
    pub cost_period: Micros,
    /// A bug for every machine to have, for the simulator's own proof.
    pub planted: Planted,
}

impl ClusterOptions {
    /// Overlays that a node can have at once. Each costs its own views and broadcast tree.
    pub const OVERLAYS_MAX: usize = 8;
}

impl Default for ClusterOptions {
    fn default() -> Self {
        ClusterOptions {
            roster: Some(RosterOptions::default()),
            detector: Some(DetectorOptions::default()),
            overlays: vec![NamedOverlay::new("control", Strategy::FullMesh)],
            router: RouterOptions::default(),
            reach_period: Micros::from_millis(1_000),
            cost_period: Micros::from_millis(5_000),
            link_linger: Micros::from_millis(1_000),
            announce_wait: Micros::from_millis(10_000),
            leave_linger: Micros::from_millis(50),
            planted: Planted::NONE,
        }
    }
}

/// One overlay of a node.
#[derive(Clone, Debug)]
pub struct NamedOverlay {
    /// Its name in the application.
    pub name: String,
    /// What it begins with, in epoch 0.
    pub strategy: Strategy,
    /// How it runs each strategy.
    pub strategies: OverlayOptions,
    /// How it broadcasts.
    pub plumtree: PlumtreeOptions,
    /// How it changes its strategy.
    pub switch: SwitchOptions,
}

impl NamedOverlay {
    /// An overlay with the defaults of each strategy.
    #[must_use]
    pub fn new(name: &str, strategy: Strategy) -> NamedOverlay {
        NamedOverlay {
            name: name.to_owned(),
            strategy,
            strategies: OverlayOptions::default(),
            plumtree: PlumtreeOptions::default(),
            switch: SwitchOptions::default(),
        }
    }
}

/// What is done where there is no link to a message's destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relay {
    /// Dial; where that fails, over a neighbour.
    Auto,
    /// Nothing: the message fails.
    Never,
    /// Dial; where that fails, the message fails.
    Dial,
}

/// How messages reach nodes that are no neighbours.
#[derive(Clone, Debug)]
pub struct RouterOptions {
    /// What is done without a link. With [`Relay::Never`] this node relays for nobody either,
    /// except to a node that it has a link to.
    pub relay: Relay,
    /// Links that a message may cross, at most 32; 0: `ceil(2 log_a n)` for n members and a
    /// neighbours, at least 8 (specification 1.2: Partisan's fixed 5 is under the diameter of
    /// 10,000 nodes).
    pub hops_max: u8,
    /// Messages that wait for a link to one destination.
    pub queue_messages_max: usize,
    /// The same in bytes of payload.
    pub queue_bytes_max: usize,
    /// Destinations that are dialled for routed messages at once.
    pub destinations_max: usize,
    /// How long a message waits for a link before the dial counts as failed.
    pub dial_timeout: Micros,
    /// After a dial that failed, messages are relayed for so long before another is tried.
    pub redial_after: Micros,
    /// How long a link that was dialled for routed messages is kept without any.
    pub idle_hold: Micros,
    /// How long a message waits at its destination for an earlier one.
    pub gap_wait: Micros,
    /// For how long a message that was relayed may still be on its way: for so long, one that takes
    /// another path names it as the one not to overtake.
    pub settle: Micros,
}

impl Default for RouterOptions {
    /// The queue holds what one isolate's ring does; times are of core.md 6 (a dial is given up at
    /// twice the last round trip, 250 ms at least) with room for the dials of eight relays.
    fn default() -> Self {
        RouterOptions {
            relay: Relay::Auto,
            hops_max: 0,
            queue_messages_max: 256,
            queue_bytes_max: 1 << 20,
            destinations_max: 1_024,
            dial_timeout: Micros::from_millis(2_000),
            redial_after: Micros::from_millis(5_000),
            idle_hold: Micros::from_millis(30_000),
            gap_wait: Micros::from_millis(1_000),
            settle: Micros::from_millis(16_000),
        }
    }
}
