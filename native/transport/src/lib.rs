//! Moves a link's bytes through sockets. What to send is the link's decision; this crate only
//! writes as many frames as fit one system call, reads as many as have come, and keeps the system's
//! queue short.

#![forbid(unsafe_code)]

mod incoming;
mod lane;
mod listener;
mod read_buffer;
mod sealed_buffer;

pub use incoming::Incoming;
pub use lane::{Flushed, Lane, TransportOptions};
pub use listener::Listener;
pub use read_buffer::{Read, ReadBuffer, Sink};
pub use sealed_buffer::SealedBuffer;
