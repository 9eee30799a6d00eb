//! What scenarios have in common: how nodes come, how some fail, how a broadcast goes.

use foundation_machine::Micros;

use crate::graph::median;
use crate::report::Bar;
use crate::run::{End, Run, lacking};

/// Nodes whose addresses everybody has, where the discovery-seed rule is on.
pub(super) const DISCOVERED: u32 = 16;

/// A period of HyParView's shuffle, at its default.
pub(super) const SHUFFLE: Micros = Micros::from_millis(10_000);

pub(super) fn seconds(count: u64) -> Micros {
    Micros::from_millis(1_000 * count)
}

/// Nodes begin one after the other; each knows the discovered ones, or one random earlier node
/// where the rule is off.
pub(super) fn join_in_turn(run: &mut Run<'_>, gap: Micros) -> Result<(), End> {
    run.phase("join");
    for node in 0..run.plan.nodes {
        let seeds = if run.plan.node.has_seed_rule {
            (0..DISCOVERED.min(run.plan.nodes)).filter(|&seed| seed != node).collect()
        } else if node == 0 {
            Vec::new()
        } else {
            vec![run.fleet.rng().below(node)]
        };
        run.fleet.add_node(seeds);
        run.fleet.start(node);
        run.wait(gap)?;
    }
    Ok(())
}

/// All nodes begin at once, and all but the first know the first alone.
pub(super) fn join_at_once(run: &mut Run<'_>) -> Result<(), End> {
    run.phase("join");
    for node in 0..run.plan.nodes {
        run.fleet.add_node(if node == 0 { Vec::new() } else { vec![0] });
    }
    (0..run.plan.nodes).for_each(|node| run.fleet.start(node));
    run.wait(Micros(0))
}

/// That part of the nodes that are up ends at once; two of the discovered ones are spared where
/// the rule is on: discovery that names the dead only can help nobody. Answers how many are left.
pub(super) fn fail(run: &mut Run<'_>, part: f64, has_reset: bool) -> usize {
    let mut up = run.fleet.up();
    let count = (up.len() as f64 * part).round() as usize;
    run.fleet.rng().shuffle(&mut up);
    if run.plan.node.has_seed_rule {
        let mut spared = 0;
        // Each node's key is asked for once: a plain sort asks again, and would spare none.
        up.sort_by_cached_key(|&node| {
            let is_spared = node < DISCOVERED && spared < 2;
            spared += u32::from(is_spared);
            is_spared
        });
    }
    for &node in &up[..count] {
        if has_reset {
            run.fleet.crash(node);
        } else {
            run.fleet.lose_power(node);
        }
    }
    up.len() - count
}

/// What one broadcast took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread {
    /// Nodes that were up and did not get it.
    pub(super) missed: usize,
    /// The part of the others that are up which got it.
    pub(super) reached: f64,
    /// Relative message redundancy: payload messages per node reached, less one.
    pub(super) rmr: f64,
    /// Last delivery hop.
    pub(super) hops: u32,
    /// Until the last node had it. Unit: ms.
    pub(super) ms: f64,
}

/// A node broadcasts, and everything gets so much time.
pub(super) fn spread(run: &mut Run<'_>, from: u32, time: Micros) -> Result<Spread, End> {
    let before = run.sent(&["gossip"]);
    let Some(payload) = run.broadcast(from, 0) else { return Ok(Spread::default()) };
    let step = Micros::from_millis(20);
    run.wait_until(step, time, |fleet| lacking(fleet, payload).is_empty())?;
    // What is still on its way is counted too.
    run.wait(Micros::from_millis(300))?;
    let sent = run.sent(&["gossip"]) - before;
    let missed = run.lacking(payload).len();
    let record = &run.fleet.observer.ledger.broadcasts[(payload >> 1) as usize];
    let others = run.fleet.up_count() - 1;
    Ok(Spread {
        missed,
        reached: 1.0 - missed as f64 / others.max(1) as f64,
        rmr: sent as f64 / record.reached.max(1) as f64 - 1.0,
        hops: record.hops,
        ms: record.last_at.since(record.at).0 as f64 / 1_000.0,
    })
}

/// A random node that is up.
pub(super) fn any_up(run: &mut Run<'_>) -> u32 {
    let up = run.fleet.up();
    *run.fleet.rng().pick(&up).expect("somebody is up")
}

/// What must hold of an overlay at rest: both ends of each link agree, and all are connected.
pub(super) fn at_rest(run: &mut Run<'_>, overlay: usize) -> Result<(), End> {
    let graph = run.active(overlay);
    let one_sided = graph.one_sided();
    if let Some((from, to)) = one_sided.first() {
        let count = one_sided.len();
        let what = format!("{count} links of overlay {overlay} have one end only, as {from}-{to}");
        return Err(run.violated(what));
    }
    let components = graph.components();
    if components.len() > 1 {
        return Err(run.violated(format!("overlay {overlay} is in parts: {components:?}")));
    }
    Ok(())
}

/// What must hold of an overlay whose nodes trade links all the time: within two seconds each link
/// that had one end only has two, or none.
pub(super) fn trades_end(run: &mut Run<'_>, overlay: usize) -> Result<(), End> {
    let under_way = run.active(overlay).one_sided();
    run.wait(seconds(2))?;
    let mut left = run.active(overlay).one_sided();
    left.retain(|link| under_way.contains(link));
    if let Some((from, to)) = left.first() {
        let count = left.len();
        let what = format!("{count} links of overlay {overlay} keep one end, as {from}-{to}");
        return Err(run.violated(what));
    }
    Ok(())
}

/// Figures of an overlay: views, evenness, distances.
pub(super) fn describe(run: &mut Run<'_>, when: &str) {
    let (active, passive) = (run.active(0), run.passive(0));
    let links: usize = active.degrees().iter().sum();
    let degree = links as f64 / active.up().max(1) as f64;
    run.figure(
        format!("{when}: active view, mean"),
        degree,
        None,
        Some("paper rules 5.00, Partisan 4.18"),
    );
    let one_sided = active.one_sided().len();
    run.figure(
        format!("{when}: links with one end only"),
        one_sided as f64,
        Some(Bar::Exactly(0.0)),
        None,
    );
    let components = active.components().len();
    run.figure(
        format!("{when}: components"),
        components as f64,
        Some(Bar::Exactly(1.0)),
        Some("Partisan 1-6"),
    );
    let paths = active.paths(32);
    let beside = Some("at 1,000: 4.7 and 7; at 10,000: 6.37 and 9");
    run.figure(format!("{when}: mean path, hops"), paths.mean, None, beside);
    run.figure(format!("{when}: longest path, hops"), f64::from(paths.most), None, None);
    run.figure(
        format!("{when}: clustering"),
        active.clustering(),
        None,
        Some("at 10,000: 0.0003, Partisan 0.0050"),
    );
    let mut named = passive.in_degrees();
    let most = named.iter().copied().max().unwrap_or(0);
    let middle = median(&mut named);
    let evenness = most as f64 / middle.max(1) as f64;
    let beside = Some("paper rules 46 of 30, Partisan 9,751 of 21");
    let bar = (when == "joined" && run.plan.nodes >= 500 && run.plan.turns >= 50)
        .then_some(Bar::AtMost(2.0));
    run.figure(format!("{when}: most named in passive views, of median"), evenness, bar, beside);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Control, Plan};

    /// They were spared at the first comparison of a sort and not at the next, so that survivors
    /// knew nobody alive.
    #[test]
    fn two_of_the_discovered_nodes_outlive_what_fails() {
        for seed in 0..20 {
            let mut progress = |_| Control::Continue;
            let plan = Plan { nodes: 200, seed, ..Plan::default() };
            let mut run = Run::new(plan, &mut progress);
            for node in 0..200 {
                run.fleet.add_node(Vec::new());
                run.fleet.start(node);
            }
            assert_eq!(fail(&mut run, 0.99, true), 2);
            assert_eq!(run.fleet.up().iter().filter(|&&node| node < DISCOVERED).count(), 2);
        }
    }
}
