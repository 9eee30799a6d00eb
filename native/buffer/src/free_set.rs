//! A set of small integers that finds its least member in a few steps and never allocates again.

const WORD_BITS: usize = 64;

/// Bits in words; each word of a level above tells which words below hold any.
#[derive(Debug)]
pub(crate) struct FreeSet {
    /// From the members up to a level of one word.
    levels: Vec<Box<[u64]>>,
}

impl FreeSet {
    /// An empty set of integers below `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        let mut levels = Vec::new();
        let mut bits = limit.max(1);
        loop {
            let words = bits.div_ceil(WORD_BITS);
            levels.push(vec![0; words].into_boxed_slice());
            if words == 1 {
                return Self { levels };
            }
            bits = words;
        }
    }

    pub(crate) fn contains(&self, member: usize) -> bool {
        let word = self.levels[0].get(member / WORD_BITS).copied().unwrap_or(0);
        word & bit(member) != 0
    }

    pub(crate) fn insert(&mut self, member: usize) {
        let mut index = member;
        for level in &mut self.levels {
            let word = &mut level[index / WORD_BITS];
            let was_empty = *word == 0;
            *word |= bit(index);
            if !was_empty {
                return; // the levels above know of this word
            }
            index /= WORD_BITS;
        }
    }

    /// `false` if it was no member.
    pub(crate) fn remove(&mut self, member: usize) -> bool {
        if !self.contains(member) {
            return false;
        }
        let mut index = member;
        for level in &mut self.levels {
            let word = &mut level[index / WORD_BITS];
            *word &= !bit(index);
            if *word != 0 {
                break;
            }
            index /= WORD_BITS;
        }
        true
    }

    /// The least member: low addresses are used again first, so high pages stay untouched.
    pub(crate) fn first(&self) -> Option<usize> {
        let mut index = 0;
        for level in self.levels.iter().rev() {
            let word = level[index];
            if word == 0 {
                return None;
            }
            index = index * WORD_BITS + word.trailing_zeros() as usize;
        }
        Some(index)
    }
}

fn bit(index: usize) -> u64 {
    1 << (index % WORD_BITS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::FreeSet;

    proptest! {
        #[test]
        fn agrees_with_an_ordered_set(
            limit in 1..10_000usize,
            steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 1..200),
        ) {
            let mut set = FreeSet::new(limit);
            let mut model = BTreeSet::new();
            for (inserts, index) in steps {
                let member = index.index(limit);
                if inserts {
                    set.insert(member);
                    model.insert(member);
                } else {
                    prop_assert_eq!(set.remove(member), model.remove(&member));
                }
                prop_assert_eq!(set.first(), model.first().copied());
                prop_assert_eq!(set.contains(member), model.contains(&member));
            }
        }
    }
}
