//! One place of a ring.

use core::mem;

use foundation_sync::{atomic::AtomicU64, cell::UnsafeCell};

/// Memory that a slot keeps for its next record. Unit: bytes.
pub const RETAINED_BYTES: usize = 4096;

/// What was captured.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub stamp: u64,
    /// What, as its writer encoded it.
    pub bytes: Vec<u8>,
}

impl Record {
    fn fill(&mut self, stamp: u64, bytes: &[u8]) {
        self.stamp = stamp;
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }

    /// Lets memory go that an unusually long record left.
    fn trim(&mut self) {
        if self.bytes.capacity() > RETAINED_BYTES {
            self.bytes = Vec::new();
        }
    }
}

/// A record and whose turn it is.
///
/// Of the slot of position `p`, in the `n`-th round: `2n` means that the writer of `p` may fill it,
/// `2n + 1` that it is written. A ring of zeroes is empty.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) turn: AtomicU64,
    record: UnsafeCell<Record>,
}

// SAFETY: the record is reached by whoever's turn it is, and turns are handed over by Release and
// Acquire (see `Ring`).
unsafe impl Sync for Slot {}

impl Slot {
    /// Writes the record.
    ///
    /// # Safety
    /// The caller has claimed this slot's position and not committed it yet.
    #[inline]
    pub(crate) unsafe fn fill(&self, stamp: u64, bytes: &[u8]) {
        // SAFETY: until it is committed, a claimed slot belongs to the one who claimed it.
        self.record.with_mut(|record| unsafe { (*record).fill(stamp, bytes) });
    }

    /// Exchanges the record for `other`, whose memory the slot keeps.
    ///
    /// # Safety
    /// The caller has taken this slot's position and not freed it yet.
    #[inline]
    pub(crate) unsafe fn exchange(&self, other: &mut Record) {
        other.trim();
        // SAFETY: until it is freed, a taken slot belongs to the one who took it.
        self.record.with_mut(|record| mem::swap(unsafe { &mut *record }, other));
    }

    /// Forgets the record.
    ///
    /// # Safety
    /// As for [`Slot::exchange`].
    #[inline]
    pub(crate) unsafe fn forget(&self) {
        // SAFETY: as above.
        self.record.with_mut(|record| unsafe { (*record).trim() });
    }
}
