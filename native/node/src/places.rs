//! The table of nodes that were heard of: who gets a place in it, and who loses one.
//!
//! Places are few, and a member may tell of any number of nodes that do not exist. Hearsay gets
//! half of the table, and makes way for whoever proves that it exists.

use std::net::SocketAddr;

use foundation_link::Micros;

use crate::node::Node;
use crate::peer::Peer;
use crate::record::PEERS_MAX;

/// Nodes that are known from others' words alone and are still dialled.
const HEARSAY_MAX: usize = PEERS_MAX / 2;

impl Node {
    /// The place of a node that has proved itself; made where need be, out of the place of one that
    /// is gone, or of hearsay.
    pub(crate) fn place_of_linked(&mut self, name: &str) -> Option<usize> {
        self.place(name, |peer| peer.link.is_none() && peer.dial.is_none() && peer.usage.is_idle())
    }

    /// Nodes known from hearsay.
    pub(crate) fn hearsay(&self) -> usize {
        self.peers.iter().filter(|peer| is_hearsay(peer)).count()
    }

    /// The place of a node that somebody told of, while `hearsay` others were only told of.
    pub(crate) fn place_of_told(&mut self, name: &str, hearsay: &mut usize) -> Option<usize> {
        if !self.by_name.contains_key(name) {
            if *hearsay >= HEARSAY_MAX {
                self.meters.peers_refused += 1;
                return None;
            }
            *hearsay += 1;
        }
        self.place(name, |peer| peer.link.is_none() && peer.dial.is_none() && peer.redial.is_none())
    }

    fn place(&mut self, name: &str, is_free: impl Fn(&Peer) -> bool) -> Option<usize> {
        if let Some(&index) = self.by_name.get(name) {
            return Some(index);
        }
        let index = self.peers.len();
        if index < PEERS_MAX {
            self.peers.push(Peer::new(name));
            self.by_name.insert(name.to_owned(), index);
            return Some(index);
        }
        let free = self.peers.iter().enumerate().filter(|(_, peer)| is_free(peer));
        // Those that left first, then hearsay, then those that were lost, the longest lost first.
        let rank = |peer: &Peer| {
            let is_dialled = peer.redial.is_some();
            let lost_at = peer.redial.as_ref().map_or(Micros(0), |redial| redial.since());
            (is_dialled && !is_hearsay(peer), is_dialled, lost_at)
        };
        let Some((index, _)) = free.min_by_key(|(_, peer)| rank(peer)) else {
            self.meters.peers_refused += 1;
            return None;
        };
        self.unroute(index);
        let old = &mut self.peers[index];
        // Isolates know links by place and generation: the next link here gets another one.
        let new = Peer { generation: old.generation, ..Peer::new(name) };
        let old = std::mem::replace(old, new);
        self.by_name.remove(&old.name);
        self.by_name.insert(name.to_owned(), index);
        Some(index)
    }
}

/// Whether a node was told of, never linked to, and is looked for.
pub(crate) fn is_hearsay(peer: &Peer) -> bool {
    peer.is_introduced && peer.link.is_none() && peer.redial.is_some()
}

/// Whether a node can listen there at all.
pub(crate) fn is_dialable(address: &SocketAddr) -> bool {
    let ip = address.ip();
    let is_broadcast = matches!(ip, std::net::IpAddr::V4(ip) if ip.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast
}
