//! What is compared, and what may not be worse with ours.

use std::collections::BTreeSet;
use std::fmt::Write;

use foundation_cluster::Strategy;
use foundation_machine::{Planted, Rng};

use crate::foca::Swim;
use crate::iroh::Iroh;
use crate::ours::Ours;
use crate::scenario::{PHASES, Phase, VIEW_MAX, play};
use crate::swim::{Watch, Watched, watch};

/// Scenarios with broadcasts, ours beside iroh-gossip's.
pub struct Broadcasts {
    nodes: u32,
    ours: [Phase; PHASES.len()],
    theirs: [Phase; PHASES.len()],
    /// Scenarios in which the view of some node of theirs was one-sided at last.
    theirs_one_sided: u32,
    findings: Vec<String>,
}

impl Broadcasts {
    pub fn play(first: u64, seeds: u64, nodes: u32, planted: Planted) -> Self {
        let (ours, theirs) = Default::default();
        let (theirs_one_sided, findings) = (0, Vec::new());
        let mut all = Broadcasts { nodes, ours, theirs, theirs_one_sided, findings };
        for seed in first..first + seeds {
            all.play_one(seed, planted);
        }
        all
    }

    fn play_one(&mut self, seed: u64, planted: Planted) {
        let ours = play(&mut Ours::views_only(seed, planted), seed, self.nodes);
        let theirs = play(&mut Iroh::new(seed), seed, self.nodes);
        self.theirs_one_sided += u32::from(theirs.one_sided > 0);
        for (sums, outcome) in [(&mut self.ours, &ours), (&mut self.theirs, &theirs)] {
            sums.iter_mut().zip(&outcome.phases).for_each(|(sum, phase)| sum.add(phase));
        }
        let mut find = |holds: bool, what: String| {
            if !holds {
                self.findings.push(format!("seed {seed}: {what}"));
            }
        };
        let missed: u32 = ours.phases.iter().map(|phase| phase.missed).sum();
        let doubled: u32 = ours.phases.iter().map(|phase| phase.doubled).sum();
        find(missed == 0, format!("{missed} deliveries are missing"));
        find(doubled == 0, format!("{doubled} deliveries are doubled"));
        find(ours.view_max <= VIEW_MAX, format!("an active view of {}", ours.view_max));
        find(ours.one_sided == 0, format!("{} one-sided links", ours.one_sided));
        find(ours.parts == 1, format!("the overlay is in {} parts", ours.parts));
    }

    /// In which ways ours did worse than is right, or than theirs.
    pub fn findings(&self) -> Vec<String> {
        let mut findings = self.findings.clone();
        for (name, (ours, theirs)) in PHASES.iter().zip(self.ours.iter().zip(&self.theirs)) {
            // Our first flood goes over more links: at the start none is left out of the tree.
            let is_flood = *name == PHASES[0];
            if !is_flood && ours.rmr() > theirs.rmr() + 0.02 {
                findings.push(format!("{name}: RMR {:.3}, {:.3}", ours.rmr(), theirs.rmr()));
            }
            // Trees of different shape: what counts is that ours is of the same kind.
            if ours.ldh() > 1.5 * theirs.ldh() + 2.0 {
                findings.push(format!("{name}: LDH {:.1}, {:.1}", ours.ldh(), theirs.ldh()));
            }
            if ours.millis() > 2.5 * theirs.millis() {
                let (ours, theirs) = (ours.millis(), theirs.millis());
                findings.push(format!("{name}: {ours:.0} ms, {theirs:.0} ms"));
            }
        }
        findings
    }

    /// Figures by phase.
    pub fn table(&self) -> String {
        let mut table = format!("{} nodes, ours / iroh-gossip\n", self.nodes);
        for (name, (a, b)) in PHASES.iter().zip(self.ours.iter().zip(&self.theirs)) {
            let _ = writeln!(
                table,
                "{name:14} missed {} / {}  doubled {} / {}  RMR {:.3} / {:.3}  LDH {:.1} / {:.1}  \
                 {:.0} / {:.0} ms",
                a.missed,
                b.missed,
                a.doubled,
                b.doubled,
                a.rmr(),
                b.rmr(),
                a.ldh(),
                b.ldh(),
                a.millis(),
                b.millis(),
            );
        }
        let one_sided = self.theirs_one_sided;
        let _ = writeln!(table, "scenarios with one-sided links: 0 / {one_sided}");
        table
    }
}

/// Members of each scenario of detection: what foca's settings are made for.
const MEMBERS: u32 = 32;
/// What a step of the scenario can hide.
const SLACK_MS: u64 = 200;

/// Scenarios in which nodes fall silent, ours beside foca's.
pub struct Detection {
    systems: Vec<(&'static str, Vec<Watched>)>,
    first: u64,
}

impl Detection {
    pub fn play(first: u64, seeds: u64) -> Self {
        let mut systems: Vec<(&'static str, Vec<Watched>)> =
            ["full mesh", "HyParView", "foca"].map(|name| (name, Vec::new())).into();
        for seed in first..first + seeds {
            let all: Vec<u32> = (0..MEMBERS).collect();
            let mut rng = Rng::of_stream(seed, 8);
            let count = 1 + rng.index(MEMBERS as usize / 4);
            let silent: BTreeSet<u32> = rng.sample(&all, count).into_iter().collect();
            let watches: [Box<dyn Watch>; 3] = [
                Box::new(Ours::with_roster(seed, Strategy::FullMesh)),
                Box::new(Ours::with_roster(seed, Strategy::HyParView)),
                Box::new(Swim::new(seed, MEMBERS)),
            ];
            for ((_, outcomes), mut one) in systems.iter_mut().zip(watches) {
                outcomes.push(watch(&mut *one, MEMBERS, &silent));
            }
        }
        Detection { systems, first }
    }

    /// In which ways ours did worse than is right, or than theirs.
    pub fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let Some(((_, theirs), ours)) = self.systems.split_last() else { return findings };
        for (name, outcomes) in ours {
            for (seed, (outcome, other)) in (self.first..).zip(outcomes.iter().zip(theirs)) {
                let Watched { is_formed, found_after, wronged } = *outcome;
                let is_late = match (found_after, other.found_after) {
                    (None, _) => true,
                    (Some(ours), Some(theirs)) => ours > theirs + SLACK_MS,
                    (Some(_), None) => false,
                };
                if !is_formed || is_late || wronged > 0 {
                    findings.push(format!("seed {seed}, {name}: {outcome:?}, foca {other:?}"));
                }
            }
        }
        findings
    }

    /// Figures by system.
    pub fn table(&self) -> String {
        let mut table = format!("{MEMBERS} members, 1 to {} fall silent\n", MEMBERS / 4);
        for (name, outcomes) in &self.systems {
            let found: Vec<u64> = outcomes.iter().filter_map(|one| one.found_after).collect();
            let formed = outcomes.iter().filter(|one| one.is_formed).count();
            let wronged: u32 = outcomes.iter().map(|one| one.wronged).sum();
            let mean = found.iter().sum::<u64>() / (found.len() as u64).max(1);
            let most = found.iter().max().copied().unwrap_or(0);
            let _ = writeln!(
                table,
                "{name:14} formed {formed}/{all}  found {}/{all}, by all after {mean} ms, at most \
                 {most} ms  taken for down wrongly {wronged}",
                found.len(),
                all = outcomes.len(),
            );
        }
        table
    }
}
