//! One seed gives size, faults and workload; then everything heals and must be whole.

use foundation_cluster::Strategy;
use foundation_machine::{Micros, Rng};

use super::calm;
use super::members::agree;
use super::rest::{overlays, rest};
use super::stage::{any_up, join_in_turn, seconds};
use crate::census::Mark;
use crate::ledger::Outcome;
use crate::network::Latency;
use crate::report::Bar;
use crate::run::{End, Plan, Run};
use crate::subject::Ask;

/// What kind of faults a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    /// All of them.
    Wild,
    /// Those that no node is at fault for: all that is broadcast arrives.
    Calm,
    /// Load, busy isolates and changes of strategy: nobody may even be suspected.
    Still,
}

/// The weather of a seed.
pub(super) fn weather(seed: u64) -> Weather {
    match Rng::of_stream(seed, 98).below(6) {
        0 => Weather::Still,
        1 | 2 => Weather::Calm,
        _ => Weather::Wild,
    }
}

fn strategy(rng: &mut Rng) -> Strategy {
    match rng.below(8) {
        0 | 1 => Strategy::FullMesh,
        2 => Strategy::ClientServer,
        _ => Strategy::HyParView,
    }
}

/// What a run may have; drawn from its seed.
pub(super) fn prepare(plan: &mut Plan) {
    let mut rng = Rng::of_stream(plan.seed, 99);
    let weather = weather(plan.seed);
    plan.nodes = 3 + rng.below(plan.nodes.saturating_sub(2));
    plan.node.has_roster = true;
    plan.node.is_watched = true;
    plan.node.strategy = strategy(&mut rng);
    plan.node.second = rng.chance(0.4).then(|| strategy(&mut rng));
    plan.node.is_small = rng.chance(0.5);
    // What is not kept cannot be asked for: only where broadcasts may be lost.
    plan.node.has_small_caches = plan.node.is_small && weather == Weather::Wild;
    plan.node.servers = 2 + rng.below(3);
    plan.node.is_optimised = rng.chance(0.5);
    let most = Micros(1_000 + u64::from(rng.below(60_000)));
    plan.network.latency = match rng.chance(0.4) {
        true => Latency::Regions {
            count: 2 + rng.below(3),
            inside: Micros(500),
            across_least: Micros(most.0 / 2 + 1_000),
            across_most: Micros(most.0 + 1_000),
        },
        false => Latency::Even { least: Micros(200), most },
    };
    if weather == Weather::Wild {
        plan.network.loss = if rng.chance(0.3) { rng.unit() * 0.15 } else { 0.0 };
        plan.network.duplicates = if rng.chance(0.2) { 0.01 } else { 0.0 };
    }
    plan.network.jitter = 2.0 * rng.unit();
}

/// Faults for a while, then none, and all is whole and serves.
pub(super) fn chaos(run: &mut Run<'_>) -> Result<(), End> {
    join_in_turn(run, Micros::from_millis(50))?;
    run.wait(seconds(10))?;
    match weather(run.plan.seed) {
        Weather::Wild => wild(run)?,
        weather => calm::calm(run, weather)?,
    }
    run.phase("heal");
    heal(run);
    settle(run, 200)?;
    settle(run, 60)?;
    settle(run, 60)?;
    agree(run, seconds(60))?;
    rest(run)?;
    serves(run)
}

fn wild(run: &mut Run<'_>) -> Result<(), End> {
    run.phase("faults");
    let switches = run.fleet.rng().chance(0.4);
    for _ in 0..run.plan.turns {
        fault(run);
        if switches && run.fleet.rng().chance(0.2) {
            let who = switch(run);
            // Others have heard of the attempt, and nobody decides it.
            // One more may be about to leave.
            if run.fleet.rng().chance(0.3) && may_end(run) && run.fleet.up_count() > 2 {
                run.fleet.crash(who);
            }
        }
        for _ in 0..3 {
            work(run);
            let pause = 50 + run.fleet.rng().below(1_500);
            run.wait(Micros::from_millis(pause.into()))?;
        }
        mend(run);
    }
    Ok(())
}

/// One node or two at once ask for another strategy of an overlay; answers the last that did.
pub(super) fn switch(run: &mut Run<'_>) -> u32 {
    let overlay = any_overlay(run);
    let mut last = 0;
    for _ in 0..1 + run.fleet.rng().below(2) {
        last = any_up(run);
        let strategy = run.fleet.rng().below(3) as u8;
        run.fleet.ask(last, Ask::Switch { overlay, strategy });
    }
    last
}

/// Half the nodes at least stay up: a cluster of one proves little.
fn may_end(run: &Run<'_>) -> bool {
    run.fleet.up_count() * 2 > run.plan.nodes as usize
}

fn any_overlay(run: &mut Run<'_>) -> u8 {
    let overlays = overlays(&run.fleet) as u32;
    run.fleet.rng().below(overlays.max(1)) as u8
}

fn fault(run: &mut Run<'_>) {
    let (one, other) = (any_up(run), any_up(run));
    let may_end = may_end(run);
    match run.fleet.rng().below(18) {
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
        15 => {
            run.fleet.crash(one);
            run.fleet.start(one);
        }
        16 if may_end => {
            // Some hear the goodbye, the others of the end only.
            run.fleet.partition(move |node| if node % 2 == one % 2 { 1 } else { 2 });
            run.fleet.leave(one);
        }
        _ => run.fleet.heal(),
    }
}

/// A link of the node is reset.
pub(super) fn flap(run: &mut Run<'_>, node: u32) {
    let linked = run.fleet.linked(node);
    if let Some(&peer) = run.fleet.rng().pick(&linked) {
        run.fleet.reset(node, peer);
    }
}

/// One message, or many to one node at once.
pub(super) fn work(run: &mut Run<'_>) {
    let (from, to) = (any_up(run), run.fleet.rng().below(run.plan.nodes));
    let overlay = any_overlay(run);
    match run.fleet.rng().below(6) {
        0 | 1 => drop(run.broadcast(from, overlay)),
        2 | 3 if from != to => drop(run.route(from, to, overlay)),
        4 if from != to => (0..24).for_each(|_| {
            run.route(from, to, overlay);
        }),
        5 => (0..30).for_each(|_| {
            run.broadcast(from, overlay);
        }),
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

/// For so many seconds those that are taken out come back.
fn settle(run: &mut Run<'_>, time: u64) -> Result<(), End> {
    for _ in 0..time {
        run.wait(seconds(1))?;
        revive(run);
    }
    Ok(())
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
    run.fleet.network.options.duplicates = 0.0;
    run.fleet.heal();
    for node in 0..run.plan.nodes {
        run.fleet.resume(node);
        run.fleet.set_slow(node, Micros(0));
        run.fleet.set_clock(node, 1_000_000);
        run.fleet.ask(node, Ask::Busy(0));
        let stays_down = node > 1 && run.fleet.rng().chance(0.3);
        if !stays_down {
            run.fleet.start(node);
        }
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
