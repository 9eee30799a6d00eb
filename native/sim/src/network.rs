//! Who reaches whom, after how long, and what is lost on the way.

use std::collections::BTreeSet;

use foundation_machine::{Micros, Rng};

use crate::trace::mixed;

/// How long messages take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Each pair of nodes has its own one-way time, drawn evenly from here to there.
    Even {
        /// The nearest pair.
        least: Micros,
        /// The farthest pair.
        most: Micros,
    },
    /// Nodes lie in regions, node i in region i mod `count`.
    Regions {
        /// How many.
        count: u32,
        /// One way inside a region.
        inside: Micros,
        /// One way between the nearest regions.
        across_least: Micros,
        /// One way between the farthest.
        across_most: Micros,
    },
}

/// The network as it is when nothing is broken, and how it misbehaves.
#[derive(Clone, Debug)]
pub struct NetworkOptions {
    /// How long messages take.
    pub latency: Latency,
    /// How much longer a message may take than its pair's time. Unit: parts of that time.
    pub jitter: f64,
    /// Messages lost and sent again by the transport, which holds up those behind them.
    pub loss: f64,
    /// Messages handed over twice.
    pub duplicates: f64,
    /// After how long without anything a link is given up. 3 s: three heartbeats of the host.
    pub silent_after: Micros,
    /// After how long a dial without an answer is given up. 1 s: the host's default.
    pub dial_timeout: Micros,
    /// The transport's first time-out before it sends again. 200 ms: Linux's least.
    pub retransmit_after: Micros,
    /// How often a link's round trip is told to both ends, beside once at its start.
    pub round_trip_every: Micros,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        NetworkOptions {
            latency: Latency::Even { least: Micros(500), most: Micros(2_500) },
            jitter: 0.1,
            loss: 0.0,
            duplicates: 0.0,
            silent_after: Micros::from_millis(3_000),
            dial_timeout: Micros::from_millis(1_000),
            retransmit_after: Micros::from_millis(200),
            round_trip_every: Micros::NEVER,
        }
    }
}

/// What became of a message on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It takes that long; so many times it was lost and sent again.
    Takes(Micros, u32),
    /// It was lost so often that the link counts as broken.
    Broken,
}

/// The network of a run.
#[derive(Debug)]
pub struct Network {
    /// How it behaves; may be changed while a run goes on.
    pub options: NetworkOptions,
    seed: u64,
    // Nodes reach each other that have a bit in common.
    sides: Vec<u8>,
    cut: BTreeSet<(u32, u32)>,
    rng: Rng,
}

const EVERY_SIDE: u8 = u8::MAX;

impl Network {
    pub(crate) fn new(options: NetworkOptions, seed: u64, rng: Rng) -> Network {
        Network { options, seed, sides: Vec::new(), cut: BTreeSet::new(), rng }
    }

    pub(crate) fn add_node(&mut self) {
        self.sides.push(EVERY_SIDE);
    }

    /// Whether what `from` sends reaches `to`.
    #[inline]
    #[must_use]
    pub fn reaches(&self, from: u32, to: u32) -> bool {
        self.sides[from as usize] & self.sides[to as usize] != 0
            && (self.cut.is_empty() || !self.cut.contains(&(from, to)))
    }

    /// Whether anything is cut.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.cut.is_empty() && self.sides.iter().all(|&side| side == EVERY_SIDE)
    }

    pub(crate) fn set_side(&mut self, node: u32, bits: u8) {
        self.sides[node as usize] = bits;
    }

    pub(crate) fn set_cut(&mut self, from: u32, to: u32, is_cut: bool) {
        if is_cut {
            self.cut.insert((from, to));
        } else {
            self.cut.remove(&(from, to));
        }
    }

    pub(crate) fn heal(&mut self) {
        self.sides.fill(EVERY_SIDE);
        self.cut.clear();
    }

    /// The one-way time of a pair, before jitter: the same in both directions.
    #[must_use]
    pub fn one_way(&self, from: u32, to: u32) -> Micros {
        let drawn = |low: u32, high: u32, least: Micros, most: Micros| {
            let pair = u64::from(low) << 32 | u64::from(high);
            let span = most.since(least).0 + 1;
            Micros(least.0 + mixed(self.seed ^ pair.wrapping_mul(0x9e37_79b9_7f4a_7c15)) % span)
        };
        match self.options.latency {
            Latency::Even { least, most } => drawn(from.min(to), from.max(to), least, most),
            Latency::Regions { count, inside, across_least, across_most } => {
                let (one, other) = (from % count, to % count);
                if one == other {
                    return inside;
                }
                drawn(one.min(other), one.max(other), across_least, across_most)
            }
        }
    }

    /// There and back, before jitter.
    #[must_use]
    pub fn round_trip(&self, from: u32, to: u32) -> Micros {
        Micros(2 * self.one_way(from, to).0)
    }

    pub(crate) fn passage(&mut self, from: u32, to: u32) -> Passage {
        let base = self.one_way(from, to).0;
        let mut takes = base + (base as f64 * self.options.jitter * self.rng.unit()) as u64;
        if self.options.loss == 0.0 {
            return Passage::Takes(Micros(takes), 0);
        }
        let mut wait = self.options.retransmit_after.0.max(2 * base);
        let mut losses = 0;
        while self.rng.chance(self.options.loss) {
            losses += 1;
            takes += wait;
            wait *= 2;
            if takes > self.options.silent_after.0 {
                return Passage::Broken;
            }
        }
        Passage::Takes(Micros(takes), losses)
    }

    pub(crate) fn is_duplicated(&mut self) -> bool {
        self.options.duplicates > 0.0 && self.rng.chance(self.options.duplicates)
    }

    /// How long until the silence of a link is noticed: at a heartbeat's beat.
    pub(crate) fn noticed_after(&mut self) -> Micros {
        let beat = self.options.silent_after.0 / 3;
        Micros(self.options.silent_after.0 + (beat as f64 * self.rng.unit()) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(options: NetworkOptions) -> Network {
        let mut network = Network::new(options, 9, Rng::new(9));
        (0..10).for_each(|_| network.add_node());
        network
    }

    #[test]
    fn a_bridge_reaches_both_sides_and_a_cut_has_one_direction() {
        let mut network = network(NetworkOptions::default());
        (0..10).for_each(|node| network.set_side(node, if node < 5 { 1 } else { 2 }));
        network.set_side(4, 3);
        assert!(!network.reaches(0, 9));
        assert!(network.reaches(0, 4) && network.reaches(4, 9) && network.reaches(9, 4));
        network.set_cut(0, 1, true);
        assert!(!network.reaches(0, 1) && network.reaches(1, 0));
        network.heal();
        assert!(network.is_whole() && network.reaches(0, 9) && network.reaches(0, 1));
    }

    #[test]
    fn a_pair_keeps_its_time_and_regions_are_near_inside() {
        let ms = Micros::from_millis;
        let latency = Latency::Regions {
            count: 5,
            inside: ms(1),
            across_least: ms(20),
            across_most: ms(100),
        };
        let network = network(NetworkOptions { latency, ..NetworkOptions::default() });
        assert_eq!(network.one_way(0, 5), ms(1));
        assert_eq!(network.one_way(0, 6), network.one_way(6, 0));
        assert_eq!(network.one_way(0, 6), network.one_way(5, 1));
        assert!((ms(20)..=ms(100)).contains(&network.one_way(2, 3)));
    }

    #[test]
    fn a_third_of_losses_delays_but_seldom_breaks() {
        let mut network = network(NetworkOptions { loss: 0.3, ..NetworkOptions::default() });
        let mut lost = 0;
        let mut broken = 0;
        for _ in 0..10_000 {
            match network.passage(0, 1) {
                Passage::Takes(_, losses) => lost += u32::from(losses > 0),
                Passage::Broken => broken += 1,
            }
        }
        assert!((2_700..3_300).contains(&(lost + broken)), "{lost} {broken}");
        // Four losses in a row exceed three seconds: 0.3^4.
        assert!((30..160).contains(&broken), "{broken}");
    }
}
