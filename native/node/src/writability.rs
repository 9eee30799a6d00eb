//! The table that senders read before they send: a word for each peer and channel, 0 = writable.

use std::sync::atomic::{AtomicU32, Ordering};

use foundation_buffer::{Block, OutOfMemory, Pool};

use crate::record::{PEERS_MAX, WRITABILITY_CHANNELS};

/// The table in the arena. Only the kernel thread writes it; isolates read it with `Atomics.load`.
#[derive(Debug)]
pub(crate) struct Writability {
    block: Block,
}

impl Writability {
    pub(crate) fn new(pool: &Pool) -> Result<Writability, OutOfMemory> {
        Ok(Writability { block: pool.allocate_block(4 * PEERS_MAX * WRITABILITY_CHANNELS)? })
    }

    /// Where it begins in the arena.
    pub(crate) fn offset(&self) -> u32 {
        self.block.offset() as u32
    }

    /// Opens or closes a channel to a peer. One outside the table is ignored.
    pub(crate) fn set(&self, peer: usize, channel: usize, is_writable: bool) {
        if peer >= PEERS_MAX || channel >= WRITABILITY_CHANNELS {
            return;
        }
        let at = 4 * (peer * WRITABILITY_CHANNELS + channel);
        // SAFETY: within the block by the check above, 4-aligned since blocks are 128-aligned, and
        // reached by isolates with atomic loads only.
        let word = unsafe { AtomicU32::from_ptr(self.block.as_ptr().as_ptr().add(at).cast()) };
        word.store(u32::from(!is_writable), Ordering::Release);
    }

    /// Opens or closes all channels to a peer.
    pub(crate) fn set_all(&self, peer: usize, is_writable: bool) {
        for channel in 0..WRITABILITY_CHANNELS {
            self.set(peer, channel, is_writable);
        }
    }
}
