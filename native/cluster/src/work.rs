//! What one machine's output means for the others, as inputs that wait their turn.

use foundation_broadcast::BroadcastInput;
use foundation_machine::PeerId;
use foundation_membership::{OverlayInput, RosterInput};

use crate::event::ClusterEvent;
use crate::io::OverlayNo;
use crate::named::OverlayMessage;
use crate::router::RouterInput;

/// An input of one of the machines.
#[derive(Debug)]
pub(crate) enum Task<B> {
    Overlay {
        overlay: OverlayNo,
        epoch: u32,
        input: OverlayInput<OverlayMessage>,
    },
    Tree {
        overlay: OverlayNo,
        input: BroadcastInput<B>,
    },
    Roster(RosterInput),
    Router(RouterInput<B>),
    /// The application hears it when those before are done.
    Event(ClusterEvent<B>),
    /// A link is gone, or is given up: every machine hears it.
    LinkGone {
        peer: PeerId,
        end: foundation_membership::LinkEnd,
    },
}
