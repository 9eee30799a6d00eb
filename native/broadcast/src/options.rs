//! How a Plumtree is set up.

use foundation_machine::{Micros, Planted};

/// Options of a [`Plumtree`](crate::Plumtree).
#[derive(Clone, Debug)]
pub struct PlumtreeOptions {
    /// Word of broadcasts is collected for so long. Default: 5 ms (iroh-gossip).
    pub announce_after: Micros,
    /// A broadcast heard of is waited for at least so long before it is grafted. Default: 80 ms
    /// (iroh-gossip's timer 1).
    pub graft_after_min: Micros,
    /// It is waited for at most so long, or ten round trips to whoever announced it if that is
    /// more; and so long while nothing has been measured. Default: 500 ms (measured: with it no
    /// graft of 10,000 nodes was needless).
    pub graft_after_max: Micros,
    /// In between it is waited for so many times as long as the tree has been behind that
    /// neighbour's word lately. Default: 2 (measured: at 1 every slower message is grafted).
    pub graft_lag_factor: u32,
    /// After a graft the next announcer is asked after one round trip, but not sooner than this.
    /// Default: 40 ms (iroh-gossip's timer 2).
    pub regraft_after_min: Micros,
    /// A neighbour who would have brought a broadcast in so many hops fewer takes the place of the
    /// one who brought it. Unit: hops. Default: 7 (paper, p. 12).
    pub optimisation_threshold: u16,
    /// A gap in an origin's broadcasts is given up after so long. Default: 90 s (iroh-gossip's
    /// retention of ids).
    pub gap_kept: Micros,
    /// Origins remembered. Beyond, the one unheard of for longest is forgotten if that is longer
    /// than `gap_kept`, else a new one is refused. Default: 16,384 (10,000 nodes and their
    /// restarts).
    pub origins_max: usize,
    /// A payload can be grafted for so long. Default: 30 s (iroh-gossip).
    pub payload_kept: Micros,
    /// Payloads kept together occupy so much. Unit: bytes. Default: 16 MiB (64 KiB/s a node for the
    /// time of `payload_kept`, times eight).
    pub cache_bytes_max: usize,
    /// Payloads kept, whatever their size. Default: 65,536 (about 8 MiB of bookkeeping).
    pub cache_payloads_max: usize,
    /// Broadcasts that are heard of and not there. Default: 4,096 (one second of 4,000
    /// broadcasts/s).
    pub missing_max: usize,
    /// What was missed is looked for with a random neighbour so often. Default: 10 s (Partisan's
    /// `exchange_tick_period`).
    pub exchange_every: Micros,
    /// So many neighbours begin as part of the tree, further ones beside it: no difference to a
    /// partial view, but a full mesh would flood its first broadcast, and again after each join.
    /// Default: 16 (measured: a full mesh of 200 is reached in 10 hops, RMR of the first 15).
    pub eager_at_start_max: usize,
    /// So many lazy neighbours hear of a broadcast, drawn at random. Default: 8 (a node that
    /// nobody tells is one in e^8; the exchange is there for it).
    pub announce_to_max: usize,
    /// A bug to have.
    pub planted: Planted,
}

impl Default for PlumtreeOptions {
    fn default() -> Self {
        PlumtreeOptions {
            announce_after: Micros::from_millis(5),
            graft_after_min: Micros::from_millis(80),
            graft_after_max: Micros::from_millis(500),
            graft_lag_factor: 2,
            regraft_after_min: Micros::from_millis(40),
            optimisation_threshold: 7,
            gap_kept: Micros::from_millis(90_000),
            origins_max: 16_384,
            payload_kept: Micros::from_millis(30_000),
            cache_bytes_max: 16 << 20,
            cache_payloads_max: 65_536,
            missing_max: 4_096,
            exchange_every: Micros::from_millis(10_000),
            eager_at_start_max: 16,
            announce_to_max: 8,
            planted: Planted::NONE,
        }
    }
}
