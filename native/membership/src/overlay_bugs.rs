//! Bugs that overlays can be told to have.

use foundation_machine::Bug;

use crate::hyparview::HYPARVIEW_BUGS;

const OTHERS: &[Bug] = &[
    Bug {
        name: "full_mesh_no_redial",
        what: "a full mesh does not dial a member again whose link was lost",
    },
    Bug { name: "client_takes_client", what: "a client takes another client for a neighbour" },
];

/// Bugs of all overlays, HyParView's first.
pub const OVERLAY_BUGS: &[&[Bug]] = &[HYPARVIEW_BUGS, OTHERS];
