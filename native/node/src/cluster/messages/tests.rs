//! Every message comes back from the wire as it went onto it.

use std::sync::Arc;

use foundation_broadcast::{Announcement, BroadcastId, Mark, PlumtreeMessage};
use foundation_cluster::{Carried, ClusterMessage, LinkUse, OverlayNo, Routed};
use foundation_detector::{Coordinate, DetectorMessage};
use foundation_link::{Control, Machine, Member, Payload};
use foundation_machine::{Micros, NodeLife, PeerId};
use foundation_membership::{
    Claim, ClientServerMessage, Closed, DownReason, Epoch, HyParViewMessage, MemberRecord,
    OverlayMessage, Priority, Proposal, Role, RosterMessage, StaticMessage, Strategy,
    SwitchFailure, SwitchMessage, Version,
};

use super::*;

fn directory() -> (Directory, Vec<PeerId>) {
    let member = |name: &str, start| Member {
        name: name.to_owned(),
        address: format!("127.0.0.1:{}", 1_000 + start),
        life: NodeLife { start, random: 7 },
    };
    let mut directory = Directory::new(&member("own", 1));
    let names = ["pear", "quince", "plum", "medlar"];
    let peers = names.iter().zip(2..);
    let peers = peers.filter_map(|(name, start)| directory.learn(&member(name, start))).collect();
    (directory, peers)
}

fn parcel(body: &[u8]) -> Parcel {
    let envelope = Envelope { name: "topic".to_owned(), encoding: 2, ..Envelope::default() };
    Parcel { envelope: Arc::new(envelope), channel: 3, body: Body::of(Payload::Inline(body)) }
}

fn records(peers: &[PeerId]) -> Vec<MemberRecord> {
    let mut busy = MemberRecord::alive(peers[0]);
    busy.claim = Claim::Busy(9);
    busy.term = u16::MAX;
    busy.incarnation = u32::MAX;
    let mut suspect = MemberRecord::alive(peers[1]);
    suspect.mark = foundation_membership::Mark::Suspect;
    suspect.claim = Claim::Leaving;
    suspect.suspectors = vec![peers[2], peers[3]];
    let mut failed = MemberRecord::alive(peers[2]);
    failed.mark = foundation_membership::Mark::Failed;
    let mut all = vec![busy, suspect, failed];
    for reason in [
        DownReason::Failed,
        DownReason::Left,
        DownReason::Evicted,
        DownReason::Restarted,
        DownReason::Expired,
    ] {
        all.push(MemberRecord::removed(peers[3], reason));
    }
    all
}

fn trees(peers: &[PeerId]) -> Vec<PlumtreeMessage<Parcel>> {
    let id = BroadcastId { origin: peers[0], sequence: u64::MAX };
    let announcements = vec![Announcement { id, round: u16::MAX }];
    let marks = vec![
        Mark { origin: peers[0], low: 4, ranges: vec![(6, 7), (9, 9)], upto: u64::MAX },
        Mark { origin: peers[1], low: 0, ranges: vec![], upto: 3 },
    ];
    let summary = |is_complete, wants_reply| PlumtreeMessage::Summary {
        age: Micros(5),
        marks: marks.clone(),
        is_complete,
        wants_reply,
    };
    vec![
        PlumtreeMessage::Gossip { id, round: 3, payload: parcel(b"payload") },
        PlumtreeMessage::IHave(announcements.clone()),
        PlumtreeMessage::Graft(None),
        PlumtreeMessage::Graft(Some(id)),
        PlumtreeMessage::Prune,
        PlumtreeMessage::Stale(id),
        summary(true, false),
        summary(false, true),
        PlumtreeMessage::Offer(announcements),
    ]
}

fn views(peers: &[PeerId]) -> Vec<HyParViewMessage> {
    vec![
        HyParViewMessage::Join { token: u32::MAX },
        HyParViewMessage::ForwardJoin { joiner: peers[0], ttl: u8::MAX },
        HyParViewMessage::Neighbour { token: 1, priority: Priority::High },
        HyParViewMessage::Neighbour { token: 1, priority: Priority::Low },
        HyParViewMessage::Accept { token: 2 },
        HyParViewMessage::Reject { token: 3 },
        HyParViewMessage::Disconnect { alive: true },
        HyParViewMessage::Disconnect { alive: false },
        HyParViewMessage::Shuffle { path: peers[..2].into(), peers: peers.into(), ttl: 6 },
        HyParViewMessage::ShuffleReply { path: vec![], peers: peers.into() },
        HyParViewMessage::Pulse { root: peers[3], count: 8 },
        HyParViewMessage::Compare { token: 9, count: 10 },
        HyParViewMessage::Measure { token: 11 },
        HyParViewMessage::Measured { token: 12 },
        HyParViewMessage::Optimise { token: 13, old: peers[0] },
        HyParViewMessage::Optimised { token: 14, is_done: true },
        HyParViewMessage::Replace { token: 15, initiator: peers[1], old: peers[0] },
        HyParViewMessage::Replaced { token: 16, is_done: false },
        HyParViewMessage::Switch { token: 17, initiator: peers[2] },
        HyParViewMessage::Switched { token: 18, is_done: true },
        HyParViewMessage::DisconnectWait,
    ]
}

fn roles(peers: &[PeerId]) -> Vec<ClientServerMessage> {
    let servers: Vec<PeerId> = peers.into();
    vec![
        ClientServerMessage::Hello { role: Role::Client, servers: servers.clone() },
        ClientServerMessage::Welcome { role: Role::Server, servers: servers.clone() },
        ClientServerMessage::Refuse { role: Role::Client, servers: vec![] },
        ClientServerMessage::Servers { servers },
        ClientServerMessage::Bye,
    ]
}

fn rosters(peers: &[PeerId]) -> Vec<RosterMessage> {
    vec![
        RosterMessage::News { records: records(peers) },
        RosterMessage::Digest { members: 7, hash: u64::MAX },
        RosterMessage::Same,
        RosterMessage::Buckets { hashes: vec![1, 2, 3, 4] },
        RosterMessage::Sync { buckets: 4, of: vec![1, 3], hashes: vec![5, u64::MAX] },
        RosterMessage::Missing { records: records(peers), wanted: vec![6, 0], more: true },
        RosterMessage::Found { records: records(peers) },
    ]
}

fn probes(peers: &[PeerId]) -> Vec<DetectorMessage> {
    let coordinate = Coordinate { height: u32::MAX, error: u16::MAX, ..Coordinate::default() };
    let coordinate = Coordinate { position: coordinate.position.map(|_| -7), ..coordinate };
    vec![
        DetectorMessage::Ping { sequence: 1, coordinate, busy: 2 },
        DetectorMessage::Ack { sequence: 1, coordinate, busy: 3 },
        DetectorMessage::PingRequest { sequence: u32::MAX, target: peers[0] },
        DetectorMessage::IndirectAck { sequence: 4 },
        DetectorMessage::Nack { sequence: 5 },
    ]
}

fn switches(peers: &[PeerId]) -> Vec<SwitchMessage<Strategy>> {
    let epoch = Epoch { number: 3, coordinator: Some(peers[2]) };
    let current = Version { epoch: Epoch::FIRST, strategy: Strategy::FullMesh };
    let version = Version { epoch, strategy: Strategy::Static };
    let closed = Closed { epoch, reason: SwitchFailure::CoordinatorDown };
    vec![
        SwitchMessage { current, proposal: None, closed: None, ready: vec![] },
        SwitchMessage {
            current: Version { epoch, strategy: Strategy::ClientServer },
            proposal: Some(Proposal { version, base: Epoch::FIRST }),
            closed: Some(closed),
            ready: peers.into(),
        },
    ]
}

fn all(peers: &[PeerId]) -> Vec<ClusterMessage<Parcel>> {
    let overlay = OverlayNo(2);
    let routed = |payload: Carried<Parcel>| Routed {
        origin: peers[0],
        sequence: 1,
        after: 2,
        destination: peers[1],
        overlay,
        path: peers[2..3].into(),
        dead_ends: peers[3..].into(),
        hops_left: 8,
        payload,
    };
    let mut messages = vec![
        ClusterMessage::LinkUse(LinkUse::Unused),
        ClusterMessage::LinkUse(LinkUse::Wanted),
        ClusterMessage::LinkUse(LinkUse::Granted),
        ClusterMessage::Routed(routed(Carried::Payload(parcel(b"there")))),
        ClusterMessage::RouteReturned(routed(Carried::Payload(parcel(b"and back")))),
    ];
    for probe in probes(peers) {
        messages.push(ClusterMessage::Routed(routed(Carried::Detector(probe.clone()))));
        messages.push(ClusterMessage::Detector(probe));
    }
    for message in switches(peers) {
        messages.push(ClusterMessage::Switch { overlay, message: Box::new(message) });
    }
    messages.extend(rosters(peers).into_iter().map(ClusterMessage::Roster));
    let broadcast = |message| ClusterMessage::Broadcast { overlay, message };
    messages.extend(trees(peers).into_iter().map(broadcast));
    let overlays = views(peers).into_iter().map(OverlayMessage::HyParView);
    let overlays = overlays.chain(roles(peers).into_iter().map(OverlayMessage::ClientServer));
    let overlays = overlays.chain([OverlayMessage::Static(StaticMessage::Configured)]);
    let epoch = u64::MAX;
    messages.extend(overlays.map(|message| ClusterMessage::Overlay { overlay, epoch, message }));
    messages
}

/// One message of each kind as the wire has it; its nodes are known from here on.
pub(crate) fn examples(known: &mut Directory) -> Vec<Machine> {
    let names = ["peer-0", "peer-1", "peer-7", "peer-8"];
    let member = |name| crate::cluster::besieged::member(name, 2);
    let peers: Vec<PeerId> = names.iter().filter_map(|name| known.learn(&member(name))).collect();
    all(&peers).into_iter().map(|message| write(known, message).0).collect()
}

/// Over the schema's bytes, too.
fn over_the_wire(machine: Machine) -> Machine {
    let wire = Control::Machine(machine).encode().expect("within every limit");
    match Control::decode(&wire) {
        Ok(Control::Machine(machine)) => machine,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_comes_back_as_it_was_said() {
    let (mut directory, peers) = directory();
    for message in all(&peers) {
        let said = format!("{message:?}");
        let (machine, parcel) = write(&directory, message);
        let body = parcel.map(|parcel| (parcel.body, 3));
        let heard = read(&mut directory, over_the_wire(machine), body);
        assert_eq!(heard.map(|message| format!("{message:?}")), Some(said));
    }
}

#[test]
fn what_is_cut_short_or_of_an_unknown_kind_is_no_message() {
    let (mut directory, peers) = directory();
    for message in all(&peers) {
        let (machine, parcel) = write(&directory, message);
        let body = parcel.map(|parcel| (parcel.body, 3));
        for count in 0..machine.numbers.len() {
            let numbers = machine.numbers[..count].to_vec();
            let cut = Machine { numbers, ..machine.clone() };
            assert!(read(&mut directory, cut, body.clone()).is_none());
        }
        for count in 0..machine.nodes.len() {
            let nodes = machine.nodes[..count].to_vec();
            let cut = Machine { nodes, ..machine.clone() };
            assert!(read(&mut directory, cut, body.clone()).is_none());
        }
        for unknown in
            [Machine { family: 200, ..machine.clone() }, Machine { kind: 200, ..machine.clone() }]
        {
            assert!(read(&mut directory, unknown, body.clone()).is_none());
        }
    }
}

#[test]
fn a_list_longer_than_its_machine_allows_is_refused() {
    let (mut directory, _) = directory();
    let numbers = vec![u64::MAX; 3];
    for kind in 1..12 {
        for family in [ROSTER, OVERLAY, BROADCAST, SWITCH] {
            let numbers = numbers.clone();
            let machine = Machine { family, kind, numbers, ..Machine::default() };
            let heard = read(&mut directory, machine, None);
            let has_list = heard.is_some_and(|message| format!("{message:?}").contains('['));
            assert!(!has_list);
        }
    }
}
