//! The isolates of a node by scheduler slot.

use serde_json::Value;

use crate::command::NodeError;
use crate::isolate::Isolate;
use crate::names::Owner;

/// Isolates a node serves at most; credit accounts are numbered by slot.
const ISOLATES_MAX: usize = 1024;

#[derive(Debug, Default)]
struct Slot {
    isolate: Option<Isolate>,
    generation: u16,
    is_dirty: bool,
}

/// Slots, and which of them have records that were not shown yet.
#[derive(Debug, Default)]
pub(crate) struct Isolates {
    slots: Vec<Slot>,
    dirty: Vec<usize>,
}

impl Isolates {
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Picks a free slot; a later isolate in it has another generation.
    pub(crate) fn reserve(&mut self) -> Result<Owner, NodeError> {
        let free = self.slots.iter().position(|slot| slot.isolate.is_none());
        let index = free.unwrap_or(self.slots.len());
        if index >= ISOLATES_MAX {
            let text = format!("a node serves at most {ISOLATES_MAX} isolates");
            return Err(NodeError::new("too_many_isolates", text));
        }
        if index == self.slots.len() {
            self.slots.push(Slot::default());
        }
        let slot = &mut self.slots[index];
        slot.generation = slot.generation.wrapping_add(1);
        Ok(Owner { slot: index as u16, generation: slot.generation })
    }

    pub(crate) fn insert(&mut self, isolate: Isolate) {
        let index = isolate.owner.slot as usize;
        self.slots[index].isolate = Some(isolate);
    }

    pub(crate) fn get(&mut self, owner: Owner) -> Option<&mut Isolate> {
        let slot = self.slots.get_mut(owner.slot as usize)?;
        slot.isolate.as_mut().filter(|isolate| isolate.owner == owner)
    }

    pub(crate) fn remove(&mut self, owner: Owner) -> Option<Isolate> {
        self.get(owner)?;
        self.slots[owner.slot as usize].isolate.take()
    }

    /// Whether an isolate has written what is not read yet. Far cheaper than to look by taking it.
    #[inline]
    pub(crate) fn has_records(&self, index: usize) -> bool {
        let isolate = self.slots.get(index).and_then(|slot| slot.isolate.as_ref());
        isolate.is_some_and(|isolate| isolate.outward.pending_bytes() > 0)
    }

    pub(crate) fn take(&mut self, index: usize) -> Option<Isolate> {
        self.slots.get_mut(index)?.isolate.take()
    }

    pub(crate) fn put_back(&mut self, index: usize, isolate: Isolate) {
        self.slots[index].isolate = Some(isolate);
    }

    pub(crate) fn take_all(&mut self) -> Vec<Isolate> {
        self.slots.iter_mut().filter_map(|slot| slot.isolate.take()).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Isolate> {
        self.slots.iter().filter_map(|slot| slot.isolate.as_ref())
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Isolate> {
        self.slots.iter_mut().filter_map(|slot| slot.isolate.as_mut())
    }

    /// Remembers that an isolate was pushed something.
    #[inline]
    pub(crate) fn mark(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if !slot.is_dirty {
            slot.is_dirty = true;
            self.dirty.push(index);
        }
    }

    /// An isolate to push to; it is published at the end of the turn.
    #[inline]
    pub(crate) fn target(&mut self, owner: Owner) -> Option<&mut Isolate> {
        let index = owner.slot as usize;
        let Isolates { slots, dirty } = self;
        let slot = slots.get_mut(index)?;
        let isolate = slot.isolate.as_mut().filter(|isolate| isolate.owner == owner)?;
        if !slot.is_dirty {
            slot.is_dirty = true;
            dirty.push(index);
        }
        Some(isolate)
    }

    pub(crate) fn tell(&mut self, owner: Owner, event: &Value) {
        if let Some(isolate) = self.target(owner) {
            isolate.push_event(&event.to_string());
        }
    }

    pub(crate) fn tell_up(&mut self, owner: Owner, text: &str) {
        if let Some(isolate) = self.target(owner) {
            isolate.push_up(text);
        }
    }

    pub(crate) fn tell_all_up(&mut self, text: &str) {
        for index in 0..self.slots.len() {
            if let Some(isolate) = &mut self.slots[index].isolate {
                isolate.push_up(text);
                self.mark(index);
            }
        }
    }

    pub(crate) fn tell_all(&mut self, event: &Value) {
        let text = event.to_string();
        for index in 0..self.slots.len() {
            if let Some(isolate) = &mut self.slots[index].isolate {
                isolate.push_event(&text);
                self.mark(index);
            }
        }
    }

    pub(crate) fn push_to_all(&mut self, tag: u32, body: &[u8]) {
        for index in 0..self.slots.len() {
            self.push_to_slot(index as u16, tag, body);
        }
    }

    pub(crate) fn push_to_slot(&mut self, slot: u16, tag: u32, body: &[u8]) {
        let index = slot as usize;
        if let Some(isolate) = self.slots.get_mut(index).and_then(|slot| slot.isolate.as_mut()) {
            isolate.push_record(tag, body);
            self.mark(index);
        }
    }

    /// Shows every isolate what was pushed to it, and moves what waited for room.
    pub(crate) fn publish(&mut self) {
        for index in std::mem::take(&mut self.dirty) {
            let slot = &mut self.slots[index];
            slot.is_dirty = false;
            if let Some(isolate) = &mut slot.isolate {
                isolate.publish();
            }
        }
    }

    /// Lets every isolate whose ring was full go on; called when the thread was woken.
    pub(crate) fn retry_backlogs(&mut self) {
        for index in 0..self.slots.len() {
            self.retry_backlog(index);
        }
    }

    /// The same for one of them.
    pub(crate) fn retry_backlog(&mut self, index: usize) {
        let isolate = self.slots.get(index).and_then(|slot| slot.isolate.as_ref());
        if isolate.is_some_and(|isolate| isolate.backlog_records() > 0) {
            self.mark(index);
        }
    }

    /// Arms all outward rings; false where one has records again.
    pub(crate) fn arm(&mut self) -> bool {
        let mut is_idle = true;
        for isolate in self.iter_mut() {
            // No shortcut: every ring is armed, whatever the others still hold.
            is_idle &= isolate.arm();
        }
        is_idle
    }
}
