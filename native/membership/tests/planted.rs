//! Each planted bug of the overlays breaks one of these properties, which hold without it.

#![cfg(feature = "planted")]

mod drive;

use drive::{Net, peer};
use foundation_machine::{Bug, Planted, Rng};
use foundation_membership::{
    ClientServerOptions, FullMeshOptions, HyParView, HyParViewOptions, OVERLAY_BUGS, Overlay,
    OverlayInput, OverlayOptions, Role, Strategy, XBotOptions,
};

const SEEDS: u64 = 5;

fn net(count: usize, planted: Planted, xbot: Option<XBotOptions>, seed: u64) -> Net<HyParView> {
    let options = HyParViewOptions { planted, xbot, ..HyParViewOptions::default() };
    let mut net = Net::new(seed, vec![0, 1, 2]);
    if xbot.is_some() {
        net.set_regions(5);
    }
    for at in 0..count {
        let rng = Rng::of_stream(seed, at as u64);
        net.add(HyParView::new(options.clone(), peer(at), rng, net.now));
        net.run_for(2);
    }
    net
}

fn node(net: &Net<HyParView>, at: usize) -> &HyParView {
    net.nodes[at].as_ref().unwrap()
}

fn views_are_sound(net: &Net<HyParView>) -> bool {
    net.alive().into_iter().all(|at| {
        let (active, passive) = (node(net, at).active(), node(net, at).passive());
        let mut all: Vec<_> = active.iter().chain(passive).map(|peer| peer.node).collect();
        all.push(peer(at).node);
        all.sort_unstable();
        let length = all.len();
        all.dedup();
        all.len() == length && active.len() <= 5 && passive.len() <= 30
    })
}

fn views_stay_sound(planted: Planted, seed: u64) -> bool {
    let mut net = net(60, planted, None, seed);
    (0..30).all(|_| {
        net.run_for(1_000);
        views_are_sound(&net)
    })
}

fn views_stay_sound_in_swaps(planted: Planted, seed: u64) -> bool {
    let mut net = net(60, planted, Some(XBotOptions::default()), seed);
    (0..60).all(|_| {
        net.run_for(1_000);
        views_are_sound(&net)
    })
}

/// Between two pulses, which correct what is one-sided.
fn neighbours_are_of_one_opinion(planted: Planted, seed: u64) -> bool {
    let mut net = net(60, planted, None, seed);
    net.run_for(1_000);
    net.come_to_rest();
    net.one_sided().is_empty()
}

fn a_peer_out_of_reach_is_forgotten(planted: Planted, seed: u64) -> bool {
    let mut net = net(60, planted, None, seed);
    net.run_for(20_000);
    net.crash(&(20..60).collect::<Vec<_>>());
    net.run_for(5_000);
    net.kept_dead == 0
}

fn views_are_full_soon_after_a_crash(planted: Planted, seed: u64) -> bool {
    let mut net = net(200, planted, None, seed);
    net.run_for(60_000);
    net.crash(&(3..140).collect::<Vec<_>>());
    net.run_for(2_000);
    let alive = net.alive();
    let full = alive.iter().filter(|at| node(&net, **at).active().len() >= 4).count();
    full * 10 >= alive.len() * 9
}

fn no_request_outlives_its_time(planted: Planted, seed: u64) -> bool {
    let mut net = net(60, planted, None, seed);
    net.run_for(20_000);
    net.frozen.extend(20..40);
    net.crash(&(40..60).collect::<Vec<_>>());
    net.run_for(1_000);
    // A node that asks at each look has a request that does not end: repairs have pauses.
    let mut always: Vec<usize> = (0..20).collect();
    for _ in 0..120 {
        net.run_for(500);
        always.retain(|at| node(&net, *at).requests() > 0);
    }
    always.is_empty()
}

fn an_overlay_at_rest_puts_nobody_out(planted: Planted, seed: u64) -> bool {
    let mut net = net(61, planted, None, seed);
    net.run_for(120_000);
    let evicted = |net: &Net<HyParView>| -> u64 {
        net.nodes.iter().flatten().map(|node| node.counters().evicted).sum()
    };
    let before = evicted(&net);
    net.run_for(120_000);
    evicted(&net) - before < 5
}

fn overlays_find_each_other(planted: Planted, seed: u64) -> bool {
    let mut net = net(40, planted, None, seed);
    net.run_for(20_000);
    net.partition(|at| (at % 2) as u8);
    net.run_for(120_000);
    net.partition(|_| 0);
    net.run_for(120_000);
    net.components().len() == 1
}

fn ways_stay_short(planted: Planted, seed: u64) -> bool {
    let way = |xbot| {
        let mut net = net(300, planted, xbot, seed);
        net.set_regions(5);
        net.run_for(400_000);
        let ways: Vec<f64> = (0..300).step_by(20).map(|at| net.ways(at).0).collect();
        ways.iter().sum::<f64>()
    };
    way(Some(XBotOptions::default())) / way(None) < 1.1
}

fn no_swap_makes_a_link_dearer(planted: Planted, seed: u64) -> bool {
    let mut net = net(100, planted, Some(XBotOptions::default()), seed);
    net.run_for(60_000);
    net.dear_swaps == 0
}

/// A part in a swap ends within seconds, though half of the nodes hear nothing any more; nobody has
/// one part after the other at each of so many looks.
fn no_swap_outlives_its_time(planted: Planted, seed: u64) -> bool {
    let mut net = net(60, planted, Some(XBotOptions::default()), seed);
    net.run_for(3_000);
    net.frozen.extend(30..60);
    let mut looks = [0; 30];
    for _ in 0..120 {
        net.run_for(1_000);
        for (at, looks) in looks.iter_mut().enumerate() {
            *looks = if node(&net, at).is_swapping() { *looks + 1 } else { 0 };
        }
        if looks.iter().any(|looks| *looks >= 20) {
            return false;
        }
    }
    true
}

fn a_mesh_is_whole_after_a_cut(planted: Planted, seed: u64) -> bool {
    let full_mesh = FullMeshOptions { planted, ..FullMeshOptions::default() };
    let options = OverlayOptions { full_mesh, ..OverlayOptions::default() };
    let mut net: Net<Overlay> = Net::new(seed, vec![0]);
    for at in 0..10 {
        let rng = Rng::of_stream(seed, at as u64);
        net.add(Overlay::new(Strategy::FullMesh, &options, peer(at), rng, net.now));
    }
    for at in 0..10 {
        for other in 0..10 {
            net.give(at, OverlayInput::MemberUp(peer(other)));
        }
    }
    net.run_for(5_000);
    net.partition(|at| u8::from(at < 5));
    net.run_for(5_000);
    net.partition(|_| 0);
    net.run_for(5_000);
    (0..10).all(|at| net.neighbours(at).len() == 9)
}

fn clients_have_no_clients(planted: Planted, seed: u64) -> bool {
    let mut net: Net<Overlay> = Net::new(seed, vec![0, 1]);
    for at in 0..10 {
        let role = if at == 0 { Role::Server } else { Role::Client };
        let client_server = ClientServerOptions { role, planted, ..ClientServerOptions::default() };
        let options = OverlayOptions { client_server, ..OverlayOptions::default() };
        let rng = Rng::of_stream(seed, at as u64);
        net.add(Overlay::new(Strategy::ClientServer, &options, peer(at), rng, net.now));
    }
    net.run_for(5_000);
    (1..10).all(|at| net.neighbours(at).iter().all(|other| *other == 0))
}

type Property = fn(Planted, u64) -> bool;

fn property_of(bug: &Bug) -> Property {
    match bug.name {
        "hyparview_accepts_beyond_full"
        | "hyparview_neighbour_stays_passive"
        | "hyparview_takes_itself" => views_stay_sound,
        "hyparview_evicts_in_silence" => neighbours_are_of_one_opinion,
        "hyparview_keeps_the_dead" => a_peer_out_of_reach_is_forgotten,
        "hyparview_repairs_once" => views_are_full_soon_after_a_crash,
        "hyparview_waits_for_ever" => no_request_outlives_its_time,
        "hyparview_always_high" => an_overlay_at_rest_puts_nobody_out,
        "hyparview_merges_nobody" => overlays_find_each_other,
        "xbot_all_biased" => ways_stay_short,
        "xbot_ignores_cost" => no_swap_makes_a_link_dearer,
        "xbot_waits_for_ever" => no_swap_outlives_its_time,
        "xbot_takes_both" => views_stay_sound_in_swaps,
        "full_mesh_no_redial" => a_mesh_is_whole_after_a_cut,
        "client_takes_client" => clients_have_no_clients,
        other => panic!("no property for {other}"),
    }
}

#[test]
fn each_planted_bug_breaks_a_property_that_holds_without_it() {
    for bug in OVERLAY_BUGS.iter().copied().flatten() {
        let holds = property_of(bug);
        for seed in 0..SEEDS {
            assert!(holds(Planted::NONE, seed), "{}: seed {seed} fails without the bug", bug.name);
        }
        let caught = (0..SEEDS).find(|seed| !holds(Planted::with(bug), *seed));
        println!("{}: {caught:?}", bug.name);
        assert!(caught.is_some(), "{} is not caught in {SEEDS} seeds", bug.name);
    }
}
