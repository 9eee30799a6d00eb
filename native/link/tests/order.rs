//! Order and exactly-once arrival under lanes, chunks, waiting for credit, and random settling.

mod pair;

use std::collections::BTreeMap;

use foundation_link::{Micros, Payload, Source, plain_channel};
use pair::recorder::Settling;
use pair::{Pair, Setup, isolate, plain};
use proptest::prelude::*;

const BUDGET_BYTES: u64 = 1 << 20;

#[derive(Debug, Clone)]
struct Scenario {
    lanes: u8,
    messages: Vec<(u16, u8, usize, bool)>,
    settle_within: u64,
    window_bytes: u64,
    bandwidth: Option<u64>,
    burst: usize,
    seed: u64,
}

fn scenarios() -> impl Strategy<Value = Scenario> {
    // Around the interesting sizes: empty, the chunk (4 KiB) and the window (16 KiB).
    let size = prop_oneof![
        4 => 0usize..200,
        2 => 200usize..4_000,
        2 => 3_900usize..4_300,
        2 => 4_096usize..16_000,
        1 => 16_200usize..16_500,
        1 => 16_384usize..120_000,
    ];
    let message = (0u16..4, 0u8..3, size, any::<bool>());
    (
        prop_oneof![Just(1u8), Just(4u8)],
        prop::collection::vec(message, 1..200),
        0u64..3_000,
        // Wide enough for several express segments, or not even for one.
        prop_oneof![Just(16u64 << 10), Just(512 << 10)],
        prop::option::of(1_000_000u64..200_000_000),
        1usize..150,
        1u64..u64::MAX,
    )
        .prop_map(|(lanes, messages, settle_within, window_bytes, bandwidth, burst, seed)| {
            Scenario { lanes, messages, settle_within, window_bytes, bandwidth, burst, seed }
        })
}

/// Small limits, so that few messages meet all of them.
fn small_setup(scenario: &Scenario) -> Setup {
    let mut setup = Setup {
        budget_bytes: BUDGET_BYTES,
        bytes_per_second: scenario.bandwidth,
        seed: scenario.seed,
        is_split: true,
        ..Setup::default()
    };
    setup.options.chunk_bytes = 4 << 10;
    setup.options.window_bytes = scenario.window_bytes;
    setup.options.window_bytes_max = 4 * scenario.window_bytes;
    setup.channels = vec![plain_channel("default"), plain_channel("bulk")];
    setup.channels[1].lanes = scenario.lanes;
    setup
}

fn run(scenario: &Scenario) {
    let mut pair = Pair::new(small_setup(scenario));
    let receivers = ["one", "two", "three"];
    for end in 0..2 {
        pair.ends[end].host.settling = Settling::Within(Micros(scenario.settle_within));
        pair.ends[1].host.owners.insert("two".to_owned(), 5);
    }
    let mut sent: BTreeMap<(Source, u8), Vec<Vec<u8>>> = BTreeMap::new();
    for (index, &(slot, receiver, size, is_slab)) in scenario.messages.iter().enumerate() {
        let payload = pair.random.bytes(size);
        let destination = pair.ends[0].host.name_id(receivers[receiver as usize]);
        let destination = foundation_link::Destination::Named(destination);
        let mut message = plain(1, destination, &payload);
        message.source = isolate(slot);
        // The receiver's list is by name, so the message says which name it was for.
        message.correlation = u32::from(receiver);
        if is_slab && let Ok(mut slab) = pair.ends[0].pool.allocate(size) {
            slab.as_mut_slice().copy_from_slice(&payload);
            message.payload = Payload::Slab(slab.freeze());
        }
        pair.enqueue(0, message).expect("far below the limits");
        sent.entry((isolate(slot), receiver)).or_default().push(payload);
        if index % scenario.burst == 0 {
            let pause = Micros(pair.random.below(400));
            pair.run_for(pause);
        }
    }
    pair.run_until_delivered(1, scenario.messages.len());
    pair.run_for(Micros::from_millis(20));
    assert_eq!(pair.delivered(1), scenario.messages.len(), "every message arrives once");
    for (&(source, receiver), expected) in &sent {
        let host = &pair.ends[1].host;
        let of_pair = host
            .delivered
            .iter()
            .filter(|one| one.source == source && one.correlation == u32::from(receiver));
        let arrived: Vec<&Vec<u8>> = of_pair.map(|one| &one.payload).collect();
        let lengths = |list: &[&Vec<u8>]| list.iter().map(|one| one.len()).collect::<Vec<_>>();
        let expected: Vec<&Vec<u8>> = expected.iter().collect();
        assert_eq!(lengths(&arrived), lengths(&expected), "in order of {source:?}, {receiver}");
        assert_eq!(arrived, expected, "bytes intact");
    }
    assert_eq!(pair.ends[1].link.counters().messages_received as usize, scenario.messages.len());
    pair.assert_quiet(BUDGET_BYTES);
    for end in &pair.ends {
        assert_eq!(end.pool.stats().slabs_live, 0, "no slab is left behind");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn messages_of_a_pair_arrive_once_in_order_and_intact(scenario in scenarios()) {
        run(&scenario);
    }
}

#[test]
fn small_messages_behind_a_chunked_one_of_their_pair_do_not_pass_it() {
    let mut pair = Pair::new(Setup { bytes_per_second: Some(10_000_000), ..Setup::default() });
    let mut expected = Vec::new();
    for round in 0..50u8 {
        for size in [10, 200_000, 20, 64 << 10, 30] {
            let payload = vec![round; size];
            pair.send(0, 0, "sink", &payload);
            // Others fill express segments before, between and behind.
            pair.try_send(0, 0, isolate(9), "sink", &[1; 500]).unwrap();
            expected.push(payload);
        }
        pair.run_for(Micros(u64::from(round) * 100));
    }
    pair.run_until_delivered(1, 2 * expected.len());
    assert!(pair.ends[1].host.payloads_from(isolate(0)) == expected, "in order and intact");
}

#[test]
fn a_chunked_message_does_not_pass_small_ones_of_its_pair_in_any_express_segment() {
    for others in [0, 10, 100, 150, 300] {
        let mut pair = Pair::new(Setup::default());
        pair.send(0, 0, "sink", b"the next turn is a flow's");
        pair.run_until_delivered(1, 1);
        for _ in 0..others {
            pair.try_send(0, 0, isolate(9), "sink", &[1; 1_000]).unwrap();
        }
        pair.send(0, 0, "sink", b"small");
        pair.send(0, 0, "sink", &[2; 100_000]);
        pair.send(0, 0, "sink", b"last");
        pair.run_until_delivered(1, others + 4);
        let arrived = pair.ends[1].host.payloads_from(isolate(0));
        let lengths: Vec<usize> = arrived.iter().skip(1).map(Vec::len).collect();
        assert_eq!(lengths, [5, 100_000, 4], "behind {others} messages of others");
    }
}

#[test]
fn a_chunked_answer_paid_by_its_call_does_not_pass_what_was_framed_before_it() {
    let mut pair = Pair::new(Setup::default());
    let caller = foundation_link::Destination::Process(isolate(0));
    pair.enqueue(1, plain(0, caller, b"the next turn is a flow's")).unwrap();
    pair.enqueue(0, pair::request(0, caller, 1, 1 << 20, b"ask")).unwrap();
    pair.run_until_delivered(1, 1);
    pair.enqueue(1, plain(0, caller, b"small")).unwrap();
    let large = vec![2; 100_000];
    let mut reply = plain(0, caller, &large);
    (reply.is_reply, reply.is_reply_reserved, reply.correlation) = (true, true, 1);
    pair.enqueue(1, reply).unwrap();
    pair.run_until_delivered(0, 3);
    let lengths = pair.ends[0].host.delivered.iter().map(|one| one.payload.len());
    assert_eq!(lengths.skip(1).collect::<Vec<_>>(), [5, 100_000]);
}

#[test]
fn a_large_message_keeps_neither_another_pair_nor_another_channel_waiting() {
    let channels = vec![plain_channel("default"), plain_channel("other")];
    let mut pair =
        Pair::new(Setup { channels, bytes_per_second: Some(100_000_000), ..Setup::default() });
    let huge = vec![7; 16 << 20]; // 168 ms of wire time
    pair.send(0, 0, "sink", &huge);
    pair.run_for(Micros::from_millis(10));
    let begin = pair.now;
    pair.try_send(0, 0, isolate(1), "sink", b"same channel").unwrap();
    pair.try_send(0, 1, isolate(2), "sink", b"other channel").unwrap();
    pair.run_until_delivered(1, 2);
    assert!(pair.now.since(begin) < Micros::from_millis(5), "{:?}", pair.now.since(begin));
    pair.run_until_delivered(1, 3);
    assert_eq!(pair.ends[1].host.delivered[2].payload.len(), huge.len());
}

#[test]
fn sixty_four_senders_of_sixteen_mebibytes_interleave_and_all_arrive() {
    let mut pair = Pair::new(Setup { arena_bytes: 192 << 20, ..Setup::default() });
    pair.ends[1].host.keeps_payloads = false;
    let mut slab = pair.ends[0].pool.allocate(16 << 20).unwrap();
    slab.as_mut_slice().fill(9);
    let slab = slab.freeze();
    let destination = foundation_link::Destination::Named(pair.ends[0].host.name_id("sink"));
    for sender in 0..64 {
        let mut message = plain(0, destination, &[]);
        message.source = isolate(sender);
        message.payload = Payload::Slab(slab.clone());
        // The queue is bounded: wait for room as a host does.
        while pair.ends[0].link.queued_bytes(0) > 32 << 20 {
            pair.run_for(Micros(100));
        }
        pair.enqueue(0, message).unwrap();
    }
    pair.run_until_delivered(1, 64);
    assert_eq!(pair.ends[1].host.delivered_bytes, 64 * (16 << 20));
    assert_eq!(pair.ends[1].link.counters().exhausted, 0, "the cap on promises fits the arena");
}

#[test]
fn more_chunked_messages_than_may_interleave_all_arrive() {
    let mut setup = Setup::default();
    setup.options.chunk_bytes = 4 << 10;
    setup.options.window_bytes = 4 << 20;
    let mut pair = Pair::new(setup);
    for sender in 0..300 {
        pair.try_send(0, 0, isolate(sender), "sink", &[3; 9_000]).unwrap();
    }
    pair.run_until_delivered(1, 300);
    pair.assert_quiet(256 << 20);
}

#[test]
fn an_urgent_message_leaves_with_the_next_write_while_a_large_one_is_on_its_way() {
    let mut urgent = plain_channel("urgent");
    urgent.priority = 0;
    let setup = Setup {
        channels: vec![plain_channel("bulk"), urgent],
        bytes_per_second: Some(1_000_000_000),
        ..Setup::default()
    };
    let mut pair = Pair::new(setup);
    pair.send(0, 0, "sink", &vec![1; 16 << 20]);
    pair.run_for(Micros::from_millis(3));
    let before = pair.wires[0][0].tally.channels.len();
    pair.send(0, 1, "sink", b"now");
    pair.run_until(Micros::from_millis(1_000), |pair| pair.delivered(1) == 1);
    let after = &pair.wires[0][0].tally.channels[before..];
    assert_eq!(after[0], 1, "nothing else was written before it");
    assert!(pair.wires[0][0].tally.chunk_frames < 512, "the large one was not finished");
}

#[test]
fn channels_of_one_priority_share_the_wire_by_weight() {
    let mut heavy = plain_channel("heavy");
    heavy.weight = 3;
    let setup = Setup {
        channels: vec![plain_channel("light"), heavy],
        bytes_per_second: Some(50_000_000),
        ..Setup::default()
    };
    let mut pair = Pair::new(setup);
    for channel in 0..2 {
        pair.send(0, channel, "sink", &vec![1; 16 << 20]);
    }
    pair.run_for(Micros::from_millis(200));
    let sent = &pair.wires[0][0].tally.channels;
    let heavy = sent.iter().filter(|&&channel| channel == 1).count() as f64;
    let share = heavy / sent.len() as f64;
    assert!((0.73..0.77).contains(&share), "{share} of the wire went to a weight of 3 in 4");
}

#[test]
fn losing_a_lane_loses_messages_but_never_swaps_them() {
    let mut wide = plain_channel("wide");
    wide.lanes = 4;
    let setup =
        Setup { channels: vec![wide], bytes_per_second: Some(20_000_000), ..Setup::default() };
    let mut pair = Pair::new(setup);
    for number in 0..400u32 {
        let source = isolate((number % 8) as u16);
        let mut payload = vec![0; 3_000];
        payload[..4].copy_from_slice(&number.to_le_bytes());
        pair.try_send(0, 0, source, "sink", &payload).unwrap();
    }
    pair.run_for(Micros::from_millis(8));
    pair.cut(); // the epoch of all lanes ends with one of them
    pair.run_for(Micros::from_millis(8));
    assert!((1..400).contains(&pair.delivered(1)));
    for slot in 0..8 {
        let arrived = pair.ends[1].host.payloads_from(isolate(slot));
        let numbers = arrived.iter().map(|p| u32::from_le_bytes([p[0], p[1], p[2], p[3]]));
        let expected = (0..).map(|step| step * 8 + u32::from(slot));
        assert!(numbers.zip(expected).all(|(got, want)| got == want), "a prefix, in order");
    }
}
