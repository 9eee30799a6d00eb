//! What a pool promises, one situation at a time.

mod arena;

use arena::pool_of;
use foundation_buffer::{
    BLOCK_BYTES_MAX, BufferError, Handle, HandleTable, Leak, OutOfBounds, OutOfMemory, PAGE_BYTES,
    Pool, Slab,
};

fn slab_of(pool: &Pool, bytes: &[u8]) -> Slab {
    let mut writer = pool.allocate(bytes.len()).expect("room");
    writer.write_at(0, bytes).expect("its own length");
    writer.freeze()
}

#[test]
fn a_slab_lives_until_its_last_reference_goes() {
    let pool = pool_of(1 << 20);
    let slab = slab_of(&pool, b"shared");
    let part = slab.slice(2..5).expect("inside");
    let offset = slab.offset();
    drop(slab);
    assert_eq!(part.as_slice(), b"are");
    assert_eq!((part.offset(), part.len()), (offset + 2, 3));
    assert_eq!(pool.leaks(), [Leak { handle: part.handle(), len: 6, references: 1 }]);
    drop(part);
    assert_eq!(pool.leaks(), []);
    assert_eq!(pool.stats().bytes_reserved, 0);
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "the situation under test")]
fn a_range_outside_is_no_part() {
    let pool = pool_of(1 << 20);
    let slab = slab_of(&pool, b"shared");
    let part = slab.slice(2..5).expect("inside");
    assert!(part.slice(0..4).is_none(), "inside the slab but not inside the part");
    assert!(part.slice(2..1).is_none());
    assert!(slab.slice(0..usize::MAX).is_none());
    assert!(slab.slice(6..6).expect("the end is inside").is_empty());
}

#[test]
fn a_write_outside_is_refused_whole() {
    let pool = pool_of(1 << 20);
    let mut writer = pool.allocate(4).expect("room");
    writer.write_at(0, b"abcd").expect("fits");
    let refused = OutOfBounds { offset: 2, write_bytes: 3, slab_bytes: 4 };
    assert_eq!(writer.write_at(2, b"xyz"), Err(refused));
    assert!(writer.write_at(usize::MAX, b"xyz").is_err());
    assert_eq!(writer.freeze().as_slice(), b"abcd");
}

#[test]
fn a_handle_carries_one_reference_across() {
    let pool = pool_of(1 << 20);
    let handle = slab_of(&pool, b"crossing").into_handle();
    let crossed = Handle::from_bits(handle.to_bits());
    assert_eq!(pool.adopt(crossed).expect("in transit").as_slice(), b"crossing");
    assert_eq!(pool.stats().slabs_live, 0);
}

#[test]
fn a_second_release_is_an_error_and_counted() {
    let pool = pool_of(1 << 20);
    let handle = slab_of(&pool, b"once").into_handle();
    pool.release(handle).expect("the reference in transit");
    let next = slab_of(&pool, b"next"); // the same place, another generation
    assert_eq!(next.handle().index(), handle.index());
    assert_eq!(pool.release(handle), Err(BufferError::DoubleRelease(handle)));
    assert_eq!(pool.stats().double_releases, 1);
    assert_eq!(next.as_slice(), b"next");
}

#[test]
fn a_use_after_release_is_an_error_and_counted() {
    let pool = pool_of(1 << 20);
    let handle = slab_of(&pool, b"gone").into_handle();
    pool.release(handle).expect("the reference in transit");
    let stale = BufferError::StaleHandle(handle);
    assert_eq!(pool.adopt(handle).err(), Some(stale));
    assert_eq!(pool.retain(handle), Err(stale));
    assert_eq!(pool.stats().stale_uses, 2);
}

#[test]
fn wrong_handles_never_free_bytes_that_somebody_holds() {
    let pool = pool_of(1 << 20);
    let held = slab_of(&pool, b"mine");
    let handle = held.clone().into_handle();
    pool.release(handle).expect("the reference in transit");
    assert_eq!(pool.release(handle), Err(BufferError::DoubleRelease(handle)));
    assert!(pool.adopt(held.handle()).is_err(), "a name without a reference");
    let _other = slab_of(&pool, b"other");
    assert_eq!(held.as_slice(), b"mine");
}

#[test]
fn handles_that_never_were_are_refused() {
    let pool = pool_of(1 << 20);
    let _slab = slab_of(&pool, b"some");
    for bits in [0, 1, u64::MAX, 1 << 32 | 1, 2 << 32, u64::from(u32::MAX)] {
        assert!(pool.adopt(Handle::from_bits(bits)).is_err());
        assert!(pool.release(Handle::from_bits(bits)).is_err());
    }
}

#[test]
fn a_retained_handle_is_released_twice() {
    let pool = pool_of(1 << 20);
    let handle = slab_of(&pool, b"two").into_handle();
    pool.retain(handle).expect("live");
    pool.release(handle).expect("the first");
    assert_eq!(pool.leaks(), [Leak { handle, len: 3, references: 1 }]);
    pool.release(handle).expect("the second");
    assert_eq!(pool.leaks(), []);
}

#[test]
fn an_exhausted_pool_refuses_and_recovers() {
    let pool = pool_of(16 * PAGE_BYTES);
    let slabs: Vec<_> = (0..16).map(|_| pool.allocate(1).expect("a page each")).collect();
    let refused = OutOfMemory { requested_bytes: 1, free_bytes: 0 };
    assert_eq!(pool.allocate(1).err(), Some(refused));
    assert_eq!(pool.allocate_block(1).err(), Some(refused));
    assert_eq!(pool.stats().refused, 2);
    drop(slabs);
    let whole = pool.allocate(16 * PAGE_BYTES).expect("all pages joined again");
    assert_eq!(pool.stats().bytes_reserved, whole.len());
}

#[test]
fn a_request_beyond_the_largest_block_is_refused() {
    let pool = pool_of(1 << 20);
    for requested_bytes in [BLOCK_BYTES_MAX + 1, usize::MAX] {
        let refused = OutOfMemory { requested_bytes, free_bytes: 1 << 20 };
        assert_eq!(pool.allocate(requested_bytes).err(), Some(refused));
    }
}

#[test]
fn an_arena_without_a_page_refuses_everything() {
    let pool = pool_of(PAGE_BYTES - 128);
    assert!(pool.allocate(0).is_err());
    assert!(pool.allocate_block(0).is_err());
}

#[test]
fn a_block_is_aligned_and_zeroed_although_its_pages_were_used() {
    let pool = pool_of(64 * PAGE_BYTES);
    pool.allocate(64 * PAGE_BYTES).expect("all").as_mut_slice().fill(0xEE);
    let block = pool.allocate_block(9000).expect("room");
    assert!(block.as_ptr().addr().get().is_multiple_of(128));
    assert_eq!(pool.stats().bytes_reserved, 3 * PAGE_BYTES, "trimmed to the page");
    // SAFETY: the block's own bytes, which nobody else touches.
    let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr().as_ptr(), block.len()) };
    assert!(bytes.iter().all(|byte| *byte == 0));
    assert_eq!(pool.stats().blocks_live, 1);
    pool.free_block(block);
    assert_eq!((pool.stats().blocks_live, pool.stats().bytes_reserved), (0, 0));
}

#[test]
fn a_dead_isolates_references_are_released_together() {
    let pool = pool_of(1 << 20);
    let mut table = HandleTable::default();
    let first = slab_of(&pool, b"first").into_handle();
    let second = slab_of(&pool, b"second").into_handle();
    pool.retain(first).expect("live");
    for handle in [first, first, second] {
        table.insert(handle);
    }
    assert!(table.remove(second), "released by the isolate itself");
    pool.release(second).expect("held");
    assert!(!table.remove(second), "it holds none any more");
    assert_eq!(table.len(), 2);
    assert_eq!(table.release_all(&pool), 2);
    assert!(table.is_empty());
    assert_eq!(pool.leaks(), []);
    assert_eq!(pool.stats().double_releases, 0);
}

#[test]
fn memory_that_nobody_had_between_two_looks_goes_back() {
    let pool = pool_of(8 << 20);
    let kept = slab_of(&pool, &[7; 5_000]);
    let large = slab_of(&pool, &[1; 3 << 20]);
    let offset = large.offset();
    assert_eq!(pool.stats().bytes_resident, (3 << 20) + (256 << 10), "one step with both");
    drop(large);
    assert_eq!(pool.give_back_idle(), 0, "somebody had it a moment ago");
    let given = pool.give_back_idle();
    assert!((2 << 20..=3 << 20).contains(&given), "{given} bytes");
    let resident = pool.stats().bytes_resident;
    assert_eq!(resident, (3 << 20) + (256 << 10) - given, "what is in use stays");
    assert_eq!(kept.as_slice(), [7; 5_000]);
    let again = pool.allocate(3 << 20).expect("room");
    assert_eq!(again.freeze().offset(), offset);
}

#[test]
#[cfg(target_os = "linux")]
fn what_went_back_to_the_system_reads_as_zero() {
    let pool = pool_of(8 << 20);
    drop(slab_of(&pool, &[9; 4 << 20]));
    pool.give_back_idle();
    assert_eq!(pool.give_back_idle(), 4 << 20);
    let fresh = pool.allocate(4 << 20).expect("room").freeze();
    // Pages of the system lie across the steps, and those at their edges stay.
    let zeroes = fresh.as_slice().iter().filter(|byte| **byte == 0).count();
    assert!(zeroes >= 15 * (256 << 10), "{zeroes} bytes");
}
