//! What a system that broadcasts has to offer to be compared.

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::Micros;

/// What became of one broadcast.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub sent_at: Micros,
    pub last_at: Micros,
    /// Hops to each node that has it, the origin left out.
    pub hops: BTreeMap<u32, u16>,
    /// Deliveries beyond the first at a node.
    pub doubled: u32,
    /// Messages with a payload that were sent since the broadcast, until the next.
    pub payloads: u64,
}

impl Tally {
    pub fn delivered(&mut self, node: u32, hops: u16, now: Micros) {
        self.last_at = now;
        if self.hops.insert(node, hops).is_some() {
            self.doubled += 1;
        }
    }

    /// Last delivery hop.
    pub fn ldh(&self) -> u16 {
        self.hops.values().copied().max().unwrap_or(0)
    }

    /// Relative message redundancy: payloads per node reached, above one.
    pub fn rmr(&self) -> f64 {
        self.payloads as f64 / self.hops.len().max(1) as f64 - 1.0
    }

    pub fn millis(&self) -> u64 {
        self.last_at.since(self.sent_at).as_millis()
    }
}

/// A cluster of nodes with partial views and a broadcast tree, in virtual time.
pub trait Swarm {
    /// A node begins; it knows one that is there, unless it is the first.
    fn start(&mut self, node: u32, contact: Option<u32>);
    /// A node is gone; those it is connected to hear of it after the delay of the link.
    fn crash(&mut self, node: u32);
    /// Begins a broadcast; the one before it ends to be counted.
    fn broadcast(&mut self, node: u32);
    fn run_for(&mut self, millis: u64);
    fn alive(&self) -> BTreeSet<u32>;
    /// Active views.
    fn views(&self) -> BTreeMap<u32, BTreeSet<u32>>;
    /// The last broadcast.
    fn tally(&self) -> &Tally;
}
