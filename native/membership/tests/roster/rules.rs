//! Rules of the roster, by hand: a few nodes and what they tell each other.

use crate::net::{Net, peer};
use foundation_machine::Micros;
use foundation_membership::{
    BUCKETS_MAX, Claim, DownReason, Mark, MemberRecord, MemberStatus, RECORDS_MAX, RosterEvent,
    RosterInput, RosterMessage, RosterOptions, SUSPECTORS_MAX,
};

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

#[test]
fn members_and_tombstones_are_bounded_and_what_finds_no_room_is_counted() {
    let options = RosterOptions { members_max: 50, tombstones_max: 10, ..Default::default() };
    let mut net = Net::new(7, options);
    let (own, other) = (peer(1, 1), peer(2, 1));
    net.start(own);
    net.link(own, other);
    for node in 3..200 {
        hear(&mut net, own, other, MemberRecord::alive(peer(node, 1)));
    }
    assert_eq!(net.rosters[&own].size(), 51);
    assert_eq!(net.rosters[&own].counters().refused, 147 + 1);
    for node in 3..40 {
        net.give(own, RosterInput::Evict(peer(node, 1)));
    }
    assert_eq!(net.rosters[&own].queued().1, 10);
    hear(&mut net, own, other, MemberRecord::alive(peer(3, 1)));
    assert!(net.rosters[&own].is_removed(peer(3, 1)));
    assert_eq!(net.status(own, peer(3, 1)), None);
}

fn hear(
    net: &mut Net,
    at: foundation_machine::PeerId,
    from: foundation_machine::PeerId,
    record: MemberRecord,
) {
    let message = RosterMessage::News { records: vec![record] };
    net.give(at, RosterInput::Received { from, message });
}

#[test]
fn messages_that_no_roster_sends_are_counted_and_change_nothing() {
    let (mut net, nodes) = meshed(3);
    let before = net.view(nodes[0]);
    let alive = MemberRecord::alive(peer(9, 1));
    let named = MemberRecord { suspectors: vec![nodes[1]], ..alive.clone() };
    let crowd = MemberRecord {
        suspectors: vec![nodes[1]; SUSPECTORS_MAX + 1],
        mark: Mark::Suspect,
        ..alive.clone()
    };
    let messages = [
        RosterMessage::News { records: vec![alive; RECORDS_MAX + 1] },
        RosterMessage::News { records: vec![named] },
        RosterMessage::News { records: vec![crowd] },
        RosterMessage::Buckets { hashes: vec![] },
        RosterMessage::Buckets { hashes: vec![0; 3] },
        RosterMessage::Buckets { hashes: vec![0; BUCKETS_MAX * 2] },
        RosterMessage::Sync { buckets: 3, of: vec![], hashes: vec![] },
        RosterMessage::Sync { buckets: 4, of: vec![4], hashes: vec![] },
        RosterMessage::Sync { buckets: 4, of: vec![], hashes: vec![0; RECORDS_MAX + 1] },
        RosterMessage::Missing { records: vec![], wanted: vec![0; RECORDS_MAX + 1], more: true },
        RosterMessage::Found { records: vec![MemberRecord::alive(peer(9, 1)); RECORDS_MAX + 1] },
    ];
    let count = messages.len() as u64;
    for message in messages {
        net.give(nodes[0], RosterInput::Received { from: nodes[1], message });
    }
    assert_eq!(net.view(nodes[0]), before);
    assert_eq!(net.rosters[&nodes[0]].counters().malformed, count);
}

#[test]
fn answers_that_nobody_waits_for_any_more_are_late_and_not_malformed() {
    let (mut net, nodes) = meshed(3);
    let before = net.view(nodes[0]);
    for message in [RosterMessage::Same, RosterMessage::Buckets { hashes: vec![0; 4] }] {
        net.give(nodes[0], RosterInput::Received { from: nodes[1], message });
    }
    assert_eq!(net.view(nodes[0]), before);
    let counters = net.rosters[&nodes[0]].counters();
    assert_eq!((counters.malformed, counters.exchanges_late), (0, 2));
}

#[test]
fn lies_about_a_node_are_answered_by_a_word_that_beats_them() {
    let (mut net, nodes) = meshed(3);
    let lies = [
        MemberRecord { incarnation: 70, claim: Claim::Busy(9), ..MemberRecord::alive(nodes[0]) },
        MemberRecord { incarnation: 90, mark: Mark::Suspect, ..MemberRecord::alive(nodes[0]) },
        MemberRecord { term: 3, mark: Mark::Failed, ..MemberRecord::alive(nodes[0]) },
    ];
    for lie in lies {
        hear(&mut net, nodes[1], nodes[2], lie);
        net.run(SECOND);
        assert_eq!(net.status(nodes[1], nodes[0]), Some(MemberStatus::Alive));
        assert!(net.all_agree());
    }
    assert_eq!(net.rosters[&nodes[0]].own().term, 4);
}

#[test]
fn confirmations_add_up_and_are_bounded() {
    let (mut net, nodes) = meshed(8);
    let dead = nodes[7];
    net.stop(dead);
    net.events.clear();
    // The later lives first: more of them, whatever their lives, are no news any more.
    for &at in nodes[1..7].iter().rev() {
        net.give(at, RosterInput::Suspect(dead));
        net.run(SECOND);
    }
    let counts: Vec<usize> = net
        .events_of(nodes[0])
        .iter()
        .map(|event| match event {
            RosterEvent::MemberSuspect { suspectors, .. } => suspectors.len(),
            _ => 0,
        })
        .collect();
    assert_eq!(counts, (1..=SUSPECTORS_MAX).collect::<Vec<_>>());
}
