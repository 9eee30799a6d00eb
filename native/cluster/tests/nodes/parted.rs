//! Parts that were cut off from each other for long, and lives that were taken out.

use foundation_cluster::{
    ClusterEvent, ClusterOptions, DownReason, Input, LinkEnd, NamedOverlay, OverlayNo, Strategy,
};
use foundation_machine::{Micros, PeerId};

use super::net::{Net, peer};

const NODES: u32 = 8;

/// Tombstones go after a minute here.
fn options(strategy: Strategy) -> ClusterOptions {
    let overlays = vec![NamedOverlay::new("data", strategy)];
    let mut options = ClusterOptions { overlays, ..ClusterOptions::default() };
    if let Some(roster) = &mut options.roster {
        roster.tombstone = seconds(60);
    }
    options
}

fn seconds(count: u64) -> Micros {
    Micros::from_millis(count * 1_000)
}

/// Parts of four, and the only seed never comes back for the one that it is not in.
fn cut(net: &mut Net) {
    for one in 0..4 {
        (4..NODES).for_each(|other| net.cut(one, other));
    }
}

fn mend(net: &mut Net) {
    for one in 1..4 {
        (4..NODES).for_each(|other| net.mend(one, other));
    }
}

#[test]
fn parts_that_were_cut_off_for_longer_than_tombstones_last_meet_within_seconds() {
    for strategy in [Strategy::FullMesh, Strategy::HyParView] {
        let mut net = Net::of(NODES, &options(strategy), 11);
        net.run(seconds(20));
        cut(&mut net);
        net.run(seconds(600));
        for node in 0..NODES {
            let machine = &net.nodes[&peer(node)];
            assert_eq!(machine.nodes_up(), 3, "{strategy:?} {node}");
            let roster = machine.roster().expect("it keeps one");
            assert_eq!(roster.members().count(), 3, "{strategy:?} {node}: no tombstone is left");
            assert_eq!(roster.lost().count(), 4, "{strategy:?} {node}");
        }
        mend(&mut net);
        net.run(seconds(15));
        for node in 0..NODES {
            assert_eq!(net.nodes[&peer(node)].nodes_up(), 7, "{strategy:?} {node}");
        }
        net.run(seconds(15));
        net.broadcast(1, 8);
        net.run(seconds(3));
        for node in (0..NODES).filter(|node| *node != 1) {
            assert_eq!(net.broadcasts(peer(node)), [8], "{strategy:?} {node}");
        }
        let removed = |event: &ClusterEvent<u64>| matches!(event, ClusterEvent::Removed(_));
        assert!(!net.heard.iter().any(|(_, event)| removed(event)), "{strategy:?}");
        net.assert_order();
    }
}

/// Whoever it had in its views was gone, and the only seed too: it stayed alone though it knew of
/// members that lived.
#[test]
fn who_is_alone_asks_members_where_the_seeds_are_dead() {
    let mut options = options(Strategy::HyParView);
    let sizes = &mut options.overlays[0].strategies.hyparview;
    (sizes.active_size, sizes.passive_size) = (3, 3);
    for seed in 0..10 {
        let mut net = Net::of(24, &options, seed);
        net.run(seconds(20));
        let alone = peer(23);
        let view = net.nodes[&alone].overlay(OverlayNo(0)).expect("it has one");
        let known: Vec<PeerId> =
            view.neighbours().chain(view.machine().passive().iter().copied()).collect();
        known.into_iter().chain([peer(0)]).for_each(|peer| net.crash(peer));
        net.run(seconds(20));
        let view = net.nodes[&alone].overlay(OverlayNo(0)).expect("it has one");
        assert!(view.neighbours().count() > 0, "seed {seed}");
    }
}

/// A node that the others take for gone for good, though it lives on: its goodbye was heard, and
/// it did not go.
fn removed(strategy: Strategy, waits: Micros) -> (Net, PeerId) {
    let gone = peer(5);
    let mut net = Net::of(NODES, &options(strategy), 12);
    net.run(seconds(20));
    let near = net.linked(gone)[0];
    net.give(near, Input::LinkDown { peer: gone, end: LinkEnd::Left });
    for node in (0..NODES).filter(|node| *node != 5) {
        net.cut(node, 5);
    }
    net.run(waits);
    for node in (0..NODES).filter(|node| *node != 5) {
        net.mend(node, 5);
    }
    net.run(seconds(60));
    (net, gone)
}

#[test]
fn a_node_that_was_removed_hears_why_and_dials_nobody_any_more() {
    for strategy in [Strategy::FullMesh, Strategy::HyParView] {
        for (waits, reason) in [(seconds(5), DownReason::Left), (seconds(300), DownReason::Expired)]
        {
            let (mut net, gone) = removed(strategy, waits);
            let told = ClusterEvent::Removed(reason);
            let events = net.events(gone);
            let count = events.iter().filter(|event| ***event == told).count();
            assert_eq!(count, 1, "{strategy:?} {reason:?}: {events:?}");
            let dialled = net.cut_off.len();
            net.run(seconds(120));
            assert_eq!(net.linked(gone), [], "{strategy:?} {reason:?}");
            assert_eq!(net.cut_off.len(), dialled, "{strategy:?} {reason:?}: it dials again");
            let overlay = net.nodes[&gone].overlay(OverlayNo(0));
            assert!(overlay.is_some_and(|overlay| overlay.neighbours().next().is_none()));
        }
    }
}
