//! Plumtree over any membership.
//!
//! The protocol by Leitão, Pereira and Rodrigues ("Epidemic Broadcast Trees", SRDS 2007): payloads
//! go down a tree made of *eager* links; over the other, *lazy* links goes only word of them, and
//! whoever hears of one that the tree does not bring grafts the link it heard from into the tree.
//! One tree is shared by all origins. [`Plumtree`] is told who its neighbours are and asks nobody
//! else.
//!
//! What is promised: a broadcast is delivered at most once for as long as its origin is remembered
//! ([`PlumtreeOptions::origins_max`] of them), and to everybody who is connected to its origin,
//! also over links that changed meanwhile, as long as somebody near still has it in its cache.
//! Broadcasts of one origin can arrive in another order than they were sent in: one that had to be
//! grafted comes behind those that the tree brought.

#![forbid(unsafe_code)]

mod bugs;
mod cache;
mod exchange;
mod io;
mod links;
mod missing;
mod options;
mod plumtree;
mod window;

pub use bugs::BUGS;
pub use io::{
    ANNOUNCEMENTS_MAX, Announcement, BroadcastId, BroadcastInput, BroadcastOutput, MARK_RANGES_MAX,
    MARKS_MAX, Mark, Payload, PlumtreeMessage,
};
pub use options::PlumtreeOptions;
pub use plumtree::{Plumtree, PlumtreeCounters};
