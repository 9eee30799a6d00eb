//! What Lifeguard is worth: members that are starved of the processor, with and without it.

use foundation_detector::DetectorOptions;
use foundation_machine::{Micros, PeerId};
use foundation_membership::{DownReason, RosterEvent};

use crate::scene::{Scene, peer};

/// False verdicts of failure among 16 nodes in five minutes of which three are starved: against
/// healthy members, and against the starved ones.
fn false_downs(seed: u64, options: DetectorOptions) -> (usize, usize) {
    let mut scene = Scene::new(seed, 16, options, |_, _| true);
    let starved: Vec<PeerId> = (0..3).map(|node| peer(node * 5)).collect();
    for &node in &starved {
        scene.slow_down(node, Micros::from_millis(300), Micros::from_millis(5_000));
    }
    scene.run(Micros::from_millis(300_000));
    let mut counts = (0, 0);
    for (_, _, event) in &scene.events {
        if let RosterEvent::MemberDown { peer, reason: DownReason::Failed } = event {
            let is_starved = starved.contains(peer);
            counts.0 += usize::from(!is_starved);
            counts.1 += usize::from(is_starved);
        }
    }
    counts
}

#[test]
fn starved_members_do_not_down_healthy_ones() {
    let (mut with, mut without) = ((0, 0), (0, 0));
    for seed in 1..=3 {
        let options = DetectorOptions::default();
        let off = false_downs(seed, options.without_lifeguard());
        let on = false_downs(seed, options);
        println!("seed {seed}: healthy/starved members down: {off:?} without, {on:?} with");
        without = (without.0 + off.0, without.1 + off.1);
        with = (with.0 + on.0, with.1 + on.1);
    }
    println!("in all: {without:?} without Lifeguard, {with:?} with it");
    assert!(without.0 > 0, "the experiment starves nobody");
    assert!(with.0 * 50 <= without.0, "{with:?} of {without:?}");
}
