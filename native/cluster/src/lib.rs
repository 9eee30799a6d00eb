//! One node's machines put together: the roster of members, its overlays, broadcasts, probes and
//! routes over one set of links. The production host and the simulator drive this same value,
//! [`Cluster`], through [`Input`] and [`Output`].

#![forbid(unsafe_code)]

mod bugs;
mod cluster;
mod counters;
mod event;
mod gate;
mod io;
mod links;
mod message;
mod named;
mod options;
mod reach;
mod router;
mod seeds;
mod views;
mod wiring;
mod work;

pub use bugs::bugs;
pub use cluster::Cluster;
pub use counters::{ClusterCounters, ClusterQueues};
pub use event::{ClusterEvent, DownReason, RouteFailure, SwitchFailure};
pub use foundation_broadcast::{Payload, PlumtreeMessage};
pub use foundation_detector::Probing;
pub use foundation_membership::{
    DownReason as MemberDown, Epoch, HyParView, LinkEnd, Mark, MemberRecord, MemberStatus, Overlay,
    Role, Roster, RosterMessage, Strategy, Switch,
};
pub use io::{Input, Output, OverlayNo};
pub use links::LinkUse;
pub use message::{Carried, ClusterMessage, Routed};
pub use named::epoch_key;
pub use options::{ClusterOptions, NamedOverlay, Relay, RouterOptions};
pub use router::{RouterCounters, VISITED_MAX};
pub use views::OverlayView;
