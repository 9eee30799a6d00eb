//! What a broadcast or a relayed message carries, as machines pass it on: cheap to clone.

use std::sync::Arc;

use foundation_buffer::Slab;
use foundation_link::{Payload, Source};

/// Bytes of a parcel, shared by all who hold it.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Bytes(Arc<[u8]>),
    Slab(Slab),
}

impl Body {
    pub(crate) fn of(payload: Payload<'_>) -> Body {
        match payload {
            Payload::Inline(bytes) => Body::Bytes(bytes.into()),
            Payload::Slab(slab) => Body::Slab(slab),
        }
    }

    /// The bytes for one more receiver.
    pub(crate) fn payload(&self) -> Payload<'_> {
        match self {
            Body::Bytes(bytes) => Payload::Inline(bytes),
            Body::Slab(slab) => Payload::Slab(slab.clone()),
        }
    }

    /// The bytes behind the first `count`.
    pub(crate) fn from(&self, count: usize) -> Option<Body> {
        match self {
            Body::Bytes(bytes) => bytes.get(count..).map(|rest| Body::Bytes(rest.into())),
            Body::Slab(slab) => slab.slice(count..slab.len()).map(Body::Slab),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Body::Bytes(bytes) => bytes.len(),
            Body::Slab(slab) => slab.len(),
        }
    }
}

/// Whom the bytes are for, and how they are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// A topic, or the name that a relayed message is for; empty: it is for the process `to`.
    pub(crate) name: String,
    /// Number of the payload's encoding (3 bits).
    pub(crate) encoding: u8,
    pub(crate) is_request: bool,
    pub(crate) is_reply: bool,
    /// Not 0: the request of that number came back, for this reason.
    pub(crate) undelivered: u8,
    pub(crate) correlation: u32,
    pub(crate) reply_bytes_max: u32,
    pub(crate) source: Source,
    pub(crate) to: Source,
}

/// Payload of the cluster machine.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) envelope: Arc<Envelope>,
    /// This node's number of the channel.
    pub(crate) channel: u16,
    pub(crate) body: Body,
}

impl foundation_cluster::Payload for Parcel {
    fn bytes(&self) -> usize {
        self.body.len() + self.envelope.name.len() + size_of::<Envelope>()
    }
}

const REQUEST: u64 = 1 << 8;
const REPLY: u64 = 1 << 9;

impl Envelope {
    /// The numbers that stand for it on the wire, beside its name.
    pub(crate) fn numbers(&self) -> [u64; 4] {
        let mut marks = u64::from(self.encoding & 7);
        marks |= if self.is_request { REQUEST } else { 0 };
        marks |= if self.is_reply { REPLY } else { 0 };
        marks |= u64::from(self.undelivered) << 16;
        let call = u64::from(self.correlation) | u64::from(self.reply_bytes_max) << 32;
        [marks, call, pack(self.source), pack(self.to)]
    }

    pub(crate) fn read(name: String, [marks, call, source, to]: [u64; 4]) -> Envelope {
        Envelope {
            name,
            encoding: (marks & 7) as u8,
            is_request: marks & REQUEST != 0,
            is_reply: marks & REPLY != 0,
            undelivered: (marks >> 16) as u8,
            correlation: call as u32,
            reply_bytes_max: (call >> 32) as u32,
            source: unpack(source),
            to: unpack(to),
        }
    }
}

fn pack(source: Source) -> u64 {
    u64::from(source.slot) | u64::from(source.generation) << 16 | u64::from(source.serial) << 32
}

fn unpack(packed: u64) -> Source {
    Source { slot: packed as u16, generation: (packed >> 16) as u16, serial: (packed >> 32) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_comes_back_as_it_was_written() {
        let source = |slot| Source { slot, generation: 7, serial: u32::MAX - 3 };
        let envelope = Envelope {
            name: "orders".to_owned(),
            encoding: 4,
            is_request: true,
            is_reply: false,
            undelivered: 3,
            correlation: u32::MAX,
            reply_bytes_max: 9,
            source: source(3),
            to: source(u16::MAX),
        };
        let other = Envelope { is_request: false, is_reply: true, ..envelope.clone() };
        for one in [envelope, other, Envelope::default()] {
            assert_eq!(Envelope::read(one.name.clone(), one.numbers()), one);
        }
    }
}
