//! What the tree has to achieve over a random overlay with links of 10 to 50 ms.

mod driver;

use driver::{Network, Trace, peer};
use foundation_broadcast::PlumtreeOptions;
use foundation_machine::PeerId;

const NODES: u32 = 1000;
const DEGREE: usize = 5;
const SEEDS: [u64; 3] = [1, 2, 3];

fn network(seed: u64) -> Network {
    let mut network = Network::random(seed, PlumtreeOptions::default(), NODES, DEGREE);
    network.run_for(1_000);
    network
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

fn send(network: &mut Network, from: PeerId, millis: u64) -> Trace {
    let id = network.broadcast(from, 100);
    network.run_for(millis);
    assert_eq!(network.missed(id), 0, "{id:?}");
    network.traces[&id].clone()
}

#[test]
fn one_sender_floods_once_and_then_sends_one_payload_per_node() {
    for seed in SEEDS {
        let mut network = network(seed);
        let first = send(&mut network, peer(0, 0), 3_000);
        let later: Vec<Trace> = (0..20).map(|_| send(&mut network, peer(0, 0), 3_000)).collect();
        let rmr = mean(later.iter().map(Trace::rmr));
        let ldh = later.iter().map(Trace::ldh).max().expect("some");
        let slowest = later.iter().map(Trace::millis).max().expect("some");
        println!("seed {seed}: first {:.3}, RMR {rmr:.4}, LDH {ldh}, {slowest} ms", first.rmr());
        assert!(rmr <= 0.05, "seed {seed}: RMR {rmr}");
        assert!(ldh <= 15, "seed {seed}: LDH {ldh}");
        network.check().unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
    }
}

#[test]
fn many_senders_share_one_tree() {
    for seed in SEEDS {
        let mut network = network(seed);
        send(&mut network, peer(0, 0), 3_000);
        let traces: Vec<Trace> = (0..60)
            .map(|_| {
                let from = network.any();
                send(&mut network, from, 3_000)
            })
            .collect();
        let late = &traces[10..];
        let rmr = mean(late.iter().map(Trace::rmr));
        let ldh = mean(late.iter().map(|trace| f64::from(trace.ldh())));
        let millis = mean(late.iter().map(|trace| trace.millis() as f64));
        println!("seed {seed}: RMR {rmr:.4}, LDH {ldh:.1}, {millis:.0} ms");
        assert!(rmr <= 0.2, "seed {seed}: RMR {rmr}");
        assert!(ldh <= 18.0, "seed {seed}: LDH {ldh}");
        network.check().unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
    }
}

#[test]
fn a_tenth_that_dies_unnoticed_keeps_nothing_from_the_others() {
    for seed in SEEDS {
        let mut network = network(seed);
        for _ in 0..5 {
            send(&mut network, peer(0, 0), 3_000);
        }
        let steady = send(&mut network, peer(0, 0), 3_000).millis();
        let mut nodes: Vec<PeerId> = (1..NODES).map(|node| peer(node, 0)).collect();
        network.rng.shuffle(&mut nodes);
        for &dead in &nodes[..NODES as usize / 10] {
            network.kill(dead, true);
        }
        let first = send(&mut network, peer(0, 0), 10_000).millis();
        let next = send(&mut network, peer(0, 0), 10_000).millis();
        println!("seed {seed}: steady {steady} ms, first {first} ms, next {next} ms");
        assert!(first <= 10 * steady, "seed {seed}: {first} ms after {steady} ms");
        network.check().unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
    }
}

#[test]
fn nodes_that_come_and_go_cost_few_payloads() {
    for seed in SEEDS {
        let mut network = network(seed);
        send(&mut network, peer(0, 0), 3_000);
        let mut ids = Vec::new();
        for second in 1..=20u64 {
            for _ in 0..NODES / 100 {
                let gone = network.any();
                if gone != peer(0, 0) {
                    network.kill(gone, true);
                    network.add(peer(gone.node.0, second));
                }
                network.fill(DEGREE);
                network.run_for(100);
            }
            ids.push(network.broadcast(peer(0, 0), 100));
        }
        network.run_for(5_000);
        let rmr = mean(ids.iter().map(|id| network.traces[id].rmr()));
        let ldh = ids.iter().map(|id| network.traces[id].ldh()).max().expect("some");
        println!("seed {seed}: RMR {rmr:.4}, LDH {ldh}");
        assert!(rmr <= 0.2, "seed {seed}: RMR {rmr}");
        network.check().unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
    }
}

#[test]
fn a_full_mesh_does_not_flood() {
    let mut network = Network::new(7, PlumtreeOptions::default());
    for node in 0..200 {
        network.add(peer(node, 0));
        for other in 0..node {
            network.link(peer(node, 0), peer(other, 0));
        }
    }
    network.run_for(1_000);
    let first = send(&mut network, peer(3, 0), 5_000);
    let traces: Vec<Trace> = (0..10).map(|n| send(&mut network, peer(9 * n, 0), 5_000)).collect();
    let rmr = mean(traces[3..].iter().map(Trace::rmr));
    let ldh = traces.iter().map(Trace::ldh).max().expect("some");
    println!("first {:.2}, RMR {rmr:.4}, LDH {ldh}, control {}", first.rmr(), network.control);
    assert!(first.rmr() <= 32.0, "{}", first.rmr());
    assert!(rmr <= 0.2, "{rmr}");
    network.check().expect("views");
}
