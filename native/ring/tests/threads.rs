//! Two real threads that sleep and wake by the protocol alone.
#![cfg(not(loom))]

mod block;

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use block::Block;
use foundation_ring::{Consumer, Producer, Refused};

const RECORDS: u32 = 1_000_000;
const DEADLINE: Duration = Duration::from_secs(30);

/// Sizes and bytes that both sides derive from the record's number.
fn size_of(number: u32) -> usize {
    (number.wrapping_mul(0x9E37_79B9) >> 26) as usize
}

fn fill(number: u32, body: &mut [u8]) {
    for (index, byte) in body.iter_mut().enumerate() {
        *byte = (number as usize * 7 + index) as u8;
    }
}

/// A lost wake-up is a sleep without end: the deadline turns it into a failure.
fn sleep(wakeups: &Receiver<()>, who: &str) {
    match wakeups.recv_timeout(DEADLINE) {
        Err(RecvTimeoutError::Timeout) => panic!("the {who} was never woken"),
        // The other side may be done and gone after it rang for the last time.
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {}
    }
}

fn produce(mut producer: Producer<Block>, doorbell: &Sender<()>, space: &Receiver<()>) {
    let ring = |rings: bool| {
        if rings {
            let _ = doorbell.send(());
        }
    };
    let mut number = 0;
    while number < RECORDS {
        let size = size_of(number) as u32;
        match producer.try_claim(size, number) {
            Ok(body) => {
                fill(number, body);
                number += 1;
                if number.is_multiple_of(17) {
                    ring(producer.publish());
                }
            }
            Err(Refused::Full) => {
                ring(producer.publish());
                if producer.await_space(size) {
                    sleep(space, "producer");
                }
            }
            Err(refused) => panic!("{refused}"),
        }
    }
    ring(producer.publish());
}

fn consume(mut consumer: Consumer<Block>, doorbell: &Receiver<()>, space: &Sender<()>) {
    let mut expected = [0; 64];
    let mut number = 0;
    while number < RECORDS {
        let Some(record) = consumer.next().expect("a sound ring") else {
            if consumer.release() {
                let _ = space.send(());
            }
            if consumer.arm() {
                sleep(doorbell, "consumer");
            }
            continue;
        };
        let expected = &mut expected[..size_of(number)];
        fill(number, expected);
        assert_eq!((record.tag, record.body), (number, &*expected));
        number += 1;
        if number.is_multiple_of(29) && consumer.release() {
            let _ = space.send(());
        }
    }
}

#[test]
fn a_million_records_arrive_in_order_and_nobody_oversleeps() {
    const CAPACITY: u32 = 1024; // small, so that both sides sleep often
    let block = Block::at(0u32.wrapping_sub(1 << 20), CAPACITY);
    let producer = Producer::new(block.clone(), CAPACITY).expect("a fresh block");
    let consumer = Consumer::new(block, CAPACITY).expect("a fresh block");
    let (ring, doorbell) = channel();
    let (notify, space) = channel();
    let writer = thread::spawn(move || produce(producer, &ring, &space));
    consume(consumer, &doorbell, &notify);
    writer.join().expect("the producer finished");
}
