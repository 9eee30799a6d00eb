//! A store keeps within its bounds, and belongs to one at a time.

mod scene;

use foundation_store::{BYTES_MAX_LEAST, Code, Options, Query, Store};
use scene::{Event, all, options, packed};

#[test]
fn the_oldest_go_first_and_the_files_stay_within_the_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(options(folder.path())).expect("a store");
    for first in (1..=6_000).step_by(100) {
        let events: Vec<Event> =
            (first..first + 100).map(|id| Event::numbered(id, 4_000)).collect();
        store.append(&packed(&events)).expect("kept");
        store.tidy().expect("tidied");
        let files = std::fs::read_dir(folder.path()).expect("a folder");
        let bytes: u64 = files.map(|entry| entry.expect("it").metadata().expect("it").len()).sum();
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
