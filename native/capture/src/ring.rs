//! The ring: many writers, one reader, and writers that read where they drop the oldest.

use core::cmp;

use foundation_sync::{
    atomic::{AtomicU64, Ordering},
    hint,
};

use crate::{
    Record, Refused,
    line::Line,
    slot::Slot,
    steps::{Plain, Step, Steps},
};

/// Looks at a slot that another thread is in the middle of, before a writer gives up: whoever was
/// stopped there by the system must not stop the others. Under loom one says all.
const ATTEMPTS_MAX: u32 = if cfg!(loom) { 1 } else { 128 };

/// What becomes of a record that finds the ring full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest unread record makes room for it.
    DropOldest,
    /// It is dropped.
    DropNewest,
    /// It is refused; its writer may wait for room.
    Block,
}

/// Positions count records since the ring was made and never wrap: 2^64 of them are not written.
///
/// Each word is changed by one compare-and-exchange, so of all writers one always gets on.
#[derive(Debug)]
pub struct Ring<S = Plain> {
    slots: Box<[Slot]>,
    /// Of the number of slots: a position's rounds are a shift away, and no division.
    slot_bits: u32,
    records_max: u64,
    record_bytes_max: usize,
    overflow: Overflow,
    writing: Line<Writing>,
    reading: Line<Reading>,
    dropped: Line<Dropped>,
    steps: S,
}

/// What writers change for each record.
#[derive(Debug, Default)]
struct Writing {
    /// Next position to be claimed.
    position: AtomicU64,
    /// How many unread records the sleeping reader wants to be woken for; 0 while it is awake.
    /// Beside the position, so that a look at it costs no other line.
    armed: AtomicU64,
}

/// What the reader changes.
#[derive(Debug, Default)]
struct Reading {
    /// Next position to be taken.
    position: AtomicU64,
    /// 1 while a writer waits for room.
    waiting: AtomicU64,
}

#[derive(Debug, Default)]
struct Dropped {
    oldest: AtomicU64,
    newest: AtomicU64,
}

enum Claim {
    At(u64),
    /// Another writer was faster.
    Lost,
    /// With this position as the oldest.
    Full(u64),
    /// There is room, but whoever took the record before has not freed the slot yet.
    Busy,
}

impl<S: Steps> Ring<S> {
    /// An empty ring. `slots` is a power of two, `records_max` 1 to `slots`.
    pub(crate) fn new(
        slots: u32,
        records_max: u32,
        record_bytes_max: u32,
        overflow: Overflow,
        steps: S,
    ) -> Self {
        debug_assert!(slots.is_power_of_two() && (1..=slots).contains(&records_max));
        Self {
            slot_bits: slots.trailing_zeros(),
            slots: (0..slots).map(|_| Slot::default()).collect(),
            records_max: u64::from(records_max),
            record_bytes_max: record_bytes_max as usize,
            overflow,
            writing: Line::default(),
            reading: Line::default(),
            dropped: Line::default(),
            steps,
        }
    }

    /// A ring of two slots whose steps a model watches.
    #[cfg(loom)]
    pub fn watched(records_max: u32, overflow: Overflow, steps: S) -> Self {
        Self::new(2, records_max, 64, overflow, steps)
    }

    /// Writes a record. `true` means that the reader sleeps and wants to be woken: ring its
    /// doorbell.
    #[inline]
    pub fn write(&self, stamp: u64, bytes: &[u8]) -> Result<bool, Refused> {
        if bytes.len() > self.record_bytes_max {
            return Err(Refused::TooLarge);
        }
        let Some(position) = self.claim() else {
            if self.overflow == Overflow::Block {
                return Err(Refused::Full);
            }
            self.count_dropped();
            return Err(Refused::Dropped);
        };
        let slot = self.slot(position);
        // SAFETY: `claim` gave this position to this call alone; it is committed below.
        unsafe { slot.fill(stamp, bytes) };
        // Release: pairs with the Acquire of `SeeWritten` and hands the record over.
        self.steps.store(Step::Commit, &slot.turn, self.written(position), Ordering::Release);
        self.has_to_ring(position)
    }

    /// Takes the oldest record in exchange for `record`, whose memory the ring goes on to use.
    /// `false` where none is there, or the oldest one is still being written.
    #[inline]
    pub fn take(&self, record: &mut Record) -> bool {
        loop {
            let Some(position) = self.oldest_written() else { return false };
            // AcqRel: who drops may have been here before; the positions stay in order.
            if self.steps.advance(Step::Take, &self.reading.position, position, Ordering::AcqRel) {
                let slot = self.slot(position);
                // SAFETY: the exchange gave this position to this call alone; it is freed below.
                unsafe { slot.exchange(record) };
                self.free(position);
                return true;
            }
        }
    }

    /// Tells that the reader is about to sleep until `records` are unread. `true`: sleep; `false`:
    /// they are there.
    ///
    /// With 1 no wake-up is lost. With more it may be, where records are committed in another order
    /// than they were claimed: the reader then needs a timer, too.
    #[must_use = "a reader that sleeps although records are there may never wake"]
    pub fn arm(&self, records: u32) -> bool {
        let records = u64::from(records.max(1));
        // AcqRel: of this exchange and the one of a writer in `has_to_ring`, the later one reads
        // the earlier. Either it is this one and sees what that writer committed, or it is the
        // writer's, which then finds what is stored here.
        self.steps.swap(Step::Arm, &self.writing.armed, records, Ordering::AcqRel);
        let is_there = self.unread() >= records;
        if is_there {
            self.disarm();
        }
        !is_there
    }

    /// Records that could be taken now, and those behind them; 0 while the oldest one is still
    /// being written.
    pub(crate) fn unread(&self) -> u64 {
        self.oldest_written().map_or(0, |oldest| self.write_position().saturating_sub(oldest))
    }

    /// Withdraws [`Ring::arm`].
    pub fn disarm(&self) {
        self.steps.swap(Step::Arm, &self.writing.armed, 0, Ordering::AcqRel);
    }

    /// Says that a writer waits for room. `true`: wait until notified; `false`: there is room now.
    /// Others may wait as well, so this is not withdrawn: at most one notification is in vain.
    #[must_use = "a writer that does not wait should try again"]
    pub fn await_space(&self) -> bool {
        // AcqRel: the mirror image of `arm`. Either the reader's exchange in `has_waiting` finds
        // this 1, or this one reads from it and then sees what was freed before.
        self.steps.swap(Step::Wait, &self.reading.waiting, 1, Ordering::AcqRel);
        self.is_full()
    }

    /// Whether a writer waits, which then has to be told of the room that was made.
    #[must_use = "a waiting writer stays waiting unless it is told"]
    pub fn has_waiting(&self) -> bool {
        self.steps.swap(Step::Notify, &self.reading.waiting, 0, Ordering::AcqRel) != 0
    }

    /// Counts a record that its writer gave up.
    pub fn count_dropped(&self) {
        self.dropped.newest.fetch_add(1, Ordering::Relaxed); // a count; it orders nothing
    }

    /// Records written since the ring was made.
    pub fn write_position(&self) -> u64 {
        self.writing.position.load(Ordering::Acquire)
    }

    /// Records that were dropped: (for newer ones, as they came).
    pub fn dropped(&self) -> (u64, u64) {
        let Dropped { oldest, newest } = &*self.dropped;
        (oldest.load(Ordering::Relaxed), newest.load(Ordering::Relaxed))
    }

    fn slot(&self, position: u64) -> &Slot {
        &self.slots[(position & (self.slots.len() as u64 - 1)) as usize]
    }

    /// The turn of a slot that the writer of `position` may fill.
    fn open(&self, position: u64) -> u64 {
        (position >> self.slot_bits) * 2
    }

    /// The turn of a slot that holds the record of `position`.
    fn written(&self, position: u64) -> u64 {
        self.open(position) + 1
    }

    #[inline]
    fn claim(&self) -> Option<u64> {
        let mut attempts = 0;
        loop {
            match self.try_claim() {
                Claim::At(position) => return Some(position),
                Claim::Lost => {}
                _ if self.overflow != Overflow::DropOldest => return None,
                Claim::Full(oldest) if self.drop(oldest) => {}
                // Dropping more would not help who waits for a slot in another thread's hands.
                Claim::Full(_) | Claim::Busy => {
                    attempts += 1;
                    if attempts > ATTEMPTS_MAX {
                        return None;
                    }
                    hint::spin_loop();
                }
            }
        }
    }

    #[inline]
    fn try_claim(&self) -> Claim {
        // Acquire on both positions: a reader's frees are seen with its position.
        let position = self.writing.position.load(Ordering::Acquire);
        let read = self.reading.position.load(Ordering::Acquire);
        if position.saturating_sub(read) >= self.records_max {
            return Claim::Full(read);
        }
        // Acquire: pairs with `Free` of the round before, which ended the reading of the slot.
        let turn = self.steps.load(Step::SeeFree, &self.slot(position).turn, Ordering::Acquire);
        match turn.cmp(&self.open(position)) {
            cmp::Ordering::Less => Claim::Busy,
            cmp::Ordering::Greater => Claim::Lost,
            // Relaxed would do: what the record needs is ordered by the slot's turn. Release lets
            // whoever sees the position also see the claims before it.
            cmp::Ordering::Equal => {
                let writing = &self.writing.position;
                if self.steps.advance(Step::Claim, writing, position, Ordering::AcqRel) {
                    Claim::At(position)
                } else {
                    Claim::Lost
                }
            }
        }
    }

    /// Makes room, unless somebody has meanwhile; `false` where the oldest record is still being
    /// written.
    fn drop(&self, oldest: u64) -> bool {
        let slot = self.slot(oldest);
        // Acquire: pairs with `Commit` and gives the record away.
        let turn = self.steps.load(Step::SeeWritten, &slot.turn, Ordering::Acquire);
        if turn < self.written(oldest) {
            return false;
        }
        // Fails where it was taken meanwhile: no other record goes for it.
        if self.steps.advance(Step::Take, &self.reading.position, oldest, Ordering::AcqRel) {
            // SAFETY: the exchange gave this position to this call alone; it is freed below.
            unsafe { slot.forget() };
            self.free(oldest);
            self.dropped.oldest.fetch_add(1, Ordering::Relaxed); // a count; it orders nothing
        }
        true
    }

    /// The oldest position, if its record is there.
    #[inline]
    fn oldest_written(&self) -> Option<u64> {
        loop {
            let position = self.reading.position.load(Ordering::Acquire);
            // Acquire: pairs with `Commit` and makes the record readable.
            let turn =
                self.steps.load(Step::SeeWritten, &self.slot(position).turn, Ordering::Acquire);
            match turn.cmp(&self.written(position)) {
                cmp::Ordering::Less => return None,
                cmp::Ordering::Equal => return Some(position),
                cmp::Ordering::Greater => {} // somebody took it meanwhile
            }
        }
    }

    #[inline]
    fn free(&self, position: u64) {
        let open_again = self.open(position) + 2;
        // Release: pairs with the Acquire of `SeeFree`; our reads end before its writes begin.
        self.steps.store(Step::Free, &self.slot(position).turn, open_again, Ordering::Release);
    }

    fn is_full(&self) -> bool {
        let position = self.write_position();
        let read = self.reading.position.load(Ordering::Acquire);
        let turn = self.steps.load(Step::SeeFree, &self.slot(position).turn, Ordering::Acquire);
        position.saturating_sub(read) >= self.records_max || turn < self.open(position)
    }

    /// Whether the record just committed is one that the reader wants to be woken for.
    #[inline]
    fn has_to_ring(&self, position: u64) -> Result<bool, Refused> {
        let armed = &self.writing.armed;
        // AcqRel, and no plain load: see `arm`, the other half of this proof.
        let wanted = self.steps.newest(Step::Look, armed, Ordering::AcqRel);
        if wanted == 0 {
            return Ok(false);
        }
        let read = self.reading.position.load(Ordering::Acquire);
        // One that was read, or dropped for a later one, needs nobody to be woken.
        if (position + 1).saturating_sub(read) < wanted {
            return Ok(false);
        }
        Ok(self.steps.swap(Step::Ring, armed, 0, Ordering::AcqRel) != 0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Overflow, Ring};
    use crate::{Plain, Record, Refused};
    use foundation_sync::atomic::Ordering;

    /// A full ring of four slots, of which a thread has taken the oldest record without freeing its
    /// slot, because the system has stopped it in between.
    fn with_a_stalled_taker(overflow: Overflow) -> Ring {
        let ring = Ring::new(4, 4, 8, overflow, Plain);
        for stamp in 1..=4 {
            assert_eq!(ring.write(stamp, b""), Ok(false));
        }
        ring.reading.position.store(1, Ordering::Release);
        ring
    }

    fn stamps(ring: &Ring) -> Vec<u64> {
        let mut record = Record::default();
        std::iter::from_fn(|| ring.take(&mut record).then_some(record.stamp)).collect()
    }

    #[test]
    fn a_writer_behind_a_stalled_taker_loses_its_own_record_and_no_other() {
        let ring = with_a_stalled_taker(Overflow::DropOldest);
        assert_eq!(ring.write(5, b""), Err(Refused::Dropped));
        assert_eq!(ring.dropped(), (0, 1));
        ring.free(0);
        assert_eq!(ring.write(6, b""), Ok(false));
        assert_eq!((stamps(&ring), ring.dropped()), (vec![2, 3, 4, 6], (0, 1)));
    }

    #[test]
    fn a_writer_that_may_wait_is_told_that_there_is_no_room_behind_a_stalled_taker() {
        let ring = with_a_stalled_taker(Overflow::Block);
        assert_eq!(ring.write(5, b""), Err(Refused::Full));
        assert!(ring.await_space());
        ring.free(0);
        assert!(!ring.await_space());
    }
}
