//! Changes an overlay from one strategy to another while messages flow.
//!
//! A coordinator proposes; everybody brings the new overlay up beside the old one and says when it
//! has neighbours there; the coordinator commits once all members have, or aborts. News goes from
//! neighbour to neighbour as state that can be told twice: what the overlay is, which attempt is
//! under way and who is ready, which attempt was given up. The newest committed epoch wins
//! everywhere, also over an attempt given up meanwhile, so members that were cut off, came late or
//! lost their coordinator end where the others are.

mod attempt;
mod bugs;
mod io;
mod machine;
mod neighbours;
mod options;

pub use bugs::SWITCH_BUGS;
pub use io::{
    Closed, Epoch, Proposal, READY_MAX, SwitchFailure, SwitchInput, SwitchMessage, SwitchOutput,
    Version,
};
pub use machine::{Switch, SwitchCounters};
pub use neighbours::NeighbourUnion;
pub use options::SwitchOptions;
