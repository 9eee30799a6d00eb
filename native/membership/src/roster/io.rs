//! What goes into a roster and what comes out.

use foundation_machine::PeerId;

use super::record::{DownReason, MemberRecord};

/// Records in one message at most.
pub const RECORDS_MAX: usize = 1_024;
/// Buckets of a digest at most; their number is a power of two.
pub const BUCKETS_MAX: usize = 1_024;

/// What happens to a roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterInput {
    /// A link to a member is up, over whichever overlay: it is alive, and news goes there.
    NeighbourUp(PeerId),
    /// That neighbour hears of others from few nodes, this one among them, as a client does from
    /// its servers: it is told all news, by this node too. Until its link is gone.
    Relies(PeerId),
    /// This node relies on that neighbour so, which may have many such: this one asks it for all
    /// that it knows.
    RelyOn(PeerId),
    /// The link is gone. That alone says nothing of the member: the detector asks around.
    NeighbourDown(PeerId),
    /// A roster elsewhere says something.
    Received {
        /// Who, over its link.
        from: PeerId,
        /// What.
        message: RosterMessage,
    },
    /// So many isolates of this node are blocked now; 0 for none.
    Busy(u16),
    /// This node is about to leave.
    Leave,
    /// This node's detector has no answer from the member, or confirms what another suspected.
    Suspect(PeerId),
    /// This node's detector has an answer from a member: if it is suspect it is told so again.
    Alive(PeerId),
    /// This node's detector finds the member failed: the suspicion has run out.
    Down(PeerId),
    /// The member said goodbye over its link: `LinkEnd::Left`.
    Left(PeerId),
    /// An operator, or discovery that was sure of it, takes the member out for good.
    Evict(PeerId),
    /// The time of the earliest timer has come.
    Due,
}

/// What rosters say to each other, over links only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterMessage {
    /// What is new.
    News {
        /// At most [`RECORDS_MAX`].
        records: Vec<MemberRecord>,
    },
    /// Begins an exchange: all that the sender knows, in two numbers.
    Digest {
        /// Members that are up, the sender among them.
        members: u32,
        /// Sum of their hashes.
        hash: u64,
    },
    /// Answers a digest that agrees.
    Same,
    /// Answers a digest that does not: sums of the sender's hashes by bucket of life.
    Buckets {
        /// A power of two of them, at most [`BUCKETS_MAX`].
        hashes: Vec<u64>,
    },
    /// Answers buckets: the hash of everybody up in those that differ.
    Sync {
        /// How many buckets there are.
        buckets: u16,
        /// Which of them this message holds, all of each.
        of: Vec<u16>,
        /// At most [`RECORDS_MAX`].
        hashes: Vec<u64>,
    },
    /// Answers [`RosterMessage::Sync`]: what its sender lacks or has in another state, and what
    /// this side lacks so.
    Missing {
        /// At most [`RECORDS_MAX`].
        records: Vec<MemberRecord>,
        /// Hashes of the `Sync` whose records are wanted, at most [`RECORDS_MAX`].
        wanted: Vec<u64>,
        /// Another message of the same answer follows.
        more: bool,
    },
    /// Answers [`RosterMessage::Missing`]: the records that were wanted and are still the same.
    Found {
        /// At most [`RECORDS_MAX`].
        records: Vec<MemberRecord>,
    },
}

/// A name of 12 bytes, a life of 16, an address of 20, the rest of a record with its table: 60.
const RECORD_BYTES: usize = 60;
/// A suspector goes by its name and life.
const SUSPECTOR_BYTES: usize = 28;
/// The frame around a control message and the message's own table.
const MESSAGE_BYTES: usize = 40;

impl RosterMessage {
    /// About how long the message is on the wire, frame and all. Unit: bytes.
    #[must_use]
    pub fn wire_bytes(&self) -> usize {
        let records = |records: &[MemberRecord]| -> usize {
            let bytes =
                |record: &MemberRecord| RECORD_BYTES + record.suspectors.len() * SUSPECTOR_BYTES;
            records.iter().map(bytes).sum()
        };
        let content = match self {
            RosterMessage::News { records: list } | RosterMessage::Found { records: list } => {
                records(list)
            }
            RosterMessage::Digest { .. } => 12,
            RosterMessage::Same => 0,
            RosterMessage::Buckets { hashes } => hashes.len() * 8,
            RosterMessage::Sync { of, hashes, .. } => of.len() * 2 + hashes.len() * 8,
            RosterMessage::Missing { records: list, wanted, .. } => {
                records(list) + wanted.len() * 8
            }
        };
        MESSAGE_BYTES + content
    }
}

/// What a roster wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterOutput {
    /// Over the link to that neighbour.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: RosterMessage,
    },
    /// The table has changed.
    Event(RosterEvent),
}

/// What happened to a member. For each life `MemberUp` comes first and `MemberDown` last; only a
/// member that had [`DownReason::Failed`] may come up again in the same life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterEvent {
    /// A member is there.
    MemberUp(PeerId),
    /// A member is not there any more.
    MemberDown {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: DownReason,
    },
    /// So many isolates of a member are blocked.
    MemberBusy {
        /// Who.
        peer: PeerId,
        /// How many; at least one.
        isolates: u16,
    },
    /// No isolate of the member is blocked any more.
    MemberIdle(PeerId),
    /// A member is suspected, or by more members than before.
    MemberSuspect {
        /// Who.
        peer: PeerId,
        /// By whom, as far as known.
        suspectors: Vec<PeerId>,
    },
    /// The member has answered: it is not suspect any more.
    MemberCleared(PeerId),
    /// The member is about to leave.
    MemberLeaving(PeerId),
    /// The others have removed this node's own life: only a later life can join. Comes once.
    Removed(DownReason),
}

/// What a roster refused or saw, counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RosterCounters {
    /// Messages that no well-behaved roster sends.
    pub malformed: u64,
    /// Members that found no room.
    pub refused: u64,
    /// Records that said nothing new.
    pub stale: u64,
    /// Records of a life that is gone for good.
    pub removed: u64,
    /// Gone lives that were forgotten for want of room.
    pub forgotten: u64,
    /// Suspicions and verdicts against this node that it answered.
    pub refuted: u64,
    /// Exchanges that found nothing to do.
    pub exchanges_same: u64,
    /// Exchanges that found something.
    pub exchanges_different: u64,
    /// Exchanges that were given up.
    pub exchanges_timed_out: u64,
    /// Answers of an exchange that had been given up, or whose link had been another one.
    pub exchanges_late: u64,
}
