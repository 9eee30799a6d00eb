//! What goes into a router, what comes out, and what it sees of the node around it.

use foundation_machine::PeerId;

use crate::event::RouteFailure;
use crate::io::OverlayNo;
use crate::message::Routed;

#[derive(Debug)]
pub(crate) enum RouterInput<B> {
    /// The application sends.
    Route { to: PeerId, overlay: OverlayNo, payload: B },
    /// One that no order and no promise holds for; it goes over neighbours and dials nobody.
    Datagram { to: PeerId, overlay: OverlayNo, payload: B },
    /// A neighbour sends one on.
    Received { from: PeerId, routed: Routed<B> },
    /// A neighbour could not send one on.
    Returned { from: PeerId, routed: Routed<B> },
    /// A link is up.
    LinkUp(PeerId),
    /// A link is gone.
    LinkDown(PeerId),
    /// A dial led to no link, whoever wanted it: for a while none is tried for messages.
    DialFailed(PeerId),
    /// That life is over.
    Down(PeerId),
    /// News of a node came over a neighbour.
    Learnt { node: PeerId, neighbour: PeerId },
    /// A timer may be due.
    Due,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RouterOutput<B> {
    /// Over the link, which is up.
    Send { to: PeerId, routed: Routed<B> },
    /// Back over the link, which is up.
    SendBack { to: PeerId, routed: Routed<B> },
    /// A link is wanted.
    Dial(PeerId),
    /// The router has no use for that link any more.
    Release(PeerId),
    /// A message for this node's application.
    Deliver { origin: PeerId, sequence: u64, hops: u8, payload: B },
    /// One of this node's own went nowhere.
    Failed { to: PeerId, sequence: u64, payload: B, reason: RouteFailure },
}

/// What a router sees of its node.
pub(crate) trait Around {
    /// Whether a link to that peer is up.
    fn is_linked(&self, peer: PeerId) -> bool;
    /// The overlay's neighbours that relay for others, all linked, in order.
    fn relays(&self, overlay: OverlayNo) -> Vec<PeerId>;
    /// Links that a message over that overlay may cross.
    fn hops_max(&self, overlay: OverlayNo) -> u8;
    /// Whether that overlay has servers, each linked to the others, that may dial clients.
    fn has_servers(&self, overlay: OverlayNo) -> bool;
    /// Whether that overlay lets this node dial that peer.
    fn may_dial(&self, overlay: OverlayNo, peer: PeerId) -> bool;
    /// The neighbour from which the newest news of that member came.
    fn news_from(&self, peer: PeerId) -> Option<PeerId>;
}
