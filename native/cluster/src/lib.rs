//! One node's machines put together: the roster of members, its overlays, broadcasts, probes and
//! routes over one set of links. The production host and the simulator drive this same value,
//! [`Cluster`], through [`Input`] and [`Output`].

#![forbid(unsafe_code)]

mod cluster;
mod counters;
mod event;
mod io;
mod machines;
mod message;
mod options;

pub use cluster::Cluster;
pub use counters::ClusterCounters;
pub use event::{ClusterEvent, DownReason, RouteFailure, SwitchFailure};
pub use foundation_membership::LinkEnd;
pub use io::{Input, Output, OverlayNo};
pub use machines::{
    DetectorMessage, OverlayMessage, PlumtreeMessage, RosterMessage, SwitchMessage,
};
pub use message::{ClusterMessage, Routed};
pub use options::{ClusterOptions, NamedOverlay, Relay, RouterOptions, Strategy};
