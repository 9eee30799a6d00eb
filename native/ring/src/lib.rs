//! Byte rings between one producer and one consumer that share nothing but a block of memory.
//!
//! Rust and JavaScript each may be either side: [`layout`] is the contract, `docs` of the halves
//! say which ordering pairs with which. A ring carries records of up to a quarter of its size,
//! contiguous and 8-aligned, so they are read in place. Neither side ever waits inside: it is told
//! when it may sleep (`arm`, `await_space`) and when the other must be woken (`publish`,
//! `release`).
//!
//! ```
//! use core::ptr::NonNull;
//! use foundation_ring::{Consumer, Producer, SharedBlock, layout};
//!
//! #[repr(align(128))]
//! struct Block([u8; layout::block_bytes(1024)]);
//! let mut block = Box::new(Block([0; layout::block_bytes(1024)]));
//! let base = NonNull::from(&mut block.0).cast();
//!
//! // SAFETY: the block outlives both halves, and nobody else touches it.
//! let share = || unsafe { SharedBlock::new(base, layout::block_bytes(1024)) };
//! let mut producer = Producer::new(share()?, 1024)?;
//! let mut consumer = Consumer::new(share()?, 1024)?;
//!
//! producer.try_push(7, &[b"hello ", b"world"])?;
//! assert!(!producer.publish(), "nobody sleeps, so no doorbell rings");
//! let record = consumer.next()?.ok_or("published, so it is there")?;
//! assert_eq!((record.tag, record.body), (7, &b"hello world"[..]));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod consumer;
mod error;
pub mod layout;
mod memory;
mod producer;

pub use consumer::{Consumer, Record};
pub use error::{AttachError, Corrupt, Refused};
pub use memory::{Memory, SharedBlock};
pub use producer::Producer;
