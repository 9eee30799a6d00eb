//! Who is a member: rosters, detection and false positives, by the specification's 3.4 to 3.6.

use foundation_machine::{Micros, PeerId};

use super::stage::{at_rest, fail, join_in_turn, seconds};
use crate::report::Bar;
use crate::run::{End, Fleet, Run};
use crate::subject::Subject;

/// Whether every node that is up knows exactly those that are up.
pub(super) fn is_agreed(fleet: &Fleet) -> bool {
    disagreement(fleet).is_none()
}

/// A node that is up and what is wrong with its members, if any.
pub(super) fn disagreement(fleet: &Fleet) -> Option<(u32, String)> {
    let up: Vec<PeerId> = fleet.up().into_iter().map(|node| fleet.id(node)).collect();
    let mut members = Vec::with_capacity(up.len());
    for peer in &up {
        members.clear();
        fleet.subject(peer.node.0)?.members(&mut members);
        members.sort_unstable();
        if members != up {
            let missing = up.iter().find(|it| members.binary_search(it).is_err());
            let extra = members.iter().find(|it| up.binary_search(it).is_err());
            let what = format!("of {} it lacks {missing:?} and has {extra:?}", up.len());
            return Some((peer.node.0, what));
        }
    }
    None
}

/// Waits until all agree; a violation if they never do.
pub(super) fn agree(run: &mut Run<'_>, at_most: Micros) -> Result<Micros, End> {
    match run.wait_until(Micros::from_millis(100), at_most, is_agreed)? {
        Some(took) => Ok(took),
        None => {
            let (node, what) = disagreement(&run.fleet).expect("they do not agree");
            Err(run.violated(format!("members differ at rest: node {node} {what}")))
        }
    }
}

fn as_seconds(time: Micros) -> f64 {
    time.0 as f64 / 1e6
}

/// Nodes join, leave, crash and are parted; every roster ends alike each time.
pub(super) fn members(run: &mut Run<'_>) -> Result<(), End> {
    join_in_turn(run, Micros::from_millis(20))?;
    let took = agree(run, seconds(60))?;
    run.figure(
        "rosters alike after the last began, s",
        as_seconds(took),
        Some(Bar::AtMost(10.0)),
        None,
    );
    run.phase("idle");
    run.wait(seconds(10))?;
    let (before, all_before) = (run.sent(&["roster"]), run.sent_in_all());
    run.wait(seconds(60))?;
    let each = f64::from(run.plan.nodes) * 60.0;
    let idle = (run.sent(&["roster"]) - before) as f64 / each;
    let beside = Some("Partisan full mesh: n - 1 whole states in 10 s");
    run.figure("idle: roster messages per node and second", idle, Some(Bar::AtMost(1.0)), beside);
    let idle = (run.sent_in_all() - all_before) as f64 / each;
    run.figure("idle: all messages per node and second", idle, None, None);

    run.phase("leave");
    let leavers: Vec<u32> = (0..5).map(|turn| 7 + turn * (run.plan.nodes / 6)).collect();
    leavers.iter().for_each(|&node| run.fleet.leave(node));
    run.wait(Micros::from_millis(200))?;
    let took = agree(run, seconds(30))?;
    let rounds = f64::from(run.plan.nodes.max(2).ilog2() + 1 + 3) * 0.2;
    let beside = Some("ceil(log2 n) + 3 rounds of 200 ms");
    let took = as_seconds(took) + 0.2;
    run.figure("rosters alike after five left, s", took, Some(Bar::AtMost(rounds)), beside);

    run.phase("parted");
    let half = run.plan.nodes / 2;
    run.fleet.partition(move |node| if node < half { 1 } else { 2 });
    run.wait(seconds(30))?;
    run.fleet.heal();
    run.phase("healed");
    let took = agree(run, seconds(300))?;
    let beside = Some("Distributed Erlang 24-31 s, Partisan 23-26 s until traffic is back");
    run.figure("rosters alike after the heal, s", as_seconds(took), Some(Bar::AtMost(5.0)), beside);
    run.phase("rest");
    run.wait(seconds(40))?;
    at_rest(run, 0)?;
    agree(run, Micros(0))?;
    run.phase("return");
    leavers.iter().for_each(|&node| run.fleet.start(node));
    let took = agree(run, seconds(60))?;
    run.figure(
        "rosters alike after the five came back, s",
        as_seconds(took),
        Some(Bar::AtMost(30.0)),
        None,
    );
    Ok(())
}

/// The share of all who are up that has told the end of each of these, and how long the slowest
/// hundredth took. Unit: s.
fn detected(run: &Run<'_>, gone: &[u32], since: Micros) -> (f64, f64) {
    let watchers = run.fleet.up_count();
    let mut times: Vec<u64> = Vec::new();
    let mut told = std::collections::BTreeSet::new();
    for &(at, who, of) in &run.fleet.observer.downs {
        if at >= since && gone.contains(&of.node.0) && told.insert((who, of.node.0)) {
            times.push(at.since(since).0);
        }
    }
    times.sort_unstable();
    let expected = watchers * gone.len();
    let place = (expected * 99 / 100).min(times.len().saturating_sub(1));
    let slowest = times.get(place).map_or(f64::NAN, |&time| time as f64 / 1e6);
    (times.len() as f64 / expected.max(1) as f64, slowest)
}

/// Nodes crash, others lose their power: when do all know, and is anybody told of in error?
pub(super) fn detection(run: &mut Run<'_>) -> Result<(), End> {
    join_in_turn(run, Micros::from_millis(20))?;
    agree(run, seconds(60))?;
    run.phase("idle");
    run.fleet.observer.keeps_news = true;
    run.wait(seconds(120))?;
    let wrong = run.fleet.observer.downs.len();
    let bar = Some(Bar::Exactly(0.0));
    run.figure("told down in error while nothing failed", wrong as f64, bar, None);
    let limit = if run.plan.nodes <= 100 { 6.0 } else { 10.0 };
    for (name, has_reset) in [("crash", true), ("loss of power", false)] {
        run.phase("fail");
        let since = run.fleet.now();
        run.fleet.observer.downs.clear();
        let before = run.fleet.up();
        fail(run, run.plan.fail, has_reset);
        let gone: Vec<u32> = before.into_iter().filter(|&node| !run.fleet.is_up(node)).collect();
        let records_before = run.fleet.records();
        run.wait(seconds(40))?;
        let told = (run.fleet.records() - records_before) as f64;
        let each = told / (run.fleet.up_count() * gone.len()) as f64;
        let (share, slowest) = detected(run, &gone, since);
        let beside = "Akka 20-30 s, memberlist 8-12 s for a silent node";
        run.figure(
            format!("{name}: all know, p99, s"),
            slowest,
            Some(Bar::AtMost(limit)),
            Some(beside),
        );
        let records = format!("{name}: records sent, a survivor and loss");
        // What a thousand real nodes were busy with. In forty runs of 100 nodes 12.8 in the mean,
        // and 16.7 once; 17 in the mean while suspicions were told of anew whenever someone with
        // an earlier life suspected too.
        run.figure(records, each, Some(Bar::AtMost(20.0)), None);
        run.figure(
            format!("{name}: share of news that came"),
            share,
            Some(Bar::Exactly(1.0)),
            None,
        );
        let wrong = run.fleet.observer.downs.iter().filter(|it| !gone.contains(&it.2.node.0));
        let wrong = wrong.count() as f64;
        run.figure(
            format!("{name}: others told down in error"),
            wrong,
            Some(Bar::Exactly(0.0)),
            None,
        );
    }
    run.phase("rest");
    agree(run, seconds(60))?;
    Ok(())
}

/// Those that stand still again and again.
fn slow_ones(run: &Run<'_>) -> Vec<u32> {
    (0..run.plan.nodes).step_by(8).collect()
}

/// Some nodes stand still again and again for short: how often was one of the others told down, and
/// how often one of them?
fn stutter(run: &mut Run<'_>) -> Result<(usize, usize), End> {
    join_in_turn(run, Micros::from_millis(20))?;
    agree(run, seconds(60))?;
    run.phase("stutter");
    run.fleet.observer.keeps_news = true;
    let slow = slow_ones(run);
    // So long a stop keeps every link and lets every probe time out, and what came meanwhile is
    // read too late.
    for _ in 0..100 {
        slow.iter().for_each(|&node| run.fleet.pause(node));
        run.wait(Micros::from_millis(2_000))?;
        slow.iter().for_each(|&node| run.fleet.resume(node));
        run.wait(Micros::from_millis(50))?;
    }
    let downs = &run.fleet.observer.downs;
    let of_healthy = downs.iter().filter(|it| !slow.contains(&it.2.node.0)).count();
    Ok((of_healthy, downs.len() - of_healthy))
}

/// Some nodes stand still again and again for short, and one has a blocked isolate: whom do others
/// believe down? Beside it stands what plain SWIM makes of the same.
pub(super) fn slow(run: &mut Run<'_>) -> Result<(), End> {
    let mut plan = run.plan.clone();
    plan.node.has_local_health = false;
    let (plain_healthy, plain_slow) = stutter(&mut run.beside(plan))?;
    let (healthy, slow) = stutter(run)?;
    // Among few nodes plain SWIM may do well too, and the comparison says nothing.
    let bar = (run.plan.nodes >= 64).then_some(Bar::AtLeast(1.0));
    run.figure("plain SWIM: healthy nodes told down", plain_healthy as f64, bar, None);
    run.figure("plain SWIM: slow nodes told down", plain_slow as f64, None, None);
    let beside = Some("Lifeguard: 50 times fewer");
    let most = (plain_healthy / 50) as f64;
    run.figure("healthy nodes told down", healthy as f64, Some(Bar::AtMost(most)), beside);
    run.figure("slow nodes told down", slow as f64, None, None);
    run.phase("busy");
    run.fleet.observer.downs.clear();
    let busy = 1;
    run.fleet.ask(busy, crate::subject::Ask::Busy(1));
    run.wait(seconds(10))?;
    run.fleet.ask(busy, crate::subject::Ask::Busy(0));
    let wrong = run.fleet.observer.downs.iter().filter(|it| it.2.node.0 == busy).count();
    run.figure(
        "a node with a blocked isolate told down",
        wrong as f64,
        Some(Bar::Exactly(0.0)),
        None,
    );
    run.phase("rest");
    agree(run, seconds(120))?;
    Ok(())
}

/// Nothing fails for so many hours.
pub(super) fn hours(run: &mut Run<'_>) -> Result<(), End> {
    join_in_turn(run, Micros::from_millis(20))?;
    agree(run, seconds(60))?;
    run.phase("idle");
    run.fleet.observer.keeps_news = true;
    for minute in 0..60 * run.plan.turns {
        run.broadcast(minute % run.plan.nodes, 0);
        run.wait(seconds(60))?;
    }
    let zero = Some(Bar::Exactly(0.0));
    run.figure("hours", f64::from(run.plan.turns), None, None);
    let seen = &run.fleet.observer;
    let (downs, suspects) = (seen.downs.len() as f64, seen.suspects.len() as f64);
    run.figure("told down in error", downs, zero, None);
    run.figure("suspected in error", suspects, zero, None);
    agree(run, Micros(0))?;
    at_rest(run, 0)
}
