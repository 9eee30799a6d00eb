//! Each planted bug fails a scenario that passes without it.

use std::panic::catch_unwind;

use foundation_machine::Planted;
use foundation_membership::{DownReason, ROSTER_BUGS, RosterInput, RosterOptions};

use crate::{bars, cuts};

/// The first scenario that fails.
fn caught_by(options: RosterOptions) -> Option<String> {
    let fails = |scenario: &dyn Fn()| catch_unwind(std::panic::AssertUnwindSafe(scenario)).is_err();
    for seed in 1..=200 {
        if fails(&|| cuts::fail_each_other_and_merge(seed, options)) {
            return Some(format!("sides that fail each other, seed {seed}"));
        }
        if fails(&|| cuts::live_apart_and_merge(seed, options)) {
            return Some(format!("sides that live apart, seed {seed}"));
        }
    }
    if fails(&|| cuts::remove_and_merge(DownReason::Left, RosterInput::Left, options)) {
        return Some("a member that left".into());
    }
    if fails(&|| cuts::forget_and_merge(options)) {
        return Some("a member that is forgotten".into());
    }
    if fails(&|| bars::spread_news(2, 100, options)) {
        return Some("news that spreads".into());
    }
    fails(&|| bars::lose_news(options)).then(|| "news that is lost".into())
}

#[test]
fn every_planted_bug_is_caught() {
    for bug in ROSTER_BUGS {
        let options = RosterOptions { planted: Planted::with(bug), ..Default::default() };
        let caught = caught_by(options);
        println!("{}: {}", bug.name, caught.as_deref().unwrap_or("not caught"));
        assert!(caught.is_some(), "{}", bug.name);
    }
}
