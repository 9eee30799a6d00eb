//! HyParView and X-BOT: the bars of the specification's 3.1 and 3.2.

use foundation_machine::Micros;

use super::stage::{
    SHUFFLE, Spread, any_up, at_rest, describe, fail, join_at_once, join_in_turn, seconds, spread,
};
use crate::report::Bar;
use crate::run::{End, Run};

/// Joins, then `fail` of the nodes crash at once, and what is left finds together.
pub(super) fn crash(run: &mut Run<'_>) -> Result<(), End> {
    join_in_turn(run, Micros::from_millis(10))?;
    let joined = run.sent_in_all();
    run.phase("settle");
    run.wait(Micros(u64::from(run.plan.turns) * SHUFFLE.0))?;
    at_rest(run, 0)?;
    describe(run, "joined");
    let time = f64::from(run.plan.turns.max(1)) * SHUFFLE.0 as f64 / 1e6;
    let settled = (run.sent_in_all() - joined) as f64 / f64::from(run.plan.nodes) / time;
    run.figure("joined: messages per node and second", settled, None, None);
    run.picture("before", 0);

    run.phase("broadcast");
    let is_big = run.plan.nodes >= 500;
    let first = any_up(run);
    let first_spread = spread(run, first, seconds(10))?;
    flood_figures(run, first_spread, is_big);

    run.phase("crash");
    let before = repairs(run);
    let left = fail(run, run.plan.fail, true);
    run.wait(seconds(3))?;
    let largest = run.active(0).largest();
    run.figure("3 s after: largest component of survivors", largest, None, None);
    run.phase("repair");
    let whole = run.wait_until(seconds(1), Micros(3 * SHUFFLE.0), is_whole)?;
    run.wait(seconds(2))?;
    let graph = run.active(0);
    let (largest, parts) = (graph.largest(), graph.components().len());
    let bar = largest_bar(run.plan.fail, run.plan.node.has_seed_rule, is_big);
    let beside = "paper rules 1 to 0.8, 0.98 at 0.9; Partisan 0.985 at 0.5, 0.70, 0.05";
    run.figure("3 shuffles after: largest component", largest, bar, Some(beside));
    run.figure("3 shuffles after: components", parts as f64, None, None);
    let seconds_to = whole.map_or(f64::NAN, |time| time.as_millis() as f64 / 1_000.0 + 3.0);
    if whole.is_some() {
        run.figure("whole again after, s", seconds_to, Some(Bar::AtMost(33.0)), None);
    }
    let repair = (repairs(run) - before) as f64 / left.max(1) as f64;
    let beside = Some("paper rules 11-40 a survivor");
    // Of ten survivors in a hundred most find nobody they know, and ask seeds; and what is never
    // whole is counted with all that is said in three shuffles.
    let bar = (is_big && run.plan.fail <= 0.8 && whole.is_some()).then_some(Bar::AtMost(45.0));
    run.figure("overlay messages per survivor until then", repair, bar, beside);
    isolated(run);
    run.picture("after", 0);
    run.phase("broadcast");
    let from = any_up(run);
    let after = spread(run, from, seconds(20))?;
    run.figure("after: reached by a broadcast", after.reached, None, None);
    if parts == 1 {
        run.figure("after: missed", after.missed as f64, Some(Bar::Exactly(0.0)), None);
    }
    Ok(())
}

fn repairs(run: &Run<'_>) -> u64 {
    run.sent(&["overlay"])
}

fn is_whole(fleet: &crate::run::Fleet) -> bool {
    crate::run::active_of(fleet, 0).components().len() == 1
}

fn largest_bar(fail: f64, has_rule: bool, is_big: bool) -> Option<Bar> {
    // Small fleets are left without enough survivors for the bars to mean anything.
    if !is_big {
        return has_rule.then_some(Bar::Exactly(1.0));
    }
    Some(match fail {
        _ if has_rule => Bar::Exactly(1.0),
        fail if fail <= 0.5 => Bar::Exactly(1.0),
        fail if fail <= 0.8 => Bar::AtLeast(0.985),
        fail if fail <= 0.9 => Bar::AtLeast(0.92),
        _ => Bar::AtLeast(0.5),
    })
}

fn flood_figures(run: &mut Run<'_>, first: Spread, is_big: bool) {
    let (rmr, hops) = (is_big.then_some(Bar::AtMost(3.1)), is_big.then_some(Bar::AtMost(8.0)));
    let hops = if run.plan.nodes > 2_000 { None } else { hops };
    run.figure("first broadcast: redundancy (RMR)", first.rmr, rmr, Some("paper rules 2.998"));
    let beside = Some("paper rules 6 at 1,000, 8 at 10,000; Partisan 10");
    run.figure("first broadcast: last delivery hop", f64::from(first.hops), hops, beside);
    run.figure("first broadcast: missed", first.missed as f64, Some(Bar::Exactly(0.0)), None);
}

/// Nobody who knows somebody alive may be alone.
fn isolated(run: &mut Run<'_>) {
    let (active, passive) = (run.active(0), run.passive(0));
    let knows_live =
        |node: usize| passive.edges[node].iter().any(|&other| active.is_up[other as usize]);
    let alone = (0..active.edges.len())
        .filter(|&node| active.is_up[node] && active.edges[node].is_empty() && knows_live(node))
        .count();
    run.figure("alone although a passive peer lives", alone as f64, Some(Bar::Exactly(0.0)), None);
}

/// All join at once through one contact.
pub(super) fn at_once(run: &mut Run<'_>) -> Result<(), End> {
    join_at_once(run)?;
    let whole = run.wait_until(Micros::from_millis(50), seconds(60), is_whole)?;
    let took = whole.map_or(f64::NAN, |time| time.as_millis() as f64 / 1_000.0);
    let beside = Some("Partisan: islands of 3 among 9");
    run.figure("one component after, s", took, Some(Bar::AtMost(30.0)), beside);
    run.phase("settle");
    run.wait(seconds(20))?;
    at_rest(run, 0)?;
    let graph = run.active(0);
    let fewest = graph.degrees().into_iter().min().unwrap_or(0);
    run.figure("fewest neighbours", fewest as f64, Some(Bar::AtLeast(1.0)), None);
    run.figure("components", graph.components().len() as f64, Some(Bar::Exactly(1.0)), None);
    Ok(())
}
