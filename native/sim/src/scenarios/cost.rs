//! X-BOT: the bars of the specification's 3.2.

use foundation_machine::Micros;

use super::stage::{any_up, join_in_turn, seconds, spread, trades_end};
use crate::graph::Graph;
use crate::report::Bar;
use crate::run::{End, Run};

/// X-BOT among five regions.
pub(super) fn optimise(run: &mut Run<'_>) -> Result<(), End> {
    join_in_turn(run, Micros::from_millis(10))?;
    let start = run.active(0);
    let cost_before = link_cost(run, &start);
    let paths_before = start.paths(32);
    run.picture("before", 0);
    let from = any_up(run);
    let spread_before = spread(run, from, seconds(20))?;
    run.phase("optimise");
    run.wait(seconds(498))?;
    trades_end(run, 0)?;
    let graph = run.active(0);
    let cost = link_cost(run, &graph);
    run.picture("after", 0);
    run.figure("mean cost of a link at the start, ms there and back", cost_before, None, None);
    let beside = Some("modelled with one unbiased: 13.0 of 49.9 after 50 rounds");
    let is_big = run.plan.nodes >= 500;
    let bar = is_big.then_some(Bar::AtMost(0.4));
    run.figure("mean cost of a link, of that at the start", cost / cost_before, bar, beside);
    let paths = graph.paths(32);
    let beside = Some("without unbiased neighbours, as Partisan: 8 times");
    let bar = is_big.then_some(Bar::AtMost(1.15));
    run.figure("mean path, of that at the start", paths.mean / paths_before.mean, bar, beside);
    let components = graph.components().len();
    run.figure("components", components as f64, Some(Bar::Exactly(1.0)), None);
    run.phase("broadcast");
    let from = any_up(run);
    spread(run, from, seconds(20))?;
    let after = spread(run, from, seconds(20))?;
    run.figure("broadcast at the start, ms to the last", spread_before.ms, None, None);
    let beside = Some("modelled 332 to 82 at 10,000");
    run.figure("broadcast afterwards, ms to the last", after.ms, None, beside);
    run.figure("missed", after.missed as f64, Some(Bar::Exactly(0.0)), None);
    Ok(())
}

/// The mean cost of a link, there and back. Unit: ms.
fn link_cost(run: &Run<'_>, graph: &Graph) -> f64 {
    let (mut sum, mut count) = (0u64, 0u64);
    for (from, edges) in (0..).zip(&graph.edges) {
        for &to in edges {
            sum += run.fleet.network.round_trip(from, to).0;
            count += 1;
        }
    }
    sum as f64 / count.max(1) as f64 / 1_000.0
}
