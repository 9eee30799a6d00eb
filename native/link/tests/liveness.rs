//! Whether the other end is alive: what an idle link costs, and when silence is the end.

mod pair;

use foundation_link::{Event, LinkError, Micros, Watch};
use foundation_schema::Member;
use pair::{Pair, Setup};

fn said(pair: &Pair, message: &str) -> u64 {
    (0..2).map(|end| pair.wires[end][0].tally.control.get(message).copied().unwrap_or(0)).sum()
}

#[test]
fn an_idle_link_costs_one_ping_and_one_pong_a_heartbeat_in_all() {
    let mut pair = Pair::new(Setup::default());
    pair.run_for(Micros::from_millis(3_500)); // both ends have measured the round trip by now
    let (pings, pongs) = (said(&pair, "Ping"), said(&pair, "Pong"));
    pair.run_for(Micros::from_millis(60_000));
    let (pings, pongs) = (said(&pair, "Ping") - pings, said(&pair, "Pong") - pongs);
    assert!((59..=60).contains(&pings), "{pings} pings in 60 heartbeats");
    assert!(pongs.abs_diff(pings) <= 1);
    let data = pair.wires.iter().flatten().map(|wire| wire.tally.data_frames).sum::<u64>();
    assert_eq!(data, 0);
    assert_eq!(pair.ends[0].host.failure, None);
}

/// A link that both ends let rest, with nothing else to say for a while.
fn resting() -> Pair {
    let mut pair = Pair::new(Setup::default());
    let now = pair.now;
    pair.ends.iter_mut().for_each(|end| end.link.set_watch(Watch::Resting, now));
    pair.run_for(Micros::from_millis(15_000));
    pair
}

#[test]
fn a_link_that_rests_costs_a_tenth() {
    let mut pair = resting();
    let pings = said(&pair, "Ping");
    pair.run_for(Micros::from_millis(100_000));
    assert_eq!(said(&pair, "Ping") - pings, 10);
    assert_eq!(pair.ends.each_ref().map(|end| end.host.failure.clone()), [None, None]);
}

#[test]
fn a_link_that_rests_is_watched_while_messages_go_over_it() {
    for sender in 0..2 {
        let mut pair = resting();
        pair.send(sender, 0, "sink", b"tick");
        pair.run_for(Micros::from_millis(1));
        pair.cut();
        let begin = pair.now;
        let is_over = |pair: &Pair| pair.ends.iter().all(|end| end.host.failure.is_some());
        assert!(pair.run_until(begin + Micros::from_millis(2_701), is_over));
    }
}

#[test]
fn an_alarm_is_told_and_asks_a_peer_that_was_not_heard_for_long() {
    let mut pair = resting();
    let now = pair.now;
    pair.ends[0].link.watch_closely(now, true);
    pair.run_for(Micros(200));
    assert_eq!(pair.ends[1].host.count_events(|event| *event == Event::Alarm), 1);
    assert_eq!(pair.ends[0].host.count_events(|event| *event == Event::Alarm), 0);
    // What was not heard for long has an answer's time left.
    let mut pair = resting();
    pair.cut();
    pair.run_for(Micros::from_millis(5_000));
    let now = pair.now;
    pair.ends[1].link.watch_closely(now, false);
    assert!(!pair.run_until(now + Micros::from_millis(1_199), |pair| {
        pair.ends[1].host.failure.is_some()
    }));
    assert!(pair.run_until(now + Micros::from_millis(1_201), |pair| {
        pair.ends[1].host.failure.is_some()
    }));
    assert!(pair.ends[1].host.count_events(|event| *event == Event::Doubt) >= 1);
}

#[test]
fn both_ends_know_the_round_trip() {
    let mut pair = Pair::new(Setup { latency: Micros::from_millis(7), ..Setup::default() });
    pair.run_for(Micros::from_millis(3_500));
    for end in &pair.ends {
        assert_eq!(end.link.rtt(), Some(Micros::from_millis(14)));
    }
    let is_round_trip = |event: &Event| *event == Event::RoundTrip(Micros::from_millis(14));
    assert!(pair.ends[0].host.count_events(is_round_trip) >= 2);
}

#[test]
fn a_peer_that_fell_silent_is_given_up_at_the_limit() {
    let mut pair = Pair::new(Setup::default());
    pair.run_for(Micros::from_millis(10_000));
    pair.cut();
    let begin = pair.now;
    let is_over = |pair: &Pair| pair.ends.iter().all(|end| end.host.failure.is_some());
    assert!(pair.run_until(begin + Micros::from_millis(3_001), is_over));
    assert_eq!(pair.ends[0].host.failure, Some(LinkError::Silent));
    assert_eq!(pair.ends[1].host.failure, Some(LinkError::Silent));
}

#[test]
fn an_end_whose_words_get_lost_is_given_up_by_the_other_while_it_still_hears_it() {
    let mut pair = Pair::new(Setup::default());
    pair.run_for(Micros::from_millis(5_000));
    // Half-open: what end 0 says is lost, what end 1 says arrives.
    pair.wires[0].iter_mut().for_each(pair::wire::Wire::cut);
    let deadline = pair.now + Micros::from_millis(3_100);
    assert!(pair.run_until(deadline, |pair| pair.ends[1].host.failure.is_some()));
    assert_eq!(pair.ends[1].host.failure, Some(LinkError::Silent));
}

#[test]
fn a_link_with_traffic_in_one_direction_only_stays_alive() {
    for sender in 0..2 {
        let mut pair = Pair::new(Setup::default());
        for _ in 0..300 {
            pair.send(sender, 0, "sink", b"tick");
            pair.run_for(Micros::from_millis(100));
        }
        assert_eq!(pair.delivered(1 - sender), 300);
        assert_eq!(pair.ends.each_ref().map(|end| end.host.failure.clone()), [None, None]);
    }
}

#[test]
fn busy_isolates_are_told_at_once_and_once() {
    let mut pair = Pair::new(Setup::default());
    pair.ends[0].link.set_busy(2);
    pair.ends[0].link.set_busy(2);
    pair.run_for(Micros::from_millis(5_000));
    assert_eq!(said(&pair, "Status"), 1);
    assert_eq!(pair.ends[1].host.count_events(|event| *event == Event::Busy(2)), 1);
    pair.ends[0].link.set_busy(0);
    pair.run_for(Micros(200));
    assert_eq!(pair.ends[1].host.count_events(|event| *event == Event::Busy(0)), 1);
}

#[test]
fn members_and_a_farewell_arrive_as_they_were_told() {
    let mut pair = Pair::new(Setup::default());
    let members: Vec<Member> = (0..3_000)
        .map(|number| Member {
            name: format!("node-{number}"),
            address: format!("127.0.0.1:{number}"),
            life: foundation_link::NodeLife { start: number, random: 1 },
        })
        .collect();
    pair.ends[0].link.tell_members(&members);
    pair.ends[0].link.leave("done");
    pair.run_for(Micros(200));
    let mut told = Vec::new();
    for (_, event) in &pair.ends[1].host.events {
        if let Event::Members(page) = event {
            told.extend(page.clone());
        }
    }
    assert!(told == members);
    let is_farewell = |event: &Event| *event == Event::Left("done".to_owned());
    assert_eq!(pair.ends[1].host.count_events(is_farewell), 1);
}
