//! Whether the peer is still there: any byte counts, an idle link is probed, a silent one is down.
//!
//! One side probes (the lower node name) and the answer serves both, so an idle link costs two
//! packets a heartbeat. The other side probes once, to know the round trip, and from then on only
//! when the first one has let two heartbeats pass.

use crate::options::LinkOptions;
use foundation_machine::Micros;

#[derive(Debug)]
pub(crate) struct KeepAlive {
    is_prober: bool,
    received_at: Micros,
    probe_at: Micros,
    sequence: u32,
    probe_sent: Option<(u32, Micros)>,
    rtt: Option<Micros>,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Probe { sequence: u32 },
    Silent,
}

impl KeepAlive {
    pub(crate) fn new(is_prober: bool, now: Micros, options: &LinkOptions) -> KeepAlive {
        let mut alive = KeepAlive {
            is_prober,
            received_at: now,
            probe_at: now,
            sequence: 0,
            probe_sent: None,
            rtt: None,
        };
        alive.probe_at = now + alive.period(options);
        alive
    }

    fn period(&self, options: &LinkOptions) -> Micros {
        if self.is_prober { options.heartbeat } else { Micros(options.heartbeat.0 * 2) }
    }

    pub(crate) fn received(&mut self, now: Micros) {
        self.received_at = now;
    }

    /// This end was not running for a while: what the peer said meanwhile is still to be read.
    pub(crate) fn forgive(&mut self, now: Micros) {
        self.received_at = self.received_at.max(now);
    }

    /// Measures the round trip that ends with this answer.
    pub(crate) fn answered(&mut self, sequence: u32, now: Micros) -> Option<Micros> {
        let (sent, at) = self.probe_sent?;
        if sent != sequence {
            return None;
        }
        self.probe_sent = None;
        self.rtt = Some(now.since(at));
        self.rtt
    }

    pub(crate) fn rtt(&self) -> Option<Micros> {
        self.rtt
    }

    pub(crate) fn next_timeout(&self, options: &LinkOptions) -> Micros {
        self.probe_at.min(self.received_at + options.silent)
    }

    pub(crate) fn handle_timeout(&mut self, now: Micros, options: &LinkOptions) -> Due {
        let late = now.since(self.next_timeout(options));
        if late > options.heartbeat {
            // This host did not run (a debugger, a suspended machine): what the peer said meanwhile
            // is yet to be read, so that time is not the peer's silence.
            self.received_at = (self.received_at + late).min(now);
        }
        if now.since(self.received_at) >= options.silent {
            return Due::Silent;
        }
        if now < self.probe_at {
            return Due::Nothing;
        }
        let period = self.period(options);
        let quiet_until = self.received_at + period;
        if quiet_until > now && self.probe_sent.is_none() && self.rtt.is_some() {
            self.probe_at = quiet_until; // traffic has proven the peer alive; nothing to ask
            return Due::Nothing;
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.probe_sent = Some((self.sequence, now));
        self.probe_at = now + period;
        Due::Probe { sequence: self.sequence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Micros {
        Micros::from_millis(millis)
    }

    #[test]
    fn an_idle_link_is_probed_every_heartbeat_by_the_prober_only() {
        let options = LinkOptions::default();
        let mut alive = KeepAlive::new(true, at(0), &options);
        assert_eq!(alive.handle_timeout(at(999), &options), Due::Nothing);
        assert_eq!(alive.handle_timeout(at(1000), &options), Due::Probe { sequence: 1 });
        alive.received(at(1001));
        assert_eq!(alive.answered(1, at(1001)), Some(at(1)));
        let mut other = KeepAlive::new(false, at(0), &options);
        other.received(at(1001));
        assert_eq!(other.handle_timeout(at(1500), &options), Due::Nothing);
    }

    #[test]
    fn silence_ends_the_link() {
        let options = LinkOptions::default();
        let mut alive = KeepAlive::new(false, at(0), &options);
        assert_eq!(alive.handle_timeout(at(2000), &options), Due::Probe { sequence: 1 });
        assert_eq!(alive.handle_timeout(at(3000), &options), Due::Silent);
    }

    #[test]
    fn time_that_the_host_did_not_run_is_no_silence_of_the_peer() {
        let options = LinkOptions::default();
        let mut alive = KeepAlive::new(true, at(0), &options);
        assert_eq!(alive.handle_timeout(at(60_000), &options), Due::Probe { sequence: 1 });
        assert_eq!(alive.handle_timeout(at(61_000), &options), Due::Probe { sequence: 2 });
        assert_eq!(alive.handle_timeout(at(62_000), &options), Due::Silent);
    }

    #[test]
    fn traffic_makes_probes_needless() {
        let options = LinkOptions::default();
        let mut alive = KeepAlive::new(true, at(0), &options);
        assert_eq!(alive.handle_timeout(at(1000), &options), Due::Probe { sequence: 1 });
        alive.answered(1, at(1001));
        alive.received(at(1990));
        assert_eq!(alive.handle_timeout(at(2001), &options), Due::Nothing);
        assert_eq!(alive.handle_timeout(at(2990), &options), Due::Probe { sequence: 2 });
    }
}
