//! Every interleaving of a ring of two slots, by loom: first that the protocol holds, then that
//! each planted mistake breaks it, which proves that the models look where they should.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test -p foundation-capture --release --test loom`
#![cfg(loom)]

#[path = "loom/planted.rs"]
mod planted;
#[path = "loom/scenarios.rs"]
mod scenarios;

use std::panic::{AssertUnwindSafe, catch_unwind};

use planted::Mistake;

/// Scheduling points at which a thread may be preempted, per execution. Known bugs of such
/// protocols need two; one more is the margin.
const PREEMPTIONS_MAX: usize = 3;

fn check(scenario: fn(Mistake), mistake: Mistake) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS_MAX);
    builder.check(move || scenario(mistake));
}

/// How loom words a side that sleeps for ever.
const LOST_WAKE_UP: &str = "deadlock";

/// How loom words a record that two threads reach with nothing between to order it.
const DATA_RACE: &str = "Causality violation";

/// Passes if loom finds an execution of the broken protocol that fails in just this way.
fn assert_found(scenario: fn(Mistake), mistake: Mistake, failure: &str) {
    let outcome = catch_unwind(AssertUnwindSafe(|| check(scenario, mistake)));
    let Err(payload) = outcome else { panic!("loom found nothing wrong with {mistake:?}") };
    let message = payload.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
    assert!(message.contains(failure), "{mistake:?} failed otherwise than by {failure}: {message}");
}

#[test]
fn two_writers_never_share_a_slot() {
    check(scenarios::writers, Mistake::None);
}

#[test]
fn no_record_is_lost_or_torn_by_a_polling_reader() {
    check(scenarios::polling, Mistake::None);
}

#[test]
fn a_slot_is_written_again_only_after_it_was_read() {
    check(scenarios::reuse, Mistake::None);
}

#[test]
fn the_oldest_record_is_either_read_or_dropped() {
    check(scenarios::dropping, Mistake::None);
}

#[test]
fn two_writers_that_drop_the_oldest_both_get_on() {
    check(scenarios::droppers, Mistake::None);
}

#[test]
fn a_sleeping_reader_is_always_woken() {
    check(scenarios::sleep, Mistake::None);
}

#[test]
fn a_sleeping_reader_is_woken_by_the_later_of_two_writers() {
    check(scenarios::sleep_before_two, Mistake::None);
}

#[test]
fn a_waiting_writer_is_always_told_of_room() {
    check(scenarios::space, Mistake::None);
}

#[test]
fn stamps_of_two_threads_are_never_the_same() {
    check(scenarios::stamps, Mistake::None);
}

#[test]
fn a_relaxed_commit_is_found() {
    assert_found(scenarios::polling, Mistake::CommitRelaxed, DATA_RACE);
}

#[test]
fn a_relaxed_look_at_a_written_slot_is_found() {
    assert_found(scenarios::polling, Mistake::SeeWrittenRelaxed, DATA_RACE);
}

#[test]
fn a_relaxed_free_is_found() {
    assert_found(scenarios::reuse, Mistake::FreeRelaxed, DATA_RACE);
}

#[test]
fn a_relaxed_look_at_a_free_slot_is_found() {
    assert_found(scenarios::reuse, Mistake::SeeFreeRelaxed, DATA_RACE);
}

#[test]
fn a_claim_in_two_steps_is_found() {
    assert_found(scenarios::writers, Mistake::ClaimInTwoSteps, DATA_RACE);
}

#[test]
fn a_take_in_two_steps_is_found() {
    assert_found(scenarios::dropping, Mistake::TakeInTwoSteps, DATA_RACE);
}

#[test]
fn a_reader_that_stores_that_it_sleeps_is_found() {
    assert_found(scenarios::sleep, Mistake::ArmStored, LOST_WAKE_UP);
}

#[test]
fn a_writer_that_only_loads_whether_the_reader_sleeps_is_found() {
    assert_found(scenarios::sleep, Mistake::LookLoaded, LOST_WAKE_UP);
}

#[test]
fn relaxed_looks_at_the_sleeping_reader_are_found() {
    assert_found(scenarios::sleep, Mistake::ArmRelaxed, LOST_WAKE_UP);
}

#[test]
fn a_reader_that_only_loads_whether_a_writer_waits_is_found() {
    assert_found(scenarios::space, Mistake::NotifyLoaded, LOST_WAKE_UP);
}

#[test]
fn a_writer_that_stores_that_it_waits_is_found() {
    assert_found(scenarios::space, Mistake::WaitStored, LOST_WAKE_UP);
}
