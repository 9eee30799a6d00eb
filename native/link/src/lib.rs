//! One link between two nodes, as a state machine: bytes, messages and time go in; bytes,
//! deliveries and events come out. No socket, clock, thread or global random is named here, so the
//! simulator and the production host drive the very same code (ARCHITECTURE.md, "Life of a
//! message").
//!
//! A link lives over one or several *lanes* (connections). Losing one lane ends the link and its
//! epoch.

#![forbid(unsafe_code)]

mod batch;
mod budget;
mod busy;
mod channel;
mod control;
mod counters;
mod credit;
mod dial;
mod enqueue;
mod error;
mod flow;
mod handshake;
mod identity;
mod keep_alive;
mod landing;
mod ledger;
mod link;
mod message;
mod names;
mod options;
mod outgoing;
mod queue;
mod reassembly;
mod receive;
mod receive_account;
mod scheduler;
mod send_account;
mod transmit;

pub use batch::{Batch, Piece};
pub use budget::Budget;
pub use channel::{CHANNELS_MAX, DEFAULT_CHANNEL, LANES_MAX, plain_channel};
pub use counters::LinkCounters;
pub use dial::{Crossing, DialOptions, Redial, crossing};
pub use error::{LinkError, RejectCode};
pub use foundation_frame::Encoding;
pub use foundation_machine::Micros;
pub use foundation_schema::{ChannelSpec, Control, LinkUse, Machine, Member, NodeLife, Role};
pub use foundation_seal::{AuthKey, Key, KeyError, KeyRing, SealError};
pub use handshake::{Handshake, Joining, Progress};
pub use identity::{Established, Identity, LinkKeys};
pub use keep_alive::Watch;
pub use ledger::{HOST_SLOT, UNBOUND_ACCOUNT};
pub use link::{Link, PeerChannels};
pub use message::{
    Delivery, Destination, Event, Message, Names, Outbox, Payload, Refused, Source,
    UndeliveredReason, Verdict,
};
pub use options::LinkOptions;
