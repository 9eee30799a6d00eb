//! What the two halves do in the models. Each asserts its outcome; a side that would sleep for ever
//! blocks on a doorbell that nobody rings, which loom reports as a deadlock.

use std::sync::Arc;

use foundation_ring::{Consumer, Producer, Refused};
use foundation_sync::thread;
use loom::sync::Notify;

use crate::memory::{CAPACITY, Watched, Weakening, Words};

/// Positions begin where a second record needs padding and, soon after, positions wrap around 2^32.
const BEFORE_WRAP: u32 = 0u32.wrapping_sub(CAPACITY);

type Halves = (Producer<Watched>, Consumer<Watched>);

fn halves(position: u32, weakening: Weakening) -> Halves {
    let words = Words::at(position);
    let producer = Producer::new(Watched::new(&words, weakening), CAPACITY);
    let consumer = Consumer::new(Watched::new(&words, weakening), CAPACITY);
    (producer.expect("a fresh ring"), consumer.expect("a fresh ring"))
}

fn body_of(tag: u32) -> [u8; 4] {
    tag.wrapping_mul(0x0101_0101).to_le_bytes()
}

fn push(producer: &mut Producer<Watched>, tag: u32) -> Result<(), Refused> {
    producer.try_push(tag, &[&body_of(tag)])
}

/// Takes the next record if there is one and checks that it is the `tag`-th.
fn take(consumer: &mut Consumer<Watched>, tag: u32) -> bool {
    let Some(record) = consumer.next().expect("a sound ring") else { return false };
    assert_eq!((record.tag, record.body), (tag, &body_of(tag)[..]));
    true
}

/// Two records; a consumer that looks twice and never sleeps sees a prefix of them, untorn.
pub(crate) fn polling(weakening: Weakening) {
    let (mut producer, mut consumer) = halves(BEFORE_WRAP + CAPACITY / 2, weakening);
    let writer = thread::spawn(move || {
        for tag in 0..2 {
            push(&mut producer, tag).expect("two records fit");
            let _ = producer.publish();
        }
    });
    let mut taken = 0;
    for _ in 0..2 {
        taken += u32::from(take(&mut consumer, taken));
    }
    writer.join().expect("the writer finished");
    while take(&mut consumer, taken) {
        taken += 1;
    }
    assert_eq!(taken, 2, "a record was lost");
}

/// A full ring whose consumer reads while the producer tries to write over what was released.
pub(crate) fn reuse(weakening: Weakening) {
    let (mut producer, mut consumer) = halves(BEFORE_WRAP, weakening);
    push(&mut producer, 0).expect("an empty ring");
    push(&mut producer, 1).expect("room for two");
    let _ = producer.publish();
    let writer = thread::spawn(move || {
        let pushed = push(&mut producer, 2).is_ok();
        let _ = producer.publish();
        pushed
    });
    assert!(take(&mut consumer, 0));
    let _ = consumer.release();
    assert!(take(&mut consumer, 1));
    let pushed = writer.join().expect("the writer finished");
    assert_eq!(take(&mut consumer, 2), pushed);
}

/// One record; the consumer sleeps until rung, unless it is already there.
pub(crate) fn sleep(weakening: Weakening) {
    let (mut producer, mut consumer) = halves(0, weakening);
    let doorbell = Arc::new(Notify::new());
    let bell = Arc::clone(&doorbell);
    let writer = thread::spawn(move || {
        push(&mut producer, 0).expect("an empty ring");
        if producer.publish() {
            bell.notify();
        }
    });
    read_or_sleep(&mut consumer, 0, &doorbell);
    writer.join().expect("the writer finished");
}

/// Reads the `tag`-th record, asleep until it comes.
fn read_or_sleep(consumer: &mut Consumer<Watched>, tag: u32, doorbell: &Notify) {
    while !take(consumer, tag) {
        if consumer.arm() {
            doorbell.wait();
        }
    }
}

/// Writes the `tag`-th record, waiting until there is room.
fn write_or_wait(producer: &mut Producer<Watched>, tag: u32, space: &Notify) {
    while push(producer, tag).is_err() {
        if producer.await_space(4) {
            space.wait();
        }
    }
}

/// A full ring; the producer waits until told of space, unless it is already there.
pub(crate) fn space(weakening: Weakening) {
    let (mut producer, mut consumer) = halves(BEFORE_WRAP, weakening);
    push(&mut producer, 0).expect("an empty ring");
    push(&mut producer, 1).expect("room for two");
    let _ = producer.publish();
    let space = Arc::new(Notify::new());
    let notice = Arc::clone(&space);
    let reader = thread::spawn(move || {
        assert!(take(&mut consumer, 0));
        if consumer.release() {
            notice.notify();
        }
        consumer
    });
    write_or_wait(&mut producer, 2, &space);
    let _ = producer.publish();
    let mut consumer = reader.join().expect("the reader finished");
    assert!(take(&mut consumer, 1) && take(&mut consumer, 2));
}

/// Three records through room for two, from a place where one needs padding; both sides may sleep.
pub(crate) fn stream(weakening: Weakening) {
    let (mut producer, mut consumer) = halves(BEFORE_WRAP, weakening);
    let (doorbell, space) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (bell, notice) = (Arc::clone(&doorbell), Arc::clone(&space));
    let writer = thread::spawn(move || {
        for tag in 0..3 {
            write_or_wait(&mut producer, tag, &space);
            if producer.publish() {
                bell.notify();
            }
        }
    });
    for tag in 0..3 {
        read_or_sleep(&mut consumer, tag, &doorbell);
        if consumer.release() {
            notice.notify();
        }
    }
    writer.join().expect("the writer finished");
}
