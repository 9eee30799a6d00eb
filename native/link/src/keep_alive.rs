//! Whether the peer is still there: any byte counts, an idle link is probed, a silent one is down.
//!
//! One side probes and the answer serves both, so an idle link costs two packets a heartbeat. The
//! other side probes once, to know the round trip, and from then on only when a probe of the first
//! one is overdue. A link between two nodes that others watch rests: it is probed now and then, and
//! as often as any other while messages go over it or after somebody, anywhere, missed an answer.

use crate::options::LinkOptions;
use foundation_machine::Micros;

/// Heartbeats between two probes of a link that rests.
const REST: u64 = 10;

/// How closely a link is watched that nothing goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// This end probes it every heartbeat.
    Probing,
    /// The peer does. This end probes where the peer's probe is overdue.
    Probed,
    /// Others watch the peer, and others this node.
    Resting,
}

#[derive(Debug)]
pub(crate) struct KeepAlive {
    /// This end has the lower name: of the two it probes first where both are to.
    is_first: bool,
    watch: Watch,
    /// A link that rests is watched as any other until then.
    close_until: Micros,
    received_at: Micros,
    probe_at: Micros,
    sequence: u32,
    probe_sent: Option<(u32, Micros)>,
    /// When the peer was asked first since it was heard.
    asked_at: Option<Micros>,
    /// It was told that the answer to that is overdue.
    is_doubted: bool,
    rtt: Option<Micros>,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Probe {
        sequence: u32,
    },
    /// The peer owes an answer: it may not be the only one that is silent.
    Doubt,
    Silent,
}

impl KeepAlive {
    pub(crate) fn new(is_first: bool, now: Micros, options: &LinkOptions) -> KeepAlive {
        let mut alive = KeepAlive {
            is_first,
            watch: if is_first { Watch::Probing } else { Watch::Probed },
            close_until: Micros(0),
            received_at: now,
            probe_at: now,
            sequence: 0,
            probe_sent: None,
            asked_at: None,
            is_doubted: false,
            rtt: None,
        };
        alive.probe_at = now + alive.period(now, options);
        alive
    }

    fn period(&self, now: Micros, options: &LinkOptions) -> Micros {
        let is_first = match self.watch {
            Watch::Probing => true,
            Watch::Probed => false,
            Watch::Resting => self.is_first,
        };
        let heartbeat = options.heartbeat.0;
        // The second end's turn comes when the first one has let a quarter more pass.
        let period = if is_first { heartbeat } else { heartbeat + heartbeat / 4 };
        let rests = self.watch == Watch::Resting && now >= self.close_until && self.rtt.is_some();
        Micros(if rests { period * REST } else { period })
    }

    pub(crate) fn set_watch(&mut self, watch: Watch, now: Micros, options: &LinkOptions) {
        if self.watch != watch {
            self.watch = watch;
            self.probe_at = self.probe_at.min(now + self.period(now, options));
        }
    }

    /// Whether the link is probed less often than it is when it is used.
    pub(crate) fn is_resting(&self) -> bool {
        self.watch == Watch::Resting && self.close_until == Micros(0)
    }

    /// The link is used, or somebody misses a peer: for as long as a silence may last it is watched
    /// as any other. Whoever was not heard for a heartbeat is asked at once.
    pub(crate) fn watch_closely(&mut self, now: Micros, options: &LinkOptions) {
        self.close_until = now + options.silent;
        self.probe_at = self.probe_at.min(now.max(self.received_at + options.heartbeat));
    }

    pub(crate) fn received(&mut self, now: Micros) {
        self.received_at = now;
        self.asked_at = None;
    }

    /// This end was not running for that long: what the peer said meanwhile is still to be read. So
    /// much of its silence is none.
    pub(crate) fn forgive(&mut self, lost: Micros, now: Micros) {
        for at in self.asked_at.iter_mut().chain([&mut self.received_at]) {
            *at = (*at + lost).min(now).max(*at);
        }
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

    /// When the silence of a peer that was asked is its end. It has a heartbeat and a half less for
    /// the answer than for all of the silence: that long others may have waited before they told.
    pub(crate) fn silent_at(&self, options: &LinkOptions) -> Micros {
        let patience = options.silent.since(Micros(options.heartbeat.0 * 3 / 2));
        self.asked_at
            .map_or(Micros::NEVER, |at| (at + patience).max(self.received_at + options.silent))
    }

    fn doubt_at(&self, options: &LinkOptions) -> Micros {
        let round_trips = Micros(self.rtt.unwrap_or_default().0 * 2);
        match self.asked_at {
            Some(at) if !self.is_doubted => at + Micros(options.heartbeat.0 / 2) + round_trips,
            _ => Micros::NEVER,
        }
    }

    pub(crate) fn next_timeout(&self, options: &LinkOptions) -> Micros {
        self.probe_at.min(self.silent_at(options)).min(self.doubt_at(options))
    }

    pub(crate) fn handle_timeout(&mut self, now: Micros, options: &LinkOptions) -> Due {
        if now >= self.close_until {
            self.close_until = Micros(0);
        }
        if now >= self.silent_at(options) {
            return Due::Silent;
        }
        if now >= self.doubt_at(options) {
            self.is_doubted = true;
            return Due::Doubt;
        }
        if now < self.probe_at {
            return Due::Nothing;
        }
        let quiet_until = self.received_at + self.period(now, options);
        if quiet_until > now && self.probe_sent.is_none() && self.rtt.is_some() {
            self.probe_at = quiet_until; // traffic has proven the peer alive; nothing to ask
            return Due::Nothing;
        }
        Due::Probe { sequence: self.probe(now, options) }
    }

    /// Numbers a probe that goes out now.
    pub(crate) fn probe(&mut self, now: Micros, options: &LinkOptions) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.probe_sent = Some((self.sequence, now));
        self.probe_at = now + self.period(now, options);
        if self.asked_at.is_none() {
            self.asked_at = Some(now);
            self.is_doubted = false;
        }
        self.sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Micros {
        Micros::from_millis(millis)
    }

    const HEARTBEAT: u64 = 1_000;

    fn probe(sequence: u32) -> Due {
        Due::Probe { sequence }
    }

    /// An end that knows the round trip, at 1 s.
    fn settled(is_first: bool, options: &LinkOptions) -> KeepAlive {
        let mut alive = KeepAlive::new(is_first, at(0), options);
        assert_eq!(alive.handle_timeout(alive.next_timeout(options), options), probe(1));
        alive.received(at(1_300));
        assert!(alive.answered(1, at(1_300)).is_some());
        alive
    }

    #[test]
    fn an_idle_link_is_probed_every_heartbeat_by_the_prober_only() {
        let options = LinkOptions::default();
        let mut alive = KeepAlive::new(true, at(0), &options);
        assert_eq!(alive.handle_timeout(at(999), &options), Due::Nothing);
        assert_eq!(alive.handle_timeout(at(1000), &options), probe(1));
        alive.received(at(1001));
        assert_eq!(alive.answered(1, at(1001)), Some(at(1)));
        let mut other = KeepAlive::new(false, at(0), &options);
        other.received(at(1001));
        assert_eq!(other.handle_timeout(at(1_200), &options), Due::Nothing);
    }

    #[test]
    fn silence_is_doubted_first_and_then_ends_the_link() {
        let options = LinkOptions::default();
        let mut alive = KeepAlive::new(false, at(0), &options);
        assert_eq!(alive.handle_timeout(at(1_250), &options), probe(1));
        assert_eq!(alive.handle_timeout(at(1_749), &options), Due::Nothing);
        assert_eq!(alive.handle_timeout(at(1_750), &options), Due::Doubt);
        assert_eq!(alive.handle_timeout(at(1_750), &options), Due::Nothing, "it is told once");
        assert_eq!(alive.handle_timeout(at(2_500), &options), probe(2));
        assert_eq!(alive.handle_timeout(at(2_699), &options), Due::Nothing);
        assert_eq!(alive.handle_timeout(at(2_700), &options), Due::Silent);
    }

    #[test]
    fn time_that_the_host_did_not_run_is_no_silence_of_the_peer() {
        let options = LinkOptions::default();
        let mut alive = KeepAlive::new(true, at(0), &options);
        alive.forgive(at(59_000), at(60_000));
        assert_eq!(alive.handle_timeout(at(60_000), &options), probe(1));
        assert_eq!(alive.handle_timeout(at(60_500), &options), Due::Doubt);
        assert_eq!(alive.handle_timeout(at(61_000), &options), probe(2));
        assert_eq!(alive.handle_timeout(at(61_699), &options), Due::Nothing);
        assert_eq!(alive.handle_timeout(at(61_700), &options), Due::Silent);
    }

    #[test]
    fn who_loses_time_again_and_again_finds_silence_all_the_same() {
        let options = LinkOptions::default();
        let mut alive = settled(true, &options);
        let found = (1..).find(|second| {
            let now = at(1_300 + second * 1_000);
            alive.forgive(at(850), now);
            loop {
                match alive.handle_timeout(now, &options) {
                    Due::Silent => return true,
                    Due::Nothing => return false,
                    Due::Probe { .. } | Due::Doubt => {}
                }
            }
        });
        // 18 times 150 ms are 2.7 s.
        assert_eq!(found, Some(18));
    }

    #[test]
    fn a_link_that_rests_is_probed_now_and_then() {
        let options = LinkOptions::default();
        for is_first in [true, false] {
            let mut alive = settled(is_first, &options);
            alive.set_watch(Watch::Resting, at(1_300), &options);
            let mut probes = 0;
            for tick in 14..=613 {
                let now = at(tick * 100);
                while alive.next_timeout(&options) <= now {
                    if let Due::Probe { sequence } = alive.handle_timeout(now, &options) {
                        probes += 1;
                        alive.received(now);
                        alive.answered(sequence, now);
                    }
                }
            }
            // A minute: six at ten heartbeats; the other end leaves a quarter more.
            assert_eq!(probes, if is_first { 6 } else { 4 });
        }
    }

    #[test]
    fn a_link_that_rests_is_asked_at_once_where_somebody_is_missed() {
        let options = LinkOptions::default();
        let mut alive = settled(true, &options);
        alive.set_watch(Watch::Resting, at(1_300), &options);
        assert_eq!(alive.handle_timeout(at(2_000), &options), Due::Nothing);
        assert!(alive.next_timeout(&options) > at(11_000));
        alive.watch_closely(at(6_000), &options);
        assert_eq!(alive.next_timeout(&options), at(6_000));
        assert_eq!(alive.handle_timeout(at(6_000), &options), probe(2));
        // Silent since long, it has as long for its answer as the watched one has from there on.
        assert_eq!(alive.handle_timeout(at(7_000), &options), probe(3));
        // Half a heartbeat after the first one, and two round trips.
        assert_eq!(alive.handle_timeout(at(7_100), &options), Due::Doubt);
        assert_eq!(alive.handle_timeout(at(7_199), &options), Due::Nothing);
        assert_eq!(alive.handle_timeout(at(7_200), &options), Due::Silent);
    }

    #[test]
    fn one_that_answers_is_watched_closely_for_as_long_as_a_silence_may_last() {
        let options = LinkOptions::default();
        let mut alive = settled(true, &options);
        alive.set_watch(Watch::Resting, at(1_300), &options);
        assert_eq!(alive.handle_timeout(at(2_000), &options), Due::Nothing);
        alive.watch_closely(at(6_000), &options);
        assert!(!alive.is_resting());
        assert_eq!(alive.handle_timeout(at(6_000), &options), probe(2));
        alive.received(at(6_001));
        alive.answered(2, at(6_001));
        let mut now = at(6_001);
        while !alive.is_resting() {
            now = now + at(HEARTBEAT);
            if let Due::Probe { sequence } = alive.handle_timeout(now, &options) {
                alive.received(now);
                alive.answered(sequence, now);
            }
            assert!(now < at(11_000), "it rests again");
        }
        assert!(now >= at(6_000) + options.silent);
    }

    #[test]
    fn traffic_makes_probes_needless() {
        let options = LinkOptions::default();
        let mut alive = KeepAlive::new(true, at(0), &options);
        assert_eq!(alive.handle_timeout(at(1000), &options), probe(1));
        alive.answered(1, at(1001));
        alive.received(at(1990));
        assert_eq!(alive.handle_timeout(at(2001), &options), Due::Nothing);
        assert_eq!(alive.handle_timeout(at(2990), &options), probe(2));
    }
}
