//! Every interleaving of a tiny ring, by loom: first that the protocol holds, then that each
//! planted weakening of it breaks, which proves that the models look where they should.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test -p foundation-ring --release --test loom`
#![cfg(loom)]

#[path = "loom/memory.rs"]
mod memory;
#[path = "loom/scenarios.rs"]
mod scenarios;

use std::panic::{AssertUnwindSafe, catch_unwind};

use memory::Weakening;

/// Scheduling points at which a thread may be preempted, per execution. Known bugs of such
/// protocols need two; one more is the margin.
const PREEMPTIONS_MAX: usize = 3;

fn check(scenario: fn(Weakening), weakening: Weakening) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS_MAX);
    builder.check(move || scenario(weakening));
}

/// How loom words a side that sleeps for ever.
const LOST_WAKE_UP: &str = "deadlock";

/// How loom words bytes that are read and written with nothing between to order it.
const DATA_RACE: &str = "Causality violation";

/// Passes if loom finds an execution of the weakened protocol that fails in just this way.
fn assert_found(scenario: fn(Weakening), weakening: Weakening, failure: &str) {
    let outcome = catch_unwind(AssertUnwindSafe(|| check(scenario, weakening)));
    let Err(payload) = outcome else { panic!("loom found nothing wrong with {weakening:?}") };
    let message = payload.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
    assert!(
        message.contains(failure),
        "{weakening:?} failed otherwise than by {failure}: {message}"
    );
}

#[test]
fn no_record_is_lost_or_torn_by_a_polling_consumer() {
    check(scenarios::polling, Weakening::None);
}

#[test]
fn room_released_is_written_again_only_after_it_was_read() {
    check(scenarios::reuse, Weakening::None);
}

#[test]
fn a_sleeping_consumer_is_always_woken() {
    check(scenarios::sleep, Weakening::None);
}

#[test]
fn a_waiting_producer_is_always_notified() {
    check(scenarios::space, Weakening::None);
}

#[test]
fn a_stream_that_sleeps_on_both_sides_arrives_whole() {
    check(scenarios::stream, Weakening::None);
}

#[test]
fn a_relaxed_tail_is_found() {
    assert_found(scenarios::polling, Weakening::TailRelaxed, DATA_RACE);
}

#[test]
fn a_relaxed_head_is_found() {
    assert_found(scenarios::reuse, Weakening::HeadRelaxed, DATA_RACE);
}

#[test]
fn a_head_published_before_the_read_is_found() {
    assert_found(scenarios::reuse, Weakening::HeadBeforeRead, DATA_RACE);
}

#[test]
fn a_producer_that_stores_armed_is_found() {
    assert_found(scenarios::sleep, Weakening::ArmedStoredByProducer, LOST_WAKE_UP);
}

#[test]
fn a_consumer_that_stores_armed_is_found() {
    assert_found(scenarios::sleep, Weakening::ArmedStoredByConsumer, LOST_WAKE_UP);
}

#[test]
fn a_tail_loaded_before_arming_is_found() {
    assert_found(scenarios::sleep, Weakening::TailBeforeArmed, LOST_WAKE_UP);
}

#[test]
fn armed_swapped_before_the_tail_is_published_is_found() {
    assert_found(scenarios::sleep, Weakening::ArmedBeforeTail, LOST_WAKE_UP);
}

#[test]
fn relaxed_swaps_of_armed_are_found() {
    assert_found(scenarios::sleep, Weakening::ArmedRelaxed, LOST_WAKE_UP);
}

#[test]
fn a_consumer_that_only_loads_waiting_is_found() {
    assert_found(scenarios::space, Weakening::WaitingLoadedByConsumer, LOST_WAKE_UP);
}

#[test]
fn a_head_loaded_before_waiting_is_found() {
    assert_found(scenarios::space, Weakening::HeadBeforeWaiting, LOST_WAKE_UP);
}
