//! Payloads that can be grafted.

use std::collections::{BTreeMap, VecDeque};

use foundation_machine::{Micros, PeerId};

use crate::io::{BroadcastId, Payload};
use crate::options::PlumtreeOptions;

/// A payload and how it came.
#[derive(Clone, Debug)]
pub(crate) struct Cached<B> {
    pub(crate) payload: B,
    pub(crate) round: u16,
    pub(crate) at: Micros,
    /// Where it came by graft: who had announced it and when.
    pub(crate) grafted: Option<(PeerId, Micros)>,
}

/// Payloads in the order they came, bounded by age, bytes and count.
#[derive(Clone, Debug)]
pub(crate) struct Cache<B> {
    by_id: BTreeMap<BroadcastId, Cached<B>>,
    order: VecDeque<BroadcastId>,
    bytes: usize,
}

impl<B: Payload> Cache<B> {
    pub(crate) fn new() -> Self {
        Cache { by_id: BTreeMap::new(), order: VecDeque::new(), bytes: 0 }
    }

    pub(crate) fn get(&self, id: BroadcastId) -> Option<&Cached<B>> {
        self.by_id.get(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// In the order of ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&BroadcastId, &Cached<B>)> {
        self.by_id.iter()
    }

    /// Those not yet in are kept; what is too much then goes, the oldest first.
    pub(crate) fn insert(&mut self, id: BroadcastId, cached: Cached<B>, options: &PlumtreeOptions) {
        let (now, bytes) = (cached.at, cached.payload.bytes());
        if self.by_id.insert(id, cached).is_none() {
            self.order.push_back(id);
            self.bytes += bytes;
        }
        self.expire(now, options);
    }

    pub(crate) fn expire(&mut self, now: Micros, options: &PlumtreeOptions) {
        let minds_bytes = !options.planted.is("plumtree_cache_grows");
        while let Some(oldest) = self.order.front()
            && let Some(cached) = self.by_id.get(oldest)
        {
            let is_old = now.since(cached.at) > options.payload_kept;
            let is_much = minds_bytes && self.bytes > options.cache_bytes_max;
            if !is_old && !is_much && self.order.len() <= options.cache_payloads_max {
                return;
            }
            self.bytes -= cached.payload.bytes();
            self.by_id.remove(oldest);
            self.order.pop_front();
        }
    }
}
