//! The messages of one sender to one receiver that may not pass each other.

use std::collections::{BTreeMap, VecDeque};

use foundation_buffer::Slab;
use foundation_frame::{DataHeader, Flags, crc32c};

use crate::batch::{Batch, Piece};
use crate::ledger::{AccountKey, LARGE_ACCOUNT};
use crate::message::MESSAGE_COST_BYTES;

/// Bytes of a waiting message.
#[derive(Debug)]
pub(crate) enum Body {
    Bytes(Vec<u8>),
    Slab(Slab),
}

impl Body {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Body::Bytes(bytes) => bytes,
            Body::Slab(slab) => slab.as_slice(),
        }
    }
}

/// Where a message stands with its credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credit {
    /// Taken, or none is needed.
    Charged,
    /// It waits among the account's waiters.
    Waiting,
    /// Not asked for: others of its flow are before it.
    Untouched,
}

/// A message in a flow.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) header: DataHeader,
    pub(crate) body: Body,
    /// The key under which a newer message replaces it, on a monotonic channel.
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) credit: Credit,
    /// Extension area of its first frame.
    pub(crate) extension: Box<[u8]>,
    sent: usize,
}

impl Pending {
    pub(crate) fn new(
        header: DataHeader,
        body: Body,
        key: Option<Vec<u8>>,
        credit: Credit,
    ) -> Pending {
        Pending { header, body, key, credit, extension: Box::default(), sent: 0 }
    }

    pub(crate) fn payload_bytes(&self) -> u64 {
        self.body.as_slice().len() as u64
    }

    pub(crate) fn account(&self) -> AccountKey {
        AccountKey { channel: self.header.channel, account: self.header.account }
    }

    fn queue_cost(&self) -> u64 {
        self.payload_bytes() + MESSAGE_COST_BYTES
    }

    /// Whether it will travel in several frames of which none was written yet.
    pub(crate) fn starts_chunked(&self, chunk_bytes: usize) -> bool {
        self.sent == 0 && self.body.as_slice().len() > chunk_bytes
    }

    /// Whether all of it travelled in several frames.
    pub(crate) fn ends_chunked(&self, chunk_bytes: usize) -> bool {
        self.is_done() && self.sent > chunk_bytes
    }

    pub(crate) fn is_done(&self) -> bool {
        self.sent == self.body.as_slice().len()
    }

    /// Writes the next chunk, or all of a small message; answers how many bytes, extension apart.
    pub(crate) fn write_part(
        &mut self,
        chunk_bytes: usize,
        spare: &mut Vec<Vec<u8>>,
        batch: &mut Batch,
    ) -> usize {
        let total = self.body.as_slice().len();
        let end = (self.sent + chunk_bytes).min(total);
        let range = self.sent..end;
        let mut header = self.header;
        header.message_bytes = total as u32;
        header.chunk_offset = self.sent as u32;
        if total > chunk_bytes {
            header.flags = header.flags.with(Flags::CHUNK);
        }
        self.sent = end;
        let part = &self.body.as_slice()[range.clone()];
        let extension = std::mem::take(&mut self.extension); // the first frame has it
        let header_bytes = batch.append(spare, |bytes| {
            let framed = header.encode_header(&extension, part.len(), crc32c(part), bytes);
            debug_assert!(framed.is_ok(), "a chunk is far below the frame limit");
            if let Body::Bytes(_) = &self.body {
                bytes.extend_from_slice(part);
            }
        });
        let header_bytes = header_bytes - extension.len();
        let Body::Slab(slab) = &self.body else { return header_bytes };
        batch.push(Piece::Slab(slab.clone(), range.clone()));
        header_bytes + range.len()
    }
}

/// The waiting messages of one pair, in order.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pending: VecDeque<Pending>,
    /// Position of the head; the others follow it.
    first: u64,
    /// Express segments below this serial hold earlier messages of the pair.
    pub(crate) barrier: u64,
    /// Whether the head waits for credit and the flow is therefore out of the ready list.
    pub(crate) is_parked: bool,
    /// Position of the latest message of each key that a newer one may replace.
    latest: BTreeMap<Vec<u8>, u64>,
}

/// A message that took another one's place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Superseded {
    /// What the older message counted in the queue.
    pub(crate) freed_bytes: u64,
    /// The account where credit was asked for it.
    pub(crate) waits_in: Option<AccountKey>,
}

impl Flow {
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn push(&mut self, pending: Pending) -> u64 {
        let position = self.first + self.pending.len() as u64;
        if let Some(key) = &pending.key {
            self.latest.insert(key.clone(), position);
        }
        self.pending.push_back(pending);
        position
    }

    pub(crate) fn head(&mut self) -> Option<&mut Pending> {
        self.pending.front_mut()
    }

    /// Lets go of the head, which is written.
    pub(crate) fn pop(&mut self) {
        if let Some(key) = self.pending.pop_front().and_then(|pending| pending.key)
            && self.latest.get(&key) == Some(&self.first)
        {
            self.latest.remove(&key);
        }
        self.first += 1;
    }

    pub(crate) fn at(&mut self, position: u64) -> Option<&mut Pending> {
        let index = position.checked_sub(self.first)?;
        self.pending.get_mut(usize::try_from(index).ok()?)
    }

    /// Puts a newer message in the place of the waiting one of its key. One whose credit is taken
    /// keeps its place and its price, and a large one its reservation: the newer one follows it
    /// then.
    pub(crate) fn supersede(
        &mut self,
        header: &DataHeader,
        body: Body,
        key: &[u8],
    ) -> Result<Superseded, Body> {
        let position = self.latest.get(key).copied();
        let Some(old) = position.and_then(|position| self.at(position)) else { return Err(body) };
        let is_waiting = old.credit == Credit::Waiting;
        let is_large = (old.header.account | header.account) & LARGE_ACCOUNT != 0;
        if old.credit == Credit::Charged || is_large {
            return Err(body);
        }
        let freed_bytes = old.queue_cost();
        let mut header = DataHeader { sequence: old.header.sequence, ..*header };
        if is_waiting {
            header.account = old.header.account; // it stands in line there
        }
        old.header = header;
        old.body = body;
        let waits_in = is_waiting.then(|| old.account());
        Ok(Superseded { freed_bytes, waits_in })
    }
}
