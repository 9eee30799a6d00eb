//! What the protocol machines share: time as an argument, identities, timers, random numbers and
//! planted bugs.
//!
//! A machine is a value with `handle(input, now, out)`. It names no socket, clock, thread or global
//! random source: inputs say what happened, outputs what the host has to do, [`Timers`] when it
//! wants to be called again, and its [`Rng`] is seeded by whoever makes it. Whatever decides the
//! order of outputs is an ordered collection. So the production host and the simulator drive the
//! very same code, and a seed replays a run to the byte.

#![forbid(unsafe_code)]

mod identity;
mod planted;
mod random;
mod time;
mod timers;

pub use identity::{NodeLife, NodeNo, PeerId};
pub use planted::{Bug, Planted};
pub use random::Rng;
pub use time::Micros;
pub use timers::Timers;
