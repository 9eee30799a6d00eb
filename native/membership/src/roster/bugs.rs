//! The bugs that a roster can be told to have.

use foundation_machine::Bug;

/// Each is asked for by name at the step that it changes.
pub const ROSTER_BUGS: &[Bug] = &[
    Bug {
        name: "roster_equal_incarnation_clears",
        what: "old news of the same incarnation clears a suspicion",
    },
    Bug {
        name: "roster_never_refutes",
        what: "a member that hears itself suspected or found failed does not answer",
    },
    Bug {
        name: "roster_verdict_unheard",
        what: "a member goes from alive to failed on another's word, without a chance to answer",
    },
    Bug {
        name: "roster_forgets_gone_lives",
        what: "a tombstone that expires leaves no trace, and old news brings the life back",
    },
    Bug {
        name: "roster_restart_unannounced",
        what: "a later life replaces the earlier one without its MemberDown",
    },
    Bug {
        name: "roster_digest_of_lives_only",
        what: "the digest leaves out terms, incarnations and claims: lost news is never found",
    },
    Bug {
        name: "roster_removal_refutable",
        what: "a life that left or was evicted comes back with a higher incarnation",
    },
    Bug {
        name: "roster_tells_one_neighbour",
        what: "news is told to one neighbour and then dropped",
    },
];
