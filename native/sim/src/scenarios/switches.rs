//! Switches of an overlay under load: what is sent meanwhile comes, and once.

use std::collections::BTreeSet;

use foundation_machine::Micros;

use super::members::agree;
use super::stage::{any_up, at_rest, join_in_turn, seconds};
use crate::census::Mark;
use crate::ledger::Outcome;
use crate::report::Bar;
use crate::run::{End, Fleet, Plan, Run};
use crate::subject::{Ask, Payload, Subject};

// A message is lost four times in a row, which breaks its link, once in a hundred million.
const LOSS: f64 = 0.01;
// A strategy that was left is kept for 10 s: the load goes on until it is gone.
const DRAINED: u64 = 12;
// The numbers of full mesh, client-server and HyParView, which is what the nodes begin with.
const CIRCLE: [u8; 3] = [0, 2, 1];

/// Every other seed has losses, and a node that crashes during each second switch.
fn has_faults(plan: &Plan) -> bool {
    plan.seed.is_multiple_of(2)
}

pub(super) fn prepare(plan: &mut Plan) {
    plan.node.has_roster = true;
    plan.node.servers = 4;
    if has_faults(plan) {
        plan.network.loss = LOSS;
    }
}

/// What was sent around switches and what became of it.
#[derive(Default)]
struct Load {
    broadcasts: usize,
    routes: usize,
    deliveries_lost: usize,
    routes_lost: usize,
    given_up: usize,
    slowest: Micros,
}

/// One switch and the load around it.
struct Turn {
    victim: Option<u32>,
    broadcasts: Vec<Payload>,
    routes: Vec<Payload>,
}

/// The epochs of all nodes.
fn epochs(fleet: &Fleet) -> BTreeSet<u64> {
    fleet.up().into_iter().filter_map(|node| fleet.subject(node)?.epoch(0)).collect()
}

/// An overlay is switched again and again under load: nothing is lost. That nothing is doubled is
/// checked at each delivery.
pub(super) fn switch(run: &mut Run<'_>) -> Result<(), End> {
    let faults = has_faults(&run.plan);
    if faults && run.plan.turns > 0 {
        run.wanted.extend([Mark::Loss, Mark::Crash, Mark::Restart]);
    }
    join_in_turn(run, Micros::from_millis(20))?;
    agree(run, seconds(60))?;
    run.wait(seconds(10))?;
    let mut load = Load::default();
    for number in 0..run.plan.turns {
        let victim = (faults && number % 2 == 0).then(|| any_up(run));
        let turn = Turn { victim, broadcasts: Vec::new(), routes: Vec::new() };
        one_switch(run, number, turn, &mut load)?;
    }
    run.phase("rest");
    run.wait(seconds(30))?;
    figures(run, &load);
    at_rest(run, 0)
}

fn one_switch(run: &mut Run<'_>, number: u32, mut turn: Turn, load: &mut Load) -> Result<(), End> {
    run.phase("switch");
    let (before, begun) = (epochs(&run.fleet), run.fleet.now());
    let strategy = CIRCLE[number as usize % CIRCLE.len()];
    // In the middle of the switch, which takes some round trips.
    let crash_after = Micros::from_millis(run.fleet.rng().below(200).into());
    let (mut asked, mut has_crashed) = (None, false);
    loop {
        // What runs out after the switch before refuses the next one.
        if asked.is_none_or(|at| run.fleet.now().since(at) >= seconds(2)) {
            let who = any_up(run);
            run.fleet.ask(who, Ask::Switch { overlay: 0, strategy });
            asked = Some(run.fleet.now());
        }
        if let Some(victim) = turn.victim.filter(|_| !has_crashed)
            && run.fleet.now().since(begun) >= crash_after
        {
            run.fleet.crash(victim);
            has_crashed = true;
        }
        send(run, &mut turn)?;
        let now = epochs(&run.fleet);
        if now.len() == 1 && now != before {
            break;
        }
        if run.fleet.now().since(begun) > seconds(120) {
            let what = format!("switch {number} is not done after two minutes: epochs {now:?}");
            return Err(run.violated(what));
        }
    }
    load.slowest = load.slowest.max(run.fleet.now().since(begun));
    let done = run.fleet.now();
    while run.fleet.now().since(done) < seconds(DRAINED) {
        send(run, &mut turn)?;
    }
    // What the tree missed is found by an exchange with a neighbour, every ten seconds.
    run.wait(seconds(20))?;
    book(run, &turn, load);
    if let Some(victim) = turn.victim {
        run.fleet.crash(victim);
        run.fleet.start(victim);
        agree(run, seconds(60))?;
        run.wait(seconds(2))?;
    }
    Ok(())
}

/// A broadcast and a message between any two.
fn send(run: &mut Run<'_>, turn: &mut Turn) -> Result<(), End> {
    let origin = any_up(run);
    turn.broadcasts.extend(run.broadcast(origin, 0));
    let (from, to) = (any_up(run), any_up(run));
    if from != to {
        turn.routes.extend(run.route(from, to, 0));
    }
    run.wait(Micros::from_millis(40))
}

/// Counts what did not come, between those who were up all the while.
fn book(run: &Run<'_>, turn: &Turn, load: &mut Load) {
    let ledger = &run.fleet.observer.ledger;
    let is_victim = |node: u32| turn.victim == Some(node);
    for &payload in &turn.broadcasts {
        if !is_victim(ledger.broadcasts[(payload >> 1) as usize].origin.node.0) {
            load.broadcasts += 1;
            load.deliveries_lost += run.lacking(payload).len();
        }
    }
    for &payload in &turn.routes {
        let record = &ledger.routes[(payload >> 1) as usize];
        if !is_victim(record.from.node.0) && !is_victim(record.to.node.0) {
            load.routes += 1;
            load.routes_lost += usize::from(record.outcome == Outcome::Open);
            load.given_up += usize::from(record.outcome == Outcome::GivenUp);
        }
    }
}

fn figures(run: &mut Run<'_>, load: &Load) {
    let zero = Some(Bar::Exactly(0.0));
    run.figure("switches", f64::from(run.plan.turns), None, None);
    // With a crash in it, a switch may be given up after 30 s and asked for again.
    let most = if has_faults(&run.plan) { 60.0 } else { 30.0 };
    run.figure("slowest switch, s", load.slowest.0 as f64 / 1e6, Some(Bar::AtMost(most)), None);
    run.figure("broadcasts meanwhile", load.broadcasts as f64, Some(Bar::AtLeast(1.0)), None);
    let beside = Some("nobody else switches while running");
    run.figure("deliveries lost", load.deliveries_lost as f64, zero, beside);
    run.figure("messages between two meanwhile", load.routes as f64, Some(Bar::AtLeast(1.0)), None);
    // What is on its way over a link that breaks is lost in silence: at most once.
    let bar = if run.fleet.census.of(Mark::LossBreak) == 0 { zero } else { None };
    run.figure("messages between two lost", load.routes_lost as f64, bar, None);
    run.figure("messages between two given up", load.given_up as f64, bar, None);
}
