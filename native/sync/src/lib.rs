//! The only door to shared-memory primitives for lock-free code.
//!
//! In production each name is the one of `std`. Under `--cfg loom` it is loom's double, so that a
//! model checker can try every interleaving and every value that the memory model lets a load
//! return.

pub mod cell;

/// Atomic integers whose every access loom can branch on.
pub mod atomic {
    #[cfg(loom)]
    pub use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
    #[cfg(not(loom))]
    pub use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
}

#[cfg(loom)]
pub use loom::{
    hint,
    sync::{Arc, Mutex},
    thread,
};
#[cfg(not(loom))]
pub use std::{
    hint,
    sync::{Arc, Mutex},
    thread,
};
