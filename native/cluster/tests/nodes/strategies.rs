//! Overlays of each strategy, and several at once.

use foundation_cluster::{ClusterOptions, Input, NamedOverlay, OverlayNo, Strategy};
use foundation_machine::Micros;
use foundation_membership::Role;

use super::net::{FIRST, Net, peer};

fn seconds(count: u64) -> Micros {
    Micros::from_millis(count * 1_000)
}

#[test]
fn a_full_mesh_beside_partial_views_shares_the_links_and_each_has_its_own_tree() {
    let overlays = vec![
        NamedOverlay::new("control", Strategy::FullMesh),
        NamedOverlay::new("data", Strategy::HyParView),
    ];
    let options = ClusterOptions { overlays, ..ClusterOptions::default() };
    for seed in 0..5 {
        let mut net = Net::of(9, &options, seed);
        net.run(seconds(20));
        for (own, node) in &net.nodes {
            let neighbours = |overlay| {
                let overlay = node.overlay(OverlayNo(overlay)).into_iter();
                overlay.flat_map(|one| one.neighbours()).collect::<Vec<_>>()
            };
            assert_eq!(neighbours(0).len(), 8, "seed {seed} {own:?}");
            assert!((1..=5).contains(&neighbours(1).len()), "seed {seed} {own:?}");
            assert_eq!(node.links().count(), 8, "seed {seed} {own:?}");
        }
        net.give(peer(1), Input::Broadcast { overlay: OverlayNo(0), payload: 10 });
        net.give(peer(1), Input::Broadcast { overlay: OverlayNo(1), payload: 11 });
        net.run(seconds(3));
        for node in (0..9).filter(|node| *node != 1) {
            let mut got = net.broadcasts(peer(node));
            got.sort_unstable();
            assert_eq!(got, [10, 11], "seed {seed} {node}");
        }
    }
}

#[test]
fn clients_reach_each_other_through_a_server() {
    let with_role = |role| {
        let mut overlay = NamedOverlay::new("data", Strategy::ClientServer);
        overlay.strategies.client_server.role = role;
        ClusterOptions { overlays: vec![overlay], ..ClusterOptions::default() }
    };
    for seed in 0..10 {
        let mut net = Net::of(3, &with_role(Role::Server), seed);
        for client in 3..8 {
            net.start(peer(client), &with_role(Role::Client));
        }
        net.run(seconds(10));
        let mut payload = 0;
        for from in 3..8 {
            for to in (3..8).filter(|to| *to != from) {
                payload += 1;
                net.route(from, to, payload);
            }
        }
        net.run(seconds(3));
        let mut got: Vec<u64> = (3..8).flat_map(|client| net.routed(peer(client))).collect();
        got.sort_unstable();
        assert_eq!(got, (1..=payload).collect::<Vec<u64>>(), "seed {seed}");
        let hops = net.heard.iter().filter_map(|(_, event)| match event {
            foundation_cluster::ClusterEvent::Routed { hops, .. } => Some(*hops),
            _ => None,
        });
        assert!(hops.max() <= Some(3), "seed {seed}: more than two relays");
        for a in 3..8 {
            assert!((3..8).all(|b| a == b || !net.is_linked(peer(a), peer(b))), "seed {seed}");
        }
    }
}

#[test]
fn static_links_are_those_configured() {
    let overlays = vec![NamedOverlay::new("data", Strategy::Static)];
    let options = ClusterOptions { overlays, ..ClusterOptions::default() };
    let mut net = Net::of(5, &options, 1);
    net.run(seconds(5));
    net.broadcast(1, 7);
    net.run(seconds(3));
    for node in 1..5 {
        assert_eq!(net.linked(peer(node)), [peer(0)], "{node}");
        assert_eq!(net.nodes[&peer(node)].nodes_up(), 4, "{node}");
    }
    assert_eq!(net.broadcasts(peer(4)), [7]);
    let overlay = net.nodes[&peer(0)].overlay(FIRST);
    assert_eq!(overlay.map(|overlay| overlay.neighbours().count()), Some(4));
}
