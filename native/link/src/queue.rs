//! Messages of one channel on one lane that wait to be written.
//!
//! Small messages whose credit is there are framed at once into *express* segments. A message that
//! waits for credit, is larger than a chunk, or belongs to a monotonic channel sits in the *flow*
//! of its sender and receiver, and everything after it of the same pair follows it there; other
//! pairs pass by.

use std::collections::{BTreeMap, VecDeque};

use foundation_frame::DataHeader;

use crate::batch::{Batch, Piece, SEGMENT_BYTES};
use crate::flow::{Body, Flow, Pending, Superseded};
use crate::message::{MESSAGE_COST_BYTES, PairKey};

/// Chunked messages of one queue that may be unfinished at a time; the receiver keeps a slab for
/// each.
const INTERLEAVED_MAX: usize = 64;

/// What [`Queue::transmit`] did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Wrote so many bytes of which `released` no longer count as queued.
    Wrote { bytes: usize, released: u64 },
    /// The head of this flow needs credit; the flow is parked until [`Queue::resume`].
    NeedsCredit(PairKey),
    /// Nothing was written, though something else may be ready.
    Idle,
}

#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) channel: u16,
    pub(crate) priority: u8,
    pub(crate) weight: u16,
    pub(crate) deficit: i64,
    express: VecDeque<Vec<u8>>,
    /// Serial of the first express segment; the next one pushed is `express_first + len`.
    express_first: u64,
    /// Whether the last express segment takes no more messages.
    is_sealed: bool,
    flows: BTreeMap<PairKey, Flow>,
    ready: VecDeque<PairKey>,
    /// Flows whose chunked head may not begin while too many are unfinished.
    held: VecDeque<PairKey>,
    interleaved: usize,
    is_flow_turn: bool,
}

impl Queue {
    pub(crate) fn new(channel: u16, priority: u8, weight: u16) -> Queue {
        Queue {
            channel,
            priority,
            weight: weight.max(1), // a share of nothing would never be served
            deficit: 0,
            express: VecDeque::new(),
            express_first: 0,
            is_sealed: false,
            flows: BTreeMap::new(),
            ready: VecDeque::new(),
            held: VecDeque::new(),
            interleaved: 0,
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
        if !has_room || self.is_sealed {
            self.express.push_back(spare.pop().unwrap_or_default());
            self.is_sealed = false;
        }
        if let Some(segment) = self.express.back_mut() {
            let framed = header.write_frame(&[], payload, segment);
            debug_assert!(framed.is_ok(), "an express message is at most a chunk");
        }
    }

    /// Appends to the pair's flow, which becomes ready unless it has been waiting; answers the
    /// position.
    pub(crate) fn push_flow(&mut self, pair: PairKey, pending: Pending) -> u64 {
        let flow = self.flows.entry(pair).or_default();
        if flow.is_empty() {
            // Earlier messages of the pair may lie in any segment so far. The last one is closed,
            // so that what later pairs add to it does not hold this flow back.
            flow.barrier = self.express_first + self.express.len() as u64;
            self.is_sealed = true;
            self.ready.push_back(pair);
        }
        flow.push(pending)
    }

    /// Replaces a waiting message of the same pair and key.
    pub(crate) fn supersede(
        &mut self,
        pair: &PairKey,
        header: &DataHeader,
        body: Body,
        key: &[u8],
    ) -> Result<Superseded, Body> {
        match self.flows.get_mut(pair) {
            Some(flow) => flow.supersede(header, body, key),
            None => Err(body),
        }
    }

    /// The message at the head of a flow, with its position.
    pub(crate) fn head(&mut self, pair: &PairKey) -> Option<(u64, &mut Pending)> {
        let flow = self.flows.get_mut(pair)?;
        let first = flow.first();
        flow.head().map(|head| (first, head))
    }

    /// The message at a position of a flow.
    pub(crate) fn at(&mut self, pair: &PairKey, position: u64) -> Option<&mut Pending> {
        self.flows.get_mut(pair)?.at(position)
    }

    /// The message at a position has its credit: its flow goes on if it waited for that very one.
    pub(crate) fn resume(&mut self, pair: PairKey, position: u64) {
        if let Some(flow) = self.flows.get_mut(&pair)
            && flow.is_parked
            && flow.first() == position
        {
            flow.is_parked = false;
            self.ready.push_back(pair);
        }
    }

    /// Writes one express segment or one part of a flow's head, in turns.
    pub(crate) fn transmit(
        &mut self,
        chunk_bytes: usize,
        spare: &mut Vec<Vec<u8>>,
        batch: &mut Batch,
    ) -> Step {
        let can_flow = self.ready.front().is_some_and(|pair| {
            self.flows.get(pair).is_none_or(|flow| flow.barrier <= self.express_first)
        });
        let takes_flow = can_flow && (self.is_flow_turn || self.express.is_empty());
        self.is_flow_turn = !takes_flow;
        if takes_flow {
            return self.transmit_flow(chunk_bytes, spare, batch);
        }
        let Some(segment) = self.express.pop_front() else { return Step::Idle };
        self.express_first += 1;
        let bytes = segment.len();
        batch.push(Piece::Bytes(segment));
        Step::Wrote { bytes, released: bytes as u64 }
    }

    fn transmit_flow(
        &mut self,
        chunk_bytes: usize,
        spare: &mut Vec<Vec<u8>>,
        batch: &mut Batch,
    ) -> Step {
        let Some(pair) = self.ready.pop_front() else { return Step::Idle };
        let Some(flow) = self.flows.get_mut(&pair) else { return Step::Idle };
        let Some(head) = flow.head() else { return Step::Idle };
        if head.credit != crate::flow::Credit::Charged {
            flow.is_parked = true;
            return Step::NeedsCredit(pair);
        }
        if head.starts_chunked(chunk_bytes) {
            if self.interleaved >= INTERLEAVED_MAX {
                self.held.push_back(pair);
                return Step::Idle;
            }
            self.interleaved += 1;
        }
        let bytes = head.write_part(chunk_bytes, spare, batch);
        let mut released = (bytes as u64).saturating_sub(MESSAGE_COST_BYTES);
        if head.is_done() {
            released += MESSAGE_COST_BYTES;
            if head.ends_chunked(chunk_bytes) {
                self.interleaved -= 1;
                self.ready.extend(self.held.pop_front());
            }
            flow.pop();
        }
        if flow.is_empty() {
            self.flows.remove(&pair);
        } else {
            self.ready.push_back(pair);
        }
        Step::Wrote { bytes, released }
    }
}

const _: () = assert!(
    MESSAGE_COST_BYTES == foundation_frame::layout::DATA_HEADER_BYTES as u64,
    "an express frame leaves the queue at the price it entered"
);
