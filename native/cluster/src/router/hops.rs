//! How many links a routed message may cross.

/// Fewest links: specification 1.2, a margin over the diameter of small overlays.
pub(crate) const HOPS_MIN: u8 = 8;
/// Most links: enough for 2^16 nodes of two neighbours each.
pub(crate) const HOPS_MAX: u8 = 32;

/// `ceil(2 log_a n)` for `n` members of `a` neighbours each, within [`HOPS_MIN`] and [`HOPS_MAX`];
/// in whole numbers, so that every platform has the same.
pub(crate) fn hop_limit(members: usize, neighbours: usize) -> u8 {
    let base = (neighbours.max(2)) as u128;
    let square = (members as u128).saturating_mul(members as u128);
    let mut power = 1u128;
    let mut hops = 0u8;
    while power < square && hops < HOPS_MAX {
        power = power.saturating_mul(base);
        hops += 1;
    }
    hops.max(HOPS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_twice_the_logarithm_rounded_up_and_at_least_eight() {
        assert_eq!(hop_limit(0, 0), 8);
        assert_eq!(hop_limit(100, 5), 8);
        assert_eq!(hop_limit(1_000, 5), 9);
        assert_eq!(hop_limit(10_000, 5), 12);
        assert_eq!(hop_limit(usize::MAX, 1), 32);
    }
}
