//! Who has asked for a seed.

use std::collections::BTreeSet;

use crate::io::OverlayNo;

/// Overlays that wait for a seed, and dials of seeds under way. The host does not say which dial a
/// seed's link answers: the first to come up answers all who wait.
#[derive(Debug, Default)]
pub(crate) struct SeedAsks {
    askers: BTreeSet<(OverlayNo, u32)>,
    under_way: u32,
}

impl SeedAsks {
    pub(crate) fn ask(&mut self, overlay: OverlayNo, epoch: u32) {
        self.askers.insert((overlay, epoch));
        self.under_way += 1;
    }

    /// A seed's link is up. Answers who waited.
    pub(crate) fn answered(&mut self) -> BTreeSet<(OverlayNo, u32)> {
        self.under_way = self.under_way.saturating_sub(1);
        std::mem::take(&mut self.askers)
    }

    /// A seed did not answer. Answers who waited, when no other seed can answer any more.
    pub(crate) fn failed(&mut self) -> BTreeSet<(OverlayNo, u32)> {
        self.under_way = self.under_way.saturating_sub(1);
        if self.under_way > 0 { BTreeSet::new() } else { std::mem::take(&mut self.askers) }
    }
}
