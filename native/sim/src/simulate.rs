//! One call runs a scenario from its seed and reports.

use std::fmt;

use serde::Deserialize;

use crate::picture;
use crate::report::{Count, Finding, Report, counts};
use crate::run::{Control, End, Plan, Progress, Run};
use crate::scenarios::{SCENARIOS, Scenario, scenario};
use crate::subject::Subject;
use crate::trace::TraceDepth;

/// Nodes that a run may have.
pub const NODES_MAX: u32 = 100_000;
/// How often a run may do what its scenario does again and again.
pub const TURNS_MAX: u32 = 1_000_000;

/// What to run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SimulateOptions {
    /// One of [`SCENARIOS`]. Default: `crash`.
    pub scenario: String,
    /// How many nodes, [`Scenario::nodes_min`] to [`NODES_MAX`]. Default: the size of the
    /// scenario's bars.
    pub nodes: Option<u32>,
    /// Everything random comes from it. Default: 1.
    pub seed: u64,
    /// The part of the nodes that fails, 0 to 0.99, where the scenario asks. Default: the
    /// scenario's.
    pub fail: Option<f64>,
    /// How often is done what the scenario does again and again, at most [`TURNS_MAX`]. Default:
    /// the scenario's.
    pub turns: Option<u32>,
    /// Whether nodes compare with discovery seeds and so find separated parts. Default: true.
    pub seed_rule: bool,
    /// Whether X-BOT trades links for cheaper ones. Default: the scenario's.
    pub optimise: Option<bool>,
    /// Messages lost and sent again by the transport, 0 to 0.5. Default: 0.
    pub loss: f64,
    /// Whether the overlay is drawn before and after. Default: false.
    pub picture: bool,
    /// Whether the content of every message goes into the trace's hash: slower. Default: false.
    pub full_trace: bool,
    /// Whether the last lines before a violation are kept: slower still. Default: false.
    pub lines: bool,
}

impl Default for SimulateOptions {
    fn default() -> Self {
        SimulateOptions {
            scenario: "crash".to_owned(),
            nodes: None,
            seed: 1,
            fail: None,
            turns: None,
            seed_rule: true,
            optimise: None,
            loss: 0.0,
            picture: false,
            full_trace: false,
            lines: false,
        }
    }
}

/// An option that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError {
    /// Which.
    pub option: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for OptionError {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(into, "{}: {}", self.option, self.reason)
    }
}

impl std::error::Error for OptionError {}

impl SimulateOptions {
    /// The command that runs just that, from the root of the repository.
    #[must_use]
    pub fn command(&self) -> String {
        let mut words = "cargo run --release --manifest-path native/Cargo.toml -p foundation-sim \
                         --bin simulate -- "
            .to_owned();
        words += &self.scenario;
        let options = [
            self.nodes.map(|nodes| format!("--nodes {nodes}")),
            self.fail.map(|fail| format!("--fail {fail}")),
            self.turns.map(|turns| format!("--turns {turns}")),
            Some(format!("--seed {}", self.seed)),
            (!self.seed_rule).then(|| "--no-seed-rule".to_owned()),
            self.optimise.and_then(|optimises| optimises.then(|| "--optimise".to_owned())),
            (self.loss > 0.0).then(|| format!("--loss {}", self.loss)),
        ];
        for option in options.into_iter().flatten() {
            words += " ";
            words += &option;
        }
        words
    }

    /// The scenario and what it begins with.
    ///
    /// # Errors
    /// An option is out of its limits.
    pub fn plan(&self) -> Result<(&'static Scenario, Plan), OptionError> {
        let refuse = |option, reason: String| Err(OptionError { option, reason });
        let Some(scenario) = scenario(&self.scenario) else {
            let names: Vec<&str> = SCENARIOS.iter().map(|it| it.name).collect();
            return refuse("scenario", format!("no '{}'; {}", self.scenario, names.join(", ")));
        };
        let nodes = self.nodes.unwrap_or(scenario.nodes);
        let least = scenario.nodes_min;
        if !(least..=NODES_MAX).contains(&nodes) {
            let name = scenario.name;
            let reason = format!("{nodes} is not within {least} to {NODES_MAX} of '{name}'");
            return refuse("nodes", reason);
        }
        let fail = self.fail.unwrap_or(scenario.fail);
        if !(0.0..=0.99).contains(&fail) {
            return refuse("fail", format!("{fail} is not within 0 to 0.99"));
        }
        if !(0.0..=0.5).contains(&self.loss) {
            return refuse("loss", format!("{} is not within 0 to 0.5", self.loss));
        }
        let turns = self.turns.unwrap_or(scenario.turns);
        if turns > TURNS_MAX {
            return refuse("turns", format!("{turns} is more than {TURNS_MAX}"));
        }
        let mut plan = Plan { nodes, seed: self.seed, fail, turns, ..Plan::default() };
        plan.node.has_seed_rule = self.seed_rule;
        plan.is_pictured = self.picture;
        plan.depth = match (self.lines, self.full_trace) {
            (true, _) => TraceDepth::Lines,
            (false, true) => TraceDepth::Messages,
            (false, false) => TraceDepth::Steps,
        };
        (scenario.prepare)(&mut plan);
        if let Some(optimise) = self.optimise {
            plan.node.is_optimised = optimise;
        }
        plan.network.loss = plan.network.loss.max(self.loss);
        Ok((scenario, plan))
    }
}

/// Runs a scenario; the same options give the same report. The caller hears of its progress every
/// half second of virtual time and may stop it.
///
/// # Errors
/// An option is out of its limits; nothing was run.
pub fn simulate(
    options: &SimulateOptions,
    progress: &mut dyn FnMut(Progress) -> Control,
) -> Result<Report, OptionError> {
    let (scenario, plan) = options.plan()?;
    Ok(run_plan(scenario, plan, progress))
}

/// Runs a scenario as planned.
pub fn run_plan(
    scenario: &Scenario,
    plan: Plan,
    progress: &mut dyn FnMut(Progress) -> Control,
) -> Report {
    let mut run = Run::new(plan, progress);
    run.wanted.extend_from_slice(scenario.wanted);
    let end = (scenario.run)(&mut run);
    report(scenario, &run, end)
}

fn report(scenario: &Scenario, run: &Run<'_>, end: Result<(), End>) -> Report {
    let Run { fleet, plan, figures, views, wanted, .. } = run;
    let (violation, is_stopped) = match end {
        Ok(()) => (None, false),
        Err(End::Violated(violation)) => (Some(Finding::from(violation)), false),
        Err(End::Stopped) => (None, true),
    };
    // A run that ended early had no time for what it was to do.
    let is_over = violation.is_none() && !is_stopped;
    let kinds = crate::node::Machine::KINDS.iter().zip(fleet.sent());
    let title = format!("{}, {} nodes, seed {}", scenario.name, plan.nodes, plan.seed);
    Report {
        scenario: scenario.name.to_owned(),
        seed: plan.seed,
        nodes: plan.nodes,
        figures: figures.clone(),
        violation,
        blind_spots: if is_over { fleet.census.missing(wanted) } else { Vec::new() },
        census: counts(&fleet.census),
        messages: kinds.map(|(&name, &count)| Count { name, count }).collect(),
        trace_hash: format!("{:016x}", fleet.trace.hash.value()),
        steps: fleet.trace.steps,
        virtual_ms: fleet.now().as_millis(),
        is_stopped,
        picture: (!views.is_empty()).then(|| picture::page(&title, views)),
    }
}
