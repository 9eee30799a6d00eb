//! The links that were configured: to every seed, and from whoever has this node for a seed.

use std::collections::BTreeSet;

use foundation_machine::{Micros, PeerId, Rng, Timers};

use crate::overlay::{OverlayInput, OverlayOutput};
use crate::seed_calls::{SeedCalls, SeedPauses};

/// Options of [`StaticLinks`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaticLinksOptions {
    /// When seeds that are not linked are dialled; `idle` means nothing here.
    pub seeds: SeedPauses,
}

/// A message of static links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaticMessage {
    /// The receiver was configured at the sender: they are neighbours.
    Configured,
}

/// The machine of one node. It has at most as many neighbours as the host has links.
#[derive(Debug)]
pub struct StaticLinks {
    own: PeerId,
    rng: Rng,
    timers: Timers<()>,
    seeds: SeedCalls,
    neighbours: BTreeSet<PeerId>,
    /// Neighbours that answered at a seed's address.
    configured: BTreeSet<PeerId>,
    has_left: bool,
}

type Out = Vec<OverlayOutput<StaticMessage>>;

impl StaticLinks {
    /// A node without links.
    #[must_use]
    pub fn new(options: StaticLinksOptions, own: PeerId, rng: Rng, _now: Micros) -> StaticLinks {
        StaticLinks {
            own,
            rng,
            timers: Timers::default(),
            seeds: SeedCalls::new(options.seeds),
            neighbours: BTreeSet::new(),
            configured: BTreeSet::new(),
            has_left: false,
        }
    }

    /// Advances the node by one input.
    pub fn handle(&mut self, input: OverlayInput<StaticMessage>, now: Micros, out: &mut Out) {
        if self.has_left {
            return;
        }
        match input {
            OverlayInput::Seeds(count) => {
                self.seeds.count = count;
                self.seeds.hurry();
                self.call_seeds(now, out);
            }
            OverlayInput::LinkUp { peer, is_seed: true } => self.on_seed_up(peer, out),
            OverlayInput::LinkDown { peer, .. } => {
                if self.neighbours.remove(&peer) {
                    out.push(OverlayOutput::NeighbourDown(peer));
                }
                if self.configured.remove(&peer) {
                    self.seeds.hurry();
                    self.call_seeds(now, out);
                }
            }
            OverlayInput::Received { from, message: StaticMessage::Configured } => {
                self.add(from, out);
            }
            OverlayInput::Due => {
                if self.timers.pop(now).is_some() {
                    self.call_seeds(now, out);
                }
            }
            OverlayInput::Leave => self.leave(out),
            OverlayInput::LinkUp { is_seed: false, .. }
            | OverlayInput::SeedFailed
            | OverlayInput::Met(_)
            | OverlayInput::DialFailed(_)
            | OverlayInput::Cost { .. }
            | OverlayInput::MemberUp(_)
            | OverlayInput::MemberDown(_) => {}
        }
    }

    /// When it wants to hear [`OverlayInput::Due`].
    #[must_use]
    pub fn due(&self) -> Micros {
        self.timers.due()
    }

    /// Its neighbours.
    #[must_use]
    pub fn neighbours(&self) -> &BTreeSet<PeerId> {
        &self.neighbours
    }

    /// Dials every seed as long as one has no link; the host answers at once for those that have.
    fn call_seeds(&mut self, now: Micros, out: &mut Out) {
        if self.seeds.count as usize <= self.configured.len() {
            self.timers.cancel(&());
            return;
        }
        let wait = self.seeds.call(self.neighbours.is_empty(), true, &mut self.rng, out);
        self.timers.set((), now + wait);
    }

    fn on_seed_up(&mut self, peer: PeerId, out: &mut Out) {
        if peer.node != self.own.node && self.configured.insert(peer) {
            self.add(peer, out);
            out.push(OverlayOutput::Send { to: peer, message: StaticMessage::Configured });
        }
    }

    fn add(&mut self, peer: PeerId, out: &mut Out) {
        if self.neighbours.insert(peer) {
            out.push(OverlayOutput::NeighbourUp(peer));
        }
    }

    fn leave(&mut self, out: &mut Out) {
        self.has_left = true;
        for peer in std::mem::take(&mut self.neighbours) {
            out.push(OverlayOutput::NeighbourDown(peer));
            out.push(OverlayOutput::Release(peer));
        }
        self.timers = Timers::default();
    }
}
