//! The settings of a detector.

use foundation_machine::{Micros, Planted};

/// Settings of a [`Phi`](crate::Phi).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhiOptions {
    /// How improbable a silence has to be. Default 8: one in 10^8 (Pekko: `threshold`).
    pub threshold: u8,
    /// The least spread that is assumed. Default 100 ms (Pekko: `min-std-deviation`).
    pub spread_min: Micros,
    /// A silence that is no news. Default 3 s (Pekko: `acceptable-heartbeat-pause`).
    pub acceptable_pause: Micros,
    /// Intervals remembered. Default 128: two minutes at a heartbeat a second, half a KiB a link
    /// (Pekko keeps 1,000).
    pub samples_max: usize,
    /// Intervals needed before a silence is judged. Default 3: fewer say nothing of the spread.
    pub samples_min: usize,
}

impl Default for PhiOptions {
    fn default() -> Self {
        PhiOptions {
            threshold: 8,
            spread_min: Micros::from_millis(100),
            acceptable_pause: Micros::from_millis(3_000),
            samples_max: 128,
            samples_min: 3,
        }
    }
}

/// Settings of a [`Probing`](crate::Probing).
///
/// The default finds a silent node within 3 s, where memberlist's LAN profile needs 4 s for the
/// suspicion alone: links give what a datagram does not, a reset when a process dies and a
/// heartbeat from a thread that a blocked event loop does not hold up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetectorOptions {
    /// At most one probe goes out in this time. Default 1 s (memberlist LAN).
    pub interval: Micros,
    /// A probe over a link is unanswered after this; others are asked then. Default 500 ms
    /// (memberlist LAN).
    pub timeout: Micros,
    /// Others' answers are awaited for this long. Default 500 ms (memberlist LAN: the rest of the
    /// interval).
    pub check_timeout: Micros,
    /// A probe that is relayed is unanswered after this. Default 1 s: some hops each way.
    pub relay_timeout: Micros,
    /// Members asked to check. Default 3 (SWIM's k; memberlist LAN).
    pub checkers: usize,
    /// At most one probe of a member that no heartbeat watches in this time. Default 5 s: with ten
    /// hops of 120 bytes that is a quarter of the 1 kB/s that a node may cost when idle.
    pub stranger_interval: Micros,
    /// Coordinates are refreshed by one probe over a link in this time. Default 10 s.
    pub coordinate_interval: Micros,
    /// The shortest suspicion, times max(1, log10 n). Default 600 ms: with the silence that phi
    /// allows it makes less than 3 s at 32 nodes (memberlist LAN: 4 s).
    pub suspicion: Micros,
    /// The longest suspicion, in shortest ones. Default 6 (memberlist: `SuspicionMaxTimeoutMult`).
    pub suspicion_factor_max: u32,
    /// Members that have to agree for the shortest suspicion. Default 3.
    pub confirmations: usize,
    /// The worst health that a node gives itself; 0 switches that off. Default 7 (memberlist:
    /// `AwarenessMaxMultiplier` 8).
    pub health_max: u8,
    /// A timer that comes this much too late means that this node stood still. Default 250 ms.
    pub stall: Micros,
    /// Silence of links. Default: a pause of 500 ms, for heartbeats come from a native thread.
    pub phi: PhiOptions,
    /// Members known; more are refused and counted. Default 65,536.
    pub members_max: usize,
    /// Checks for others at once; more are answered "no" at once. Default 64.
    pub checks_max: usize,
    /// The bug that it has, if any.
    pub planted: Planted,
}

impl Default for DetectorOptions {
    fn default() -> Self {
        let phi =
            PhiOptions { acceptable_pause: Micros::from_millis(500), ..PhiOptions::default() };
        DetectorOptions {
            interval: Micros::from_millis(1_000),
            timeout: Micros::from_millis(500),
            check_timeout: Micros::from_millis(500),
            relay_timeout: Micros::from_millis(1_000),
            checkers: 3,
            stranger_interval: Micros::from_millis(5_000),
            coordinate_interval: Micros::from_millis(10_000),
            suspicion: Micros::from_millis(600),
            suspicion_factor_max: 6,
            confirmations: 3,
            health_max: 7,
            stall: Micros::from_millis(250),
            phi,
            members_max: 65_536,
            checks_max: 64,
            planted: Planted::NONE,
        }
    }
}

impl DetectorOptions {
    /// SWIM without Lifeguard: one fixed suspicion for everybody, and no doubt of oneself.
    #[must_use]
    pub fn without_lifeguard(self) -> DetectorOptions {
        let stall = Micros::NEVER;
        DetectorOptions { health_max: 0, suspicion_factor_max: 1, stall, ..self }
    }
}
