//! The engine's own promises, shown with a toy protocol.

#[path = "engine/toy.rs"]
mod toy;

use foundation_machine::{Micros, NodeNo};
use foundation_sim::{
    Ask, Mark, NetworkOptions, Observer, Step, TraceDepth, Violation, World, WorldOptions,
};
use toy::Toy;

struct Nobody;

impl Observer<Toy> for Nobody {
    fn stepped(&mut self, _: &Step<'_, Toy>) -> Result<(), String> {
        Ok(())
    }
}

type ToyWorld = World<Toy, Nobody>;

/// Nodes that all know all earlier ones; with two, they know each other.
fn world(seed: u64, count: u32, network: NetworkOptions) -> ToyWorld {
    let options = WorldOptions { seed, network, depth: TraceDepth::Messages };
    let mut world = World::new(options, Nobody, Box::new(|_, _, _| Toy::default()));
    for node in 0..count {
        world.add_node(if count == 2 { vec![1 - node] } else { (0..node).collect() });
    }
    (0..count).for_each(|node| world.start(node));
    world
}

fn quiet(seed: u64, count: u32) -> ToyWorld {
    world(seed, count, NetworkOptions::default())
}

fn seconds(count: u64) -> Micros {
    Micros::from_millis(1_000 * count)
}

fn run(world: &mut ToyWorld, time: Micros) {
    if let Err(Violation { what, at, lines, .. }) = world.run_for(time) {
        panic!("{what} at {at:?}: {lines:#?}");
    }
}

fn toy(world: &ToyWorld, node: u32) -> &Toy {
    world.subject(node).expect("it lives")
}

#[test]
fn nodes_that_dial_each_other_at_once_have_one_link() {
    let mut world = quiet(1, 2);
    run(&mut world, seconds(1));
    for node in 0..2 {
        assert_eq!(toy(&world, node).links.len(), 1);
        assert_eq!(toy(&world, node).gaps, 0);
        assert!(toy(&world, node).heard.len() > 5);
    }
    assert_eq!(world.census.of(Mark::Crossing), 1);
    assert!(world.census.of(Mark::SeedAnswered) > 2);
}

#[test]
fn a_cut_shorter_than_the_silence_loses_nothing_and_a_longer_one_the_link() {
    let mut world = quiet(2, 2);
    run(&mut world, seconds(1));
    world.cut(0, 1, true);
    run(&mut world, seconds(2));
    let before = toy(&world, 1).heard.len();
    world.heal();
    run(&mut world, seconds(1));
    assert!(toy(&world, 1).heard.len() >= before + 28, "held messages come after the heal");
    assert!((0..2).all(|node| toy(&world, node).lost.is_empty() && toy(&world, node).gaps == 0));

    world.cut(0, 1, true);
    run(&mut world, seconds(5));
    let [(at_1, _)] = toy(&world, 1).lost[..] else { panic!("one loss") };
    assert!((7_000..=8_000).contains(&at_1.as_millis()), "three silent beats: {at_1:?}");
    let [(at_0, _)] = toy(&world, 0).lost[..] else { panic!("one loss") };
    assert!(at_0 > at_1 && at_0.since(at_1) < seconds(1), "the way back still tells");
    assert!(toy(&world, 0).failed > 0, "dials time out");
    world.heal();
    run(&mut world, seconds(2));
    assert_eq!(toy(&world, 0).links.len(), 1);
}

#[test]
fn a_crash_is_seen_at_once_and_a_loss_of_power_by_silence() {
    let mut world = quiet(3, 3);
    run(&mut world, seconds(1));
    world.crash(2);
    world.crash(2);
    run(&mut world, Micros::from_millis(10));
    assert_eq!(toy(&world, 0).lost.len(), 1);
    world.start(2);
    run(&mut world, seconds(1));
    let second = world.id(2);
    assert!(second.is_later_life_of(toy(&world, 0).lost[0].1));
    assert!(toy(&world, 0).links.contains_key(&second));
    world.lose_power(2);
    run(&mut world, seconds(2));
    assert_eq!(toy(&world, 0).lost.len(), 1);
    run(&mut world, seconds(3));
    assert_eq!(toy(&world, 0).lost.len(), 2);
    assert_eq!((world.census.of(Mark::Crash), world.census.of(Mark::PowerLoss)), (1, 1));
}

#[test]
fn a_node_that_stands_still_hears_nothing_and_all_of_it_afterwards() {
    let mut world = quiet(4, 2);
    run(&mut world, seconds(1));
    let (before, sent) = (toy(&world, 1).heard.len(), toy(&world, 0).heard.len());
    world.pause(1);
    run(&mut world, seconds(2));
    assert_eq!(toy(&world, 1).heard.len(), before);
    assert!(toy(&world, 0).heard.len() <= sent + 1);
    world.resume(1);
    run(&mut world, Micros::from_millis(20));
    assert!(toy(&world, 1).heard.len() >= before + 19);
    assert_eq!(toy(&world, 1).gaps, 0);
    world.pause(1);
    run(&mut world, seconds(5));
    assert_eq!(toy(&world, 0).lost.len(), 1);
    world.resume(1);
    run(&mut world, seconds(2));
    assert_eq!(toy(&world, 1).lost.len(), 1, "it hears that the others gave it up");
    assert_eq!(toy(&world, 1).links.len(), 1);
}

#[test]
fn a_slow_clock_ticks_less_often_and_a_slow_node_falls_behind() {
    let mut world = quiet(5, 2);
    world.set_clock(0, 500_000);
    run(&mut world, seconds(10));
    let (from_slow, from_right) = (toy(&world, 1).heard.len(), toy(&world, 0).heard.len());
    assert!((45..=52).contains(&from_slow), "{from_slow}");
    assert!((95..=101).contains(&from_right), "{from_right}");
    world.set_slow(1, Micros::from_millis(80));
    run(&mut world, seconds(10));
    let heard = &toy(&world, 1).heard;
    let spread = heard.windows(2).skip(60).all(|two| two[1].0.since(two[0].0).as_millis() >= 80);
    assert!(spread && toy(&world, 1).gaps == 0);
}

#[test]
fn a_message_without_a_link_is_a_violation() {
    let mut world = quiet(6, 3);
    run(&mut world, seconds(1));
    let mut stranger = world.id(1);
    stranger.node = NodeNo(77);
    world.ask(0, Ask::Route { to: stranger, overlay: 0, payload: 1 });
    let violation = world.run_for(seconds(1)).expect_err("it sent blindly");
    assert!(violation.what.contains("without a link"), "{}", violation.what);
    assert_eq!(violation.node, Some(0));
    assert_eq!(world.run_for(seconds(1)).expect_err("the run is over"), violation);
}

/// Everything at once; answers the hash, the steps and what happened.
fn chaos(seed: u64) -> (u64, u64, foundation_sim::Census) {
    let options = NetworkOptions { loss: 0.1, ..NetworkOptions::default() };
    let mut world = world(seed, 12, options);
    for _ in 0..60 {
        let (one, other) = (world.rng().below(12), world.rng().below(12));
        match world.rng().below(12) {
            0 => world.crash(one),
            1 => world.lose_power(one),
            2 => world.pause(one),
            3 => world.leave(one),
            4 => world.partition(|node| if node % 2 == one % 2 { 1 } else { 2 }),
            5 => world.partition(|node| [1, 2, 3][(node % 3) as usize]),
            6 => drop(world.reset(one, other)),
            7 => world.cut(one, other, true),
            8 => world.set_clock(one, 700_000),
            9 => world.set_slow(one, Micros(300)),
            _ => world.heal(),
        }
        run(&mut world, Micros::from_millis(700));
        let again = world.rng().below(12);
        world.resume(again);
        world.start(again);
    }
    (world.trace.hash.value(), world.trace.steps, world.census.clone())
}

#[test]
fn a_seed_replays_to_the_byte_and_no_fault_stays_out() {
    let mut census = foundation_sim::Census::default();
    for seed in 0..10 {
        let (hash, steps, counts) = chaos(seed);
        let (again, steps_again, _) = chaos(seed);
        assert_eq!((hash, steps), (again, steps_again), "seed {seed}");
        assert_ne!(hash, chaos(seed + 100).0);
        census.merge(&counts);
    }
    let never = census.missing(Mark::ALL);
    let foreign = [
        "crossing-dials",
        "duplicate",
        "flapping-link",
        "dial-found-later-life",
        "hang-up",
        "broadcast",
        "route",
        "overlay-switch",
        "busy",
    ];
    let blind: Vec<_> = never.into_iter().filter(|name| !foreign.contains(name)).collect();
    assert!(blind.is_empty(), "never happened: {blind:?}; {census}");
}
