//! Planted bugs that a cluster shows: each fails a scenario that passes without it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use foundation_detector::{DETECTOR_BUGS, DetectorOptions};
use foundation_machine::Planted;

use crate::detection;

#[test]
fn planted_bugs_that_a_cluster_shows_are_caught() {
    type Scenario = fn(DetectorOptions);
    let scenarios: [(&str, Scenario); 3] = [
        ("detector_judges_after_a_stall", |options| {
            (1..=20).for_each(|seed| detection::freeze_one_for_a_while(seed, options));
        }),
        ("detector_suspects_busy_members", detection::block_one),
        ("detector_ignores_lost_links", |options| {
            detection::kill_one(1, 10, options);
        }),
    ];
    for (name, scenario) in scenarios {
        let bug = DETECTOR_BUGS.iter().find(|bug| bug.name == name).expect("a listed bug");
        let options = DetectorOptions { planted: Planted::with(bug), ..Default::default() };
        let is_caught = catch_unwind(AssertUnwindSafe(|| scenario(options))).is_err();
        assert!(is_caught, "{name}");
    }
}
