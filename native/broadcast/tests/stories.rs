//! Random stories: nodes crash and come while broadcasts are under way.

mod driver;

use driver::{Network, peer};
use foundation_broadcast::{BroadcastId, PlumtreeOptions};
use foundation_machine::PeerId;
use foundation_membership::{Epoch, NeighbourUnion};

const NODES: u32 = 40;
const DEGREE: usize = 4;

fn options() -> PlumtreeOptions {
    // So small that stories come to its bounds.
    PlumtreeOptions { cache_bytes_max: 3_000, cache_payloads_max: 20, ..Default::default() }
}

/// What one of those has that were there in time, all of them have.
fn check_delivered(network: &Network, id: BroadcastId, round: u64) -> Result<(), String> {
    // Newcomers are offered only what their neighbours got after they came.
    let elders = || network.nodes.keys().filter(|node| node.life.start < round);
    let has = |node: &&PeerId| network.traces[&id].rounds.contains_key(*node);
    let missed = elders().filter(|node| !has(node)).count();
    if missed > 0 && elders().any(|node| has(&node)) {
        return Err(format!("{id:?} is missed by {missed}"));
    }
    Ok(())
}

/// Nodes crash while broadcasts are under way, and are replaced once that is noticed. What one
/// living node has, all have soon after, as long as links connect them.
fn story(seed: u64, options: PlumtreeOptions) -> Result<u64, String> {
    let mut network = Network::random(seed, options, NODES, DEGREE);
    network.run_for(1_000);
    let mut delivered = 0;
    for round in 1..=12u64 {
        let from = network.any();
        let bytes = 100 + 100 * network.rng.index(4);
        let mut ids = vec![network.broadcast(from, bytes)];
        let pause = network.rng.below(200);
        network.run_for(u64::from(pause));
        let crashed: Vec<PeerId> = (0..network.rng.below(8)).map(|_| network.any()).collect();
        for &id in &crashed {
            network.crash(id);
        }
        let from = network.any();
        ids.push(network.broadcast(from, bytes));
        let unnoticed = [100, 200, 300, 4_000][network.rng.index(4)];
        network.run_for(unnoticed);
        crashed.iter().for_each(|&id| network.notice(id));
        network.run_for(4_000 - unnoticed);
        let was_connected = network.is_connected();
        for &id in ids.iter().filter(|_| was_connected) {
            check_delivered(&network, id, round)?;
        }
        for &id in &crashed {
            let newcomer = peer(id.node.0, round);
            if !network.nodes.contains_key(&newcomer) {
                network.add(newcomer);
            }
            network.fill(DEGREE);
        }
        network.run_for(5_000);
        network.check()?;
        if was_connected && network.is_connected() {
            for id in ids {
                check_delivered(&network, id, round)?;
                delivered += 1;
            }
        }
        let idle = [0, 0, 0, 15_000][network.rng.index(4)];
        network.run_for(idle);
        network.check()?;
    }
    Ok(delivered)
}

#[test]
fn what_one_living_node_has_all_have_whoever_crashes() {
    let mut delivered = 0;
    for seed in 0..60 {
        delivered += story(seed, options()).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
    }
    assert!(delivered > 700, "{delivered} broadcasts were checked");
}

/// The overlay is replaced by another one, at each node at another time, under steady broadcasts.
/// Answers how many were missed and doubled, and the longest time that one took to reach all.
fn switch(seed: u64, makes_before_breaks: bool) -> (usize, usize, u64) {
    let mut network = Network::random(seed, PlumtreeOptions::default(), NODES, DEGREE);
    let old: Vec<(PeerId, PeerId)> = pairs(&network);
    let (before, after) = (Epoch::FIRST, Epoch { number: 1, coordinator: Some(peer(0, 0)) });
    let mut union = NeighbourUnion::default();
    // One union stands for all nodes' here: the pair's lower node is the peer.
    let key = |(a, b): (PeerId, PeerId)| peer(a.node.0 * NODES + b.node.0, 0);
    for &pair in &old {
        union.up(before, key(pair));
    }
    network.run_for(2_000);
    let mut ids = Vec::new();
    let mut tick = |network: &mut Network| {
        let from = network.any();
        ids.push(network.broadcast(from, 100));
        let pause = network.rng.below(30);
        network.run_for(u64::from(pause));
    };
    let mut new = old.clone();
    new.iter_mut().for_each(|pair| *pair = shifted(*pair));
    if !makes_before_breaks {
        for &(a, b) in &old {
            network.unlink(a, b);
            tick(&mut network);
        }
    }
    for &pair in &new {
        if union.up(after, key(pair)) {
            network.link(pair.0, pair.1);
        }
        tick(&mut network);
    }
    if makes_before_breaks {
        let gone = union.drop_epoch(before);
        for &pair in old.iter().filter(|pair| gone.contains(&key(**pair))) {
            network.unlink(pair.0, pair.1);
            tick(&mut network);
        }
    }
    network.run_for(8_000);
    let missed = ids.iter().map(|id| network.missed(*id)).sum();
    let twice = network.traces.values().map(|trace| trace.twice).sum();
    let slowest = ids.iter().map(|id| network.traces[id].millis()).max().unwrap_or(0);
    (missed, twice, slowest)
}

fn pairs(network: &Network) -> Vec<(PeerId, PeerId)> {
    let all = network.links.iter();
    let pairs = all.flat_map(|(a, linked)| linked.iter().map(move |b| (*a, *b)));
    pairs.filter(|(a, b)| a < b).collect()
}

/// The pair of the same shape in an overlay of which the nodes have changed places.
fn shifted((a, b): (PeerId, PeerId)) -> (PeerId, PeerId) {
    let place = |id: PeerId| peer((id.node.0 * 7 + 3) % NODES, 0);
    let (a, b) = (place(a), place(b));
    (a.min(b), a.max(b))
}

#[test]
fn an_overlay_is_replaced_under_way_without_a_broadcast_lost_or_doubled() {
    for seed in 0..20 {
        let (missed, twice, slowest) = switch(seed, true);
        let (later_missed, later_twice, later) = switch(seed, false);
        println!("seed {seed}: {slowest} ms; {later} ms where the old overlay ends first");
        assert_eq!((missed, twice), (0, 0), "seed {seed}");
        // Even then the summaries find what was lost, so what shows is the time.
        assert_eq!((later_missed, later_twice), (0, 0), "seed {seed}");
        assert!(slowest < later, "seed {seed}: {slowest} ms and {later} ms");
    }
}

#[cfg(feature = "planted")]
#[test]
fn each_planted_bug_is_caught_within_two_hundred_stories() {
    for bug in foundation_broadcast::BUGS {
        let planted = foundation_machine::Planted::with(bug);
        let run = |seed| story(seed, PlumtreeOptions { planted, ..options() }).err();
        let caught = (0..200).find_map(|seed| run(seed).map(|fault| (seed, fault)));
        let (seed, fault) = caught.unwrap_or_else(|| panic!("{} is not caught", bug.name));
        println!("{}: seed {seed}: {fault}", bug.name);
    }
}
