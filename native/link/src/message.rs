//! What goes through a link: messages to send, deliveries to hand on, events to report.

use foundation_buffer::Slab;
use foundation_frame::Encoding;

/// Credit that a message costs on top of its payload: its header's size on the wire.
pub(crate) const MESSAGE_COST_BYTES: u64 = 64;

/// The sending isolate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Source {
    /// Scheduler slot.
    pub slot: u16,
    /// Generation of the slot: a later isolate in the same slot has another one.
    pub generation: u16,
    /// Process within the isolate; 0 is the isolate itself.
    pub serial: u32,
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// A name registered at the peer, by its number in the sender's name table.
    Named(u32),
    /// An isolate's process, as learnt from a message of it.
    Process(Source),
}

/// The sender and receiver between which order holds. Answers are a pair of their own: were they to
/// follow messages that wait for credit, two isolates that call each other could wait for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PairKey {
    pub(crate) source: Source,
    pub(crate) destination: Destination,
    pub(crate) is_reply: bool,
}

/// Bytes of a message.
#[derive(Debug)]
pub enum Payload<'a> {
    /// Bytes that the callee must copy before it returns.
    Inline(&'a [u8]),
    /// A reference to a slab; it is given away.
    Slab(Slab),
}

impl Payload<'_> {
    /// The bytes, wherever they lie.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Payload::Inline(bytes) => bytes,
            Payload::Slab(slab) => slab.as_slice(),
        }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A message to send.
#[derive(Debug)]
pub struct Message<'a> {
    /// The sender's channel number.
    pub channel: u16,
    /// The sending isolate.
    pub source: Source,
    /// The receiver.
    pub destination: Destination,
    /// How the payload is encoded.
    pub encoding: Encoding,
    /// Whether an answer is expected.
    pub is_request: bool,
    /// Whether this is the answer to a request.
    pub is_reply: bool,
    /// For a reply: whether it fits the credit that the request reserved for it.
    pub is_reply_reserved: bool,
    /// Number of the call; 0 for a message without one.
    pub correlation: u32,
    /// For a request: the largest reply that its reserved credit covers.
    pub reply_bytes_max: u32,
    /// For monotonic channels: messages of one receiver and key replace each other. Also picks the
    /// lane.
    pub key: &'a [u8],
    /// The bytes.
    pub payload: Payload<'a>,
}

/// A message that arrived whole.
#[derive(Debug)]
pub struct Delivery<'a> {
    /// The receiver's channel number.
    pub channel: u16,
    /// The account that the sender charged; give it back with [`crate::Link::settle`].
    pub account: u16,
    /// Whether the message was charged at all. A reply within its reservation was not.
    pub is_charged: bool,
    /// The sending isolate at the peer.
    pub source: Source,
    /// The receiver: `Named` carries the receiver's own name number.
    pub destination: Destination,
    /// Number of the payload's encoding, known to this version or not (see [`Encoding`]).
    pub encoding_bits: u8,
    /// Whether the sender waits for an answer.
    pub is_request: bool,
    /// Whether this answers a request of ours.
    pub is_reply: bool,
    /// Number of the call; 0 for a message without one.
    pub correlation: u32,
    /// For a request: the largest reply that may use the reserved credit.
    pub reply_bytes_max: u32,
    /// What [`crate::Link::enqueue_carrying`] had sent along; empty for all else.
    pub head: &'a [u8],
    /// The bytes.
    pub payload: Payload<'a>,
}

/// Why a request came back without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum UndeliveredReason {
    /// No such name or process at the receiver.
    NoProcess = 1,
    /// The receiver has no memory for it now.
    Exhausted = 2,
    /// A reason that this version does not know.
    Other = 255,
}

impl UndeliveredReason {
    pub(crate) fn from_wire(reason: u8) -> UndeliveredReason {
        match reason {
            1 => UndeliveredReason::NoProcess,
            2 => UndeliveredReason::Exhausted,
            _ => UndeliveredReason::Other,
        }
    }
}

/// What a link reports besides deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The queue of a channel fell below its low-water mark.
    Writable(u16),
    /// The queue of a channel passed its high-water mark.
    Unwritable(u16),
    /// The peer's number of isolates that are stalled changed.
    Busy(u16),
    /// Members that the peer knows.
    Members(Vec<foundation_schema::Member>),
    /// What the peer's host says to this one's; the link itself has no part in it.
    Host(Box<foundation_schema::Control>),
    /// The peer asks the dialling side to open this lane.
    LaneWanted(u8),
    /// The peer leaves the cluster in good order.
    Left(String),
    /// A request of this isolate could not be delivered.
    Undelivered {
        /// The isolate that made the call.
        slot: u16,
        /// Number of the call.
        correlation: u32,
        /// Why.
        reason: UndeliveredReason,
    },
    /// A round trip was measured.
    RoundTrip(crate::Micros),
    /// The peer's regular probe came.
    Heartbeat,
    /// The peer owes an answer. Others may be silent too: whoever watches some peers for many looks
    /// after all of its own, and tells them.
    Doubt,
    /// The peer misses somebody's answer: this node looks after all of its own peers.
    Alarm,
}

/// Receives what a link puts out. Calls come in order; none may call back into the link.
pub trait Outbox {
    /// Hands on a message that arrived whole. A verdict other than `Taken` makes the link give the
    /// credit back and answer a request with the reason.
    fn deliver(&mut self, delivery: Delivery<'_>) -> Verdict;
    /// Translates a name the peer announced into the node's own number and the account of the
    /// isolate that owns it ([`crate::UNBOUND_ACCOUNT`] while nobody does); `None` when the name
    /// table is full.
    fn intern(&mut self, name: &str) -> Option<(u32, u16)>;
}

/// What the host did with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It will be settled once its handler is done.
    Taken,
    /// Nobody has that name or process.
    NoProcess,
    /// There is no memory for it now.
    Exhausted,
}

/// Tells the name behind a number, for its first use on a link.
pub trait Names {
    /// The name, or `None` for a number that was never given out.
    fn name(&self, id: u32) -> Option<String>;
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// Larger than the peer accepts.
    TooLarge,
    /// The queue of the channel is full beyond its overrun allowance.
    Overflow,
    /// No channel of that number.
    UnknownChannel,
    /// The destination's name number was never given out.
    UnknownName,
}

impl Refused {
    /// Stable snake_case name, listed in docs/errors.md.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Refused::TooLarge => "message_too_large",
            Refused::Overflow => "queue_overflow",
            Refused::UnknownChannel => "unknown_channel",
            Refused::UnknownName => "unknown_name",
        }
    }
}
