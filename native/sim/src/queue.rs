//! What is to happen, in a total order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use foundation_machine::Micros;

/// Events by time; those of one time come in the order in which they were put in. The heap moves
/// small entries only, the events stay where they are.
#[derive(Debug)]
pub(crate) struct EventQueue<E> {
    heap: BinaryHeap<Reverse<(Micros, u64, u32)>>,
    events: Vec<Option<E>>,
    free: Vec<u32>,
    sequence: u64,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        EventQueue { heap: BinaryHeap::new(), events: Vec::new(), free: Vec::new(), sequence: 0 }
    }
}

impl<E> EventQueue<E> {
    pub(crate) fn push(&mut self, at: Micros, event: E) {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.events.push(None);
                u32::try_from(self.events.len() - 1).expect("fewer than 2^32 events wait")
            }
        };
        self.events[slot as usize] = Some(event);
        self.heap.push(Reverse((at, self.sequence, slot)));
        self.sequence += 1;
    }

    /// The earliest event, if it is due by then.
    pub(crate) fn pop(&mut self, until: Micros) -> Option<(Micros, E)> {
        let &Reverse((at, _, slot)) = self.heap.peek()?;
        if at > until {
            return None;
        }
        self.heap.pop();
        self.free.push(slot);
        let event = self.events[slot as usize].take().expect("each entry has its event");
        Some((at, event))
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_those_of_one_time_as_put_in() {
        let mut queue = EventQueue::default();
        for (at, name) in [(5, "c"), (1, "a"), (5, "d"), (1, "b"), (9, "e")] {
            queue.push(Micros(at), name);
        }
        let mut order = Vec::new();
        while let Some((at, name)) = queue.pop(Micros(5)) {
            order.push(name);
            if at == Micros(1) && name == "b" {
                queue.push(Micros(5), "late");
            }
        }
        assert_eq!(order, ["a", "b", "c", "d", "late"]);
        assert_eq!(queue.len(), 1);
    }
}
