//! The rings against queues: any sequence of calls, on one thread.
#![cfg(not(loom))]

use std::collections::VecDeque;
use std::num::NonZeroU32;

use foundation_capture::{Counters, Overflow, Reader, Refused, Rings, RingsOptions};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

const RECORD_BYTES_MAX: u32 = 6_000; // above what a slot keeps

#[derive(Debug, Clone)]
enum Step {
    Write { writer: u32, bytes: usize },
    Drain { records: u32, accepted: usize },
    Arm { records: u32 },
    AwaitSpace { writer: u32 },
    GiveUp { writer: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = prop_oneof![4 => 0..64usize, 1 => 0..RECORD_BYTES_MAX as usize + 9];
    prop_oneof![
        12 => (0..6u32, bytes).prop_map(|(writer, bytes)| Step::Write { writer, bytes }),
        4 => (0..20u32, 0..20usize)
            .prop_map(|(records, accepted)| Step::Drain { records, accepted }),
        2 => (1..12u32).prop_map(|records| Step::Arm { records }),
        1 => (0..6u32).prop_map(|writer| Step::AwaitSpace { writer }),
        1 => (0..6u32).prop_map(|writer| Step::GiveUp { writer }),
    ]
}

fn options() -> impl Strategy<Value = RingsOptions> {
    let overflow =
        prop_oneof![Just(Overflow::DropOldest), Just(Overflow::DropNewest), Just(Overflow::Block)];
    (1..4u32, 1..5u32, 0..100u32, overflow).prop_map(|(rings, bits, share, overflow)| {
        let slots = 1 << bits;
        let records_max = 1 + share * (slots - 1) / 99;
        RingsOptions { rings, slots, records_max, record_bytes_max: RECORD_BYTES_MAX, overflow }
    })
}

/// What the rings should hold.
struct Model {
    options: RingsOptions,
    rings: Vec<VecDeque<(u64, Vec<u8>)>>,
    /// The oldest of each ring once a drain has looked at it: nobody drops it any more.
    heads: Vec<Option<(u64, Vec<u8>)>>,
    /// What each ring's reader wants to be woken for; 0 while it is awake.
    armed: Vec<u32>,
    /// How many unread records its reader sleeps for.
    sleeps_until: Option<u32>,
    counters: Counters,
}

impl Model {
    fn new(options: RingsOptions) -> Self {
        let count = options.rings as usize;
        let counters = Counters::default();
        let (rings, heads) = (vec![VecDeque::new(); count], vec![None; count]);
        Self { options, rings, heads, armed: vec![0; count], sleeps_until: None, counters }
    }

    fn write(&mut self, writer: u32, stamp: u64, bytes: &[u8]) -> Result<bool, Refused> {
        let RingsOptions { rings, records_max, record_bytes_max, overflow, .. } = self.options;
        if bytes.len() > record_bytes_max as usize {
            return Err(Refused::TooLarge);
        }
        let index = (writer % rings) as usize;
        let ring = &mut self.rings[index];
        if ring.len() == records_max as usize {
            match overflow {
                Overflow::Block => return Err(Refused::Full),
                Overflow::DropNewest => {
                    self.counters.dropped += 1;
                    return Err(Refused::Dropped);
                }
                Overflow::DropOldest => {
                    ring.pop_front();
                    self.counters.dropped += 1;
                    self.counters.read_position += 1;
                }
            }
        }
        ring.push_back((stamp, bytes.to_vec()));
        self.counters.write_position += 1;
        self.counters.writes += 1;
        let wanted = self.armed[index];
        let rings_bell = wanted > 0 && ring.len() >= wanted as usize;
        if rings_bell {
            self.armed[index] = 0;
            self.sleeps_until = None;
        }
        Ok(rings_bell)
    }

    fn next(&mut self) -> Option<&mut Option<(u64, Vec<u8>)>> {
        for (head, ring) in self.heads.iter_mut().zip(&mut self.rings) {
            *head = head.take().or_else(|| ring.pop_front());
        }
        self.heads
            .iter_mut()
            .filter(|head| head.is_some())
            .min_by_key(|head| head.as_ref().map(|(stamp, _)| *stamp))
    }

    fn kept(&self) -> u32 {
        self.heads.iter().flatten().count() as u32
    }

    fn unread(&self) -> u32 {
        self.kept() + self.rings.iter().map(|ring| ring.len() as u32).sum::<u32>()
    }

    fn arm(&mut self, records: u32) -> bool {
        let RingsOptions { rings, records_max, .. } = self.options;
        let half = records_max.div_ceil(2);
        let missing = records.saturating_sub(self.unread());
        let share = missing.div_ceil(rings);
        let lengths = self.rings.iter().map(|ring| ring.len() as u32);
        let is_idle = missing > 0 && lengths.clone().all(|length| length < half);
        self.armed =
            lengths.map(|length| if is_idle { half.min(length + share) } else { 0 }).collect();
        self.sleeps_until = is_idle.then_some(records);
        is_idle
    }
}

struct Bench {
    rings: Rings,
    reader: Reader,
    model: Model,
    stamp: u64,
}

impl Bench {
    fn apply(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Write { writer, bytes } => self.write(writer, bytes)?,
            Step::Drain { records, accepted } => self.drain(records, accepted)?,
            Step::Arm { records } => {
                let wanted = NonZeroU32::new(records).expect("at least one");
                prop_assert_eq!(
                    self.rings.arm(wanted, self.reader.kept()),
                    self.model.arm(records)
                );
            }
            Step::AwaitSpace { writer } => {
                let ring = &self.model.rings[(writer % self.model.options.rings) as usize];
                let is_full = ring.len() == self.model.options.records_max as usize;
                prop_assert_eq!(self.rings.ring(writer).await_space(), is_full);
                prop_assert!(self.rings.have_waiting());
                prop_assert!(!self.rings.have_waiting());
            }
            Step::GiveUp { writer } => {
                self.rings.ring(writer).count_dropped();
                self.model.counters.dropped += 1;
            }
        }
        prop_assert_eq!(self.rings.counters(), self.model.counters);
        let unread = self.model.unread();
        let sleeps_on = self.model.sleeps_until.is_none_or(|records| unread < records);
        prop_assert!(sleeps_on, "nobody has woken the reader for {unread}");
        Ok(())
    }

    fn write(&mut self, writer: u32, bytes: usize) -> Result<(), TestCaseError> {
        self.stamp += 1;
        let body: Vec<u8> = (0..bytes).map(|at| (at as u64 * 31 + self.stamp) as u8).collect();
        let written = self.rings.ring(writer).write(self.stamp, &body);
        prop_assert_eq!(written, self.model.write(writer, self.stamp, &body));
        Ok(())
    }

    fn drain(&mut self, records: u32, accepted: usize) -> Result<(), TestCaseError> {
        self.model.sleeps_until = None; // whoever reads is awake
        let mut seen = Vec::new();
        let read = self.reader.drain(&self.rings, records, |record| {
            let takes = seen.len() < accepted;
            if takes {
                seen.push((record.stamp, record.bytes.clone()));
            }
            takes
        });
        prop_assert_eq!(read as usize, seen.len());
        let mut expected = Vec::new();
        while expected.len() < records as usize {
            let Some(head) = self.model.next() else { break };
            if expected.len() == accepted {
                break;
            }
            expected.extend(head.take());
        }
        self.model.counters.reads += expected.len() as u64;
        self.model.counters.read_position += expected.len() as u64;
        prop_assert_eq!(seen, expected);
        prop_assert_eq!(self.reader.kept(), self.model.kept());
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
    fn any_sequence_of_calls_agrees_with_queues(
        options in options(),
        steps in prop::collection::vec(step(), 1..300),
    ) {
        let rings = Rings::new(options).expect("valid options");
        let model = Model::new(options);
        let mut bench = Bench { rings, reader: Reader::default(), model, stamp: 0 };
        for step in &steps {
            bench.apply(step)?;
        }
    }
}
