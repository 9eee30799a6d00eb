//! Switches among many members: every news takes time, may be lost, and members crash.

mod switch_world;

use foundation_machine::{Micros, Rng};
use foundation_membership::{
    Epoch, READY_MAX, Switch, SwitchFailure, SwitchInput, SwitchMessage, SwitchOptions,
    SwitchOutput, Version,
};
use switch_world::{World, parted_story, peer, story};

#[test]
fn a_thousand_stories_end_alike_everywhere_and_commit_one_strategy_per_number() {
    let (mut promoted, mut failed) = (0, 0);
    for seed in 0..1_000 {
        let world = story(seed, SwitchOptions::default());
        assert!(world.faults.is_empty(), "seed {seed}: {:#?}", world.faults);
        promoted += world.committed.len();
        failed += world.failures.len();
    }
    println!("{promoted} epochs committed, {failed} proposals failed");
    assert!(promoted > 500 && failed > 200, "{promoted} committed, {failed} failed");
}

#[test]
fn halves_that_were_apart_end_alike_when_they_meet_again() {
    let mut both = 0;
    for seed in 0..300 {
        let world = parted_story(seed, SwitchOptions::default());
        assert!(world.faults.is_empty(), "seed {seed}: {:#?}", world.faults);
        both += u32::from(!world.committed.is_empty() && !world.failures.is_empty());
    }
    assert!(both > 0, "no half ever committed what another gave up");
}

fn world(members: u32) -> World {
    World::new(1, members, SwitchOptions::default())
}

fn strategies(world: &World) -> Vec<u8> {
    world.nodes.values().map(|node| node.current().strategy).collect()
}

#[test]
fn all_members_move_and_drop_the_old_overlay_once_it_is_drained() {
    let mut world = world(10);
    world.propose(peer(0), 1);
    world.run_for(2_500);
    assert_eq!(strategies(&world), [1; 10]);
    assert!(world.nodes.values().all(|node| node.draining() == Some(Epoch::FIRST)));
    world.run_for(13_000);
    world.check_end();
    assert!(world.faults.is_empty(), "{:#?}", world.faults);
}

#[test]
fn a_proposal_is_refused_unless_epoch_and_strategy_are_as_it_says() {
    for (number, from) in [(1, 0), (0, 1)] {
        let mut world = world(3);
        world.tell(peer(0), SwitchInput::Propose { number, from, to: 2 });
        assert_eq!(world.failures, [(peer(0), Epoch::FIRST, SwitchFailure::Changed)]);
    }
    let mut world = world(3);
    world.propose(peer(0), 1);
    world.propose(peer(0), 2);
    assert_eq!(world.failures, [(peer(0), Epoch::FIRST, SwitchFailure::UnderWay)]);
}

#[test]
fn of_two_proposals_at_once_one_goes_through_and_the_other_is_told() {
    let mut world = world(8);
    world.propose(peer(0), 1);
    world.propose(peer(4), 2);
    world.run_for(60_000);
    // Node 0 was started before node 4.
    assert_eq!(strategies(&world), [1; 8]);
    let [(by, _, reason)] = world.failures[..] else { panic!("{:?}", world.failures) };
    assert_eq!((by, reason), (peer(4), SwitchFailure::UnderWay));
}

#[test]
fn a_member_that_is_never_ready_leaves_all_in_the_old_overlay() {
    let mut world = world(8);
    world.lonely.insert(peer(5));
    world.propose(peer(0), 1);
    world.run_for(60_000);
    assert_eq!(strategies(&world), [0; 8]);
    let [(_, epoch, reason)] = world.failures[..] else { panic!("{:?}", world.failures) };
    assert_eq!((epoch.number, reason), (1, SwitchFailure::TimedOut));
    world.check_end();
    assert!(world.faults.is_empty(), "{:#?}", world.faults);
    // Its number is used up.
    world.lonely.clear();
    world.propose(peer(1), 2);
    world.run_for(60_000);
    assert_eq!(world.nodes[&peer(7)].current().epoch.number, 2);
}

#[test]
fn a_member_that_cannot_follow_ends_the_attempt_at_once() {
    let mut world = world(8);
    world.propose(peer(0), 1);
    world.run_for(300);
    let epoch = world.nodes[&peer(5)].attempt().expect("heard of it").version.epoch;
    world.tell(peer(5), SwitchInput::Refused(epoch));
    world.run_for(300);
    assert_eq!(world.failures, [(peer(0), epoch, SwitchFailure::Refused)]);
    assert!(world.nodes.values().all(|node| node.attempt().is_none()));
}

#[test]
fn a_member_alone_switches_by_itself_and_a_newcomer_learns_what_there_is() {
    let mut world = world(1);
    world.propose(peer(0), 3);
    world.run_for(2_000);
    world.join(peer(1));
    world.run_for(1_000);
    assert_eq!(strategies(&world), [3, 3]);
    assert!(world.faults.is_empty(), "{:#?}", world.faults);
}

#[test]
fn nothing_is_told_to_a_new_neighbour_before_there_was_a_change() {
    let options = SwitchOptions::default();
    let mut switch = Switch::new(options, peer(0), 1u8, Rng::new(1), Micros(0));
    let mut told = |input| {
        let mut out = Vec::new();
        switch.handle(input, Micros(1), &mut out);
        out.iter().filter(|output| matches!(output, SwitchOutput::Send { .. })).count()
    };
    assert_eq!(told(SwitchInput::NeighbourUp(peer(1))), 0);
    assert_eq!(told(SwitchInput::Propose { number: 0, from: 1, to: 2 }), 1);
    assert_eq!(told(SwitchInput::NeighbourUp(peer(2))), 1, "of what is proposed");
    told(SwitchInput::NeighbourDown(peer(2)));
    let epoch = Epoch { number: 1, coordinator: Some(peer(0)) };
    told(SwitchInput::Refused(epoch));
    assert_eq!(told(SwitchInput::NeighbourUp(peer(2))), 1, "of what became of it");
}

#[test]
fn messages_that_nobody_would_send_change_nothing() {
    let mut world = world(2);
    let version =
        |number| Version { epoch: Epoch { number, coordinator: Some(peer(1)) }, strategy: 9 };
    let message = |current, ready| SwitchMessage { current, proposal: None, closed: None, ready };
    let long = vec![peer(1); READY_MAX + 1];
    for message in [message(version(u32::MAX), vec![]), message(version(1), long)] {
        world.tell(peer(0), SwitchInput::Received { from: peer(1), message });
    }
    assert_eq!(world.nodes[&peer(0)].counters().malformed, 2);
    assert_eq!(world.nodes[&peer(0)].current().epoch, Epoch::FIRST);
}

#[cfg(feature = "planted")]
#[test]
fn each_planted_bug_is_caught_within_two_hundred_stories() {
    for bug in foundation_membership::SWITCH_BUGS {
        let planted = foundation_machine::Planted::with(bug);
        let caught = (0..200).find_map(|seed| {
            let options = SwitchOptions { planted, ..SwitchOptions::default() };
            let parted = parted_story(seed, options.clone());
            let faults = [parted.faults, story(seed, options).faults].concat();
            faults.first().map(|fault| (seed, fault.clone()))
        });
        let (seed, fault) = caught.unwrap_or_else(|| panic!("{} is not caught", bug.name));
        println!("{}: seed {seed}: {fault}", bug.name);
    }
}
