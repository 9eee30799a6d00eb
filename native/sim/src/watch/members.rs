//! What a node may not think of others.

use std::collections::BTreeMap;

use foundation_cluster::{Cluster, Mark, MemberDown, MemberStatus, Payload};
use foundation_machine::{NodeLife, NodeNo, PeerId};

use crate::subject::Gauge;

/// What the roster has of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    status: MemberStatus,
    /// Somebody suspects it, and it has not answered.
    is_suspect: bool,
    /// Term and incarnation: what only the member itself raises.
    word: (u16, u32),
}

/// The members as one node knows them.
#[derive(Debug, Default)]
pub(super) struct Members {
    known: BTreeMap<PeerId, Known>,
    /// The latest life of each node that is over for good.
    over: BTreeMap<NodeNo, NodeLife>,
    wordless: usize,
    unheard: usize,
    returned: usize,
    strangers: usize,
}

impl Members {
    /// After a step.
    pub(super) fn step<B: Payload>(&mut self, cluster: &Cluster<B>) {
        let Some(roster) = cluster.roster() else { return };
        let known = roster.members().filter_map(|(peer, status)| {
            let record = roster.record(peer.node)?;
            let is_suspect = record.mark == Mark::Suspect;
            Some((peer, Known { status, is_suspect, word: (record.term, record.incarnation) }))
        });
        let known: BTreeMap<PeerId, Known> = known.collect();
        for (peer, now) in &known {
            self.judge(*peer, *now);
        }
        self.known = known;
        let probed = cluster.detector().into_iter().flat_map(|detector| detector.members());
        self.strangers = probed.filter(|peer| !self.is_up(*peer)).count();
    }

    /// A suspicion ends by the member's own word, nobody is down who was not suspect before, and a
    /// life that is over never comes again.
    fn judge(&mut self, peer: PeerId, now: Known) {
        let is_up = now.status.is_up();
        if is_up {
            let over = self.over.get(&peer.node);
            self.returned += usize::from(over.is_some_and(|life| *life >= peer.life));
        } else if now.status != MemberStatus::Down(MemberDown::Failed) {
            let over = self.over.entry(peer.node).or_insert(peer.life);
            *over = peer.life.max(*over);
        }
        let Some(before) = self.known.get(&peer).filter(|before| **before != now) else { return };
        let is_cleared = before.is_suspect && !now.is_suspect && is_up;
        self.wordless += usize::from(is_cleared && now.word <= before.word);
        let is_judged = now.status == MemberStatus::Down(MemberDown::Failed);
        let was_trusted = before.status.is_up() && before.status != MemberStatus::Suspect;
        self.unheard += usize::from(is_judged && was_trusted);
    }

    pub(super) fn is_up(&self, peer: PeerId) -> bool {
        self.known.get(&peer).is_some_and(|known| known.status.is_up())
    }

    /// Appends what was found so far.
    pub(super) fn find(&self, into: &mut Vec<Gauge>) {
        let found = [
            ("suspicions that ended without the member's word", self.wordless),
            ("members found failed that were not suspect", self.unheard),
            ("lives that were over and are members again", self.returned),
            ("members of the detector that are none", self.strangers),
        ];
        let gauge = |(name, size)| Gauge { name, size, limit: 0 };
        into.extend(found.into_iter().filter(|found| found.1 > 0).map(gauge));
    }
}
