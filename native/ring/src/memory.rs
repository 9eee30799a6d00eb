//! What a ring needs of its memory: shared bytes in production, owned words under loom.

use core::{
    ops::Range,
    ptr::NonNull,
    sync::atomic::{AtomicU32, AtomicU64},
};

use foundation_sync::atomic::Ordering;

use crate::{AttachError, layout};

/// Memory of one ring block, reached by both sides at once.
///
/// The control words are accessed atomically through the methods; the data area is plain memory
/// whose ownership the algorithms hand over with the positions.
///
/// # Safety
/// `data` points at `data_bytes` readable and writable bytes, 8-aligned, initialised, and valid as
/// long as the value lives. Loads, stores and swaps act on the word at the given offset of the
/// layout, shared with the other side, with at least the ordering asked for.
pub unsafe trait Memory {
    /// First byte of the data area.
    fn data(&self) -> *mut u8;

    /// Length of the data area.
    fn data_bytes(&self) -> usize;

    /// Loads the control word at `offset`.
    fn load_u32(&self, offset: usize, ordering: Ordering) -> u32;

    /// Stores the control word at `offset`.
    fn store_u32(&self, offset: usize, value: u32, ordering: Ordering);

    /// Exchanges the control word at `offset` in one read-modify-write; answers the value before.
    fn swap_u32(&self, offset: usize, value: u32, ordering: Ordering) -> u32;

    /// Called while the consumer owns these data bytes. A model checker fails here when the read is
    /// not ordered after the producer's write; production has nothing to do.
    #[inline]
    fn note_read(&self, _range: Range<usize>) {}

    /// Called while the producer owns these data bytes; see [`Memory::note_read`].
    #[inline]
    fn note_write(&self, _range: Range<usize>) {}
}

/// A record's header as one word, so that length and tag are read together and only once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) size: u32,
    pub(crate) tag: u32,
}

impl Header {
    /// Reads the header at `offset` of the data area.
    ///
    /// # Safety
    /// `offset` is a multiple of 8 and at most `data_bytes - 8`.
    #[inline]
    pub(crate) unsafe fn load<M: Memory>(memory: &M, offset: usize) -> Self {
        // SAFETY: in bounds and aligned by the caller's word. It is atomic because a side that
        // breaks the protocol may write meanwhile: the value may then be wrong, and is checked, but
        // no race.
        let word = unsafe { AtomicU64::from_ptr(memory.data().add(offset).cast()) };
        let bits = u64::from_le(word.load(Ordering::Relaxed));
        Self { size: bits as u32, tag: (bits >> 32) as u32 }
    }

    /// Writes the header at `offset` of the data area.
    ///
    /// # Safety
    /// As [`Header::load`], and the producer owns these bytes.
    #[inline]
    pub(crate) unsafe fn store<M: Memory>(self, memory: &M, offset: usize) {
        // SAFETY: in bounds and aligned by the caller's word.
        let word = unsafe { AtomicU64::from_ptr(memory.data().add(offset).cast()) };
        let bits = u64::from(self.size) | u64::from(self.tag) << 32;
        word.store(bits.to_le(), Ordering::Relaxed); // published by the Release store of the tail
    }
}

/// Where the bytes between two positions lie: a second range follows when they go round the end.
#[inline]
pub(crate) fn spans(from: u32, to: u32, capacity: u32) -> [Range<usize>; 2] {
    let start = (from & (capacity - 1)) as usize;
    let end = start + to.wrapping_sub(from) as usize;
    let capacity = capacity as usize;
    [start..end.min(capacity), 0..end.saturating_sub(capacity)]
}

/// Reads both positions and checks everything that both sides need before they may use the block.
/// Answers (head, tail).
pub(crate) fn attach<M: Memory>(memory: &M, capacity: u32) -> Result<(u32, u32), AttachError> {
    if !layout::is_capacity(capacity) {
        return Err(AttachError::Capacity { capacity_bytes: capacity });
    }
    if memory.data_bytes() < capacity as usize {
        return Err(AttachError::BlockTooSmall {
            have_bytes: memory.data_bytes().saturating_add(layout::DATA),
            need_bytes: layout::block_bytes(capacity),
        });
    }
    // Head first: it never passes the tail, so a tail read later cannot seem to lie behind it.
    // Acquire takes over from whoever held this side before.
    let head = memory.load_u32(layout::HEAD, Ordering::Acquire);
    let tail = memory.load_u32(layout::TAIL, Ordering::Acquire);
    if !head.is_multiple_of(layout::RECORD_ALIGNMENT) || !is_reachable(head, tail, capacity) {
        return Err(AttachError::Positions { head, tail });
    }
    Ok((head, tail))
}

/// Whether a correct producer can stand at `tail` while the consumer stands at the 8-aligned
/// `head`.
#[inline]
pub(crate) fn is_reachable(head: u32, tail: u32, capacity: u32) -> bool {
    tail.is_multiple_of(layout::RECORD_ALIGNMENT) && tail.wrapping_sub(head) <= capacity
}

/// A ring block in memory that another thread, or JavaScript, shares.
///
/// It always uses the processor's atomics, also under loom, because loom's words cannot lie in
/// memory of somebody else.
#[derive(Debug)]
pub struct SharedBlock {
    base: NonNull<u8>,
    block_bytes: usize,
}

// SAFETY: the block is shared by design; every access to it is atomic or owned by the ring
// protocol.
unsafe impl Send for SharedBlock {}

impl SharedBlock {
    /// Looks at `block_bytes` bytes from `base` as a ring block.
    ///
    /// # Safety
    /// The bytes stay valid and initialised as long as the value lives. At most one producer and
    /// one consumer use the block at a time, and everything else that can reach it leaves it alone
    /// or keeps the protocol: it writes the data area only between the head and the capacity, and
    /// not the rest.
    pub unsafe fn new(base: NonNull<u8>, block_bytes: usize) -> Result<Self, AttachError> {
        if !base.addr().get().is_multiple_of(layout::BLOCK_ALIGNMENT) {
            return Err(AttachError::BlockMisaligned);
        }
        let need_bytes = layout::block_bytes(layout::CAPACITY_BYTES_MIN);
        if block_bytes < need_bytes {
            return Err(AttachError::BlockTooSmall { have_bytes: block_bytes, need_bytes });
        }
        Ok(Self { base, block_bytes })
    }

    #[inline]
    fn word(&self, offset: usize) -> &AtomicU32 {
        // The offsets are constants, so the compiler removes this check.
        assert!(offset < layout::DATA && offset.is_multiple_of(4), "no control word: {offset}");
        // SAFETY: the word lies before the data area, which `new` checked to be inside the block;
        // its base is 128-aligned, so the word is aligned. Both sides access it atomically only.
        unsafe { AtomicU32::from_ptr(self.base.as_ptr().add(offset).cast()) }
    }
}

// SAFETY: `new` holds the caller to valid bytes and checked that the data area lies among them.
unsafe impl Memory for SharedBlock {
    #[inline]
    fn data(&self) -> *mut u8 {
        // SAFETY: `new` checked that the block reaches beyond `DATA`.
        unsafe { self.base.as_ptr().add(layout::DATA) }
    }

    #[inline]
    fn data_bytes(&self) -> usize {
        self.block_bytes - layout::DATA
    }

    #[inline]
    fn load_u32(&self, offset: usize, ordering: Ordering) -> u32 {
        u32::from_le(self.word(offset).load(ordering))
    }

    #[inline]
    fn store_u32(&self, offset: usize, value: u32, ordering: Ordering) {
        self.word(offset).store(value.to_le(), ordering);
    }

    #[inline]
    fn swap_u32(&self, offset: usize, value: u32, ordering: Ordering) -> u32 {
        u32::from_le(self.word(offset).swap(value.to_le(), ordering))
    }
}
