//! A ring block of the test's own, which lives as long as the last half that uses it.

use std::{
    alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error},
    ptr::NonNull,
    sync::Arc,
};

use foundation_ring::{Memory, SharedBlock, layout};
use foundation_sync::atomic::Ordering;

/// One half's share of a block.
#[derive(Clone)]
pub(crate) struct Block(Arc<Allocation>);

struct Allocation {
    base: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the memory is reached through `SharedBlock` alone.
unsafe impl Send for Allocation {}
// SAFETY: as above.
unsafe impl Sync for Allocation {}

impl Drop for Allocation {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and the last share is gone.
        unsafe { dealloc(self.base.as_ptr(), self.layout) };
    }
}

impl Block {
    /// A block whose both positions are `position`.
    pub(crate) fn at(position: u32, capacity: u32) -> Self {
        let layout =
            Layout::from_size_align(layout::block_bytes(capacity), layout::BLOCK_ALIGNMENT)
                .expect("a valid layout");
        // SAFETY: the size is not 0.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })
            .unwrap_or_else(|| handle_alloc_error(layout));
        let block = Self(Arc::new(Allocation { base, layout }));
        block.poke(layout::HEAD, position);
        block.poke(layout::TAIL, position);
        block
    }

    /// Overwrites a control word, as a broken other side would.
    pub(crate) fn poke(&self, offset: usize, value: u32) {
        self.shared().store_u32(offset, value, Ordering::Relaxed);
    }

    /// Overwrites the header of the record at `position`, as a broken producer would.
    #[allow(dead_code, reason = "not every test breaks headers")]
    pub(crate) fn poke_header(&self, position: u32, size: u32, tag: u32) {
        let shared = self.shared();
        let at = position as usize % shared.data_bytes();
        let mut header = [0; 8];
        header[..4].copy_from_slice(&size.to_le_bytes());
        header[4..].copy_from_slice(&tag.to_le_bytes());
        // SAFETY: positions are 8-aligned, so a header fits, and the test runs in one thread.
        unsafe { shared.data().add(at).copy_from_nonoverlapping(header.as_ptr(), 8) };
    }

    fn shared(&self) -> SharedBlock {
        // SAFETY: the allocation is as long as the layout says and outlives `self`.
        unsafe { SharedBlock::new(self.0.base, self.0.layout.size()) }
            .expect("aligned and large enough")
    }
}

// SAFETY: the words and bytes are those of `SharedBlock`, kept alive by the share.
unsafe impl Memory for Block {
    fn data(&self) -> *mut u8 {
        self.shared().data()
    }

    fn data_bytes(&self) -> usize {
        self.shared().data_bytes()
    }

    fn load_u32(&self, offset: usize, ordering: Ordering) -> u32 {
        self.shared().load_u32(offset, ordering)
    }

    fn store_u32(&self, offset: usize, value: u32, ordering: Ordering) {
        self.shared().store_u32(offset, value, ordering);
    }

    fn swap_u32(&self, offset: usize, value: u32, ordering: Ordering) -> u32 {
        self.shared().swap_u32(offset, value, ordering)
    }
}
