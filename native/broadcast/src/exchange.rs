//! Summaries: what a node has, and what its neighbour seems to lack.

use std::collections::BTreeMap;

use foundation_machine::{Micros, PeerId};

use crate::cache::Cache;
use crate::io::{
    ANNOUNCEMENTS_MAX, Announcement, BroadcastId, MARK_RANGES_MAX, MARKS_MAX, Mark, Payload,
};
use crate::window::{Known, Window};

/// Marks of the origins heard of since then, and whether these are all: one less than a summary may
/// hold, since the node's own comes to them.
pub(crate) fn marks(window: &Window, since: Micros) -> (Vec<Mark>, bool) {
    let mut lately = window.lately().take_while(|(heard, _)| *heard >= since);
    let listed: Vec<Mark> = lately
        .by_ref()
        .take(MARKS_MAX - 1)
        .filter_map(|(_, origin)| Some(mark(origin, window.known(origin)?)))
        .collect();
    let is_complete = lately.next().is_none();
    (listed, is_complete)
}

fn mark(origin: PeerId, known: &Known) -> Mark {
    let ranges: Vec<_> =
        known.ranges.iter().take(MARK_RANGES_MAX).map(|r| (r.first, r.last)).collect();
    let upto = match known.ranges.get(MARK_RANGES_MAX) {
        Some(unlisted) => unlisted.first,
        None => u64::MAX,
    };
    Mark { origin, low: known.low, ranges, upto }
}

/// What is cached here and not known there, as far as the marks tell.
pub(crate) fn lacking<B: Payload>(
    cache: &Cache<B>,
    marks: &[Mark],
    is_complete: bool,
    not_before: Micros,
) -> Vec<Announcement> {
    let by_origin: BTreeMap<PeerId, &Mark> = marks.iter().map(|mark| (mark.origin, mark)).collect();
    let is_lacking = |id: BroadcastId| match by_origin.get(&id.origin) {
        Some(mark) => lacks(mark, id.sequence),
        None => is_complete,
    };
    cache
        .iter()
        .filter(|(id, cached)| cached.at >= not_before && is_lacking(**id))
        .take(ANNOUNCEMENTS_MAX)
        .map(|(id, cached)| Announcement { id: *id, round: cached.round.saturating_add(1) })
        .collect()
}

fn lacks(mark: &Mark, sequence: u64) -> bool {
    let is_in_range = |&(first, last): &(u64, u64)| (first..=last).contains(&sequence);
    sequence >= mark.low && sequence < mark.upto && !mark.ranges.iter().any(is_in_range)
}
