//! Credit and reservations between two links: bounded memory, no deadlock, no waste of the wire.

mod pair;

use std::collections::BTreeMap;

use foundation_link::{Destination, Event, Message, Micros, UndeliveredReason, Verdict};
use foundation_link::{LinkOptions, plain_channel};
use pair::recorder::Settling;
use pair::{Pair, Setup, isolate, plain, request, settles_after_ms};

const MIB: usize = 1 << 20;

fn narrow(window_bytes: u64) -> LinkOptions {
    LinkOptions { window_bytes, window_bytes_max: 4 * window_bytes, ..LinkOptions::default() }
}

fn process(slot: u16) -> Destination {
    Destination::Process(isolate(slot))
}

#[test]
fn a_handler_that_never_settles_bounds_what_is_sent() {
    let mut pair = Pair::new(Setup { options: narrow(64 << 10), ..Setup::default() });
    pair.ends[1].host.settling = Settling::Never;
    for _ in 0..2_000 {
        pair.send(0, 0, "sink", &[0; 1_000]);
    }
    pair.run_for(Micros::from_millis(2_000));
    assert_eq!(pair.delivered(1), (64 << 10) / 1_064);
    assert!(!pair.ends[0].link.is_drained(), "the rest waits at the sender");
}

#[test]
fn large_messages_whose_handlers_never_settle_leave_budget_to_other_links() {
    let mut pair = Pair::new(Setup { options: narrow(MIB as u64), ..Setup::default() });
    pair.ends[1].host.settling = Settling::Never;
    for _ in 0..10 {
        pair.send(0, 0, "sink", &vec![0; 2 * MIB]);
    }
    pair.run_for(Micros::from_millis(2_000));
    assert_eq!(pair.delivered(1), 1, "a second one exceeds the largest window of 4 MiB");
    assert!(pair.ends[1].budget.free_bytes() >= 252 << 20);
}

#[test]
fn small_messages_pass_a_large_one_that_waits_for_memory() {
    let setup = Setup { options: narrow(64 << 10), budget_bytes: MIB as u64, ..Setup::default() };
    let mut pair = Pair::new(setup);
    pair.ends[1].host.settling = Settling::Never;
    pair.send(0, 0, "sink", &vec![0; MIB / 2]);
    pair.try_send(0, 0, isolate(1), "sink", &vec![0; MIB]).unwrap();
    pair.run_for(Micros::from_millis(10));
    assert_eq!(pair.delivered(1), 1, "the budget holds no second one");
    pair.try_send(0, 0, isolate(2), "sink", b"small").unwrap();
    pair.run_for(Micros::from_millis(10));
    assert_eq!(pair.ends[1].host.delivered[1].payload, b"small");
}

#[test]
fn sixty_four_messages_of_a_mebibyte_pass_a_budget_of_four() {
    let setup = Setup { budget_bytes: 4 << 20, ..Setup::default() };
    let mut pair = Pair::new(setup);
    pair.ends[1].host.settling = settles_after_ms(3);
    for sender in 0..64 {
        let payload = vec![sender as u8; MIB];
        pair.try_send(0, 0, isolate(sender), "sink", &payload).unwrap();
    }
    pair.run_until_delivered(1, 64);
    assert!(pair.ends[1].host.held_bytes_max <= 4 << 20, "never more than was promised");
    let first_come: Vec<u16> =
        pair.ends[1].host.delivered.iter().map(|one| one.source.slot / 4).collect();
    assert!(first_come.is_sorted(), "first come, first served: {first_come:?}");
    pair.run_for(Micros::from_millis(10));
    pair.assert_quiet(4 << 20);
}

#[test]
fn a_message_larger_than_the_whole_budget_passes_alone() {
    let mut pair = Pair::new(Setup { budget_bytes: 3 << 20, ..Setup::default() });
    pair.ends[1].host.settling = settles_after_ms(1);
    for _ in 0..3 {
        pair.send(0, 0, "sink", &vec![5; 8 * MIB]);
    }
    pair.run_until_delivered(1, 3);
    pair.run_for(Micros::from_millis(10));
    pair.assert_quiet(3 << 20);
}

/// Share of the bandwidth that a transfer used, after its windows had time to grow.
fn share_of_bandwidth(message_bytes: usize, messages: usize) -> f64 {
    let rate = 200_000_000;
    let setup = Setup {
        latency: Micros::from_millis(10), // 20 ms there and back
        bytes_per_second: Some(rate),
        arena_bytes: 128 << 20,
        ..Setup::default()
    };
    let mut pair = Pair::new(setup);
    pair.ends[1].host.keeps_payloads = false;
    let payload = vec![1; message_bytes];
    for _ in 0..messages {
        while pair.ends[0].link.queued_bytes(0) > 4 << 20 {
            pair.run_for(Micros(500));
        }
        pair.send(0, 0, "sink", &payload);
    }
    pair.run_until_delivered(1, messages);
    pair.ends[1].host.delivered_bytes as f64 / (pair.now.0 as f64 / 1e6) / rate as f64
}

#[test]
fn small_messages_fill_a_long_wire_once_their_window_has_grown() {
    let share = share_of_bandwidth(16 << 10, 16 << 10);
    assert!(share >= 0.8, "{share} of the bandwidth at 20 ms");
}

#[test]
fn messages_above_the_window_fill_a_long_wire_by_reserving_ahead() {
    let share = share_of_bandwidth(MIB, 192);
    assert!(share >= 0.8, "{share} of the bandwidth at 20 ms");
}

#[test]
fn windows_grow_on_demand_and_give_the_budget_back_with_the_link() {
    let mut pair = Pair::new(Setup {
        latency: Micros::from_millis(10),
        bytes_per_second: Some(200_000_000),
        budget_bytes: 64 << 20,
        ..Setup::default()
    });
    for _ in 0..600 {
        pair.send(0, 0, "sink", &vec![1; 32 << 10]);
    }
    pair.run_until_delivered(1, 600);
    assert!(pair.ends[1].budget.free_bytes() < 64 << 20);
    pair.ends[1].link.close();
    assert_eq!(pair.ends[1].budget.free_bytes(), 64 << 20);
}

/// Both ends call each other until their windows are full. A handler is done with a call only once
/// its answer has arrived, so no call gives credit back before that: the answers have to find their
/// own.
fn call_each_other(reply_bytes: usize, reply_bytes_max: u32) -> Pair {
    let mut pair = Pair::new(Setup { options: narrow(32 << 10), ..Setup::default() });
    let calls = 200;
    for end in 0..2 {
        pair.ends[end].host.settling = Settling::Never;
        for correlation in 1..=calls {
            let payload = [0; 1_000];
            let call = request(0, process(1), correlation, reply_bytes_max, &payload);
            pair.enqueue(end, Message { source: isolate(1), ..call }).unwrap();
        }
    }
    let mut answered = [0; 2];
    let mut unsettled = BTreeMap::new();
    let reply = vec![2; reply_bytes];
    let has_news = |pair: &Pair| (0..2).any(|end| pair.delivered(end) > 0);
    while answered != [calls; 2] {
        let done = pair.run_until(Micros::from_millis(60_000), has_news);
        assert!(done, "stuck after {answered:?} of {calls} answers");
        for (end, answered) in answered.iter_mut().enumerate() {
            for one in std::mem::take(&mut pair.ends[end].host.delivered) {
                if one.is_request {
                    unsettled.insert((end, one.correlation), one.account);
                    answer(&mut pair, end, &reply, reply_bytes_max, one.correlation);
                    continue;
                }
                *answered += 1;
                assert_eq!(one.payload.len(), reply_bytes);
                if one.is_charged {
                    pair.ends[end].link.settle(0, one.account, reply_bytes as u64, 1);
                }
                let account = unsettled.remove(&(1 - end, one.correlation)).unwrap();
                pair.ends[1 - end].link.settle(0, account, 1_000, 1);
            }
        }
    }
    pair
}

fn answer(pair: &mut Pair, end: usize, reply: &[u8], reply_bytes_max: u32, correlation: u32) {
    let message = Message {
        source: isolate(1),
        is_reply: true,
        is_reply_reserved: reply.len() <= reply_bytes_max as usize,
        correlation,
        ..plain(0, process(1), reply)
    };
    pair.enqueue(end, message).unwrap();
}

#[test]
fn two_links_that_call_each_other_with_full_windows_answer_from_the_reservation() {
    let pair = call_each_other(2_000, 4_096);
    for end in &pair.ends {
        assert_eq!(end.host.failure, None);
        assert_eq!(end.link.counters().unsolicited_replies, 0);
    }
}

#[test]
fn two_links_that_call_each_other_answer_beyond_the_reservation_on_credit_of_replies() {
    let pair = call_each_other(9_000, 4_096);
    assert_eq!(pair.ends[0].host.failure, None);
}

#[test]
fn two_links_that_call_each_other_answer_with_more_than_a_window() {
    let pair = call_each_other(100_000, 4_096);
    assert_eq!(pair.ends[0].host.failure, None);
}

#[test]
fn settling_twice_mints_no_credit() {
    let mut pair = Pair::new(Setup { options: narrow(64 << 10), ..Setup::default() });
    pair.ends[1].host.settling = Settling::Never;
    for _ in 0..500 {
        pair.send(0, 0, "sink", &[0; 1_000]);
    }
    pair.run_for(Micros::from_millis(10));
    let (bytes, count) = (pair.ends[1].host.delivered_bytes, pair.delivered(1));
    for _ in 0..10 {
        pair.ends[1].link.settle(0, 0, bytes, count as u32);
    }
    pair.run_for(Micros::from_millis(10));
    // One window for what was settled, doubled at most twice on demand, and not ten.
    assert!(pair.delivered(1) <= count + (64 << 10) / 1_064 * 4, "{}", pair.delivered(1));
    pair.ends[1].link.settle(5, 0, u64::MAX, u32::MAX);
    pair.ends[1].link.settle(0, 77, u64::MAX, u32::MAX);
    assert_eq!(pair.ends[0].host.failure, None);
}

#[test]
fn an_arena_that_is_exhausted_gives_requests_back_as_undelivered() {
    let mut pair = Pair::new(Setup { arena_bytes: 128 << 10, ..Setup::default() });
    let payload = vec![0; 300 << 10];
    pair.enqueue(0, request(0, process(1), 42, 64, &payload)).unwrap();
    pair.run_for(Micros::from_millis(10));
    let reason = UndeliveredReason::Exhausted;
    let expected = Event::Undelivered { slot: 0, correlation: 42, reason };
    assert_eq!(pair.ends[0].host.count_events(|event| *event == expected), 1);
    assert_eq!(pair.ends[1].link.counters().exhausted, 1);
    pair.send(0, 0, "sink", b"small ones go on");
    pair.run_until_delivered(1, 1);
    pair.assert_quiet(256 << 20);
}

#[test]
fn a_host_without_memory_gives_requests_back_and_their_credit_too() {
    let mut pair = Pair::new(Setup { options: narrow(8 << 10), ..Setup::default() });
    pair.ends[1].host.verdict = Verdict::Exhausted;
    for correlation in 1..=100 {
        pair.enqueue(0, request(0, process(1), correlation, 64, &[0; 1_000])).unwrap();
    }
    pair.run_for(Micros::from_millis(100));
    let is_undelivered = |event: &Event| matches!(event, Event::Undelivered { .. });
    assert_eq!(pair.ends[0].host.count_events(is_undelivered), 100);
    pair.assert_quiet(256 << 20);
}

#[test]
fn a_reply_that_finds_no_memory_is_reported_to_the_caller_at_once() {
    let mut pair = Pair::new(Setup { arena_bytes: 64 << 10, ..Setup::default() });
    pair.enqueue(0, request(0, process(1), 7, 1 << 20, b"much, please")).unwrap();
    pair.run_until_delivered(1, 1);
    let payload = vec![0; 500 << 10];
    let reply = plain(0, process(0), &payload);
    let reply = Message { is_reply: true, is_reply_reserved: true, correlation: 7, ..reply };
    pair.enqueue(1, reply).unwrap();
    pair.run_for(Micros::from_millis(10));
    let reason = UndeliveredReason::Exhausted;
    let expected = Event::Undelivered { slot: 0, correlation: 7, reason };
    assert_eq!(pair.ends[0].host.count_events(|event| *event == expected), 1);
}

#[test]
fn a_message_that_waits_for_most_of_a_window_is_not_starved_by_small_ones() {
    let mut options = narrow(10_000);
    options.window_bytes_max = 10_000;
    let mut pair = Pair::new(Setup { options, ..Setup::default() });
    pair.ends[1].host.settling = settles_after_ms(1);
    for round in 0..300 {
        if round == 50 {
            pair.try_send(0, 0, isolate(1), "sink", &[9; 9_000]).unwrap();
        }
        // Each from another sender, so that none stands behind one of its own that waits.
        pair.try_send(0, 0, isolate(10 + round), "sink", &[0; 1_000]).unwrap();
        pair.run_for(Micros(100));
    }
    let arrived = pair.ends[1].host.delivered.iter().find(|one| one.source == isolate(1));
    let waited = arrived.expect("it arrives").at.since(Micros(5_000));
    assert!(waited < Micros::from_millis(10), "{waited:?}");
}

#[test]
fn each_channel_and_each_destination_has_credit_of_its_own() {
    let channels = vec![plain_channel("default"), plain_channel("other")];
    let setup = Setup { options: narrow(16 << 10), channels, ..Setup::default() };
    let mut pair = Pair::new(setup);
    pair.ends[1].host.settling = Settling::Never;
    for (channel, slot) in [(0, 1), (0, 2), (1, 1)] {
        for _ in 0..100 {
            pair.enqueue(0, plain(channel, process(slot), &[0; 1_000])).unwrap();
        }
    }
    pair.run_for(Micros::from_millis(100));
    assert_eq!(pair.delivered(1), 3 * ((16 << 10) / 1_064));
}
