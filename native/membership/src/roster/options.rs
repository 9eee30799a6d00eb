//! The settings of a roster.

use foundation_machine::{Micros, Planted};

/// Settings of a [`Roster`](crate::Roster); every node of a cluster should have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RosterOptions {
    /// News waits at least this long for more of it. Default 5 ms: a burst of joins fits in, and a
    /// tenth of what people notice does not.
    pub batch_min: Micros,
    /// News waits at most this long. Default 10 ms.
    pub batch_max: Micros,
    /// After a round that told much, news waits for so long for each piece that was told. Default
    /// 1 ms: a hundred joins a second are told as they come, a thousand at once in a few rounds.
    pub batch_piece: Micros,
    /// And at most for so long. Default 100 ms: half of a round.
    pub batch_busy_max: Micros,
    /// Time between rounds of news that is not new any more. Default 200 ms (memberlist LAN).
    pub round: Micros,
    /// Neighbours that fresh news goes to at once. Default 5: all of HyParView's active view
    /// (paper p. 9).
    pub fanout_fresh: u32,
    /// Neighbours a round. Default 3 (memberlist LAN).
    pub fanout: u32,
    /// News is told to at most this many neighbours times the decimal digits of the cluster's
    /// size, by each node. Default 4 (memberlist LAN: `RetransmitMult`).
    pub retransmit_factor: u32,
    /// Time between digests to a random neighbour. Default 30 s (memberlist LAN: push-pull).
    pub anti_entropy: Micros,
    /// An exchange of digests that does not get on is given up. Default 2 s.
    pub exchange_timeout: Micros,
    /// Exchanges that wait for the one before; more are left to the period. Default 4.
    pub exchanges_waiting_max: usize,
    /// More records than this from one exchange are passed on by exchanges and not as news.
    /// Default 32.
    pub bulk_records: usize,
    /// A member that others take for failed and nobody here suspected may answer for so long.
    /// Default 2 s: news there and back in a thousand nodes takes less than one.
    pub contest: Micros,
    /// How long a member that is down is remembered in full; afterwards no more of it than its
    /// life, and that it was removed or in which term it was found failed.
    /// Default 24 h (Pekko: tombstones).
    pub tombstone: Micros,
    /// Members that are down and remembered in full; the earliest go first. Default 16,384.
    pub tombstones_max: usize,
    /// Members and tombstones; more are refused and counted. Default 65,536.
    pub members_max: usize,
    /// The bug that it has, if any.
    pub planted: Planted,
}

impl Default for RosterOptions {
    fn default() -> Self {
        RosterOptions {
            batch_min: Micros::from_millis(5),
            batch_max: Micros::from_millis(10),
            batch_piece: Micros::from_millis(1),
            batch_busy_max: Micros::from_millis(100),
            round: Micros::from_millis(200),
            fanout_fresh: 5,
            fanout: 3,
            retransmit_factor: 4,
            anti_entropy: Micros::from_millis(30_000),
            exchange_timeout: Micros::from_millis(2_000),
            exchanges_waiting_max: 4,
            bulk_records: 32,
            contest: Micros::from_millis(2_000),
            tombstone: Micros::from_millis(24 * 3_600_000),
            tombstones_max: 16_384,
            members_max: 65_536,
            planted: Planted::NONE,
        }
    }
}
