//! How a switch is set up.

use foundation_machine::{Micros, Planted};

/// Options of a [`Switch`](crate::Switch).
#[derive(Clone, Debug)]
pub struct SwitchOptions {
    /// The coordinator waits for all members for so long; another member waits twice as long for
    /// its decision. Default: 30 s (measured: HyParView with 1,000 nodes is up within 10 s).
    pub timeout: Micros,
    /// After its coordinator is gone, an attempt is kept for so long, for news of a commit to come.
    /// Default: 5 s (twice the time of two repairs).
    pub orphan_after: Micros,
    /// The overlay that was replaced is kept for so long. Default: 10 s (twenty times what a
    /// broadcast takes to reach 10,000 nodes).
    pub drain: Micros,
    /// News of who is ready is collected for so long. Default: 20 ms (a tenth of what it takes
    /// through 1,000 nodes).
    pub gather: Micros,
    /// While an attempt is under way and nothing new is heard, all is told again so often. Default:
    /// 1 s (memberlist's probe interval: what a lost message costs is one of them).
    pub repair_every: Micros,
    /// One random neighbour is told how things are so often. Default: 30 s (memberlist's
    /// push-pull).
    pub remind_every: Micros,
    /// So many neighbours at once are told news, drawn at random if there are more. Default: 8 (one
    /// node in e^8 hears it from nobody, and in the next repair).
    pub fanout: usize,
    /// A bug to have.
    pub planted: Planted,
}

impl Default for SwitchOptions {
    fn default() -> Self {
        SwitchOptions {
            timeout: Micros::from_millis(30_000),
            orphan_after: Micros::from_millis(5_000),
            drain: Micros::from_millis(10_000),
            gather: Micros::from_millis(20),
            repair_every: Micros::from_millis(1_000),
            remind_every: Micros::from_millis(30_000),
            fanout: 8,
            planted: Planted::NONE,
        }
    }
}
