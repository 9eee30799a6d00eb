//! What the other side may leave behind when it is broken: an error, never a wild read.
#![cfg(not(loom))]

mod block;

use block::Block;
use foundation_ring::{AttachError, Consumer, Corrupt, Producer, Refused, layout};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

const CAPACITY: u32 = 1024;

fn halves(block: &Block) -> (Producer<Block>, Consumer<Block>) {
    (
        Producer::new(block.clone(), CAPACITY).expect("a fresh block"),
        Consumer::new(block.clone(), CAPACITY).expect("a fresh block"),
    )
}

#[test]
fn a_length_beyond_the_published_bytes_is_corrupt_for_good() {
    let block = Block::at(0, CAPACITY);
    let (mut producer, mut consumer) = halves(&block);
    producer.try_push(1, &[&[0; 16]]).expect("an empty ring");
    let _ = producer.publish();
    block.poke_header(0, 17, 1);
    let corrupt = Corrupt::Length { at: 0, size: 17 };
    assert_eq!(consumer.next(), Err(corrupt));
    block.poke_header(0, 16, 1);
    assert_eq!(consumer.next(), Err(corrupt), "a ring once corrupt is not trusted again");
    assert!(!consumer.release(), "nothing was handed out");
}

#[test]
fn a_length_near_two_to_the_32_is_corrupt() {
    let block = Block::at(0, CAPACITY);
    let (mut producer, mut consumer) = halves(&block);
    producer.try_push(1, &[&[0; 16]]).expect("an empty ring");
    let _ = producer.publish();
    block.poke_header(0, u32::MAX - 3, 1);
    assert_eq!(consumer.next(), Err(Corrupt::Length { at: 0, size: u32::MAX - 3 }));
}

#[test]
fn a_record_across_the_end_of_the_data_area_is_corrupt() {
    let start = CAPACITY - 16;
    let block = Block::at(start, CAPACITY);
    let (_, mut consumer) = halves(&block);
    block.poke_header(start, 64, 1);
    block.poke(layout::TAIL, start + 72);
    assert_eq!(consumer.next(), Err(Corrupt::Length { at: start, size: 64 }));
}

#[test]
fn padding_that_ends_elsewhere_than_the_data_area_is_corrupt() {
    let block = Block::at(0, CAPACITY);
    let (_, mut consumer) = halves(&block);
    block.poke_header(0, 8, layout::PADDING);
    block.poke(layout::TAIL, 16);
    assert_eq!(consumer.next(), Err(Corrupt::Padding { at: 0, size: 8 }));
}

#[test]
fn a_tail_that_is_odd_or_too_far_is_corrupt() {
    for tail in [4, CAPACITY + 8, 0u32.wrapping_sub(8)] {
        let block = Block::at(0, CAPACITY);
        let (_, mut consumer) = halves(&block);
        block.poke(layout::TAIL, tail);
        assert_eq!(consumer.next(), Err(Corrupt::Tail { head: 0, tail }));
    }
}

#[test]
fn a_tail_that_overtakes_unreleased_records_is_corrupt() {
    let block = Block::at(0, CAPACITY);
    let (mut producer, mut consumer) = halves(&block);
    producer.try_push(1, &[&[0; 8]]).expect("an empty ring");
    let _ = producer.publish();
    consumer.next().expect("a sound ring").expect("one record");
    block.poke(layout::TAIL, CAPACITY + 16); // would fit if the record had been released
    assert_eq!(consumer.next(), Err(Corrupt::Tail { head: 16, tail: CAPACITY + 16 }));
}

#[test]
fn a_head_beyond_the_tail_refuses_claims() {
    let block = Block::at(0, CAPACITY);
    let (mut producer, _) = halves(&block);
    for _ in 0..4 {
        producer.try_push(1, &[&[0; 248]]).expect("a quarter each");
    }
    let _ = producer.publish();
    block.poke(layout::HEAD, CAPACITY + 8);
    assert_eq!(producer.try_push(1, &[&[0; 8]]), Err(Refused::CorruptHead));
    assert_eq!(producer.free_bytes(), 0);
    assert!(!producer.await_space(8), "nobody will ever notify");
}

#[test]
fn claims_that_can_never_succeed_say_so() {
    let block = Block::at(0, CAPACITY);
    let (mut producer, mut consumer) = halves(&block);
    let too_large = vec![0; CAPACITY as usize / 4 + 1];
    assert_eq!(producer.try_push(1, &[&too_large]), Err(Refused::TooLarge));
    assert_eq!(producer.try_claim(0, layout::PADDING).err(), Some(Refused::ReservedTag));
    assert!(!producer.await_space(CAPACITY));
    assert!(!producer.publish());
    assert_eq!(consumer.next(), Ok(None));
}

#[test]
fn blocks_that_cannot_be_rings_are_refused() {
    let attach = |block: &Block, capacity| Producer::new(block.clone(), capacity).err();
    for capacity_bytes in [0, 512, 1000, 1 << 31] {
        let block = Block::at(0, CAPACITY);
        assert_eq!(attach(&block, capacity_bytes), Some(AttachError::Capacity { capacity_bytes }));
    }
    let block = Block::at(0, CAPACITY);
    assert!(matches!(attach(&block, 2048), Some(AttachError::BlockTooSmall { .. })));
    for (head, tail) in [(4, 8), (0, 4), (8, 0), (0, CAPACITY + 8)] {
        block.poke(layout::HEAD, head);
        block.poke(layout::TAIL, tail);
        assert_eq!(attach(&block, CAPACITY), Some(AttachError::Positions { head, tail }));
    }
}

/// So many cases; a failure prints its seed and leaves it beside this file, to be run first from
/// then on.
fn cases(cases: u32) -> ProptestConfig {
    let seeds = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases, failure_persistence: Some(Box::new(seeds)), ..Default::default() }
}

proptest! {
    #![proptest_config(cases(512))]

    /// Whatever lies in the block, every body handed out lies in the data area and reading ends.
    #[test]
    fn arbitrary_bytes_never_lead_outside(
        start in (0..1024u32).prop_map(|units| (units * 8).wrapping_sub(4096)),
        published in (0..=CAPACITY / 8).prop_map(|units| units * 8),
        headers in prop::collection::vec((0..300u32, 0..4u32), CAPACITY as usize / 8),
    ) {
        let block = Block::at(start, CAPACITY);
        for (unit, (size, kind)) in headers.iter().enumerate() {
            let tag = if *kind == 0 { layout::PADDING } else { *kind };
            block.poke_header(unit as u32 * 8, *size, tag);
        }
        let mut consumer = Consumer::new(block.clone(), CAPACITY).expect("sound positions");
        block.poke(layout::TAIL, start.wrapping_add(published));
        let mut taken = 0;
        while let Ok(Some(record)) = consumer.next() {
            prop_assert!(record.body.len() <= CAPACITY as usize / 4);
            taken += record.body.len() as u32 + layout::HEADER_BYTES;
            prop_assert!(taken <= published);
        }
        prop_assert!(consumer.pending_bytes() <= published);
    }
}
