//! Who has asked for a seed.

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::PeerId;

use crate::io::OverlayNo;

/// An overlay in one epoch.
pub(crate) type Asker = (OverlayNo, u64);

/// Overlays that wait for a seed, and dials of seeds under way. The host does not say which dial a
/// seed's link answers: the first to come up answers all who wait, and those who were told before
/// that none answers. Members, whose names are known, take the place of seeds that are dead, and of
/// all seeds of an overlay that is brought up beside another.
#[derive(Debug, Default)]
pub(crate) struct SeedAsks {
    /// Seeds that the host has addresses of.
    pub(crate) count: u32,
    askers: BTreeSet<Asker>,
    /// Who was told that no seed answers, and would be glad of one that comes up all the same.
    unanswered: BTreeSet<Asker>,
    under_way: u32,
    members: BTreeMap<PeerId, BTreeSet<Asker>>,
}

impl SeedAsks {
    pub(crate) fn ask(&mut self, asker: Asker) {
        self.unanswered.remove(&asker);
        self.askers.insert(asker);
        self.under_way += 1;
    }

    /// A member is asked for in place of a seed.
    pub(crate) fn ask_member(&mut self, peer: PeerId, asker: Asker) {
        self.members.entry(peer).or_default().insert(asker);
    }

    /// A link is up, to a seed or a member. Answers who waited for such.
    pub(crate) fn answered(&mut self, peer: PeerId, is_seed: bool) -> BTreeSet<Asker> {
        let mut askers = self.members.remove(&peer).unwrap_or_default();
        if is_seed {
            self.under_way = self.under_way.saturating_sub(1);
            askers.append(&mut self.askers);
            askers.append(&mut self.unanswered);
        }
        askers
    }

    /// A member's link can be used by that overlay; answers whether it was asked for as a seed.
    pub(crate) fn take_member(&mut self, peer: PeerId, asker: Asker) -> bool {
        let Some(askers) = self.members.get_mut(&peer) else { return false };
        let has_asked = askers.remove(&asker);
        if askers.is_empty() {
            self.members.remove(&peer);
        }
        has_asked
    }

    /// A seed did not answer. Answers who waited, when no other seed can answer any more.
    pub(crate) fn failed(&mut self) -> BTreeSet<Asker> {
        self.under_way = self.under_way.saturating_sub(1);
        if self.under_way > 0 {
            return BTreeSet::new();
        }
        self.unanswered.extend(self.askers.iter().copied());
        std::mem::take(&mut self.askers)
    }

    /// A member did not answer. Answers who had asked for it as a seed.
    pub(crate) fn member_failed(&mut self, peer: PeerId) -> BTreeSet<Asker> {
        self.members.remove(&peer).unwrap_or_default()
    }

    /// That overlay is no more.
    pub(crate) fn forget(&mut self, asker: Asker) {
        self.askers.remove(&asker);
        self.unanswered.remove(&asker);
        for askers in self.members.values_mut() {
            askers.remove(&asker);
        }
        self.members.retain(|_, askers| !askers.is_empty());
    }
}
