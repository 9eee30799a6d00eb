//! What goes into a switch and what comes out. `S` names a strategy.

use std::cmp::Ordering;

use foundation_machine::PeerId;

/// Members that one message may call ready. A longer list is ignored.
pub const READY_MAX: usize = 256;

/// Which version of an overlay: each attempt to change it takes a number of its own, and failed
/// ones are never used again. The later one is the greater; of two with one number that of the
/// earlier started coordinator, so that both sides of a healed partition agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch {
    /// Counts from 0, the version the overlay started with.
    pub number: u32,
    /// Who proposed it; nobody for number 0.
    pub coordinator: Option<PeerId>,
}

impl Epoch {
    /// The one an overlay starts with.
    pub const FIRST: Epoch = Epoch { number: 0, coordinator: None };
}

impl Ord for Epoch {
    fn cmp(&self, other: &Self) -> Ordering {
        // Lives first: the numbers of nodes are each host's own.
        let key = |epoch: &Epoch| epoch.coordinator.map(|by| (by.life, by.node));
        self.number.cmp(&other.number).then_with(|| key(other).cmp(&key(self)))
    }
}

impl PartialOrd for Epoch {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What an overlay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version<S> {
    /// Since when.
    pub epoch: Epoch,
    /// By which strategy it links nodes.
    pub strategy: S,
}

/// An attempt to change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal<S> {
    /// What it is to become; the coordinator is named there.
    pub version: Version<S>,
    /// What it has to be until then.
    pub base: Epoch,
}

/// An attempt that was given up, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Which.
    pub epoch: Epoch,
    /// Why.
    pub reason: SwitchFailure,
}

/// Why an overlay was not switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SwitchFailure {
    /// It is not what it was said to be: another switch came first.
    Changed,
    /// Another attempt is under way, or the last one's old overlay is still draining.
    UnderWay,
    /// Not all members were ready in time.
    TimedOut,
    /// A member cannot bring the new overlay up.
    Refused,
    /// The coordinator is gone, and nobody has heard it commit.
    CoordinatorDown,
}

/// What a node tells a neighbour: all of it true at once, none of it lost by being told again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchMessage<S> {
    /// What the overlay is.
    pub current: Version<S>,
    /// What it may become.
    pub proposal: Option<Proposal<S>>,
    /// The latest attempt that was given up.
    pub closed: Option<Closed>,
    /// Some of those who are ready for the proposal. At most [`READY_MAX`].
    pub ready: Vec<PeerId>,
}

/// What happens to a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchInput<S> {
    /// This node wants the overlay changed, if it still is what is said here.
    Propose {
        /// The number of the epoch it is in.
        number: u32,
        /// The strategy it has.
        from: S,
        /// The strategy it is to have.
        to: S,
    },
    /// A member of the cluster is up.
    MemberUp(PeerId),
    /// A member is down or has left.
    MemberDown(PeerId),
    /// Messages can be sent to that peer: its link is up, whichever overlay wanted it. A node that
    /// comes late may have no neighbour before it has heard which overlay there is.
    NeighbourUp(PeerId),
    /// They cannot any more.
    NeighbourDown(PeerId),
    /// The overlay of that epoch has a neighbour here, or this node is alone.
    Ready(Epoch),
    /// The overlay of that epoch cannot be brought up here.
    Refused(Epoch),
    /// A message of the same overlay's switch on another node.
    Received {
        /// Who sent it.
        from: PeerId,
        /// What it says.
        message: SwitchMessage<S>,
    },
    /// The time of the earliest timer has come.
    Due,
}

/// What a switch wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchOutput<S> {
    /// To that neighbour.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: SwitchMessage<S>,
    },
    /// A second overlay is to be started beside the one in use.
    BringUp(Version<S>),
    /// Broadcasts and routes go over this one from now on. It was brought up before; its
    /// predecessor is kept for what is under way.
    Promote(Version<S>),
    /// The overlay of that epoch is to be stopped.
    Drop(Epoch),
    /// An attempt was given up. Its overlay, if it was brought up, is dropped by an output before.
    Failed {
        /// Which; the epoch in use where a proposal of this node was refused at once.
        epoch: Epoch,
        /// Why.
        reason: SwitchFailure,
        /// Whether this node had proposed it.
        is_own: bool,
    },
}
