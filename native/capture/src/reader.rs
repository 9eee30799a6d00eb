//! The reading side of all rings of a node.

use foundation_sync::atomic::Ordering;

use crate::{Record, Rings};

/// Reads the rings of a node in the order of their stamps. One a node.
///
/// A writer that was overtaken between its stamp and its record comes late: then a stamp may be
/// below that of the record before.
#[derive(Debug, Default)]
pub struct Reader {
    /// The oldest record of each ring, taken out to be compared.
    heads: Vec<Head>,
}

#[derive(Debug, Default)]
struct Head {
    record: Record,
    is_there: bool,
}

impl Reader {
    /// Hands out at most `records_max` records; one that `accept` refuses is kept and ends the
    /// drain. Answers how many were accepted.
    pub fn drain(
        &mut self,
        rings: &Rings,
        records_max: u32,
        mut accept: impl FnMut(&Record) -> bool,
    ) -> u32 {
        self.heads.resize_with(rings.iter().count(), Head::default);
        let mut read = 0;
        while read < records_max {
            for (head, ring) in self.heads.iter_mut().zip(rings.iter()) {
                head.is_there = head.is_there || ring.take(&mut head.record);
            }
            let heads = self.heads.iter_mut().filter(|head| head.is_there);
            let Some(oldest) = heads.min_by_key(|head| head.record.stamp) else { break };
            if !accept(&oldest.record) {
                break;
            }
            oldest.is_there = false;
            read += 1;
        }
        rings.reads.fetch_add(u64::from(read), Ordering::Relaxed); // a count; it orders nothing
        read
    }

    /// Records that were taken out of their rings and not handed out yet; see [`Rings::arm`].
    pub fn kept(&self) -> u32 {
        self.heads.iter().filter(|head| head.is_there).count() as u32
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Reader;
    use crate::{Counters, Overflow, Rings, RingsOptions};

    fn rings() -> Rings {
        let options = RingsOptions {
            rings: 3,
            slots: 4,
            records_max: 4,
            record_bytes_max: 8,
            overflow: Overflow::DropNewest,
        };
        Rings::new(options).expect("valid options")
    }

    #[test]
    fn records_of_several_rings_come_in_the_order_of_their_stamps() {
        let rings = rings();
        for (writer, stamp) in [(2, 1), (0, 2), (1, 3), (2, 4), (1, 5)] {
            rings.ring(writer).write(stamp, &[writer as u8]).expect("room");
        }
        let mut seen = Vec::new();
        let read = Reader::default().drain(&rings, 100, |record| {
            seen.push((record.stamp, record.bytes[0]));
            true
        });
        assert_eq!((read, seen), (5, vec![(1, 2), (2, 0), (3, 1), (4, 2), (5, 1)]));
    }

    #[test]
    fn a_record_that_is_not_accepted_comes_again() {
        let rings = rings();
        rings.ring(0).write(1, b"a").expect("room");
        rings.ring(0).write(2, b"b").expect("room");
        let mut reader = Reader::default();
        assert_eq!(reader.drain(&rings, 9, |_| false), 0);
        assert_eq!(reader.kept(), 1);
        assert_eq!(rings.counters().reads, 0, "what was kept was not read");
        let mut stamps = Vec::new();
        reader.drain(&rings, 9, |record| {
            stamps.push(record.stamp);
            true
        });
        assert_eq!((stamps, reader.kept()), (vec![1, 2], 0));
    }

    #[test]
    fn no_more_than_asked_for_are_read() {
        let rings = rings();
        for stamp in 0..4 {
            rings.ring(0).write(stamp, b"").expect("room");
        }
        let mut reader = Reader::default();
        assert_eq!(reader.drain(&rings, 3, |_| true), 3);
        let expected =
            Counters { write_position: 4, read_position: 3, writes: 4, reads: 3, dropped: 0 };
        assert_eq!(rings.counters(), expected);
    }
}
