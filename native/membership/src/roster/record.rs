//! What is known of one member, and which of two such records holds.

use foundation_machine::{NodeLife, PeerId};

/// Members that a record names as suspecting; the first and the confirmations that can still
/// shorten a suspicion (memberlist LAN: suspicion multiplier 4, less two, and some to spare).
pub const SUSPECTORS_MAX: usize = 4;

/// What a member says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// It runs.
    Alive,
    /// So many of its isolates are blocked; it answers all the same.
    Busy(u16),
    /// It is about to leave.
    Leaving,
}

/// Why a member is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DownReason {
    /// It did not answer. It may come back in the same life, by its own word alone: after a cut it
    /// hears the verdict and begins a new term.
    Failed,
    /// It said goodbye. Final.
    Left,
    /// An operator or discovery took it out. Final.
    Evicted,
    /// A later life of its node is there. Final.
    Restarted,
    /// It was removed, longer ago than tombstones are kept. Final.
    Expired,
}

/// What the others say of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// Nothing against it.
    Clear,
    /// It did not answer somebody; it may answer for itself.
    Suspect,
    /// It is down, for this term.
    Failed,
    /// This life is gone for good.
    Removed(DownReason),
}

/// One member as gossip carries it.
///
/// Of two records of a node the later life holds; of one life, a removal; else the later `term`,
/// which only the member itself begins, when it hears that it was taken for failed; of one term,
/// `Failed`; else the higher incarnation, which again only the member raises, when it is suspected
/// or says something new; of one incarnation, the suspicion. So old news never brings back a member
/// that was found failed, and a member that was cut off comes back without a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    /// Whose record.
    pub peer: PeerId,
    /// How often it has come back from a verdict of failure. Its own word.
    pub term: u16,
    /// How often it has spoken in this term, to refute or to claim something new. Its own word.
    pub incarnation: u32,
    /// What it says of itself.
    pub claim: Claim,
    /// What others say of it.
    pub mark: Mark,
    /// Who suspects it, at most [`SUSPECTORS_MAX`]; empty unless it is suspect.
    pub suspectors: Vec<PeerId>,
}

/// The order in which records of one node replace each other: a total one, so that merging gives
/// the same whatever came first.
pub(crate) type Rank = (NodeLife, bool, u16, bool, u32, Mark, Claim);

impl MemberRecord {
    /// A member that has just begun.
    #[must_use]
    pub fn alive(peer: PeerId) -> MemberRecord {
        MemberRecord {
            peer,
            term: 0,
            incarnation: 0,
            claim: Claim::Alive,
            mark: Mark::Clear,
            suspectors: Vec::new(),
        }
    }

    /// A life that is gone for good.
    #[must_use]
    pub fn removed(peer: PeerId, reason: DownReason) -> MemberRecord {
        MemberRecord { mark: Mark::Removed(reason), ..MemberRecord::alive(peer) }
    }

    /// Whether the member is down, for now or for good.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.mark >= Mark::Failed
    }

    /// The same with another mark, and nobody named.
    pub(crate) fn marked(&self, mark: Mark) -> MemberRecord {
        MemberRecord { mark, suspectors: Vec::new(), ..*self }
    }

    pub(crate) fn rank(&self) -> Rank {
        let is_removed = matches!(self.mark, Mark::Removed(_));
        let is_failed = self.mark == Mark::Failed;
        let life = self.peer.life;
        (life, is_removed, self.term, is_failed, self.incarnation, self.mark, self.claim)
    }

    pub(crate) fn status(&self) -> MemberStatus {
        match (self.mark, self.claim) {
            (Mark::Removed(reason), _) => MemberStatus::Down(reason),
            (Mark::Failed, _) => MemberStatus::Down(DownReason::Failed),
            (Mark::Suspect, _) => MemberStatus::Suspect,
            (Mark::Clear, Claim::Alive) => MemberStatus::Alive,
            (Mark::Clear, Claim::Busy(isolates)) => MemberStatus::Busy(isolates),
            (Mark::Clear, Claim::Leaving) => MemberStatus::Leaving,
        }
    }

    /// Adds who suspects, up to as many as make the suspicion as short as it can be: which ones
    /// these are changes nothing. Answers whether there are more now.
    pub(crate) fn add_suspectors(&mut self, suspectors: &[PeerId]) -> bool {
        let before = self.suspectors.len();
        for suspector in suspectors {
            if self.suspectors.len() < SUSPECTORS_MAX && !self.suspectors.contains(suspector) {
                self.suspectors.push(*suspector);
            }
        }
        self.suspectors.len() > before
    }

    /// Whether whoever said this has nothing to learn of who suspects from the other.
    pub(crate) fn names_all_of(&self, other: &MemberRecord) -> bool {
        self.suspectors.len() == SUSPECTORS_MAX
            || other.suspectors.iter().all(|peer| self.suspectors.contains(peer))
    }
}

/// A member's state as this node sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberStatus {
    /// It runs.
    Alive,
    /// So many of its isolates are blocked; it answers all the same.
    Busy(u16),
    /// It is about to leave.
    Leaving,
    /// Somebody had no answer from it, or took it for failed, and it may still answer.
    Suspect,
    /// It is down.
    Down(DownReason),
}

impl MemberStatus {
    /// Whether it counts as a member: all but those that are down.
    #[must_use]
    pub fn is_up(self) -> bool {
        !matches!(self, MemberStatus::Down(_))
    }
}
