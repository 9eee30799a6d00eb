//! One attempt, as a member sees it.

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::PeerId;

use super::io::{Proposal, READY_MAX};

/// Members remembered as ready. More cannot be told apart from hostile lists.
const READY_TOTAL_MAX: usize = 65_536;

/// An attempt under way.
#[derive(Clone, Debug)]
pub(crate) struct Attempt<S> {
    pub(crate) proposal: Proposal<S>,
    /// Whom the coordinator waits for: members at the time of its proposal. Empty at others.
    pub(crate) required: BTreeSet<PeerId>,
    known: BTreeSet<PeerId>,
    /// Those who are ready, in the order of the news.
    ready: Vec<PeerId>,
    /// How many of them each neighbour has been told.
    told: BTreeMap<PeerId, usize>,
    /// Whether something was heard since the last repair.
    pub(crate) is_moving: bool,
}

impl<S> Attempt<S> {
    pub(crate) fn new(proposal: Proposal<S>, required: BTreeSet<PeerId>) -> Self {
        Attempt {
            proposal,
            required,
            known: BTreeSet::new(),
            ready: Vec::new(),
            told: BTreeMap::new(),
            is_moving: true,
        }
    }

    /// Answers whether that was news.
    pub(crate) fn is_ready(&mut self, peer: PeerId) -> bool {
        if self.ready.len() >= READY_TOTAL_MAX || !self.known.insert(peer) {
            return false;
        }
        self.ready.push(peer);
        self.is_moving = true;
        true
    }

    /// Whether all who are required are ready.
    pub(crate) fn is_verified(&self) -> bool {
        self.required.is_subset(&self.known)
    }

    /// Whether more than half of them are: what a planted bug is content with.
    pub(crate) fn is_half_verified(&self) -> bool {
        2 * self.required.intersection(&self.known).count() > self.required.len()
    }

    /// The next part of what a neighbour has not been told yet.
    pub(crate) fn untold(&mut self, neighbour: PeerId) -> Vec<PeerId> {
        let told = self.told.entry(neighbour).or_default();
        let end = self.ready.len().min(*told + READY_MAX);
        let part = self.ready[*told..end].to_vec();
        *told = end;
        part
    }

    /// Whether there is something that a neighbour has not been told.
    pub(crate) fn has_untold(&self, neighbour: PeerId) -> bool {
        self.told.get(&neighbour).copied().unwrap_or(0) < self.ready.len()
    }

    /// Neighbours count as told nothing: all of them, or one that is new or gone.
    pub(crate) fn forget_told(&mut self, neighbour: Option<PeerId>) {
        match neighbour {
            Some(neighbour) => {
                self.told.remove(&neighbour);
            }
            None => self.told.clear(),
        }
    }
}
