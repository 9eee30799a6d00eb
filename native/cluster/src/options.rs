//! How a node's cluster machine is set up.

use foundation_machine::{Micros, Planted};

/// What a cluster machine is made of. Every node of a cluster has the same overlays in the same
/// order.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Whether members are known by a roster that every node holds whole. Without one a node knows
    /// its neighbours only, as in the papers: for thousands of nodes in the simulator.
    pub has_roster: bool,
    /// The overlays; at least one, at most [`OVERLAYS_MAX`](Self::OVERLAYS_MAX).
    pub overlays: Vec<NamedOverlay>,
    /// How messages reach nodes that are no neighbours.
    pub router: RouterOptions,
    /// A bug, for the simulator's own proof.
    pub planted: Planted,
}

impl ClusterOptions {
    /// Overlays that a node can have at once. Each costs its own views and broadcast tree.
    pub const OVERLAYS_MAX: usize = 8;
}

impl Default for ClusterOptions {
    fn default() -> Self {
        ClusterOptions {
            has_roster: true,
            overlays: vec![NamedOverlay {
                name: "control".to_owned(),
                strategy: Strategy::FullMesh,
            }],
            router: RouterOptions::default(),
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
}

/// How an overlay chooses links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// Everybody links to everybody.
    FullMesh,
    /// Partial views that repair themselves.
    HyParView,
    /// Clients link to servers, servers to each other.
    ClientServer,
    /// The links that were configured.
    Static,
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
    /// What is done without a link.
    pub relay: Relay,
    /// Links that a message may cross; 0: `ceil(2 log_a n)` for n members and a neighbours, at
    /// least 8 (specification 1.2: Partisan's fixed 5 is under the diameter of 10,000 nodes).
    pub hops_max: u8,
    /// Messages that wait for a link to one destination.
    pub queue_messages_max: usize,
    /// Destinations that are dialled for routed messages at once.
    pub destinations_max: usize,
    /// How long a message waits for a link before the dial counts as failed.
    pub dial_timeout: Micros,
}

impl Default for RouterOptions {
    fn default() -> Self {
        RouterOptions {
            relay: Relay::Auto,
            hops_max: 0,
            queue_messages_max: 256,
            destinations_max: 1_024,
            dial_timeout: Micros::from_millis(2_000),
        }
    }
}
