//! Bugs that HyParView can be told to have.

use foundation_machine::Bug;

/// Bugs of HyParView.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "hyparview_accepts_beyond_full",
        what: "a full active view takes one more in without putting anybody out",
    },
    Bug {
        name: "hyparview_neighbour_stays_passive",
        what: "a new neighbour is not taken out of the passive view",
    },
    Bug {
        name: "hyparview_evicts_in_silence",
        what: "a neighbour that is put out is not told, and the link to it is kept",
    },
    Bug {
        name: "hyparview_keeps_the_dead",
        what: "a peer that cannot be reached stays in the passive view",
    },
    Bug {
        name: "hyparview_repairs_once",
        what: "one candidate is asked per repair instead of all until the view is full",
    },
    Bug {
        name: "hyparview_waits_for_ever",
        what: "a request has no timeout: an unanswered one takes up its place for good",
    },
    Bug {
        name: "hyparview_always_high",
        what: "a request to fill the view always has the high priority and puts others out",
    },
    Bug {
        name: "hyparview_takes_itself",
        what: "a node takes itself into its passive view when a shuffle names it",
    },
    Bug {
        name: "hyparview_merges_nobody",
        what: "a seed that is asked by another component's root says that it is its own",
    },
    Bug {
        name: "xbot_all_biased",
        what: "the most expensive neighbours may be swapped away, so that no random link is left",
    },
    Bug {
        name: "xbot_ignores_cost",
        what: "d takes o in place of c though that is more expensive",
    },
    Bug {
        name: "xbot_waits_for_ever",
        what: "c has no timeout: after the loss of one answer it takes part in no swap",
    },
    Bug {
        name: "xbot_takes_both",
        what: "d keeps c when it takes o, so that its view outgrows its size",
    },
];
