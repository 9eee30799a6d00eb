//! Bugs that a switch can be told to have.

use foundation_machine::Bug;

/// Each is caught by this crate's own tests; the simulator's checkers have to find them as well.
pub const SWITCH_BUGS: &[Bug] = &[
    Bug {
        name: "switch_commits_early",
        what: "the coordinator commits as soon as more than half of the members are ready",
    },
    Bug {
        name: "switch_ignores_base",
        what: "a member takes part in an attempt that starts from another epoch than its own",
    },
    Bug {
        name: "switch_waits_for_the_dead",
        what: "an attempt whose coordinator is gone is never given up",
    },
    Bug {
        name: "switch_breaks_before_make",
        what: "the old overlay is dropped at once when the new one is promoted",
    },
    Bug {
        name: "switch_takes_a_number_twice",
        what: "the number of an attempt that failed is given to the next one",
    },
    Bug {
        name: "switch_abort_beats_commit",
        what: "who has given an attempt up does not believe that it was committed",
    },
];
