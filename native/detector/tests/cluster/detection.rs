//! How soon what is down is found, and that nothing else is.

use foundation_detector::DetectorOptions;
use foundation_machine::{Micros, PeerId};
use foundation_membership::{DownReason, RosterEvent};

use crate::scene::{Scene, peer};

const SECOND: Micros = Micros::from_millis(1_000);

fn meshed(seed: u64, count: u32) -> Scene {
    meshed_with(seed, count, DetectorOptions::default())
}

fn meshed_with(seed: u64, count: u32, options: DetectorOptions) -> Scene {
    Scene::new(seed, count, options, |_, _| true)
}

/// When each of the others heard that the member is down. Unit: ms after `start`.
fn heard_down(scene: &Scene, of: PeerId, start: Micros) -> Vec<u64> {
    let down = RosterEvent::MemberDown { peer: of, reason: DownReason::Failed };
    let heard = scene.events.iter().filter(|(_, _, event)| *event == down);
    let mut times: Vec<u64> = heard.map(|(at, _, _)| at.since(start).as_millis()).collect();
    times.sort_unstable();
    times
}

fn downs(scene: &Scene) -> Vec<&(Micros, PeerId, RosterEvent)> {
    let is_down = |event: &RosterEvent| matches!(event, RosterEvent::MemberDown { .. });
    scene.events.iter().filter(|(_, _, event)| is_down(event)).collect()
}

#[test]
fn a_silent_node_is_down_for_all_within_three_seconds() {
    for (count, seeds) in [(2, 10), (3, 10), (5, 10), (10, 5), (32, 3)] {
        let mut worst = 0;
        for seed in 1..=seeds {
            let mut scene = meshed(seed, count);
            let start = scene.now;
            scene.freeze(peer(1), Micros::NEVER);
            scene.run(Micros::from_millis(10_000));
            let times = heard_down(&scene, peer(1), start);
            assert_eq!(times.len(), count as usize - 1, "seed {seed}, {count} nodes: {times:?}");
            assert_eq!(downs(&scene).len(), count as usize - 1, "seed {seed}: another is down");
            worst = worst.max(times[times.len() - 1]);
        }
        println!("{count} nodes: silent node down for all after {worst} ms at worst");
        assert!(worst <= 3_000, "{count} nodes: {worst} ms");
    }
}

#[test]
fn a_hundred_nodes_with_six_neighbours_each_hear_of_it_within_six_seconds() {
    let linked = |a: u32, b: u32| [1, 7, 30, 70, 93, 99].contains(&(b - a));
    let mut scene = Scene::new(1, 100, DetectorOptions::default(), linked);
    let start = scene.now;
    scene.freeze(peer(50), Micros::NEVER);
    scene.run(Micros::from_millis(10_000));
    let times = heard_down(&scene, peer(50), start);
    println!("100 nodes: silent node down for all after {} ms", times[times.len() - 1]);
    assert_eq!((times.len(), downs(&scene).len()), (99, 99));
    assert!(times[98] <= 6_000, "{times:?}");
}

pub(crate) fn kill_one(seed: u64, count: u32, options: DetectorOptions) -> u64 {
    let mut scene = meshed_with(seed, count, options);
    let start = scene.now;
    scene.crash(peer(1));
    scene.run(Micros::from_millis(5_000));
    let times = heard_down(&scene, peer(1), start);
    assert_eq!(times.len(), count as usize - 1, "seed {seed}, {count} nodes: {times:?}");
    let worst = times[times.len() - 1];
    assert!(worst <= 1_000, "{count} nodes: {worst} ms");
    worst
}

#[test]
fn a_killed_node_is_down_for_all_within_a_second() {
    for (count, seeds) in [(2, 5), (3, 5), (10, 5), (32, 3)] {
        let took = (1..=seeds).map(|seed| kill_one(seed, count, DetectorOptions::default()));
        println!("{count} nodes: killed node down for all after {:?} ms at worst", took.max());
    }
}

pub(crate) fn block_one(options: DetectorOptions) {
    let mut scene = meshed_with(1, 5, options);
    scene.busy(peer(2), 1);
    scene.run(Micros::from_millis(10_000));
    scene.busy(peer(2), 0);
    scene.run(SECOND);
    let about = scene.events.iter().filter(|(_, at, _)| *at == peer(0));
    let about: Vec<&RosterEvent> = about.map(|(_, _, event)| event).collect();
    let (peer, isolates) = (peer(2), 1);
    let busy = RosterEvent::MemberBusy { peer, isolates };
    assert_eq!(about, [&busy, &RosterEvent::MemberIdle(peer)]);
}

#[test]
fn a_blocked_event_loop_is_busy_and_never_suspect() {
    block_one(DetectorOptions::default());
}

pub(crate) fn freeze_one_for_a_while(seed: u64, options: DetectorOptions) {
    let mut scene = meshed_with(seed, 8, options);
    scene.freeze(peer(1), Micros::from_millis(10_000));
    scene.run(Micros::from_millis(40_000));
    for (_, _, event) in &scene.events {
        let (RosterEvent::MemberSuspect { peer: of, .. }
        | RosterEvent::MemberDown { peer: of, .. }) = event
        else {
            continue;
        };
        assert_eq!(*of, peer(1), "seed {seed}: {event:?}");
    }
    for at in scene.nodes().into_iter().filter(|&at| at != peer(1)) {
        let ups = scene
            .events
            .iter()
            .filter(|(_, node, event)| *node == at && *event == RosterEvent::MemberUp(peer(1)));
        assert_eq!(ups.count(), 1, "seed {seed}: {at:?} does not see it come back once");
    }
}

#[test]
fn a_node_that_froze_for_ten_seconds_is_down_and_comes_back_and_suspects_nobody() {
    for seed in 1..=10 {
        freeze_one_for_a_while(seed, DetectorOptions::default());
    }
}

#[test]
fn nobody_is_suspected_without_a_fault_and_idling_is_cheap() {
    let mut scene = meshed(1, 20);
    scene.run(Micros::from_millis(600_000));
    assert_eq!(scene.events, []);
    println!("20 meshed nodes: {} B/s a node beside the heartbeats", scene.bytes / 600 / 20);
    assert!(scene.bytes / 600 / 20 < 50);
    // With six neighbours each, the others are probed by relays; each hop of those counts.
    let linked = |a: u32, b: u32| [1, 7, 30, 70, 93, 99].contains(&(b - a));
    let mut scene = Scene::new(2, 100, DetectorOptions::default(), linked);
    scene.run(Micros::from_millis(600_000));
    assert_eq!(scene.events, []);
    println!("100 nodes, six neighbours: {} B/s a node, a relay as one hop", scene.bytes / 60_000);
    assert!(scene.bytes / 60_000 < 100);
    assert_eq!(scene.dials, 0);
}

#[test]
fn a_node_that_crashes_with_all_its_neighbours_is_found_by_strangers() {
    // A ring with chords: each node has four neighbours.
    let linked = |a: u32, b: u32| [1, 2, 38, 39].contains(&(b - a));
    let mut scene = Scene::new(1, 40, DetectorOptions::default(), linked);
    for node in [8, 9, 10, 11, 12] {
        scene.crash(peer(node));
    }
    let start = scene.now;
    scene.run(Micros::from_millis(60_000));
    let times = heard_down(&scene, peer(10), start);
    println!("surrounded by crashes: found after {} ms by the first", times[0]);
    assert_eq!(times.len(), 35, "{times:?}");
    let others = downs(&scene).len();
    assert_eq!(others, 35 * 5);
}

#[test]
fn a_cut_of_thirty_seconds_ends_with_everybody_up() {
    for seed in 1..=5 {
        let mut scene = meshed(seed, 9);
        let side: Vec<PeerId> = (0..4).map(peer).collect();
        scene.cut(&side);
        scene.run(Micros::from_millis(30_000));
        assert_eq!(downs(&scene).len(), 4 * 5 * 2, "seed {seed}");
        scene.events.clear();
        scene.cut(&[]);
        let start = scene.now;
        scene.run(Micros::from_millis(60_000));
        assert_eq!(downs(&scene), Vec::<&_>::new(), "seed {seed}");
        let is_up = |event: &RosterEvent| matches!(event, RosterEvent::MemberUp(_));
        let ups = scene.events.iter().filter(|(_, _, event)| is_up(event));
        let times: Vec<u64> = ups.map(|(at, _, _)| at.since(start).as_millis()).collect();
        assert_eq!(times.len(), 4 * 5 * 2, "seed {seed}");
        println!("seed {seed}: last up {} ms after the cut's end", times[times.len() - 1]);
    }
}
