//! Which pages of the arena are free: buddies, and runs trimmed to the page.
//!
//! A request takes a free power of two of pages and gives the unneeded rest back at once, so a run
//! wastes less than a page; a run given back is divided into aligned powers of two, each of which
//! joins its buddy as far as that is free.

use crate::free_set::FreeSet;

/// Least unit of allocation.
pub const PAGE_BYTES: usize = 4096;

/// Most that one allocation takes.
pub const BLOCK_BYTES_MAX: usize = 32 << 20;

/// Powers of two from one page to the largest block.
const ORDERS: usize = (BLOCK_BYTES_MAX / PAGE_BYTES).trailing_zeros() as usize + 1;

/// Consecutive pages, allocated together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: usize,
    pub(crate) pages: usize,
}

impl Run {
    pub(crate) fn offset_bytes(self) -> usize {
        self.first * PAGE_BYTES
    }
}

/// Pages that `bytes` take. Nothing takes a page too, so that every allocation has a place of its
/// own.
pub(crate) fn pages_of(bytes: usize) -> usize {
    bytes.div_ceil(PAGE_BYTES).max(1)
}

/// Free pages of one arena. Deterministic: the lowest fitting block goes first.
#[derive(Debug)]
pub(crate) struct PageAllocator {
    /// Free blocks of 2^order pages, by first page / 2^order.
    free: [FreeSet; ORDERS],
    pages: usize,
    free_pages: usize,
}

impl PageAllocator {
    pub(crate) fn new(pages: usize) -> Self {
        let free = core::array::from_fn(|order| FreeSet::new(pages >> order));
        let mut allocator = Self { free, pages, free_pages: 0 };
        allocator.give_back(Run { first: 0, pages });
        allocator
    }

    pub(crate) fn free_bytes(&self) -> usize {
        self.free_pages * PAGE_BYTES
    }

    pub(crate) fn reserved_bytes(&self) -> usize {
        (self.pages - self.free_pages) * PAGE_BYTES
    }

    /// Whether nobody has any of these pages, which are 2^`order` aligned ones.
    pub(crate) fn is_free(&self, first: usize, order: usize) -> bool {
        (order..ORDERS).any(|order| self.free[order].contains(first >> order))
    }

    pub(crate) fn take(&mut self, pages: usize) -> Option<Run> {
        let order_min = pages.checked_next_power_of_two()?.trailing_zeros() as usize;
        let (order, block) =
            (order_min..ORDERS).find_map(|order| Some((order, self.free[order].first()?)))?;
        self.free[order].remove(block);
        let taken = Run { first: block << order, pages: 1 << order };
        self.free_pages -= taken.pages;
        let run = Run { first: taken.first, pages };
        self.give_back(Run { first: run.first + pages, pages: taken.pages - pages });
        Some(run)
    }

    pub(crate) fn give_back(&mut self, run: Run) {
        self.free_pages += run.pages;
        let Run { mut first, mut pages } = run;
        while pages > 0 {
            let aligned = (first.trailing_zeros() as usize).min(ORDERS - 1);
            let order = aligned.min(pages.ilog2() as usize);
            self.insert(first >> order, order);
            first += 1 << order;
            pages -= 1 << order;
        }
    }

    /// Adds a free block and joins it with its buddy, order by order.
    fn insert(&mut self, mut block: usize, mut order: usize) {
        while order + 1 < ORDERS && self.free[order].remove(block ^ 1) {
            block >>= 1;
            order += 1;
        }
        debug_assert!(
            !self.free[order].contains(block),
            "block {block} of order {order} freed twice"
        );
        self.free[order].insert(block);
    }

    /// Free blocks by order, to tell whether all buddies found each other.
    #[cfg(test)]
    fn free_blocks(&self) -> Vec<(usize, usize)> {
        let in_order = |order: usize| {
            let blocks =
                (0..self.pages >> order).filter(move |block| self.free[order].contains(*block));
            blocks.map(move |block| (order, block))
        };
        (0..ORDERS).flat_map(in_order).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ORDERS, PageAllocator, Run};

    proptest! {
        #[test]
        fn runs_never_overlap_and_all_buddies_join_again(
            pages in 1..20_000usize,
            steps in prop::collection::vec((any::<bool>(), 1..9_000usize), 1..200),
        ) {
            let mut allocator = PageAllocator::new(pages);
            let pristine = allocator.free_blocks();
            let mut runs: Vec<Run> = Vec::new();
            for (takes, number) in steps {
                if takes {
                    if let Some(run) = allocator.take(number) {
                        prop_assert!(run.first + run.pages <= pages && run.pages == number);
                        let is_before = |a: &Run, b: &Run| a.first + a.pages <= b.first;
                        let apart = |other: &Run| is_before(&run, other) || is_before(other, &run);
                        prop_assert!(runs.iter().all(apart), "{:?} overlaps {:?}", run, runs);
                        runs.push(run);
                    }
                } else if !runs.is_empty() {
                    allocator.give_back(runs.swap_remove(number % runs.len()));
                }
                let taken: usize = runs.iter().map(|run| run.pages).sum();
                prop_assert_eq!(allocator.free_pages, pages - taken);
            }
            for run in runs.drain(..) {
                allocator.give_back(run);
            }
            prop_assert_eq!(allocator.free_blocks(), pristine);
        }
    }

    #[test]
    fn pages_are_free_as_long_as_nobody_has_one_of_them() {
        let mut allocator = PageAllocator::new(1024);
        let runs = [allocator.take(1), allocator.take(200)].map(|run| run.expect("room"));
        for block in 0..1024 / 64 {
            let (first, end) = (block * 64, block * 64 + 64);
            let is_apart = |run: &Run| end <= run.first || run.first + run.pages <= first;
            assert_eq!(allocator.is_free(first, 6), runs.iter().all(is_apart), "block {block}");
        }
        for run in runs {
            allocator.give_back(run);
        }
        assert!((0..1024 / 64).all(|block| allocator.is_free(block * 64, 6)));
    }

    #[test]
    fn a_request_is_refused_only_when_no_block_fits() {
        let mut allocator = PageAllocator::new(1 << (ORDERS - 1));
        assert_eq!(allocator.take((1 << (ORDERS - 1)) + 1), None, "beyond the largest block");
        let whole = allocator.take(1 << (ORDERS - 1)).expect("one block of the largest order");
        assert_eq!(allocator.take(1), None);
        allocator.give_back(whole);
        assert_eq!(allocator.take(3), Some(Run { first: 0, pages: 3 }));
        assert_eq!(allocator.take(1), Some(Run { first: 3, pages: 1 }), "the trimmed page");
    }
}
