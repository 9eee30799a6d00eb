//! Who is found failed, and who is not.

use foundation_cluster::{
    ClusterEvent, ClusterOptions, DownReason, Input, NamedOverlay, OverlayNo, Strategy,
};
use foundation_machine::Micros;

use super::net::{Net, peer};

fn options(strategy: Strategy) -> ClusterOptions {
    let overlays = vec![NamedOverlay::new("data", strategy)];
    ClusterOptions { overlays, ..ClusterOptions::default() }
}

fn seconds(count: u64) -> Micros {
    Micros::from_millis(count * 1_000)
}

#[test]
fn a_node_that_stands_still_is_found_failed_by_all_and_comes_back_when_it_goes_on() {
    for strategy in [Strategy::FullMesh, Strategy::HyParView] {
        let mut net = Net::of(8, &options(strategy), 3);
        net.run(seconds(20));
        net.freeze(peer(5));
        net.run(seconds(30));
        let reason = DownReason::Failed;
        let down = ClusterEvent::NodeDown { peer: peer(5), reason };
        for node in (0..8).filter(|node| *node != 5) {
            assert!(net.events(peer(node)).contains(&&down), "{strategy:?} {node}");
            assert_eq!(net.nodes[&peer(node)].nodes_up(), 6, "{strategy:?} {node}");
        }
        net.thaw(peer(5));
        net.run(seconds(60));
        for node in 0..8 {
            assert_eq!(net.nodes[&peer(node)].nodes_up(), 7, "{strategy:?} {node}");
        }
        net.assert_order();
    }
}

#[test]
fn a_busy_node_is_said_to_be_busy_and_never_down() {
    let mut net = Net::of(8, &options(Strategy::HyParView), 4);
    net.run(seconds(20));
    net.give(peer(5), Input::Busy(2));
    net.run(seconds(30));
    net.give(peer(5), Input::Busy(0));
    net.run(seconds(5));
    for node in (0..8).filter(|node| *node != 5) {
        let events = net.events(peer(node));
        let busy = ClusterEvent::Busy { peer: peer(5), isolates: 2 };
        let busy = events.iter().position(|event| **event == busy);
        let idle = events.iter().position(|event| **event == ClusterEvent::Idle(peer(5)));
        assert!(busy.is_some() && busy < idle, "{node}");
    }
    let is_down = |event: &ClusterEvent<u64>| matches!(event, ClusterEvent::NodeDown { .. });
    assert!(!net.heard.iter().any(|(_, event)| is_down(event)));
}

#[test]
fn a_link_that_is_cut_is_no_failure_while_others_vouch() {
    for strategy in [Strategy::FullMesh, Strategy::HyParView] {
        for seed in 0..5 {
            let mut net = Net::of(6, &options(strategy), seed);
            net.run(seconds(20));
            net.cut(1, 2);
            net.run(seconds(60));
            let downs = net
                .heard
                .iter()
                .filter(|(_, event)| matches!(event, ClusterEvent::NodeDown { .. }));
            assert_eq!(downs.count(), 0, "{strategy:?} seed {seed}");
        }
    }
}

#[test]
fn a_crash_is_found_out_and_the_broadcasts_go_round_it() {
    let mut net = Net::of(9, &options(Strategy::HyParView), 6);
    net.run(seconds(20));
    net.crash(peer(4));
    net.run(seconds(15));
    net.broadcast(1, 8);
    net.run(seconds(3));
    for node in (0..9).filter(|node| *node != 4 && *node != 1) {
        assert!(!net.nodes[&peer(node)].is_up(peer(4)), "{node}");
        assert_eq!(net.broadcasts(peer(node)), [8], "{node}");
        let overlay = net.nodes[&peer(node)].overlay(OverlayNo(0));
        assert!(overlay.is_some_and(|overlay| overlay.neighbours().all(|one| one != peer(4))));
    }
    net.assert_order();
}
