//! The store against a plain list: whatever is done, both have the same events.

mod scene;

use foundation_store::{Compression, Query, Store};
use proptest::prelude::*;
use scene::{Event, options, packed};

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Event>),
    Get(u64),
    Query(Query),
    Prune(f64),
    Reopen,
    Drop,
}

fn event() -> impl Strategy<Value = Event> {
    let correlation = prop::option::of(0..6_u8);
    // Large ones, so that segments fill up.
    let bytes = prop_oneof![3 => 0..64_usize, 1 => 20_000..60_000_usize];
    (1..60_u64, -3..40_i32, 0..4_u8, correlation, bytes).prop_map(
        |(id, time, kind, correlation, bytes)| Event {
            id,
            time: f64::from(time) / 2.0,
            kind: format!("kind {kind}"),
            correlation: correlation.map(|text| format!("correlation {text}")),
            data: scene::noise(id * 1_000 + bytes as u64, bytes),
        },
    )
}

fn query() -> impl Strategy<Value = Query> {
    let kind = prop::option::of((0..5_u8).prop_map(|kind| format!("kind {kind}").into_bytes()));
    let correlation =
        prop::option::of((0..7_u8).prop_map(|text| format!("correlation {text}").into_bytes()));
    let time = || prop::option::of((-4..42_i32).prop_map(|time| f64::from(time) / 2.0));
    (kind, correlation, (time(), time()), any::<bool>(), any::<bool>(), 0..6_u32, 0..40_u32)
        .prop_map(|(kind, correlation, times, is_by_id, is_descending, offset, limit)| Query {
            kind,
            correlation,
            times,
            is_by_id,
            is_descending,
            offset,
            limit,
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec(event(), 0..6).prop_map(Step::Append),
        2 => (0..62_u64).prop_map(Step::Get),
        6 => query().prop_map(Step::Query),
        1 => (-4..42_i32).prop_map(|time| Step::Prune(f64::from(time) / 2.0)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Drop),
    ]
}

/// The plain list.
#[derive(Default)]
struct Model(Vec<Event>);

impl Model {
    fn append(&mut self, events: &[Event]) {
        for event in events {
            self.0.retain(|held| held.id != event.id);
            self.0.push(event.clone());
        }
    }

    fn prune(&mut self, time: f64) -> u64 {
        let before = self.0.len();
        self.0.retain(|event| event.time >= time);
        (before - self.0.len()) as u64
    }

    fn query(&self, query: &Query) -> Vec<Vec<u8>> {
        let wants = |event: &&Event| {
            query.kind.as_ref().is_none_or(|kind| event.kind.as_bytes() == &kind[..])
                && query.correlation.as_ref().is_none_or(|text| {
                    event.correlation.as_ref().is_some_and(|own| own.as_bytes() == &text[..])
                })
                && query.times.0.is_none_or(|from| event.time >= from)
                && query.times.1.is_none_or(|to| event.time <= to)
        };
        let mut found: Vec<&Event> = self.0.iter().filter(wants).collect();
        if query.is_by_id {
            found.sort_by_key(|event| event.id);
        } else {
            found.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.id.cmp(&b.id)));
        }
        if query.is_descending {
            found.reverse();
        }
        let wanted = found.into_iter().skip(query.offset as usize).take(query.limit as usize);
        wanted.map(|event| event.data.clone()).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_a_list(
        steps in prop::collection::vec(step(), 1..60),
        compression in prop::sample::select(
            &[Compression::None, Compression::Gzip, Compression::Zstd][..]
        ),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let options = foundation_store::Options { compression, ..options(folder.path()) };
        let mut store = Store::open(options.clone()).expect("a store");
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Append(events) => {
                    store.append(&packed(&events)).expect("kept");
                    store.tidy().expect("tidied");
                    model.append(&events);
                }
                Step::Get(id) => {
                    let held = model.0.iter().find(|event| event.id == id);
                    let wanted = held.map(|event| event.data.clone());
                    prop_assert_eq!(store.get(id).expect("an answer"), wanted);
                }
                Step::Query(query) => {
                    prop_assert_eq!(store.query(&query).expect("an answer"), model.query(&query));
                }
                Step::Prune(time) => {
                    let pruned = store.prune_before(time).expect("pruned");
                    prop_assert_eq!(pruned, model.prune(time));
                }
                Step::Reopen => {
                    store.close().expect("closed");
                    store = Store::open(options.clone()).expect("a store");
                }
                Step::Drop => {
                    drop(store);
                    store = Store::open(options.clone()).expect("a store");
                }
            }
            prop_assert_eq!(store.stats().events, model.0.len() as u64);
        }
        let everything = Query { limit: u32::MAX, ..Query::default() };
        prop_assert_eq!(store.query(&everything).expect("an answer"), model.query(&everything));
    }
}
