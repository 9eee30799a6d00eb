//! A node's machines together: what one says reaches the others, in the right order.

use super::net::{Net, peer, peer_of};
use foundation_cluster::{
    ClusterEvent, ClusterMessage, ClusterOptions, DownReason, Input, LinkEnd, LinkUse,
    NamedOverlay, OverlayNo, Strategy,
};
use foundation_machine::Micros;
use foundation_membership::{HyParViewMessage, OverlayMessage};

const SECOND: Micros = Micros::from_millis(1_000);

fn seconds(count: u64) -> Micros {
    Micros::from_millis(count * 1_000)
}

fn hyparview() -> ClusterOptions {
    let overlays = vec![NamedOverlay::new("data", Strategy::HyParView)];
    ClusterOptions { overlays, ..ClusterOptions::default() }
}

#[test]
fn ten_nodes_that_know_one_come_to_know_all_and_each_hears_a_broadcast_once() {
    for seed in 0..10 {
        let mut net = Net::of(10, &hyparview(), seed);
        net.run(seconds(5));
        for node in 0..10 {
            assert_eq!(net.nodes[&peer(node)].nodes_up(), 9, "seed {seed} node {node}");
        }
        net.broadcast(3, 7);
        net.run(seconds(2));
        for node in (0..10).filter(|node| *node != 3) {
            assert_eq!(net.broadcasts(peer(node)), [7], "seed {seed} node {node}");
        }
        net.assert_order();
    }
}

#[test]
fn without_a_roster_neighbours_are_what_is_known_and_broadcasts_reach_all() {
    let options = ClusterOptions { roster: None, ..hyparview() };
    for seed in 0..10 {
        let mut net = Net::of(10, &options, seed);
        net.run(seconds(5));
        net.broadcast(3, 7);
        net.run(seconds(2));
        for node in 0..10 {
            let at = &net.nodes[&peer(node)];
            let neighbours = at.overlay(OverlayNo(0)).map(|overlay| overlay.neighbours().count());
            assert_eq!(Some(at.nodes_up()), neighbours, "seed {seed} node {node}");
            let got = if node == 3 { vec![] } else { vec![7] };
            assert_eq!(net.broadcasts(peer(node)), got, "seed {seed} node {node}");
        }
    }
}

#[test]
fn a_message_that_comes_before_news_of_its_sender_waits_for_it() {
    let mut early = 0;
    for seed in 0..30 {
        let mut net = Net::of(6, &hyparview(), seed);
        net.run(SECOND);
        net.start(peer(6), &hyparview());
        for payload in 0..40 {
            net.broadcast(6, payload);
            net.run(Micros::from_millis(5));
            early += net.nodes.values().map(|node| node.queues().unannounced).sum::<usize>();
        }
        net.run(seconds(12));
        net.assert_order();
        for node in 0..6 {
            let node = peer(node);
            let mut got = net.broadcasts(node);
            got.sort_unstable();
            assert!(got.windows(2).all(|two| two[0] != two[1]), "seed {seed}: {got:?}");
            assert_eq!(net.nodes[&node].queues().unannounced, 0);
        }
    }
    assert!(early > 0, "no broadcast was ever before the news");
}

#[test]
fn a_node_that_leaves_is_heard_to_and_a_later_life_is_another() {
    let mut net = Net::of(5, &hyparview(), 4);
    net.run(seconds(3));
    net.give(peer(2), Input::Leave);
    net.run(SECOND);
    let has_left = |event: &&ClusterEvent<u64>| matches!(event, ClusterEvent::HasLeft);
    assert!(net.events(peer(2)).iter().any(has_left));
    let leaving = |event: &&ClusterEvent<u64>| **event == ClusterEvent::Leaving(peer(2));
    for node in [0, 1, 3, 4] {
        assert!(net.events(peer(node)).iter().any(leaving), "node {node}");
    }
    net.crash(peer(2));
    net.start(peer_of(2, 2), &hyparview());
    net.run(seconds(3));
    for node in [0, 1, 3, 4] {
        let events = net.events(peer(node));
        let down = events.iter().position(
            |event| matches!(event, ClusterEvent::NodeDown { peer: gone, .. } if *gone == peer(2)),
        );
        let up = events.iter().position(|event| **event == ClusterEvent::NodeUp(peer_of(2, 2)));
        assert!(down.is_some() && down < up, "node {node}: {events:?}");
    }
    net.assert_order();
}

#[test]
fn a_goodbye_on_the_link_is_the_end_of_that_life_and_nothing_of_it_is_heard_again() {
    let mut net = Net::of(3, &hyparview(), 4);
    net.run(seconds(3));
    net.give(peer(0), Input::LinkDown { peer: peer(2), end: LinkEnd::Left });
    let down = ClusterEvent::NodeDown { peer: peer(2), reason: DownReason::Left };
    assert!(net.events(peer(0)).contains(&&down));
    let before = net.nodes[&peer(0)].counters().stale;
    net.give(peer(0), Input::LinkUp { peer: peer(2), is_seed: false });
    assert_eq!(net.hung_up.last(), Some(&(peer(0), peer(2))));
    net.broadcast(2, 9);
    net.run(SECOND);
    assert!(!net.broadcasts(peer(0)).contains(&9));
    assert!(net.nodes[&peer(0)].counters().stale > before);
}

#[test]
fn messages_for_an_overlay_or_epoch_that_is_not_there_are_counted() {
    let mut net = Net::of(2, &hyparview(), 1);
    net.run(SECOND);
    let said = net.nodes[&peer(0)].counters().unknown_overlay;
    let message = OverlayMessage::HyParView(HyParViewMessage::Join { token: 1 });
    for (overlay, epoch) in [(OverlayNo(3), 0), (OverlayNo(0), 5)] {
        let message = ClusterMessage::Overlay { overlay, epoch, message: message.clone() };
        net.give(peer(0), Input::Received { from: peer(1), message });
    }
    net.give(
        peer(0),
        Input::Received { from: peer(9), message: ClusterMessage::LinkUse(LinkUse::Unused) },
    );
    let counters = net.nodes[&peer(0)].counters();
    assert_eq!((counters.unknown_overlay - said, counters.stale), (2, 1));
}

#[test]
fn a_link_that_one_of_two_overlays_releases_stays_for_the_other() {
    let overlays = vec![
        NamedOverlay::new("control", Strategy::HyParView),
        NamedOverlay::new("data", Strategy::HyParView),
    ];
    let options = ClusterOptions { overlays, ..ClusterOptions::default() };
    for seed in 0..5 {
        let mut net = Net::of(10, &options, seed);
        for _ in 0..40 {
            net.run(SECOND);
            for (own, node) in &net.nodes {
                for overlay in 0..2 {
                    let overlay = node.overlay(OverlayNo(overlay));
                    for neighbour in overlay.into_iter().flat_map(|one| one.neighbours()) {
                        let is_up = node.links().any(|link| link == neighbour);
                        assert!(is_up, "seed {seed}: {own:?} has {neighbour:?} without a link");
                    }
                }
            }
        }
        assert!(!net.hung_up.is_empty(), "seed {seed}: no link was ever hung up");
    }
}

#[test]
fn a_link_that_neither_end_holds_is_hung_up() {
    let mut net = Net::of(10, &hyparview(), 2);
    net.run(seconds(60));
    for (own, node) in &net.nodes {
        for link in node.links() {
            let holders = node.link_holders(link) + net.nodes[&link].link_holders(*own);
            assert!(holders > 0, "{own:?} and {link:?} have no use for their link");
        }
    }
}
