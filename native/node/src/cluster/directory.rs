//! The nodes that this one knows by name: their numbers, addresses and latest lives.
//!
//! Machines speak of numbers, the wire of names and addresses. A node is here without a link, a
//! place among the linked peers or a word in the writability table.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use foundation_link::{Member, NodeLife};
use foundation_machine::{NodeNo, PeerId};

use crate::places::is_dialable;

/// Names that are given numbers. Numbers are for as long as the node runs, so this bounds all names
/// ever heard of; further ones are counted and not heard.
pub(crate) const NODES_MAX: usize = 65_536;

/// This node's own number.
pub(crate) const OWN: NodeNo = NodeNo(0);

#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    /// The latest life heard of.
    life: NodeLife,
    /// Where that life listens; empty where nobody can dial it.
    address_text: String,
    address: Option<SocketAddr>,
    /// Of that life.
    reference: u64,
}

/// What stands for a life on the wire where its name would be known at the other end: FNV-1a over
/// the name and the life. Of the nodes of a full directory two are alike once in 8 billion times.
fn reference(name: &str, life: NodeLife) -> u64 {
    let life = [life.start.to_le_bytes(), life.random.to_le_bytes()];
    let bytes = name.as_bytes().iter().chain(life.as_flattened());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Names, numbers and addresses.
#[derive(Debug)]
pub(crate) struct Directory {
    numbers: HashMap<Arc<str>, NodeNo>,
    /// The latest life of each node by its [`reference`]; of two alike the one that came first.
    references: HashMap<u64, NodeNo>,
    entries: Vec<Entry>,
    pub(crate) refused: u64,
}

impl Directory {
    /// A directory that knows its own node.
    pub(crate) fn new(own: &Member) -> Directory {
        let (numbers, references) = (HashMap::new(), HashMap::new());
        let mut directory = Directory { numbers, references, entries: Vec::new(), refused: 0 };
        directory.learn(own);
        directory
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// A node by its name.
    pub(crate) fn find(&self, name: &str) -> Option<NodeNo> {
        self.numbers.get(name).copied()
    }

    /// The life meant, under its number; what is new of it is remembered. `None` where the name
    /// cannot be or no number is left.
    pub(crate) fn learn(&mut self, member: &Member) -> Option<PeerId> {
        let node = self.number(&member.name)?;
        let entry = &mut self.entries[node.0 as usize];
        let is_own = node == OWN && !entry.address_text.is_empty();
        let is_told = !member.address.is_empty() && member.address != entry.address_text;
        if member.life >= entry.life && is_told && !is_own {
            let parsed = member.address.parse::<SocketAddr>();
            entry.address = parsed.ok().filter(is_dialable);
            entry.address_text.clone_from(&member.address);
        }
        if !is_own && member.life > entry.life {
            self.live(node, member.life);
        }
        Some(PeerId { node, life: member.life })
    }

    /// A later life of a node than those before.
    fn live(&mut self, node: NodeNo, life: NodeLife) {
        let entry = &mut self.entries[node.0 as usize];
        entry.life = life;
        let new = reference(&entry.name, life);
        let former = std::mem::replace(&mut entry.reference, new);
        if self.references.get(&former) == Some(&node) {
            self.references.remove(&former);
        }
        self.references.entry(new).or_insert(node);
    }

    /// What stands for that life where the other end knows it.
    pub(crate) fn reference(&self, peer: PeerId) -> u64 {
        match self.entries.get(peer.node.0 as usize) {
            Some(entry) if entry.life == peer.life => entry.reference,
            _ => reference(self.name(peer.node), peer.life),
        }
    }

    /// Whether a later life of that node is known: then nobody can be referred to this one.
    pub(crate) fn is_latest(&self, peer: PeerId) -> bool {
        self.latest(peer.node) == peer
    }

    /// The life that a reference stands for, if it is the latest one of a node that is known.
    pub(crate) fn referred(&self, reference: u64) -> Option<PeerId> {
        self.references.get(&reference).map(|&node| self.latest(node))
    }

    fn number(&mut self, name: &str) -> Option<NodeNo> {
        if let Some(&known) = self.numbers.get(name) {
            return Some(known);
        }
        if name.is_empty() || self.entries.len() >= NODES_MAX {
            self.refused += 1;
            return None;
        }
        let node = NodeNo(self.entries.len() as u32);
        let name: Arc<str> = name.into();
        self.numbers.insert(Arc::clone(&name), node);
        let (life, address) = (NodeLife::default(), None);
        let reference = reference(&name, life);
        self.entries.push(Entry { name, life, address_text: String::new(), address, reference });
        Some(node)
    }

    /// The name behind a number; empty for one that was never given.
    pub(crate) fn name(&self, node: NodeNo) -> &str {
        self.entries.get(node.0 as usize).map_or("", |entry| &entry.name)
    }

    /// Where the latest life of a node listens.
    pub(crate) fn address(&self, node: NodeNo) -> Option<SocketAddr> {
        self.entries.get(node.0 as usize)?.address
    }

    pub(crate) fn address_text(&self, node: NodeNo) -> &str {
        self.entries.get(node.0 as usize).map_or("", |entry| &entry.address_text)
    }

    /// The latest life heard of.
    pub(crate) fn latest(&self, node: NodeNo) -> PeerId {
        let life = self.entries.get(node.0 as usize).map_or_else(NodeLife::default, |e| e.life);
        PeerId { node, life }
    }

    /// How a peer is told to others. The address is that of the latest life: of an earlier one
    /// nobody wants it.
    pub(crate) fn member(&self, peer: PeerId) -> Member {
        Member {
            name: self.name(peer.node).to_owned(),
            address: self.address_text(peer.node).to_owned(),
            life: peer.life,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, address: &str, start: u64) -> Member {
        let life = NodeLife { start, random: 1 };
        Member { name: name.to_owned(), address: address.to_owned(), life }
    }

    #[test]
    fn a_name_keeps_its_number_and_its_latest_address() {
        let mut directory = Directory::new(&member("own", "127.0.0.1:1", 5));
        let early = directory.learn(&member("pear", "127.0.0.1:2", 1)).unwrap();
        let late = directory.learn(&member("pear", "127.0.0.1:3", 2)).unwrap();
        assert_eq!(early.node, late.node);
        assert!(late.is_later_life_of(early));
        // Word of an earlier life changes nothing, nor does one without an address.
        directory.learn(&member("pear", "127.0.0.1:9", 1));
        directory.learn(&member("pear", "", 2));
        assert_eq!(directory.address_text(late.node), "127.0.0.1:3");
        assert_eq!(directory.latest(late.node), late);
        // Nobody tells a node its own address.
        directory.learn(&member("own", "127.0.0.1:7", 9));
        assert_eq!(directory.address_text(OWN), "127.0.0.1:1");
        assert_eq!(directory.latest(OWN).life.start, 5);
    }

    #[test]
    fn a_reference_stands_for_the_latest_life_alone() {
        let mut here = Directory::new(&member("own", "127.0.0.1:1", 5));
        let mut there = Directory::new(&member("other", "127.0.0.1:4", 5));
        there.learn(&member("quince", "", 1));
        let early = here.learn(&member("pear", "127.0.0.1:2", 1)).unwrap();
        assert_eq!(there.referred(here.reference(early)), None);
        let known = there.learn(&member("pear", "127.0.0.1:2", 1)).unwrap();
        assert_eq!(there.referred(here.reference(early)), Some(known));
        assert_eq!(there.referred(there.reference(there.latest(OWN))), Some(there.latest(OWN)));
        let late = here.learn(&member("pear", "127.0.0.1:3", 2)).unwrap();
        assert_ne!(here.reference(late), here.reference(early));
        assert_eq!(there.referred(here.reference(late)), None);
        assert_eq!(here.referred(here.reference(early)), None);
        assert_eq!(here.referred(here.reference(late)), Some(late));
    }

    #[test]
    fn names_are_bounded_and_counted_beyond() {
        let mut directory = Directory::new(&member("own", "127.0.0.1:1", 5));
        for number in 1..NODES_MAX {
            assert!(directory.learn(&member(&format!("n{number}"), "", 1)).is_some());
        }
        assert_eq!(directory.learn(&member("one more", "", 1)), None);
        assert_eq!(directory.learn(&member("", "", 1)), None);
        assert_eq!(directory.refused, 2);
        assert!(directory.learn(&member("n7", "", 1)).is_some());
        assert_eq!(directory.len(), NODES_MAX);
    }
}
