//! The sending end of routes: one destination, and what waits for a link to it.

use std::collections::VecDeque;

use foundation_broadcast::Payload;
use foundation_machine::{Micros, PeerId};

use crate::io::OverlayNo;
use crate::message::Routed;

/// A message that waits for a link to its destination.
#[derive(Debug)]
pub(crate) enum Waiting<B> {
    /// This node's own, not yet numbered.
    Own { overlay: OverlayNo, payload: B },
    /// Another node's, which this node relays.
    Relayed(Routed<B>),
}

impl<B: Payload> Waiting<B> {
    fn bytes(&self) -> usize {
        match self {
            Waiting::Own { payload, .. } => payload.bytes(),
            Waiting::Relayed(routed) => routed.payload.bytes(),
        }
    }
}

/// What this node knows of the way to one destination.
#[derive(Debug)]
pub(crate) struct Target<B> {
    /// A link has been asked for, and what waits for it.
    pub(crate) is_dialling: bool,
    queue: VecDeque<Waiting<B>>,
    queue_bytes: usize,
    /// A dial failed: none is tried before then.
    pub(crate) cut_until: Micros,
    /// The last of this node's own messages to it; 0: none.
    pub(crate) last_sequence: u64,
    /// When it went.
    pub(crate) last_sent: Micros,
    /// When the last of them went over a neighbour, if any did.
    pub(crate) relayed_at: Option<Micros>,
    /// The neighbour that took that one.
    pub(crate) relay: Option<PeerId>,
    /// The router holds the link to it, for it was dialled for routes.
    pub(crate) holds_link: bool,
    /// When the link to it last carried a routed message.
    pub(crate) used: Micros,
}

impl<B> Default for Target<B> {
    fn default() -> Self {
        Target {
            is_dialling: false,
            queue: VecDeque::new(),
            queue_bytes: 0,
            cut_until: Micros(0),
            last_sequence: 0,
            last_sent: Micros(0),
            relayed_at: None,
            relay: None,
            holds_link: false,
            used: Micros(0),
        }
    }
}

impl<B: Payload> Target<B> {
    /// Whether one more of that size may wait.
    pub(crate) fn has_room(&self, bytes: usize, messages_max: usize, bytes_max: usize) -> bool {
        self.queue.len() < messages_max && self.queue_bytes + bytes <= bytes_max
    }

    pub(crate) fn wait(&mut self, waiting: Waiting<B>) {
        self.queue_bytes += waiting.bytes();
        self.queue.push_back(waiting);
    }

    pub(crate) fn take_queue(&mut self) -> VecDeque<Waiting<B>> {
        self.queue_bytes = 0;
        std::mem::take(&mut self.queue)
    }

    /// What the next of this node's own messages has to wait for at the destination: the last one,
    /// where the two may travel by different paths and the last may still be on its way.
    pub(crate) fn predecessor(&self, by_relay: bool, now: Micros, settle: Micros) -> u64 {
        let is_recent = |at: Micros| now.since(at) < settle;
        let may_overtake = match by_relay {
            true => is_recent(self.last_sent),
            false => self.relayed_at.is_some_and(is_recent),
        };
        if may_overtake { self.last_sequence } else { 0 }
    }

    /// Nothing would be lost with this entry but the memory of the last path.
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_dialling && self.queue.is_empty() && !self.holds_link
    }

    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.queue_bytes
    }
}
