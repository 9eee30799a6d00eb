//! The tables of bars: which scenarios run at which sizes, with which seeds.

use std::fmt::Write;

use crate::report::{Bar, Report};
use crate::simulate::SimulateOptions;

/// What must hold of the runs of a row together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Across {
    /// The mean of a figure over all seeds.
    Mean(&'static str, Bar),
    /// The share of the seeds in which a figure is that value.
    Share(&'static str, f64, Bar),
}

impl Across {
    /// The value over those reports, what it is, and whether it holds. A run without the figure
    /// counts against it.
    #[must_use]
    pub fn judge(&self, reports: &[Report]) -> (String, bool) {
        let of = |name: &str| -> Vec<f64> {
            let figure = |report: &Report| {
                report.figures.iter().find(|it| it.name == name).map_or(f64::NAN, |it| it.value)
            };
            reports.iter().map(figure).collect()
        };
        let count = reports.len().max(1) as f64;
        let (name, value, bar) = match *self {
            Across::Mean(name, bar) => {
                (format!("mean of '{name}'"), of(name).iter().sum::<f64>() / count, bar)
            }
            Across::Share(name, wanted, bar) => {
                let share = of(name).iter().filter(|&&it| it == wanted).count() as f64 / count;
                (format!("seeds with '{name}' at {wanted}"), share, bar)
            }
        };
        (format!("{name}: {value:.3} {}", bar.text()), bar.holds(value))
    }
}

/// One row: a scenario at a size with several seeds.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// By what it is asked for.
    pub name: &'static str,
    /// Which scenario.
    pub scenario: &'static str,
    /// How many nodes.
    pub nodes: u32,
    /// The part that fails; the scenario's where 0.
    pub fail: f64,
    /// How often it does what it does again and again; the scenario's where 0.
    pub turns: u32,
    /// Whether nodes compare with discovery seeds.
    pub has_seed_rule: bool,
    /// Seeds in a check of every change.
    pub seeds_short: u64,
    /// Seeds in the full tables.
    pub seeds_full: u64,
    /// What must hold of its runs together, of the full tables alone.
    pub across: &'static [Across],
}

const ROW: Row = Row {
    name: "",
    scenario: "",
    nodes: 1_000,
    fail: 0.0,
    turns: 0,
    has_seed_rule: true,
    seeds_short: 5,
    seeds_full: 20,
    across: &[],
};

const EVEN: Across = Across::Mean(
    "joined: most named in passive views, of median",
    // 46 of 30 by the paper's rules.
    Bar::AtMost(2.0),
);

/// All rows. The sizes of the full tables beyond 1,000 stand in rows of their own, which the short
/// run leaves out.
pub const ROWS: &[Row] = &[
    Row { name: "crash-50", scenario: "crash", fail: 0.5, seeds_short: 1, across: &[EVEN], ..ROW },
    Row { name: "crash-80", scenario: "crash", fail: 0.8, across: &[EVEN], ..ROW },
    Row { name: "crash-90", scenario: "crash", fail: 0.9, seeds_short: 2, ..ROW },
    Row {
        name: "crash-80-no-seeds",
        scenario: "crash",
        fail: 0.8,
        has_seed_rule: false,
        seeds_short: 1,
        across: &[Across::Share("3 shuffles after: components", 1.0, Bar::AtLeast(0.8))],
        ..ROW
    },
    Row {
        name: "crash-90-no-seeds",
        scenario: "crash",
        fail: 0.9,
        has_seed_rule: false,
        seeds_short: 0,
        ..ROW
    },
    Row { name: "at-once", scenario: "at-once", nodes: 100, seeds_short: 20, ..ROW },
    Row { name: "at-once-1000", scenario: "at-once", seeds_short: 2, ..ROW },
    Row { name: "optimise", scenario: "optimise", seeds_short: 3, ..ROW },
    Row { name: "tree", scenario: "tree", ..ROW },
    Row { name: "churn", scenario: "churn", seeds_short: 3, ..ROW },
    Row { name: "members", scenario: "members", nodes: 200, ..ROW },
    Row { name: "members-1000", scenario: "members", seeds_short: 0, seeds_full: 5, ..ROW },
    Row { name: "detection", scenario: "detection", nodes: 100, ..ROW },
    Row { name: "half-lost", scenario: "detection", nodes: 200, fail: 0.5, ..ROW },
    Row { name: "detection-1000", scenario: "detection", seeds_short: 1, seeds_full: 5, ..ROW },
    Row { name: "slow", scenario: "slow", nodes: 64, ..ROW },
    // Virtual hours: 5 in a check, 100 in the full tables.
    Row { name: "hours", scenario: "hours", nodes: 32, turns: 1, seeds_full: 100, ..ROW },
    Row { name: "homes", scenario: "homes", nodes: 60, ..ROW },
    Row { name: "homes-1000", scenario: "homes", seeds_short: 1, seeds_full: 5, ..ROW },
    Row { name: "routes", scenario: "routes", nodes: 40, ..ROW },
    // Switches: 50 in a check, 1,000 in the full tables.
    Row { name: "switch", scenario: "switch", nodes: 20, turns: 10, seeds_full: 100, ..ROW },
    Row { name: "whole-again", fail: 0.9, turns: 10, ..huge("crash") },
    Row { name: "crash-80-10000", fail: 0.8, seeds_full: 1, ..huge("crash") },
    Row { name: "crash-50-10000", fail: 0.5, seeds_full: 1, ..huge("crash") },
    Row { name: "at-once-10000", seeds_full: 1, ..huge("at-once") },
    Row { name: "optimise-10000", seeds_full: 1, ..huge("optimise") },
    Row { name: "tree-10000", seeds_full: 1, ..huge("tree") },
    Row { name: "churn-10000", seeds_full: 1, ..huge("churn") },
];

const fn huge(scenario: &'static str) -> Row {
    Row { scenario, nodes: 10_000, seeds_short: 0, ..ROW }
}

impl Row {
    /// What a seed of it runs.
    #[must_use]
    pub fn options(&self, seed: u64) -> SimulateOptions {
        SimulateOptions {
            scenario: self.scenario.to_owned(),
            nodes: Some(self.nodes),
            fail: (self.fail > 0.0).then_some(self.fail),
            turns: (self.turns > 0).then_some(self.turns),
            seed_rule: self.has_seed_rule,
            seed,
            ..SimulateOptions::default()
        }
    }

    /// How many seeds it has, from 1 on.
    #[must_use]
    pub const fn seeds(&self, is_full: bool) -> u64 {
        if is_full { self.seeds_full } else { self.seeds_short }
    }
}

/// One line on a run of a row: figures that have a bar, or all that went wrong and how to see it
/// again.
#[must_use]
pub fn line(row: &Row, report: &Report) -> String {
    let Row { name, nodes, .. } = row;
    let verdict = if report.holds() { "holds" } else { "MISSES" };
    let mut text = format!("{name:<18} n {nodes:<6} seed {:<3} {verdict}", report.seed);
    for figure in report.figures.iter().filter(|it| it.bar.is_some()) {
        let _ = write!(text, "; {} {}", figure.name, crate::report::short(figure.value));
    }
    if report.holds() {
        return text;
    }
    report.text().lines().filter(|line| line.starts_with('!')).for_each(|line| {
        let _ = write!(text, "\n  {line}");
    });
    let _ = write!(text, "\n  replay: {}", row.options(report.seed).command());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SCENARIOS;
    use crate::report::Figure;

    #[test]
    fn each_row_has_its_own_name_and_a_scenario_and_each_scenario_a_row() {
        for (place, row) in ROWS.iter().enumerate() {
            assert!(row.options(1).plan().is_ok(), "{}", row.name);
            assert!(ROWS[..place].iter().all(|it| it.name != row.name), "{}", row.name);
        }
        for scenario in SCENARIOS.iter().filter(|it| it.name != "chaos") {
            assert!(
                ROWS.iter().any(|it| it.scenario == scenario.name && it.seeds_short > 0),
                "{}",
                scenario.name
            );
        }
    }

    fn report(seed: u64, value: Option<f64>) -> Report {
        let figure = |value| Figure {
            name: "parts".to_owned(),
            value,
            bar: Some(Bar::AtMost(1.0)),
            beside: None,
        };
        Report { seed, figures: value.into_iter().map(figure).collect(), ..Report::default() }
    }

    #[test]
    fn shares_and_means_count_a_run_without_the_figure_against_the_row() {
        let reports = [report(1, Some(1.0)), report(2, Some(2.0)), report(3, None)];
        let share = |least| Across::Share("parts", 1.0, Bar::AtLeast(least)).judge(&reports).1;
        assert!(share(0.33) && !share(0.5));
        let mean = |reports: &[Report]| Across::Mean("parts", Bar::AtMost(1.5)).judge(reports).1;
        assert!(mean(&reports[..2]) && !mean(&reports));
    }

    #[test]
    fn a_miss_tells_the_command_that_replays_it() {
        let row = Row { name: "crash-80", scenario: "crash", fail: 0.8, ..ROW };
        assert!(!line(&row, &report(7, Some(1.0))).contains("replay"));
        let missed = line(&row, &report(7, Some(2.0)));
        assert!(missed.contains("MISSES; parts 2\n  ! parts"), "{missed}");
        let command = "--bin simulate -- crash --nodes 1000 --fail 0.8 --seed 7";
        assert!(missed.contains(command), "{missed}");
    }
}
