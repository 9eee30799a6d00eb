//! Weather in which nobody is at fault: what is told and lost in error shows.

use foundation_machine::{Micros, PeerId};

use super::chaos::{Weather, flap, switch, work};
use super::members::agree;
use super::stage::{any_up, seconds};
use crate::ledger::Outcome;
use crate::run::{End, Run};
use crate::subject::Ask;

/// Load, and switches or such faults; then all that was sent has come, and nobody was
/// told down where no link broke.
pub(super) fn calm(run: &mut Run<'_>, weather: Weather) -> Result<(), End> {
    agree(run, seconds(60))?;
    run.phase("calm");
    run.fleet.observer.keeps_news = true;
    // One kind of fault in a run, and one fault at a time.
    let cuts = run.fleet.rng().chance(0.5);
    let sent = run.fleet.observer.ledger.broadcasts.len();
    let routed = run.fleet.observer.ledger.routes.len();
    for turn in 0..run.plan.turns {
        match weather {
            Weather::Calm if turn % 8 == 0 => fault(run, cuts)?,
            Weather::Still if run.fleet.rng().chance(0.2) => _ = switch(run),
            _ => {}
        }
        if run.fleet.rng().chance(0.2) {
            let (who, isolates) = (any_up(run), run.fleet.rng().below(3));
            run.fleet.ask(who, Ask::Busy(isolates as u16));
        }
        for _ in 0..3 {
            work(run);
            let pause = 20 + run.fleet.rng().below(600);
            run.wait(Micros::from_millis(pause.into()))?;
        }
    }
    run.fleet.heal();
    run.wait(seconds(40))?;
    run.fleet.observer.keeps_news = false;
    told_wrongly(run, weather)?;
    let routed = if weather == Weather::Still { Some(routed) } else { None };
    lost(run, sent, routed)
}

/// A fault of the network's, or a short one of a node's, which is answered.
fn fault(run: &mut Run<'_>, cuts: bool) -> Result<(), End> {
    let (one, other) = (any_up(run), any_up(run));
    match run.fleet.rng().below(6) {
        0 | 1 => flap(run, one),
        2 | 3 if !cuts => {
            run.fleet.pause(one);
            let pause = 200 + run.fleet.rng().below(1_300);
            run.wait(Micros::from_millis(pause.into()))?;
            run.fleet.resume(one);
        }
        2 | 3 if one != other && run.plan.nodes > 4 => {
            run.fleet.heal();
            run.fleet.cut(one, other, true);
            run.fleet.cut(other, one, true);
        }
        _ => run.fleet.heal(),
    }
    Ok(())
}

/// Whoever is linked badly or stood still may be suspected, and answers in time.
fn told_wrongly(run: &mut Run<'_>, weather: Weather) -> Result<(), End> {
    let seen = &run.fleet.observer;
    let told = |verb: &str, it: Option<&(Micros, u32, PeerId)>| {
        let &(at, by, of) = it?;
        Some(format!("node {by} {verb} {of:?}, which was not at fault, at {} ms", at.as_millis()))
    };
    let what = told("told down", seen.downs.first())
        .or_else(|| told("suspects", seen.suspects.first().filter(|_| weather == Weather::Still)));
    match what {
        Some(what) => Err(run.violated(what)),
        None => Ok(()),
    }
}

fn lost(run: &mut Run<'_>, sent: usize, routed: Option<usize>) -> Result<(), End> {
    for index in sent..run.fleet.observer.ledger.broadcasts.len() {
        let lacking = run.lacking((index as u64) << 1);
        if !lacking.is_empty() {
            let what = format!("broadcast {index} in calm never came to nodes {lacking:?}");
            return Err(run.violated(what));
        }
    }
    // What is on its way over a link that breaks is lost in silence.
    let all = &run.fleet.observer.ledger.routes;
    let routes = &all[routed.unwrap_or(all.len())..];
    if let Some(open) = routes.iter().find(|it| it.outcome == Outcome::Open).copied() {
        return Err(run.violated(format!("a route in calm has no end: {open:?}")));
    }
    Ok(())
}
