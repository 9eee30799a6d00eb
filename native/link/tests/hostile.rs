//! A peer that knows the secret and still sends what it should not.

mod pair;

use foundation_frame::{DataHeader, Flags, crc32c, encode_control, layout};
use foundation_link::{Event, LinkError, LinkOptions, Micros, UNBOUND_ACCOUNT, UndeliveredReason};
use foundation_schema::{
    Bind, Bound, Control, CreditEntry, Credits, LaneWanted, Reserve, Undelivered,
};
use pair::{Pair, Setup};

/// Epoch of the harness's links.
const EPOCH: u32 = 7;

fn pair() -> Pair {
    Pair::new(Setup::default())
}

/// A message to process 0 of isolate 1, as an honest peer would begin it.
fn header() -> DataHeader {
    DataHeader {
        link_epoch: EPOCH,
        account: 1,
        destination_slot: 1,
        destination_generation: 1,
        sequence: 500,
        hop_limit: 1,
        ..DataHeader::default()
    }
}

fn frame(header: &DataHeader, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    header.write_frame(&[], payload, &mut wire).unwrap();
    wire
}

fn chunk(sequence: u32, offset: u32, total: u32, payload: &[u8]) -> Vec<u8> {
    let flags = Flags::CHUNK;
    let place = DataHeader { sequence, chunk_offset: offset, message_bytes: total, ..header() };
    frame(&DataHeader { flags, ..place }, payload)
}

/// Damages the last byte, which is the payload's.
fn damaged(mut frame: Vec<u8>) -> Vec<u8> {
    *frame.last_mut().unwrap() ^= 0x55;
    frame
}

fn control(message: &Control) -> Vec<u8> {
    let mut wire = Vec::new();
    encode_control(&message.encode().unwrap(), 0, &mut wire).unwrap();
    wire
}

/// An empty frame of a kind that no version knows yet.
fn unknown_frame(kind: u8) -> Vec<u8> {
    let mut wire = Vec::new();
    encode_control(b"of a later version", 0, &mut wire).unwrap();
    wire[layout::KIND] = kind;
    let crc = crc32c(&wire[..layout::HEADER_CRC]);
    wire[layout::HEADER_CRC..layout::HEADER_CRC + 4].copy_from_slice(&crc.to_le_bytes());
    wire
}

/// Feeds frames to the accepting end; answers why its link ended.
fn failure_of(frames: &[Vec<u8>]) -> Option<LinkError> {
    let mut pair = pair();
    frames.iter().for_each(|frame| pair.feed(1, 0, frame));
    pair.ends[1].host.failure.clone()
}

fn refused(frames: &[Vec<u8>], why: &'static str) {
    assert_eq!(failure_of(frames), Some(LinkError::Protocol(why)));
}

#[test]
fn an_unknown_frame_that_may_be_skipped_is_counted_and_the_link_goes_on() {
    let mut pair = pair();
    pair.feed(1, 0, &unknown_frame(layout::KIND_IGNORABLE | 0x11));
    pair.feed(1, 0, &frame(&header(), b"after"));
    assert_eq!(pair.ends[1].link.counters().frames_skipped, 1);
    assert_eq!(pair.ends[1].host.delivered[0].payload, b"after");
}

#[test]
fn an_unknown_frame_that_must_be_known_ends_the_link() {
    let error = failure_of(&[unknown_frame(0x11)]).unwrap();
    assert_eq!(error.code(), "unknown_mandatory");
}

#[test]
fn a_damaged_header_ends_the_link() {
    let mut wire = frame(&header(), b"message");
    wire[layout::HEADER_CRC] ^= 1;
    assert_eq!(failure_of(&[wire]).unwrap().code(), "header_crc");
}

#[test]
fn a_damaged_payload_drops_that_message_and_gives_its_credit_back() {
    let mut pair = pair();
    // More than a window of them: without their credit the peer would have overdrawn.
    for _ in 0..2_000 {
        pair.feed(1, 0, &damaged(frame(&header(), &[0; 1_000])));
        pair.settle_now();
    }
    pair.feed(1, 0, &frame(&header(), b"whole"));
    assert_eq!(pair.ends[1].link.counters().payload_crc_failures, 2_000);
    assert_eq!(pair.ends[1].host.delivered.len(), 1);
    assert_eq!(pair.ends[1].host.failure, None);
}

#[test]
fn a_request_whose_payload_is_damaged_comes_back_undelivered() {
    let mut pair = pair();
    let request = DataHeader { flags: Flags::REQUEST, correlation: 9, ..header() };
    let destination = foundation_link::Destination::Process(pair::isolate(1));
    pair.enqueue(0, pair::request(0, destination, 9, 64, b"ask")).unwrap();
    pair.feed(1, 0, &damaged(frame(&request, b"ask")));
    pair.run_for(Micros(200));
    let reason = UndeliveredReason::Other;
    let expected = Event::Undelivered { slot: 0, correlation: 9, reason };
    assert_eq!(pair.ends[0].host.count_events(|event| *event == expected), 1);
}

#[test]
fn a_damaged_chunk_drops_its_whole_message_and_gives_its_credit_back() {
    let mut pair = pair();
    let total = 600_000;
    for sequence in 1..=5 {
        // Each costs more than half a window: the third would overdraw if the first two still
        // counted.
        pair.feed(1, 0, &chunk(sequence, 0, total, &[1; 100]));
        pair.feed(1, 0, &damaged(chunk(sequence, 100, total, &[2; 100])));
        pair.feed(1, 0, &chunk(sequence, 200, total, &[3; 100]));
        pair.settle_now();
    }
    let counters = pair.ends[1].link.counters();
    assert_eq!((counters.payload_crc_failures, counters.orphan_chunks), (5, 5));
    assert_eq!(pair.ends[1].host.failure, None);
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
}

#[test]
fn a_message_whose_first_chunk_is_damaged_is_dropped_whole() {
    let mut pair = pair();
    for sequence in 1..=5 {
        pair.feed(1, 0, &damaged(chunk(sequence, 0, 600_000, &[1; 100])));
        pair.feed(1, 0, &chunk(sequence, 100, 600_000, &[2; 100]));
        pair.settle_now();
    }
    assert_eq!(pair.ends[1].link.counters().orphan_chunks, 5);
    assert_eq!(pair.ends[1].host.failure, None);
}

#[test]
fn a_frame_of_an_earlier_epoch_is_dropped_and_counted() {
    let mut pair = pair();
    pair.feed(1, 0, &frame(&DataHeader { link_epoch: EPOCH - 1, ..header() }, b"old"));
    assert_eq!(pair.ends[1].link.counters().stale_epoch, 1);
    assert_eq!(pair.delivered(1), 0);
}

#[test]
fn more_than_the_credit_ends_the_link() {
    let mut pair = pair();
    pair.ends[1].host.settling = pair::recorder::Settling::Never;
    let wire = frame(&header(), &[0; 10_000]);
    for _ in 0..200 {
        pair.feed(1, 0, &wire);
    }
    assert_eq!(pair.ends[1].host.failure, Some(LinkError::CreditViolation));
    assert_eq!(pair.delivered(1), (1 << 20) / 10_064);
}

#[test]
fn a_large_message_without_a_reservation_ends_the_link() {
    let large = DataHeader { account: 1 | 0x4000, ..header() };
    let begin = DataHeader { flags: Flags::CHUNK, message_bytes: 2 << 20, ..large };
    assert_eq!(failure_of(&[frame(&begin, &[0; 100])]), Some(LinkError::CreditViolation));
}

#[test]
fn a_large_message_that_poses_as_a_small_one_ends_the_link() {
    let wire = chunk(1, 0, 2 << 20, &[0; 100]);
    refused(&[wire], "message on an account of another size");
    let small = DataHeader { account: 1 | 0x4000, ..header() };
    refused(&[frame(&small, b"small")], "message on an account of another size");
}

#[test]
fn a_message_above_the_announced_limit_is_refused_with_its_first_chunk() {
    refused(&[chunk(1, 0, (16 << 20) + 1, &[0; 100])], "message above the announced limit");
}

#[test]
fn chunks_of_one_byte_are_taken_within_their_message_only() {
    let mut pair = pair();
    let payload: Vec<u8> = (0..10_000u32).map(|at| at as u8).collect();
    for (at, byte) in payload.iter().enumerate() {
        pair.feed(1, 0, &chunk(1, at as u32, payload.len() as u32, &[*byte]));
    }
    assert!(pair.ends[1].host.delivered[0].payload == payload);
    let beyond = [chunk(1, 0, 2, &[0]), chunk(1, 1, 3, &[0])];
    refused(&beyond, "chunk out of order");
}

#[test]
fn chunks_that_are_empty_repeat_or_leave_gaps_end_the_link() {
    refused(&[chunk(1, 0, 10, &[])], "chunk outside its message");
    refused(&[chunk(1, 0, 10, &[0; 4]), chunk(1, 4, 10, &[])], "chunk outside its message");
    refused(&[chunk(1, 0, 10, &[0; 4]), chunk(1, 5, 10, &[0; 4])], "chunk out of order");
    refused(&[chunk(1, 0, 10, &[0; 4]), chunk(1, 3, 10, &[0; 4])], "chunk out of order");
    refused(&[chunk(1, 0, 10, &[0; 4]), chunk(1, 0, 10, &[0; 4])], "too many unfinished messages");
}

#[test]
fn a_last_chunk_that_changes_its_mind_does_not_change_the_message() {
    let mut pair = pair();
    pair.feed(1, 0, &chunk(1, 0, 4, b"ab"));
    let other = DataHeader { sequence: 1, chunk_offset: 2, message_bytes: 4, ..header() };
    let other = DataHeader { flags: Flags::CHUNK, account: 2, source_slot: 99, ..other };
    pair.feed(1, 0, &frame(&other, b"cd"));
    let one = &pair.ends[1].host.delivered[0];
    assert_eq!((one.account, one.source.slot, &one.payload[..]), (1, 0, &b"abcd"[..]));
}

#[test]
fn an_unfinished_message_is_dropped_after_its_timeout_with_its_memory_and_credit() {
    let mut pair = pair();
    let request = DataHeader { flags: Flags::CHUNK.with(Flags::REQUEST), ..header() };
    let begin = DataHeader { message_bytes: 500_000, correlation: 3, ..request };
    pair.feed(1, 0, &frame(&begin, &[0; 100]));
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 1);
    pair.run_for(Micros::from_millis(29_000));
    let more = DataHeader { chunk_offset: 100, ..begin };
    pair.feed(1, 0, &frame(&more, &[0; 100]));
    pair.run_for(Micros::from_millis(29_000));
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 1, "a chunk came meanwhile");
    pair.run_for(Micros::from_millis(1_100));
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
    assert_eq!(pair.ends[1].link.counters().reassembly_timeouts, 1);
    assert_eq!(pair.wires[1][0].tally.control["Undelivered"], 1);
    let late = DataHeader { chunk_offset: 200, ..begin };
    pair.feed(1, 0, &frame(&late, &[0; 100]));
    assert_eq!(pair.ends[1].link.counters().orphan_chunks, 1);
}

#[test]
fn a_channel_or_account_that_cannot_be_ends_the_link() {
    let why = "no such channel or account";
    refused(&[frame(&DataHeader { channel: 9, ..header() }, b"")], why);
    refused(&[frame(&DataHeader { account: 1_025, ..header() }, b"")], why);
    let reserve = Reserve { channel: 9, account: 0, bytes: 1 };
    refused(&[control(&Control::Reserve(reserve))], why);
}

#[test]
fn replies_that_nobody_asked_for_are_dropped_before_they_cost_memory() {
    let mut pair = pair();
    let flags = Flags::REPLY.with(Flags::RESERVED_REPLY);
    pair.feed(1, 0, &frame(&DataHeader { flags, ..header() }, b"unasked"));
    let huge = DataHeader { flags: flags.with(Flags::CHUNK), message_bytes: 16 << 20, ..header() };
    for sequence in 0..100 {
        pair.feed(1, 0, &frame(&DataHeader { sequence, ..huge }, &[0; 10]));
    }
    assert_eq!(pair.ends[1].link.counters().unsolicited_replies, 101);
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
    assert_eq!((pair.delivered(1), pair.ends[1].host.failure.clone()), (0, None));
}

#[test]
fn a_reply_larger_than_what_its_call_reserved_is_dropped() {
    let mut pair = pair();
    let destination = foundation_link::Destination::Process(pair::isolate(1));
    pair.enqueue(1, pair::request(0, destination, 5, 100, b"ask")).unwrap();
    let flags = Flags::REPLY.with(Flags::RESERVED_REPLY);
    let reply = DataHeader { flags, destination_slot: 0, account: 0x8000, ..header() };
    pair.feed(1, 0, &frame(&reply, &[0; 101]));
    assert_eq!(pair.ends[1].link.counters().unsolicited_replies, 1);
    pair.feed(1, 0, &frame(&reply, &[0; 100]));
    assert_eq!(pair.delivered(1), 1);
    pair.feed(1, 0, &frame(&reply, &[0; 100]));
    assert_eq!(pair.delivered(1), 1, "a second answer to one call is unsolicited");
}

#[test]
fn reserved_credit_outside_a_reply_ends_the_link() {
    let wire = frame(&DataHeader { flags: Flags::RESERVED_REPLY, ..header() }, b"free");
    refused(&[wire], "reserved credit outside a reply");
}

#[test]
fn reservations_that_no_honest_sender_makes_end_the_link() {
    let reserve =
        |account, bytes| control(&Control::Reserve(Reserve { channel: 0, account, bytes }));
    let why = "reservation out of bounds";
    refused(&[reserve(0, u64::MAX)], why);
    refused(&[reserve(0x4000, u64::MAX)], why);
    refused(&[reserve(0x4000, (16 << 20) + 65)], why);
    refused(&[reserve(0x4000, 5_000_000), reserve(0x4000, 4_000_000)], why);
    let flood: Vec<_> = (1..200).map(|n| reserve(0x4000, n * 16_000_000)).collect();
    refused(&flood, why);
}

#[test]
fn credit_for_accounts_that_do_not_exist_is_ignored() {
    let mut pair = pair();
    let entries = (0..1_000)
        .map(|account| CreditEntry { channel: account, account, limit: u64::MAX })
        .collect();
    pair.feed(0, 0, &control(&Control::Credits(Credits { entries })));
    pair.feed(0, 0, &control(&Control::Bound(Bound { id: u32::MAX, account: u16::MAX })));
    pair.feed(0, 0, &control(&Control::Bound(Bound { id: 0, account: u16::MAX })));
    pair.send(0, 0, "sink", b"as before");
    pair.run_until_delivered(1, 1);
    assert_eq!(pair.ends[1].host.delivered[0].account, UNBOUND_ACCOUNT);
}

#[test]
fn an_undelivered_notice_without_a_call_is_counted() {
    let mut pair = pair();
    let notice = Undelivered { reason: 1, channel: 0, source_slot: 900, correlation: 1 };
    pair.feed(1, 0, &control(&Control::Undelivered(notice)));
    assert_eq!(pair.ends[1].link.counters().unsolicited_replies, 1);
    assert!(pair.ends[1].link.poll_event().is_none());
}

#[test]
fn names_beyond_the_table_are_refused_and_counted() {
    let mut pair = pair();
    pair.ends[1].host.names_max = 2;
    for id in 0..4 {
        let name = format!("name-{id}");
        pair.feed(1, 0, &control(&Control::Bind(Bind { id, name })));
    }
    let bind = Bind { id: 70_000, name: "name-0".to_owned() };
    pair.feed(1, 0, &control(&Control::Bind(bind)));
    assert_eq!(pair.ends[1].link.counters().names_refused, 3);
    assert_eq!(pair.ends[1].host.failure, None);
}

#[test]
fn a_peer_that_never_reads_its_answers_is_given_up() {
    let mut pair = pair();
    pair.cut(); // nothing that end 1 says leaves it
    pair.ends[1].host.verdict = foundation_link::Verdict::NoProcess;
    let request = frame(&DataHeader { flags: Flags::REQUEST, ..header() }, b"");
    for _ in 0..200_000 {
        pair.feed(1, 0, &request);
    }
    let why = LinkError::Protocol("the peer does not read its answers");
    assert_eq!(pair.ends[1].host.failure, Some(why));
}

#[test]
fn a_flood_of_pings_is_answered_once_a_write() {
    let mut pair = pair();
    for sequence in 0..10_000 {
        let ping = foundation_schema::Ping { sequence, busy_isolates: 0, alarm: false };
        pair.feed(1, 0, &control(&Control::Ping(ping)));
    }
    pair.run_for(Micros(200));
    assert_eq!(pair.wires[1][0].tally.control["Pong"], 1);
}

#[test]
fn only_the_dialler_is_asked_for_lanes_and_only_for_lanes_that_can_be() {
    let wanted = |lane| control(&Control::LaneWanted(LaneWanted { lane }));
    refused(&[wanted(1)], "only the dialler opens lanes");
    let mut pair = pair();
    pair.feed(0, 0, &wanted(0));
    assert!(pair.ends[0].link.poll_event().is_none(), "it is open already");
    pair.feed(0, 0, &wanted(200));
    let why = LinkError::Protocol("lane out of range");
    assert_eq!(pair.ends[0].host.failure, Some(why));
}

#[test]
fn a_window_of_nothing_still_lets_messages_through_by_reservation() {
    let options = LinkOptions { window_bytes: 0, ..LinkOptions::default() };
    let mut pair = Pair::new(Setup { options, ..Setup::default() });
    for number in 0..200u8 {
        pair.send(0, 0, "sink", &[number]);
    }
    pair.run_until_delivered(1, 200);
    pair.assert_quiet(256 << 20);
}

/// A peer of its own making, without the limits of an honest sender.
fn options(change: impl FnOnce(&mut LinkOptions)) -> Pair {
    let mut options = LinkOptions::default();
    change(&mut options);
    Pair::new(Setup { options, ..Setup::default() })
}

#[test]
fn a_message_on_the_account_of_another_receiver_ends_the_link() {
    let why = "account of another receiver";
    refused(&[frame(&DataHeader { account: 2, ..header() }, b"")], why);
    let named = DataHeader { flags: Flags::NAMED, destination_serial: 3, ..header() };
    refused(&[frame(&named, b"")], why);
    let bind = control(&Control::Bind(Bind { id: 3, name: "sink".to_owned() }));
    refused(&[bind.clone(), frame(&DataHeader { account: 1, ..named }, b"")], why);
    // The account that it was told, and the name's own that it may use before that.
    for account in [0, 0x2003] {
        let frames = [bind.clone(), frame(&DataHeader { account, ..named }, b"")];
        assert_eq!(failure_of(&frames), None);
    }
}

#[test]
fn a_name_under_two_numbers_or_two_names_under_one_end_the_link() {
    let bind = |id, name: &str| control(&Control::Bind(Bind { id, name: name.to_owned() }));
    let why = "a name under two numbers, or two under one";
    refused(&[bind(0, "one"), bind(1, "one")], why);
    refused(&[bind(0, "one"), bind(0, "two")], why);
    assert_eq!(failure_of(&[bind(0, "one"), bind(1, "two"), bind(0, "one")]), None);
}

#[test]
fn two_hundred_thousand_names_are_refused_beyond_the_table_and_cost_little() {
    let mut pair = pair();
    pair.ends[1].host.names_max = 1_000;
    for id in 0..200_000 {
        pair.feed(1, 0, &control(&Control::Bind(Bind { id, name: format!("other-{id}") })));
    }
    assert_eq!(pair.ends[1].link.counters().names_refused, 199_000);
    assert_eq!(pair.ends[1].host.failure, None);
    assert_eq!(pair.ends[1].host.names.len(), 1_000);
}

#[test]
fn what_handlers_have_not_settled_is_bounded_over_all_accounts() {
    let mut pair = options(|options| options.unsettled_bytes_max = 4 << 20);
    pair.ends[1].host.settling = pair::recorder::Settling::Never;
    pair.ends[1].host.keeps_payloads = false;
    let payload = [0; 10_000];
    for slot in 0..100 {
        let to = DataHeader { account: slot, destination_slot: slot, ..header() };
        let wire = frame(&to, &payload);
        (0..100).for_each(|_| pair.feed(1, 0, &wire));
    }
    let end = &pair.ends[1];
    assert!(end.host.held_bytes_max <= (4 << 20) + 10_000, "{}", end.host.held_bytes_max);
    assert_eq!(end.link.counters().exhausted, 10_000 - end.host.delivered.len() as u64);
    assert_eq!(end.host.failure, None);
}

#[test]
fn requests_that_nobody_would_answer_end_the_link() {
    use foundation_link::Encoding;
    let why = "a request that is something else too";
    let request = DataHeader { flags: Flags::REQUEST, correlation: 1, ..header() };
    let also = |flags: Flags| frame(&DataHeader { flags, ..request }, b"");
    refused(&[also(Flags::REQUEST.with(Flags::REPLY))], why);
    refused(&[also(Flags::REQUEST.with_encoding(Encoding::BytesBundle))], why);
    refused(&[also(Flags::REQUEST.with_encoding(Encoding::PackedBundle))], why);
}

#[test]
fn flags_that_this_version_does_not_know_end_the_link() {
    for bit in 12..16 {
        let mut wire = frame(&header(), b"compressed?");
        wire[layout::FLAGS + 1] |= 1 << (bit - 8);
        let crc = foundation_frame::crc32c_append(
            crc32c(&wire[..layout::HEADER_CRC]),
            &wire[layout::PREFIX_BYTES..layout::DATA_HEADER_BYTES],
        );
        wire[layout::HEADER_CRC..layout::HEADER_CRC + 4].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(failure_of(&[wire]).unwrap().code(), "reserved_flag");
    }
}

#[test]
fn a_flood_of_status_changes_is_told_ten_times_a_second_and_the_last_one_stays() {
    let mut pair = pair();
    let status =
        |busy_isolates| control(&Control::Status(foundation_schema::Status { busy_isolates }));
    for round in 0..10_000 {
        pair.feed(1, 0, &status(round % 2 + 1));
    }
    pair.feed(1, 0, &status(7));
    pair.run_for(Micros::from_millis(1_000));
    let told = |event: &Event| matches!(event, Event::Busy(_));
    assert_eq!(pair.ends[1].host.count_events(told), 2);
    assert_eq!(pair.ends[1].host.count_events(|event| *event == Event::Busy(7)), 1);
}

#[test]
fn a_flood_of_goodbyes_is_one() {
    let mut pair = pair();
    let leave = Control::Leave(foundation_schema::Leave { reason: "bye".to_owned() });
    (0..5_000).for_each(|_| pair.feed(1, 0, &control(&leave)));
    pair.settle_now();
    let left = |event: &Event| matches!(event, Event::Left(_));
    assert_eq!(pair.ends[1].host.count_events(left), 1);
}

#[test]
fn limits_that_go_back_or_overflow_move_nothing() {
    let mut pair = pair();
    let told = |limit| {
        let entries = [0u16, 1, 0x2000, 0x4000, 0x8000, 0xc000]
            .into_iter()
            .map(|account| CreditEntry { channel: 0, account, limit })
            .collect();
        control(&Control::Credits(Credits { entries }))
    };
    pair.send(0, 0, "sink", b"first");
    for limit in [u64::MAX, 0, 1, u64::MAX - 1, u64::MAX] {
        pair.feed(0, 0, &told(limit));
    }
    for number in 0..100u8 {
        pair.send(0, 0, "sink", &[number; 100]);
    }
    pair.run_until_delivered(1, 101);
    assert_eq!(pair.ends[0].host.failure, None);
}

#[test]
fn a_sequence_that_wraps_around_is_none_the_worse() {
    let mut pair = pair();
    for sequence in [u32::MAX - 1, u32::MAX, 0, 1] {
        pair.feed(1, 0, &chunk(sequence, 0, 4, b"ab"));
        pair.feed(1, 0, &chunk(sequence, 2, 4, b"cd"));
    }
    assert_eq!(pair.delivered(1), 4);
    assert_eq!(pair.ends[1].host.failure, None);
}

#[test]
fn a_message_that_drips_in_is_given_up_however_steady_the_drip() {
    let mut pair = pair();
    let total = 100_000;
    pair.feed(1, 0, &chunk(1, 0, total, &[1]));
    for second in 1..60 {
        pair.run_for(Micros::from_millis(1_000));
        pair.feed(1, 0, &chunk(1, second, total, &[1]));
    }
    assert_eq!(pair.ends[1].link.counters().reassembly_timeouts, 1);
    assert_eq!(pair.ends[1].pool.stats().slabs_live, 0);
    assert!(pair.ends[1].link.counters().orphan_chunks > 0);
}

#[test]
fn memory_that_is_reserved_and_not_used_ends_the_link_once_others_wait_for_it() {
    let mut pair = Pair::new(Setup { budget_bytes: 20 << 20, ..Setup::default() });
    let reserve =
        |account, bytes| control(&Control::Reserve(Reserve { channel: 0, account, bytes }));
    pair.feed(1, 0, &reserve(0x4000, 16 << 20));
    assert_eq!(pair.ends[1].budget.reserved_bytes(), 16 << 20);
    pair.run_for(Micros::from_millis(300_000));
    assert_eq!(pair.ends[1].host.failure, None, "nobody else needs it");
    pair.feed(1, 0, &reserve(0x4001, 16 << 20)); // this one has to wait
    pair.run_for(Micros::from_millis(50_000));
    assert_eq!(pair.ends[1].host.failure, None);
    pair.run_for(Micros::from_millis(20_000));
    let why = LinkError::Protocol("reserved memory is not used");
    assert_eq!(pair.ends[1].host.failure, Some(why));
    assert_eq!(pair.ends[1].budget.reserved_bytes(), 0);
}
