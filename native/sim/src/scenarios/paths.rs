//! Clients and their servers, and messages to those who are no neighbours.

use foundation_machine::Micros;

use super::members::agree;
use super::stage::{any_up, join_in_turn, seconds};
use crate::ledger::Outcome;
use crate::report::Bar;
use crate::run::{End, Fleet, Run};
use crate::subject::Subject;

/// Clients that are up without a server that is.
fn homeless(fleet: &Fleet, servers: u32) -> usize {
    let mut peers = Vec::new();
    let clients = fleet.up().into_iter().filter(|&node| node >= servers);
    clients
        .filter(|&node| {
            peers.clear();
            fleet.subject(node).expect("it is up").active(0, &mut peers);
            !peers.iter().any(|peer| {
                let server = peer.node.0;
                server < servers && fleet.is_up(server) && fleet.id(server) == *peer
            })
        })
        .count()
}

/// Servers end one after the other; their clients find another home.
pub(super) fn homes(run: &mut Run<'_>) -> Result<(), End> {
    let servers = run.plan.node.servers;
    join_in_turn(run, Micros::from_millis(20))?;
    run.phase("settle");
    run.wait(seconds(20))?;
    let alone = homeless(&run.fleet, servers);
    run.figure("clients without a server at rest", alone as f64, Some(Bar::Exactly(0.0)), None);
    let mut slowest: f64 = 0.0;
    for server in 1..servers {
        run.phase("server ends");
        let is_silent = server % 2 == 0;
        if is_silent {
            run.fleet.lose_power(server);
        } else {
            run.fleet.crash(server);
        }
        let step = Micros::from_millis(50);
        // Clients have two homes: look for the time when one of them has lost its last.
        run.wait(Micros::from_millis(if is_silent { 4_050 } else { 10 }))?;
        let found = run.wait_until(step, seconds(30), |fleet| homeless(fleet, servers) == 0)?;
        slowest = slowest.max(found.map_or(f64::INFINITY, |time| time.0 as f64 / 1e6));
        run.wait(seconds(5))?;
        run.fleet.start(server);
        run.wait(seconds(1))?;
        // Its new life is news to everybody still, and speaks first.
        for _ in 0..10 {
            let to = any_up(run);
            if to != server {
                run.route(server, to, 0);
            }
        }
        run.wait(seconds(9))?;
    }
    let beside = Some("specification: detection + 1 s");
    run.figure(
        "longest without a server after detection, s",
        slowest,
        Some(Bar::AtMost(1.0)),
        beside,
    );
    all_but_one_end(run, "crash", 0, 1.0)?;
    // Of many that are silent at once a node learns later, since it doubts itself first: seen were
    // 3.4 to 5.1 s.
    all_but_one_end(run, "loss of power", servers - 1, 6.0)?;
    let alike = agree(run, seconds(60))?;
    let alike = alike.0 as f64 / 1e6 + 10.0;
    run.figure("rosters alike after, s", alike, Some(Bar::AtMost(11.0)), None);
    run.phase("routes");
    for _ in 0..200 {
        let (from, to) = (any_up(run), any_up(run));
        if from != to {
            run.route(from, to, 0);
        }
        run.wait(Micros::from_millis(20))?;
    }
    run.wait(seconds(30))?;
    let lost = route_figures(run);
    run.figure("client to client: lost", lost as f64, Some(Bar::Exactly(0.0)), None);
    let relays = hops(run, servers).saturating_sub(1);
    let bar = Some(Bar::AtMost(2.0));
    run.figure("client to client: most servers on the way", f64::from(relays), bar, None);
    Ok(())
}

/// The most links between two clients.
fn hops(run: &Run<'_>, servers: u32) -> u32 {
    let is_client = |peer: foundation_machine::PeerId| peer.node.0 >= servers;
    let routes = run.fleet.observer.ledger.routes.iter();
    let between = routes.filter(|it| is_client(it.from) && is_client(it.to));
    between.map(|it| it.hops).max().unwrap_or(0)
}

/// All servers but one end at once, and those of their clients that are left without one find it,
/// so many seconds later at most.
fn all_but_one_end(run: &mut Run<'_>, how: &str, spared: u32, most: f64) -> Result<(), End> {
    let servers = run.plan.node.servers;
    run.phase("servers end");
    let ending = (0..servers).filter(|&server| server != spared);
    for server in ending.clone() {
        if how == "crash" {
            run.fleet.crash(server);
        } else {
            run.fleet.lose_power(server);
        }
    }
    let alone = homeless(&run.fleet, servers) as f64;
    let bar = (run.plan.nodes >= 60).then_some(Bar::AtLeast(1.0));
    run.figure(format!("{how} of all servers but one: clients without"), alone, bar, None);
    let step = Micros::from_millis(50);
    let found = run.wait_until(step, seconds(30), |fleet| homeless(fleet, servers) == 0)?;
    let took = found.map_or(f64::INFINITY, |time| time.0 as f64 / 1e6);
    let beside = Some("specification: detection + 1 s");
    run.figure(format!("{how}: all have one, s"), took, Some(Bar::AtMost(most)), beside);
    ending.for_each(|server| run.fleet.start(server));
    run.wait(seconds(15))
}

/// Books what became of routes; answers how many neither came nor were given up.
fn route_figures(run: &mut Run<'_>) -> usize {
    let routes = &run.fleet.observer.ledger.routes;
    let count =
        |wanted: fn(&Outcome) -> bool| routes.iter().filter(|it| wanted(&it.outcome)).count();
    let (sent, arrived) = (routes.len(), count(|it| matches!(it, Outcome::Arrived(_))));
    let given_up = count(|it| *it == Outcome::GivenUp);
    let both = count(|it| *it == Outcome::ArrivedAndGivenUp);
    let open = count(|it| *it == Outcome::Open);
    run.figure("routed messages", sent as f64, None, None);
    run.figure("of those: arrived", arrived as f64, None, None);
    run.figure("of those: given up and told so", given_up as f64, None, None);
    run.figure("of those: arrived, though told that they may not have", both as f64, None, None);
    open
}

/// Messages between any two while some pairs cannot dial each other and links break.
pub(super) fn routes(run: &mut Run<'_>) -> Result<(), End> {
    join_in_turn(run, Micros::from_millis(20))?;
    agree(run, seconds(60))?;
    run.phase("cut");
    let nodes = run.plan.nodes;
    // A quarter of all pairs cannot reach each other directly.
    for one in 0..nodes {
        for other in one + 1..nodes {
            if (one * 7 + other * 13) % 4 == 0 {
                run.fleet.cut(one, other, true);
                run.fleet.cut(other, one, true);
            }
        }
    }
    run.wait(seconds(20))?;
    run.phase("routes");
    for turn in 0..600 {
        let (from, to) = (any_up(run), any_up(run));
        if from != to {
            run.route(from, to, 0);
        }
        if turn % 20 == 0 {
            let linked = run.fleet.linked(from);
            if let Some(&peer) = linked.first() {
                run.fleet.reset(from, peer);
            }
        }
        run.wait(Micros::from_millis(50))?;
    }
    run.wait(seconds(40))?;
    let open = route_figures(run);
    let sent = run.fleet.observer.ledger.routes.len().max(1);
    let share = 1.0 - open as f64 / sent as f64;
    run.figure("share that came or was told of", share, Some(Bar::AtLeast(0.97)), None);
    run.fleet.heal();
    run.phase("healed");
    agree(run, seconds(120))?;
    let before = run.fleet.observer.ledger.routes.len();
    for _ in 0..100 {
        let (from, to) = (any_up(run), any_up(run));
        if from != to {
            run.route(from, to, 0);
        }
        run.wait(Micros::from_millis(50))?;
    }
    run.wait(seconds(10))?;
    let routes = &run.fleet.observer.ledger.routes[before..];
    let missing = routes.iter().filter(|it| !matches!(it.outcome, Outcome::Arrived(_))).count();
    run.figure("healed: not arrived", missing as f64, Some(Bar::Exactly(0.0)), None);
    Ok(())
}
