//! Credit: how much a sender may have under way to one destination isolate on one channel.
//!
//! Limits are absolute counts (as QUIC's MAX_DATA), so a repeated or reordered grant does no harm.
//! A message costs its payload plus [`MESSAGE_COST_BYTES`], so that empty messages are bounded too.

use std::cell::Cell;
use std::collections::VecDeque;

use crate::message::{MESSAGE_COST_BYTES, PairKey};
use crate::time::Micros;

/// Bytes of memory that reservations may promise over all links of a node, first come first served.
#[derive(Debug)]
pub struct Budget {
    free_bytes: Cell<u64>,
    released: Cell<bool>,
}

impl Budget {
    /// A budget of `bytes`.
    #[must_use]
    pub fn new(bytes: u64) -> Budget {
        Budget { free_bytes: Cell::new(bytes), released: Cell::new(false) }
    }

    fn take(&self, bytes: u64) -> bool {
        let free = self.free_bytes.get();
        if free < bytes {
            return false;
        }
        self.free_bytes.set(free - bytes);
        true
    }

    fn give_back(&self, bytes: u64) {
        self.free_bytes.set(self.free_bytes.get() + bytes);
        self.released.set(true);
    }

    /// Whether bytes came back since the last call: links with waiting reservations should be polled.
    pub fn take_released(&self) -> bool {
        self.released.replace(false)
    }

    /// Bytes not promised to anyone.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.free_bytes.get()
    }
}

/// The sender's view of one account.
#[derive(Debug)]
pub(crate) struct SendAccount {
    sent: u64,
    limit: u64,
    /// Pairs whose next message waits for credit, first come first served: (queue index, pair).
    pub(crate) waiters: VecDeque<(usize, PairKey)>,
    /// The front waiter that a `Reserve` was already sent for.
    pub(crate) reserved_for: Option<(usize, PairKey)>,
}

impl SendAccount {
    pub(crate) fn new(window_bytes: u64) -> SendAccount {
        SendAccount { sent: 0, limit: window_bytes, waiters: VecDeque::new(), reserved_for: None }
    }

    /// Takes credit for a payload where there is enough.
    pub(crate) fn charge(&mut self, payload_bytes: u64) -> bool {
        let cost = payload_bytes + MESSAGE_COST_BYTES;
        if self.sent + cost > self.limit {
            return false;
        }
        self.sent += cost;
        true
    }

    pub(crate) fn raise(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }

    pub(crate) fn available_bytes(&self) -> u64 {
        self.limit - self.sent
    }
}

/// The receiver's view of one account.
#[derive(Debug)]
pub(crate) struct ReceiveAccount {
    received: u64,
    settled: u64,
    limit: u64,
    window: u64,
    window_initial: u64,
    /// Granted on top of the window for announced large messages that have not arrived yet.
    reserved_ahead: u64,
    /// Granted for large messages that arrived and are not settled yet.
    reserved_held: u64,
    /// Announced and not yet granted.
    waiting: VecDeque<u64>,
    grown_at: Micros,
}

impl ReceiveAccount {
    pub(crate) fn new(window_bytes: u64) -> ReceiveAccount {
        ReceiveAccount {
            received: 0,
            settled: 0,
            limit: window_bytes,
            window: window_bytes,
            window_initial: window_bytes,
            reserved_ahead: 0,
            reserved_held: 0,
            waiting: VecDeque::new(),
            grown_at: Micros(0),
        }
    }

    /// Books an arriving message; false where the sender overdrew its credit.
    pub(crate) fn receive(&mut self, payload_bytes: u64) -> bool {
        let cost = payload_bytes + MESSAGE_COST_BYTES;
        self.received += cost;
        if cost > self.window_initial && self.reserved_ahead > 0 {
            let used = cost.min(self.reserved_ahead);
            self.reserved_ahead -= used;
            self.reserved_held += used;
        }
        self.received <= self.limit
    }

    /// Books settled messages; answers a new limit once half a window has come together.
    pub(crate) fn settle(
        &mut self,
        payload_bytes: u64,
        messages: u32,
        budget: &Budget,
    ) -> Option<u64> {
        let cost = payload_bytes + u64::from(messages) * MESSAGE_COST_BYTES;
        // A settlement beyond what arrived would mint credit: clamp, the books stay sound.
        self.settled = (self.settled + cost).min(self.received);
        let is_all = self.settled == self.received;
        if self.reserved_held > 0 && (cost > self.window_initial || is_all) {
            let freed = if is_all { self.reserved_held } else { cost.min(self.reserved_held) };
            self.reserved_held -= freed;
            budget.give_back(freed);
        }
        self.raised(self.window / 2)
    }

    fn target(&self) -> u64 {
        self.settled + self.window + self.reserved_ahead + self.reserved_held
    }

    fn raised(&mut self, step: u64) -> Option<u64> {
        let target = self.target();
        if target > self.limit && (target - self.limit >= step || self.received >= self.limit) {
            self.limit = target;
            return Some(target);
        }
        None
    }

    /// The sender waits for `bytes`. Grows the window while the receiver keeps up, or queues a
    /// reservation for a message larger than the window.
    pub(crate) fn reserve(
        &mut self,
        bytes: u64,
        window_max: u64,
        now: Micros,
        budget: &Budget,
    ) -> Option<u64> {
        if bytes <= self.window {
            let unsettled = self.received - self.settled;
            let is_reader_fast = unsettled <= self.window / 2;
            if is_reader_fast && now > self.grown_at && self.window * 2 <= window_max {
                // Doubling as TCP's receive buffer tuning does; the budget bounds the sum.
                if budget.take(self.window) {
                    self.window *= 2;
                    self.grown_at = now;
                }
            }
            return self.raised(1);
        }
        if self.waiting.len() < 1024 {
            self.waiting.push_back(bytes);
        }
        self.grant(budget)
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Grants waiting reservations while the budget lasts.
    pub(crate) fn grant(&mut self, budget: &Budget) -> Option<u64> {
        while let Some(&bytes) = self.waiting.front() {
            if !budget.take(bytes) {
                break;
            }
            self.waiting.pop_front();
            self.reserved_ahead += bytes;
        }
        self.raised(1)
    }

    /// Returns everything this account holds to the budget: its link is gone.
    pub(crate) fn close(&mut self, budget: &Budget) {
        let held = self.reserved_ahead + self.reserved_held + (self.window - self.window_initial);
        if held > 0 {
            budget.give_back(held);
        }
        self.reserved_ahead = 0;
        self.reserved_held = 0;
        self.window = self.window_initial;
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

    #[test]
    fn a_receiver_grants_again_after_half_a_window() {
        let budget = Budget::new(0);
        let mut account = ReceiveAccount::new(1000);
        assert!(account.receive(400));
        assert!(account.receive(400));
        assert_eq!(account.settle(400, 1, &budget), None);
        assert_eq!(account.settle(400, 1, &budget), Some(1000 + 800 + 2 * COST));
    }

    #[test]
    fn a_message_above_the_window_is_granted_from_the_budget_and_given_back_once_settled() {
        let budget = Budget::new(10_000);
        let mut account = ReceiveAccount::new(1000);
        let limit = account.reserve(5_000 + COST, 1000, Micros(1), &budget);
        assert_eq!(limit, Some(6_000 + COST));
        assert_eq!(budget.free_bytes(), 5_000 - COST);
        assert!(account.receive(5_000));
        account.settle(5_000, 1, &budget);
        assert_eq!(budget.free_bytes(), 10_000);
    }

    #[test]
    fn reservations_wait_for_the_budget_first_come_first_served() {
        let budget = Budget::new(5_000);
        let mut first = ReceiveAccount::new(100);
        let mut second = ReceiveAccount::new(100);
        assert!(first.reserve(4_000, 100, Micros(1), &budget).is_some());
        assert_eq!(second.reserve(4_000, 100, Micros(1), &budget), None);
        assert!(second.is_waiting());
        assert!(first.receive(4_000 - COST));
        first.settle(4_000 - COST, 1, &budget);
        assert!(budget.take_released());
        assert!(second.grant(&budget).is_some());
    }

    #[test]
    fn an_overdraft_is_seen() {
        let mut account = ReceiveAccount::new(1000);
        assert!(!account.receive(1000));
    }

    #[test]
    fn settling_more_than_arrived_mints_no_credit() {
        let budget = Budget::new(0);
        let mut account = ReceiveAccount::new(1000);
        assert!(account.receive(100));
        account.settle(900, 1, &budget);
        account.settle(900, 1, &budget);
        assert_eq!(account.settled, account.received);
    }
}
