//! All capture rings of a node.

use core::num::NonZeroU32;

use foundation_sync::atomic::{AtomicU64, Ordering};

use crate::{HybridClock, OptionsError, Overflow, Plain, Ring};

/// Most rings of a node.
pub const RINGS_MAX: u32 = 64;

/// Most slots of a ring.
pub const SLOTS_MAX: u32 = 1 << 20;

/// Longest record that can be asked for. Unit: bytes.
pub const RECORD_BYTES_MAX: u32 = 1 << 20;

/// How large the rings are, and what they do when they are full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingsOptions {
    /// Rings; writers are spread over them. Unit: rings, 1 to [`RINGS_MAX`].
    pub rings: u32,
    /// Places of a ring. Unit: records, a power of two, 2 to [`SLOTS_MAX`].
    pub slots: u32,
    /// Unread records of a ring at most. Unit: records, 1 to `slots`.
    pub records_max: u32,
    /// Longest record. Unit: bytes, 1 to [`RECORD_BYTES_MAX`].
    pub record_bytes_max: u32,
    /// What becomes of a record that finds its ring full.
    pub overflow: Overflow,
}

impl RingsOptions {
    /// Says which option is out of its range.
    pub fn validate(&self) -> Result<(), OptionsError> {
        let Self { rings, slots, records_max, record_bytes_max, .. } = *self;
        let refuse = |option, value, range| Err(OptionsError { option, value, range });
        if !(1..=RINGS_MAX).contains(&rings) {
            return refuse("rings", rings, "1 to 64");
        }
        if !slots.is_power_of_two() || !(2..=SLOTS_MAX).contains(&slots) {
            return refuse("slots", slots, "a power of two from 2 to 1,048,576");
        }
        if !(1..=slots).contains(&records_max) {
            return refuse("records_max", records_max, "1 to the number of slots");
        }
        if !(1..=RECORD_BYTES_MAX).contains(&record_bytes_max) {
            return refuse("record_bytes_max", record_bytes_max, "1 to 1,048,576 bytes");
        }
        Ok(())
    }
}

/// What the rings of a node have counted since they were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Positions written, all rings together.
    pub write_position: u64,
    /// Positions read or dropped for newer records.
    pub read_position: u64,
    /// Records taken in.
    pub writes: u64,
    /// Records handed out.
    pub reads: u64,
    /// Records lost: the oldest for newer ones, and those that found no room.
    pub dropped: u64,
}

/// The rings of a node and its clock.
#[derive(Debug)]
pub struct Rings {
    rings: Box<[Ring]>,
    /// Stamps of all rings are in one order.
    pub clock: HybridClock,
    options: RingsOptions,
    pub(crate) reads: AtomicU64,
}

impl Rings {
    /// Makes empty rings.
    pub fn new(options: RingsOptions) -> Result<Self, OptionsError> {
        options.validate()?;
        Ok(Self::checked(options))
    }

    /// Makes empty rings by options that were validated before.
    pub fn checked(options: RingsOptions) -> Self {
        let RingsOptions { rings, slots, records_max, record_bytes_max, overflow } = options;
        let make = |_| Ring::new(slots, records_max, record_bytes_max, overflow, Plain);
        let (clock, reads) = Default::default();
        Self { rings: (0..rings).map(make).collect(), clock, options, reads }
    }

    /// The ring of a writer, by a number that the writer has for itself.
    #[inline]
    pub fn ring(&self, writer: u32) -> &Ring {
        &self.rings[writer as usize % self.rings.len()]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Ring> {
        self.rings.iter()
    }

    /// Tells that the reader is about to sleep; see [`Ring::arm`]. `records` counts over all rings,
    /// of which each wakes the reader for its share. `false`: some are there, go on reading.
    #[must_use = "a reader that sleeps although records are there may never wake"]
    pub fn arm(&self, records: NonZeroU32) -> bool {
        let share = records.get().div_ceil(self.rings.len() as u32);
        // Never more than fits: a full ring wakes its reader.
        let share = share.min(self.options.records_max.div_ceil(2));
        let is_idle = self.rings.iter().all(|ring| ring.arm(share));
        if !is_idle {
            self.disarm();
        }
        is_idle
    }

    /// Withdraws [`Rings::arm`].
    pub fn disarm(&self) {
        for ring in &self.rings {
            ring.disarm();
        }
    }

    /// Whether a writer of any ring waits for room.
    #[must_use = "a waiting writer stays waiting unless it is told"]
    pub fn have_waiting(&self) -> bool {
        // Each is asked: one that is left out would go on waiting.
        self.rings.iter().filter(|ring| ring.has_waiting()).count() > 0
    }

    /// The counters. While others write, they are of slightly different moments.
    pub fn counters(&self) -> Counters {
        let reads = self.reads.load(Ordering::Relaxed);
        let mut counters = Counters { reads, read_position: reads, ..Counters::default() };
        for ring in &self.rings {
            let (oldest, newest) = ring.dropped();
            counters.read_position += oldest;
            counters.dropped += oldest + newest;
            counters.write_position += ring.write_position();
        }
        counters.writes = counters.write_position;
        counters
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Rings, RingsOptions};
    use crate::Overflow;

    const OPTIONS: RingsOptions = RingsOptions {
        rings: 2,
        slots: 8,
        records_max: 6,
        record_bytes_max: 64,
        overflow: Overflow::DropNewest,
    };

    #[test]
    fn options_out_of_range_are_named() {
        let refused = |options: RingsOptions| Rings::new(options).map(|_| ()).unwrap_err().option;
        assert_eq!(refused(RingsOptions { rings: 0, ..OPTIONS }), "rings");
        assert_eq!(refused(RingsOptions { rings: 65, ..OPTIONS }), "rings");
        assert_eq!(refused(RingsOptions { slots: 12, ..OPTIONS }), "slots");
        assert_eq!(refused(RingsOptions { slots: 1, ..OPTIONS }), "slots");
        assert_eq!(refused(RingsOptions { slots: 1 << 21, ..OPTIONS }), "slots");
        assert_eq!(refused(RingsOptions { records_max: 9, ..OPTIONS }), "records_max");
        assert_eq!(refused(RingsOptions { records_max: 0, ..OPTIONS }), "records_max");
        assert_eq!(refused(RingsOptions { record_bytes_max: 0, ..OPTIONS }), "record_bytes_max");
    }

    #[test]
    fn writers_are_spread_over_the_rings() {
        let rings = Rings::new(OPTIONS).expect("valid options");
        for writer in [0, 1, 2, 3, 5] {
            rings.ring(writer).write(1, b"x").expect("room");
        }
        let written: Vec<u64> = rings.iter().map(super::Ring::write_position).collect();
        assert_eq!(written, [2, 3]);
    }
}
