//! Writes the seed corpus: `cargo run --example write_seeds` in this folder, after a change of
//! the wire format. Each seed shows the fuzzer one construct.

use std::fs;
use std::path::Path;

use foundation_frame::{DataHeader, Encoding, Flags, encode_control, extension_push};
use foundation_schema::{
    Auth, Bind, ChannelSpec, Control, CreditEntry, Credits, Hello, Leave, LinkUse, Machine, Member,
    Members, NodeLife, Ping, Ready, Reject, Role, Undelivered,
};

/// Any refusal ends the program: a seed that cannot be encoded is a fault of this list.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    for (name, wire) in frames()? {
        write("frame_decode", name, &wire)?;
    }
    for message in handshake() {
        write("handshake_decode", message.name(), &message.encode()?)?;
    }
    for message in traffic().into_iter().chain(handshake()) {
        write("control_decode", message.name(), &message.encode()?)?;
    }
    for (target, name, script) in SCRIPTS {
        write(target, name, script)?;
    }
    Ok(())
}

/// Targets that read their input as a script: the first byte or two say who is who, then steps.
const SCRIPTS: &[(&str, &str, &[u8])] = &[
    // A stranger's Hello of a name of one letter, then what an open door asks for.
    ("handshake_machine", "accepted", b"\x01\x00\xff\x00\x00\x01x\0\0\0\0\0\0\0\0\0\0\0\x02\x01"),
    ("handshake_machine", "dialled", b"\x01\x08\xff\x00\x00\x01x\0\0\0\0\0\0\0\0\0\0\0\x02\x05"),
    ("handshake_machine", "secret", b"\x01\x01\xff\x00\x00\x01x\0\0\0\0\0\0\0\0\0\0\0\x02\x01"),
    ("handshake_machine", "lane", b"\x01\x00\xff\x00\x04\x01x\0\x01\0\0\0\0\0\0\0\0\0\0\x01\x02"),
    ("handshake_machine", "between", b"\x00\x03\x01"),
    ("handshake_machine", "reflected", b"\x00\x01\x01\0\x04\0"),
    // Two messages to process 0, a name, a reservation, time, an answer.
    (
        "link_frames",
        "messages",
        b"\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\x01\0\0\0\0\x0b\0\x0c\x02",
    ),
    ("link_frames", "names", b"\0\x05\0\0\x01abc\x05\0\x05\0\0\xa0\x20\0\x0b\0\x0a\xff\0"),
    (
        "link_frames",
        "sends",
        b"\x01\x0d\x02\x20\0\x01\x10\0\x0b\0\x05\0\x0d\x01\0\0\0\0\x0a\xff\x03",
    ),
    // A Join and a ForwardJoin for partial views; a record of a roster; a proposal of a switch.
    ("cluster_messages", "views", b"\x01\x04\x02\x01\0\0\x01\x07\0\x14\x02\x02\0\0\x21\x88\x05\0"),
    ("cluster_messages", "roster", b"\x02\x04\0\x01\0\0\x26\x88\x01\0\0\0\x01\0\0\x02\xff\x0f"),
    ("cluster_messages", "switch", b"\x03\x04\x03\x01\0\0\x08\0\0\x01\x01\0\0\0\0\0\x02\x10\0"),
    // Three records, whole; one changed; one repeated.
    ("record_open", "whole", b"\x10\0\x03one\0\x03two\0\x05three"),
    ("record_open", "changed", b"\x13\0\x03one\0\x03two\x04\x01\x06\0"),
    ("record_open", "repeated", b"\x05\0\x03one\x09\0\0\x03two"),
];

fn write(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name.to_lowercase()), bytes)
}

fn frames() -> Outcome<Vec<(&'static str, Vec<u8>)>> {
    let request = DataHeader {
        flags: Flags::REQUEST.with(Flags::NAMED).with_encoding(Encoding::Packed),
        channel: 1,
        correlation: 7,
        reply_bytes_max: 64,
        ..DataHeader::default()
    };
    let chunk = DataHeader {
        flags: Flags::CHUNK,
        message_bytes: 100,
        chunk_offset: 40,
        ..DataHeader::default()
    };
    let mut extension = Vec::new();
    extension_push(&mut extension, 1, b"trace")?;
    extension_push(&mut extension, 2, &[])?;
    let (mut requested, mut chunked, mut extended) = (Vec::new(), Vec::new(), Vec::new());
    request.write_frame(&[], b"request", &mut requested)?;
    chunk.write_frame(&[], b"part", &mut chunked)?;
    request.write_frame(&extension, &[], &mut extended)?;
    let mut control = Vec::new();
    encode_control(&Control::Ready(Ready).encode()?, 0, &mut control)?;
    let two = [&control[..], &chunked[..]].concat();
    Ok(vec![
        ("request", requested),
        ("chunk", chunked),
        ("extended", extended),
        ("control", control),
        ("two", two),
    ])
}

fn handshake() -> Vec<Control> {
    let channel =
        ChannelSpec { name: "bulk".to_owned(), priority: 2, weight: 3, lanes: 4, monotonic: true };
    vec![
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
            channels: vec![channel.clone(), channel],
            key_id: 10,
            key_share: Some([11; 32]),
            seal: Hello::WANTS_SEAL,
        }),
        Control::Auth(Auth { proof: [6; 32] }),
        Control::Reject(Reject { code: 3, detail: "another cluster".to_owned() }),
        Control::Ready(Ready),
    ]
}

fn traffic() -> Vec<Control> {
    let life = NodeLife { start: 1, random: 2 };
    let member = Member { name: "quince".to_owned(), address: "h:1".to_owned(), life };
    let entry = CreditEntry { channel: 1, account: 2, limit: 3 };
    vec![
        Control::Bind(Bind { id: 5, name: "index".to_owned() }),
        Control::Credits(Credits { entries: vec![entry, entry] }),
        Control::Ping(Ping { sequence: 4, busy_isolates: 1, alarm: true }),
        Control::Members(Members { members: vec![member.clone(), member.clone()] }),
        Control::Leave(Leave { reason: "rest".to_owned() }),
        Control::LinkUse(LinkUse { wanted: true }),
        Control::Machine(Machine {
            family: 1,
            kind: 2,
            overlay: 3,
            epoch: 4,
            nodes: vec![member.clone()],
            numbers: vec![5, 6],
            text: "topic".to_owned(),
        }),
        Control::Undelivered(Undelivered { reason: 1, channel: 2, source_slot: 3, correlation: 4 }),
    ]
}
