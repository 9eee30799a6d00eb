//! Memory that a node promises to its peers beyond the windows that every account has.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// Bytes of memory that may be promised over all links of a node. Reservations for large messages
/// are served first come, first served; window growth takes at most half of the whole.
#[derive(Debug)]
pub struct Budget {
    total_bytes: u64,
    reserved_bytes: Cell<u64>,
    grown_bytes: Cell<u64>,
    /// Tickets of the accounts that wait, the earliest first.
    line: RefCell<BTreeSet<Ticket>>,
    next_ticket: Cell<Ticket>,
    is_released: Cell<bool>,
}

/// A place in the line for memory; lower numbers came earlier.
pub(crate) type Ticket = u64;

impl Budget {
    /// A budget of `bytes`. A message larger than all of it still passes, alone.
    #[must_use]
    pub fn new(bytes: u64) -> Budget {
        Budget {
            total_bytes: bytes,
            reserved_bytes: Cell::new(0),
            grown_bytes: Cell::new(0),
            line: RefCell::new(BTreeSet::new()),
            next_ticket: Cell::new(0),
            is_released: Cell::new(false),
        }
    }

    /// Bytes not promised to anyone.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.total_bytes.saturating_sub(self.reserved_bytes.get() + self.grown_bytes.get())
    }

    /// Bytes promised for large messages that are not settled yet.
    #[must_use]
    pub fn reserved_bytes(&self) -> u64 {
        self.reserved_bytes.get()
    }

    /// Whether bytes came back, or the line moved, since the last call: links with waiting
    /// reservations should be polled, again and again until this answers false.
    pub fn take_released(&self) -> bool {
        self.is_released.replace(false)
    }

    /// Promises `bytes` where it is the caller's turn and there is room; else the caller stands in
    /// line.
    pub(crate) fn reserve(&self, ticket: &mut Option<Ticket>, bytes: u64) -> bool {
        let mut line = self.line.borrow_mut();
        let is_first = match (*ticket, line.first()) {
            (Some(own), Some(&first)) => own == first,
            (_, first) => first.is_none(),
        };
        // Without the second clause a message larger than the whole budget would wait for ever.
        let has_room = bytes <= self.free_bytes() || self.reserved_bytes.get() == 0;
        if is_first && has_room {
            self.reserved_bytes.set(self.reserved_bytes.get() + bytes);
            if let Some(own) = ticket.take() {
                line.remove(&own);
                self.is_released.set(!line.is_empty());
            }
            return true;
        }
        if ticket.is_none() {
            let own = self.next_ticket.get();
            self.next_ticket.set(own + 1);
            line.insert(own);
            *ticket = Some(own);
        }
        false
    }

    /// Lets the next in line have its turn.
    pub(crate) fn leave_line(&self, ticket: &mut Option<Ticket>) {
        if let Some(own) = ticket.take() {
            self.line.borrow_mut().remove(&own);
            self.is_released.set(true);
        }
    }

    /// Takes reserved bytes back: their message is settled, or its link is gone.
    pub(crate) fn give_back(&self, bytes: u64) {
        if bytes > 0 {
            self.reserved_bytes.set(self.reserved_bytes.get() - bytes);
            self.is_released.set(true);
        }
    }

    /// Promises `bytes` for a larger window, until its link ends.
    pub(crate) fn grow(&self, bytes: u64) -> bool {
        let grown = self.grown_bytes.get() + bytes;
        if grown > self.total_bytes / 2 || bytes > self.free_bytes() {
            return false;
        }
        self.grown_bytes.set(grown);
        true
    }

    /// Takes back what a window grew by.
    pub(crate) fn shrink(&self, bytes: u64) {
        if bytes > 0 {
            self.grown_bytes.set(self.grown_bytes.get() - bytes);
            self.is_released.set(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_first_is_served_first_even_where_a_later_one_would_fit() {
        let budget = Budget::new(100);
        let (mut first, mut second, mut third) = (None, None, None);
        assert!(budget.reserve(&mut first, 80));
        assert!(!budget.reserve(&mut second, 50));
        assert!(!budget.reserve(&mut third, 10));
        budget.give_back(80);
        assert!(budget.take_released());
        assert!(!budget.reserve(&mut third, 10));
        assert!(budget.reserve(&mut second, 50));
        assert!(budget.take_released(), "the line moved on");
        assert!(budget.reserve(&mut third, 10));
        assert_eq!(budget.free_bytes(), 40);
    }

    #[test]
    fn more_than_the_whole_budget_is_promised_alone() {
        let budget = Budget::new(100);
        let (mut huge, mut small) = (None, None);
        assert!(budget.reserve(&mut small, 10));
        assert!(!budget.reserve(&mut huge, 500));
        budget.give_back(10);
        assert!(budget.reserve(&mut huge, 500));
        assert_eq!(budget.free_bytes(), 0);
    }

    #[test]
    fn one_that_leaves_the_line_makes_way() {
        let budget = Budget::new(100);
        let (mut first, mut second, mut third) = (None, None, None);
        assert!(budget.reserve(&mut first, 60));
        assert!(!budget.reserve(&mut second, 60));
        assert!(!budget.reserve(&mut third, 10));
        budget.leave_line(&mut second);
        assert!(budget.take_released());
        assert!(budget.reserve(&mut third, 10));
    }

    #[test]
    fn windows_grow_into_half_of_the_budget_at_most() {
        let budget = Budget::new(100);
        assert!(budget.grow(50));
        assert!(!budget.grow(1));
        budget.shrink(50);
        assert_eq!(budget.free_bytes(), 100);
    }
}
