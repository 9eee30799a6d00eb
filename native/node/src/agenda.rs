//! When each node of a thread wants its timers served: whoever comes to serve them looks at those
//! that are due, and at no other.

use std::collections::{BTreeMap, BTreeSet};

use foundation_link::Micros;

/// Nodes by the time of their next tick.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    by_time: BTreeSet<(Micros, u32)>,
    of: BTreeMap<u32, Micros>,
}

impl Agenda {
    /// That node's next tick is then, and at no other time.
    pub(crate) fn plan(&mut self, node: u32, at: Micros) {
        let before = self.of.insert(node, at);
        if before == Some(at) {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, node));
        }
        self.by_time.insert((at, node));
    }

    /// The node is gone.
    pub(crate) fn forget(&mut self, node: u32) {
        if let Some(at) = self.of.remove(&node) {
            self.by_time.remove(&(at, node));
        }
    }

    /// Nodes whose tick is due, the longest due first.
    pub(crate) fn due(&self, now: Micros) -> Vec<u32> {
        self.by_time.range(..=(now, u32::MAX)).map(|&(_, node)| node).collect()
    }

    /// When the first tick behind that time is; never, if none is.
    pub(crate) fn next_after(&self, now: Micros) -> Micros {
        let behind = (now, u32::MAX);
        let mut later =
            self.by_time.range((std::ops::Bound::Excluded(behind), std::ops::Bound::Unbounded));
        later.next().map_or(Micros::NEVER, |&(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_due_at_the_time_that_it_said_last() {
        let mut agenda = Agenda::default();
        agenda.plan(1, Micros(30));
        agenda.plan(2, Micros(10));
        agenda.plan(3, Micros(20));
        assert!(agenda.due(Micros(9)).is_empty());
        assert_eq!(agenda.due(Micros(20)), [2, 3]);
        assert_eq!(agenda.next_after(Micros(20)), Micros(30));
        agenda.plan(1, Micros(5));
        agenda.plan(2, Micros(40));
        assert_eq!(agenda.due(Micros(20)), [1, 3]);
        assert_eq!(agenda.next_after(Micros(20)), Micros(40));
        agenda.forget(2);
        agenda.forget(7);
        assert_eq!(agenda.next_after(Micros(20)), Micros::NEVER);
    }
}
