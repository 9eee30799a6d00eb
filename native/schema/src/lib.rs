//! Control messages that links exchange: FlatBuffers on the wire, plain owned values in Rust.
//!
//! The wire format is `control.fbs`; its generated code stays inside this crate, so that nobody
//! else can reach a table that was not verified. [`Control::decode`] verifies a message under
//! limits on depth, tables and size, then checks every string and list against a named limit
//! before it copies them. [`Encoder`] refuses what a peer's decoder would refuse.
//!
//! ```
//! use foundation_schema::{Bind, Control};
//!
//! let bind = Control::Bind(Bind { id: 7, name: "registry".to_owned() });
//! let wire = bind.encode()?;
//! assert_eq!(Control::decode(&wire)?, bind);
//! # Ok::<(), foundation_schema::SchemaError>(())
//! ```

mod build;
mod decode;
mod encode;
mod error;
mod limits;
mod message;

#[rustfmt::skip]
#[allow(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    missing_docs,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    reason = "written by flatc: its style is not ours to choose, and control.fbs holds the docs"
)]
mod generated;

pub use decode::decode_handshake;
pub use encode::Encoder;
pub use error::SchemaError;
pub use foundation_machine::NodeLife;
pub use limits::{
    ADDRESS_BYTES_MAX, CARRIED_BYTES_MAX, CHANNELS_MAX, CONTROL_BYTES_MAX, CREDIT_ENTRIES_MAX,
    DETAIL_BYTES_MAX, HANDSHAKE_BYTES_MAX, MACHINE_NUMBERS_MAX, MEMBERS_MAX, NAME_BYTES_MAX,
    SECRET_BYTES,
};
pub use message::{
    Auth, Bind, Bound, ChannelSpec, Control, CreditEntry, Credits, Hello, LaneWanted, Leave,
    LinkUse, Machine, Member, Members, Ping, Pong, Ready, Reject, Reserve, Role, Status,
    Undelivered,
};
