//! Which memory of the arena the system has lent pages for, and which of it nobody had lately.
//!
//! The arena is reserved, not touched: the system gives a page when it is first written, and keeps
//! it there however long it lies idle. So one burst would cost its memory for as long as the
//! process lives. Memory that nobody had for a while goes back to the system, which gives a zeroed
//! page to whoever writes there next.

use core::ptr::NonNull;

use crate::page_allocator::{PAGE_BYTES, Run};

/// Unit of what is given back: large enough that one step is worth its system call.
pub(crate) const GRANULE_PAGES: usize = 64;
pub(crate) const GRANULE_BYTES: usize = GRANULE_PAGES * PAGE_BYTES;

const WORD_BITS: usize = 64;

/// Two bits a granule.
#[derive(Debug)]
pub(crate) struct Residence {
    /// May have pages of the system.
    touched: Vec<u64>,
    /// Was taken or freed, in part at least, since the last [`Residence::grow_old`].
    recent: Vec<u64>,
}

impl Residence {
    pub(crate) fn new(pages: usize) -> Self {
        let words = pages.div_ceil(GRANULE_PAGES).div_ceil(WORD_BITS);
        Self { touched: vec![0; words], recent: vec![0; words] }
    }

    /// Somebody takes or frees these pages.
    #[inline]
    pub(crate) fn note(&mut self, run: Run) {
        for granule in run.first / GRANULE_PAGES..=(run.first + run.pages - 1) / GRANULE_PAGES {
            let (word, bit) = place(granule);
            self.touched[word] |= bit;
            self.recent[word] |= bit;
        }
    }

    /// The first granule from `from` on that may have pages and that nobody had lately.
    pub(crate) fn idle(&self, from: usize) -> Option<usize> {
        let (first, _) = place(from);
        let mut beyond = !0 << (from % WORD_BITS);
        for word in first..self.touched.len() {
            let bits = self.touched[word] & !self.recent[word] & beyond;
            if bits != 0 {
                return Some(word * WORD_BITS + bits.trailing_zeros() as usize);
            }
            beyond = !0;
        }
        None
    }

    /// The pages of a granule went back.
    pub(crate) fn forget(&mut self, granule: usize) {
        let (word, bit) = place(granule);
        self.touched[word] &= !bit;
    }

    /// What happens from now on is recent.
    pub(crate) fn grow_old(&mut self) {
        self.recent.fill(0);
    }

    /// At most so many bytes have pages of the system.
    pub(crate) fn bytes_max(&self) -> usize {
        let granules: u32 = self.touched.iter().map(|word| word.count_ones()).sum();
        granules as usize * GRANULE_BYTES
    }
}

fn place(granule: usize) -> (usize, u64) {
    (granule / WORD_BITS, 1 << (granule % WORD_BITS))
}

/// Gives the whole pages among these bytes back to the system. They read as zero then, or as they
/// were where the system keeps them.
///
/// # Safety
/// The bytes belong to the arena, and to nobody who would miss them.
pub(crate) unsafe fn give_back(start: NonNull<u8>, bytes: usize) {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: asks for a figure of the system.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let Ok(page) = usize::try_from(page) else { return };
        // The arena begins anywhere within a page of the system.
        let skipped = start.addr().get().wrapping_neg() % page;
        let whole = bytes.saturating_sub(skipped) / page * page;
        if whole > 0 {
            // SAFETY: whole pages inside of bytes that nobody misses. Where the system refuses, as
            // for locked memory, they stay as they are.
            unsafe {
                libc::madvise(start.add(skipped).as_ptr().cast(), whole, libc::MADV_DONTNEED)
            };
        }
    }
    let _ = (start, bytes);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{GRANULE_BYTES, GRANULE_PAGES, Residence, Run};

    #[test]
    fn what_was_had_since_the_last_look_stays() {
        let mut residence = Residence::new(100 * GRANULE_PAGES);
        residence.note(Run { first: GRANULE_PAGES - 1, pages: 2 });
        residence.note(Run { first: 70 * GRANULE_PAGES, pages: 1 });
        assert_eq!(residence.bytes_max(), 3 * GRANULE_BYTES);
        assert_eq!(residence.idle(0), None, "all of it is recent");
        residence.grow_old();
        residence.note(Run { first: GRANULE_PAGES, pages: 1 });
        assert_eq!(residence.idle(0), Some(0));
        residence.forget(0);
        assert_eq!(residence.idle(0), Some(70), "granule 1 was used again");
        assert_eq!(residence.idle(71), None);
        residence.forget(70);
        assert_eq!(residence.bytes_max(), GRANULE_BYTES);
    }

    #[test]
    fn an_arena_may_end_within_a_granule() {
        let mut residence = Residence::new(GRANULE_PAGES + 1);
        residence.note(Run { first: 0, pages: GRANULE_PAGES + 1 });
        residence.grow_old();
        assert_eq!(residence.idle(1), Some(1));
        assert_eq!(residence.idle(2), None);
    }
}
