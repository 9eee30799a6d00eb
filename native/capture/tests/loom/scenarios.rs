//! What writers and the reader do in the models. Each asserts its outcome; a side that would sleep
//! for ever blocks on a doorbell that nobody rings, which loom reports as a deadlock.

use std::sync::Arc;

use foundation_capture::{HybridClock, Overflow, Record, Refused, Ring};
use foundation_sync::thread;
use loom::sync::Notify;

use crate::planted::{Mistake, Planted};

type Shared = Arc<Ring<Planted>>;

/// Counted by std: loom's count would add branches that say nothing about the ring, and cannot be
/// dropped once a model failed.
fn ring(overflow: Overflow, mistake: Mistake) -> Shared {
    Arc::new(Ring::watched(2, overflow, Planted::new(mistake)))
}

fn write(ring: &Shared, number: u64) -> Result<bool, Refused> {
    ring.write(number, &number.to_le_bytes())
}

/// The number of the next record, if there is one; checks that it is whole.
fn take(ring: &Shared) -> Option<u64> {
    let mut record = Record::default();
    if !ring.take(&mut record) {
        return None;
    }
    assert_eq!(record.bytes, record.stamp.to_le_bytes(), "a torn record");
    Some(record.stamp)
}

fn take_all(ring: &Shared) -> Vec<u64> {
    std::iter::from_fn(|| take(ring)).collect()
}

/// Two writers of a record each; both are there afterwards.
pub(crate) fn writers(mistake: Mistake) {
    let ring = ring(Overflow::Block, mistake);
    let other = Arc::clone(&ring);
    let writer = thread::spawn(move || write(&other, 1).expect("room for two"));
    write(&ring, 2).expect("room for two");
    writer.join().expect("the writer finished");
    let mut taken = take_all(&ring);
    taken.sort_unstable();
    assert_eq!(taken, [1, 2]);
}

/// Two records; a reader that looks twice and never sleeps sees a prefix of them, untorn.
pub(crate) fn polling(mistake: Mistake) {
    let ring = ring(Overflow::Block, mistake);
    let other = Arc::clone(&ring);
    let writer = thread::spawn(move || {
        for number in 1..=2 {
            write(&other, number).expect("room for two");
        }
    });
    let mut taken: Vec<u64> = (0..2).filter_map(|_| take(&ring)).collect();
    writer.join().expect("the writer finished");
    taken.extend(take_all(&ring));
    assert_eq!(taken, [1, 2]);
}

/// A full ring whose reader reads while a writer tries to write over what was freed.
pub(crate) fn reuse(mistake: Mistake) {
    let ring = ring(Overflow::Block, mistake);
    write(&ring, 1).expect("an empty ring");
    write(&ring, 2).expect("room for two");
    let other = Arc::clone(&ring);
    let writer = thread::spawn(move || write(&other, 3).is_ok());
    let mut taken: Vec<u64> = (0..2).filter_map(|_| take(&ring)).collect();
    let has_written = writer.join().expect("the writer finished");
    taken.extend(take_all(&ring));
    assert_eq!(taken, if has_written { vec![1, 2, 3] } else { vec![1, 2] });
}

/// A full ring whose reader reads while a writer drops the oldest record.
pub(crate) fn dropping(mistake: Mistake) {
    let ring = ring(Overflow::DropOldest, mistake);
    write(&ring, 1).expect("an empty ring");
    write(&ring, 2).expect("room for two");
    let other = Arc::clone(&ring);
    let writer = thread::spawn(move || write(&other, 3).is_ok());
    let first = take(&ring);
    let has_written = writer.join().expect("the writer finished");
    let (oldest, newest) = ring.dropped();
    assert!(first != Some(1) || oldest == 0, "the reader made room, and no other record went");
    let mut taken: Vec<u64> = first.into_iter().collect();
    taken.extend(take_all(&ring));
    assert_eq!(newest, u64::from(!has_written));
    assert_eq!(taken.len() as u64 + oldest + newest, 3, "each is read or dropped, and once");
    assert!(taken.is_sorted() && taken.contains(&2) || oldest > 0, "out of order: {taken:?}");
}

/// A full ring and two writers that both make room.
pub(crate) fn droppers(mistake: Mistake) {
    let ring = ring(Overflow::DropOldest, mistake);
    write(&ring, 1).expect("an empty ring");
    write(&ring, 2).expect("room for two");
    let other = Arc::clone(&ring);
    let writer = thread::spawn(move || write(&other, 3).is_ok());
    let written = u64::from(write(&ring, 4).is_ok());
    let written = written + u64::from(writer.join().expect("the writer finished"));
    let (oldest, newest) = ring.dropped();
    let taken = take_all(&ring);
    assert_eq!(written + newest, 2, "each writer knows what became of its record");
    assert_eq!(taken.len() as u64 + oldest, 2 + written);
}

/// One record; the reader sleeps until rung, unless it is already there.
pub(crate) fn sleep(mistake: Mistake) {
    let ring = ring(Overflow::Block, mistake);
    let doorbell = Arc::new(Notify::new());
    let writer = spawn_writer(&ring, 1, &doorbell);
    read_or_sleep(&ring, &doorbell);
    writer.join().expect("the writer finished");
}

/// Two writers of a record each; the reader sleeps until it has both.
pub(crate) fn sleep_before_two(mistake: Mistake) {
    let ring = ring(Overflow::Block, mistake);
    let doorbell = Arc::new(Notify::new());
    let writers = [1, 2].map(|number| spawn_writer(&ring, number, &doorbell));
    let first = read_or_sleep(&ring, &doorbell);
    let second = read_or_sleep(&ring, &doorbell);
    assert_eq!(first + second, 3);
    for writer in writers {
        writer.join().expect("the writer finished");
    }
}

fn spawn_writer(ring: &Shared, number: u64, doorbell: &Arc<Notify>) -> thread::JoinHandle<()> {
    let (ring, bell) = (Arc::clone(ring), Arc::clone(doorbell));
    thread::spawn(move || {
        if write(&ring, number).expect("room for two") {
            bell.notify();
        }
    })
}

/// Reads a record, asleep until one comes.
fn read_or_sleep(ring: &Shared, doorbell: &Notify) -> u64 {
    loop {
        if let Some(number) = take(ring) {
            return number;
        }
        if ring.arm(1) {
            doorbell.wait();
        }
    }
}

/// A full ring; the writer waits until told of room, unless there is some already.
pub(crate) fn space(mistake: Mistake) {
    let ring = ring(Overflow::Block, mistake);
    write(&ring, 1).expect("an empty ring");
    write(&ring, 2).expect("room for two");
    let space = Arc::new(Notify::new());
    let (other, notice) = (Arc::clone(&ring), Arc::clone(&space));
    let reader = thread::spawn(move || {
        assert_eq!(take(&other), Some(1));
        if other.has_waiting() {
            notice.notify();
        }
    });
    while write(&ring, 3).is_err() {
        if ring.await_space() {
            space.wait();
        }
    }
    reader.join().expect("the reader finished");
    assert_eq!(take_all(&ring), [2, 3]);
}

/// Two threads draw stamps of one clock, one of them with a wall clock that is behind.
pub(crate) fn stamps(_mistake: Mistake) {
    let clock = Arc::new(HybridClock::new());
    let other = Arc::clone(&clock);
    let drawer = thread::spawn(move || [other.stamp(1), other.stamp(2)]);
    let own = [clock.stamp(2), clock.stamp(1)];
    let others = drawer.join().expect("the other thread finished");
    assert!(own[0] < own[1] && others[0] < others[1], "{own:?} {others:?}");
    assert!(own.iter().all(|stamp| !others.contains(stamp)), "{own:?} {others:?}");
}
