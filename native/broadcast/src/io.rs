//! What goes into a Plumtree, what comes out, and what two of them say to each other.

use foundation_machine::{Micros, PeerId};

/// Broadcasts that one message may announce. A longer list is ignored.
pub const ANNOUNCEMENTS_MAX: usize = 256;
/// Origins that one summary may speak of. A longer list is ignored.
pub const MARKS_MAX: usize = 256;
/// Runs of sequences that one mark may list. A longer list is ignored.
pub const MARK_RANGES_MAX: usize = 32;

/// What is broadcast: cheap to clone, and of a known size, by which the cache is bounded.
pub trait Payload: Clone {
    /// What it occupies. Unit: bytes.
    fn bytes(&self) -> usize;
}

impl Payload for Vec<u8> {
    fn bytes(&self) -> usize {
        self.len()
    }
}

impl Payload for u64 {
    fn bytes(&self) -> usize {
        size_of::<u64>()
    }
}

impl Payload for () {
    fn bytes(&self) -> usize {
        0
    }
}

/// A broadcast of one life of a node. Its origin counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BroadcastId {
    /// Who broadcast it.
    pub origin: PeerId,
    /// The how manieth of that life.
    pub sequence: u64,
}

/// Word of a broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Which.
    pub id: BroadcastId,
    /// Hops it has made when it arrives from the one who says so.
    pub round: u16,
}

/// What a node has of one origin: everything below `low`, and the runs in `ranges`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whose broadcasts.
    pub origin: PeerId,
    /// All earlier ones are there, or are not wanted any more.
    pub low: u64,
    /// First and last of each run above that, ascending. At most [`MARK_RANGES_MAX`].
    pub ranges: Vec<(u64, u64)>,
    /// The mark says nothing of this sequence and later ones; `u64::MAX` where it speaks of all.
    pub upto: u64,
}

/// What two nodes' Plumtrees say to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlumtreeMessage<B> {
    /// The broadcast itself.
    Gossip {
        /// Which.
        id: BroadcastId,
        /// Hops, this one included.
        round: u16,
        /// What.
        payload: B,
    },
    /// The sender has these and has not sent them here. At most [`ANNOUNCEMENTS_MAX`].
    IHave(Vec<Announcement>),
    /// The link belongs into the tree, and the named broadcast is wanted over it.
    Graft(Option<BroadcastId>),
    /// The link is of no use in the tree.
    Prune,
    /// A broadcast that was asked for is no longer cached.
    Stale(BroadcastId),
    /// What the sender has of the origins it has heard lately. At most [`MARKS_MAX`].
    Summary {
        /// How long the sender has been there: what its neighbour had before is not wanted. Unit:
        /// µs.
        age: Micros,
        /// By origin.
        marks: Vec<Mark>,
        /// Whether these are all such origins.
        is_complete: bool,
        /// Whether a summary is wanted in return.
        wants_reply: bool,
    },
    /// Answers a summary: what its sender seems to lack. At most [`ANNOUNCEMENTS_MAX`].
    Offer(Vec<Announcement>),
}

/// What happens to a Plumtree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BroadcastInput<B> {
    /// This node broadcasts.
    Broadcast(B),
    /// The overlay has a new neighbour.
    NeighbourUp(PeerId),
    /// The peer is no neighbour any more.
    NeighbourDown(PeerId),
    /// A message of another node's Plumtree.
    Received {
        /// Who sent it.
        from: PeerId,
        /// What it says.
        message: PlumtreeMessage<B>,
    },
    /// What a message to that neighbour and the answer take: measured or estimated.
    RoundTrip {
        /// Which neighbour.
        peer: PeerId,
        /// How long.
        rtt: Micros,
    },
    /// The time of the earliest timer has come.
    Due,
}

/// What a Plumtree wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BroadcastOutput<B> {
    /// To that neighbour.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: PlumtreeMessage<B>,
    },
    /// A broadcast has come, or was made here: each once.
    Deliver {
        /// Which.
        id: BroadcastId,
        /// Hops it has made; 0 for one made here.
        round: u16,
        /// What.
        payload: B,
        /// The neighbour who brought it; this node itself for one made here.
        from: PeerId,
    },
}
