//! Every message survives the wire, and nothing that a peer would refuse is encoded.

use foundation_schema::{
    Auth, Bind, Bound, CHANNELS_MAX, CONTROL_BYTES_MAX, CREDIT_ENTRIES_MAX, ChannelSpec, Control,
    CreditEntry, Credits, Encoder, HANDSHAKE_BYTES_MAX, Hello, LaneWanted, Leave, LinkUse,
    MEMBERS_MAX, Machine, Member, Members, NAME_BYTES_MAX, NodeLife, Ping, Pong, Ready, Reject,
    Reserve, Role, SchemaError, Status, Undelivered, decode_handshake,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn any_life() -> impl Strategy<Value = NodeLife> {
    any::<(u64, u64)>().prop_map(|(start, random)| NodeLife { start, random })
}

fn any_name() -> impl Strategy<Value = String> {
    "\\PC{0,40}"
}

prop_compose! {
    fn any_channel()(
        name in any_name(),
        (priority, weight, lanes, monotonic) in any::<(u8, u16, u8, bool)>(),
    ) -> ChannelSpec {
        ChannelSpec { name, priority, weight, lanes, monotonic }
    }
}

prop_compose! {
    fn any_hello()(
        (version_min, version_max, lane, epoch) in any::<(u16, u16, u8, u64)>(),
        (window_bytes, message_bytes_max, nonce) in any::<(u64, u64, [u8; 32])>(),
        (cluster, node, listen) in (any_name(), any_name(), any_name()),
        life in any_life(),
        role in prop_oneof![Just(Role::Dialler), Just(Role::Acceptor)],
        channels in vec(any_channel(), 0..5),
        (key_id, key_share, seal) in any::<(u32, Option<[u8; 32]>, u8)>(),
    ) -> Hello {
        Hello {
            version_min, version_max, cluster, node, life, nonce, listen, role, lane, epoch,
            window_bytes, message_bytes_max, channels, key_id, key_share, seal,
        }
    }
}

prop_compose! {
    fn any_member()(name in any_name(), address in any_name(), life in any_life()) -> Member {
        Member { name, address, life }
    }
}

fn any_handshake() -> impl Strategy<Value = Control> {
    prop_oneof![
        any_hello().prop_map(Control::Hello),
        any::<[u8; 32]>().prop_map(|proof| Control::Auth(Auth { proof })),
        (any::<u8>(), any_name())
            .prop_map(|(code, detail)| Control::Reject(Reject { code, detail })),
        Just(Control::Ready(Ready)),
    ]
}

prop_compose! {
    fn any_machine()(
        (family, kind, overlay, epoch) in any::<(u8, u8, u8, u64)>(),
        nodes in vec(any_member(), 0..20),
        numbers in vec(any::<u64>(), 0..20),
        text in any_name(),
    ) -> Machine {
        Machine { family, kind, overlay, epoch, nodes, numbers, text }
    }
}

fn any_traffic() -> impl Strategy<Value = Control> {
    let credit = any::<(u16, u16, u64)>().prop_map(|(channel, account, limit)| CreditEntry {
        channel,
        account,
        limit,
    });
    prop_oneof![
        (any::<u32>(), any_name()).prop_map(|(id, name)| Control::Bind(Bind { id, name })),
        any::<(u32, u16)>().prop_map(|(id, account)| Control::Bound(Bound { id, account })),
        vec(credit, 0..50).prop_map(|entries| Control::Credits(Credits { entries })),
        any::<(u16, u16, u64)>().prop_map(|(channel, account, bytes)| {
            Control::Reserve(Reserve { channel, account, bytes })
        }),
        any::<(u32, u16, bool)>().prop_map(|(sequence, busy_isolates, alarm)| {
            Control::Ping(Ping { sequence, busy_isolates, alarm })
        }),
        any::<(u32, u16)>()
            .prop_map(|(sequence, busy_isolates)| Control::Pong(Pong { sequence, busy_isolates })),
        any::<u16>().prop_map(|busy_isolates| Control::Status(Status { busy_isolates })),
        vec(any_member(), 0..30).prop_map(|members| Control::Members(Members { members })),
        any::<u8>().prop_map(|lane| Control::LaneWanted(LaneWanted { lane })),
        any_name().prop_map(|reason| Control::Leave(Leave { reason })),
        any::<(u8, u16, u16, u32)>().prop_map(|(reason, channel, source_slot, correlation)| {
            Control::Undelivered(Undelivered { reason, channel, source_slot, correlation })
        }),
        any::<bool>().prop_map(|wanted| Control::LinkUse(LinkUse { wanted })),
        any_machine().prop_map(Control::Machine),
    ]
}

proptest! {
    #[test]
    fn a_message_comes_back_as_it_was_written(
        message in prop_oneof![any_handshake(), any_traffic()],
    ) {
        let wire = message.encode().expect("within every limit");
        prop_assert_eq!(Control::decode(&wire), Ok(message));
    }

    #[test]
    fn an_encoder_used_again_writes_what_a_fresh_one_writes(
        messages in vec(prop_oneof![any_handshake(), any_traffic()], 1..6),
    ) {
        let mut encoder = Encoder::new();
        for message in messages {
            let wire = encoder.encode(&message).expect("within every limit");
            prop_assert_eq!(wire, message.encode().expect("within every limit"));
        }
    }

    #[test]
    fn before_authentication_only_the_handshake_is_read(
        handshake in any_handshake(),
        traffic in any_traffic(),
    ) {
        let wire = handshake.encode().expect("within every limit");
        prop_assert_eq!(decode_handshake(&wire), Ok(handshake));
        let name = traffic.name();
        let wire = traffic.encode().expect("within every limit");
        let refused = if wire.len() <= HANDSHAKE_BYTES_MAX {
            SchemaError::NotHandshake { name }
        } else {
            let message_bytes = wire.len();
            SchemaError::TooLarge { message_bytes, message_bytes_max: HANDSHAKE_BYTES_MAX }
        };
        prop_assert_eq!(decode_handshake(&wire), Err(refused));
    }

    #[test]
    fn pages_hold_every_member_in_order_and_each_fits_a_frame(
        name_bytes in 0usize..=NAME_BYTES_MAX,
        address_bytes in 0usize..=NAME_BYTES_MAX,
        count in 0usize..3000,
    ) {
        let members: Vec<_> = (0..count as u64)
            .map(|start| Member {
                name: "n".repeat(name_bytes),
                address: "a".repeat(address_bytes),
                life: NodeLife { start, random: !start },
            })
            .collect();
        let pages = Members::pages(members.clone());
        let mut received = Vec::new();
        for page in pages {
            let wire = Control::Members(page).encode().expect("a page fits");
            match Control::decode(&wire) {
                Ok(Control::Members(page)) => received.extend(page.members),
                other => panic!("a page came back as {other:?}"),
            }
        }
        prop_assert_eq!(received, members);
    }
}

#[test]
fn the_fullest_messages_pass_the_verifier() {
    let entry = CreditEntry { channel: 1, account: 2, limit: u64::MAX };
    let credits = Control::Credits(Credits { entries: vec![entry; CREDIT_ENTRIES_MAX] });
    let life = NodeLife { start: u64::MAX, random: u64::MAX };
    let member = Member { name: "node".to_owned(), address: "address".to_owned(), life };
    let members = Control::Members(Members { members: vec![member; 1080] });
    for message in [credits, members] {
        let wire = message.encode().expect("at the limit, not above");
        assert!(wire.len() > CONTROL_BYTES_MAX * 9 / 10, "{} bytes are not many", wire.len());
        assert_eq!(Control::decode(&wire), Ok(message));
    }
}

#[test]
fn the_most_members_of_the_fewest_bytes_pass_the_verifier() {
    // Here vtable and lengths, which the verifier counts at each visit, weigh the most.
    let members = vec![Member::default(); 2040];
    let message = Control::Members(Members { members });
    let wire = message.encode().expect("at the limit, not above");
    assert_eq!(Control::decode(&wire), Ok(message));
}

fn hello_with(channels: usize) -> Control {
    let name = "telemetry".to_owned();
    let channel = ChannelSpec { name, priority: 2, weight: 100, lanes: 4, monotonic: true };
    Control::Hello(Hello {
        version_min: 1,
        version_max: 1,
        cluster: "c".to_owned(),
        node: "n".to_owned(),
        life: NodeLife::default(),
        nonce: [0; 32],
        listen: String::new(),
        role: Role::Dialler,
        lane: 0,
        epoch: 0,
        window_bytes: 0,
        message_bytes_max: 0,
        channels: vec![channel; channels],
        key_id: 0,
        key_share: None,
        seal: 0,
    })
}

#[test]
fn the_most_channels_of_the_fewest_bytes_pass_the_verifier() {
    let Control::Hello(hello) = hello_with(0) else { panic!("a Hello was made") };
    let channels = vec![ChannelSpec::default(); CHANNELS_MAX];
    let message = Control::Hello(Hello { channels, ..hello });
    let wire = message.encode().expect("empty names fit");
    assert_eq!(decode_handshake(&wire), Ok(message));
}

#[test]
fn lists_and_strings_above_their_limits_are_not_encoded() {
    let too_long = |message: Control| match message.encode() {
        Err(SchemaError::FieldTooLong { field, length, length_max }) => {
            assert_eq!(length, length_max + 1);
            field
        }
        other => panic!("{} gave {other:?}", message.name()),
    };
    let name = "n".repeat(NAME_BYTES_MAX + 1);
    let detail = "d".repeat(513);
    assert_eq!(too_long(Control::Bind(Bind { id: 1, name: name.clone() })), "Bind.name");
    assert_eq!(too_long(Control::Leave(Leave { reason: detail.clone() })), "Leave.reason");
    assert_eq!(too_long(Control::Reject(Reject { code: 1, detail })), "Reject.detail");
    assert_eq!(too_long(hello_with(CHANNELS_MAX + 1)), "Hello.channels");
    let members = vec![Member::default(); MEMBERS_MAX + 1];
    assert_eq!(too_long(Control::Members(Members { members })), "Members.members");
    let members = vec![Member { name, ..Member::default() }];
    assert_eq!(too_long(Control::Members(Members { members })), "Member.name");
    let entries = vec![CreditEntry::default(); CREDIT_ENTRIES_MAX + 1];
    assert_eq!(too_long(Control::Credits(Credits { entries })), "Credits.entries");
}

#[test]
fn messages_above_a_frame_or_a_handshake_are_not_encoded() {
    let member = Member { name: "n".repeat(200), ..Member::default() };
    let members = Control::Members(Members { members: vec![member; 1000] });
    let mut encoder = Encoder::new();
    assert_eq!(encoder.encode(&members).map_err(|error| error.code()), Err("control_too_large"));
    // The encoder goes on as if nothing had happened.
    assert!(encoder.encode(&Control::Ready(Ready)).is_ok());

    let refused = hello_with(CHANNELS_MAX).encode();
    let Err(SchemaError::TooLarge { message_bytes_max, .. }) = refused else {
        panic!("64 channels fit into {HANDSHAKE_BYTES_MAX} bytes: {refused:?}");
    };
    assert_eq!(message_bytes_max, HANDSHAKE_BYTES_MAX);
    let Ok(wire) = hello_with(40).encode() else { panic!("40 channels fit") };
    assert!(decode_handshake(&wire).is_ok());
}
