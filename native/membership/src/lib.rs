//! Who is in the cluster, and who links to whom.
//!
//! An *overlay* decides which links a node wants and which of them are its neighbours; the host
//! makes the links. Each overlay is a pure machine behind [`OverlayInput`] and [`OverlayOutput`].

#![forbid(unsafe_code)]

mod client_server;
mod full_mesh;
mod hyparview;
mod overlay;
mod overlay_bugs;
mod roster;
mod seed_calls;
mod static_links;
mod strategy;
mod switch;

pub use client_server::{
    ClientServer, ClientServerMessage, ClientServerOptions, Role, SERVERS_TOLD_MAX,
};
pub use full_mesh::{FullMesh, FullMeshOptions};
pub use hyparview::{
    HYPARVIEW_BUGS, HyParView, HyParViewCounters, HyParViewMessage, HyParViewOptions, Priority,
    SHUFFLE_PATH_MAX, SHUFFLE_PEERS_MAX, XBotOptions, passive_size_for,
};
pub use overlay::{LinkEnd, OverlayInput, OverlayOutput};
pub use overlay_bugs::OVERLAY_BUGS;
pub use roster::{
    BUCKETS_MAX, Claim, DownReason, Mark, MemberRecord, MemberStatus, RECORDS_MAX, ROSTER_BUGS,
    Roster, RosterCounters, RosterEvent, RosterInput, RosterMessage, RosterOptions, RosterOutput,
    SUSPECTORS_MAX,
};
pub use seed_calls::SeedPauses;
pub use static_links::{StaticLinks, StaticLinksOptions, StaticMessage};
pub use strategy::{Overlay, OverlayMessage, OverlayOptions, Strategy};
pub use switch::{
    Closed, Epoch, NeighbourUnion, Proposal, READY_MAX, SWITCH_BUGS, Switch, SwitchCounters,
    SwitchFailure, SwitchInput, SwitchMessage, SwitchOptions, SwitchOutput, Version,
};
