//! One seed gives size, faults and workload; then everything heals and must be whole.

use foundation_cluster::Strategy;
use foundation_machine::Micros;

use super::members::agree;
use super::stage::{any_up, at_rest, join_in_turn, seconds};
use crate::census::Mark;
use crate::ledger::Outcome;
use crate::report::Bar;
use crate::run::{End, Plan, Run};
use crate::subject::Ask;

/// What a run may have; drawn from its seed.
pub(super) fn prepare(plan: &mut Plan) {
    let mut rng = foundation_machine::Rng::of_stream(plan.seed, 99);
    plan.nodes = 3 + rng.below(plan.nodes.saturating_sub(2));
    plan.node.has_roster = true;
    plan.node.strategy = match rng.below(8) {
        0 | 1 => Strategy::FullMesh,
        2 => Strategy::ClientServer,
        _ => Strategy::HyParView,
    };
    plan.node.servers = 2 + rng.below(3);
    plan.node.is_optimised = rng.chance(0.5);
    let most = Micros(1_000 + u64::from(rng.below(60_000)));
    plan.network.latency = crate::network::Latency::Even { least: Micros(200), most };
    plan.network.loss = if rng.chance(0.3) { rng.unit() * 0.15 } else { 0.0 };
    plan.network.jitter = 2.0 * rng.unit();
}

/// Faults for a while, then none, and all is whole and serves.
pub(super) fn chaos(run: &mut Run<'_>) -> Result<(), End> {
    join_in_turn(run, Micros::from_millis(50))?;
    run.wait(seconds(10))?;
    run.phase("faults");
    for _ in 0..run.plan.turns {
        fault(run);
        for _ in 0..3 {
            work(run);
            let pause = 50 + run.fleet.rng().below(1_500);
            run.wait(Micros::from_millis(pause.into()))?;
        }
        mend(run);
    }
    run.phase("heal");
    heal(run);
    run.wait(seconds(20))?;
    revive(run);
    agree(run, seconds(180))?;
    run.wait(seconds(40))?;
    revive(run);
    agree(run, seconds(60))?;
    if run.plan.node.strategy != Strategy::ClientServer {
        at_rest(run, 0)?;
    }
    serves(run)
}

fn fault(run: &mut Run<'_>) {
    let nodes = run.plan.nodes;
    let (one, other) = (any_up(run), any_up(run));
    // Half the nodes at least stay up: a cluster of one proves little.
    let may_end = run.fleet.up_count() * 2 > nodes as usize;
    match run.fleet.rng().below(16) {
        0 | 1 if may_end => run.fleet.crash(one),
        2 if may_end => run.fleet.lose_power(one),
        3 if may_end => run.fleet.leave(one),
        4 | 5 if may_end => run.fleet.pause(one),
        6 => run.fleet.partition(move |node| if node <= one { 1 } else { 2 }),
        7 => run.fleet.partition(move |node| match node.cmp(&one) {
            std::cmp::Ordering::Less => 1,
            std::cmp::Ordering::Equal => 3,
            std::cmp::Ordering::Greater => 2,
        }),
        8 | 9 if one != other => run.fleet.cut(one, other, true),
        10 | 11 => flap(run, one),
        12 => {
            let rate = 500_000 + u64::from(run.fleet.rng().below(1_500_000));
            run.fleet.set_clock(one, rate);
        }
        13 => {
            let cost = run.fleet.rng().below(2_000);
            run.fleet.set_slow(one, Micros(cost.into()));
        }
        14 => {
            let isolates = run.fleet.rng().below(3);
            run.fleet.ask(one, Ask::Busy(isolates as u16));
        }
        _ => run.fleet.heal(),
    }
}

/// A link of the node is reset.
fn flap(run: &mut Run<'_>, node: u32) {
    let linked = run.fleet.linked(node);
    if let Some(&peer) = run.fleet.rng().pick(&linked) {
        run.fleet.reset(node, peer);
    }
}

fn work(run: &mut Run<'_>) {
    let (from, to) = (any_up(run), run.fleet.rng().below(run.plan.nodes));
    match run.fleet.rng().below(4) {
        0 => drop(run.broadcast(from, 0)),
        1 | 2 if from != to => drop(run.route(from, to, 0)),
        _ => {}
    }
}

/// What ended or stands still comes back, one at a time.
fn mend(run: &mut Run<'_>) {
    let node = run.fleet.rng().below(run.plan.nodes);
    run.fleet.resume(node);
    if run.fleet.rng().chance(0.5) {
        run.fleet.start(node);
    }
    revive(run);
}

/// A node that was taken out by the others begins a new life.
fn revive(run: &mut Run<'_>) {
    for node in std::mem::take(&mut run.fleet.observer.removed) {
        run.fleet.crash(node);
        run.fleet.start(node);
    }
}

fn heal(run: &mut Run<'_>) {
    run.fleet.network.options.loss = 0.0;
    run.fleet.heal();
    for node in 0..run.plan.nodes {
        run.fleet.resume(node);
        run.fleet.set_slow(node, Micros(0));
        run.fleet.set_clock(node, 1_000_000);
        run.fleet.ask(node, Ask::Busy(0));
        run.fleet.start(node);
    }
}

/// Everything that is sent now arrives, once.
fn serves(run: &mut Run<'_>) -> Result<(), End> {
    run.phase("serve");
    let before = run.fleet.observer.ledger.routes.len();
    let mut payloads = Vec::new();
    for _ in 0..10 {
        let (from, to) = (any_up(run), any_up(run));
        payloads.extend(run.broadcast(from, 0));
        if from != to {
            run.route(from, to, 0);
        }
        run.wait(Micros::from_millis(300))?;
    }
    run.wait(seconds(20))?;
    for payload in payloads {
        let lacking = run.lacking(payload);
        if !lacking.is_empty() {
            let what = format!("at rest broadcast {payload} never came to nodes {lacking:?}");
            return Err(run.violated(what));
        }
    }
    let routes = &run.fleet.observer.ledger.routes[before..];
    let missing = routes.iter().find(|it| !matches!(it.outcome, Outcome::Arrived(_)));
    if let Some(missing) = missing.copied() {
        return Err(run.violated(format!("at rest a routed message did not come: {missing:?}")));
    }
    let open = run.open_routes();
    run.figure("nodes", f64::from(run.plan.nodes), None, None);
    run.figure("routed messages that were lost in silence", open as f64, None, None);
    let healed = f64::from(u8::from(run.fleet.census.of(Mark::Heal) > 0));
    run.figure("healed", healed, Some(Bar::Exactly(1.0)), None);
    Ok(())
}
