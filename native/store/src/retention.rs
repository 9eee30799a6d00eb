//! What leaves the store: full segments become part of the index, the oldest go where there is too
//! much, and what happened before a time can be pruned.

use crate::active::Active;
use crate::error::Result;
use crate::ordered::ordered_time;
use crate::store::{Current, Durability, Full, Store};

impl Store {
    /// Makes the segment that is written to a full one, in the index and on disk.
    pub(crate) fn seal(&mut self) -> Result<()> {
        let Some(Current { segment, active }) = self.current.take() else { return Ok(()) };
        let current = Current { segment, active };
        let sealed = current.summary().map(|summary| {
            current.segment.sync()?;
            self.index_mut()?.put(&summary, &current.active)?;
            Ok(summary)
        });
        let number = current.segment.identity.number;
        match sealed {
            None => self.folder.remove(&self.folder.segment_path(number)),
            Some(Ok(summary)) => {
                self.stats.syncs += 1;
                self.full.insert(number, Full { summary, replaced: 0 });
                Ok(())
            }
            Some(Err(error)) => {
                self.current = Some(current);
                Err(error)
            }
        }
    }

    /// Keeps within what the store may take: the oldest segments go first. What was replaced goes
    /// before anything that was not.
    ///
    /// # Errors
    /// `event_log_failed`; nothing can be written then.
    pub fn tidy(&mut self) -> Result<()> {
        let tidied = self.with_index(Store::shrink);
        if let Err(error) = &tidied {
            self.failure = Some(error.clone());
        }
        tidied
    }

    fn shrink(&mut self) -> Result<()> {
        while self.bytes() > self.options.bytes_max {
            let is_wasteful =
                |full: &Full| u64::from(full.live()) * 2 < u64::from(full.summary.written);
            let wasteful = self.full.iter().find(|(_, full)| is_wasteful(full));
            if let Some(number) = wasteful.map(|(number, _)| *number) {
                self.rewrite(number, 0)?;
                continue;
            }
            let Some((number, full)) = self.full.first_key_value() else { break };
            let (number, live) = (*number, full.live());
            self.forget(number)?;
            self.stats.pruned += u64::from(live);
        }
        Ok(())
    }

    /// Drops what happened before a time, exclusive; answers how many events that were.
    ///
    /// # Errors
    /// `event_log_failed`, `data_corruption`.
    pub fn prune_before(&mut self, time: f64) -> Result<u64> {
        self.check_usable()?;
        let bound = ordered_time(time);
        let before = self.stats.pruned;
        self.with_index(|store| store.prune_ordered(bound))?;
        if self.options.durability == Durability::Disk {
            self.folder.sync()?;
            self.stats.syncs += 1;
        }
        Ok(self.stats.pruned - before)
    }

    fn prune_ordered(&mut self, bound: u64) -> Result<()> {
        let has_older = |active: &Active| active.spans().is_some_and(|span| span.times.0 < bound);
        if self.current.as_ref().is_some_and(|current| has_older(&current.active)) {
            self.seal()?;
        }
        if self.full.values().all(|full| full.summary.times.0 >= bound) {
            return Ok(());
        }
        // From the oldest on, and without what was replaced: else an event would be seen again
        // that a later one of its id had replaced, once that one is pruned.
        let numbers: Vec<u64> = self.full.keys().copied().collect();
        for number in numbers {
            let Some(full) = self.full.get(&number).copied() else { continue };
            let live = full.live();
            if full.summary.times.1 < bound {
                self.forget(number)?;
            } else if full.summary.times.0 < bound || full.replaced > 0 {
                self.rewrite(number, bound)?;
            }
            let left = self.full.get(&number).map_or(0, Full::live);
            self.stats.pruned += u64::from(live - left);
        }
        Ok(())
    }

    /// Drops a full segment.
    pub(crate) fn forget(&mut self, number: u64) -> Result<()> {
        self.index_mut()?.remove(&[number])?; // first: a segment that only the index has is a loss
        self.folder.remove(&self.folder.segment_path(number))?;
        self.full.remove(&number);
        self.cache.forget(number);
        Ok(())
    }
}
