//! Every scenario at a size for every check, with its seeds; the bars at 1,000 nodes are those of
//! `simulate` in its release build.

use foundation_sim::{Control, OptionError, Report, SCENARIOS, SimulateOptions, simulate};

fn run(options: &SimulateOptions) -> Report {
    simulate(options, &mut |_| Control::Continue).expect("options within their limits")
}

fn small(scenario: &str, seed: u64) -> SimulateOptions {
    let is_long = matches!(scenario, "chaos" | "switch");
    SimulateOptions {
        scenario: scenario.to_owned(),
        nodes: Some(if is_long { 8 } else { 30 }),
        turns: is_long.then_some(4),
        seed,
        full_trace: true,
        ..SimulateOptions::default()
    }
}

#[test]
fn every_scenario_holds_among_few_nodes_and_a_seed_gives_one_trace() {
    for scenario in SCENARIOS {
        let [first, again] = [run(&small(scenario.name, 1)), run(&small(scenario.name, 1))];
        assert!(first.holds(), "{}", first.text());
        assert_eq!(first, again, "{} with seed 1", scenario.name);
        let other = run(&small(scenario.name, 2));
        assert!(other.holds(), "{}", other.text());
        assert_ne!(first.trace_hash, other.trace_hash, "{}", scenario.name);
    }
}

/// `members` with 10 nodes and `homes` with 2 asked for nodes that there were not.
#[test]
fn every_scenario_can_be_done_with_its_fewest_nodes_and_refuses_fewer() {
    for scenario in SCENARIOS {
        let with = |nodes| {
            let options = SimulateOptions { nodes: Some(nodes), ..small(scenario.name, 1) };
            simulate(&options, &mut |_| Control::Continue)
        };
        let report = with(scenario.nodes_min).expect("options within their limits");
        assert!(report.steps > 0 && !report.is_stopped, "{}", report.text());
        let refused = with(scenario.nodes_min - 1).expect_err("too few");
        assert_eq!(refused.option, "nodes", "{}", scenario.name);
    }
}

#[test]
fn who_started_it_may_stop_it_and_hears_how_far_it_is() {
    let mut phases = Vec::new();
    let report = simulate(&small("crash", 5), &mut |progress| {
        if phases.last() != Some(&progress.phase) {
            phases.push(progress.phase);
        }
        if progress.phase == "settle" { Control::Stop } else { Control::Continue }
    });
    let report = report.expect("options within their limits");
    assert!(report.is_stopped && !report.holds());
    assert_eq!(phases, ["join", "settle"]);
    assert_eq!(report.census.iter().find(|it| it.name == "start").map(|it| it.count), Some(30));
}

#[test]
fn options_beyond_their_limits_are_refused_by_name() {
    let refused = |change: fn(&mut SimulateOptions)| -> OptionError {
        let mut options = SimulateOptions::default();
        change(&mut options);
        simulate(&options, &mut |_| Control::Stop).expect_err("beyond its limit")
    };
    assert_eq!(refused(|it| it.nodes = Some(1)).option, "nodes");
    assert_eq!(refused(|it| it.nodes = Some(100_001)).option, "nodes");
    assert_eq!(refused(|it| it.turns = Some(1_000_001)).option, "turns");
    assert_eq!(refused(|it| it.fail = Some(1.0)).option, "fail");
    assert_eq!(refused(|it| it.fail = Some(f64::NAN)).option, "fail");
    assert_eq!(refused(|it| it.loss = -0.1).option, "loss");
    assert!(refused(|it| it.scenario = "none".into()).to_string().contains("crash"));
}

/// After a switch an overlay had members alone for seeds: parts that had given each other up never
/// met again.
#[test]
fn parts_of_an_overlay_that_was_switched_find_together() {
    let report = run(&SimulateOptions { nodes: Some(16), turns: Some(25), ..small("chaos", 75) });
    assert!(report.holds(), "{}", report.text());
    assert!(report.census.iter().any(|it| it.name == "overlay-switch" && it.count > 0));
}
