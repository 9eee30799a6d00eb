//! Exchanges of digests: two rosters find out what differs, and only that travels.
//!
//! `Digest` -> `Same`, or `Buckets` -> `Sync`... -> `Missing`... -> `Found`... Hashes go first, and
//! a record travels only where the other side lacks it. One exchange runs at a time; those that
//! wait behind it mostly find nothing left to do.

use std::collections::{BTreeSet, VecDeque};

use foundation_machine::PeerId;

use super::Roster;
use super::io::{BUCKETS_MAX, RECORDS_MAX, RosterMessage};
use super::record::{DownReason, Mark, MemberRecord};
use super::table::{bucket_of, record_hash};

/// Members a bucket, about: the hashes of a bucket that differs travel all.
const BUCKET_MEMBERS: usize = 8;

/// The exchange that this node began, and those that it will begin.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    pub(crate) current: Option<Current>,
    waiting: VecDeque<PeerId>,
}

#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) with: PeerId,
    /// `Sync` messages without their whole answer.
    pub(crate) open: usize,
}

impl Exchanges {
    pub(crate) fn wait(&mut self, peer: PeerId, waiting_max: usize) {
        if self.waiting.len() < waiting_max && !self.waiting.contains(&peer) {
            self.waiting.push_back(peer);
        }
    }

    pub(crate) fn forget(&mut self, peer: PeerId) {
        self.waiting.retain(|&waiting| waiting != peer);
        if self.is_with(peer) {
            self.current = None;
        }
    }

    pub(crate) fn next(&mut self) -> Option<PeerId> {
        if self.current.is_some() {
            return None;
        }
        let with = self.waiting.pop_front()?;
        self.current = Some(Current { with, open: 0 });
        Some(with)
    }

    pub(crate) fn is_with(&self, peer: PeerId) -> bool {
        self.current.as_ref().is_some_and(|current| current.with == peer)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

impl Roster {
    pub(crate) fn digest(&self) -> RosterMessage {
        let own = record_hash(&self.own, self.ignores_word());
        let hash = self.table.hash().wrapping_add(own);
        RosterMessage::Digest { members: self.count_up(), hash }
    }

    /// How many buckets this node answers a digest with.
    pub(crate) fn bucket_count(&self) -> usize {
        let members = self.table.up() + 1;
        (members / BUCKET_MEMBERS).next_power_of_two().min(BUCKETS_MAX)
    }

    /// Everybody up, this node among them, each with its hash.
    fn everybody_up(&self) -> impl Iterator<Item = (u64, &MemberRecord)> {
        let ignores_word = self.ignores_word();
        let others = self.table.iter().map(|member| &member.record);
        let up = others.filter(|record| !record.is_down()).chain(std::iter::once(&self.own));
        up.map(move |record| (record_hash(record, ignores_word), record))
    }

    pub(crate) fn bucket_hashes(&self, buckets: usize) -> Vec<u64> {
        let mut sums = vec![0u64; buckets];
        for (hash, record) in self.everybody_up() {
            let sum = &mut sums[bucket_of(record.peer.life, buckets)];
            *sum = sum.wrapping_add(hash);
        }
        sums
    }

    /// Hashes of everybody up in the buckets that differ from `theirs`, in messages of whole
    /// buckets.
    pub(crate) fn sync_messages(&self, theirs: &[u64]) -> Vec<RosterMessage> {
        let buckets = theirs.len();
        let mut by_bucket: Vec<Vec<u64>> = vec![Vec::new(); buckets];
        for (hash, record) in self.everybody_up() {
            by_bucket[bucket_of(record.peer.life, buckets)].push(hash);
        }
        let mut messages = Vec::new();
        let (mut of, mut hashes) = (Vec::new(), Vec::new());
        for (bucket, mut list) in by_bucket.into_iter().enumerate() {
            if theirs[bucket] == list.iter().fold(0, |sum: u64, hash| sum.wrapping_add(*hash)) {
                continue;
            }
            // Lives are random: a bucket that long is a mistake, and its rest is found missing.
            list.truncate(RECORDS_MAX);
            if hashes.len() + list.len() > RECORDS_MAX {
                let whole = (std::mem::take(&mut of), std::mem::take(&mut hashes));
                messages.push(sync_message(buckets, whole));
            }
            of.push(bucket as u16);
            hashes.append(&mut list);
        }
        if !of.is_empty() {
            messages.push(sync_message(buckets, (of, hashes)));
        }
        messages
    }

    /// Everybody up in those buckets whose hash is not among `theirs`, and those of `theirs` that
    /// are nobody's here.
    pub(crate) fn compare(
        &self,
        buckets: usize,
        of: &[u16],
        theirs: &[u64],
    ) -> (Vec<MemberRecord>, Vec<u64>) {
        let mut unknown: BTreeSet<u64> = theirs.iter().copied().collect();
        let mut asked = vec![false; buckets];
        for &bucket in of {
            asked[usize::from(bucket)] = true;
        }
        let mut missing = Vec::new();
        for (hash, record) in self.everybody_up() {
            let is_asked = asked[bucket_of(record.peer.life, buckets)];
            if is_asked && !unknown.remove(&hash) {
                missing.push(record.clone());
            }
        }
        (missing, unknown.into_iter().collect())
    }

    /// The records of those hashes. What has changed since they were told is not among them: it
    /// travels as news, or by the exchange that comes next.
    pub(crate) fn records_of(&self, hashes: &[u64]) -> Vec<MemberRecord> {
        if hashes.is_empty() {
            return Vec::new();
        }
        let wanted: BTreeSet<u64> = hashes.iter().copied().collect();
        let found = self.everybody_up().filter(|(hash, _)| wanted.contains(hash));
        found.take(RECORDS_MAX).map(|(_, record)| record.clone()).collect()
    }

    /// What this node knows of the same node that replaces the record.
    pub(crate) fn better_than(&self, record: &MemberRecord) -> Option<MemberRecord> {
        if record.peer.node == self.own.peer.node {
            return (self.own.rank() > record.rank()).then(|| self.own.clone());
        }
        if let Some(member) = self.table.get(record.peer.node) {
            let held = &member.record;
            return (held.rank() > record.rank()).then(|| held.clone());
        }
        if let Some(term) = self.table.failed_term(record.peer) {
            let failed =
                MemberRecord { term, mark: Mark::Failed, ..MemberRecord::alive(record.peer) };
            return (failed.rank() > record.rank()).then_some(failed);
        }
        let is_gone = self.table.is_gone(record.peer);
        is_gone.then(|| MemberRecord::removed(record.peer, DownReason::Expired))
    }
}

fn sync_message(buckets: usize, whole: (Vec<u16>, Vec<u64>)) -> RosterMessage {
    RosterMessage::Sync { buckets: buckets as u16, of: whole.0, hashes: whole.1 }
}
