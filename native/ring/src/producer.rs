//! The writing half.

use core::slice;

use foundation_sync::atomic::Ordering;

use crate::{
    AttachError, Refused,
    layout::{self, ARMED, HEAD, HEADER_BYTES, PADDING, TAIL, WAITING},
    memory::{self, Header, Memory},
};

/// Writes records; the consumer sees none of them before [`Producer::publish`]. One a ring.
///
/// A producer that is dropped, or whose thread is killed, takes what it had not published with it.
#[derive(Debug)]
pub struct Producer<M> {
    memory: M,
    capacity: u32,
    /// End of the committed records.
    tail: u32,
    /// Bytes behind `tail` that the open claim takes, padding included.
    claimed_bytes: u32,
    /// `tail` as the consumer may see it.
    published: u32,
    /// The consumer's position as read last; loaded again only when it leaves too little room.
    head: u32,
}

impl<M: Memory> Producer<M> {
    /// Attaches at the position that the block holds: an earlier producer's, or 0 in a zeroed
    /// block.
    pub fn new(memory: M, capacity: u32) -> Result<Self, AttachError> {
        let (head, tail) = memory::attach(&memory, capacity)?;
        Ok(Self { memory, capacity, tail, claimed_bytes: 0, published: tail, head })
    }

    /// Room for a body of `size` bytes, to be filled before the next call on the producer: the next
    /// claim or `publish` commits it. It holds bytes of earlier records.
    #[inline]
    pub fn try_claim(&mut self, size: u32, tag: u32) -> Result<&mut [u8], Refused> {
        self.commit();
        if tag == PADDING {
            return Err(Refused::ReservedTag);
        }
        if size > layout::body_bytes_max(self.capacity) {
            return Err(Refused::TooLarge);
        }
        let (padding_bytes, record_bytes) = self.plan(size);
        let claimed_bytes = padding_bytes + record_bytes;
        if self.free_by(self.head) < claimed_bytes {
            self.head = self.load_head()?;
            if self.free_by(self.head) < claimed_bytes {
                return Err(Refused::Full);
            }
        }
        self.claimed_bytes = claimed_bytes;
        self.note_write(self.tail);
        let mut at = (self.tail & (self.capacity - 1)) as usize;
        if padding_bytes > 0 {
            let header = Header { size: padding_bytes - HEADER_BYTES, tag: PADDING };
            // SAFETY: the tail is 8-aligned and masked, so a header fits; the bytes were found
            // free.
            unsafe { header.store(&self.memory, at) };
            at = 0;
        }
        // SAFETY: `plan` made the record fit between `at` and the end of the data area.
        unsafe { Header { size, tag }.store(&self.memory, at) };
        // SAFETY: as above. Free bytes belong to this producer alone until the tail is published,
        // and it is borrowed as long as the slice lives.
        Ok(unsafe {
            let body = self.memory.data().add(at + HEADER_BYTES as usize);
            slice::from_raw_parts_mut(body, size as usize)
        })
    }

    /// Claims room for the parts in a row and copies them.
    #[inline]
    pub fn try_push(&mut self, tag: u32, parts: &[&[u8]]) -> Result<(), Refused> {
        let size = parts.iter().fold(0usize, |sum, part| sum.saturating_add(part.len()));
        let mut rest = self.try_claim(u32::try_from(size).unwrap_or(u32::MAX), tag)?;
        for part in parts {
            let (place, behind) = rest.split_at_mut(part.len());
            place.copy_from_slice(part);
            rest = behind;
        }
        Ok(())
    }

    /// Takes the open claim back, as if it had not been made.
    #[inline]
    pub fn abandon(&mut self) {
        self.claimed_bytes = 0;
    }

    /// Shows the consumer all that was claimed. `true` means that it sleeps: ring its doorbell.
    ///
    /// Once a burst, not once a record: it costs a read-modify-write on a line that both sides use.
    #[inline]
    #[must_use = "a sleeping consumer stays asleep unless its doorbell is rung"]
    pub fn publish(&mut self) -> bool {
        self.commit();
        if self.tail == self.published {
            return false;
        }
        self.note_write(self.published);
        self.published = self.tail;
        // Release: pairs with the consumer's Acquire load and hands it the records.
        self.memory.store_u32(TAIL, self.tail, Ordering::Release);
        // AcqRel: of this swap and the consumer's in `arm`, the later one reads the earlier. Either
        // it is this one and finds 1, or it is the consumer's, which then must see the tail stored
        // above.
        self.memory.swap_u32(ARMED, 0, Ordering::AcqRel) != 0
    }

    /// Bytes that records may still take, headers and padding included; 0 if the head is corrupt.
    pub fn free_bytes(&mut self) -> u32 {
        self.commit();
        match self.load_head() {
            Ok(head) => {
                self.head = head;
                self.free_by(head)
            }
            Err(_) => 0,
        }
    }

    /// Asks to be told when space was released. `true`: wait for the notification; `false`: a body
    /// of `size` bytes fits now (or never will, or the ring is corrupt: claiming tells which), and
    /// none was asked for.
    ///
    /// Everything must be published before, else both sides may wait for each other. A notification
    /// says that there is *more* space, not that there is enough: claim again, and if refused, wait
    /// again.
    pub fn await_space(&mut self, size: u32) -> bool {
        self.commit();
        debug_assert_eq!(
            self.tail, self.published,
            "a producer publishes before it waits for space"
        );
        if size > layout::body_bytes_max(self.capacity) {
            return false;
        }
        let (padding_bytes, record_bytes) = self.plan(size);
        // AcqRel: the mirror image of the swaps on ARMED. Either the consumer's swap in `release`
        // finds this 1, or this one reads from it and then must see the head stored before it.
        self.memory.swap_u32(WAITING, 1, Ordering::AcqRel);
        if let Ok(head) = self.load_head() {
            self.head = head;
            if self.free_by(head) < padding_bytes + record_bytes {
                return true;
            }
        }
        self.memory.swap_u32(WAITING, 0, Ordering::AcqRel);
        false
    }

    /// Length of the data area. Unit: bytes.
    #[inline]
    pub fn capacity_bytes(&self) -> u32 {
        self.capacity
    }

    /// Whether `publish` would show anything new.
    #[inline]
    pub fn has_unpublished(&self) -> bool {
        self.claimed_bytes > 0 || self.tail != self.published
    }

    #[inline]
    fn commit(&mut self) {
        self.tail = self.tail.wrapping_add(self.claimed_bytes);
        self.claimed_bytes = 0;
    }

    /// What a body of `size` bytes takes at the tail: (padding, record). A record never goes round
    /// the end.
    #[inline]
    fn plan(&self, size: u32) -> (u32, u32) {
        let record_bytes = layout::record_bytes(size);
        let bytes_to_end = self.capacity - (self.tail & (self.capacity - 1));
        (if record_bytes > bytes_to_end { bytes_to_end } else { 0 }, record_bytes)
    }

    #[inline]
    fn free_by(&self, head: u32) -> u32 {
        self.capacity - self.tail.wrapping_sub(head)
    }

    #[inline]
    fn load_head(&self) -> Result<u32, Refused> {
        // Acquire: pairs with the consumer's Release store, so its reads end before our writes
        // begin.
        let head = self.memory.load_u32(HEAD, Ordering::Acquire);
        if self.tail.wrapping_sub(head) > self.capacity {
            return Err(Refused::CorruptHead);
        }
        Ok(head)
    }

    #[inline]
    fn note_write(&self, from: u32) {
        let to = self.tail.wrapping_add(self.claimed_bytes);
        for span in memory::spans(from, to, self.capacity) {
            self.memory.note_write(span);
        }
    }
}
