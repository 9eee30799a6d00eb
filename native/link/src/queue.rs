//! Messages of one channel on one lane that wait to be written.
//!
//! Small messages whose credit is there are framed at once into *express* segments. A message that waits
//! for credit, is larger than a chunk, or belongs to a monotonic channel sits in the *flow* of its sender
//! and receiver, and everything after it of the same pair follows it there; other pairs pass by.

use std::collections::{BTreeMap, VecDeque};

use foundation_buffer::Slab;
use foundation_frame::{DataHeader, Flags, crc32c};

use crate::message::{MESSAGE_COST_BYTES, PairKey};
use crate::transmit::{Batch, Piece};

/// Size at which an express segment is closed and the next one begun.
const SEGMENT_BYTES: usize = 64 << 10;

/// Bytes of a waiting message.
#[derive(Debug)]
pub(crate) enum Body {
    Bytes(Vec<u8>),
    Slab(Slab),
}

impl Body {
    fn as_slice(&self) -> &[u8] {
        match self {
            Body::Bytes(bytes) => bytes,
            Body::Slab(slab) => slab.as_slice(),
        }
    }
}

/// A message in a flow.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) header: DataHeader,
    pub(crate) body: Body,
    pub(crate) key: Vec<u8>,
    /// Whether its credit is taken, or it needs none.
    pub(crate) is_charged: bool,
    sent: usize,
}

impl Pending {
    pub(crate) fn new(header: DataHeader, body: Body, key: Vec<u8>, is_charged: bool) -> Pending {
        Pending { header, body, key, is_charged, sent: 0 }
    }

    pub(crate) fn payload_bytes(&self) -> u64 {
        self.body.as_slice().len() as u64
    }

    fn queue_cost(&self) -> u64 {
        self.payload_bytes() + MESSAGE_COST_BYTES
    }
}

#[derive(Debug, Default)]
pub(crate) struct Flow {
    pending: VecDeque<Pending>,
    /// Express segments up to this serial hold earlier messages of the pair.
    barrier: u64,
}

/// What [`Queue::transmit`] did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Wrote so many bytes of which `released` no longer count as queued.
    Wrote { bytes: usize, released: u64 },
    /// The flow's next message needs credit first.
    NeedsCredit(PairKey),
    /// Nothing can be written.
    Idle,
}

#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) channel: u16,
    pub(crate) priority: u8,
    pub(crate) weight: u16,
    pub(crate) deficit: i64,
    express: VecDeque<Vec<u8>>,
    /// Serial of the first express segment; the last one's is `express_first + len - 1`.
    express_first: u64,
    flows: BTreeMap<PairKey, Flow>,
    ready: VecDeque<PairKey>,
    is_flow_turn: bool,
}

impl Queue {
    pub(crate) fn new(channel: u16, priority: u8, weight: u16) -> Queue {
        Queue {
            channel,
            priority,
            weight,
            deficit: 0,
            express: VecDeque::new(),
            express_first: 0,
            flows: BTreeMap::new(),
            ready: VecDeque::new(),
            is_flow_turn: false,
        }
    }

    #[inline]
    pub(crate) fn has_flow(&self, pair: &PairKey) -> bool {
        !self.flows.is_empty() && self.flows.contains_key(pair)
    }

    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        !self.express.is_empty() || !self.ready.is_empty()
    }

    /// Frames a small message whose credit is taken.
    #[inline]
    pub(crate) fn push_express(
        &mut self,
        header: &DataHeader,
        payload: &[u8],
        spare: &mut Vec<Vec<u8>>,
    ) {
        let has_room = self.express.back().is_some_and(|last| last.len() < SEGMENT_BYTES);
        if !has_room {
            self.express.push_back(spare.pop().unwrap_or_default());
        }
        if let Some(segment) = self.express.back_mut() {
            let framed = header.write_frame(&[], payload, segment);
            debug_assert!(framed.is_ok(), "an express message is at most a chunk");
        }
    }

    /// Appends to the pair's flow, which becomes ready unless it waits for credit already.
    pub(crate) fn push_flow(&mut self, pair: PairKey, pending: Pending) {
        let barrier = self.express_first + self.express.len() as u64;
        if !self.express.is_empty() {
            // Closes the segment: what later pairs add must not hold this flow back.
            self.express.push_back(Vec::new());
        }
        let flow = self.flows.entry(pair).or_default();
        if flow.pending.is_empty() {
            flow.barrier = barrier;
            self.ready.push_back(pair);
        }
        flow.pending.push_back(pending);
    }

    /// Replaces a waiting message of the same pair and key; answers the old one's queue cost.
    pub(crate) fn supersede(
        &mut self,
        pair: &PairKey,
        header: &DataHeader,
        body: Body,
        key: &[u8],
    ) -> Result<u64, Body> {
        let Some(flow) = self.flows.get_mut(pair) else { return Err(body) };
        // A message whose credit is taken keeps its place and its price: the newer one follows it.
        let waiting =
            flow.pending.iter_mut().find(|old| old.key == key && !old.is_charged && old.sent == 0);
        let Some(old) = waiting else { return Err(body) };
        let freed = old.queue_cost();
        old.header = DataHeader { sequence: old.header.sequence, ..*header };
        old.body = body;
        Ok(freed)
    }

    /// The message at the head of a flow.
    pub(crate) fn head(&mut self, pair: &PairKey) -> Option<&mut Pending> {
        self.flows.get_mut(pair)?.pending.front_mut()
    }

    /// Lets a flow that waited for credit go on.
    pub(crate) fn resume(&mut self, pair: PairKey) {
        self.ready.push_back(pair);
    }

    /// Writes one express segment or one chunk.
    pub(crate) fn transmit(&mut self, chunk_bytes: usize, batch: &mut Batch) -> Step {
        while self.express.front().is_some_and(Vec::is_empty) && self.express.len() > 1 {
            self.express.pop_front();
            self.express_first += 1;
        }
        if self.express.len() == 1 && self.express[0].is_empty() {
            self.express.clear();
            self.express_first += 1;
        }
        let can_flow = self.ready.front().is_some_and(|pair| {
            self.flows.get(pair).is_none_or(|flow| flow.barrier <= self.express_first)
        });
        let take_flow = can_flow && (self.is_flow_turn || self.express.is_empty());
        self.is_flow_turn = !take_flow;
        if take_flow {
            return self.transmit_flow(chunk_bytes, batch);
        }
        match self.express.pop_front() {
            Some(segment) => {
                self.express_first += 1;
                let bytes = segment.len();
                batch.push(Piece::Bytes(segment));
                Step::Wrote { bytes, released: bytes as u64 }
            }
            None => Step::Idle,
        }
    }

    fn transmit_flow(&mut self, chunk_bytes: usize, batch: &mut Batch) -> Step {
        let Some(pair) = self.ready.pop_front() else { return Step::Idle };
        let Some(flow) = self.flows.get_mut(&pair) else { return Step::Idle };
        let Some(head) = flow.pending.front_mut() else {
            self.flows.remove(&pair);
            return Step::Idle;
        };
        if !head.is_charged {
            return Step::NeedsCredit(pair);
        }
        let (bytes, is_last) = write_part(head, chunk_bytes, batch);
        let mut released = (bytes as u64).saturating_sub(MESSAGE_COST_BYTES);
        if is_last {
            released += MESSAGE_COST_BYTES;
            flow.pending.pop_front();
        }
        if flow.pending.is_empty() {
            self.flows.remove(&pair);
        } else {
            self.ready.push_back(pair);
        }
        Step::Wrote { bytes, released }
    }
}

/// Writes the next chunk of a message, or all of a small one.
fn write_part(pending: &mut Pending, chunk_bytes: usize, batch: &mut Batch) -> (usize, bool) {
    let total = pending.body.as_slice().len();
    let end = (pending.sent + chunk_bytes).min(total);
    let range = pending.sent..end;
    let mut header = pending.header;
    header.message_bytes = total as u32;
    header.chunk_offset = pending.sent as u32;
    if total > chunk_bytes {
        header.flags = header.flags.with(Flags::CHUNK);
    }
    let part = &pending.body.as_slice()[range.clone()];
    let crc = if part.is_empty() { 0 } else { crc32c(part) };
    let mut bytes = batch.spare.pop().unwrap_or_default();
    let framed = header.encode_header(&[], part.len(), crc, &mut bytes);
    debug_assert!(framed.is_ok(), "a chunk is far below the frame limit");
    let written = bytes.len() + part.len();
    match &pending.body {
        Body::Bytes(all) => {
            bytes.extend_from_slice(&all[range]);
            batch.push(Piece::Bytes(bytes));
        }
        Body::Slab(slab) => {
            batch.push(Piece::Bytes(bytes));
            batch.push(Piece::Slab(slab.clone(), range));
        }
    }
    pending.sent = end;
    (written, end == total)
}
