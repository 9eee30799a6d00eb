//! What HyParView's nodes say to each other.

use foundation_machine::PeerId;

/// Longest list of peers in a shuffle or its reply. A longer one is ignored.
pub const SHUFFLE_PEERS_MAX: usize = 32;
/// Longest way of a shuffle. A longer one is ignored.
pub const SHUFFLE_PATH_MAX: usize = 16;

/// How much a NEIGHBOR request wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Only where a place is free.
    Low,
    /// Always: the asker has nobody, or has just joined.
    High,
}

/// A message of HyParView. Requests carry a token that their answer repeats, so that an answer to
/// a request given up long ago is told from that to the present one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HyParViewMessage {
    /// The sender has just come and asks to be taken in; answered by `Accept`.
    Join {
        /// Of the request.
        token: u32,
    },
    /// Somebody has come; on a random walk.
    ForwardJoin {
        /// Who.
        joiner: PeerId,
        /// Hops left.
        ttl: u8,
    },
    /// The sender asks to be a neighbour; answered by `Accept` or `Reject`.
    Neighbour {
        /// Of the request.
        token: u32,
        /// How much it wants to.
        priority: Priority,
    },
    /// The sender is a neighbour from now on.
    Accept {
        /// Of the request answered.
        token: u32,
    },
    /// The sender will not be a neighbour, or has no need to.
    Reject {
        /// Of the request answered.
        token: u32,
    },
    /// The sender is no neighbour (any more).
    Disconnect {
        /// It goes on living and may be asked again; else this is its goodbye to the cluster.
        alive: bool,
    },
    /// Peers in exchange for others; on a random walk.
    Shuffle {
        /// The way it came: who began first, the sender last.
        path: Vec<PeerId>,
        /// Some of the beginner's active and passive peers.
        peers: Vec<PeerId>,
        /// Hops left.
        ttl: u8,
    },
    /// The peers in return, on the way back.
    ShuffleReply {
        /// Hops left, the next one last; empty where it has arrived.
        path: Vec<PeerId>,
        /// Some passive peers of where the walk ended.
        peers: Vec<PeerId>,
    },
    /// Passed on from neighbour to neighbour: which component this is.
    Pulse {
        /// Who stands for the component.
        root: PeerId,
        /// How many it has sent.
        count: u32,
    },
    /// The sender stands for a component and asks a seed whether it is in the same one. If not,
    /// this is a `Join`, else the answer is `Reject`.
    Compare {
        /// Of the request.
        token: u32,
        /// How many pulses the sender has sent.
        count: u32,
    },
    /// What does this link cost? Answered at once.
    Measure {
        /// Of the request.
        token: u32,
    },
    /// The answer: the time between is the round trip.
    Measured {
        /// Of the request answered.
        token: u32,
    },
    /// X-BOT, i to c: the sender would rather have the receiver than that neighbour.
    Optimise {
        /// Of the request.
        token: u32,
        /// Its neighbour, o.
        old: PeerId,
    },
    /// X-BOT, c to i: the answer.
    Optimised {
        /// Of the request answered.
        token: u32,
        /// They are neighbours from now on.
        is_done: bool,
    },
    /// X-BOT, c to d: would the receiver take `old` in place of the sender?
    Replace {
        /// Of the request.
        token: u32,
        /// Who began, i.
        initiator: PeerId,
        /// Its neighbour, o.
        old: PeerId,
    },
    /// X-BOT, d to c: the answer.
    Replaced {
        /// Of the request answered.
        token: u32,
        /// The sender has taken o, and is c's neighbour no longer.
        is_done: bool,
    },
    /// X-BOT, d to o: the sender would be the receiver's neighbour in place of the initiator.
    Switch {
        /// Of the request.
        token: u32,
        /// Who began, i.
        initiator: PeerId,
    },
    /// X-BOT, o to d: the answer.
    Switched {
        /// Of the request answered.
        token: u32,
        /// They are neighbours from now on.
        is_done: bool,
    },
    /// X-BOT, o to i: the sender is no neighbour any more, since the swap that the receiver began
    /// is under way.
    DisconnectWait,
}
