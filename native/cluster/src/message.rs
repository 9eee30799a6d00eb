//! What the cluster machines of two linked nodes say to each other.

use foundation_machine::PeerId;

use crate::io::OverlayNo;
use crate::machines::{
    DetectorMessage, OverlayMessage, PlumtreeMessage, RosterMessage, SwitchMessage,
};

/// One message over a link. `B` is a payload of the application, which no machine looks into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterMessage<B> {
    /// Who is a member, and in which state.
    Roster(RosterMessage),
    /// Probes and their answers.
    Detector(DetectorMessage),
    /// Who links to whom.
    Overlay {
        /// Which overlay.
        overlay: OverlayNo,
        /// Which of its strategies: each switch begins the next epoch.
        epoch: u32,
        /// What it says.
        message: OverlayMessage,
    },
    /// A broadcast's payload, or an announcement of one.
    Broadcast {
        /// Over which overlay.
        overlay: OverlayNo,
        /// The tree of which of its strategies.
        epoch: u32,
        /// What it says.
        message: PlumtreeMessage<B>,
    },
    /// A change of an overlay's strategy.
    Switch {
        /// Which overlay.
        overlay: OverlayNo,
        /// What it says.
        message: SwitchMessage,
    },
    /// A message on its way to a node that may be several links away.
    Routed(Routed<B>),
    /// A relay could not take a routed message on; it goes back by the links it came over.
    RouteRefused {
        /// Who had sent it.
        origin: PeerId,
        /// Which of the origin's messages to that destination.
        sequence: u64,
        /// Whom it did not reach.
        destination: PeerId,
    },
}

/// A message of one node to another that may not be linked to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed<B> {
    /// Who sends it.
    pub origin: PeerId,
    /// Counts from 1 the origin's messages to that destination.
    pub sequence: u64,
    /// Whom it is for.
    pub destination: PeerId,
    /// Over which overlay's neighbours it is relayed.
    pub overlay: OverlayNo,
    /// Relays that had it, in order: none of them gets it again. At most
    /// [`RouterOptions::hops_max`](crate::RouterOptions::hops_max) of them.
    pub visited: Vec<PeerId>,
    /// Links that it may still cross.
    pub hops_left: u8,
    /// What it carries.
    pub payload: B,
}
