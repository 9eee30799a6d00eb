//! Messages that wait for a link to their node.

use std::collections::VecDeque;

use foundation_buffer::Slab;

use crate::names::Owner;

/// Messages that wait for one node. More are refused, whatever their size.
const MESSAGES_MAX: usize = 4_096;

/// A record of an isolate, kept until there is a link.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) owner: Owner,
    pub(crate) tag: u32,
    /// Head, then the payload or nothing, then the key: as in the ring.
    pub(crate) body: Vec<u8>,
    pub(crate) slab: Option<Slab>,
}

impl Held {
    fn bytes(&self) -> usize {
        self.body.len() + self.slab.as_ref().map_or(0, Slab::len)
    }
}

/// Whether more may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Plenty,
    /// Taken, but senders should stop: the high-water mark was crossed with this one.
    Filled,
    /// Not taken.
    None,
}

/// What waits for one node, in order.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    held: VecDeque<Held>,
    bytes: usize,
    is_filled: bool,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Takes a message: above `high_water` bytes senders are told to stop, above twice that, or
    /// one message of any length more, none is taken.
    pub(crate) fn push(&mut self, held: Held, high_water: usize) -> Room {
        let is_over = self.bytes >= 2 * high_water || self.held.len() >= MESSAGES_MAX;
        if is_over {
            return Room::None;
        }
        self.bytes += held.bytes();
        self.held.push_back(held);
        let is_high = self.bytes > high_water || self.held.len() > MESSAGES_MAX / 2;
        if is_high && !self.is_filled {
            self.is_filled = true;
            return Room::Filled;
        }
        Room::Plenty
    }

    /// Takes everything out; also tells whether senders had been told to stop.
    pub(crate) fn take(&mut self) -> (VecDeque<Held>, bool) {
        self.bytes = 0;
        let is_filled = std::mem::take(&mut self.is_filled);
        (std::mem::take(&mut self.held), is_filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(bytes: usize) -> Held {
        let owner = Owner { slot: 0, generation: 1 };
        Held { owner, tag: 1, body: vec![0; bytes], slab: None }
    }

    #[test]
    fn senders_are_stopped_at_the_mark_and_refused_at_twice_that() {
        let mut pending = Pending::default();
        assert_eq!(pending.push(held(60), 100), Room::Plenty);
        assert_eq!(pending.push(held(60), 100), Room::Filled);
        assert_eq!(pending.push(held(60), 100), Room::Plenty);
        assert_eq!(pending.push(held(60), 100), Room::Plenty);
        assert_eq!(pending.push(held(1), 100), Room::None);
        let (all, was_filled) = pending.take();
        assert_eq!((all.len(), was_filled), (4, true));
        assert!(pending.is_empty());
        assert_eq!(pending.push(held(1), 100), Room::Plenty);
    }

    #[test]
    fn empty_messages_are_bounded_by_their_number() {
        let mut pending = Pending::default();
        let taken = (0..10_000).filter(|_| pending.push(held(0), 100) != Room::None).count();
        assert_eq!(taken, MESSAGES_MAX);
    }
}
