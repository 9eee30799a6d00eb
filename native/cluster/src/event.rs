//! What the application hears of.

use foundation_machine::PeerId;
use foundation_membership::Strategy;

use crate::io::OverlayNo;

/// Something that happened in the cluster. Of one life of a node, `NodeUp` comes before everything
/// else and `NodeDown` after everything else. Without a roster a node knows of its neighbours only:
/// then both speak of these, and messages of others come without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterEvent<B> {
    /// The roster says that it is alive; without a roster: a link to it is up.
    NodeUp(PeerId),
    /// It is down or has left. Nothing of this life comes any more; where it had
    /// [`DownReason::Failed`] another `NodeUp` of the same life can follow.
    NodeDown {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: DownReason,
    },
    /// Some of its isolates are blocked: it is alive and answers late.
    Busy {
        /// Who.
        peer: PeerId,
        /// So many of them.
        isolates: u16,
    },
    /// None of its isolates is blocked any more.
    Idle(PeerId),
    /// A member does not answer; others are being asked.
    Suspect(PeerId),
    /// A suspected member answers after all.
    Trusted(PeerId),
    /// It has said that it leaves.
    Leaving(PeerId),
    /// A broadcast of another node, once.
    Broadcast {
        /// Over which overlay.
        overlay: OverlayNo,
        /// Whose.
        origin: PeerId,
        /// Which of the origin's over that overlay.
        sequence: u64,
        /// Links that it crossed.
        hops: u16,
        /// What.
        payload: B,
    },
    /// A message that another node routed to this one, at most once and in the order sent.
    Routed {
        /// Whose.
        origin: PeerId,
        /// Which of the origin's messages to this node.
        sequence: u64,
        /// Links that it crossed.
        hops: u8,
        /// What.
        payload: B,
    },
    /// A message that this node routed did not arrive, or may not have.
    RouteFailed {
        /// Whom it was for.
        to: PeerId,
        /// Which of this node's messages to that one; 0: it was not given a number.
        sequence: u64,
        /// What, where this node still has it.
        payload: Option<B>,
        /// Why.
        reason: RouteFailure,
    },
    /// An overlay has another strategy here from now on; every member has neighbours by it.
    Switched {
        /// Which overlay.
        overlay: OverlayNo,
        /// The epoch that began.
        epoch: u32,
        /// Its strategy.
        strategy: Strategy,
    },
    /// A switch was not made; the overlay is as it was before.
    SwitchFailed {
        /// Which overlay.
        overlay: OverlayNo,
        /// Which attempt: the number of its epoch. That of the epoch in use where this node's own
        /// wish was refused at once.
        epoch: u32,
        /// Why.
        reason: SwitchFailure,
        /// Whether this node had asked for it.
        is_own: bool,
    },
    /// The others have taken this life of this node out: only a later one can join.
    Removed(DownReason),
    /// This node has said all that there is to say before it leaves: links may be closed.
    HasLeft,
    /// An overlay has a neighbour more.
    NeighbourUp {
        /// Which overlay.
        overlay: OverlayNo,
        /// Who.
        peer: PeerId,
    },
    /// An overlay has a neighbour less.
    NeighbourDown {
        /// Which overlay.
        overlay: OverlayNo,
        /// Who.
        peer: PeerId,
    },
}

/// Why a node is not a member any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DownReason {
    /// It did not answer, and nobody who was asked vouched for it.
    Failed,
    /// It said that it leaves.
    Left,
    /// An operator or discovery took it out.
    Evicted,
    /// A later life of the node is there.
    Replaced,
    /// It was down for longer than is remembered.
    Expired,
    /// Without a roster: the link to it is gone.
    LinkLost,
}

/// Why a routed message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteFailure {
    /// The destination is down, or a later life of it is there.
    Down,
    /// There is no link, and the options forbid to dial and to relay, or nobody could be dialled or
    /// asked.
    NoPath,
    /// Too much waits for a link to that destination.
    QueueFull,
    /// A relay sent it back: no neighbour of its own could take it on.
    Refused,
    /// No such overlay.
    UnknownOverlay,
}

/// Why a switch was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SwitchFailure {
    /// The overlay's strategy or epoch is another than the caller took it for.
    Changed,
    /// Another switch of the overlay is under way.
    UnderWay,
    /// Not every member was connected over the new strategy in time.
    TimedOut,
    /// A member refused, or does not know the strategy.
    Refused,
    /// The node that had asked for it is gone.
    CoordinatorDown,
    /// No such overlay.
    UnknownOverlay,
}
