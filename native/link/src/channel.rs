//! What a channel is: its urgency, its share, its lanes, and whether only the newest value matters.

use foundation_schema::ChannelSpec;

/// Channels a node can declare. The writability table and the credit words are laid out for it.
pub const CHANNELS_MAX: usize = 64;
/// Connections a link may open, the first included.
pub const LANES_MAX: usize = 16;
/// The channel that every node has, at index 0.
pub const DEFAULT_CHANNEL: &str = "default";

/// A channel of priority 1 and weight 1 on the first lane.
#[must_use]
pub fn plain_channel(name: &str) -> ChannelSpec {
    ChannelSpec { name: name.to_owned(), priority: 1, weight: 1, lanes: 1, monotonic: false }
}

/// First lane of each channel. A channel of one lane shares lane 0; others get lanes of their own
/// while there are any, so that their order never depends on another channel's connection.
pub(crate) fn assign_lanes(channels: &[ChannelSpec]) -> Vec<(u8, u8)> {
    let mut next = 1usize;
    channels
        .iter()
        .map(|channel| {
            let wanted = channel.lanes as usize;
            if wanted <= 1 || next + wanted > LANES_MAX {
                return (0, 1);
            }
            let first = next;
            next += wanted;
            (first as u8, wanted as u8)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_lane_channels_share_the_first_connection() {
        let mut wide = plain_channel("wide");
        wide.lanes = 4;
        let lanes = assign_lanes(&[plain_channel("a"), wide, plain_channel("b")]);
        assert_eq!(lanes, vec![(0, 1), (1, 4), (0, 1)]);
    }

    #[test]
    fn a_channel_that_asks_for_more_lanes_than_are_left_shares_the_first() {
        let mut wide = plain_channel("wide");
        wide.lanes = 15;
        let mut more = plain_channel("more");
        more.lanes = 2;
        assert_eq!(assign_lanes(&[wide, more]), vec![(1, 15), (0, 1)]);
    }
}
