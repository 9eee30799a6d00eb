//! What the cluster machines of two linked nodes say to each other.

use foundation_broadcast::{Payload, PlumtreeMessage};
use foundation_detector::DetectorMessage;
use foundation_machine::PeerId;
use foundation_membership::{OverlayMessage, RosterMessage, Strategy, SwitchMessage};

use crate::io::OverlayNo;
use crate::links::LinkUse;

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
        /// Which of its strategies: see [`epoch_key`](crate::epoch_key).
        epoch: u64,
        /// What it says.
        message: OverlayMessage,
    },
    /// A broadcast's payload, or an announcement of one.
    Broadcast {
        /// Over which overlay.
        overlay: OverlayNo,
        /// What it says.
        message: PlumtreeMessage<B>,
    },
    /// A change of an overlay's strategy.
    Switch {
        /// Which overlay.
        overlay: OverlayNo,
        /// What it says.
        message: Box<SwitchMessage<Strategy>>,
    },
    /// A message on its way to a node that may be several links away.
    Routed(Routed<Carried<B>>),
    /// A routed message that could go nowhere from there, back to the node it came from.
    RouteReturned(Routed<Carried<B>>),
    /// What use the sender has for the link itself.
    LinkUse(LinkUse),
}

/// What a routed message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried<B> {
    /// The application's.
    Payload(B),
    /// The detector's, to a member without a link.
    Detector(DetectorMessage),
}

impl<B: Payload> Payload for Carried<B> {
    fn bytes(&self) -> usize {
        match self {
            Carried::Payload(payload) => payload.bytes(),
            Carried::Detector(message) => message.wire_bytes(),
        }
    }
}

/// A message of one node to another that may not be linked to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed<B> {
    /// Who sends it.
    pub origin: PeerId,
    /// Counts the origin's routed messages, to whomever they go, from 1; 0 for one that is in no
    /// order with others and for whose sake nobody is dialled.
    pub sequence: u64,
    /// The origin's message to that destination that this one must not overtake; 0: any.
    pub after: u64,
    /// Whom it is for.
    pub destination: PeerId,
    /// Over which overlay's neighbours it is relayed.
    pub overlay: OverlayNo,
    /// The relays that it came by, in order. With the dead ends at most
    /// [`VISITED_MAX`](crate::VISITED_MAX).
    pub path: Vec<PeerId>,
    /// Relays that sent it back. None of them, and none of the path, gets it again.
    pub dead_ends: Vec<PeerId>,
    /// Links that it may still cross.
    pub hops_left: u8,
    /// What it carries.
    pub payload: B,
}
