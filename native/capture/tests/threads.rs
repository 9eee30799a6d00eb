//! Real threads: writers that never wait or wait for room, and a reader that sleeps.
#![cfg(not(loom))]

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use foundation_capture::{Overflow, Reader, Refused, Rings, RingsOptions};

const WRITERS: u32 = 4;
const RECORDS: u32 = 100_000;
const DEADLINE: Duration = Duration::from_secs(30);

fn rings(count: u32, overflow: Overflow) -> Arc<Rings> {
    let options = RingsOptions {
        rings: count,
        slots: 64, // small, so that both sides sleep often
        records_max: 60,
        record_bytes_max: 64,
        overflow,
    };
    Arc::new(Rings::new(options).expect("valid options"))
}

/// A writer's number, then the record's, then bytes that follow from both.
fn body(writer: u32, number: u32) -> Vec<u8> {
    let mut bytes = [writer.to_le_bytes(), number.to_le_bytes()].concat();
    bytes.extend((0..number % 40).map(|at| (at + writer + number) as u8));
    bytes
}

/// A lost wake-up is a sleep without end: the deadline turns it into a failure.
fn sleep(wakeups: &Receiver<()>, who: &str) {
    match wakeups.recv_timeout(DEADLINE) {
        Err(RecvTimeoutError::Timeout) => panic!("the {who} was never woken"),
        // The other side may be done and gone after it rang for the last time.
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {}
    }
}

/// Writes all records; answers how many it had to count as dropped.
fn write(rings: &Rings, writer: u32, doorbell: &SyncSender<()>, space: &Receiver<()>) -> u64 {
    let mut dropped = 0;
    let mut number = 0;
    while number < RECORDS {
        match rings.ring(writer).write(rings.clock.stamp(1), &body(writer, number)) {
            Ok(rings_bell) => {
                number += 1;
                if rings_bell {
                    let _ = doorbell.try_send(()); // a full channel rings already
                }
            }
            Err(Refused::Dropped) => {
                number += 1;
                dropped += 1;
            }
            Err(Refused::Full) => {
                if rings.ring(writer).await_space() {
                    sleep(space, "writer");
                }
            }
            Err(refused) => panic!("{refused}"),
        }
    }
    dropped
}

struct Outcome {
    read: u64,
    /// As the writers were told.
    refused: u64,
    rings: Arc<Rings>,
}

/// Runs the writers beside a reader until all is read. Checks each record, and that those of one
/// writer come in order.
fn run(count: u32, overflow: Overflow) -> Outcome {
    let rings = rings(count, overflow);
    let (bell, doorbell) = sync_channel(1);
    let mut notices = Vec::new();
    let writers: Vec<thread::JoinHandle<u64>> = (0..WRITERS)
        .map(|writer| {
            let (notice, space) = sync_channel(1);
            notices.push(notice);
            let (rings, bell) = (Arc::clone(&rings), bell.clone());
            thread::spawn(move || write(&rings, writer, &bell, &space))
        })
        .collect();
    drop(bell); // without writers the doorbell says so
    let read = read_all(&rings, &doorbell, &notices);
    let refused = writers.into_iter().map(|writer| writer.join().expect("it finished")).sum();
    Outcome { read, refused, rings }
}

fn read_all(rings: &Rings, doorbell: &Receiver<()>, notices: &[SyncSender<()>]) -> u64 {
    let mut next = [0; WRITERS as usize];
    let mut reader = Reader::default();
    let mut read = 0;
    let mut are_writers_gone = false;
    loop {
        let drained = reader.drain(rings, 32, |record| {
            let word = |at: usize| {
                u32::from_le_bytes(record.bytes[at..at + 4].try_into().expect("four bytes"))
            };
            let (writer, number) = (word(0), word(4));
            assert_eq!(record.bytes, body(writer, number));
            let next = &mut next[writer as usize];
            assert!(number >= *next, "record {number} of {writer} came after {next}");
            *next = number + 1;
            true
        });
        read += u64::from(drained);
        if rings.have_waiting() {
            for notice in notices {
                let _ = notice.try_send(()); // a full channel tells already
            }
        }
        if drained > 0 {
            continue;
        }
        if are_writers_gone {
            return read;
        }
        if rings.arm(NonZeroU32::MIN, reader.kept()) {
            match doorbell.recv_timeout(DEADLINE) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => are_writers_gone = true,
                Err(RecvTimeoutError::Timeout) => panic!("the reader was never woken"),
            }
        }
    }
}

#[test]
fn nothing_is_lost_where_writers_wait_for_room() {
    for count in [1, 3] {
        let Outcome { read, refused, rings } = run(count, Overflow::Block);
        assert_eq!((read, refused), (u64::from(WRITERS * RECORDS), 0));
        assert_eq!(rings.counters().dropped, 0);
    }
}

#[test]
fn what_is_not_read_of_dropped_records_is_counted() {
    for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
        for count in [1, 3] {
            let Outcome { read, refused, rings } = run(count, overflow);
            let counters = rings.counters();
            assert_eq!(read + counters.dropped, u64::from(WRITERS * RECORDS));
            assert_eq!(counters.reads, read);
            assert_eq!(counters.writes, u64::from(WRITERS * RECORDS) - refused);
            assert_eq!(counters.write_position, counters.read_position, "all is read");
        }
    }
}
