//! When to dial again, and which of two crossing dials survives.

use foundation_machine::Micros;

/// What an acceptor does with a dial from a peer that it is dialling itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// Go on with the incoming connection and give up the own dial once it is authenticated.
    AcceptIncoming,
    /// Refuse the incoming connection: the own dial survives.
    KeepOwn,
}

/// Of two crossing dials the one from the lower node name survives; both ends decide alike.
#[must_use]
pub fn crossing(local_name: &str, remote_name: &str) -> Crossing {
    if local_name < remote_name { Crossing::KeepOwn } else { Crossing::AcceptIncoming }
}

/// Periods of redialling. Defaults: docs/protocol.md, dialling.
#[derive(Debug, Clone)]
pub struct DialOptions {
    /// Pause between attempts while the loss is recent.
    pub eager_period: Micros,
    /// How long a loss counts as recent.
    pub eager_for: Micros,
    /// Longest pause afterwards.
    pub period_max: Micros,
    /// Shortest time before an attempt is given up.
    pub abandon_min: Micros,
}

impl Default for DialOptions {
    fn default() -> Self {
        DialOptions {
            eager_period: Micros::from_millis(300),
            eager_for: Micros::from_millis(300_000),
            period_max: Micros::from_millis(10_000),
            abandon_min: Micros::from_millis(250),
        }
    }
}

/// The redial schedule of one peer.
#[derive(Debug, Clone)]
pub struct Redial {
    lost_at: Micros,
    pause: Micros,
    next_at: Micros,
    rtt: Micros,
}

impl Redial {
    /// A peer to be dialled at once: newly learnt, or lost just now.
    #[must_use]
    pub fn new(now: Micros) -> Redial {
        Redial { lost_at: now, pause: Micros(0), next_at: now, rtt: Micros(0) }
    }

    /// When the next attempt is due.
    #[must_use]
    pub fn next_at(&self) -> Micros {
        self.next_at
    }

    /// When the peer was lost, or first heard of.
    #[must_use]
    pub fn since(&self) -> Micros {
        self.lost_at
    }

    /// Remembers the last measured round trip, which stretches the attempt's limit.
    pub fn set_rtt(&mut self, rtt: Micros) {
        self.rtt = rtt;
    }

    /// How long an attempt may take: the larger of the minimum and twice the last round trip.
    #[must_use]
    pub fn abandon_after(&self, options: &DialOptions) -> Micros {
        options.abandon_min.max(Micros(self.rtt.0.saturating_mul(2)))
    }

    /// Plans the attempt after the one that starts now. `jitter` in 0..=255 spreads the later ones.
    pub fn attempted(&mut self, now: Micros, jitter: u8, options: &DialOptions) {
        if now.since(self.lost_at) < options.eager_for {
            self.pause = options.eager_period;
        } else {
            let doubled = Micros(self.pause.0.max(options.eager_period.0).saturating_mul(2));
            self.pause = doubled.min(options.period_max);
        }
        // A quarter of the pause is random, so that nodes that lost a peer together do not dial
        // together.
        let spread = self.pause.0 / 4 * u64::from(jitter) / 255;
        self.next_at = now + Micros(self.pause.0 - spread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_keep_the_dial_of_the_lower_name() {
        assert_eq!(crossing("a", "b"), Crossing::KeepOwn);
        assert_eq!(crossing("b", "a"), Crossing::AcceptIncoming);
    }

    #[test]
    fn attempts_are_at_most_300_ms_apart_for_five_minutes_then_back_off_to_ten_seconds() {
        let options = DialOptions::default();
        let mut redial = Redial::new(Micros(0));
        let mut now = Micros(0);
        while now.as_millis() < 299_000 {
            redial.attempted(now, 0, &options);
            assert!(redial.next_at().since(now) <= Micros::from_millis(300));
            now = redial.next_at();
        }
        for _ in 0..20 {
            now = redial.next_at();
            redial.attempted(now, 0, &options);
        }
        assert_eq!(redial.next_at().since(now), Micros::from_millis(10_000));
    }

    #[test]
    fn a_slow_peer_gets_twice_its_round_trip() {
        let options = DialOptions::default();
        let mut redial = Redial::new(Micros(0));
        assert_eq!(redial.abandon_after(&options), Micros::from_millis(250));
        redial.set_rtt(Micros::from_millis(400));
        assert_eq!(redial.abandon_after(&options), Micros::from_millis(800));
    }
}
