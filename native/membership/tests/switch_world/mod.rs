//! Members of one cluster, each with the switch of one overlay: every news takes time and may be
//! lost, members crash, and what the switches want of the overlays is checked as it comes.
#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Rng};
use foundation_membership::{
    Epoch, Switch, SwitchFailure, SwitchInput, SwitchMessage, SwitchOptions, SwitchOutput, Version,
};

pub(crate) type Strategy = u8;

pub(crate) fn peer(node: u32) -> PeerId {
    PeerId { node: NodeNo(node), life: NodeLife { start: u64::from(node % 3), random: 7 } }
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Message { from: PeerId, to: PeerId, message: SwitchMessage<Strategy> },
    Due(PeerId),
    Ready(PeerId, Epoch),
    Down { at: PeerId, peer: PeerId },
}

/// What the overlays of one node are, as told by its switch.
#[derive(Debug)]
pub(crate) struct Overlays {
    pub(crate) up: BTreeSet<Epoch>,
    pub(crate) ready: BTreeSet<Epoch>,
    pub(crate) dropped: BTreeSet<Epoch>,
    pub(crate) used: Epoch,
    pub(crate) replaced: Option<(Epoch, Micros)>,
    pub(crate) brought_up_at: Micros,
}

pub(crate) struct World {
    pub(crate) now: Micros,
    pub(crate) rng: Rng,
    pub(crate) loss: f64,
    pub(crate) nodes: BTreeMap<PeerId, Switch<Strategy>>,
    pub(crate) overlays: BTreeMap<PeerId, Overlays>,
    pub(crate) links: BTreeMap<PeerId, BTreeSet<PeerId>>,
    pub(crate) queue: BTreeMap<(Micros, u64), Event>,
    pub(crate) count: u64,
    pub(crate) options: SwitchOptions,
    pub(crate) crashes: BTreeMap<PeerId, Micros>,
    /// What each number has been promoted to by anybody, also by members that died since.
    pub(crate) committed: BTreeMap<u32, (Epoch, Strategy)>,
    pub(crate) failures: Vec<(PeerId, Epoch, SwitchFailure)>,
    /// Members whose new overlay finds no neighbour.
    pub(crate) lonely: BTreeSet<PeerId>,
    pub(crate) faults: Vec<String>,
    pub(crate) was_cut: bool,
}

impl World {
    pub(crate) fn new(seed: u64, members: u32, options: SwitchOptions) -> World {
        let mut world = World {
            now: Micros(0),
            rng: Rng::new(seed),
            loss: 0.0,
            nodes: BTreeMap::new(),
            overlays: BTreeMap::new(),
            links: BTreeMap::new(),
            queue: BTreeMap::new(),
            count: 0,
            options,
            crashes: BTreeMap::new(),
            committed: BTreeMap::new(),
            failures: Vec::new(),
            lonely: BTreeSet::new(),
            faults: Vec::new(),
            was_cut: false,
        };
        for node in 0..members {
            world.join(peer(node));
        }
        world
    }

    /// Links the newcomer to three members, or to all where there are fewer.
    pub(crate) fn join(&mut self, id: PeerId) {
        let others: Vec<PeerId> = self.nodes.keys().copied().collect();
        let rng = self.rng.fork();
        self.nodes.insert(id, Switch::new(self.options.clone(), id, 0, rng, self.now));
        let up = BTreeSet::from([Epoch::FIRST]);
        let overlays = Overlays {
            ready: up.clone(),
            up,
            dropped: BTreeSet::new(),
            used: Epoch::FIRST,
            replaced: None,
            brought_up_at: self.now,
        };
        self.overlays.insert(id, overlays);
        self.links.insert(id, BTreeSet::new());
        for &other in &others {
            self.tell(other, SwitchInput::MemberUp(id));
            self.tell(id, SwitchInput::MemberUp(other));
        }
        for other in self.rng.sample(&others, 3) {
            self.link(id, other);
        }
    }

    pub(crate) fn link(&mut self, a: PeerId, b: PeerId) {
        for (own, other) in [(a, b), (b, a)] {
            self.links.get_mut(&own).expect("there").insert(other);
            self.tell(own, SwitchInput::NeighbourUp(other));
        }
    }

    /// The others notice within two seconds, and those who lose a link find another.
    pub(crate) fn crash(&mut self, id: PeerId) {
        self.nodes.remove(&id);
        self.crashes.insert(id, self.now);
        self.overlays.remove(&id);
        let neighbours = self.links.remove(&id).unwrap_or_default();
        for other in self.nodes.keys().copied().collect::<Vec<_>>() {
            let at = self.now + Micros(u64::from(self.rng.below(2_000_000)));
            self.push(at, Event::Down { at: other, peer: id });
        }
        for other in neighbours {
            self.links.get_mut(&other).expect("there").remove(&id);
            self.tell(other, SwitchInput::NeighbourDown(id));
            if let Some(new) = self.any_but(other) {
                self.link(other, new);
            }
        }
    }

    /// Parts two halves: links between them go down, and each takes the other for dead.
    pub(crate) fn cut(&mut self, is_cut: bool) {
        self.was_cut = true;
        let ids: Vec<PeerId> = self.nodes.keys().copied().collect();
        for (own, other) in ids.iter().flat_map(|&own| ids.iter().map(move |&other| (own, other))) {
            if own.node.0 % 2 == other.node.0 % 2 {
                continue;
            }
            let is_linked = self.links[&own].contains(&other);
            self.tell(
                own,
                if is_cut { SwitchInput::MemberDown(other) } else { SwitchInput::MemberUp(other) },
            );
            if is_linked {
                self.tell(
                    own,
                    if is_cut {
                        SwitchInput::NeighbourDown(other)
                    } else {
                        SwitchInput::NeighbourUp(other)
                    },
                );
            }
        }
    }

    pub(crate) fn any_but(&mut self, id: PeerId) -> Option<PeerId> {
        let others: Vec<PeerId> = self.nodes.keys().copied().filter(|&other| other != id).collect();
        self.rng.pick(&others).copied()
    }

    pub(crate) fn any(&mut self) -> PeerId {
        let ids: Vec<PeerId> = self.nodes.keys().copied().collect();
        *self.rng.pick(&ids).expect("a member")
    }

    pub(crate) fn push(&mut self, at: Micros, event: Event) {
        self.count += 1;
        self.queue.insert((at, self.count), event);
    }

    pub(crate) fn tell(&mut self, id: PeerId, input: SwitchInput<Strategy>) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let mut out = Vec::new();
        node.handle(input, self.now, &mut out);
        let due = node.due();
        self.push(due, Event::Due(id));
        self.check_batch(id, &out);
        self.check_orphan(id);
        for output in out {
            self.carry_out(id, output);
        }
    }

    pub(crate) fn carry_out(&mut self, id: PeerId, output: SwitchOutput<Strategy>) {
        let overlays = self.overlays.get_mut(&id).expect("there");
        match output {
            SwitchOutput::Send { to, message } => {
                assert!(message.ready.len() <= foundation_membership::READY_MAX);
                if !self.rng.chance(self.loss) {
                    let at = self.now + Micros(10_000 + u64::from(self.rng.below(40_000)));
                    self.push(at, Event::Message { from: id, to, message });
                }
            }
            SwitchOutput::BringUp(version) => self.bring_up(id, version),
            SwitchOutput::Promote(version) => self.promote(id, version),
            SwitchOutput::Drop(epoch) => {
                overlays.up.remove(&epoch);
                overlays.dropped.insert(epoch);
                if overlays.used == epoch {
                    self.faults.push(format!("{id:?} drops {epoch:?}, which is in use"));
                }
            }
            SwitchOutput::Failed { epoch, reason, is_own } => {
                if is_own {
                    self.failures.push((id, epoch, reason));
                }
            }
        }
    }

    pub(crate) fn bring_up(&mut self, id: PeerId, version: Version<Strategy>) {
        let overlays = self.overlays.get_mut(&id).expect("there");
        overlays.up.insert(version.epoch);
        overlays.brought_up_at = self.now;
        if overlays.up.len() > 2 {
            self.faults.push(format!("{id:?} runs {:?}", overlays.up));
        }
        if !self.lonely.contains(&id) {
            let at = self.now + Micros(u64::from(self.rng.below(1_500_000)));
            self.push(at, Event::Ready(id, version.epoch));
        }
    }

    pub(crate) fn promote(&mut self, id: PeerId, version: Version<Strategy>) {
        let overlays = self.overlays.get_mut(&id).expect("there");
        let first = (version.epoch, version.strategy);
        let known = *self.committed.entry(version.epoch.number).or_insert(first);
        // Two halves that were apart can both have committed; the end is checked all the same.
        if known != first && !self.was_cut {
            self.faults.push(format!("{known:?} and {first:?} are both committed"));
        }
        let old = std::mem::replace(&mut overlays.used, version.epoch);
        overlays.replaced = Some((old, self.now));
        if !overlays.up.contains(&version.epoch) || !overlays.up.contains(&old) {
            let up = &overlays.up;
            self.faults.push(format!("{id:?} goes from {old:?} to {version:?} with {up:?} up"));
        }
        if version.epoch.coordinator == Some(id) {
            self.check_all_ready(version.epoch);
        }
    }

    /// What one input led to, as a whole.
    pub(crate) fn check_batch(&mut self, id: PeerId, out: &[SwitchOutput<Strategy>]) {
        let overlays = &self.overlays[&id];
        let promotes = out.iter().any(|output| matches!(output, SwitchOutput::Promote(_)));
        let mut brings_up = false;
        for output in out {
            let SwitchOutput::BringUp(version) = output else { continue };
            brings_up = true;
            if !promotes && overlays.dropped.contains(&version.epoch) {
                self.faults.push(format!("{id:?} tries {version:?} again"));
            }
            let base = self.nodes[&id].attempt().map(|proposal| proposal.base);
            if !promotes && base != Some(overlays.used) {
                self.faults.push(format!("{id:?} in {:?} begins at {base:?}", overlays.used));
            }
        }
        let old = if promotes { Some((overlays.used, self.now)) } else { overlays.replaced };
        let drain = self.options.drain;
        let is_early =
            |epoch: Epoch| old.is_some_and(|(e, at)| e == epoch && self.now < at + drain);
        for output in out {
            if let SwitchOutput::Drop(epoch) = output
                && is_early(*epoch)
                && !brings_up
            {
                self.faults.push(format!("{id:?} drops {epoch:?} before it is drained"));
            }
        }
    }

    /// An attempt does not outlive its coordinator for long.
    pub(crate) fn check_orphan(&mut self, id: PeerId) {
        let attempt = self.nodes[&id].attempt();
        let by = attempt.and_then(|proposal| proposal.version.epoch.coordinator);
        let Some(&crashed) = by.and_then(|by| self.crashes.get(&by)) else { return };
        // Two seconds until it is noticed, and what the option says with its jitter.
        let since = crashed.max(self.overlays[&id].brought_up_at);
        if self.now > since + Micros(2_000_000 + self.options.orphan_after.0 * 9 / 8) {
            self.faults.push(format!("{id:?} still waits for {by:?}"));
        }
    }

    /// What a coordinator commits is up and ready at all members that were there when it proposed:
    /// here, all who are alive and not newcomers.
    pub(crate) fn check_all_ready(&mut self, epoch: Epoch) {
        let unready: Vec<PeerId> = self
            .overlays
            .iter()
            .filter(|(id, overlays)| id.node.0 < 1_000 && !overlays.ready.contains(&epoch))
            .map(|(id, _)| *id)
            .collect();
        if !unready.is_empty() && !self.was_cut {
            self.faults.push(format!("{epoch:?} is committed, {unready:?} are not ready"));
        }
    }

    pub(crate) fn run_for(&mut self, millis: u64) {
        let end = self.now + Micros::from_millis(millis);
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= end
        {
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            match event {
                Event::Message { from, to, message } => {
                    if self.links.get(&to).is_some_and(|linked| linked.contains(&from)) {
                        self.tell(to, SwitchInput::Received { from, message });
                    }
                }
                Event::Due(id) => {
                    if self.nodes.get(&id).is_some_and(|node| node.due() <= self.now) {
                        self.tell(id, SwitchInput::Due);
                    }
                }
                Event::Ready(id, epoch) => {
                    if let Some(overlays) = self.overlays.get_mut(&id) {
                        overlays.ready.insert(epoch);
                    }
                    self.tell(id, SwitchInput::Ready(epoch));
                }
                Event::Down { at, peer } => self.tell(at, SwitchInput::MemberDown(peer)),
            }
        }
        self.now = end;
    }

    pub(crate) fn propose(&mut self, id: PeerId, to: Strategy) {
        let current = self.nodes[&id].current();
        let (number, from) = (current.epoch.number, current.strategy);
        self.tell(id, SwitchInput::Propose { number, from, to });
    }

    /// All who live are in one version, and nothing is under way any more.
    pub(crate) fn check_end(&mut self) {
        let ends: BTreeSet<_> = self
            .nodes
            .values()
            .map(|node| (node.current().epoch, node.current().strategy))
            .collect();
        if ends.len() != 1 {
            self.faults.push(format!("members end in {ends:?}"));
        }
        for (id, node) in &self.nodes {
            if node.attempt().is_some() || node.draining().is_some() {
                self.faults.push(format!("{id:?} has not ended: {:?}", node.attempt()));
            }
            let overlays = &self.overlays[id];
            if overlays.up.len() != 1 || overlays.used != node.current().epoch {
                self.faults.push(format!("{id:?} is left with {overlays:?}"));
            }
        }
    }
}

/// One random story: some proposals, some at once, members that crash, join or cannot follow.
pub(crate) fn story(seed: u64, options: SwitchOptions) -> World {
    let mut rng = Rng::of_stream(seed, 1);
    let members = 3 + rng.below(20);
    let mut world = World::new(seed, members, options);
    world.loss = [0.0, 0.0, 0.1, 0.3][rng.index(4)];
    let mut newcomers = 1_000;
    for _ in 0..1 + rng.below(3) {
        for _ in 0..1 + rng.below(2) {
            // One of them again and again, so that a failed attempt is followed by its next.
            let first = *world.nodes.keys().next().expect("a member");
            let by = if rng.chance(0.5) { first } else { world.any() };
            let to = 1 + u8::try_from(rng.below(4)).expect("small");
            world.propose(by, to);
            world.run_for(u64::from(rng.below(300)));
            if rng.chance(0.2) && world.nodes.len() > 2 {
                world.crash(by);
            }
        }
        for _ in 0..rng.below(4) {
            world.run_for(u64::from(rng.below(1_500)));
            match rng.below(4) {
                0 if world.nodes.len() > 3 => {
                    let gone = world.any();
                    world.crash(gone);
                }
                1 => {
                    newcomers += 1;
                    world.join(peer(newcomers));
                }
                2 => {
                    let lonely = world.any();
                    world.lonely.insert(lonely);
                }
                _ => {}
            }
        }
        world.run_for(u64::from(rng.below(30_000)));
    }
    world.loss = 0.0;
    world.lonely.clear();
    world.run_for(200_000);
    world.check_end();
    world
}

/// Two proposals at most, then the cluster is in two halves for a while.
pub(crate) fn parted_story(seed: u64, options: SwitchOptions) -> World {
    let mut rng = Rng::of_stream(seed, 2);
    let mut world = World::new(seed, 4 + rng.below(16), options);
    for to in 1..2 + u8::from(rng.chance(0.3)) {
        let by = world.any();
        world.propose(by, to);
    }
    world.run_for(u64::from(rng.below(1_500)));
    world.cut(true);
    world.run_for(u64::from(rng.below(20_000)));
    world.cut(false);
    world.run_for(200_000);
    world.check_end();
    world
}
