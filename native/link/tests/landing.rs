//! Payloads of large frames that arrive in parts, into the slab itself or by way of a buffer.

mod pair;

use foundation_frame::{DataHeader, Flags, layout::DATA_HEADER_BYTES};
use foundation_link::{LinkError, LinkOptions, Micros};
use pair::recorder::Settling;
use pair::{Pair, Setup};

/// Epoch of the harness's links.
const EPOCH: u32 = 7;
/// The shortest payload that is taken in parts.
const PART: usize = 16 << 10;

fn header(sequence: u32) -> DataHeader {
    DataHeader {
        link_epoch: EPOCH,
        account: 1,
        destination_slot: 1,
        destination_generation: 1,
        sequence,
        hop_limit: 1,
        ..DataHeader::default()
    }
}

fn frame(header: &DataHeader, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    header.write_frame(&[], payload, &mut wire).unwrap();
    wire
}

fn chunk(sequence: u32, offset: usize, message: &[u8], bytes: usize) -> Vec<u8> {
    let head = DataHeader {
        flags: Flags::CHUNK,
        message_bytes: message.len() as u32,
        chunk_offset: offset as u32,
        ..header(sequence)
    };
    frame(&head, &message[offset..offset + bytes])
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count as u32).map(|at| (at * 31 + (at >> 8)) as u8).collect()
}

/// Bytes that a transport put where the link wanted them; the others take the ordinary way.
fn land(pair: &mut Pair, wire: &[u8]) {
    let end = &mut pair.ends[1];
    let count = match end.link.landing(0) {
        Some(place) => {
            let count = place.len().min(wire.len());
            place[..count].copy_from_slice(&wire[..count]);
            count
        }
        None => 0,
    };
    if count > 0
        && let Err(error) = end.link.landed(0, count, pair.now, &mut end.host)
    {
        end.host.failure = Some(error);
    }
    pair.feed(1, 0, &wire[count..]);
}

fn settle(pair: &mut Pair) {
    pair.ends[1].host.delivered.clear();
    pair.settle_now();
}

#[test]
fn a_chunk_may_be_cut_anywhere_between_buffer_and_slab() {
    let mut pair = Pair::new(Setup::default());
    let message = bytes(PART + 1);
    for cut in 0..=DATA_HEADER_BYTES + PART {
        let first = chunk(cut as u32, 0, &message, PART);
        let last = chunk(cut as u32, PART, &message, 1);
        let (before, after) = first.split_at(cut);
        pair.feed(1, 0, before);
        land(&mut pair, after);
        pair.feed(1, 0, &last);
        assert!(pair.ends[1].host.delivered[0].payload == message, "cut at {cut}");
        settle(&mut pair);
    }
    assert_eq!(pair.ends[1].host.failure, None);
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
}

#[test]
fn a_whole_message_in_one_large_frame_may_be_cut_anywhere_twice() {
    let mut pair = Pair::new(Setup::default());
    let message = bytes(PART + 77);
    let all = DATA_HEADER_BYTES + message.len();
    for cut in (0..all).step_by(61) {
        let wire = frame(&header(cut as u32), &message);
        let second = cut + (all - cut) / 3;
        land(&mut pair, &wire[..cut]);
        land(&mut pair, &wire[cut..second]);
        land(&mut pair, &wire[second..]);
        assert!(pair.ends[1].host.delivered[0].payload == message, "cut at {cut}");
        settle(&mut pair);
    }
    assert_eq!(pair.ends[1].host.failure, None);
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
}

#[test]
fn frames_behind_a_large_one_are_read_from_where_it_ends() {
    let mut pair = Pair::new(Setup::default());
    let message = bytes(2 * PART);
    let mut wire = chunk(1, 0, &message, PART);
    wire.extend(frame(&header(2), b"between"));
    wire.extend(chunk(1, PART, &message, PART));
    wire.extend(frame(&header(3), b"behind"));
    for cut in (0..wire.len()).step_by(997) {
        land(&mut pair, &wire[..cut]);
        land(&mut pair, &wire[cut..]);
        let payloads: Vec<_> = pair.ends[1].host.delivered.iter().map(|one| &one.payload).collect();
        assert_eq!(payloads.len(), 3, "cut at {cut}");
        assert!(payloads[0] == b"between" && *payloads[1] == message && payloads[2] == b"behind");
        settle(&mut pair);
    }
}

#[test]
fn damage_costs_the_message_alone_wherever_its_bytes_landed() {
    let mut pair = Pair::new(Setup::default());
    let message = bytes(600_000);
    for number in 0..200 {
        let mut wire = chunk(number, 0, &message, PART);
        let cut = (number as usize * 311) % wire.len();
        let hurt = DATA_HEADER_BYTES + (number as usize * 7919) % PART;
        wire[hurt] ^= 0x40;
        pair.feed(1, 0, &wire[..cut]);
        land(&mut pair, &wire[cut..]);
        let rest = chunk(number, PART, &message, PART);
        pair.feed(1, 0, &rest[..100]);
        land(&mut pair, &rest[100..]);
        pair.settle_now();
    }
    let counters = pair.ends[1].link.counters();
    assert_eq!((counters.payload_crc_failures, counters.orphan_chunks), (200, 200));
    assert_eq!((pair.delivered(1), pair.ends[1].host.failure.clone()), (0, None));
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
}

#[test]
fn a_peer_that_stops_within_a_chunk_loses_the_message_and_nothing_else() {
    // Shorter than a heartbeat: what the other end says must not lie within the cut frame.
    let timeout = Micros::from_millis(500);
    let options = LinkOptions { reassembly_timeout: timeout, ..LinkOptions::default() };
    let mut pair = Pair::new(Setup { options, ..Setup::default() });
    let message = bytes(100_000);
    let wire = chunk(1, 0, &message, 50_000);
    pair.feed(1, 0, &wire[..1_000]);
    land(&mut pair, &wire[1_000..2_000]);
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 1);
    pair.run_for(Micros::from_millis(501));
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
    assert_eq!(pair.ends[1].link.counters().reassembly_timeouts, 1);
    assert!(pair.ends[1].link.landing(0).is_none(), "its memory is gone");
    land(&mut pair, &wire[2_000..]);
    pair.feed(1, 0, &frame(&header(2), b"after"));
    assert_eq!(pair.ends[1].link.counters().orphan_chunks, 1);
    assert_eq!(pair.ends[1].host.delivered[0].payload, b"after");
}

#[test]
fn a_large_frame_costs_no_memory_before_its_credit_is_booked() {
    let mut pair = Pair::new(Setup::default());
    let large = DataHeader { account: 1 | 0x4000, ..header(1) };
    let wire = frame(&large, &bytes(2 << 20));
    pair.feed(1, 0, &wire[..1_000]);
    assert_eq!(pair.ends[1].host.failure, Some(LinkError::CreditViolation));
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
}

#[test]
fn a_reply_that_nobody_asked_for_is_read_and_dropped_in_parts() {
    let mut pair = Pair::new(Setup::default());
    let flags = Flags::REPLY.with(Flags::RESERVED_REPLY);
    let wire = frame(&DataHeader { flags, ..header(1) }, &bytes(3 * PART));
    pair.feed(1, 0, &wire[..PART]);
    assert!(pair.ends[1].link.landing(0).is_none());
    land(&mut pair, &wire[PART..]);
    pair.feed(1, 0, &frame(&header(2), b"after"));
    assert_eq!(pair.ends[1].link.counters().unsolicited_replies, 1);
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
    assert_eq!(pair.ends[1].host.delivered[0].payload, b"after");
}

#[test]
fn a_large_frame_of_an_older_epoch_is_dropped_as_it_comes() {
    let mut pair = Pair::new(Setup::default());
    let stale = DataHeader { link_epoch: 6, ..header(1) };
    let wire = frame(&stale, &bytes(16 << 20));
    for part in wire.chunks(1 << 20) {
        pair.feed(1, 0, part);
        assert!(pair.wires[0][0].rest.is_empty(), "nothing of it is kept");
    }
    pair.feed(1, 0, &frame(&header(2), b"after"));
    assert_eq!(pair.ends[1].link.counters().stale_epoch, 1);
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
    assert_eq!(pair.ends[1].host.delivered[0].payload, b"after");
}

#[test]
fn a_short_message_in_chunks_takes_no_page_once_it_is_whole() {
    let mut pair = Pair::new(Setup::default());
    pair.ends[1].host.settling = Settling::Never;
    for number in 0..100 {
        pair.feed(1, 0, &chunk(number, 0, b"xy", 1));
        pair.feed(1, 0, &chunk(number, 1, b"xy", 1));
    }
    assert_eq!(pair.delivered(1), 100);
    assert_eq!(pair.ends[1].host.slabs, 0);
}

#[test]
fn without_memory_the_message_is_dropped_and_the_stream_goes_on() {
    let mut pair = Pair::new(Setup { arena_bytes: 64 << 10, ..Setup::default() });
    let message = bytes(200_000);
    let wire = chunk(1, 0, &message, 200_000);
    pair.feed(1, 0, &wire[..5_000]);
    land(&mut pair, &wire[5_000..]);
    pair.feed(1, 0, &frame(&header(2), b"after"));
    assert_eq!(pair.ends[1].link.counters().exhausted, 1);
    assert_eq!(pair.ends[1].host.delivered[0].payload, b"after");
}

#[test]
fn a_message_that_two_lanes_claim_to_carry_ends_the_link() {
    let mut pair = Pair::new(Setup::default());
    let message = bytes(3 * PART);
    let wire = chunk(1, 0, &message, PART);
    pair.feed(1, 0, &wire[..1_000]);
    // The same part, whole, on another connection; then the rest of it on the first one.
    let part = chunk(1, 0, &message, 2 * PART);
    pair.feed(1, 1, &part);
    let why = LinkError::Protocol("too many unfinished messages");
    assert_eq!(pair.ends[1].host.failure, Some(why));
    let mut pair = Pair::new(Setup::default());
    pair.feed(1, 0, &chunk(1, 0, &message, PART));
    let next = chunk(1, PART, &message, PART);
    pair.feed(1, 0, &next[..1_000]);
    pair.feed(1, 1, &next);
    land(&mut pair, &next[1_000..]);
    let why = LinkError::Protocol("chunk out of order");
    assert_eq!(pair.ends[1].host.failure, Some(why));
}
