//! What a run did, as one number and as its last lines.

use std::collections::VecDeque;
use std::fmt::{self, Debug, Write};

/// A hash of 64 bits over words and texts: multiply and rotate, as in FxHash, with the finish of
/// SplitMix64. It tells runs apart; it is no defence against anybody.
#[derive(Clone, Debug)]
pub struct TraceHash {
    state: u64,
}

impl Default for TraceHash {
    fn default() -> Self {
        TraceHash { state: 0x9e37_79b9_7f4a_7c15 }
    }
}

impl TraceHash {
    /// Takes one word in.
    #[inline]
    pub fn word(&mut self, word: u64) {
        self.state = (self.state.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    /// Takes in what a value prints.
    pub fn debug(&mut self, value: &impl Debug) {
        // Writing into a hash never fails.
        let _ = write!(self, "{value:?}");
    }

    /// The hash of all that was taken in.
    #[must_use]
    pub fn value(&self) -> u64 {
        mixed(self.state)
    }
}

impl Write for TraceHash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(last) ^ (text.len() as u64) << 56);
        Ok(())
    }
}

/// SplitMix64's finish: each bit of the input reaches each of the output.
#[must_use]
pub(crate) const fn mixed(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

/// How much of a run is kept and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TraceDepth {
    /// Times, nodes, kinds and peers of every step are hashed.
    #[default]
    Steps,
    /// The content of every message as well: three to five times slower.
    Messages,
    /// And the last lines are kept as text, for the report of a violation that is known.
    Lines,
}

/// How many lines are kept.
const LINES_MAX: usize = 400;

/// The trace of a run.
#[derive(Debug, Default)]
pub struct Trace {
    /// The hash so far.
    pub hash: TraceHash,
    /// What is taken in.
    pub depth: TraceDepth,
    /// How many steps there were.
    pub steps: u64,
    lines: VecDeque<(u32, String)>,
}

impl Trace {
    pub(crate) fn new(depth: TraceDepth) -> Trace {
        Trace { depth, ..Trace::default() }
    }

    /// Keeps a line about a node.
    pub(crate) fn line(&mut self, node: u32, text: String) {
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back((node, text));
    }

    /// The last lines about a node, at most so many.
    #[must_use]
    pub fn last_of(&self, node: u32, count: usize) -> Vec<String> {
        let of_node = self.lines.iter().rev().filter(|(who, _)| *who == node);
        let mut last: Vec<String> = of_node.take(count).map(|(_, text)| text.clone()).collect();
        last.reverse();
        last
    }

    /// The last lines about all nodes, at most so many.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<String> {
        let skipped = self.lines.len().saturating_sub(count);
        self.lines.iter().skip(skipped).map(|(_, text)| text.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_its_place_and_every_letter_count() {
        let of = |words: &[u64]| {
            let mut hash = TraceHash::default();
            words.iter().for_each(|&word| hash.word(word));
            hash.value()
        };
        assert_ne!(of(&[1, 2]), of(&[2, 1]));
        assert_ne!(of(&[0]), of(&[0, 0]));
        let mut short = TraceHash::default();
        short.debug(&"a");
        let mut long = TraceHash::default();
        long.debug(&"a\0");
        assert_ne!(short.value(), long.value());
    }
}
