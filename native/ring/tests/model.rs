//! The ring against a queue: any sequence of calls, from any position, on one thread.
#![cfg(not(loom))]

mod block;

use std::collections::VecDeque;

use block::Block;
use foundation_ring::{Consumer, Producer, Refused, layout};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

const CAPACITY: u32 = 1024;

#[derive(Debug, Clone)]
enum Step {
    Push { size: u32, split: u32 },
    Abandon { size: u32 },
    Publish,
    Read { records: usize },
    Release,
    ReplaceProducer,
    ReplaceConsumer,
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![0..=24u32, 0..=layout::body_bytes_max(CAPACITY), 250..=270u32];
    prop_oneof![
        8 => (size.clone(), any::<u32>()).prop_map(|(size, split)| Step::Push { size, split }),
        1 => size.prop_map(|size| Step::Abandon { size }),
        4 => Just(Step::Publish),
        5 => (0..12usize).prop_map(|records| Step::Read { records }),
        4 => Just(Step::Release),
        1 => Just(Step::ReplaceProducer),
        1 => Just(Step::ReplaceConsumer),
    ]
}

/// Starts that cross 2^32 early, and others.
fn start() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), (0..512u32).prop_map(|back| (back * 8).wrapping_neg()), any::<u32>()]
        .prop_map(|position| position & !7)
}

/// What the ring should hold, told in 64-bit positions that never wrap.
#[derive(Default)]
struct Model {
    tail: u64,
    published: u64,
    read: u64,
    released: u64,
    records: VecDeque<Expected>,
    next_tag: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Expected {
    tag: u32,
    body: Vec<u8>,
    end: u64,
}

impl Model {
    /// Where a record of `size` bytes would end.
    fn end_of(&self, size: u32) -> u64 {
        let record = u64::from(size).div_ceil(8) * 8 + 8;
        let to_end = u64::from(CAPACITY) - self.tail % u64::from(CAPACITY);
        self.tail + record + if record > to_end { to_end } else { 0 }
    }

    fn verdict(&self, size: u32) -> Result<u64, Refused> {
        let end = self.end_of(size);
        if size > CAPACITY / 4 {
            Err(Refused::TooLarge)
        } else if end - self.released > u64::from(CAPACITY) {
            Err(Refused::Full)
        } else {
            Ok(end)
        }
    }

    /// A body that no other record of the run has.
    fn body(&mut self, size: u32) -> Vec<u8> {
        self.next_tag += 1;
        let tag = self.next_tag;
        (0..size).map(|index| (index.wrapping_mul(31) ^ tag.wrapping_mul(0x9E37)) as u8).collect()
    }
}

struct Bench {
    block: Block,
    producer: Producer<Block>,
    consumer: Consumer<Block>,
    model: Model,
}

impl Bench {
    fn new(start: u32) -> Self {
        let block = Block::at(start, CAPACITY);
        let at = u64::from(start);
        Self {
            producer: Producer::new(block.clone(), CAPACITY).expect("a fresh block"),
            consumer: Consumer::new(block.clone(), CAPACITY).expect("a fresh block"),
            block,
            model: Model { tail: at, published: at, read: at, released: at, ..Model::default() },
        }
    }

    fn apply(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Push { size, split } => self.push(size, split),
            Step::Abandon { size } => self.abandon(size),
            Step::Publish => {
                prop_assert!(!self.producer.publish(), "nobody armed");
                self.model.published = self.model.tail;
                Ok(())
            }
            Step::Read { records } => self.read(records),
            Step::Release => {
                prop_assert!(!self.consumer.release(), "nobody waits");
                self.model.released = self.model.read;
                Ok(())
            }
            Step::ReplaceProducer => {
                self.producer =
                    Producer::new(self.block.clone(), CAPACITY).expect("sound positions");
                self.model.tail = self.model.published;
                let published = self.model.published;
                self.model.records.retain(|record| record.end <= published);
                Ok(())
            }
            Step::ReplaceConsumer => {
                // What was read and not released would come again; the model releases it first.
                let _ = self.consumer.release();
                self.model.released = self.model.read;
                self.consumer =
                    Consumer::new(self.block.clone(), CAPACITY).expect("sound positions");
                Ok(())
            }
        }
    }

    fn push(&mut self, size: u32, split: u32) -> Result<(), TestCaseError> {
        let body = self.model.body(size);
        let tag = self.model.next_tag;
        let verdict = self.model.verdict(size);
        let (front, back) = body.split_at((split % (size + 1)) as usize);
        let pushed = self.producer.try_push(tag, &[front, &[], back]);
        prop_assert_eq!(pushed, verdict.map(|_| ()));
        if let Ok(end) = verdict {
            self.model.tail = end;
            self.model.records.push_back(Expected { tag, body, end });
        }
        Ok(())
    }

    fn abandon(&mut self, size: u32) -> Result<(), TestCaseError> {
        let verdict = self.model.verdict(size);
        let claimed = self.producer.try_claim(size, 1).map(|body| {
            body.fill(0xEE);
            body.len()
        });
        prop_assert_eq!(claimed, verdict.map(|_| size as usize));
        self.producer.abandon();
        Ok(())
    }

    fn read(&mut self, records: usize) -> Result<(), TestCaseError> {
        for _ in 0..records {
            let front = self.model.records.front().filter(|next| next.end <= self.model.published);
            let found = self.consumer.next().expect("a sound ring");
            prop_assert_eq!(
                found.map(|record| (record.tag, record.body.to_vec())),
                front.map(|record| (record.tag, record.body.clone()))
            );
            if found.is_none() {
                break;
            }
            self.model.read = self.model.records.pop_front().expect("compared above").end;
        }
        Ok(())
    }

    fn check_counts(&mut self) -> Result<(), TestCaseError> {
        let model = &self.model;
        let used = model.tail - model.released;
        prop_assert_eq!(u64::from(self.producer.free_bytes()), u64::from(CAPACITY) - used);
        prop_assert_eq!(u64::from(self.consumer.pending_bytes()), model.published - model.read);
        prop_assert_eq!(self.producer.has_unpublished(), model.tail != model.published);
        Ok(())
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

    #[test]
    fn any_sequence_of_calls_agrees_with_a_queue(
        start in start(),
        steps in prop::collection::vec(step(), 1..400),
    ) {
        let mut bench = Bench::new(start);
        for step in &steps {
            bench.apply(step)?;
            bench.check_counts()?;
        }
    }
}
