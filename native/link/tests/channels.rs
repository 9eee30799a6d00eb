//! What a channel promises its users: marks, replacement, names, lanes.

mod pair;

use foundation_link::{
    ChannelSpec, Destination, Event, LinkOptions, Message, Micros, Payload, Refused,
    UNBOUND_ACCOUNT, UndeliveredReason, Verdict, plain_channel,
};
use pair::recorder::Settling;
use pair::{Pair, Setup, isolate, plain, request};

fn marks() -> LinkOptions {
    LinkOptions {
        window_bytes: 8 << 10,
        window_bytes_max: 8 << 10,
        high_water_bytes: 64 << 10,
        low_water_bytes: 16 << 10,
        overrun_bytes: 32 << 10,
        message_bytes_max: 32 << 10,
        ..LinkOptions::default()
    }
}

/// The account that paid for each message delivered at end 1.
fn accounts(pair: &Pair) -> Vec<u16> {
    pair.ends[1].host.delivered.iter().map(|one| one.account).collect()
}

fn crossings(pair: &Pair) -> Vec<Event> {
    let is_mark = |event: &&Event| matches!(event, Event::Writable(_) | Event::Unwritable(_));
    let events = pair.ends[0].host.events.iter().map(|(_, event)| event);
    events.filter(is_mark).cloned().collect()
}

#[test]
fn each_crossing_of_a_water_mark_is_told_once() {
    let mut pair = Pair::new(Setup { options: marks(), ..Setup::default() });
    for round in 1..=3 {
        for _ in 0..80 {
            pair.send(0, 0, "sink", &[0; 1_000]);
        }
        pair.run_until_delivered(1, 80 * round);
        let one = [Event::Unwritable(0), Event::Writable(0)];
        assert_eq!(crossings(&pair), vec![one; round].concat());
    }
}

#[test]
fn a_queue_beyond_its_overrun_refuses_and_counts() {
    let mut pair = Pair::new(Setup { options: marks(), ..Setup::default() });
    pair.ends[1].host.settling = Settling::Never;
    let mut refused = 0;
    for _ in 0..1_000 {
        match pair.try_send(0, 0, isolate(0), "sink", &[0; 1_000]) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, Refused::Overflow);
                refused += 1;
            }
        }
        assert!(pair.ends[0].link.queued_bytes(0) <= 128 << 10);
    }
    assert!(refused > 800);
    assert_eq!(pair.ends[0].link.counters().overflowed, refused);
}

#[test]
fn what_cannot_be_sent_is_refused_and_leaves_no_trace() {
    let mut pair = Pair::new(Setup { options: marks(), ..Setup::default() });
    let sink = Destination::Named(pair.ends[0].host.name_id("sink"));
    let far = Destination::Process(isolate(2_000));
    let large = vec![0; 33 << 10];
    for (message, refused) in [
        (plain(7, sink, b""), Refused::UnknownChannel),
        (plain(0, sink, &large), Refused::TooLarge),
        (plain(0, Destination::Named(u32::MAX), b""), Refused::UnknownName),
        (plain(0, Destination::Named(9), b""), Refused::UnknownName),
        (plain(0, far, b""), Refused::UnknownName),
    ] {
        assert_eq!(pair.enqueue(0, message), Err(refused));
    }
    assert!(!pair.ends[0].link.has_output(0));
    // A name that is given out later works, although it was tried too early.
    for number in 1..=9 {
        pair.ends[0].host.name_id(&format!("name-{number}"));
    }
    pair.enqueue(0, plain(0, Destination::Named(9), b"now")).unwrap();
    pair.run_until_delivered(1, 1);
}

fn monotonic(lanes: u8) -> Vec<ChannelSpec> {
    let spec = plain_channel("default");
    vec![ChannelSpec { monotonic: true, lanes, ..spec }]
}

fn report(pair: &mut Pair, key: &[u8], value: &[u8]) {
    let destination = Destination::Named(pair.ends[0].host.name_id("sink"));
    pair.enqueue(0, Message { key, ..plain(0, destination, value) }).unwrap();
}

#[test]
fn while_credit_lasts_out_only_the_newest_value_of_each_key_waits() {
    let options = LinkOptions { window_bytes: 1_000, window_bytes_max: 1_000, ..marks() };
    let mut pair = Pair::new(Setup { options, channels: monotonic(1), ..Setup::default() });
    pair.ends[1].host.settling = pair::settles_after_ms(50);
    for version in 0..100u8 {
        for key in 0..10u8 {
            report(&mut pair, &[key], &[&[key, version][..], &[0; 200]].concat());
        }
        pair.run_for(Micros(100));
    }
    pair.run_for(Micros::from_millis(5_000));
    let mut last = [None; 10];
    for one in &pair.ends[1].host.delivered {
        let (key, version) = (one.payload[0] as usize, one.payload[1]);
        assert!(last[key] < Some(version), "a value never goes back");
        last[key] = Some(version);
    }
    assert_eq!(last, [Some(99); 10], "the newest of every key arrives");
    let superseded = pair.ends[0].link.counters().superseded as usize;
    assert_eq!(pair.delivered(1) + superseded, 1_000);
    assert!(superseded > 900);
    pair.assert_quiet(256 << 20);
}

#[test]
fn a_waiting_value_may_be_replaced_by_a_longer_or_a_shorter_one() {
    for (first, second) in [(100, 900), (900, 100), (100, 5_000), (5_000, 100), (3_000, 5_500)] {
        let options = LinkOptions { window_bytes: 1_000, window_bytes_max: 1_000, ..marks() };
        let setup = Setup { options, channels: monotonic(1), ..Setup::default() };
        let mut pair = Pair::new(Setup { budget_bytes: 6_000, ..setup });
        pair.ends[1].host.settling = pair::settles_after_ms(20);
        // Until the account behind the name is known, messages to it draw on another one.
        report(&mut pair, b"first", &[0]);
        pair.run_for(Micros::from_millis(30));
        // One takes the window, one the budget: what follows waits, whatever its size.
        report(&mut pair, b"window", &[0; 900]);
        report(&mut pair, b"budget", &[0; 5_500]);
        pair.run_for(Micros::from_millis(1));
        report(&mut pair, b"key", &vec![1; first]);
        pair.run_for(Micros::from_millis(1)); // it waits at the head by now
        assert_eq!(pair.delivered(1), 3);
        report(&mut pair, b"key", &vec![2; second]);
        report(&mut pair, b"last", &[3; 100]);
        pair.run_for(Micros::from_millis(1_000));
        let delivered = &pair.ends[1].host.delivered;
        let values: Vec<(u8, usize)> =
            delivered.iter().map(|one| (one.payload[0], one.payload.len())).collect();
        assert_eq!(values[values.len() - 2..], [(2, second), (3, 100)], "{first}, {second}");
        pair.assert_quiet(6_000);
    }
}

#[test]
fn a_shorter_value_that_fits_the_credit_goes_at_once() {
    let options = LinkOptions { window_bytes: 1_000, window_bytes_max: 1_000, ..marks() };
    let mut pair = Pair::new(Setup { options, channels: monotonic(1), ..Setup::default() });
    pair.ends[1].host.settling = Settling::Never;
    report(&mut pair, b"window", &[0; 800]);
    report(&mut pair, b"key", &[1; 900]);
    pair.run_for(Micros::from_millis(1));
    assert_eq!(pair.delivered(1), 1);
    report(&mut pair, b"key", &[2; 10]);
    pair.run_for(Micros::from_millis(1));
    assert_eq!(pair.delivered(1), 2);
}

#[test]
fn a_replaced_value_is_charged_where_the_older_one_stood_in_line() {
    let options = LinkOptions { window_bytes: 1_000, window_bytes_max: 1_000, ..marks() };
    let mut pair = Pair::new(Setup { options, channels: monotonic(1), ..Setup::default() });
    pair.ends[1].host.owners.insert("sink".to_owned(), 5);
    pair.ends[1].host.settling = pair::settles_after_ms(20);
    report(&mut pair, b"window", &[0; 800]);
    report(&mut pair, b"key", &[1; 500]);
    pair.run_for(Micros::from_millis(1)); // by now the account behind the name is known
    report(&mut pair, b"key", &[2; 600]);
    report(&mut pair, b"later", &[3; 100]);
    pair.run_until_delivered(1, 3);
    assert_eq!(accounts(&pair), [UNBOUND_ACCOUNT, UNBOUND_ACCOUNT, 5]);
}

#[test]
fn a_value_that_is_partly_written_is_followed_by_the_newer_one_not_replaced() {
    let channels = monotonic(1);
    let setup = Setup { channels, bytes_per_second: Some(10_000_000), ..Setup::default() };
    let mut pair = Pair::new(setup);
    for (value, size) in [(1, 900_000), (2, 10_000), (3, 20_000)] {
        report(&mut pair, b"key", &vec![value; size]);
        pair.run_for(Micros::from_millis(5));
    }
    pair.run_for(Micros::from_millis(1_000));
    let delivered = &pair.ends[1].host.delivered;
    let sizes: Vec<usize> = delivered.iter().map(|one| one.payload.len()).collect();
    assert_eq!(sizes, [900_000, 20_000], "the second had not begun when the third came");
    assert!(delivered[0].payload.iter().all(|&byte| byte == 1));
    pair.assert_quiet(256 << 20);
}

#[test]
fn calls_and_answers_on_a_monotonic_channel_are_not_replaced() {
    let options = LinkOptions { window_bytes: 1_000, window_bytes_max: 1_000, ..marks() };
    let mut pair = Pair::new(Setup { options, channels: monotonic(1), ..Setup::default() });
    let sink = Destination::Process(isolate(1));
    for correlation in 1..=20 {
        let call = request(0, sink, correlation, 64, &[0; 500]);
        pair.enqueue(0, Message { key: b"same", ..call }).unwrap();
    }
    pair.run_until_delivered(1, 20);
    for correlation in 1..=20 {
        let reply = plain(0, Destination::Process(isolate(0)), b"yes");
        let reply = Message { is_reply: true, is_reply_reserved: true, correlation, ..reply };
        pair.enqueue(1, Message { key: b"same", ..reply }).unwrap();
    }
    pair.run_until_delivered(0, 20);
    pair.assert_quiet(256 << 20);
}

#[test]
fn ten_thousand_keys_wait_and_are_replaced_without_a_scan() {
    let options = LinkOptions { high_water_bytes: 64 << 20, ..LinkOptions::default() };
    let mut pair = Pair::new(Setup { options, channels: monotonic(1), ..Setup::default() });
    pair.ends[1].host.settling = Settling::Never;
    for version in 0..3u8 {
        for key in 0..10_000u32 {
            report(&mut pair, &key.to_le_bytes(), &[version; 100]);
        }
    }
    assert_eq!(pair.ends[0].link.counters().superseded, 20_000);
}

#[test]
fn a_name_is_announced_once_a_lane() {
    let channels = vec![ChannelSpec { lanes: 4, ..plain_channel("wide") }];
    let mut pair = Pair::new(Setup { channels, ..Setup::default() });
    for round in 0..20 {
        for slot in 0..16 {
            for name in ["one", "two"] {
                pair.try_send(0, 0, isolate(slot), name, &[round]).unwrap();
            }
        }
        pair.run_for(Micros(100));
    }
    pair.run_until_delivered(1, 640);
    let mut lanes_used = 0;
    for wire in &pair.wires[0] {
        let mut names = wire.tally.announced.clone();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), wire.tally.announced.len(), "twice on one lane");
        let is_used = wire.tally.data_frames > 0;
        assert_eq!(is_used, !names.is_empty(), "a lane announces what it carries itself");
        lanes_used += usize::from(is_used);
    }
    assert_eq!(lanes_used, 4);
}

#[test]
fn lanes_are_opened_on_first_use_whoever_sends() {
    for sender in 0..2 {
        let mut wide = plain_channel("wide");
        wide.lanes = 4;
        let channels = vec![plain_channel("default"), wide];
        let mut pair = Pair::new(Setup { channels, ..Setup::default() });
        pair.send(sender, 0, "sink", b"narrow");
        pair.run_for(Micros::from_millis(1));
        let open = |pair: &Pair| pair.wires[0].iter().filter(|wire| wire.is_open).count();
        assert_eq!(open(&pair), 1, "a channel of one lane needs no further connection");
        for slot in 0..32 {
            pair.try_send(sender, 1, isolate(slot), "sink", b"wide").unwrap();
        }
        pair.run_until_delivered(1 - sender, 33);
        assert_eq!(open(&pair), 5);
        let is_wanted = |event: &Event| matches!(event, Event::LaneWanted(_));
        assert_eq!(pair.ends[0].host.count_events(is_wanted), 4, "the dialler opens them all");
        assert_eq!(pair.ends[1].host.count_events(is_wanted), 0);
    }
}

#[test]
fn a_partition_key_takes_the_place_of_the_sender() {
    let channels = vec![ChannelSpec { lanes: 4, ..plain_channel("wide") }];
    let mut pair = Pair::new(Setup { channels, ..Setup::default() });
    let destination = Destination::Named(pair.ends[0].host.name_id("sink"));
    for slot in 0..64 {
        let message = plain(0, destination, &[1]);
        let message = Message { key: b"one key", source: isolate(slot), ..message };
        pair.enqueue(0, message).unwrap();
    }
    pair.run_until_delivered(1, 64);
    let used = pair.wires[0].iter().filter(|wire| wire.tally.data_frames > 0).count();
    assert_eq!(used, 1, "messages of one key share a lane, hence an order");
}

#[test]
fn messages_to_a_name_are_charged_to_the_isolate_behind_it_once_known() {
    for owner in [0, 5] {
        let mut pair = Pair::new(Setup::default());
        pair.ends[1].host.owners.insert("sink".to_owned(), owner);
        pair.send(0, 0, "sink", b"first");
        pair.run_for(Micros::from_millis(1));
        pair.send(0, 0, "sink", b"later");
        pair.run_until_delivered(1, 2);
        assert_eq!(accounts(&pair), [UNBOUND_ACCOUNT, owner]);
    }
}

#[test]
fn a_name_that_nobody_had_when_it_was_announced_stays_on_the_unbound_account() {
    let mut pair = Pair::new(Setup::default());
    pair.ends[1].host.owners.insert("sink".to_owned(), UNBOUND_ACCOUNT);
    pair.send(0, 0, "sink", b"first");
    pair.run_until_delivered(1, 1);
    pair.ends[1].host.owners.insert("sink".to_owned(), 5);
    pair.run_for(Micros::from_millis(1));
    pair.send(0, 0, "sink", b"later");
    pair.run_until_delivered(1, 2);
    assert_eq!(accounts(&pair), [UNBOUND_ACCOUNT; 2]);
    assert!(!pair.wires[1][0].tally.control.contains_key("Bound"));
}

#[test]
fn a_burst_before_the_isolate_is_told_holds_no_other_name_back() {
    let mut pair = Pair::new(Setup { options: marks(), ..Setup::default() });
    pair.ends[1].host.owners.insert("stuck".to_owned(), 0);
    pair.ends[1].host.settling = Settling::Never;
    for _ in 0..40 {
        pair.send(0, 0, "stuck", &[0; 1_000]);
    }
    pair.run_for(Micros::from_millis(1_000));
    let taken = pair.delivered(1);
    assert!(taken < 40, "the name has a full window");

    pair.ends[1].host.owners.insert("free".to_owned(), 5);
    pair.send(0, 0, "free", b"gets through");
    pair.run_until_delivered(1, taken + 1);
}

#[test]
fn an_isolate_that_settles_nothing_holds_no_first_message_to_another_one_back() {
    for stuck in [0, 5] {
        let mut pair = Pair::new(Setup { options: marks(), ..Setup::default() });
        pair.ends[1].host.owners.insert("stuck".to_owned(), stuck);
        pair.ends[1].host.settling = Settling::Never;
        pair.send(0, 0, "stuck", b"first");
        pair.run_for(Micros::from_millis(1)); // by now the account behind the name is known
        for _ in 0..40 {
            pair.send(0, 0, "stuck", &[0; 1_000]);
        }
        pair.run_for(Micros::from_millis(1_000));
        let taken = pair.delivered(1);
        assert!(taken < 41, "the isolate has a full window");

        pair.ends[1].host.settling = Settling::AtOnce; // of what comes from here on
        // Together they are more than a window: what they draw on has to come back, too.
        for slot in 10..40 {
            let name = format!("free-{slot}");
            pair.ends[1].host.owners.insert(name.clone(), slot);
            pair.send(0, 0, &name, &[0; 1_000]);
        }
        pair.run_until_delivered(1, taken + 30);
        // Each name has an account of its own until its isolate is told.
        let expected: Vec<u16> = (1..=30).map(|name| UNBOUND_ACCOUNT | name).collect();
        assert_eq!(accounts(&pair)[taken..], expected);
        pair.run_for(Micros::from_millis(1_000));
        assert_eq!(pair.delivered(1), taken + 30, "the full window stays full");
    }
}

#[test]
fn channels_are_matched_by_name_and_unknown_ones_come_back_undelivered() {
    let near = vec![plain_channel("default"), plain_channel("mine"), plain_channel("both")];
    let far = vec![plain_channel("both"), plain_channel("default"), plain_channel("theirs")];
    let mut pair = Pair::with_channels(Setup::default(), [near, far]);
    let sink = Destination::Process(isolate(1));
    for channel in 0..3 {
        pair.enqueue(0, request(channel, sink, 1 + u32::from(channel), 64, b"?")).unwrap();
    }
    pair.run_for(Micros::from_millis(1));
    let delivered = &pair.ends[1].host.delivered;
    let mut seen: Vec<_> = delivered.iter().map(|one| (one.correlation, one.channel)).collect();
    seen.sort();
    assert_eq!(seen, [(1, 1), (3, 0)]);
    assert_eq!(pair.ends[1].link.counters().unknown_channel, 1);
    let reason = UndeliveredReason::NoProcess;
    let expected = Event::Undelivered { slot: 0, correlation: 2, reason };
    assert_eq!(pair.ends[0].host.count_events(|event| *event == expected), 1);
}

#[test]
fn settlements_on_channels_of_other_numbers_reach_the_right_books() {
    let near = vec![plain_channel("a"), plain_channel("b")];
    let far = vec![plain_channel("b"), plain_channel("a")];
    let options = LinkOptions { window_bytes: 8 << 10, ..marks() };
    let mut pair = Pair::with_channels(Setup { options, ..Setup::default() }, [near, far]);
    for _ in 0..50 {
        pair.send(0, 1, "sink", &[0; 1_000]);
    }
    pair.run_until_delivered(1, 50);
}

#[test]
fn a_request_to_nobody_comes_back_and_a_plain_message_is_counted() {
    let mut pair = Pair::new(Setup::default());
    pair.ends[1].host.verdict = Verdict::NoProcess;
    let sink = Destination::Process(isolate(1));
    pair.enqueue(0, request(0, sink, 8, 64, b"anybody?")).unwrap();
    pair.enqueue(0, plain(0, sink, b"hello")).unwrap();
    pair.run_for(Micros::from_millis(1));
    assert_eq!(pair.ends[1].link.counters().no_process, 2);
    let reason = UndeliveredReason::NoProcess;
    let expected = Event::Undelivered { slot: 0, correlation: 8, reason };
    assert_eq!(pair.ends[0].host.count_events(|event| *event == expected), 1);
    assert_eq!(pair.wires[1][0].tally.control["Undelivered"], 1);
}

#[test]
fn a_message_keeps_all_that_its_sender_said() {
    let mut pair = Pair::new(Setup::default());
    let source = foundation_link::Source { slot: 3, generation: 4, serial: 5 };
    let process = foundation_link::Source { slot: 6, generation: 7, serial: 8 };
    for payload in [&b"small"[..], &vec![1; 100_000], &vec![2; 2 << 20]] {
        let message = request(0, Destination::Process(process), 99, 1_234, payload);
        pair.enqueue(0, Message { source, payload: Payload::Inline(payload), ..message }).unwrap();
    }
    pair.run_until_delivered(1, 3);
    for one in &pair.ends[1].host.delivered {
        assert_eq!((one.source, one.destination), (source, Destination::Process(process)));
        assert_eq!((one.correlation, one.reply_bytes_max), (99, 1_234));
        assert!(one.is_request && !one.is_reply && one.is_charged);
    }
}
