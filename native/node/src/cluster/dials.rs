//! Links that the machine, or a message, wants.

use foundation_link::{Micros, Redial};
use foundation_machine::{NodeNo, PeerId};

use super::{ClusterHost, MachineInput};
use crate::node::{Node, Phase};

/// How long the other one of two dials that crossed has to become a link.
const CROSSED: Micros = Micros::from_millis(2_000);

impl Node {
    /// The machine wants a link to that peer.
    pub(super) fn want_link(&mut self, cluster: &mut ClusterHost, peer: PeerId) {
        let place = self.place_of_member(cluster, peer.node);
        let Some(index) = place.filter(|_| self.phase == Phase::Running) else {
            return self.inputs.push_back(MachineInput::DialFailed(peer));
        };
        let known = &mut self.peers[index];
        if known.link.is_some() {
            if known.life != peer.life {
                return self.inputs.push_back(MachineInput::DialFailed(peer));
            }
            if known.usage.is_releasing {
                known.usage.is_awaited = true; // told once it stays, or dialled once it is gone
            } else {
                self.inputs.push_back(MachineInput::LinkUp { peer, is_seed: false });
            }
            return;
        }
        known.life = peer.life;
        known.usage.is_awaited = true;
        self.plan_dial(index);
    }

    /// Has a place dialled once, soon.
    pub(super) fn plan_dial(&mut self, index: usize) {
        let known = &mut self.peers[index];
        if known.address.is_none() {
            return self.link_not_made(index);
        }
        if known.dial.is_none() && known.redial.is_none() && known.usage.crossed_until.is_none() {
            known.redial = Some(Redial::new(crate::clock::now()));
            self.is_tick_due = true;
        }
    }

    /// The place of a node of the directory, with what is known of it; `None` where all places are
    /// taken.
    pub(super) fn place_of_member(&mut self, cluster: &ClusterHost, node: NodeNo) -> Option<usize> {
        let index = self.place_of_linked(cluster.directory.name(node))?;
        let known = &mut self.peers[index];
        known.usage.no = Some(node);
        if known.link.is_none() {
            known.life = cluster.directory.latest(node).life;
            known.address = cluster.directory.address(node);
            cluster.directory.address_text(node).clone_into(&mut known.address_text);
        }
        Some(index)
    }

    /// A dial of a member ended without a link.
    pub(crate) fn member_dial_failed(&mut self, index: usize, code: &str) {
        let known = &mut self.peers[index];
        if known.link.is_some() {
            return;
        }
        if code == "crossing_dial" {
            known.usage.crossed_until = Some(crate::clock::now() + CROSSED);
            return;
        }
        self.link_not_made(index);
    }

    /// Tells whoever wanted the link that there is none.
    pub(super) fn link_not_made(&mut self, index: usize) {
        let known = &mut self.peers[index];
        let usage = &mut known.usage;
        usage.crossed_until = None;
        usage.failed_at = Some(crate::clock::now());
        // Also before messages go to the router, which would dial first.
        if std::mem::take(&mut usage.is_awaited) | !usage.pending.is_empty()
            && let Some(node) = usage.no
        {
            let peer = PeerId { node, life: known.life };
            self.inputs.push_back(MachineInput::DialFailed(peer));
        }
        self.give_up_pending(index);
    }

    /// The machine wants a link to one of the seeds.
    pub(super) fn want_seed(&mut self, cluster: &mut ClusterHost, pick: u32) {
        let count = self.seeds.len();
        if count == 0 || self.phase != Phase::Running {
            return self.inputs.push_back(MachineInput::SeedFailed);
        }
        let now = crate::clock::now();
        let seed = &mut self.seeds[pick as usize % count];
        if seed.is_self {
            return self.inputs.push_back(MachineInput::SeedFailed);
        }
        let address = Some(seed.address);
        let linked = self.peers.iter().find(|peer| peer.link.is_some() && peer.address == address);
        if let Some(peer) = linked
            && let Some(node) = cluster.directory.find(&peer.name)
        {
            let peer = PeerId { node, life: peer.life };
            return self.inputs.push_back(MachineInput::LinkUp { peer, is_seed: true });
        }
        seed.wants += 1;
        seed.redial = Redial::new(now);
        self.is_tick_due = true;
    }

    /// A seed did not answer; whoever asked for it is told.
    fn seed_not_reached(&mut self, place: usize) {
        let seed = &mut self.seeds[place];
        let wants = std::mem::take(&mut seed.wants);
        seed.is_owed |= wants > 0;
        seed.crossed_until = None;
        for _ in 0..wants {
            self.tell_machine(MachineInput::SeedFailed);
        }
    }

    /// Dials that crossed others which then did not become links.
    pub(super) fn look_after_crossed(&mut self, now: Micros) -> Micros {
        let mut next = Micros::NEVER;
        for index in 0..self.peers.len() {
            let Some(until) = self.peers[index].usage.crossed_until else { continue };
            if until <= now {
                self.link_not_made(index);
            } else {
                next = next.min(until);
            }
        }
        for place in 0..self.seeds.len() {
            let Some(until) = self.seeds[place].crossed_until else { continue };
            if until <= now {
                self.seed_not_reached(place);
            } else {
                next = next.min(until);
            }
        }
        next
    }

    /// A dial of a seed ended without a link: unless another connection survived ours, whoever had
    /// asked for it is told.
    pub(crate) fn seed_dial_failed(&mut self, address: std::net::SocketAddr, is_crossing: bool) {
        let place = self.seeds.iter().position(|seed| seed.address == address);
        match place {
            Some(place) if is_crossing => {
                self.seeds[place].crossed_until = Some(crate::clock::now() + CROSSED);
            }
            Some(place) => self.seed_not_reached(place),
            None => {}
        }
    }
}
