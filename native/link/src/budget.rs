//! Memory that a node promises to its peers beyond the windows that every account has.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of memory that may be promised over all links of a node. Reservations for large messages
/// are served first come, first served; window growth takes at most half of the whole.
///
/// The links of a node are driven by one thread at a time, so the lock is never waited for.
#[derive(Debug)]
pub struct Budget {
    total_bytes: u64,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    reserved_bytes: u64,
    grown_bytes: u64,
    /// Tickets of the accounts that wait, the earliest first.
    line: BTreeSet<Ticket>,
    next_ticket: Ticket,
    is_released: bool,
}

impl Book {
    fn free_bytes(&self, total_bytes: u64) -> u64 {
        total_bytes.saturating_sub(self.reserved_bytes + self.grown_bytes)
    }
}

/// A place in the line for memory; lower numbers came earlier.
pub(crate) type Ticket = u64;

impl Budget {
    /// A budget of `bytes`. A message larger than all of it still passes, alone.
    #[must_use]
    pub fn new(bytes: u64) -> Budget {
        Budget { total_bytes: bytes, book: Mutex::new(Book::default()) }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes not promised to anyone.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.book().free_bytes(self.total_bytes)
    }

    /// Bytes promised for large messages that are not settled yet.
    #[must_use]
    pub fn reserved_bytes(&self) -> u64 {
        self.book().reserved_bytes
    }

    /// Whether somebody waits for memory.
    pub(crate) fn has_line(&self) -> bool {
        !self.book().line.is_empty()
    }

    /// Whether bytes came back, or the line moved, since the last call: links with waiting
    /// reservations should be polled, again and again until this answers false.
    pub fn take_released(&self) -> bool {
        std::mem::take(&mut self.book().is_released)
    }

    /// Promises `bytes` where it is the caller's turn and there is room; else the caller stands in
    /// line.
    pub(crate) fn reserve(&self, ticket: &mut Option<Ticket>, bytes: u64) -> bool {
        let mut book = self.book();
        let is_first = match (*ticket, book.line.first()) {
            (Some(own), Some(&first)) => own == first,
            (_, first) => first.is_none(),
        };
        // Without the second clause a message larger than the whole budget would wait for ever.
        let has_room = bytes <= book.free_bytes(self.total_bytes) || book.reserved_bytes == 0;
        if is_first && has_room {
            book.reserved_bytes += bytes;
            if let Some(own) = ticket.take() {
                book.line.remove(&own);
                book.is_released = !book.line.is_empty();
            }
            return true;
        }
        if ticket.is_none() {
            let own = book.next_ticket;
            book.next_ticket += 1;
            book.line.insert(own);
            *ticket = Some(own);
        }
        false
    }

    /// Lets the next in line have its turn.
    pub(crate) fn leave_line(&self, ticket: &mut Option<Ticket>) {
        if let Some(own) = ticket.take() {
            let mut book = self.book();
            book.line.remove(&own);
            book.is_released = true;
        }
    }

    /// Takes reserved bytes back: their message is settled, or its link is gone.
    pub(crate) fn give_back(&self, bytes: u64) {
        if bytes > 0 {
            let mut book = self.book();
            book.reserved_bytes -= bytes;
            book.is_released = true;
        }
    }

    /// Promises `bytes` for a larger window, until its link ends.
    pub(crate) fn grow(&self, bytes: u64) -> bool {
        let mut book = self.book();
        let grown = book.grown_bytes + bytes;
        if grown > self.total_bytes / 2 || bytes > book.free_bytes(self.total_bytes) {
            return false;
        }
        book.grown_bytes = grown;
        true
    }

    /// Takes back what a window grew by.
    pub(crate) fn shrink(&self, bytes: u64) {
        if bytes > 0 {
            let mut book = self.book();
            book.grown_bytes -= bytes;
            book.is_released = true;
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
