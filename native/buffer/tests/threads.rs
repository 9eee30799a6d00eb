//! One pool under several threads that pass handles round.

mod arena;

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use arena::pool_of;
use foundation_buffer::{Handle, PAGE_BYTES, Pool};

const THREADS: u64 = 4;
const ROUNDS: u64 = 10_000;
const DEADLINE: Duration = Duration::from_secs(30);

/// Each round two references to a new slab go to the next thread and two come from the one before,
/// so that all stay within a few rounds of each other and the arena suffices.
fn pass_round(pool: &Pool, thread: u64, next: &Sender<Handle>, own: &Receiver<Handle>) {
    for round in 0..ROUNDS {
        let len = 8 + (round % 7 * 1500 / 8 * 8) as usize;
        let mut writer = pool.allocate(len).expect("a few slabs a thread fit");
        let mark = (thread << 32 | round).to_le_bytes();
        writer.as_mut_slice().chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&mark));
        let slab = writer.freeze();
        for reference in [slab.clone(), slab] {
            next.send(reference.into_handle()).expect("the next thread listens");
        }
        let sender = (thread + THREADS - 1) % THREADS;
        for _ in 0..2 {
            let handle = own.recv_timeout(DEADLINE).expect("the thread before goes on");
            let slab = pool.adopt(handle).expect("in transit");
            let mark = (sender << 32 | round).to_le_bytes();
            assert!(slab.as_slice().chunks_exact(8).all(|chunk| chunk == mark), "torn: {handle}");
        }
    }
}

#[test]
fn handles_passed_round_keep_their_bytes_and_leave_nothing_behind() {
    let pool = pool_of(512 * PAGE_BYTES);
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| channel()).unzip();
    thread::scope(|scope| {
        for (thread, own) in (0..THREADS).zip(receivers) {
            let (pool, next) = (&pool, senders[(thread as usize + 1) % senders.len()].clone());
            scope.spawn(move || pass_round(pool, thread, &next, &own));
        }
    });
    let stats = pool.stats();
    assert_eq!(stats.allocated_total, THREADS * ROUNDS);
    assert_eq!((stats.slabs_live, stats.bytes_reserved), (0, 0));
    assert_eq!((stats.double_releases, stats.stale_uses), (0, 0));
}
