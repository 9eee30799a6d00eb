//! Rules of the roster, by hand: a few nodes and what they tell each other.

use crate::net::{Net, peer};
use foundation_machine::Micros;
use foundation_membership::{DownReason, MemberStatus, RosterEvent, RosterInput, RosterOptions};

const SECOND: Micros = Micros::from_millis(1_000);

/// So many nodes, each linked to all, that have found each other.
fn meshed(count: u32) -> (Net, Vec<foundation_machine::PeerId>) {
    let nodes: Vec<_> = (1..=count).map(|node| peer(node, 1)).collect();
    let mut net = Net::new(7, RosterOptions::default());
    nodes.iter().for_each(|&node| net.start(node));
    net.mesh(&nodes);
    net.run(SECOND);
    assert!(net.all_agree());
    net.events.clear();
    (net, nodes)
}

/// A line of nodes: news goes from one to the next.
fn lined(count: u32) -> (Net, Vec<foundation_machine::PeerId>) {
    let nodes: Vec<_> = (1..=count).map(|node| peer(node, 1)).collect();
    let mut net = Net::new(7, RosterOptions::default());
    nodes.iter().for_each(|&node| net.start(node));
    nodes.windows(2).for_each(|pair| net.link(pair[0], pair[1]));
    net.run(SECOND);
    assert!(net.all_agree());
    net.events.clear();
    (net, nodes)
}

#[test]
fn a_member_far_away_comes_up_is_busy_idle_leaves_and_is_gone() {
    let (mut net, nodes) = lined(4);
    let (near, far) = (nodes[0], nodes[3]);
    net.give(far, RosterInput::Busy(2));
    net.run(SECOND);
    assert_eq!(net.status(near, far), Some(MemberStatus::Busy(2)));
    net.give(far, RosterInput::Busy(0));
    net.run(SECOND);
    net.give(far, RosterInput::Leave);
    net.run(SECOND);
    assert_eq!(net.status(near, far), Some(MemberStatus::Leaving));
    net.stop(far);
    net.give(nodes[2], RosterInput::Left(far));
    net.run(SECOND);
    assert_eq!(
        net.events_of(near),
        [
            RosterEvent::MemberBusy { peer: far, isolates: 2 },
            RosterEvent::MemberIdle(far),
            RosterEvent::MemberLeaving(far),
            RosterEvent::MemberDown { peer: far, reason: DownReason::Left },
        ]
    );
}

#[test]
fn a_suspected_member_refutes_and_is_never_down() {
    let (mut net, nodes) = lined(5);
    net.give(nodes[0], RosterInput::Suspect(nodes[4]));
    net.run(SECOND);
    for &at in &nodes[..4] {
        let events = net.events_of(at);
        assert!(matches!(&events[..], [
            RosterEvent::MemberSuspect { peer, suspectors }, RosterEvent::MemberCleared(_)
        ] if *peer == nodes[4] && suspectors == &nodes[..1]));
        assert_eq!(net.status(at, nodes[4]), Some(MemberStatus::Alive));
    }
    assert_eq!(net.rosters[&nodes[4]].own().incarnation, 1);
}

#[test]
fn a_later_life_replaces_the_earlier_at_once_which_is_down_first() {
    let (mut net, nodes) = meshed(3);
    let later = peer(3, 2);
    net.stop(nodes[2]);
    net.start(later);
    net.link(nodes[0], later);
    net.run(SECOND);
    for &at in &nodes[..2] {
        assert_eq!(
            net.events_of(at),
            [
                RosterEvent::MemberDown { peer: nodes[2], reason: DownReason::Restarted },
                RosterEvent::MemberUp(later),
            ]
        );
        assert!(net.rosters[&at].is_removed(nodes[2]));
    }
}
