//! How suspicious the silence of a link is, by the intervals of its heartbeats.
//!
//! Hayashibara, Défago, Yared, Katayama: "The phi accrual failure detector" (2004), with Pekko's
//! acceptable pause.

use std::collections::VecDeque;

use foundation_machine::Micros;

use crate::options::PhiOptions;

/// The silence of one link. Only heartbeats teach it their rhythm; any other sign of life ends a
/// silence without teaching anything.
#[derive(Clone, Debug)]
pub struct Phi {
    options: PhiOptions,
    /// Unit: microseconds.
    intervals: VecDeque<u32>,
    sum: u64,
    sum_of_squares: u128,
    beat_at: Option<Micros>,
    heard_at: Micros,
    /// When the silence began, as far as it can be held against the peer.
    silent_since: Micros,
    learns_from_gaps: bool,
}

impl Phi {
    /// A link that has just come up.
    #[must_use]
    pub fn new(options: PhiOptions, now: Micros) -> Phi {
        Phi {
            options,
            intervals: VecDeque::new(),
            sum: 0,
            sum_of_squares: 0,
            beat_at: None,
            heard_at: now,
            silent_since: now,
            learns_from_gaps: false,
        }
    }

    /// The planted bug: it takes every gap for the link's rhythm.
    pub(crate) fn learning_from_gaps(self, learns_from_gaps: bool) -> Phi {
        Phi { learns_from_gaps, ..self }
    }

    /// A regular sign of life. An interval that is long enough for suspicion is not learned, even
    /// if other signs of life came meanwhile.
    pub fn heartbeat(&mut self, now: Micros) {
        if let Some(beat_at) = self.beat_at
            && (now.since(beat_at) < self.silence_max() || self.learns_from_gaps)
        {
            self.learn(u32::try_from(now.since(beat_at).0).unwrap_or(u32::MAX));
        }
        self.beat_at = Some(now);
        self.heard(now);
    }

    /// Any sign of life.
    pub fn heard(&mut self, now: Micros) {
        self.heard_at = self.heard_at.max(now);
        self.silent_since = self.silent_since.max(now);
    }

    /// This node stood still and has yet to read what came: the silence begins anew, and the
    /// interval under way says nothing.
    pub fn forgive(&mut self, now: Micros) {
        self.beat_at = None;
        self.silent_since = self.silent_since.max(now);
    }

    /// When the peer was last heard.
    #[must_use]
    pub fn heard_at(&self) -> Micros {
        self.heard_at
    }

    /// Whether heartbeats come, so that their silence can be judged.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.intervals.len() >= self.options.samples_min.max(1)
    }

    fn learn(&mut self, interval: u32) {
        if self.intervals.len() >= self.options.samples_max
            && let Some(oldest) = self.intervals.pop_front()
        {
            self.sum -= u64::from(oldest);
            self.sum_of_squares -= u128::from(oldest) * u128::from(oldest);
        }
        self.intervals.push_back(interval);
        self.sum += u64::from(interval);
        self.sum_of_squares += u128::from(interval) * u128::from(interval);
    }

    /// Mean and standard deviation. Unit: microseconds.
    fn rhythm(&self) -> (f64, f64) {
        let count = self.intervals.len() as f64;
        let mean = self.sum as f64 / count;
        let variance = (self.sum_of_squares as f64 / count - mean * mean).max(0.0);
        (mean, variance.sqrt().max(self.options.spread_min.0 as f64))
    }

    /// When the silence becomes suspicious if nothing comes; [`Micros::NEVER`] while too little is
    /// known. `patience` is added: a busy peer has a longer one. Only arithmetic and square roots,
    /// so that every platform finds the same microsecond.
    #[must_use]
    pub fn deadline(&self, patience: Micros) -> Micros {
        self.silent_since + self.silence_max() + patience
    }

    /// The silence that is suspicious.
    fn silence_max(&self) -> Micros {
        if !self.is_watched() {
            return Micros::NEVER;
        }
        let (mean, spread) = self.rhythm();
        let silence = mean + spread * deviations(self.options.threshold);
        self.options.acceptable_pause + Micros(silence as u64)
    }

    /// The level of suspicion: -log10 of the probability that a heartbeat comes this late. For
    /// display: decisions go by [`Phi::deadline`].
    #[must_use]
    pub fn level(&self, now: Micros) -> f64 {
        if self.intervals.is_empty() {
            return 0.0;
        }
        let (mean, spread) = self.rhythm();
        let silence = now.since(self.silent_since).0 as f64;
        let late = (silence - self.options.acceptable_pause.0 as f64 - mean) / spread;
        -upper_tail(late).log10()
    }
}

/// How many standard deviations above the mean the normal distribution leaves 10^-threshold.
/// Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.23: within 4.5e-4.
fn deviations(threshold: u8) -> f64 {
    let t = (2.0 * std::f64::consts::LN_10 * f64::from(threshold)).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    t - above / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)))
}

/// The normal distribution's tail above `z`. Abramowitz and Stegun 26.2.17, and the first term of
/// 26.2.12 where that has no digits left.
fn upper_tail(z: f64) -> f64 {
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if z > 4.0 {
        return (density / z).max(f64::MIN_POSITIVE);
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let sum = t
        * (0.319_381_53
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    if z >= 0.0 { density * sum } else { 1.0 - density * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = Micros::from_millis(1_000);

    fn regular(options: PhiOptions, beats: u64) -> (Phi, Micros) {
        let mut phi = Phi::new(options, Micros(0));
        for beat in 1..=beats {
            phi.heartbeat(Micros(beat * SECOND.0));
        }
        (phi, Micros(beats * SECOND.0))
    }

    #[test]
    fn constant_intervals_cross_at_mean_and_pause_and_five_point_six_spreads() {
        let (phi, last) = regular(PhiOptions::default(), 20);
        let silence = phi.deadline(Micros(0)).since(last).as_millis();
        assert!((4_560..=4_563).contains(&silence), "{silence}");
        assert!(phi.level(last + Micros::from_millis(silence - 20)) < 8.0);
        assert!(phi.level(last + Micros::from_millis(silence + 40)) > 8.0);
    }

    #[test]
    fn pauses_below_the_acceptable_one_never_cross() {
        let mut phi = Phi::new(PhiOptions::default(), Micros(0));
        let mut now = Micros(0);
        for beat in 0..1_000u64 {
            let pause = if beat % 50 == 49 { 2_900 } else { 1_000 };
            now = now + Micros::from_millis(pause);
            assert!(phi.deadline(Micros(0)) > now, "beat {beat}");
            phi.heartbeat(now);
        }
    }

    #[test]
    fn the_gap_that_ended_a_suspicion_is_not_learned() {
        let (mut phi, last) = regular(PhiOptions::default(), 20);
        let before = phi.deadline(Micros(0)).since(last);
        let back = last + Micros::from_millis(60_000);
        phi.heartbeat(back);
        assert_eq!(phi.deadline(Micros(0)).since(back), before);
    }

    #[test]
    fn other_signs_of_life_end_a_silence_and_teach_nothing() {
        let (mut phi, last) = regular(PhiOptions::default(), 20);
        let before = phi.deadline(Micros(0)).since(last);
        for step in 1..500 {
            phi.heard(last + Micros(step * 1_000));
        }
        let heard = last + Micros(499_000);
        assert_eq!(phi.deadline(Micros(0)).since(heard), before);
        phi.heartbeat(last + SECOND);
        assert_eq!(phi.deadline(Micros(0)).since(last + SECOND), before);
        // Heartbeats that fail to come are no rhythm, though the peer speaks.
        phi.heard(last + Micros(20 * SECOND.0));
        phi.heartbeat(last + Micros(21 * SECOND.0));
        assert_eq!(phi.deadline(Micros(0)).since(last + Micros(21 * SECOND.0)), before);
    }

    #[test]
    fn a_link_without_a_rhythm_is_not_judged_and_a_busy_peer_gets_patience() {
        let (phi, _) = regular(PhiOptions::default(), 2);
        assert_eq!(phi.deadline(Micros(0)), Micros::NEVER);
        let (phi, _) = regular(PhiOptions::default(), 20);
        assert_eq!(phi.deadline(SECOND).since(phi.deadline(Micros(0))), SECOND);
    }

    #[test]
    fn the_distribution_is_the_normal_one() {
        assert!((deviations(8) - 5.612).abs() < 5e-4);
        assert!((deviations(3) - 3.0902).abs() < 5e-4);
        assert!((upper_tail(0.0) - 0.5).abs() < 1e-6);
        assert!((upper_tail(-1.0) - 0.841_345).abs() < 1e-6);
        assert!((-upper_tail(5.612).log10() - 8.0).abs() < 0.02);
    }
}
