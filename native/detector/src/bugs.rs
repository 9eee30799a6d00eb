//! The bugs that a detector can be told to have.

use foundation_machine::Bug;

/// Each is asked for by name at the step that it changes.
pub const DETECTOR_BUGS: &[Bug] = &[
    Bug {
        name: "detector_never_asks_others",
        what: "a member that does not answer is suspected without asking anybody else",
    },
    Bug {
        name: "detector_judges_after_a_stall",
        what: "a node that stood still takes its own silence for that of the others",
    },
    Bug {
        name: "detector_suspects_busy_members",
        what: "a member whose isolates are blocked counts as silent",
    },
    Bug {
        name: "detector_counts_a_suspector_twice",
        what: "one member's suspicion, heard again, counts as a confirmation",
    },
    Bug {
        name: "detector_suspicion_starts_anew",
        what: "each repetition of a suspicion restarts its clock: a dead member stays suspect",
    },
    Bug {
        name: "detector_learns_from_gaps",
        what: "the gap that ended a suspicion counts as the link's rhythm",
    },
    Bug { name: "detector_ignores_lost_links", what: "a link that breaks is no reason to suspect" },
];
