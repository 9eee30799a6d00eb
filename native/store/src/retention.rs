//! What leaves the store: full segments become part of the index, the oldest go where there is too
//! much, and what happened before a time can be pruned.

use crate::active::Active;
use crate::catalog::Summary;
use crate::error::{Code, Result};
use crate::ordered::ordered_time;
use crate::store::{Current, Durability, Full, Store};

/// One of so many parts of the store is for pages of the index's file that are free: those of a
/// segment that was dropped are used again when the next one is full.
const SLACK_SHARE: u64 = 8;

impl Store {
    /// Makes the segment that is written to a full one, in the index and on disk.
    pub(crate) fn seal(&mut self) -> Result<()> {
        let Some(current) = self.current.take() else { return Ok(()) };
        let number = current.segment.identity.number;
        let Some(summary) = current.summary() else {
            return self.folder.remove(&self.folder.segment_path(number));
        };
        if let Err(error) = self.index_segment(&current, &summary) {
            self.current = Some(current);
            return Err(error);
        }
        self.full.insert(number, Full { summary, replaced: 0 });
        Ok(())
    }

    fn index_segment(&mut self, current: &Current, summary: &Summary) -> Result<()> {
        self.check_synced(current.segment.sync())?;
        self.index_mut()?.put(summary, &current.active)
    }

    /// Counts a sync; after one that failed nothing can be told of what is on disk, nor made sure
    /// of by another one.
    pub(crate) fn check_synced(&mut self, synced: Result<()>) -> Result<()> {
        match &synced {
            Ok(()) => self.stats.syncs += 1,
            Err(error) => self.failure = Some(error.clone()),
        }
        synced
    }

    /// Keeps within what the store may take: the oldest segments go first. What was replaced goes
    /// before anything that was not.
    ///
    /// # Errors
    /// `event_log_failed`: what could not be done is tried again another time.
    pub fn tidy(&mut self) -> Result<()> {
        self.check_usable()?;
        self.with_index(Store::shrink)
    }

    fn shrink(&mut self) -> Result<()> {
        let bytes_max = self.options.bytes_max;
        while self.used() > bytes_max - bytes_max / SLACK_SHARE && self.drop_something()? {}
        // More than the slack: the index had more rows once, and its file has their pages.
        if self.bytes() > bytes_max {
            self.index_mut()?.compact()?;
        }
        while self.bytes() > bytes_max && self.drop_something()? {
            self.index_mut()?.compact()?;
        }
        Ok(())
    }

    /// What counts of the files: the index's also has pages that are free. Unit: bytes.
    fn used(&self) -> u64 {
        let full = self.full.values().map(|Full { summary, .. }| summary);
        let full: u64 = full.map(|summary| summary.bytes + summary.index_bytes()).sum();
        full + self.current.as_ref().map_or(0, |current| current.size())
    }

    /// Drops what was replaced of a segment that has much of it, or else the oldest segment;
    /// answers whether there was any.
    fn drop_something(&mut self) -> Result<bool> {
        let is_wasteful =
            |full: &Full| u64::from(full.live()) * 2 < u64::from(full.summary.written);
        let wasteful = self.full.iter().find(|(_, full)| is_wasteful(full));
        if let Some(number) = wasteful.map(|(number, _)| *number) {
            match self.rewrite(number, 0) {
                // A full disk: what is dropped whole needs no room.
                Err(error) if error.code == Code::Failed && self.failure.is_none() => {}
                outcome => return outcome.map(|()| true),
            }
        }
        let Some((number, full)) = self.full.first_key_value() else { return Ok(false) };
        let (number, live) = (*number, full.live());
        self.forget(number)?;
        self.stats.pruned += u64::from(live);
        Ok(true)
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
            self.check_synced(self.folder.sync())?;
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
