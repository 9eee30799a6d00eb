//! Cuts: two sides that went their own ways come to the same table, whatever happened on either.

use foundation_machine::{Micros, PeerId};
use foundation_membership::{DownReason, MemberStatus, RosterEvent, RosterInput, RosterOptions};

use crate::net::{Net, peer};

const SECOND: Micros = Micros::from_millis(1_000);

/// A cluster that is cut in two, lives on, and is linked again.
struct Cut {
    net: Net,
    sides: [Vec<PeerId>; 2],
    /// Who is gone: crashed, left, or replaced by a later life.
    gone: Vec<PeerId>,
}

impl Cut {
    fn new(seed: u64, options: RosterOptions) -> Cut {
        let mut net = Net::new(seed, options);
        let count = 4 + net.rng.below(6);
        let nodes: Vec<_> = (1..=count).map(|node| peer(node, 1)).collect();
        nodes.iter().for_each(|&node| net.start(node));
        net.mesh(&nodes);
        net.run(SECOND);
        let middle = 1 + net.rng.index(nodes.len() - 1);
        let (left, right) = nodes.split_at(middle);
        let sides = [left.to_vec(), right.to_vec()];
        for &a in &sides[0] {
            for &b in &sides[1] {
                net.unlink(a, b);
            }
        }
        Cut { net, sides, gone: Vec::new() }
    }

    fn any(&mut self, side: usize) -> PeerId {
        *self.net.rng.pick(&self.sides[side].clone()).unwrap()
    }

    /// One thing that happens on one side.
    fn step(&mut self) {
        let side = self.net.rng.index(2);
        let at = self.any(side);
        let far = self.any(1 - side);
        match self.net.rng.below(7) {
            0 => {
                let isolates = self.net.rng.below(3) as u16;
                self.net.give(at, RosterInput::Busy(isolates));
            }
            1 => self.net.give(at, RosterInput::Suspect(far)),
            2 | 3 => {
                self.net.give(at, RosterInput::Suspect(far));
                self.net.give(at, RosterInput::Down(far));
            }
            4 => {
                let near = self.any(side);
                self.net.give(at, RosterInput::Suspect(near));
            }
            5 if self.sides[side].len() > 1 => self.end(side, at),
            _ => self.restart(side, at),
        }
        let pause = Micros(u64::from(self.net.rng.below(400_000)));
        self.net.run(pause);
    }

    /// A node crashes or leaves; its own side finds out.
    fn end(&mut self, side: usize, at: PeerId) {
        let has_left = self.net.rng.chance(0.5);
        if has_left {
            self.net.give(at, RosterInput::Leave);
            self.net.run(Micros::from_millis(100));
        }
        self.net.stop(at);
        self.gone.push(at);
        self.sides[side].retain(|&node| node != at);
        let witness = self.any(side);
        if has_left {
            self.net.give(witness, RosterInput::Left(at));
        } else {
            self.net.give(witness, RosterInput::Suspect(at));
            self.net.run(Micros::from_millis(300));
            self.net.give(witness, RosterInput::Down(at));
        }
    }

    fn restart(&mut self, side: usize, at: PeerId) {
        self.net.stop(at);
        self.gone.push(at);
        self.sides[side].retain(|&node| node != at);
        let later = peer(at.node.0, at.life.start + 1);
        self.net.start(later);
        for &other in &self.sides[side] {
            self.net.link(later, other);
        }
        self.sides[side].push(later);
    }

    /// Whoever knew of an end may have ended too: one node's detector finds what is left.
    fn find_the_dead(&mut self) {
        let at = self.any(0);
        for gone in self.gone.clone() {
            self.net.give(at, RosterInput::Suspect(gone));
            self.net.give(at, RosterInput::Down(gone));
        }
        self.net.run(Micros::from_millis(70_000));
    }

    /// Links between the sides, one or more of them.
    fn heal(&mut self) {
        let links = 1 + self.net.rng.below(4);
        for _ in 0..links {
            let (a, b) = (self.any(0), self.any(1));
            self.net.link(a, b);
            let pause = Micros(u64::from(self.net.rng.below(20_000)));
            self.net.run(pause);
        }
    }
}

pub(crate) fn live_apart_and_merge(seed: u64, options: RosterOptions) {
    let mut cut = Cut::new(seed, options);
    let steps = 3 + cut.net.rng.below(20);
    for _ in 0..steps {
        cut.step();
    }
    cut.heal();
    // News and answers go at once; what both missed is found by the next digests.
    cut.net.run(Micros::from_millis(70_000));
    assert!(cut.net.all_agree(), "seed {seed}: the sides differ");
    cut.find_the_dead();
    let net = &cut.net;
    assert!(net.all_agree(), "seed {seed}: the sides differ about the dead");
    let mut alive: Vec<PeerId> = cut.sides.concat();
    alive.sort_unstable();
    for &at in &alive {
        let view = net.view(at);
        let up: Vec<PeerId> = view.iter().map(|(peer, _)| *peer).collect();
        assert_eq!(up, alive, "seed {seed}: who is up, as {at:?} sees it");
        let is_suspect = |(_, status): &(PeerId, MemberStatus)| *status == MemberStatus::Suspect;
        assert!(!view.iter().any(is_suspect), "seed {seed}: a suspicion stays");
    }
    net.check_events();
}

/// Each side finds the other failed, and then the links come back.
pub(crate) fn fail_each_other_and_merge(seed: u64, options: RosterOptions) {
    let mut cut = Cut::new(seed, options);
    let sides = cut.sides.clone();
    for (side, other) in [(0, 1), (1, 0)] {
        for &at in &sides[side] {
            for &far in &sides[other] {
                cut.net.give(at, RosterInput::Suspect(far));
            }
        }
        cut.net.run(SECOND);
        for &far in &sides[other] {
            cut.net.give(sides[side][0], RosterInput::Down(far));
        }
    }
    cut.net.run(SECOND);
    cut.net.events.clear();
    cut.heal();
    cut.net.run(Micros::from_millis(70_000));
    assert!(cut.net.all_agree(), "seed {seed}");
    let is_down = |event: &RosterEvent| matches!(event, RosterEvent::MemberDown { .. });
    let downs: Vec<_> = cut.net.events.iter().filter(|(_, event)| is_down(event)).collect();
    assert!(downs.is_empty(), "seed {seed}: {downs:?}");
    assert_eq!(cut.net.view(sides[0][0]).len(), sides[0].len() + sides[1].len());
}

/// One side takes a member out for good that lives on, on the other.
pub(crate) fn remove_and_merge(
    reason: DownReason,
    verdict: fn(PeerId) -> RosterInput,
    options: RosterOptions,
) {
    let mut cut = Cut::new(11, options);
    let (here, away) = (cut.sides[0][0], cut.sides[1][0]);
    cut.net.give(here, verdict(away));
    cut.net.run(SECOND);
    // What it says later of itself does not help it.
    cut.net.give(away, RosterInput::Busy(1));
    cut.heal();
    cut.net.run(Micros::from_millis(70_000));
    cut.net.check_events();
    for &at in cut.sides.concat().iter().filter(|&&at| at != away) {
        assert_eq!(cut.net.status(at, away), Some(MemberStatus::Down(reason)));
    }
    assert!(cut.net.events_of(away).contains(&RosterEvent::Removed(reason)));
    cut.restart(1, away);
    cut.net.run(SECOND);
    let later = peer(away.node.0, 2);
    assert_eq!(cut.net.status(here, later), Some(MemberStatus::Alive));
    cut.net.check_events();
}

/// A member fails and is forgotten on one side, and lives on the other.
pub(crate) fn forget_and_merge(options: RosterOptions) {
    let mut cut = Cut::new(12, RosterOptions { tombstone: SECOND, ..options });
    let (here, away) = (cut.sides[0][0], cut.sides[1][0]);
    cut.net.give(here, RosterInput::Suspect(away));
    cut.net.give(here, RosterInput::Down(away));
    cut.net.run(Micros::from_millis(10_000));
    assert_eq!(cut.net.status(here, away), None);
    cut.net.events.clear();
    cut.net.link(here, away);
    cut.net.run(Micros::from_millis(70_000));
    assert!(cut.net.events_of(here).contains(&RosterEvent::MemberUp(away)));
    assert_eq!(cut.net.rosters[&away].own().term, 1, "it has answered");
    cut.restart(1, away);
    cut.net.link(here, peer(away.node.0, 2));
    assert_eq!(cut.net.status(here, peer(away.node.0, 2)), Some(MemberStatus::Alive));
}

#[test]
fn both_sides_of_a_cut_come_to_the_same_table_whatever_happened() {
    for seed in 1..=1_000 {
        println!("seed {seed}");
        live_apart_and_merge(seed, RosterOptions::default());
    }
}

#[test]
fn after_a_cut_nobody_is_down_for_its_own_side() {
    for seed in 1..=200 {
        fail_each_other_and_merge(seed, RosterOptions::default());
    }
}

#[test]
fn a_life_that_was_removed_is_told_so_and_only_a_later_one_comes_back() {
    remove_and_merge(DownReason::Left, RosterInput::Left, RosterOptions::default());
    remove_and_merge(DownReason::Evicted, RosterInput::Evict, RosterOptions::default());
}

#[test]
fn a_failed_life_whose_tombstone_is_gone_comes_back_by_its_own_word() {
    forget_and_merge(RosterOptions::default());
}

#[test]
fn a_removed_life_whose_tombstone_is_gone_does_not_come_back() {
    let mut cut = Cut::new(13, RosterOptions { tombstone: SECOND, ..RosterOptions::default() });
    let (here, away) = (cut.sides[0][0], cut.sides[1][0]);
    cut.net.give(here, RosterInput::Evict(away));
    cut.net.run(Micros::from_millis(10_000));
    assert_eq!(cut.net.status(here, away), None);
    cut.net.events.clear();
    cut.net.link(here, away);
    cut.net.run(Micros::from_millis(70_000));
    assert!(!cut.net.events_of(here).contains(&RosterEvent::MemberUp(away)));
    assert!(cut.net.rosters[&here].is_removed(away));
    assert!(cut.net.events_of(away).contains(&RosterEvent::Removed(DownReason::Expired)));
}
