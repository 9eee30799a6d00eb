//! The bugs that a node can be told to have.

use foundation_machine::Bug;

/// Those of the composition itself.
const BUGS: &[Bug] = &[
    Bug {
        name: "cluster_hangs_up_shared_link",
        what: "an overlay that releases a link has it hung up though another still holds it",
    },
    Bug {
        name: "cluster_link_down_misses_overlay",
        what: "the first overlay does not hear that a link is gone",
    },
    Bug {
        name: "cluster_delivers_before_up",
        what: "a message is delivered before the node is announced that it came from",
    },
    Bug {
        name: "cluster_delivers_after_down",
        what: "a message of a life that is over is delivered",
    },
];

/// The bugs of every machine of a node, in a fixed order.
#[must_use]
pub fn bugs() -> Vec<Bug> {
    let machines = [
        BUGS,
        crate::router::BUGS,
        foundation_membership::ROSTER_BUGS,
        foundation_membership::SWITCH_BUGS,
        foundation_detector::DETECTOR_BUGS,
        foundation_broadcast::BUGS,
    ];
    [machines.concat(), foundation_membership::OVERLAY_BUGS.concat()].concat()
}
