//! HyParView among many nodes: views, symmetry, components, repair. Every figure is of a seed that
//! the failure prints.

mod drive;

use drive::{Net, number, peer};
use foundation_machine::{Micros, Rng};
use foundation_membership::{
    HyParView, HyParViewOptions, OverlayInput, OverlayOutput, XBotOptions,
};

fn node(options: &HyParViewOptions, at: usize, seed: u64, now: Micros) -> HyParView {
    HyParView::new(options.clone(), peer(at), Rng::of_stream(seed, at as u64), now)
}

/// `count` nodes, `gap` ms between two starts, the first `seeds` are seeds of all.
fn started(
    options: &HyParViewOptions,
    count: usize,
    seeds: usize,
    gap: u64,
    seed: u64,
) -> Net<HyParView> {
    let mut net = Net::new(seed, (0..seeds).collect());
    for at in 0..count {
        net.add(node(options, at, seed, net.now));
        net.run_for(gap);
    }
    net
}

struct Shape {
    active: f64,
    passive_min: usize,
    passive_median: usize,
    passive_max: usize,
    path: f64,
    longest: usize,
}

fn shape(net: &Net<HyParView>) -> Shape {
    let alive = net.alive();
    let mut known = vec![0_usize; net.nodes.len()];
    let mut active = 0;
    for &at in &alive {
        let node = net.nodes[at].as_ref().unwrap();
        active += node.active().len();
        for other in node.passive() {
            known[number(*other)] += 1;
        }
    }
    let mut counts: Vec<usize> = alive.iter().map(|at| known[*at]).collect();
    counts.sort_unstable();
    let step = alive.len().div_ceil(20);
    let ways: Vec<_> = alive.iter().step_by(step).map(|at| net.ways(*at)).collect();
    let path = ways.iter().map(|way| way.0).sum::<f64>() / ways.len() as f64;
    let longest = ways.iter().map(|way| way.1).max().unwrap_or(0);
    Shape {
        active: active as f64 / alive.len() as f64,
        passive_min: counts[0],
        passive_median: counts[counts.len() / 2],
        passive_max: counts[counts.len() - 1],
        path,
        longest,
    }
}

fn assert_views(net: &Net<HyParView>, options: &HyParViewOptions, seed: u64) {
    for at in net.alive() {
        let node = net.nodes[at].as_ref().unwrap();
        let (active, passive) = (node.active(), node.passive());
        assert!(active.len() <= usize::from(options.active_size), "seed {seed}: {active:?}");
        assert!(passive.len() <= usize::from(options.passive_size), "seed {seed}: {passive:?}");
        let mut all: Vec<_> = active.iter().chain(passive).map(|peer| peer.node).collect();
        all.push(peer(at).node);
        all.sort_unstable();
        let length = all.len();
        all.dedup();
        assert_eq!(all.len(), length, "seed {seed}: somebody is in views twice or is oneself");
    }
}

/// One seed is spared: without any nobody finds whom all have forgotten.
fn crash_share(net: &mut Net<HyParView>, percent: usize) {
    let mut alive = net.alive();
    alive.remove(0);
    net.rng.shuffle(&mut alive);
    alive.truncate(alive.len() * percent / 100);
    net.crash(&alive);
}

#[test]
fn nine_nodes_that_join_at_once_through_one_contact_are_one_component() {
    let options = HyParViewOptions::default();
    for seed in 0..1_000 {
        let mut net = started(&options, 9, 1, 0, seed);
        net.run_for(5_000);
        net.come_to_rest();
        assert_eq!(net.components(), [9], "seed {seed}");
        assert_eq!(net.one_sided(), [], "seed {seed}");
        assert_views(&net, &options, seed);
    }
}

#[test]
fn a_hundred_nodes_that_join_at_once_through_one_contact_are_one_component() {
    let options = HyParViewOptions::default();
    for seed in 0..20 {
        let mut net = started(&options, 100, 1, 0, seed);
        net.run_for(10_000);
        net.come_to_rest();
        assert_eq!(net.components(), [100], "seed {seed}");
        assert_eq!(net.one_sided(), [], "seed {seed}");
        assert_views(&net, &options, seed);
    }
}

/// Halves run apart, each becomes an overlay of its own, and the cut heals.
#[test]
fn two_overlays_that_lost_each_other_are_one_again_by_their_seeds() {
    let options = HyParViewOptions::default();
    for seed in 0..5 {
        let mut net = started(&options, 60, 6, 5, seed);
        net.run_for(30_000);
        net.partition(|at| (at % 2) as u8);
        net.run_for(120_000);
        assert_eq!(net.components(), [30, 30], "seed {seed}");
        net.partition(|_| 0);
        net.run_for(120_000);
        net.come_to_rest();
        assert_eq!(net.components(), [60], "seed {seed}");
        assert_eq!(net.one_sided(), [], "seed {seed}");
    }
}

fn report(count: usize, percent: usize, seed: u64) {
    let options = HyParViewOptions::default();
    let mut net = started(&options, count, 10, 2, seed);
    let joins = net.sent;
    net.run_for(5_000);
    println!("n {count} seed {seed}: after join {:?}", net.components());
    net.run_for(95_000);
    let (before, dials) = (net.sent, net.dials);
    net.run_for(100_000);
    let seen = shape(&net);
    let per = (net.sent - before) as f64 / count as f64 / 10.0;
    println!(
        "  {:?} active {:.3} passive {}/{}/{} path {:.2}/{} one-sided {} messages/join {:.1} \
         per cycle {per:.2} dials per cycle {:.3}",
        net.components(),
        seen.active,
        seen.passive_min,
        seen.passive_median,
        seen.passive_max,
        seen.path,
        seen.longest,
        net.one_sided().len(),
        joins as f64 / count as f64,
        (net.dials - dials) as f64 / count as f64 / 10.0,
    );
    assert_views(&net, &options, seed);
    crash_share(&mut net, percent);
    for step in [100, 400, 500, 1_000, 3_000, 5_000, 10_000, 10_000, 30_000] {
        let before = net.sent;
        net.run_for(step);
        println!(
            "  {percent} % dead +{step} ms: largest {} of {} in {} parts, one-sided {}, \
             {:.1} messages each, active {:.2}",
            net.components()[0],
            net.alive().len(),
            net.components().len(),
            net.one_sided().len(),
            (net.sent - before) as f64 / net.alive().len() as f64,
            shape(&net).active,
        );
    }
}

#[test]
#[ignore = "prints figures of n = 1,000 for docs; by hand"]
fn figures_of_a_thousand() {
    for seed in 1..=3 {
        for percent in [50, 80, 90] {
            report(1_000, percent, seed);
        }
    }
}

#[test]
#[ignore = "prints figures of n = 10,000 for docs; minutes, by hand"]
fn figures_of_ten_thousand() {
    let seeds = std::env::var("SEEDS").map_or(1, |text| text.parse().unwrap());
    for seed in 1..=seeds {
        report(10_000, 90, seed);
    }
}

#[test]
fn most_may_crash_at_once_and_the_rest_is_one_component_again() {
    let options = HyParViewOptions::default();
    for seed in 0..4 {
        for (percent, wait) in [(50, 2_000), (80, 10_000), (90, 30_000)] {
            let mut net = started(&options, 300, 5, 1, seed);
            net.run_for(60_000);
            crash_share(&mut net, percent);
            let before = net.sent;
            net.run_for(2_000);
            let each = (net.sent - before) as f64 / net.alive().len() as f64;
            assert!(each < 45.0, "seed {seed}: {each:.1} messages per survivor of {percent} %");
            net.run_for(wait - 2_000);
            net.come_to_rest();
            let parts = net.components();
            assert_eq!(parts.len(), 1, "seed {seed}, {percent} %: {parts:?}");
            assert_eq!(net.one_sided(), [], "seed {seed}, {percent} %");
        }
    }
}

/// Of 10,000 nodes with sixteen seeds a few were alone for longer than three shuffles when nearly
/// all others and fourteen of the seeds had crashed: each call drew its seeds anew.
#[test]
fn who_is_alone_has_asked_every_seed_within_three_shuffles() {
    let options = HyParViewOptions::default();
    for seed in 0..40 {
        let (mut now, mut asked) = (Micros(1), std::collections::BTreeSet::new());
        let mut machine = node(&options, 0, seed, now);
        let mut input = OverlayInput::Seeds(16);
        while now < Micros::from_millis(30_000) {
            let mut out = Vec::new();
            machine.handle(input, now, &mut out);
            let dialled = out.iter().filter_map(|it| match it {
                OverlayOutput::DialSeed { pick } => Some(*pick),
                _ => None,
            });
            let is_refused = dialled.clone().next().is_some();
            asked.extend(dialled);
            input = if is_refused { OverlayInput::SeedFailed } else { OverlayInput::Due };
            now = if is_refused { now + Micros(100) } else { machine.due().max(now + Micros(1)) };
        }
        assert_eq!(asked.len(), 16, "seed {seed}: {asked:?}");
    }
}

#[test]
fn after_crashes_restarts_and_broken_links_both_ends_are_of_one_opinion() {
    for seed in 0..12 {
        let xbot = (seed % 2 == 1).then(XBotOptions::default);
        let options = HyParViewOptions { xbot, ..HyParViewOptions::default() };
        let mut net = started(&options, 40, 3, 0, seed);
        net.jitter = 30_000;
        let mut dead: Vec<usize> = Vec::new();
        for round in 0..40 {
            net.run_for(500);
            net.break_links(3);
            if let Some(at) = dead.pop().filter(|_| round % 3 == 0) {
                let rng = Rng::of_stream(seed + 1_000 * round, at as u64);
                net.restart(at, |own, now| HyParView::new(options.clone(), own, rng, now));
            }
            if round % 4 == 0 {
                let alive = net.alive();
                let victim = *net.rng.pick(&alive).unwrap();
                net.crash(&[victim]);
                dead.insert(0, victim);
            }
            assert_views(&net, &options, seed);
        }
        // Two pulses and whatever they correct.
        net.run_for(15_000);
        net.come_to_rest();
        assert_eq!(net.one_sided(), [], "seed {seed}");
        assert_eq!(net.components().len(), 1, "seed {seed}");
        assert_views(&net, &options, seed);
    }
}
#[test]
fn nodes_that_come_in_a_rush_are_no_chain_in_the_end() {
    let options = HyParViewOptions::default();
    for seed in 0..2 {
        let mut net = started(&options, 500, 5, 1, seed);
        net.run_for(120_000);
        let seen = shape(&net);
        assert!(seen.path < 4.6, "seed {seed}: mean way {:.2}", seen.path);
        assert!(seen.longest <= 7, "seed {seed}: longest way {}", seen.longest);
        assert!(seen.active > 4.98, "seed {seed}: {:.3} neighbours", seen.active);
    }
}
