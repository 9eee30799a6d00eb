//! What goes into an overlay and what comes out.

use foundation_machine::{Micros, PeerId};

/// How a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// The peer said goodbye: it has left the cluster.
    Left,
    /// The connection broke, or nothing came for too long.
    Lost,
    /// Either side closed it because no overlay had use for it any more.
    Released,
}

/// What happens to an overlay. `M` is its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverlayInput<M> {
    /// The node has addresses to begin with, so many of them; what stands behind is unknown until a
    /// link is up.
    Seeds(u32),
    /// A link to a peer is up, whoever asked for it.
    LinkUp {
        /// Who is there.
        peer: PeerId,
        /// The overlay had asked for a seed, and this is who answered there.
        is_seed: bool,
    },
    /// The link is gone.
    LinkDown {
        /// Who was there.
        peer: PeerId,
        /// How it ended.
        end: LinkEnd,
    },
    /// A dial that the overlay asked for led to no link.
    DialFailed(PeerId),
    /// No seed that was asked for answered.
    SeedFailed,
    /// A message of the same overlay on another node.
    Received {
        /// Who sent it, over its link.
        from: PeerId,
        /// What it says.
        message: M,
    },
    /// What a link to that peer costs: its round trip, measured or estimated.
    Cost {
        /// To whom.
        peer: PeerId,
        /// The cost.
        cost: Micros,
    },
    /// The roster says that this member is alive.
    MemberUp(PeerId),
    /// The roster says that this member is down or has left.
    MemberDown(PeerId),
    /// The link to that peer is up, which had been taken for lost: the two may be in two parts of
    /// the overlay. It stays up for some seconds. Comes at the end that dialled.
    Met(PeerId),
    /// The time of the earliest timer has come.
    Due,
    /// This node leaves: neighbours are told.
    Leave,
}

/// What an overlay wants done.
///
/// An overlay *holds* a link from its `Dial`, the `LinkUp` of a seed it asked for, or `NeighbourUp`
/// on, whichever comes first, until it says `Release` or hears `LinkDown` or `DialFailed`. A link
/// that nobody at one end holds any more is hung up by that end, behind what was sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverlayOutput<M> {
    /// Over the link to that peer, which is up.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: M,
    },
    /// A link to that peer is wanted; `LinkUp` or `DialFailed` answers, at once where one is up.
    Dial(PeerId),
    /// A link to a seed is wanted: the host dials number `pick` modulo their count.
    DialSeed {
        /// Drawn at random by the overlay.
        pick: u32,
    },
    /// This overlay has no use for the link to that peer; another one may have.
    Release(PeerId),
    /// The peer is a neighbour from now on: broadcasts and heartbeats go to it.
    NeighbourUp(PeerId),
    /// The peer is no neighbour any more.
    NeighbourDown(PeerId),
}
