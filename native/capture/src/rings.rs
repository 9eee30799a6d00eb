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

    /// Tells that the reader is about to sleep until `records` are unread, over all rings and with
    /// the `kept` ones of the reader, or until a ring is half full; see [`Ring::arm`]. `false`: so
    /// it is.
    ///
    /// No writer sees all rings, so each ring wakes the reader for its share of what is missing: it
    /// may be woken before, and then arms again.
    #[must_use = "a reader that sleeps although records are there may never wake"]
    pub fn arm(&self, records: NonZeroU32, kept: u32) -> bool {
        let half = u64::from(self.options.records_max.div_ceil(2));
        loop {
            let unread: Vec<u64> = self.rings.iter().map(Ring::unread).collect();
            let total = u64::from(kept) + unread.iter().sum::<u64>();
            let missing = u64::from(records.get()).saturating_sub(total);
            if missing == 0 || unread.iter().any(|&unread| unread >= half) {
                self.disarm();
                return false;
            }
            let share = missing.div_ceil(self.rings.len() as u64);
            let mut rings = self.rings.iter().zip(&unread);
            if rings.all(|(ring, unread)| ring.arm(half.min(unread + share) as u32)) {
                return true;
            }
            // Some were written meanwhile: at most `records` times.
        }
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
    use core::num::NonZeroU32;

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

    /// Wakes until `records` are there, which `writer_of` spreads over eight rings.
    fn wakes(records: u32, writer_of: impl Fn(u32) -> u32) -> u32 {
        let options = RingsOptions { rings: 8, slots: 256, records_max: 256, ..OPTIONS };
        let rings = Rings::new(options).expect("valid options");
        let wanted = NonZeroU32::new(records).expect("at least one");
        let mut wakes = 0;
        assert!(rings.arm(wanted, 0));
        for number in 1..=records {
            if rings.ring(writer_of(number)).write(1, b"x").expect("room") {
                wakes += 1;
                assert_eq!(rings.arm(wanted, 0), number < records, "after {number}");
            } else {
                assert!(number < records, "the last one wakes");
            }
        }
        wakes
    }

    #[test]
    fn a_reader_sleeps_until_so_many_are_there_however_they_are_spread() {
        assert!(wakes(100, |_| 3) <= 40, "each wake brings an eighth of what is missing");
        assert!(wakes(100, |number| number) <= 40);
        assert!(wakes(100, |number| number * number / 7) <= 40);
    }

    #[test]
    fn what_the_reader_has_kept_counts_among_what_is_there() {
        let rings = Rings::new(OPTIONS).expect("valid options");
        rings.ring(0).write(1, b"x").expect("room");
        let four = NonZeroU32::new(4).expect("not zero");
        assert!(rings.arm(four, 2));
        assert!(!rings.arm(four, 3));
    }

    #[test]
    fn a_reader_does_not_sleep_while_a_ring_is_half_full() {
        let rings = Rings::new(OPTIONS).expect("valid options");
        let many = NonZeroU32::new(1_000).expect("not zero");
        assert!(rings.arm(many, 0));
        let written = [1, 2, 3].map(|stamp| rings.ring(1).write(stamp, b"x"));
        assert_eq!(written, [Ok(false), Ok(false), Ok(true)]);
        assert!(!rings.arm(many, 0));
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
