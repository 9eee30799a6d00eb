//! What goes into a node's cluster machine and what comes out.

use foundation_machine::{Micros, PeerId};
use foundation_membership::{LinkEnd, Strategy};

use crate::event::ClusterEvent;
use crate::message::ClusterMessage;

/// Which of a node's overlays, by the order of its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OverlayNo(pub u8);

/// What the host tells. `B` is a payload (cheap to clone: a counted slab in production).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input<B> {
    /// The node has so many seed addresses.
    Seeds(u32),
    /// A link is up: the handshake has proved who is there.
    LinkUp {
        /// Who is there.
        peer: PeerId,
        /// It answered at a seed's address that an [`Output::DialSeed`] had asked for, now or after
        /// [`Input::SeedFailed`].
        is_seed: bool,
    },
    /// A link is gone.
    LinkDown {
        /// Who was there.
        peer: PeerId,
        /// How it ended.
        end: LinkEnd,
    },
    /// A dial led to no link: no answer, refused, or another life is there. Also one of the host's
    /// own, before it gives a message to [`Input::Route`]: then the machine tries no other first.
    DialFailed(PeerId),
    /// The seed that was asked for did not answer.
    SeedFailed,
    /// A message came over the link to that peer.
    Received {
        /// Who sent it.
        from: PeerId,
        /// What it says.
        message: ClusterMessage<B>,
    },
    /// The link's regular sign of life came and measured a round trip on it. The detector learns
    /// the rhythm of these.
    RoundTrip {
        /// To whom.
        peer: PeerId,
        /// How long it took.
        rtt: Micros,
    },
    /// The link's regular sign of life came at the end that measures nothing.
    Heartbeat(PeerId),
    /// So many of this node's own isolates are blocked now.
    Busy(u16),
    /// The time of the earliest timer has come.
    Due,
    /// The application broadcasts.
    Broadcast {
        /// Over which overlay.
        overlay: OverlayNo,
        /// What.
        payload: B,
    },
    /// The application sends to a node that may be no neighbour.
    Route {
        /// To whom.
        to: PeerId,
        /// Over which overlay.
        overlay: OverlayNo,
        /// What.
        payload: B,
    },
    /// This node leaves: neighbours and members are told. The host keeps the links up until what
    /// was said is written.
    Leave,
    /// The application wants another strategy for an overlay. It is not begun unless the overlay's
    /// strategy and epoch are those (compare and switch).
    Switch {
        /// Which overlay.
        overlay: OverlayNo,
        /// The epoch that the caller saw.
        epoch: u32,
        /// The strategy that the caller saw.
        from: Strategy,
        /// The strategy that it wants.
        to: Strategy,
    },
}

/// What the host has to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output<B> {
    /// Over the link to that peer, which is up.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: ClusterMessage<B>,
    },
    /// A link to that peer is wanted.
    Dial(PeerId),
    /// A link to a seed is wanted: number `pick` modulo their count.
    DialSeed {
        /// Drawn at random.
        pick: u32,
    },
    /// The machine wants no link to that peer. Where it still counts it as up
    /// ([`Cluster::is_linked`](crate::Cluster::is_linked)), no machine at either end has use for
    /// it: the host closes it unless it has use for it itself, and the link counts as up until
    /// [`Input::LinkDown`]. Else that life is down, or over: the host closes it at once, whatever
    /// is on it.
    HangUp(PeerId),
    /// The application hears of it.
    Event(ClusterEvent<B>),
}
