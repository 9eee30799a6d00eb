//! The timers of a machine: what is due, in order.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Micros;

/// Timers by key; setting one again replaces it. The machine keeps them in itself and tells the
/// host one figure, when it next wants to be called, so no timer of an earlier state ever fires.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    by_key: BTreeMap<K, Micros>,
    by_time: BTreeSet<(Micros, K)>,
    /// Of the first by time: hosts ask for it after every input, and mostly nothing else changed.
    due: Micros,
}

impl<K: Ord + Clone> Default for Timers<K> {
    fn default() -> Self {
        Timers { by_key: BTreeMap::new(), by_time: BTreeSet::new(), due: Micros::NEVER }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Sets a timer, in place of the one that the key had.
    pub fn set(&mut self, key: K, at: Micros) {
        if let Some(old) = self.by_key.insert(key.clone(), at) {
            self.by_time.remove(&(old, key.clone()));
        }
        self.by_time.insert((at, key));
        self.look();
    }

    /// Removes a timer; answers whether there was one.
    pub fn cancel(&mut self, key: &K) -> bool {
        let Some(at) = self.by_key.remove(key) else { return false };
        let was_there = self.by_time.remove(&(at, key.clone()));
        self.look();
        was_there
    }

    /// When that timer is due.
    #[must_use]
    pub fn at(&self, key: &K) -> Option<Micros> {
        self.by_key.get(key).copied()
    }

    /// When the next one is due; [`Micros::NEVER`] without any.
    #[must_use]
    pub fn due(&self) -> Micros {
        self.due
    }

    fn look(&mut self) {
        self.due = self.by_time.first().map_or(Micros::NEVER, |(at, _)| *at);
    }

    /// Takes the earliest timer that is due by now.
    pub fn pop(&mut self, now: Micros) -> Option<K> {
        if self.due > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        self.look();
        Some(key)
    }

    /// Puts every timer off by that long: for a machine whose clock stood still.
    pub fn put_off(&mut self, by: Micros) {
        for at in self.by_key.values_mut() {
            *at = *at + by;
        }
        self.by_time = self.by_key.iter().map(|(key, at)| (*at, key.clone())).collect();
        self.look();
    }

    /// How many are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_in_order_once_and_as_last_set() {
        let mut timers = Timers::default();
        timers.set("late", Micros(30));
        timers.set("moved", Micros(5));
        timers.set("early", Micros(10));
        timers.set("moved", Micros(20));
        timers.set("gone", Micros(1));
        assert!(timers.cancel(&"gone"));
        assert!(!timers.cancel(&"gone"));
        assert_eq!(timers.due(), Micros(10));
        assert_eq!(timers.pop(Micros(9)), None);
        timers.put_off(Micros(5));
        assert_eq!(timers.pop(Micros(14)), None);
        assert_eq!(timers.pop(Micros(40)), Some("early"));
        assert_eq!(timers.pop(Micros(40)), Some("moved"));
        assert_eq!(timers.pop(Micros(40)), Some("late"));
        assert_eq!(timers.due(), Micros::NEVER);
        assert!(timers.is_empty());
    }
}
