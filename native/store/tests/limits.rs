//! A store keeps within its bounds, and belongs to one at a time.

mod scene;

use foundation_store::{BYTES_MAX_LEAST, Code, Options, Query, Store};
use scene::{Event, all, bytes_on_disk, options, packed, segments};

#[test]
fn the_oldest_go_first_and_the_files_stay_within_the_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(options(folder.path())).expect("a store");
    for first in (1..=6_000).step_by(100) {
        let events: Vec<Event> =
            (first..first + 100).map(|id| Event::numbered(id, 4_000)).collect();
        store.append(&packed(&events)).expect("kept");
        store.tidy().expect("tidied");
        let bytes = bytes_on_disk(folder.path());
        assert!(bytes <= BYTES_MAX_LEAST, "{bytes} bytes after {first}");
        assert_eq!(bytes, store.stats().bytes);
    }
    let stats = store.stats();
    assert_eq!(stats.events + stats.pruned, 6_000);
    assert!(stats.bytes > BYTES_MAX_LEAST / 2, "{stats:?}");
    let newest: Vec<Vec<u8>> =
        (6_001 - stats.events..=6_000).map(|id| scene::noise(id, 4_000)).collect();
    assert!(all(&mut store) == newest);
}

/// Appends events, 500 at a time, and checks that no more goes at once than two segments.
fn append_small(
    (store, folder, bytes_max): (&mut Store, &std::path::Path, u64),
    ids: std::ops::RangeInclusive<u64>,
    size: fn(u64) -> usize,
) {
    for first in ids.step_by(500) {
        let events = (first..first + 500).map(|id| Event::numbered(id, size(id)));
        store.append(&packed(&events.collect::<Vec<_>>())).expect("kept");
        let before = segments(folder).len();
        store.tidy().expect("tidied");
        let dropped = before - segments(folder).len();
        assert!(dropped <= 2, "{dropped} of {before} segments at {first}");
        let bytes = bytes_on_disk(folder);
        assert!(bytes <= bytes_max, "{bytes} bytes after {first}");
    }
}

#[test]
fn small_events_go_a_segment_at_a_time_though_their_index_is_larger_than_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = Options { bytes_max: 3 * BYTES_MAX_LEAST, ..options(folder.path()) };
    let mut store = Store::open(large.clone()).expect("a store");
    let size = |id: u64| 20 + (id % 81) as usize;
    append_small((&mut store, folder.path(), large.bytes_max), 1..=250_000, size);
    let stats = store.stats();
    assert_eq!(stats.events + stats.pruned, 250_000);
    // Each takes about 150 bytes: 60 of data, some of texts, up to 70 of the index.
    assert!(stats.events > 130_000, "{stats:?}");
    let newest = Query { limit: 1_000_000, is_by_id: true, ..Query::default() };
    let found = store.query(&newest).expect("an answer");
    assert_eq!(found.len() as u64, stats.events);
    assert_eq!(found.last(), Some(&scene::noise(250_000, size(250_000))));
}

#[test]
fn an_index_that_was_larger_gives_its_pages_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(options(folder.path())).expect("a store");
    append_small((&mut store, folder.path(), BYTES_MAX_LEAST), 1..=100_000, |_| 8);
    let small = store.stats().events;
    for id in 100_001..101_000 {
        store.append(&packed(&[Event::numbered(id, 20_000)])).expect("kept");
        store.tidy().expect("tidied");
        let bytes = bytes_on_disk(folder.path());
        assert!(bytes <= BYTES_MAX_LEAST, "{bytes} bytes after {id}");
    }
    let stats = store.stats();
    assert!(small > 30_000 && stats.events > 270, "{small}, then {stats:?}");
}

#[test]
fn a_segment_that_cannot_be_written_anew_is_no_end_of_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(options(folder.path())).expect("a store");
    for number in 1..100 {
        std::fs::create_dir(folder.path().join(format!("{number:012}.unfinished"))).expect("made");
    }
    for round in 0..400 {
        let same: Vec<Event> = (2..8).map(|id| Event::numbered(id, 10_000)).collect();
        store.append(&packed(&same)).expect("kept");
        store.tidy().unwrap_or_else(|error| panic!("round {round}: {error}"));
    }
    let stats = store.stats();
    assert_eq!((stats.events, stats.pruned, stats.rewritten), (6, 0, 0));
    assert!(stats.bytes <= BYTES_MAX_LEAST, "{stats:?}");
}

#[test]
fn what_was_replaced_goes_before_what_was_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(options(folder.path())).expect("a store");
    store.append(&packed(&[Event::numbered(1, 10_000)])).expect("kept");
    for round in 0..400 {
        let same: Vec<Event> = (2..8).map(|id| Event::numbered(id, 10_000)).collect();
        store.append(&packed(&same)).expect("kept");
        store.tidy().expect("tidied");
        assert!(store.get(1).expect("an answer").is_some(), "round {round}");
    }
    let stats = store.stats();
    assert_eq!((stats.events, stats.pruned), (7, 0));
    assert!(stats.rewritten > 0, "{stats:?}");
}

#[test]
fn a_folder_is_open_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(options(folder.path())).expect("a store");
    let refused = Store::open(options(folder.path())).expect_err("it is open");
    assert_eq!(refused.code, Code::Locked);
    drop(store);
    Store::open(options(folder.path())).expect("it is free again");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = Options { bytes_max: BYTES_MAX_LEAST - 1, ..options(folder.path()) };
    assert_eq!(Store::open(small).expect_err("too small").code, Code::Invalid);
    let mut store = Store::open(options(folder.path())).expect("a store");
    for (id, time) in [(0.0, 1.0), (1.5, 1.0), (-1.0, 1.0), (1e16, 1.0), (1.0, f64::NAN)] {
        let mut bytes = packed(&[Event::numbered(1, 10)]);
        bytes[..8].copy_from_slice(&f64::to_le_bytes(id));
        bytes[8..16].copy_from_slice(&f64::to_le_bytes(time));
        assert_eq!(store.append(&bytes).expect_err("no record").code, Code::Invalid);
    }
    let whole = packed(&[Event::numbered(1, 10)]);
    for length in 1..whole.len() {
        let cut = store.append(&whole[..length]).expect_err("no record");
        assert_eq!(cut.code, Code::Invalid, "{length}");
    }
    assert_eq!(store.stats().events, 0);
    let nan = Query { times: (Some(f64::NAN), None), limit: 1, ..Query::default() };
    assert_eq!(store.query(&nan).expect_err("no time").code, Code::Invalid);
}

#[test]
fn a_batch_is_at_most_half_of_what_the_store_may_take() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(options(folder.path())).expect("a store");
    let batch = |count: u64| {
        packed(&(1..=count).map(|id| Event::numbered(id, 100_000)).collect::<Vec<_>>())
    };
    assert_eq!(store.append(&batch(42)).expect_err("4.2 MB").code, Code::Invalid);
    assert_eq!(store.stats().events, 0);
    for _ in 0..3 {
        store.append(&batch(41)).expect("kept");
        store.tidy().expect("tidied");
        assert_eq!(all(&mut store).len(), 41);
        let bytes = bytes_on_disk(folder.path());
        assert!(bytes <= BYTES_MAX_LEAST, "{bytes}");
    }
}

#[test]
fn an_answer_that_is_too_large_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = Options { bytes_max: 1 << 30, ..options(folder.path()) };
    let mut store = Store::open(large).expect("a store");
    for id in 1..=20 {
        let data = vec![7; 4_000_000]; // compresses well
        store.append(&packed(&[Event { data, ..Event::numbered(id, 0) }])).expect("kept");
    }
    let query = |limit| Query { limit, ..Query::default() };
    assert_eq!(store.query(&query(20)).expect_err("80 MB").code, Code::AnswerTooLarge);
    assert_eq!(store.query(&query(10)).expect("40 MB").len(), 10);
}
