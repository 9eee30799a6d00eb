//! Credit: how much a sender may have under way to one destination isolate on one channel.
//!
//! Limits are absolute counts (as QUIC's MAX_DATA), so a repeated or reordered grant does no harm,
//! and so are the limits that a waiting sender asks for. A message costs its payload plus
//! [`MESSAGE_COST_BYTES`], so that empty messages are bounded too.
//!
//! Messages that fit a window share it. Each larger one reserves its own credit in an account of
//! its own (see [`crate::ledger::LARGE_ACCOUNT`]), where limit minus settled is what the budget
//! promised.

use std::collections::VecDeque;

use crate::budget::{Budget, Ticket};
use crate::message::MESSAGE_COST_BYTES;
use crate::send_account::ASKED_MAX;
use foundation_machine::Micros;

/// What stands behind the credit of an account.
#[derive(Debug)]
enum Backing {
    /// Memory set apart for the account; it grows on demand, out of the budget.
    Window { bytes: u64, initial_bytes: u64 },
    /// Memory of the budget, reserved message by message: limits asked for, the earliest first.
    Reserved { wanted: VecDeque<u64>, ticket: Option<Ticket>, unused: Unused },
}

/// Credit that was granted and not used: how much had been used when it was looked at, and since
/// when.
#[derive(Debug, Clone, Copy, Default)]
struct Unused {
    received: u64,
    since: Micros,
}

/// The receiver's view of one account.
#[derive(Debug)]
pub(crate) struct ReceiveAccount {
    received: u64,
    settled: u64,
    /// Messages that were received and not settled.
    unsettled: u64,
    limit: u64,
    /// The highest limit that the sender asked for.
    wanted: u64,
    backing: Backing,
}

/// What bounds the promises of one account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Highest cost of one message.
    pub(crate) message_cost_max: u64,
    /// Largest window, and most that a large account may have reserved; one message always may.
    pub(crate) window_bytes_max: u64,
}

impl ReceiveAccount {
    /// An account whose messages share a window.
    pub(crate) fn window(window_bytes: u64) -> ReceiveAccount {
        let backing = Backing::Window { bytes: window_bytes, initial_bytes: window_bytes };
        ReceiveAccount { limit: window_bytes, ..ReceiveAccount::empty(backing) }
    }

    /// An account whose messages reserve their own credit.
    pub(crate) fn reserved() -> ReceiveAccount {
        let backing =
            Backing::Reserved { wanted: VecDeque::new(), ticket: None, unused: Unused::default() };
        ReceiveAccount::empty(backing)
    }

    fn empty(backing: Backing) -> ReceiveAccount {
        ReceiveAccount { received: 0, settled: 0, unsettled: 0, limit: 0, wanted: 0, backing }
    }

    /// Books an arriving message; false where the sender overdrew its credit.
    #[inline]
    pub(crate) fn receive(&mut self, payload_bytes: u64) -> bool {
        let received = self.received + payload_bytes + MESSAGE_COST_BYTES;
        if received > self.limit {
            return false; // what is not taken is never settled either
        }
        self.received = received;
        self.unsettled += 1;
        true
    }

    /// Bytes settled so far.
    pub(crate) fn settled(&self) -> u64 {
        self.settled
    }

    /// Whether memory was reserved for the sender that it has not used for longer than `patience`.
    pub(crate) fn is_hoarding(&mut self, now: Micros, patience: Micros) -> bool {
        let Backing::Reserved { unused, .. } = &mut self.backing else { return false };
        let is_used = self.limit == self.received || unused.received != self.received;
        if is_used || unused.since == Micros(0) {
            *unused = Unused { received: self.received, since: now };
            return false;
        }
        now.since(unused.since) > patience
    }

    /// Books settled messages; answers a new limit where one is worth telling.
    pub(crate) fn settle(
        &mut self,
        payload_bytes: u64,
        messages: u32,
        bounds: Bounds,
        budget: &Budget,
    ) -> Option<u64> {
        let cost = payload_bytes.saturating_add(u64::from(messages) * MESSAGE_COST_BYTES);
        let before = self.settled;
        self.unsettled = self.unsettled.saturating_sub(u64::from(messages));
        // A settlement beyond what arrived would mint credit: clamp, the books stay sound.
        self.settled = self.settled.saturating_add(cost).min(self.received);
        match self.backing {
            Backing::Window { bytes, .. } => self.raise_to(self.settled + bytes, bytes),
            Backing::Reserved { .. } => {
                budget.give_back(self.settled - before);
                self.grant(bounds, budget)
            }
        }
    }

    /// A window is told anew once half of it came back, or once a waiting message fits.
    fn raise_to(&mut self, target: u64, window_bytes: u64) -> Option<u64> {
        let is_half = target >= self.limit + window_bytes / 2;
        let is_enough = self.wanted > self.limit && target >= self.wanted;
        if target <= self.limit || !(is_half || is_enough) {
            return None;
        }
        self.limit = target;
        Some(target)
    }

    /// The sender waits for this limit. Answers a new one, or `Err` where no honest sender would
    /// ask.
    pub(crate) fn reserve(
        &mut self,
        wanted: u64,
        bounds: Bounds,
        budget: &Budget,
    ) -> Result<Option<u64>, ()> {
        let base = match &self.backing {
            Backing::Window { .. } => self.limit,
            Backing::Reserved { .. } => self.limit.max(self.wanted),
        };
        if wanted > base.saturating_add(bounds.message_cost_max) {
            return Err(());
        }
        self.wanted = self.wanted.max(wanted);
        match &mut self.backing {
            Backing::Window { bytes, .. } => {
                // Doubling while the reader keeps up, as TCP tunes its receive buffer. That the
                // sender had to ask is the sign, even where a grant is already on its way to it.
                // One message tells nothing of the reader: its bytes may still be on their way.
                let is_half_free = self.received - self.settled <= *bytes / 2;
                let is_reader_fast = is_half_free || self.unsettled <= 1;
                let can_double = *bytes <= bounds.window_bytes_max / 2;
                if is_reader_fast && can_double && budget.grow(*bytes) {
                    *bytes *= 2;
                }
                let bytes = *bytes;
                Ok(self.raise_to(self.settled + bytes, bytes))
            }
            Backing::Reserved { wanted: line, .. } => {
                if wanted <= base || line.len() >= ASKED_MAX {
                    return Err(());
                }
                line.push_back(wanted);
                Ok(self.grant(bounds, budget))
            }
        }
    }

    /// Whether a reservation waits for memory.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(&self.backing, Backing::Reserved { wanted, .. } if !wanted.is_empty())
    }

    /// Grants waiting reservations while the bounds and the budget allow.
    pub(crate) fn grant(&mut self, bounds: Bounds, budget: &Budget) -> Option<u64> {
        let Backing::Reserved { wanted, ticket, .. } = &mut self.backing else { return None };
        let before = self.limit;
        while let Some(&next) = wanted.front() {
            let promised = self.limit - self.settled;
            let more = next - self.limit;
            if promised > 0 && promised + more > bounds.window_bytes_max {
                // This one waits for its own handlers: it must not keep others waiting in line.
                budget.leave_line(ticket);
                break;
            }
            if !budget.reserve(ticket, more) {
                break;
            }
            self.limit = next;
            wanted.pop_front();
        }
        (self.limit > before).then_some(self.limit)
    }

    /// The limit that the sender was told, or is about to be.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Returns everything this account holds to the budget: its link is gone.
    pub(crate) fn close(&mut self, budget: &Budget) {
        match &mut self.backing {
            Backing::Window { bytes, initial_bytes } => {
                budget.shrink(*bytes - *initial_bytes);
                *bytes = *initial_bytes;
            }
            Backing::Reserved { wanted, ticket, .. } => {
                wanted.clear();
                budget.leave_line(ticket);
                budget.give_back(self.limit - self.settled);
                self.settled = self.limit;
                self.received = self.limit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: u64 = MESSAGE_COST_BYTES;
    const BOUNDS: Bounds = Bounds { message_cost_max: 10_000, window_bytes_max: 4_000 };

    #[test]
    fn a_receiver_grants_again_after_half_a_window() {
        let budget = Budget::new(0);
        let mut account = ReceiveAccount::window(1000);
        assert!(account.receive(400));
        assert!(account.receive(400));
        assert_eq!(account.settle(400, 1, BOUNDS, &budget), None);
        assert_eq!(account.settle(400, 1, BOUNDS, &budget), Some(1000 + 800 + 2 * COST));
    }

    #[test]
    fn a_waiting_message_is_granted_before_half_a_window_came_together() {
        let budget = Budget::new(0);
        let mut account = ReceiveAccount::window(1000);
        assert!(account.receive(300));
        // 364 are used; the next message costs 900 and waits for a limit of 1264.
        assert_eq!(account.reserve(1264, BOUNDS, &budget), Ok(None));
        assert_eq!(account.settle(300, 1, BOUNDS, &budget), Some(1364));
    }

    #[test]
    fn a_large_message_is_reserved_from_the_budget_until_it_is_settled() {
        let budget = Budget::new(10_000);
        let mut account = ReceiveAccount::reserved();
        assert!(!account.receive(0), "nothing may come without a reservation");
        let mut account = ReceiveAccount::reserved();
        assert_eq!(account.reserve(5_000 + COST, BOUNDS, &budget), Ok(Some(5_000 + COST)));
        assert_eq!(budget.free_bytes(), 5_000 - COST);
        assert!(account.receive(5_000));
        account.settle(5_000, 1, BOUNDS, &budget);
        assert_eq!(budget.free_bytes(), 10_000);
    }

    #[test]
    fn an_account_whose_handlers_are_slow_leaves_the_budget_to_others() {
        let budget = Budget::new(100_000);
        let mut slow = ReceiveAccount::reserved();
        assert_eq!(slow.reserve(3_000, BOUNDS, &budget), Ok(Some(3_000)));
        assert_eq!(slow.reserve(6_000, BOUNDS, &budget), Ok(None));
        assert!(slow.is_waiting());
        assert!(slow.receive(3_000 - COST));
        assert_eq!(slow.settle(3_000 - COST, 1, BOUNDS, &budget), Some(6_000));
    }

    #[test]
    fn a_reservation_that_no_honest_sender_asks_for_is_refused() {
        let budget = Budget::new(1 << 40);
        let mut account = ReceiveAccount::reserved();
        assert!(account.reserve(10_001, BOUNDS, &budget).is_err());
        assert!(account.reserve(u64::MAX, BOUNDS, &budget).is_err());
        assert!(account.reserve(0, BOUNDS, &budget).is_err());
        assert_eq!(budget.free_bytes(), 1 << 40);
    }

    #[test]
    fn a_window_doubles_only_while_the_reader_keeps_up() {
        let budget = Budget::new(100_000);
        let mut account = ReceiveAccount::window(1000);
        assert!(account.receive(500 - COST) && account.receive(500 - COST));
        assert_eq!(account.reserve(1500, BOUNDS, &budget), Ok(None), "all of it is unsettled");
        assert_eq!(account.settle(1000 - 2 * COST, 2, BOUNDS, &budget), Some(2000));
        assert_eq!(account.reserve(2500, BOUNDS, &budget), Ok(Some(3000)));
        account.close(&budget);
        assert_eq!(budget.free_bytes(), 100_000);
    }

    #[test]
    fn a_window_that_holds_a_single_message_grows_until_it_holds_several() {
        let budget = Budget::new(100_000);
        let mut account = ReceiveAccount::window(1000);
        assert!(account.receive(600 - COST));
        // Its sender waits for a second one of the size; more than half of the window is taken.
        assert_eq!(account.reserve(1200, BOUNDS, &budget), Ok(Some(2000)));
        assert!(account.receive(600 - COST) && account.receive(600 - COST));
        assert_eq!(account.reserve(2400, BOUNDS, &budget), Ok(None), "three are unsettled");
        account.close(&budget);
        assert_eq!(budget.free_bytes(), 100_000);
    }

    #[test]
    fn an_overdraft_is_seen() {
        let mut account = ReceiveAccount::window(1000);
        assert!(!account.receive(1000));
    }

    #[test]
    fn settling_more_than_arrived_mints_no_credit() {
        let budget = Budget::new(0);
        let mut account = ReceiveAccount::window(1000);
        assert!(account.receive(100));
        account.settle(900, 1, BOUNDS, &budget);
        account.settle(u64::MAX, 1, BOUNDS, &budget);
        assert_eq!(account.settled, account.received);
    }
}
