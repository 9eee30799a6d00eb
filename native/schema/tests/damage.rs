//! Bytes from outside: no panic, no value beyond its limits, a typed refusal for the rest.

use foundation_schema::{
    ADDRESS_BYTES_MAX, Bind, CONTROL_BYTES_MAX, ChannelSpec, Control, CreditEntry, Credits,
    DETAIL_BYTES_MAX, HANDSHAKE_BYTES_MAX, Hello, Leave, MEMBERS_MAX, Member, Members,
    NAME_BYTES_MAX, NodeLife, Ready, Reject, Role, SchemaError, decode_handshake,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn hello() -> Control {
    let channel = |name: &str| ChannelSpec {
        name: name.to_owned(),
        priority: 1,
        weight: 10,
        lanes: 2,
        monotonic: true,
    };
    Control::Hello(Hello {
        version_min: 1,
        version_max: 2,
        cluster: "orchard".to_owned(),
        node: "pear".to_owned(),
        life: NodeLife { start: 3, random: 4 },
        nonce: [5; 32],
        listen: "127.0.0.1:4000".to_owned(),
        role: Role::Acceptor,
        lane: 6,
        epoch: 7,
        window_bytes: 8,
        message_bytes_max: 9,
        channels: vec![channel("control"), channel("bulk")],
        key_id: 10,
        key_share: Some([11; 32]),
        seal: Hello::WANTS_SEAL,
    })
}

/// Messages with every construct of the schema: strings, lists of tables, structs, bytes.
fn samples() -> Vec<Control> {
    let life = NodeLife { start: 1, random: 2 };
    let member =
        |name: &str| Member { name: name.to_owned(), address: "10.0.0.1:4000".to_owned(), life };
    let entry = |channel: u16| CreditEntry { channel, account: 3, limit: 1 << 40 };
    vec![
        hello(),
        Control::Reject(Reject { code: 3, detail: "another cluster".to_owned() }),
        Control::Ready(Ready),
        Control::Bind(Bind { id: 5, name: "index".to_owned() }),
        Control::Credits(Credits { entries: vec![entry(1), entry(2)] }),
        Control::Members(Members { members: vec![member("apple"), member("quince")] }),
        Control::Leave(Leave { reason: "maintenance".to_owned() }),
    ]
}

fn encoded(message: &Control) -> Vec<u8> {
    message.encode().expect("within every limit")
}

/// Heap bytes that a decoded message holds; panics where a limit is exceeded.
fn held_bytes(message: &Control) -> usize {
    let text = |text: &String, bytes_max: usize| {
        assert!(text.len() <= bytes_max, "{} bytes of text in {}", text.len(), message.name());
        text.capacity()
    };
    match message {
        Control::Hello(hello) => {
            assert!(hello.channels.len() <= 64);
            hello.channels.capacity() * size_of::<ChannelSpec>()
                + hello.channels.iter().map(|spec| text(&spec.name, NAME_BYTES_MAX)).sum::<usize>()
                + text(&hello.cluster, NAME_BYTES_MAX)
                + text(&hello.node, NAME_BYTES_MAX)
                + text(&hello.listen, ADDRESS_BYTES_MAX)
        }
        Control::Reject(reject) => text(&reject.detail, DETAIL_BYTES_MAX),
        Control::Bind(bind) => text(&bind.name, NAME_BYTES_MAX),
        Control::Leave(leave) => text(&leave.reason, DETAIL_BYTES_MAX),
        Control::Credits(credits) => credits.entries.capacity() * size_of::<CreditEntry>(),
        Control::Members(Members { members }) => {
            assert!(members.len() <= MEMBERS_MAX);
            let texts = |member: &Member| {
                text(&member.name, NAME_BYTES_MAX) + text(&member.address, ADDRESS_BYTES_MAX)
            };
            members.capacity() * size_of::<Member>() + members.iter().map(texts).sum::<usize>()
        }
        _ => 0,
    }
}

/// Decodes by both entrances and checks what each promises.
fn decode_checked(bytes: &[u8]) {
    if let Ok(message) = Control::decode(bytes) {
        let held = held_bytes(&message);
        assert!(held <= 16 * bytes.len(), "{} bytes hold {held}", bytes.len());
    }
    if let Ok(message) = decode_handshake(bytes) {
        assert!(message.is_handshake() && bytes.len() <= HANDSHAKE_BYTES_MAX);
    }
}

#[test]
fn a_message_cut_short_is_refused_or_at_least_harmless() {
    for message in samples() {
        let wire = encoded(&message);
        for cut in 0..wire.len() {
            decode_checked(&wire[..cut]);
        }
        assert!(Control::decode(&wire[..wire.len() / 2]).is_err(), "half a {}", message.name());
    }
}

#[test]
fn every_changed_byte_is_harmless() {
    for message in samples() {
        let wire = encoded(&message);
        for at in 0..wire.len() {
            for value in [0, 1, 4, 0x7f, 0x80, 0xff, wire[at] ^ 1, wire[at].wrapping_add(4)] {
                let mut damaged = wire.clone();
                damaged[at] = value;
                decode_checked(&damaged);
            }
        }
    }
}

#[test]
fn bytes_of_another_schema_are_refused_at_any_length() {
    for length in 0..40 {
        assert_eq!(Control::decode(&vec![0; length]), Err(SchemaError::BadIdentifier));
    }
}

#[test]
fn messages_above_their_limit_are_refused_unread() {
    let mut wire = encoded(&Control::Ready(Ready));
    wire.resize(HANDSHAKE_BYTES_MAX + 1, 0);
    assert_eq!(decode_handshake(&wire).map_err(|error| error.code()), Err("control_too_large"));
    assert_eq!(Control::decode(&wire), Ok(Control::Ready(Ready)));
    wire.resize(CONTROL_BYTES_MAX + 1, 0);
    let refused = SchemaError::TooLarge {
        message_bytes: CONTROL_BYTES_MAX + 1,
        message_bytes_max: CONTROL_BYTES_MAX,
    };
    assert_eq!(Control::decode(&wire), Err(refused));
}

/// Offset of the first occurrence of `pattern`, where a test then writes.
fn find(wire: &[u8], pattern: &[u8]) -> usize {
    wire.windows(pattern.len()).position(|window| window == pattern).expect("it was written")
}

/// Offset of the union's type: the first field that the vtable of the root table lists.
fn body_type_at(wire: &[u8]) -> usize {
    let root = usize::from(wire[0]);
    let vtable = root - usize::from(wire[root]);
    root + usize::from(wire[vtable + 4])
}

#[test]
fn a_name_that_is_not_utf8_is_refused() {
    let mut wire = encoded(&Control::Bind(Bind { id: 1, name: "quince".to_owned() }));
    let at = find(&wire, b"quince");
    wire[at] = 0xff;
    assert_eq!(Control::decode(&wire), Err(SchemaError::Malformed));
}

#[test]
fn a_nonce_of_another_length_is_refused() {
    let mut wire = encoded(&hello());
    let at = find(&wire, &[32, 0, 0, 0, 5, 5, 5, 5]);
    wire[at] = 31;
    let refused = SchemaError::WrongLength { field: "Hello.nonce", length: 31 };
    assert_eq!(decode_handshake(&wire), Err(refused));
}

#[test]
fn a_string_above_its_limit_is_refused() {
    // The tables of Reject and Bind have the same shape: a number, then a text, whose limit is
    // lower in a Bind. An absent number keeps their different widths out of it.
    let detail = "d".repeat(DETAIL_BYTES_MAX);
    let mut wire = encoded(&Control::Reject(Reject { code: 0, detail }));
    let at = body_type_at(&wire);
    wire[at] = 5;
    let refused = SchemaError::FieldTooLong {
        field: "Bind.name",
        length: DETAIL_BYTES_MAX,
        length_max: NAME_BYTES_MAX,
    };
    assert_eq!(Control::decode(&wire), Err(refused));
}

#[test]
fn a_message_of_a_later_version_is_named_as_unknown() {
    let mut wire = encoded(&Control::Ready(Ready));
    let at = body_type_at(&wire);
    assert_eq!(wire[at], 4, "the number of Ready");
    wire[at] = 200;
    assert_eq!(Control::decode(&wire), Err(SchemaError::UnknownBody { body: 200 }));
    assert_eq!(decode_handshake(&wire), Err(SchemaError::UnknownBody { body: 200 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn several_damaged_bytes_are_harmless(
        sample in 0usize..7,
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut wire = encoded(&samples()[sample]);
        for (at, value) in damage {
            let at = at.index(wire.len());
            wire[at] = value;
        }
        if let Some(cut) = cut {
            wire.truncate(cut.index(wire.len()));
        }
        decode_checked(&wire);
    }

    #[test]
    fn any_bytes_behind_the_identifier_are_harmless(mut wire in vec(any::<u8>(), 8..400)) {
        wire[4..8].copy_from_slice(b"FCTL");
        let root = wire[0] & 0x7c;
        wire[..4].copy_from_slice(&[root, 0, 0, 0]);
        decode_checked(&wire);
    }
}
