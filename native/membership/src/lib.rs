//! Who is in the cluster, and who links to whom.
//!
//! An *overlay* decides which links a node wants and which of them are its neighbours; the host
//! makes the links. Each overlay is a pure machine behind [`OverlayInput`] and [`OverlayOutput`].

#![forbid(unsafe_code)]

mod overlay;

pub use overlay::{LinkEnd, OverlayInput, OverlayOutput};
