//! The reading half.

use core::slice;

use foundation_sync::atomic::Ordering;

use crate::{
    AttachError, Corrupt,
    layout::{self, ARMED, HEAD, HEADER_BYTES, PADDING, TAIL, WAITING},
    memory::{self, Header, Memory},
};

/// One message of the ring, in place. Its bytes stay until the consumer releases them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What the producer said the body is.
    pub tag: u32,
    /// The bytes, in the ring itself.
    pub body: &'a [u8],
}

/// Reads records in order and gives their room back in batches. One a ring.
#[derive(Debug)]
pub struct Consumer<M> {
    memory: M,
    capacity: u32,
    /// End of the records handed out.
    head: u32,
    /// `head` as the producer may see it.
    released: u32,
    /// The producer's position as read last; loaded again only when it is reached.
    tail: u32,
    corrupt: Option<Corrupt>,
}

impl<M: Memory> Consumer<M> {
    /// Attaches at the position that the block holds: records not released by an earlier consumer
    /// come again.
    pub fn new(memory: M, capacity: u32) -> Result<Self, AttachError> {
        let (head, tail) = memory::attach(&memory, capacity)?;
        Ok(Self { memory, capacity, head, released: head, tail, corrupt: None })
    }

    /// The next published record, or `None` when all were read. Skips padding.
    ///
    /// The record borrows the consumer, so it cannot be released while it is looked at.
    #[expect(
        clippy::should_implement_trait,
        reason = "a record borrows the consumer; Iterator cannot say so"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Corrupt> {
        loop {
            if self.head == self.tail && !self.reload_tail()? {
                return Ok(None);
            }
            let at = (self.head & (self.capacity - 1)) as usize;
            self.memory.note_read(at..at + HEADER_BYTES as usize);
            // SAFETY: the head is 8-aligned and masked, so a whole header lies at `at`.
            let header = unsafe { Header::load(&self.memory, at) };
            // From here on only the copy counts; whatever the producer writes there now changes
            // nothing.
            let end_bytes = self.check(at, header)?;
            self.head = self.head.wrapping_add(end_bytes);
            if header.tag == PADDING {
                continue;
            }
            let start = at + HEADER_BYTES as usize;
            let end = start + header.size as usize;
            self.memory.note_read(start..end);
            // SAFETY: `check` bounded the record by the data area and by the published bytes, which
            // are the consumer's until it releases them; `self` is borrowed as long as the slice
            // lives.
            let body = unsafe {
                slice::from_raw_parts(self.memory.data().add(start), header.size as usize)
            };
            return Ok(Some(Record { tag: header.tag, body }));
        }
    }

    /// Gives the room of every record handed out back. `true` means that the producer waits for
    /// space: notify it.
    #[inline]
    #[must_use = "a waiting producer stays waiting unless it is notified"]
    pub fn release(&mut self) -> bool {
        if self.head == self.released {
            return false;
        }
        for span in memory::spans(self.released, self.head, self.capacity) {
            self.memory.note_read(span);
        }
        self.released = self.head;
        // Release: pairs with the producer's Acquire load; our reads end before its writes begin.
        self.memory.store_u32(HEAD, self.head, Ordering::Release);
        // AcqRel: see `Producer::await_space`, the other half of this proof.
        self.memory.swap_u32(WAITING, 0, Ordering::AcqRel) != 0
    }

    /// Announces sleep. `true`: sleep until the doorbell; `false`: records came meanwhile, go on
    /// reading.
    #[inline]
    #[must_use = "a consumer that sleeps although records are there may never wake"]
    pub fn arm(&mut self) -> bool {
        // AcqRel: if the producer's swap in `publish` came first, this one reads from it and the
        // load below sees its tail; if it comes later, it finds 1 and rings.
        self.memory.swap_u32(ARMED, 1, Ordering::AcqRel);
        if self.memory.load_u32(TAIL, Ordering::Acquire) == self.head {
            return true;
        }
        self.disarm();
        false
    }

    /// Withdraws [`Consumer::arm`] on waking for another reason than the doorbell.
    #[inline]
    pub fn disarm(&mut self) {
        self.memory.swap_u32(ARMED, 0, Ordering::AcqRel);
    }

    /// Bytes published and not handed out yet, headers and padding included.
    pub fn pending_bytes(&self) -> u32 {
        let tail = self.memory.load_u32(TAIL, Ordering::Acquire);
        tail.wrapping_sub(self.head).min(self.capacity)
    }

    /// Length of the data area. Unit: bytes.
    #[inline]
    pub fn capacity_bytes(&self) -> u32 {
        self.capacity
    }

    /// Looks for records published since; `false` when there are none.
    #[inline]
    fn reload_tail(&mut self) -> Result<bool, Corrupt> {
        if let Some(corrupt) = self.corrupt {
            return Err(corrupt);
        }
        // Acquire: pairs with the producer's Release store and makes the records readable.
        let tail = self.memory.load_u32(TAIL, Ordering::Acquire);
        // Measured from the released position: the producer may not have used room we still hold.
        if !memory::is_reachable(self.released, tail, self.capacity)
            || tail.wrapping_sub(self.released) < self.head.wrapping_sub(self.released)
        {
            return Err(self.fail(Corrupt::Tail { head: self.head, tail }));
        }
        self.tail = tail;
        Ok(tail != self.head)
    }

    /// Bounds a record by the published bytes and the end of the data area; answers the room it
    /// takes.
    #[inline]
    fn check(&mut self, at: usize, header: Header) -> Result<u32, Corrupt> {
        let Header { size, tag } = header;
        let bytes_to_end = self.capacity - at as u32;
        let bytes_published = self.tail.wrapping_sub(self.head);
        if tag == PADDING {
            // Both are multiples of 8 and not 0, so a header always fits.
            if size != bytes_to_end - HEADER_BYTES || bytes_to_end > bytes_published {
                return Err(self.fail(Corrupt::Padding { at: self.head, size }));
            }
            return Ok(bytes_to_end);
        }
        // The body limit comes first: it keeps `record_bytes` from overflowing.
        if size > layout::body_bytes_max(self.capacity)
            || layout::record_bytes(size) > bytes_to_end.min(bytes_published)
        {
            return Err(self.fail(Corrupt::Length { at: self.head, size }));
        }
        Ok(layout::record_bytes(size))
    }

    #[cold]
    fn fail(&mut self, corrupt: Corrupt) -> Corrupt {
        self.corrupt = Some(corrupt);
        self.tail = self.head; // every later call comes to `reload_tail` and finds the reason
        corrupt
    }
}
