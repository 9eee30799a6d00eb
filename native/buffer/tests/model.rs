//! A pool against a model that knows every reference, under any sequence of calls, wrong ones
//! included.

mod arena;

use std::collections::BTreeMap;

use arena::pool_of;
use foundation_buffer::{Handle, PAGE_BYTES, Pool, Slab};
use proptest::{prelude::*, sample::Index, test_runner::FileFailurePersistence};

const ARENA_BYTES: usize = 256 * PAGE_BYTES;

#[derive(Debug, Clone)]
enum Step {
    Allocate { len: usize },
    Clone(Index),
    Slice(Index, Index, Index),
    Drop(Index),
    Give(Index),
    Adopt(Index),
    Retain(Index),
    Release(Index),
    GiveBackIdle,
}

fn step() -> impl Strategy<Value = Step> {
    let slab = any::<Index>;
    prop_oneof![
        4 => prop_oneof![0..64usize, 0..ARENA_BYTES / 4].prop_map(|len| Step::Allocate { len }),
        2 => slab().prop_map(Step::Clone),
        2 => (slab(), slab(), slab()).prop_map(|(slab, from, to)| Step::Slice(slab, from, to)),
        4 => slab().prop_map(Step::Drop),
        2 => slab().prop_map(Step::Give),
        2 => slab().prop_map(Step::Adopt),
        1 => slab().prop_map(Step::Retain),
        3 => slab().prop_map(Step::Release),
        2 => Just(Step::GiveBackIdle),
    ]
}

/// What the model knows of one slab, dead or alive.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    offset: usize,
    len: usize,
    held: u32,
    given: u32,
}

impl Known {
    fn references(&self) -> u32 {
        self.held + self.given
    }
}

/// A byte that tells slabs and places apart.
fn byte_at(handle: Handle, place: usize) -> u8 {
    (handle.to_bits().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as u8 ^ (place / 7) as u8
}

struct Bench {
    pool: Pool,
    /// References, each with where in its slab it begins.
    held: Vec<(Slab, usize)>,
    known: BTreeMap<Handle, Known>,
    refused: u64,
    double_releases: u64,
    stale_uses: u64,
}

impl Bench {
    fn known(&mut self, handle: Handle) -> &mut Known {
        self.known.get_mut(&handle).expect("every handle of the run is known")
    }

    fn any_handle(&self, index: &Index) -> Option<Handle> {
        (!self.known.is_empty())
            .then(|| *index.get(&self.known.keys().copied().collect::<Vec<_>>()))
    }

    fn any_held(&self, index: &Index) -> Option<usize> {
        (!self.held.is_empty()).then(|| index.index(self.held.len()))
    }

    fn allocate(&mut self, len: usize) -> Result<(), TestCaseError> {
        let Ok(mut writer) = self.pool.allocate(len) else {
            self.refused += 1;
            return Ok(());
        };
        let handle = writer.handle();
        for (place, byte) in writer.as_mut_slice().iter_mut().enumerate() {
            *byte = byte_at(handle, place);
        }
        let slab = writer.freeze();
        let known = Known { offset: slab.offset(), len, held: 1, given: 0 };
        let end = known.offset + len;
        prop_assert!(end <= ARENA_BYTES);
        let mut live = self.known.values().filter(|other| other.references() > 0);
        prop_assert!(
            live.all(|other| other.offset + other.len <= known.offset || end <= other.offset)
        );
        prop_assert!(self.known.insert(handle, known).is_none(), "a handle came twice");
        self.held.push((slab, 0));
        Ok(())
    }

    fn by_reference(&mut self, step: &Step) {
        let (Step::Clone(index) | Step::Slice(index, ..) | Step::Drop(index) | Step::Give(index)) =
            step
        else {
            return;
        };
        let Some(place) = self.any_held(index) else { return };
        let handle = self.held[place].0.handle();
        let (slab, start) = &self.held[place];
        match step {
            Step::Slice(_, from, to) => {
                let (from, to) = (from.index(slab.len() + 1), to.index(slab.len() + 1));
                let (from, to) = (from.min(to), from.max(to));
                let part = (slab.slice(from..to).expect("inside"), start + from);
                self.held.push(part);
                self.known(handle).held += 1;
            }
            Step::Drop(_) => {
                self.held.swap_remove(place);
                self.known(handle).held -= 1;
            }
            Step::Give(_) => {
                assert_eq!(self.held.swap_remove(place).0.into_handle(), handle);
                self.known(handle).held -= 1;
                self.known(handle).given += 1;
            }
            _ => {
                let more = self.held[place].clone();
                self.held.push(more);
                self.known(handle).held += 1;
            }
        }
    }

    fn by_handle(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let (Step::Adopt(index) | Step::Retain(index) | Step::Release(index)) = step else {
            return Ok(());
        };
        let Some(handle) = self.any_handle(index) else { return Ok(()) };
        let is_given = self.known(handle).given > 0;
        match step {
            Step::Adopt(_) => {
                let adopted = self.pool.adopt(handle);
                prop_assert_eq!(adopted.is_ok(), is_given);
                self.stale_uses += u64::from(!is_given);
                if let Ok(slab) = adopted {
                    self.held.push((slab, 0));
                    self.known(handle).held += 1;
                    self.known(handle).given -= 1;
                }
            }
            Step::Retain(_) => {
                prop_assert_eq!(self.pool.retain(handle).is_ok(), is_given);
                self.stale_uses += u64::from(!is_given);
                self.known(handle).given += u32::from(is_given);
            }
            _ => {
                prop_assert_eq!(self.pool.release(handle).is_ok(), is_given);
                self.double_releases += u64::from(!is_given);
                self.known(handle).given -= u32::from(is_given);
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let live = || self.known.iter().filter(|(_, known)| known.references() > 0);
        let stats = self.pool.stats();
        prop_assert_eq!(stats.slabs_live, live().count());
        prop_assert_eq!(stats.bytes_live, live().map(|(_, known)| known.len).sum::<usize>());
        let pages = |known: &Known| known.len.div_ceil(PAGE_BYTES).max(1);
        let reserved: usize = live().map(|(_, known)| pages(known) * PAGE_BYTES).sum();
        prop_assert_eq!(stats.bytes_reserved, reserved);
        prop_assert_eq!(stats.allocated_total, self.known.len() as u64);
        prop_assert_eq!(
            (stats.refused, stats.double_releases, stats.stale_uses),
            (self.refused, self.double_releases, self.stale_uses)
        );
        let leaks = self.pool.leaks().into_iter();
        let mut leaks: Vec<_> = leaks.map(|leak| (leak.handle, leak.references)).collect();
        leaks.sort_unstable();
        prop_assert_eq!(leaks, live().map(|(h, k)| (*h, k.references())).collect::<Vec<_>>());
        Ok(())
    }

    fn check_bytes(&self) -> Result<(), TestCaseError> {
        for (slab, start) in &self.held {
            let bytes = slab.as_slice().iter().enumerate();
            let is_own =
                |(place, byte): (usize, &u8)| *byte == byte_at(slab.handle(), start + place);
            prop_assert!(bytes.clone().all(is_own), "{} was overwritten", slab.handle());
        }
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
    #![proptest_config(cases(96))]

    #[test]
    fn any_sequence_of_calls_agrees_with_a_count_of_references(
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let pool = pool_of(ARENA_BYTES);
        let (held, known) = Default::default();
        let mut bench =
            Bench { pool, held, known, refused: 0, double_releases: 0, stale_uses: 0 };
        for step in &steps {
            if let Step::Allocate { len } = step {
                bench.allocate(*len)?;
            }
            bench.by_reference(step);
            bench.by_handle(step)?;
            if matches!(step, Step::GiveBackIdle) {
                bench.pool.give_back_idle();
            }
            bench.check()?;
        }
        bench.check_bytes()?;
        bench.held.clear();
        for (handle, known) in &bench.known {
            for _ in 0..known.given {
                prop_assert!(bench.pool.release(*handle).is_ok());
            }
        }
        prop_assert_eq!(bench.pool.stats().bytes_reserved, 0);
        prop_assert!(bench.pool.allocate(ARENA_BYTES).is_ok(), "one free block again");
    }
}
