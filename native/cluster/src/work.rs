//! What one machine's output means for the others, as inputs that wait their turn.

use foundation_broadcast::BroadcastInput;
use foundation_detector::DetectorInput;
use foundation_machine::PeerId;
use foundation_membership::{
    LinkEnd, OverlayInput, OverlayMessage, RosterInput, Strategy, SwitchInput,
};

use crate::event::ClusterEvent;
use crate::io::OverlayNo;
use crate::message::Carried;
use crate::router::RouterInput;

/// An input of one of the machines.
#[derive(Debug)]
pub(crate) enum Task<B> {
    Overlay {
        overlay: OverlayNo,
        epoch: u64,
        input: OverlayInput<OverlayMessage>,
    },
    Tree {
        overlay: OverlayNo,
        input: BroadcastInput<B>,
    },
    Switch {
        overlay: OverlayNo,
        input: SwitchInput<Strategy>,
    },
    Roster(RosterInput),
    Detector(DetectorInput),
    Router(RouterInput<Carried<B>>),
    /// The application hears it when those before are done.
    Event(ClusterEvent<B>),
    /// A link is gone, or is given up: every machine hears it.
    LinkGone {
        peer: PeerId,
        end: LinkEnd,
    },
}
