//! The proof of the checkers: a bug that a machine is told to have is found.

use std::collections::BTreeMap;

use foundation_machine::{Bug, Planted};

use crate::report::Report;
use crate::run::Control;
use crate::simulate::{SimulateOptions, run_plan};

/// What is run to find bugs: small, and each with another weight.
pub const GROUNDS: &[Ground] = &[
    Ground { scenario: "chaos", nodes: 16, turns: 25, fail: 0.0 },
    Ground { scenario: "crash", nodes: 60, turns: 50, fail: 0.8 },
    Ground { scenario: "tree", nodes: 60, turns: 0, fail: 0.2 },
    Ground { scenario: "at-once", nodes: 30, turns: 0, fail: 0.0 },
    Ground { scenario: "optimise", nodes: 60, turns: 0, fail: 0.0 },
    Ground { scenario: "members", nodes: 24, turns: 0, fail: 0.0 },
    Ground { scenario: "detection", nodes: 32, turns: 0, fail: 0.1 },
    Ground { scenario: "slow", nodes: 16, turns: 0, fail: 0.0 },
    Ground { scenario: "routes", nodes: 16, turns: 0, fail: 0.0 },
    Ground { scenario: "switch", nodes: 8, turns: 8, fail: 0.0 },
    Ground { scenario: "churn", nodes: 60, turns: 0, fail: 0.0 },
];

/// A scenario at a size.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    /// Which scenario.
    pub scenario: &'static str,
    /// How many nodes.
    pub nodes: u32,
    /// How often it does what it does again and again.
    pub turns: u32,
    /// The part that fails.
    pub fail: f64,
}

impl Ground {
    /// Runs it with a bug or none.
    ///
    /// # Panics
    /// The ground is not one of [`GROUNDS`].
    #[must_use]
    pub fn run(&self, seed: u64, planted: Planted) -> Report {
        let options = SimulateOptions {
            scenario: self.scenario.to_owned(),
            nodes: Some(self.nodes),
            turns: Some(self.turns),
            fail: Some(self.fail),
            seed,
            ..SimulateOptions::default()
        };
        let (scenario, mut plan) = options.plan().expect("grounds keep to the limits");
        plan.node.planted = planted;
        run_plan(scenario, plan, &mut |_| Control::Continue)
    }
}

/// The ground of that name.
#[must_use]
pub fn ground(scenario: &str) -> Option<&'static Ground> {
    GROUNDS.iter().find(|it| it.scenario == scenario)
}

/// Where a bug was found.
#[derive(Clone, Debug)]
pub struct Catch {
    /// Which bug.
    pub bug: &'static str,
    /// By which scenario.
    pub scenario: &'static str,
    /// With which seed.
    pub seed: u64,
    /// How it showed.
    pub how: String,
}

/// Finds bugs, and remembers which runs are green without any.
#[derive(Debug, Default)]
pub struct Hunt {
    green: BTreeMap<(&'static str, u64), bool>,
}

impl Hunt {
    /// The first run, ground by ground and seed by seed, that a bug does not survive and that is
    /// green without it.
    pub fn find(&mut self, bug: &Bug, seeds: u64) -> Option<Catch> {
        for ground in GROUNDS {
            // The other grounds take longer and differ less from seed to seed.
            let seeds = if ground.scenario == "chaos" { seeds } else { seeds.div_ceil(20) };
            for seed in 1..=seeds {
                let report = ground.run(seed, Planted::with(bug));
                if !report.holds() && self.is_green(ground, seed) {
                    let how = how(&report);
                    return Some(Catch { bug: bug.name, scenario: ground.scenario, seed, how });
                }
            }
        }
        None
    }

    fn is_green(&mut self, ground: &Ground, seed: u64) -> bool {
        let run = || ground.run(seed, Planted::NONE).holds();
        *self.green.entry((ground.scenario, seed)).or_insert_with(run)
    }
}

/// What went wrong, in one line.
#[must_use]
pub fn how(report: &Report) -> String {
    if let Some(violation) = &report.violation {
        return violation.what.chars().take(100).collect();
    }
    let missed = report.figures.iter().find(|figure| !figure.holds());
    missed.map_or_else(|| "never happened".to_owned(), |it| format!("{}: {}", it.name, it.value))
}
