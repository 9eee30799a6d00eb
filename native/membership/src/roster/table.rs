//! The table of members: one record a node, those that are down for a while, and of lives long gone
//! no more than that they are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use foundation_machine::{Micros, NodeLife, NodeNo, PeerId};

use super::record::{Mark, MemberRecord, MemberStatus};

/// A member and what this node alone knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) record: MemberRecord,
    /// Others take it for failed; it has until the contest's timer to answer.
    pub(crate) verdict: Option<Box<MemberRecord>>,
    /// The neighbour that the newest record came from.
    pub(crate) via: Option<PeerId>,
    /// When it went down.
    since: Micros,
}

impl Member {
    pub(crate) fn status(&self) -> MemberStatus {
        match self.verdict {
            Some(_) if !self.record.is_down() => MemberStatus::Suspect,
            _ => self.record.status(),
        }
    }

    /// What gossip says of it: the verdict, so that it comes to the member's ears.
    pub(crate) fn news(&self) -> &MemberRecord {
        self.verdict.as_deref().unwrap_or(&self.record)
    }
}

/// What is left of a tombstone.
#[derive(Clone, Copy, Debug)]
struct Gone {
    life: NodeLife,
    /// The term in which it was found failed; nothing where it was removed.
    failed: Option<u16>,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    members: BTreeMap<NodeNo, Member>,
    tombstones: BTreeSet<(Micros, NodeNo)>,
    /// The last life of each node that is gone without a tombstone, and the order of forgetting.
    gone: BTreeMap<NodeNo, Gone>,
    gone_order: VecDeque<NodeNo>,
    /// Over the members that are up.
    hash: u64,
}

/// Stafford's mix 13 of 64 bits, as in SplitMix64.
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// Of the life alone: it is the same on every node, as the numbers of nodes are not.
pub(crate) fn life_hash(life: NodeLife) -> u64 {
    mix(mix(life.start.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ life.random)
}

/// Of a member that is up. Sums of these stand for sets of members, so that one is added and taken
/// away at no cost; members with equal lives would be confused, and lives are random.
pub(crate) fn record_hash(record: &MemberRecord, ignores_word: bool) -> u64 {
    let claim = match record.claim {
        super::record::Claim::Alive => 0,
        super::record::Claim::Leaving => 1,
        super::record::Claim::Busy(isolates) => 2 + u64::from(isolates),
    };
    if ignores_word {
        return life_hash(record.peer.life);
    }
    let word = u64::from(record.term) << 32 | u64::from(record.incarnation);
    let said = claim << 1 | u64::from(record.mark == Mark::Suspect);
    mix(mix(life_hash(record.peer.life) ^ word).wrapping_add(said))
}

/// Which bucket of so many, a power of two.
pub(crate) fn bucket_of(life: NodeLife, buckets: usize) -> usize {
    (life_hash(life) as usize) & (buckets - 1)
}

impl Table {
    pub(crate) fn get(&self, node: NodeNo) -> Option<&Member> {
        self.members.get(&node)
    }

    pub(crate) fn get_mut(&mut self, node: NodeNo) -> Option<&mut Member> {
        self.members.get_mut(&node)
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn tombstones(&self) -> usize {
        self.tombstones.len()
    }

    pub(crate) fn up(&self) -> usize {
        self.members.len() - self.tombstones.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// Whether this life is gone for good and only that is known of it.
    pub(crate) fn is_gone(&self, peer: PeerId) -> bool {
        self.gone.get(&peer.node).is_some_and(|gone| {
            peer.life < gone.life || (peer.life == gone.life && gone.failed.is_none())
        })
    }

    /// The term in which this life was found failed, where only that is known of it.
    pub(crate) fn failed_term(&self, peer: PeerId) -> Option<u16> {
        let gone = self.gone.get(&peer.node).filter(|gone| gone.life == peer.life)?;
        gone.failed.filter(|_| !self.members.contains_key(&peer.node))
    }

    /// Lives of which only that is known: that they were found failed, and may come back.
    pub(crate) fn failed_and_forgotten(&self) -> impl Iterator<Item = PeerId> {
        let peers = self.gone.iter().map(|(&node, gone)| PeerId { node, life: gone.life });
        peers.filter(|peer| self.failed_term(*peer).is_some())
    }

    /// Puts a record in place of the node's former one, which is handed back.
    pub(crate) fn put(
        &mut self,
        record: MemberRecord,
        via: Option<PeerId>,
        now: Micros,
        ignores_word: bool,
    ) -> Option<Member> {
        let node = record.peer.node;
        let former = self.take(node, ignores_word);
        if record.is_down() {
            self.tombstones.insert((now, node));
        } else {
            self.hash = self.hash.wrapping_add(record_hash(&record, ignores_word));
        }
        self.members.insert(node, Member { record, verdict: None, via, since: now });
        former
    }

    fn take(&mut self, node: NodeNo, ignores_word: bool) -> Option<Member> {
        let member = self.members.remove(&node)?;
        if member.record.is_down() {
            self.tombstones.remove(&(member.since, node));
        } else {
            self.hash = self.hash.wrapping_sub(record_hash(&member.record, ignores_word));
        }
        Some(member)
    }

    /// When the earliest tombstone was set.
    pub(crate) fn earliest_tombstone(&self) -> Option<Micros> {
        self.tombstones.first().map(|(since, _)| *since)
    }

    /// The earliest tombstone gives way to the bare knowledge that this life is gone. Answers how
    /// many gone lives were forgotten for it.
    pub(crate) fn bury(&mut self, gone_max: usize, forgets: bool) -> u64 {
        let Some((_, node)) = self.tombstones.pop_first() else { return 0 };
        let Some(member) = self.members.remove(&node) else { return 0 };
        if forgets {
            return 0;
        }
        let record = &member.record;
        let failed = (record.mark == Mark::Failed).then_some(record.term);
        if self.gone.insert(node, Gone { life: record.peer.life, failed }).is_none() {
            self.gone_order.push_back(node);
        }
        let mut forgotten = 0;
        while self.gone.len() > gone_max {
            let Some(earliest) = self.gone_order.pop_front() else { break };
            self.gone.remove(&earliest);
            forgotten += 1;
        }
        forgotten
    }
}
