//! Who is alive, busy, suspect or down; how far it is.
//!
//! [`Probing`] watches links by their heartbeats ([`Phi`]), probes members without a link, asks
//! others where there is no answer, and gives verdicts to the roster. [`Vivaldi`] tells how far
//! members are from each other.

#![forbid(unsafe_code)]

mod bugs;
mod health;
mod io;
mod losses;
mod options;
mod phi;
mod probes;
mod probing;
mod suspicion;
mod vivaldi;

pub use bugs::DETECTOR_BUGS;
pub use io::{DetectorCounters, DetectorInput, DetectorMessage, DetectorOutput};
pub use options::{DetectorOptions, PhiOptions};
pub use phi::Phi;
pub use probing::Probing;
pub use vivaldi::{Coordinate, DIMENSIONS, Vivaldi};
