//! The bars: how fast news spreads, what an idle cluster costs, what a joiner costs.

use foundation_machine::{Micros, PeerId};
use foundation_membership::{MemberStatus, RosterInput, RosterOptions};

use crate::net::{Net, peer};

const SECOND: Micros = Micros::from_millis(1_000);

fn sparse(seed: u64, count: u32) -> (Net, Vec<PeerId>) {
    sparse_with(seed, count, RosterOptions::default())
}

fn sparse_with(seed: u64, count: u32, options: RosterOptions) -> (Net, Vec<PeerId>) {
    let nodes: Vec<_> = (1..=count).map(|node| peer(node, 1)).collect();
    let mut net = Net::new(seed, options);
    nodes.iter().for_each(|&node| net.start(node));
    net.sparse(&nodes, 6);
    net.run(Micros::from_millis(60_000));
    assert!(net.all_agree(), "seed {seed}: {count} nodes do not agree after a minute");
    net.events.clear();
    net.bytes.clear();
    (net, nodes)
}

/// Rounds of 200 ms until everybody knows what one says of itself.
fn rounds_to_all(net: &mut Net, nodes: &[PeerId], isolates: u16) -> u64 {
    let at = nodes[net.rng.index(nodes.len())];
    let start = net.now;
    net.give(at, RosterInput::Busy(isolates));
    let knows = |net: &Net, node: PeerId| {
        node == at || net.status(node, at) == Some(MemberStatus::Busy(isolates))
    };
    while !nodes.iter().all(|&node| knows(net, node)) {
        net.run(Micros::from_millis(20));
        assert!(net.now.since(start) < Micros::from_millis(60_000), "not everybody hears of it");
    }
    net.now.since(start).as_millis().div_ceil(200)
}

#[test]
fn news_reaches_all_in_log2_n_and_three_rounds() {
    for (seed, count) in [(1, 10), (2, 100), (3, 1_000)] {
        spread_news(seed, count, RosterOptions::default());
    }
}

#[test]
fn news_reaches_all_of_a_full_mesh_within_its_budget() {
    let nodes: Vec<_> = (1..=60).map(|node| peer(node, 1)).collect();
    let mut net = Net::new(4, RosterOptions::default());
    nodes.iter().for_each(|&node| net.start(node));
    net.mesh(&nodes);
    net.run(Micros::from_millis(60_000));
    net.bytes.clear();
    let rounds = rounds_to_all(&mut net, &nodes, 1);
    net.run(Micros::from_millis(5_000));
    let messages = net.bytes.values().sum::<usize>() / 100;
    println!("60 meshed nodes: {rounds} rounds, about {messages} messages of one record");
    assert!(rounds <= 9);
    // 4 * ceil(log10(61)) tellings a node, and a few digests.
    assert!(messages <= 60 * 8 + 60, "{messages}");
}

#[test]
fn an_idle_cluster_costs_the_same_whatever_its_size() {
    let cost = |seed: u64, count: u32| {
        let (mut net, nodes) = sparse(seed, count);
        net.run(Micros::from_millis(600_000));
        net.bytes.values().sum::<usize>() as f64 / 600.0 / nodes.len() as f64
    };
    let (small, large) = (cost(5, 20), cost(6, 200));
    println!("idle: {small:.2} B/s a node at 20 nodes, {large:.2} at 200");
    assert!((small - large).abs() < 0.1 * small);
    assert!(large < 4.0);
}

#[test]
fn a_joiner_learns_everybody_once_and_nobody_else_pays_for_it() {
    let (mut net, nodes) = sparse(7, 200);
    let joiner = peer(9_000, 2);
    net.start(joiner);
    for place in [3, 40, 77, 140, 191] {
        net.link(joiner, nodes[place]);
    }
    net.run(SECOND);
    assert_eq!(net.rosters[&joiner].size(), 201);
    let bytes = net.bytes.values().sum::<usize>();
    // 200 records of 60 bytes to the joiner, one record of the joiner over each link or so, and
    // the exchanges by which its neighbours find that they differ no more.
    println!("a join among 200 costs {bytes} bytes in all");
    assert!(bytes < 200 * 60 + 200 * 6 * 110, "{bytes}");
}

pub(crate) fn lose_news(options: RosterOptions) {
    let (mut net, nodes) = sparse_with(8, 200, options);
    net.loss = 1.0;
    net.give(nodes[0], RosterInput::Busy(3));
    net.run(SECOND);
    net.loss = 0.0;
    net.bytes.clear();
    net.run(Micros::from_millis(90_000));
    assert!(net.all_agree());
    assert_eq!(net.status(nodes[100], nodes[0]), Some(MemberStatus::Busy(3)));
    let bytes = net.bytes.values().sum::<usize>() / nodes.len();
    let whole = 200 * 60;
    println!("lost news: {bytes} bytes a node in 90 s, a whole table has {whole}");
    assert!(bytes < whole / 5, "{bytes}");
}

pub(crate) fn spread_news(seed: u64, count: u32, options: RosterOptions) {
    let (mut net, nodes) = sparse_with(seed, count, options);
    let bar = u64::from(count.next_power_of_two().ilog2()) + 3;
    let rounds: Vec<u64> =
        (1..=5).map(|isolates| rounds_to_all(&mut net, &nodes, isolates)).collect();
    println!("seed {seed}: {count} nodes, bar {bar} rounds, took {rounds:?}");
    assert!(rounds.iter().all(|&took| took <= bar), "seed {seed}: {rounds:?} of {bar}");
}

#[test]
fn news_that_was_lost_is_found_by_digests_and_only_that_travels() {
    lose_news(RosterOptions::default());
}

/// A budget of retransmissions is for rumours that go on from whoever hears them; clients of a
/// server have nobody to tell.
#[test]
fn whoever_relies_on_a_node_hears_its_news_whatever_the_budget() {
    let nodes: Vec<_> = (1..=200).map(|node| peer(node, 1)).collect();
    let (hub, clients) = (nodes[0], &nodes[1..]);
    let mut net = Net::new(5, RosterOptions::default());
    nodes.iter().for_each(|&node| net.start(node));
    for &client in clients {
        net.link(hub, client);
        net.give(hub, RosterInput::Relies(client));
        net.give(client, RosterInput::RelyOn(hub));
    }
    net.run(SECOND);
    assert!(net.all_agree());
    assert_eq!(rounds_to_all(&mut net, &nodes, 1), 1);
    net.give(hub, RosterInput::Relies(peer(900, 1)));
    assert_eq!(net.rosters[&hub].counters().refused, 1, "no neighbour");
}
