//! Random numbers of a machine: seeded by its maker, the same on every platform.

/// A generator by O'Neill ("PCG: A Family of Simple Fast Space-Efficient Statistically Good
/// Algorithms for Random Number Generation", 2014): 64 bits of state, XSH-RR output of 32. It
/// decides whom to gossip with and when, never a secret.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
    stream: u64,
}

const MULTIPLIER: u64 = 6_364_136_223_846_793_005;

impl Rng {
    /// A generator of its own for each seed.
    #[must_use]
    pub fn new(seed: u64) -> Rng {
        Rng::of_stream(seed, 0)
    }

    /// Generators of one seed and different streams are independent.
    #[must_use]
    pub fn of_stream(seed: u64, stream: u64) -> Rng {
        let mut rng = Rng { state: 0, stream: stream << 1 | 1 };
        rng.next_u32();
        rng.state = rng.state.wrapping_add(seed);
        rng.next_u32();
        rng
    }

    /// A generator that is independent of what this one gives next.
    #[must_use]
    pub fn fork(&mut self) -> Rng {
        Rng::of_stream(self.next_u64(), self.next_u64())
    }

    /// 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        let old = self.state;
        self.state = old.wrapping_mul(MULTIPLIER).wrapping_add(self.stream);
        let shifted = ((old >> 18 ^ old) >> 27) as u32;
        shifted.rotate_right((old >> 59) as u32)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) << 32 | u64::from(self.next_u32())
    }

    /// A number below `bound`, each equally likely; 0 for a bound of 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        // Numbers of the last, incomplete round would favour small answers.
        let reject_below = bound.wrapping_neg() % bound;
        loop {
            let drawn = self.next_u32();
            if drawn >= reject_below {
                return drawn % bound;
            }
        }
    }

    /// An index of a list of that length; 0 for an empty one. Lists are shorter than 2^32.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(u32::try_from(length).unwrap_or(u32::MAX)) as usize
    }

    /// A number of 0 (inclusive) to 1 (exclusive).
    pub fn unit(&mut self) -> f64 {
        f64::from(self.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    /// Whether something happens that has this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the list, if there is any.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.index(list.len()))
    }

    /// Puts the list into a random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.index(last + 1));
        }
    }

    /// Up to `count` of the list, each subset equally likely, in random order.
    pub fn sample<T: Clone>(&mut self, list: &[T], count: usize) -> Vec<T> {
        let mut drawn = list.to_vec();
        for place in 0..count.min(drawn.len()) {
            let other = place + self.index(drawn.len() - place);
            drawn.swap(place, other);
        }
        drawn.truncate(count);
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_generator_gives_its_published_numbers() {
        // The demonstration of the reference implementation: seed 42, stream 54.
        let mut rng = Rng::of_stream(42, 54);
        let drawn: Vec<u32> = (0..6).map(|_| rng.next_u32()).collect();
        let published =
            [0xa15c_02b7, 0x7b47_f409, 0xba1d_3330, 0x83d2_f293, 0xbfa4_784b, 0xcbed_606e];
        assert_eq!(drawn, published);
    }

    #[test]
    fn a_sample_holds_each_element_at_most_once_and_each_equally_often() {
        let mut rng = Rng::new(7);
        let list: Vec<u32> = (0..10).collect();
        let mut counts = [0u32; 10];
        for _ in 0..10_000 {
            let mut drawn = rng.sample(&list, 3);
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), 3);
            for element in drawn {
                counts[element as usize] += 1;
            }
        }
        // 3,000 expected, standard deviation 46: six of them on each side.
        assert!(counts.iter().all(|&count| (2_724..=3_276).contains(&count)), "{counts:?}");
    }

    #[test]
    fn bounds_of_nothing_and_lists_of_nothing_have_an_answer() {
        let mut rng = Rng::new(1);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.pick::<u8>(&[]), None);
        assert!(rng.sample::<u8>(&[], 3).is_empty());
    }
}
