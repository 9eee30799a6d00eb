//! Credit as the sender of messages knows it; see [`crate::receive_account`] for the rules.

use std::collections::VecDeque;

use crate::message::{MESSAGE_COST_BYTES, PairKey};

/// Reservations that one account may have asked for and not been granted.
pub(crate) const ASKED_MAX: usize = 64;

/// A message that waits for credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiter {
    pub(crate) queue: usize,
    pub(crate) pair: PairKey,
    /// Its position in the flow of its pair.
    pub(crate) position: u64,
}

/// The sender's view of one account.
#[derive(Debug)]
pub(crate) struct SendAccount {
    sent: u64,
    limit: u64,
    /// First come first served.
    waiters: VecDeque<Waiter>,
    /// How many waiters, from the front, credit was asked for.
    asked: usize,
    /// The highest limit asked for.
    asked_limit: u64,
}

impl SendAccount {
    pub(crate) fn new(window_bytes: u64) -> SendAccount {
        SendAccount {
            sent: 0,
            limit: window_bytes,
            waiters: VecDeque::new(),
            asked: 0,
            asked_limit: 0,
        }
    }

    /// Takes credit where there is enough and nobody waits.
    #[inline]
    pub(crate) fn charge(&mut self, payload_bytes: u64) -> bool {
        self.waiters.is_empty() && self.take(payload_bytes)
    }

    fn take(&mut self, payload_bytes: u64) -> bool {
        let cost = payload_bytes + MESSAGE_COST_BYTES;
        if self.limit - self.sent < cost {
            return false;
        }
        self.sent += cost;
        true
    }

    pub(crate) fn wait(&mut self, waiter: Waiter) {
        self.waiters.push_back(waiter);
    }

    pub(crate) fn raise(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }

    /// The waiter that is next.
    pub(crate) fn front(&self) -> Option<Waiter> {
        self.waiters.front().copied()
    }

    /// Takes credit for the waiter that is next; false where there is not enough.
    pub(crate) fn charge_front(&mut self, payload_bytes: u64) -> bool {
        if !self.take(payload_bytes) {
            return false;
        }
        self.waiters.pop_front();
        self.asked = self.asked.saturating_sub(1);
        true
    }

    /// The limit to ask for on behalf of the front waiter, unless that much was asked for before.
    /// Asked again where the waiting message was replaced by a longer one.
    pub(crate) fn ask_for_front(&mut self, payload_bytes: u64) -> Option<u64> {
        let wanted = self.sent + payload_bytes + MESSAGE_COST_BYTES;
        if wanted <= self.asked_limit {
            return None;
        }
        self.asked_limit = wanted;
        Some(wanted)
    }

    /// The next waiter of a large account that credit should be asked for.
    pub(crate) fn unasked(&self) -> Option<Waiter> {
        if self.asked >= ASKED_MAX {
            return None;
        }
        self.waiters.get(self.asked).copied()
    }

    /// The limit that covers this waiter of a large account and all before it.
    pub(crate) fn ask(&mut self, payload_bytes: u64) -> u64 {
        self.asked += 1;
        self.asked_limit += payload_bytes + MESSAGE_COST_BYTES;
        self.asked_limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: u64 = MESSAGE_COST_BYTES;

    #[test]
    fn a_sender_stops_at_its_limit_and_goes_on_after_a_grant() {
        let mut account = SendAccount::new(2 * (100 + COST));
        assert!(account.charge(100));
        assert!(account.charge(100));
        assert!(!account.charge(0));
        account.raise(3 * (100 + COST));
        account.raise(0); // an old grant changes nothing
        assert!(account.charge(100));
    }
}
