//! Plumtree: the bars of the specification's 3.3.

use foundation_machine::Micros;

use super::stage::{Spread, any_up, at_rest, fail, join_in_turn, seconds, spread};
use crate::report::Bar;
use crate::run::{End, Run};

fn mean(spreads: &[Spread], of: impl Fn(&Spread) -> f64) -> f64 {
    spreads.iter().map(of).sum::<f64>() / spreads.len().max(1) as f64
}

fn most(spreads: &[Spread], of: impl Fn(&Spread) -> f64) -> f64 {
    spreads.iter().map(of).fold(0.0, f64::max)
}

fn settled(run: &mut Run<'_>) -> Result<(), End> {
    join_in_turn(run, Micros::from_millis(10))?;
    run.phase("settle");
    run.wait(seconds(30))?;
    at_rest(run, 0)
}

/// One sender, many senders, and a part of the nodes killed.
pub(super) fn tree(run: &mut Run<'_>) -> Result<(), End> {
    settled(run)?;
    run.phase("one sender");
    let sender = any_up(run);
    let first = spread(run, sender, seconds(10))?;
    let bar = (run.plan.nodes >= 500).then_some(Bar::AtMost(3.1));
    run.figure("message 1: redundancy (RMR)", first.rmr, bar, Some("2.998"));
    let mut one = Vec::new();
    for _ in 0..15 {
        one.push(spread(run, sender, seconds(10))?);
    }
    let beside = Some("model 0.000; iroh-gossip's own bar 0.2");
    let rmr = mean(&one, |it| it.rmr);
    run.figure("one sender, from message 2: RMR", rmr, Some(Bar::AtMost(0.05)), beside);
    let beside = Some("model 11 at 1,000, 13 at 10,000; iroh-gossip's own bar 15");
    let hops = most(&one, |it| f64::from(it.hops));
    run.figure("one sender: last delivery hop", hops, Some(Bar::AtMost(15.0)), beside);
    let missed = most(&one, |it| it.missed as f64);
    run.figure("one sender: missed", missed, Some(Bar::Exactly(0.0)), None);
    let steady = mean(&one, |it| it.ms);
    run.figure("one sender: ms to the last", steady, None, Some("model 167 at 1,000"));

    run.phase("many senders");
    let mut many = Vec::new();
    for _ in 0..20 {
        let from = any_up(run);
        many.push(spread(run, from, seconds(10))?);
    }
    let rmr = mean(&many, |it| it.rmr);
    let beside = Some("model 0.000-0.425; iroh-gossip's own bar 1");
    run.figure("many senders: RMR", rmr, Some(Bar::AtMost(0.2)), beside);
    let beside = Some("model 15.3 at 1,000; iroh-gossip's own bar 18");
    let hops = mean(&many, |it| f64::from(it.hops));
    run.figure("many senders: last delivery hop, mean", hops, Some(Bar::AtMost(18.0)), beside);
    let missed = most(&many, |it| it.missed as f64);
    run.figure("many senders: missed", missed, Some(Bar::Exactly(0.0)), None);

    run.phase("kill");
    fail(run, run.plan.fail, true);
    let from = any_up(run);
    let killed = spread(run, from, seconds(20))?;
    run.figure("right after the kill: missed", killed.missed as f64, Some(Bar::Exactly(0.0)), None);
    let slower = killed.ms / steady.max(1.0);
    let beside = Some("model 4.3 at 80 ms, 9 at 500 ms");
    run.figure("right after the kill: time, of steady", slower, Some(Bar::AtMost(10.0)), beside);
    run.picture("after the kill", 0);
    Ok(())
}

/// One in a hundred nodes goes and comes each second, while others broadcast.
pub(super) fn churn(run: &mut Run<'_>) -> Result<(), End> {
    settled(run)?;
    let sender = 0;
    spread(run, sender, seconds(10))?;
    run.phase("churn");
    let each_second = (run.plan.nodes / 100).max(1);
    let (mut gone, mut spreads) = (Vec::new(), Vec::new());
    for second in 0..30 {
        for node in std::mem::take(&mut gone) {
            run.fleet.start(node);
        }
        for turn in 0..each_second {
            let node = 1 + run.fleet.rng().below(run.plan.nodes - 1);
            if run.fleet.is_up(node) {
                if (second + turn) % 3 == 0 {
                    run.fleet.leave(node);
                } else {
                    run.fleet.crash(node);
                }
                gone.push(node);
            }
        }
        spreads.push(spread(run, sender, Micros::from_millis(1_000))?);
    }
    let rmr = mean(&spreads, |it| it.rmr);
    let beside = Some("Partisan: any change of membership floods again");
    // Of fewer than a hundred nodes, one each second is more than one in a hundred.
    let bar = (run.plan.nodes >= 100).then_some(Bar::AtMost(0.2));
    run.figure("churn of 1 %/s: RMR", rmr, bar, beside);
    let reached = spreads.iter().map(|it| it.reached).fold(1.0, f64::min);
    run.figure("churn of 1 %/s: least reached within 1 s", reached, None, None);
    for node in gone {
        run.fleet.start(node);
    }
    run.phase("rest");
    run.wait(seconds(30))?;
    at_rest(run, 0)?;
    let after = spread(run, sender, seconds(10))?;
    run.figure("afterwards: missed", after.missed as f64, Some(Bar::Exactly(0.0)), None);
    Ok(())
}
