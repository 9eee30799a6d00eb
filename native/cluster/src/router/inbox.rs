//! The receiving end of routes: each message once, and in the order sent though the path changed.

use std::collections::BTreeMap;

use foundation_broadcast::Payload;
use foundation_machine::{Micros, PeerId, Planted};

/// Origins remembered; of more, the one longest silent is forgotten. Unit: entries of some 100
/// bytes.
pub(crate) const ORIGINS_MAX: usize = 16_384;
/// Messages of one origin that wait for an earlier one; at one more the gap is given up.
pub(crate) const HELD_MAX: usize = 256;
/// The same in bytes.
pub(crate) const HELD_BYTES_MAX: usize = 4 << 20;

/// A message that has arrived.
#[derive(Debug)]
pub(crate) struct Arrived<B> {
    pub(crate) sequence: u64,
    pub(crate) after: u64,
    pub(crate) hops: u8,
    pub(crate) payload: B,
}

#[derive(Debug)]
struct Held<B> {
    arrived: Arrived<B>,
    until: Micros,
}

#[derive(Debug)]
struct Origin<B> {
    last: u64,
    heard: Micros,
    held: BTreeMap<u64, Held<B>>,
    held_bytes: usize,
}

impl<B: Payload> Origin<B> {
    fn hold(&mut self, arrived: Arrived<B>, until: Micros) {
        self.held_bytes += arrived.payload.bytes();
        self.held.insert(arrived.sequence, Held { arrived, until });
    }

    /// The first of those held, if its turn has come.
    fn pop(&mut self, now: Micros) -> Option<Arrived<B>> {
        let is_full = self.held.len() > HELD_MAX || self.held_bytes > HELD_BYTES_MAX;
        let (_, first) = self.held.first_key_value()?;
        if first.arrived.after > self.last && first.until > now && !is_full {
            return None;
        }
        let (_, first) = self.held.pop_first()?;
        self.held_bytes -= first.arrived.payload.bytes();
        self.last = first.arrived.sequence;
        Some(first.arrived)
    }
}

/// What came from each origin so far.
#[derive(Debug)]
pub(crate) struct Inbox<B> {
    by_origin: BTreeMap<PeerId, Origin<B>>,
    gap_wait: Micros,
    planted: Planted,
    /// Arrived a second time, or after a later one had given up the wait for them.
    pub(crate) late: u64,
}

impl<B: Payload> Inbox<B> {
    pub(crate) fn new(gap_wait: Micros, planted: Planted) -> Self {
        Inbox { by_origin: BTreeMap::new(), gap_wait, planted, late: 0 }
    }

    /// Takes a message; what can be delivered now is then [`taken`](Self::take).
    pub(crate) fn arrive(&mut self, origin: PeerId, arrived: Arrived<B>, now: Micros) {
        self.make_room(origin);
        let from = self.by_origin.entry(origin).or_insert_with(|| Origin {
            last: 0,
            heard: now,
            held: BTreeMap::new(),
            held_bytes: 0,
        });
        from.heard = now;
        let is_late = arrived.sequence <= from.last;
        if is_late && self.planted.is("router_delivers_a_repeat") {
            from.last = arrived.sequence - 1;
        } else if is_late || from.held.contains_key(&arrived.sequence) {
            self.late += 1;
            return;
        }
        from.hold(arrived, now + self.gap_wait);
    }

    /// The next message of that origin whose turn has come.
    pub(crate) fn take(&mut self, origin: PeerId, now: Micros) -> Option<Arrived<B>> {
        self.by_origin.get_mut(&origin)?.pop(now)
    }

    /// When the wait of that origin's first held message ends.
    pub(crate) fn due(&self, origin: PeerId) -> Option<Micros> {
        let from = self.by_origin.get(&origin)?;
        from.held.first_key_value().map(|(_, held)| held.until)
    }

    /// That life is over; answers how many of its messages waited.
    pub(crate) fn forget(&mut self, origin: PeerId) -> usize {
        self.by_origin.remove(&origin).map_or(0, |from| from.held.len())
    }

    /// Messages that wait for an earlier one.
    pub(crate) fn held(&self) -> usize {
        self.by_origin.values().map(|from| from.held.len()).sum()
    }

    fn make_room(&mut self, newcomer: PeerId) {
        if self.by_origin.len() < ORIGINS_MAX || self.by_origin.contains_key(&newcomer) {
            return;
        }
        let idle = self.by_origin.iter().filter(|(_, from)| from.held.is_empty());
        let longest = idle.min_by_key(|(_, from)| from.heard).map(|(peer, _)| *peer);
        let longest = longest.or_else(|| self.by_origin.keys().next().copied());
        if let Some(peer) = longest {
            self.late += self.forget(peer) as u64;
        }
    }
}
