//! Bugs that a Plumtree can be told to have.

use foundation_machine::Bug;

/// Each is caught by this crate's own tests; the simulator's checkers have to find them as well.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "plumtree_grafted_twice",
        what: "a broadcast that was asked for is delivered again when the tree brings it after all",
    },
    Bug {
        name: "plumtree_forgets_after_graft",
        what: "when a graft stays unanswered, no other announcer is asked",
    },
    Bug {
        name: "plumtree_silent_after_graft",
        what: "a broadcast that came by graft is not passed on",
    },
    Bug {
        name: "plumtree_prune_forgets_neighbour",
        what: "a pruned neighbour is dropped from the lazy ones too",
    },
    Bug {
        name: "plumtree_down_keeps_neighbour",
        what: "a neighbour that is gone stays, as a lazy one",
    },
    Bug {
        name: "plumtree_window_reopens",
        what: "an origin that is silent for the time of an exchange is forgotten with all it sent",
    },
    Bug {
        name: "plumtree_cache_grows",
        what: "the cache minds the age of payloads but not what they occupy",
    },
    Bug {
        name: "plumtree_down_drops_missing",
        what: "what the lost neighbour had announced is no longer sought, whoever else has it",
    },
];
