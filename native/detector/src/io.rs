//! What goes into a detector and what comes out.

use foundation_machine::{Micros, PeerId};

use crate::vivaldi::Coordinate;

/// What happens to a detector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DetectorInput {
    /// The roster has a new member; without a roster, a neighbour is up.
    MemberUp(PeerId),
    /// The member is down or gone, whoever found it out.
    MemberDown(PeerId),
    /// The roster says that a member is suspected, and by whom.
    Suspected {
        /// Who.
        peer: PeerId,
        /// All that are known; may grow from one such input to the next.
        suspectors: Vec<PeerId>,
    },
    /// The roster says that the member has answered.
    Cleared(PeerId),
    /// So many isolates of a member are blocked; 0 for none.
    MemberBusy {
        /// Who.
        peer: PeerId,
        /// How many.
        isolates: u16,
    },
    /// A link is up, whoever asked for it.
    LinkUp(PeerId),
    /// A link is gone.
    LinkDown {
        /// To whom.
        peer: PeerId,
        /// It broke or was silent; otherwise it was closed on purpose, or the peer said goodbye.
        was_lost: bool,
    },
    /// A dial that the detector asked for led to no link.
    DialFailed(PeerId),
    /// A link's regular sign of life; it teaches the detector the link's rhythm.
    Heartbeat {
        /// Over the link to whom.
        peer: PeerId,
        /// The round trip, where it was measured.
        rtt: Option<Micros>,
    },
    /// Something came over the link to that peer, besides what is given as a message.
    Heard(PeerId),
    /// A detector elsewhere says something.
    Received {
        /// Who began the message: not the neighbour that relayed it.
        from: PeerId,
        /// What.
        message: DetectorMessage,
    },
    /// So many isolates of this node are blocked now; 0 for none.
    Busy(u16),
    /// The time of the earliest timer has come.
    Due,
}

/// What detectors say to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DetectorMessage {
    /// Are you there?
    Ping {
        /// The sender's number for the question.
        sequence: u32,
        /// Where the sender is.
        coordinate: Coordinate,
        /// How many of its isolates are blocked.
        busy: u16,
    },
    /// Yes.
    Ack {
        /// The question's number.
        sequence: u32,
        /// Where the sender is.
        coordinate: Coordinate,
        /// How many of its isolates are blocked.
        busy: u16,
    },
    /// Is that member there? It does not answer me.
    PingRequest {
        /// The sender's number for the question.
        sequence: u32,
        /// The member.
        target: PeerId,
    },
    /// The member that was asked about answers.
    IndirectAck {
        /// The question's number.
        sequence: u32,
    },
    /// The member that was asked about does not answer here either; the one asked is there.
    Nack {
        /// The question's number.
        sequence: u32,
    },
}

impl DetectorMessage {
    /// About how long the message is on the wire, frame and all. Unit: bytes.
    #[must_use]
    pub fn wire_bytes(&self) -> usize {
        // The frame around a control message with the message's own table; a coordinate; a name of
        // 12 bytes with its life.
        const MESSAGE: usize = 48;
        match self {
            DetectorMessage::Ping { .. } | DetectorMessage::Ack { .. } => MESSAGE + 26,
            DetectorMessage::PingRequest { .. } => MESSAGE + 28,
            DetectorMessage::IndirectAck { .. } | DetectorMessage::Nack { .. } => MESSAGE,
        }
    }
}

/// What a detector wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DetectorOutput {
    /// Over the link to that peer, which is up.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: DetectorMessage,
    },
    /// To a member without a link, by way of neighbours; never by a new link. Dropped where there
    /// is no way.
    Relay {
        /// To whom.
        to: PeerId,
        /// What.
        message: DetectorMessage,
    },
    /// A link to that member is wanted, to see whether it is there: another member asked, or relays
    /// did not reach it. `LinkUp` or `DialFailed` answers, at once where a link is up.
    Dial(PeerId),
    /// The detector has no use for that link any more; others may have.
    Release(PeerId),
    /// No answer from the member. For the roster, which spreads it and asks the member itself.
    Suspect(PeerId),
    /// An answer from a member that is suspected. For the roster, which tells the member so.
    Alive(PeerId),
    /// The suspicion has run out. For the roster.
    Down(PeerId),
}

/// What a detector did and refused, counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DetectorCounters {
    /// Probes begun.
    pub probes: u64,
    /// Probes that brought no answer, not even by way of others.
    pub probes_failed: u64,
    /// Questions put to others.
    pub asked: u64,
    /// Checks begun for others.
    pub checks: u64,
    /// Checks for others that found no room.
    pub checks_refused: u64,
    /// Others that were asked and gave no answer at all.
    pub nacks_missing: u64,
    /// Answers that nobody waited for any more.
    pub late: u64,
    /// Times that this node found that it had stood still.
    pub stalls: u64,
    /// Members that found no room.
    pub refused: u64,
    /// Messages that no well-behaved detector sends.
    pub malformed: u64,
}
