//! Detection: nodes fall silent, and the others have to find out, and of nobody else.

use std::collections::{BTreeMap, BTreeSet};

/// A system in which members watch each other.
pub trait Watch {
    /// A node begins; it knows one that is there, unless it is the first.
    fn start(&mut self, node: u32, contact: Option<u32>);
    /// A node stands still for good; nothing tells so.
    fn silence(&mut self, node: u32);
    fn run_for(&mut self, millis: u64);
    /// Whom each living node takes for up, itself left out.
    fn up(&self) -> BTreeMap<u32, BTreeSet<u32>>;
    /// How often a living node was taken for down.
    fn wronged(&self) -> u32;
}

/// What came out of one scenario.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Whether all knew all before.
    pub is_formed: bool,
    /// When the last living node had found the last silent one out; none if that never was. Unit:
    /// ms.
    pub found_after: Option<u64>,
    pub wronged: u32,
}

const STEP_MS: u64 = 100;
const PATIENCE_MS: u64 = 60_000;

/// So many nodes come, and the silent ones among them fall silent at once.
pub fn watch(watch: &mut dyn Watch, nodes: u32, silent: &BTreeSet<u32>) -> Watched {
    for node in 0..nodes {
        watch.start(node, (node > 0).then_some(node / 2));
        watch.run_for(50);
    }
    watch.run_for(30_000);
    let is_formed = watch.up().values().all(|up| up.len() as u32 == nodes - 1);
    silent.iter().for_each(|&node| watch.silence(node));
    let mut found_after = None;
    for step in 1..=PATIENCE_MS / STEP_MS {
        watch.run_for(STEP_MS);
        if found_after.is_none() && watch.up().values().all(|up| up.is_disjoint(silent)) {
            found_after = Some(step * STEP_MS);
        }
    }
    Watched { is_formed, found_after, wronged: watch.wronged() }
}
