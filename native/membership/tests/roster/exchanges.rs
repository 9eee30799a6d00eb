//! Exchanges of two rosters that differ in much.

use foundation_machine::{Micros, PeerId};
use foundation_membership::{
    DownReason, MemberRecord, MemberStatus, RECORDS_MAX, RosterInput, RosterMessage, RosterOptions,
};

use crate::net::{Net, peer};

const SECOND: Micros = Micros::from_millis(1_000);
/// More than go into three messages.
const MANY: u32 = RECORDS_MAX as u32 * 3 + 7;

/// Has a node know these, and pass none of it on.
fn teach(net: &mut Net, at: PeerId, members: impl Iterator<Item = u32>) {
    let members: Vec<MemberRecord> =
        members.map(|node| MemberRecord::alive(peer(node, 1))).collect();
    for records in members.chunks(RECORDS_MAX) {
        let message = RosterMessage::News { records: records.to_vec() };
        net.give(at, RosterInput::Received { from: peer(0, 1), message });
    }
    net.run(SECOND);
    assert_eq!(net.rosters[&at].queued().0, 0, "nobody is there to be told");
}

#[test]
fn sides_that_know_thousands_apart_have_one_table_after_one_exchange() {
    let mut net = Net::new(5, RosterOptions::default());
    let (one, other) = (peer(1, 1), peer(2, 1));
    for at in [one, other] {
        net.start(at);
    }
    let (both, first, second) = (10..200, 1_000..1_000 + MANY, 10_000..10_000 + MANY);
    teach(&mut net, one, both.clone().chain(first));
    teach(&mut net, other, both.chain(second));
    // Each side knows of a life that is gone for good and that the other one takes for a member.
    let (gone, lost) = (peer(10, 1), peer(11, 1));
    net.give(one, RosterInput::Evict(gone));
    net.give(other, RosterInput::Evict(lost));
    net.run(SECOND);
    net.link(one, other);
    net.run(SECOND);
    assert!(net.all_agree());
    for at in [one, other] {
        let roster = &net.rosters[&at];
        assert_eq!(roster.size(), 2 * MANY as usize + 190 + 2 - 2, "{at:?}");
        for peer in [gone, lost] {
            assert_eq!(roster.status(peer), Some(MemberStatus::Down(DownReason::Evicted)));
        }
        let counters = roster.counters();
        assert_eq!((counters.exchanges_timed_out, counters.malformed), (0, 0), "{at:?}");
    }
    let different: u64 =
        [one, other].iter().map(|at| net.rosters[at].counters().exchanges_different).sum();
    assert_eq!(different, 1);
    // What both sides know is told by its hash alone.
    let bytes: usize = net.bytes.values().sum();
    let records = 2 * MANY as usize * (60 + 8);
    assert!(bytes < records + records / 8, "{bytes}");
    net.check_events();
}
