//! How large views are and how often they are refreshed.

use foundation_machine::{Micros, Planted};

use super::xbot::XBotOptions;

/// Options of [`HyParView`](super::HyParView). "Paper" is Leitao, Pereira and Rodrigues,
/// "HyParView: A Membership Protocol for Reliable Gossip-Based Broadcast", 2007.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HyParViewOptions {
    /// Neighbours wanted, without oneself. Default 5: paper p. 9. Each one more is one link.
    pub active_size: u16,
    /// Peers known for repair. Default 30: paper p. 9, see [`passive_size_for`].
    pub passive_size: u16,
    /// Hops of a FORWARDJOIN (ARWL). Default 6: paper p. 9.
    pub active_walk: u8,
    /// Hops left at which a FORWARDJOIN enters passive views (PRWL). Default 3: paper p. 9.
    pub passive_walk: u8,
    /// Active peers told in a shuffle (ka). Default 3: paper p. 9.
    pub shuffle_active: u8,
    /// Passive peers told in a shuffle (kp). Default 4: paper p. 9.
    pub shuffle_passive: u8,
    /// Hops of a shuffle. Default 6: the paper's active walk, as iroh-gossip takes it.
    pub shuffle_walk: u8,
    /// Time between shuffles, give or take a fifth. Default 10 s: Partisan's interval.
    pub shuffle_period: Micros,
    /// How many times a newcomer takes a random peer for one of its neighbours, at each of its
    /// first shuffles, which come ten times as often. Default 4: measured, 1,000 nodes that came
    /// within two seconds through ten contacts; the mean way was 5.4 hops and the longest 9 with
    /// none, 4.7 and 7 with four, which is what nodes that come one by one have.
    pub mixes: u8,
    /// Time between repairs of a view that is not full, give or take a fifth; doubled up to
    /// sixteen times while passes over all candidates find nobody. Default 5 s: Partisan's
    /// interval of random promotions.
    pub repair_period: Micros,
    /// When a dial without an answer counts as failed. Default 1 s: Partisan's connect timeout.
    pub dial_timeout: Micros,
    /// Least time given to a peer that is to answer a request; twice the round trip to it where
    /// that is more. Default 200 ms: below iroh-gossip's 500 ms, above any round trip on earth
    /// times one.
    pub answer_timeout_min: Micros,
    /// First pause between two calls on the seeds; doubles. Default 500 ms: a restart of a seed
    /// takes about that long.
    pub seed_pause_min: Micros,
    /// Longest pause between two calls on the seeds. Default 10 s: the cap of redials of a link.
    pub seed_pause_max: Micros,
    /// Seeds dialled in one call, and those compared with at once. Default 3: `ka`.
    pub seeds_at_once: u8,
    /// When the next seed of a call is dialled while the one before has not answered. Default
    /// 250 ms: RFC 8305's delay between attempts.
    pub seed_stagger: Micros,
    /// Time between two pulses of a component's root, give or take a tenth; also what tells each
    /// neighbour that it is one. Default 5 s: half a shuffle, so that an island knows that it is
    /// one before two shuffles are over.
    pub pulse_period: Micros,
    /// Longest time between two comparisons of a component's root with seeds, the rule that
    /// merges separate overlays; it starts at a thirtieth. [`Micros::NEVER`] switches the rule
    /// off. Default 30 s: twice the time after which a lost root is noticed.
    pub merge_period: Micros,
    /// Swaps neighbours for cheaper ones where it is some. Default none: costs have to be worth it.
    pub xbot: Option<XBotOptions>,
    /// The bug that it is to have.
    pub planted: Planted,
}

impl Default for HyParViewOptions {
    fn default() -> Self {
        HyParViewOptions {
            active_size: 5,
            passive_size: 30,
            active_walk: 6,
            passive_walk: 3,
            shuffle_active: 3,
            shuffle_passive: 4,
            shuffle_walk: 6,
            shuffle_period: Micros::from_millis(10_000),
            mixes: 4,
            repair_period: Micros::from_millis(5_000),
            dial_timeout: Micros::from_millis(1_000),
            answer_timeout_min: Micros::from_millis(200),
            seed_pause_min: Micros::from_millis(500),
            seed_pause_max: Micros::from_millis(10_000),
            seeds_at_once: 3,
            seed_stagger: Micros::from_millis(250),
            pulse_period: Micros::from_millis(5_000),
            merge_period: Micros::from_millis(30_000),
            xbot: None,
            planted: Planted::NONE,
        }
    }
}

/// Passive peers that suit so many nodes: k (log10 n + c) with k = 6 and c = 1 (paper p. 9), the
/// logarithm rounded up; 30 for 10,000 nodes.
#[must_use]
pub fn passive_size_for(nodes: u32) -> u16 {
    let digits = nodes.max(10).saturating_sub(1).ilog10() + 1;
    u16::try_from(6 * (digits + 1)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passive_views_grow_with_the_logarithm_of_the_size() {
        let sizes = [0, 10, 100, 1_000, 1_001, 10_000].map(passive_size_for);
        assert_eq!(sizes, [12, 12, 18, 24, 30, 30]);
    }
}
