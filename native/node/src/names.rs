//! The names of a node: each gets a number once, and at most one isolate answers to it.

use std::collections::HashMap;

/// Names a node can know. One more is refused with `name_table_full`.
const NAMES_MAX: usize = 65_536;
/// Names that the table takes from peers; the rest stays free for the node's own. A name that some
/// isolate here handles is known already, so what peers announce in vain takes nothing from anyone.
const PEER_NAMES_MAX: usize = 49_152;
/// Longest name, as the wire limits it.
const NAME_BYTES_MAX: usize = 255;

/// An isolate that a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Scheduler slot.
    pub slot: u16,
    /// Generation of the slot.
    pub generation: u16,
}

/// Names, their numbers and owners. Isolates and the kernel thread share it behind a lock; the
/// kernel thread keeps its own copy of the owners for the message path.
#[derive(Debug, Default)]
pub struct NameTable {
    ids: HashMap<String, u32>,
    names: Vec<String>,
    owners: Vec<Option<Owner>>,
    /// Names that a peer was the first to use.
    from_peers: usize,
}

impl NameTable {
    /// The number of a name, given now if it has none. `None`: empty, too long, or the table is
    /// full.
    pub fn intern(&mut self, name: &str) -> Option<u32> {
        if let Some(&id) = self.ids.get(name) {
            return Some(id);
        }
        if name.is_empty() || name.len() > NAME_BYTES_MAX || self.names.len() >= NAMES_MAX {
            return None;
        }
        let id = self.names.len() as u32;
        self.ids.insert(name.to_owned(), id);
        self.names.push(name.to_owned());
        self.owners.push(None);
        Some(id)
    }

    /// The same for a name that a peer announced. `None` also where peers have announced too many.
    pub(crate) fn intern_for_peer(&mut self, name: &str) -> Option<u32> {
        if !self.ids.contains_key(name) {
            if self.from_peers >= PEER_NAMES_MAX {
                return None;
            }
            self.from_peers += 1;
        }
        self.intern(name)
    }

    /// The number of a name that has one.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// The name behind a number.
    #[must_use]
    pub fn name(&self, id: u32) -> Option<&str> {
        self.names.get(id as usize).map(String::as_str)
    }

    /// Who answers to a name.
    #[must_use]
    pub fn owner(&self, id: u32) -> Option<Owner> {
        self.owners.get(id as usize).copied().flatten()
    }

    /// Gives a name to an isolate; false where another one has it.
    pub fn take(&mut self, id: u32, owner: Owner) -> bool {
        match self.owners.get_mut(id as usize) {
            Some(place @ None) => {
                *place = Some(owner);
                true
            }
            _ => false,
        }
    }

    /// Frees a name that this isolate has; false where it has not.
    pub fn give_up(&mut self, id: u32, owner: Owner) -> bool {
        match self.owners.get_mut(id as usize) {
            Some(place) if *place == Some(owner) => {
                *place = None;
                true
            }
            _ => false,
        }
    }

    /// Frees all names of an isolate and tells which.
    pub fn give_up_all(&mut self, owner: Owner) -> Vec<u32> {
        let mut freed = Vec::new();
        for (id, place) in self.owners.iter_mut().enumerate() {
            if *place == Some(owner) {
                *place = None;
                freed.push(id as u32);
            }
        }
        freed
    }

    /// All names that somebody answers to.
    pub fn owned(&self) -> impl Iterator<Item = (u32, &str, Owner)> {
        let pairs = self.names.iter().zip(&self.owners).enumerate();
        pairs.filter_map(|(id, (name, owner))| Some((id as u32, name.as_str(), (*owner)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Owner = Owner { slot: 1, generation: 1 };
    const B: Owner = Owner { slot: 2, generation: 1 };

    #[test]
    fn a_name_keeps_its_number_and_belongs_to_one_isolate() {
        let mut table = NameTable::default();
        let id = table.intern("echo");
        assert_eq!(id, table.intern("echo"));
        let id = id.unwrap_or_default();
        assert!(table.take(id, A));
        assert!(!table.take(id, B));
        assert!(!table.give_up(id, B));
        assert_eq!(table.give_up_all(A), vec![id]);
        assert!(table.take(id, B));
    }

    #[test]
    fn the_table_is_bounded_and_refuses_impossible_names() {
        let mut table = NameTable::default();
        assert_eq!(table.intern(""), None);
        assert_eq!(table.intern(&"x".repeat(256)), None);
        for number in 0..NAMES_MAX {
            assert!(table.intern(&number.to_string()).is_some());
        }
        assert_eq!(table.intern("one more"), None);
        assert_eq!(table.intern("0"), Some(0));
    }

    #[test]
    fn what_peers_announce_leaves_room_for_own_names() {
        let mut table = NameTable::default();
        let own = table.intern("own");
        let taken = (0..200_000).filter_map(|n| table.intern_for_peer(&n.to_string())).count();
        assert_eq!(taken, PEER_NAMES_MAX);
        assert_eq!(table.intern_for_peer("own"), own);
        assert_eq!(table.intern_for_peer("0"), Some(1));
        assert!(table.intern("another of our own").is_some());
    }
}
