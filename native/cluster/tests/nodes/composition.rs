//! A node's machines together: what one says reaches the others, in the right order.

use super::net::{Net, peer, peer_of};
use foundation_cluster::{
    Cluster, ClusterEvent, ClusterMessage, ClusterOptions, DownReason, Input, LinkEnd, LinkUse,
    NamedOverlay, Output, OverlayNo, Strategy,
};
use foundation_machine::{Micros, Planted, Rng};
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

/// The application asks for a seed by itself. Its link came up after the machine had been told that
/// no seed answers, and was of no use until the machine asked again: ten seconds later, on a
/// machine with a thousand nodes.
#[test]
fn a_seed_that_answers_after_it_had_failed_is_joined_at_once() {
    let (own, seed, now) = (peer(1), peer(0), Micros(1));
    let (mut node, mut out) = (Cluster::new(hyparview(), own, Rng::new(3), now), Vec::new());
    node.handle(Input::Seeds(1), now, &mut out);
    assert!(out.contains(&Output::DialSeed { pick: 0 }), "{out:?}");
    node.handle(Input::SeedFailed, now, &mut out);
    out.clear();
    node.handle(Input::LinkUp { peer: seed, is_seed: true }, now, &mut out);
    let joins = |output: &Output<u64>| {
        let Output::Send { to, message: ClusterMessage::Overlay { message, .. } } = output else {
            return false;
        };
        let OverlayMessage::HyParView(message) = message else { return false };
        *to == seed && matches!(message, HyParViewMessage::Join { .. })
    };
    assert!(out.iter().any(joins), "{out:?}");
}

/// A node broadcasts from its first moment on; also how many messages waited for news of it.
fn early(planted: Planted, seed: u64) -> (Net, usize) {
    let options = ClusterOptions { planted, ..hyparview() };
    let mut net = Net::of(6, &options, seed);
    net.run(SECOND);
    net.start(peer(6), &options);
    let mut waited = 0;
    for payload in 0..40 {
        net.broadcast(6, payload);
        net.run(Micros::from_millis(5));
        waited += net.nodes.values().map(|node| node.queues().unannounced).sum::<usize>();
    }
    net.run(seconds(12));
    (net, waited)
}

#[test]
fn a_message_that_comes_before_news_of_its_sender_waits_for_it() {
    let mut waited = 0;
    for seed in 0..30 {
        let (net, more) = early(Planted::NONE, seed);
        waited += more;
        net.assert_order();
        for node in (0..6).map(peer) {
            let mut got = net.broadcasts(node);
            got.sort_unstable();
            assert!(got.windows(2).all(|two| two[0] != two[1]), "seed {seed}: {got:?}");
            assert_eq!(net.nodes[&node].queues().unannounced, 0);
        }
    }
    assert!(waited > 0, "no broadcast was ever before the news");
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

/// Node 0 hears node 2 say goodbye, then a broadcast of it over node 1.
fn goodbye(planted: Planted) -> Net {
    let mut net = Net::of(3, &ClusterOptions { planted, ..hyparview() }, 4);
    net.run(seconds(3));
    net.give(peer(0), Input::LinkDown { peer: peer(2), end: LinkEnd::Left });
    let down = ClusterEvent::NodeDown { peer: peer(2), reason: DownReason::Left };
    assert!(net.events(peer(0)).contains(&&down));
    net.give(peer(0), Input::LinkUp { peer: peer(2), is_seed: false });
    net.broadcast(2, 9);
    net.run(SECOND);
    assert!(net.cut_off.contains(&(peer(0), peer(2))));
    net
}

#[test]
fn a_goodbye_on_the_link_is_the_end_of_that_life_and_nothing_of_it_is_heard_again() {
    let net = goodbye(Planted::NONE);
    assert!(!net.broadcasts(peer(0)).contains(&9));
    assert!(net.nodes[&peer(0)].counters().stale > 0);
    net.assert_order();
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

/// Two overlays of partial views over one set of links, for a while, and a crash.
fn two_overlays(planted: Planted, seed: u64) -> (Net, usize) {
    let overlays = vec![
        NamedOverlay::new("control", Strategy::HyParView),
        NamedOverlay::new("data", Strategy::HyParView),
    ];
    let options = ClusterOptions { overlays, planted, ..ClusterOptions::default() };
    let mut net = Net::of(10, &options, seed);
    let mut without_link = 0;
    for second in 0..40 {
        net.run(SECOND);
        if second == 20 {
            net.crash(peer(7));
        }
        without_link += net.without_link();
    }
    (net, without_link)
}

#[test]
fn a_link_that_one_of_two_overlays_releases_stays_for_the_other() {
    for seed in 0..5 {
        let (net, without_link) = two_overlays(Planted::NONE, seed);
        assert_eq!((net.torn, without_link), (0, 0), "seed {seed}");
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

#[cfg(feature = "planted")]
#[test]
fn each_planted_bug_shows() {
    let planted = |name| {
        let bugs = foundation_cluster::bugs();
        let bug = bugs.iter().find(|bug| bug.name == name);
        Planted::with(bug.unwrap_or_else(|| panic!("{name} is not in the list")))
    };
    let torn = planted("cluster_hangs_up_shared_link");
    assert!((0..5).any(|seed| two_overlays(torn, seed).0.torn > 0));
    let deaf = planted("cluster_link_down_misses_overlay");
    assert!((0..5).any(|seed| two_overlays(deaf, seed).1 > 0));
    let before = planted("cluster_delivers_before_up");
    assert!((0..30).any(|seed| !early(before, seed).0.out_of_order().is_empty()));
    let after = goodbye(planted("cluster_delivers_after_down"));
    assert!(!after.out_of_order().is_empty());
}

#[test]
fn every_bug_has_a_name_of_its_own() {
    let mut names: Vec<&str> = foundation_cluster::bugs().iter().map(|bug| bug.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count >= 20, "{count} bugs");
}
