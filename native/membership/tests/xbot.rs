//! X-BOT among nodes of several regions: cheaper links, unchanged degrees, one component.

mod drive;

use drive::{Net, number, peer};
use foundation_machine::Rng;
use foundation_membership::{HyParView, HyParViewOptions, XBotOptions};

fn regions(count: usize, options: &HyParViewOptions, seed: u64) -> Net<HyParView> {
    let mut net = Net::new(seed, (0..5).collect());
    net.set_regions(5);
    for at in 0..count {
        let rng = Rng::of_stream(seed, at as u64);
        net.add(HyParView::new(options.clone(), peer(at), rng, net.now));
        net.run_for(5);
    }
    net
}

fn mean_cost(net: &Net<HyParView>) -> f64 {
    let mut costs = Vec::new();
    for at in net.alive() {
        for other in net.nodes[at].as_ref().unwrap().active() {
            costs.push(net.delay(at, number(*other)).0 as f64 / 1_000.0);
        }
    }
    costs.iter().sum::<f64>() / costs.len() as f64
}

fn degrees(net: &Net<HyParView>) -> Vec<usize> {
    net.alive().iter().map(|at| net.nodes[*at].as_ref().unwrap().active().len()).collect()
}

fn options() -> HyParViewOptions {
    HyParViewOptions { xbot: Some(XBotOptions::default()), ..HyParViewOptions::default() }
}

#[test]
fn links_get_cheaper_while_the_overlay_stays_one() {
    for seed in 0..3 {
        let plain = HyParViewOptions::default();
        let mut before = regions(300, &plain, seed);
        before.run_for(120_000);
        let mut after = regions(300, &options(), seed);
        after.run_for(300_000);
        after.come_to_rest();
        let share = mean_cost(&after) / mean_cost(&before);
        let way = after.ways(0).0 / before.ways(0).0;
        let full = degrees(&after).iter().filter(|degree| **degree == 5).count();
        println!("seed {seed}: cost {share:.2}, way {way:.2}, {full} full");
        assert!(share < 0.4, "seed {seed}: cost {share:.2} of before");
        assert!(way < 1.15, "seed {seed}: way {way:.2} of before");
        assert_eq!(after.components(), [300], "seed {seed}");
        assert_eq!(after.one_sided(), [], "seed {seed}");
        assert!(full >= 290, "seed {seed}: {full} views are full");
    }
}

#[test]
#[ignore = "prints figures of n = 1,000 for docs; by hand"]
fn figures_of_a_thousand() {
    for seed in 1..=3 {
        let mut net = regions(1_000, &options(), seed);
        for _ in 0..10 {
            net.run_for(60_000);
            let count = |of: fn(&HyParView) -> u64| {
                net.nodes.iter().flatten().map(of).sum::<u64>() as f64 / 1_000.0
            };
            println!(
                "seed {seed} {} s: cost {:.1} ms, way {:?}, rounds {:.1}, swaps {:.1}, {:?}, {}",
                net.now.as_millis() / 1_000,
                mean_cost(&net),
                net.ways(0),
                count(|node| node.counters().rounds),
                count(|node| node.counters().swaps),
                net.components(),
                net.one_sided().len(),
            );
        }
    }
}

#[test]
fn crashes_in_the_middle_of_swaps_leave_both_ends_of_one_opinion() {
    for seed in 0..10 {
        let mut net = regions(60, &options(), seed);
        for _ in 0..10 {
            net.run_for(1_000);
            let mut alive = net.alive();
            net.rng.shuffle(&mut alive);
            net.crash(&alive[..2]);
        }
        net.run_for(15_000);
        net.come_to_rest();
        assert_eq!(net.one_sided(), [], "seed {seed}");
        assert_eq!(net.components(), [40], "seed {seed}");
    }
}
