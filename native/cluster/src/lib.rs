//! One node's machines put together: the roster of members, its overlays, broadcasts, probes and
//! routes over one set of links. The production host and the simulator drive this same value
//! through [`Input`] and [`Output`].

#![forbid(unsafe_code)]

mod io;

pub use foundation_membership::LinkEnd;
pub use io::{Input, Output, OverlayNo};
