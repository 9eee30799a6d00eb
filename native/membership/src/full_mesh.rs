//! A link to every member that the roster knows.
//!
//! Every link is a neighbour: the roster spreads over neighbours, so the first link of a newcomer
//! has to be one before anybody knows it as a member. Of two members the older dials at once, the
//! younger after a grace, so that two dials cross seldom and one broken direction does no harm.

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Planted, Rng, Timers};

use crate::overlay::{LinkEnd, OverlayInput, OverlayOutput};
use crate::seed_calls::{SeedCalls, SeedPauses, around};

/// Options of [`FullMesh`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullMeshOptions {
    /// How long the younger of two members waits for the older one's dial. Default 1 s: Partisan's
    /// connect timeout, after which that dial has failed.
    pub grace: Micros,
    /// Pause between two dials to a member that was linked lately. Default 300 ms: a link that was
    /// cut for a moment is back before anybody suspects.
    pub redial_pause: Micros,
    /// For how long after a loss that pause holds; later it doubles. Default 5 min: most reboots.
    pub redial_window: Micros,
    /// The longest pause between two dials. Default 10 s.
    pub redial_pause_max: Micros,
    /// When a dial without an answer counts as failed. Default 1 s: Partisan's connect timeout.
    pub dial_timeout: Micros,
    /// Dials under way at once. Default 64: a node forms 1,000 links in a few seconds and never
    /// has more half-open.
    pub dials_max: u16,
    /// When seeds are called on.
    pub seeds: SeedPauses,
    /// The bug that it is to have.
    pub planted: Planted,
}

impl Default for FullMeshOptions {
    fn default() -> Self {
        FullMeshOptions {
            grace: Micros::from_millis(1_000),
            redial_pause: Micros::from_millis(300),
            redial_window: Micros::from_millis(300_000),
            redial_pause_max: Micros::from_millis(10_000),
            dial_timeout: Micros::from_millis(1_000),
            dials_max: 64,
            seeds: SeedPauses::default(),
            planted: Planted::NONE,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Absent {
    /// When it was linked last, or first heard of.
    since: Micros,
    pause: Micros,
    is_dialled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Seeds,
    /// To dial, or to give up a dial.
    Member(PeerId),
}

/// The machine of one node. It holds one entry per member; the roster bounds them.
#[derive(Debug)]
pub struct FullMesh {
    options: FullMeshOptions,
    own: PeerId,
    rng: Rng,
    timers: Timers<Timer>,
    seeds: SeedCalls,
    neighbours: BTreeSet<PeerId>,
    /// Members without a link.
    absent: BTreeMap<PeerId, Absent>,
    /// Neighbours that are members.
    members: BTreeSet<PeerId>,
    dials: u16,
    has_left: bool,
}

impl FullMesh {
    /// A node that knows nobody.
    #[must_use]
    pub fn new(options: FullMeshOptions, own: PeerId, rng: Rng, _now: Micros) -> FullMesh {
        FullMesh {
            seeds: SeedCalls::new(options.seeds),
            options,
            own,
            rng,
            timers: Timers::default(),
            neighbours: BTreeSet::new(),
            absent: BTreeMap::new(),
            members: BTreeSet::new(),
            dials: 0,
            has_left: false,
        }
    }

    /// Advances the node by one input. It sends nothing, so outputs have any kind of message.
    pub fn handle<I, O>(
        &mut self,
        input: OverlayInput<I>,
        now: Micros,
        out: &mut Vec<OverlayOutput<O>>,
    ) {
        if self.has_left {
            return;
        }
        match input {
            OverlayInput::Seeds(count) => {
                self.seeds.count = count;
                self.call_seeds(now, out);
            }
            OverlayInput::LinkUp { peer, .. } => self.on_link_up(peer, out),
            OverlayInput::LinkDown { peer, end } => {
                if self.neighbours.remove(&peer) {
                    out.push(OverlayOutput::NeighbourDown(peer));
                }
                self.on_link_down(peer, end, now);
            }
            OverlayInput::DialFailed(peer) => self.on_dial_failed(peer, now),
            OverlayInput::MemberUp(peer) => self.on_member_up(peer, now),
            OverlayInput::MemberDown(peer) => self.on_member_down(peer, out),
            OverlayInput::Due => {}
            OverlayInput::Leave => self.leave(out),
            OverlayInput::SeedFailed
            | OverlayInput::Met(_)
            | OverlayInput::Received { .. }
            | OverlayInput::Cost { .. } => {}
        }
        self.run_timers(now, out);
    }

    /// When it wants to hear [`OverlayInput::Due`].
    #[must_use]
    pub fn due(&self) -> Micros {
        if self.has_left { Micros::NEVER } else { self.timers.due() }
    }

    /// Its neighbours: everybody with a link.
    #[must_use]
    pub fn neighbours(&self) -> &BTreeSet<PeerId> {
        &self.neighbours
    }

    /// Members without a link.
    #[must_use]
    pub fn absent(&self) -> usize {
        self.absent.len()
    }

    fn run_timers<M>(&mut self, now: Micros, out: &mut Vec<OverlayOutput<M>>) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Seeds => self.call_seeds(now, out),
                Timer::Member(peer) => self.on_member_due(peer, now, out),
            }
        }
    }

    fn call_seeds<M>(&mut self, now: Micros, out: &mut Vec<OverlayOutput<M>>) {
        if self.seeds.count == 0 {
            return;
        }
        let is_alone = self.neighbours.is_empty();
        let wait = self.seeds.call(is_alone, false, &mut self.rng, out);
        self.timers.set(Timer::Seeds, now + wait);
    }

    fn on_link_up<M>(&mut self, peer: PeerId, out: &mut Vec<OverlayOutput<M>>) {
        if peer.node == self.own.node {
            return;
        }
        if self.end_absence(peer).is_some() {
            self.members.insert(peer);
        }
        if self.neighbours.insert(peer) {
            out.push(OverlayOutput::NeighbourUp(peer));
        }
    }

    fn on_link_down(&mut self, peer: PeerId, end: LinkEnd, now: Micros) {
        let was_member = self.members.remove(&peer);
        if self.neighbours.is_empty() {
            self.seeds.hurry();
            self.timers.set(Timer::Seeds, now + around(self.options.redial_pause, &mut self.rng));
        }
        if was_member && end != LinkEnd::Left && !self.options.planted.is("full_mesh_no_redial") {
            self.miss(peer, now);
        }
    }

    /// A member without a link: the older of the two dials now, the other after the grace.
    fn miss(&mut self, peer: PeerId, now: Micros) {
        let pause = self.options.redial_pause;
        self.absent.insert(peer, Absent { since: now, pause, is_dialled: false });
        let wait = if rank(self.own) < rank(peer) {
            Micros(0)
        } else {
            around(self.options.grace, &mut self.rng)
        };
        self.timers.set(Timer::Member(peer), now + wait);
    }

    fn on_member_up(&mut self, peer: PeerId, now: Micros) {
        if peer.node == self.own.node || self.absent.contains_key(&peer) {
            return;
        }
        if self.neighbours.contains(&peer) {
            self.members.insert(peer);
        } else {
            self.miss(peer, now);
        }
    }

    fn on_member_down<M>(&mut self, peer: PeerId, out: &mut Vec<OverlayOutput<M>>) {
        let was_dialled = self.end_absence(peer).is_some_and(|absent| absent.is_dialled);
        self.members.remove(&peer);
        let was_neighbour = self.neighbours.remove(&peer);
        if was_neighbour {
            out.push(OverlayOutput::NeighbourDown(peer));
        }
        if was_dialled || was_neighbour {
            out.push(OverlayOutput::Release(peer));
        }
    }

    fn on_dial_failed(&mut self, peer: PeerId, now: Micros) {
        let Some(absent) = self.absent.get_mut(&peer) else { return };
        if !absent.is_dialled {
            return;
        }
        absent.is_dialled = false;
        self.dials = self.dials.saturating_sub(1);
        if now.since(absent.since) >= self.options.redial_window {
            absent.pause = (absent.pause + absent.pause).min(self.options.redial_pause_max);
        }
        let wait = around(absent.pause, &mut self.rng);
        self.timers.set(Timer::Member(peer), now + wait);
    }

    fn on_member_due<M>(&mut self, peer: PeerId, now: Micros, out: &mut Vec<OverlayOutput<M>>) {
        let Some(absent) = self.absent.get_mut(&peer) else { return };
        if absent.is_dialled {
            out.push(OverlayOutput::Release(peer));
            self.on_dial_failed(peer, now);
        } else if self.dials >= self.options.dials_max {
            let wait = around(self.options.redial_pause, &mut self.rng);
            self.timers.set(Timer::Member(peer), now + wait);
        } else {
            absent.is_dialled = true;
            self.dials += 1;
            self.timers.set(Timer::Member(peer), now + self.options.dial_timeout);
            out.push(OverlayOutput::Dial(peer));
        }
    }

    fn end_absence(&mut self, peer: PeerId) -> Option<Absent> {
        let absent = self.absent.remove(&peer)?;
        self.dials -= u16::from(absent.is_dialled);
        self.timers.cancel(&Timer::Member(peer));
        Some(absent)
    }

    fn leave<M>(&mut self, out: &mut Vec<OverlayOutput<M>>) {
        self.has_left = true;
        for peer in std::mem::take(&mut self.neighbours) {
            out.push(OverlayOutput::NeighbourDown(peer));
            out.push(OverlayOutput::Release(peer));
        }
        for (peer, absent) in std::mem::take(&mut self.absent) {
            if absent.is_dialled {
                out.push(OverlayOutput::Release(peer));
            }
        }
        self.timers = Timers::default();
    }
}

/// Age decides, since numbers of nodes are each host's own; they decide between equals (which only
/// a simulator makes).
fn rank(peer: PeerId) -> (NodeLife, NodeNo) {
    (peer.life, peer.node)
}
