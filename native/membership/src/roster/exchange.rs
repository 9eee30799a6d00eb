//! Exchanges of digests: two rosters find out what differs, and only that travels.
//!
//! `Digest` -> `Same`, or `Buckets` -> `Sync`... -> `Missing`... One exchange runs at a time; those
//! that wait behind it mostly find nothing left to do.

use std::collections::{BTreeMap, VecDeque};

use foundation_machine::{NodeNo, PeerId};

use super::Roster;
use super::io::{BUCKETS_MAX, RECORDS_MAX, RosterMessage};
use super::record::{DownReason, Mark, MemberRecord, Rank};
use super::table::{bucket_of, record_hash};

/// Members a bucket, about: a bucket that differs travels whole.
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

    /// Everybody up, this node among them.
    fn everybody_up(&self) -> impl Iterator<Item = &MemberRecord> {
        let others = self.table.iter().map(|member| &member.record);
        others.filter(|record| !record.is_down()).chain(std::iter::once(&self.own))
    }

    pub(crate) fn bucket_hashes(&self, buckets: usize) -> Vec<u64> {
        let mut hashes = vec![0u64; buckets];
        let ignores_word = self.ignores_word();
        for record in self.everybody_up() {
            let hash = &mut hashes[bucket_of(record.peer.life, buckets)];
            *hash = hash.wrapping_add(record_hash(record, ignores_word));
        }
        hashes
    }

    /// Everybody up in the buckets that differ from `theirs`, in messages of whole buckets.
    pub(crate) fn sync_messages(&self, theirs: &[u64]) -> Vec<RosterMessage> {
        let ours = self.bucket_hashes(theirs.len());
        let mut by_bucket: BTreeMap<usize, Vec<MemberRecord>> = BTreeMap::new();
        for (bucket, hash) in ours.iter().enumerate() {
            if theirs[bucket] != *hash {
                by_bucket.insert(bucket, Vec::new());
            }
        }
        for record in self.everybody_up() {
            if let Some(list) = by_bucket.get_mut(&bucket_of(record.peer.life, theirs.len())) {
                list.push(record.clone());
            }
        }
        let mut messages = Vec::new();
        let (mut of, mut records) = (Vec::new(), Vec::new());
        for (bucket, mut list) in by_bucket {
            // Lives are random: a bucket that long is a mistake, and its rest is found missing.
            list.truncate(RECORDS_MAX);
            if records.len() + list.len() > RECORDS_MAX {
                let whole = (std::mem::take(&mut of), std::mem::take(&mut records));
                messages.push(self.sync_message(theirs.len(), whole));
            }
            of.push(bucket as u16);
            records.append(&mut list);
        }
        if !of.is_empty() {
            messages.push(self.sync_message(theirs.len(), (of, records)));
        }
        messages
    }

    fn sync_message(&self, buckets: usize, whole: (Vec<u16>, Vec<MemberRecord>)) -> RosterMessage {
        RosterMessage::Sync { buckets: buckets as u16, of: whole.0, records: whole.1 }
    }

    /// What the sender of a `Sync` lacks or has in an earlier state.
    pub(crate) fn missing_from(
        &self,
        buckets: usize,
        of: &[u16],
        theirs: &[MemberRecord],
    ) -> Vec<MemberRecord> {
        let known: BTreeMap<NodeNo, Rank> =
            theirs.iter().map(|record| (record.peer.node, record.rank())).collect();
        let mut asked = vec![false; buckets];
        for &bucket in of {
            asked[usize::from(bucket)] = true;
        }
        let is_asked = |record: &&MemberRecord| {
            let bucket = bucket_of(record.peer.life, buckets);
            asked[bucket] && !known.contains_key(&record.peer.node)
        };
        let mut missing: Vec<MemberRecord> =
            self.everybody_up().filter(is_asked).cloned().collect();
        for record in theirs {
            if let Some(better) = self.better_than(record) {
                missing.push(better);
            }
        }
        missing
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
