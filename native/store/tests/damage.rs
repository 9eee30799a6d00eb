//! What a crash leaves is recovered; what is damaged is told, and never a panic.

mod scene;

use std::fs;
use std::path::Path;

use foundation_store::{Code, Options, Query, Store};
use scene::{Event, all, crashed, options, packed, segments};

/// A store with so many events of 1 KB, in commits of three.
fn filled(folder: &Path, events: u64) -> Store {
    let mut store = Store::open(options(folder)).expect("a store");
    for first in (1..=events).step_by(3) {
        let commit: Vec<Event> = (first..first + 3).map(|id| Event::numbered(id, 1_000)).collect();
        store.append(&packed(&commit)).expect("kept");
    }
    store
}

fn repaired(folder: &Path) -> Store {
    Store::open(Options { repair: true, ..options(folder) }).expect("a repaired store")
}

#[test]
fn what_a_crash_cut_off_is_left_out_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = filled(folder.path(), 9);
    let crash = crashed(folder.path());
    drop(store);
    let path = segments(crash.path()).pop().expect("a segment");
    let bytes = fs::read(&path).expect("bytes");
    for length in (0..=bytes.len()).rev().step_by(7) {
        fs::write(&path, &bytes[..length]).expect("cut");
        let mut store = Store::open(options(crash.path())).expect("a store");
        let found = all(&mut store);
        assert_eq!(found.len() % 3, 0, "commits are whole at {length}");
        assert_eq!(found.len() as u64, store.stats().events);
        drop(store);
        let _ = fs::remove_file(&path);
    }
}

#[test]
fn a_large_batch_is_there_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(options(folder.path())).expect("a store");
    let batch = |first: u64| {
        packed(&(first..first + 4).map(|id| Event::numbered(id, 30_000)).collect::<Vec<_>>())
    };
    store.append(&batch(1)).expect("kept");
    let kept = fs::read(&segments(folder.path())[0]).expect("bytes").len();
    store.append(&batch(5)).expect("kept");
    let crash = crashed(folder.path());
    let path = segments(crash.path()).pop().expect("a segment");
    let bytes = fs::read(&path).expect("bytes");
    for length in (kept..bytes.len()).step_by(4_001) {
        fs::write(&path, &bytes[..length]).expect("cut");
        let mut store = Store::open(options(crash.path())).expect("a store");
        assert_eq!(all(&mut store).len(), 4, "at {length}");
    }
}

#[test]
fn what_is_left_of_a_commit_that_failed_is_no_part_of_a_later_one() {
    let first = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(options(first.path())).expect("a store");
    // Two frames: one of 60,000 bytes, and one of what is no part of the store afterwards.
    store.append(&packed(&[Event::numbered(1, 60_000), Event::numbered(2, 60_000)])).expect("kept");
    let long = fs::read(&segments(first.path())[0]).expect("bytes");
    let second = tempfile::tempdir().expect("a folder");
    let mut other = Store::open(options(second.path())).expect("a store");
    other.append(&packed(&[Event::numbered(1, 60_000)])).expect("kept");
    let crash = crashed(second.path());
    let path = segments(crash.path()).pop().expect("a segment");
    let mut bytes = fs::read(&path).expect("bytes");
    bytes.extend(&long[bytes.len()..]);
    assert_eq!(bytes.len(), long.len());
    fs::write(&path, bytes).expect("longer");
    assert_eq!(all(&mut Store::open(options(crash.path())).expect("a store")).len(), 1);
}

#[test]
fn a_power_loss_may_keep_later_pages_of_the_last_commit_and_drop_earlier_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = filled(folder.path(), 3);
    let kept = fs::read(&segments(folder.path())[0]).expect("bytes").len();
    let batch: Vec<Event> = (10..20).map(|id| Event::numbered(id, 30_000)).collect();
    store.append(&packed(&batch)).expect("kept");
    let crash = crashed(folder.path());
    let path = segments(crash.path()).pop().expect("a segment");
    let mut bytes = fs::read(&path).expect("bytes");
    bytes[kept..kept + 4_096].fill(0);
    fs::write(&path, bytes).expect("holed");
    let mut store = Store::open(options(crash.path())).expect("a store");
    assert_eq!(all(&mut store).len(), 3);
}

#[test]
fn damage_before_what_was_acknowledged_is_told_and_can_be_repaired() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = filled(folder.path(), 30);
    let crash = crashed(folder.path());
    drop(store);
    let path = segments(crash.path()).pop().expect("a segment");
    let mut bytes = fs::read(&path).expect("bytes");
    bytes[5_000] ^= 4;
    fs::write(&path, bytes).expect("damaged");
    let refused = Store::open(options(crash.path())).expect_err("damage");
    assert_eq!(refused.code, Code::Corrupt);
    assert!(refused.message.contains("000000000001.segment is damaged at byte"), "{refused}");
    let mut store = repaired(crash.path());
    assert_eq!(all(&mut store).len(), 27, "one commit is lost");
    assert!(store.stats().damaged_bytes > 1_000);
    store.close().expect("closed");
    assert_eq!(all(&mut Store::open(options(crash.path())).expect("a store")).len(), 27);
}

/// Every answer is right, or an error that says what is damaged.
fn check_answers(folder: &Path, right: &[Vec<u8>], what: &str) {
    let mut store = match Store::open(options(folder)) {
        Ok(store) => store,
        Err(error) => return assert_eq!(error.code, Code::Corrupt, "{what}: {error}"),
    };
    match store.query(&Query { limit: 10_000, ..Query::default() }) {
        Ok(found) => assert!(found == right, "{what}: {} events", found.len()),
        Err(error) => assert_eq!(error.code, Code::Corrupt, "{what}: {error}"),
    }
}

#[test]
fn a_closed_store_with_any_file_damaged_answers_right_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = filled(folder.path(), 900);
    let right = all(&mut store);
    store.close().expect("closed");
    assert_eq!(segments(folder.path()).len(), 2);
    let mut files = segments(folder.path());
    files.push(folder.path().join("index.redb"));
    for (round, path) in files.iter().cycle().take(45).enumerate() {
        let copy = crashed(folder.path());
        let path = copy.path().join(path.file_name().expect("a name"));
        let mut bytes = fs::read(&path).expect("bytes");
        let at = (round * 2_654_435_761) % bytes.len();
        match round % 5 {
            0 => bytes.truncate(at),
            1 => bytes.clear(),
            2 => bytes.fill(round as u8),
            3 => bytes[at] ^= 1 << (round % 8),
            _ => bytes.extend(scene::noise(round as u64, 3_000)),
        }
        fs::write(&path, bytes).expect("damaged");
        let what = format!("round {round}, {}, byte {at}", path.display());
        check_answers(copy.path(), &right, &what);
        drop(repaired(copy.path()));
    }
}

#[test]
fn an_index_that_is_lost_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = filled(folder.path(), 900);
    let right = all(&mut store);
    store.close().expect("closed");
    fs::remove_file(folder.path().join("index.redb")).expect("removed");
    assert!(all(&mut Store::open(options(folder.path())).expect("a store")) == right);
}

#[test]
fn a_segment_that_is_lost_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path(), 900).close().expect("closed");
    fs::remove_file(&segments(folder.path())[0]).expect("removed");
    let refused = Store::open(options(folder.path())).expect_err("a loss");
    assert_eq!(refused.code, Code::Corrupt);
    let mut store = repaired(folder.path());
    let found = all(&mut store).len();
    assert!(found > 0 && found < 900, "{found}");
}

#[test]
fn a_full_segment_that_is_cut_between_frames_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = Store::open(options(folder.path())).map(|mut store| {
        let mut ends = vec![32]; // behind the header
        for id in 1..=6 {
            store.append(&packed(&[Event::numbered(id, 1_000)])).expect("kept");
            ends.push(fs::metadata(&segments(folder.path())[0]).expect("it").len());
        }
        store.close().expect("closed");
        ends
    });
    let ends = one.expect("a store");
    for (kept, end) in ends[..6].iter().enumerate() {
        let copy = crashed(folder.path());
        let path = segments(copy.path()).pop().expect("a segment");
        let file = fs::OpenOptions::new().write(true).open(&path).expect("it");
        file.set_len(*end).expect("cut");
        for _ in 0..2 {
            let refused = Store::open(options(copy.path())).expect_err("a loss");
            assert_eq!(refused.code, Code::Corrupt, "{refused}");
            assert!(refused.message.contains("shorter than it was"), "{refused}");
        }
        let mut store = repaired(copy.path());
        assert_eq!(store.stats().damaged_bytes, ends[6] - end);
        assert_eq!(all(&mut store).len(), kept);
        store.close().expect("closed");
        assert_eq!(all(&mut Store::open(options(copy.path())).expect("a store")).len(), kept);
    }
}

#[cfg(unix)]
#[test]
fn an_index_that_the_system_does_not_open_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path(), 900).close().expect("closed");
    let (path, aside) = (folder.path().join("index.redb"), folder.path().join("aside"));
    fs::rename(&path, &aside).expect("moved");
    std::os::unix::fs::symlink(&path, &path).expect("a link to itself");
    let refused = Store::open(options(folder.path())).expect_err("a loop");
    assert_eq!(refused.code, Code::Failed, "{refused}");
    assert!(fs::symlink_metadata(&path).is_ok());
    fs::rename(&aside, &path).expect("moved back");
    let mut store = Store::open(options(folder.path())).expect("a store");
    assert_eq!((all(&mut store).len(), store.stats().rebuilt), (900, 0));
}

#[cfg(unix)]
const FULL: &str = "FOUNDATION_STORE_TEST_FOLDER";

/// Appends until the system takes no more; what is acknowledged goes on being found.
#[cfg(unix)]
fn append_until_full(folder: &Path) {
    let large = Options { bytes_max: 64 << 20, ..options(folder) };
    let mut store = Store::open(large).expect("a store");
    let mut first = 1;
    let refused = loop {
        let events: Vec<Event> = (first..first + 500).map(|id| Event::numbered(id, 8)).collect();
        if let Err(error) = store.append(&packed(&events)) {
            break error;
        }
        first += 500;
    };
    assert_eq!(refused.code, Code::Failed, "{refused}");
    assert!(refused.message.contains("index"), "{refused}");
    for id in [1, first / 2, first - 1] {
        assert!(store.append(&packed(&[Event::numbered(first, 8)])).is_err());
        assert_eq!(store.get(id).expect("an answer"), Some(scene::noise(id, 8)));
    }
    let stats = store.stats();
    assert_eq!((stats.rebuilt, stats.events), (0, first - 1));
    fs::write(folder.join("acknowledged"), stats.events.to_string()).expect("told");
}

#[cfg(unix)]
#[test]
fn an_index_that_cannot_grow_is_kept_and_so_is_every_event() {
    if let Some(folder) = std::env::var_os(FULL) {
        return append_until_full(Path::new(&folder));
    }
    let folder = tempfile::tempdir().expect("a folder");
    // No file has more than 2 MiB in the process that this starts.
    let script = "trap '' XFSZ; ulimit -f 4096; exec \"$0\" --exact \"$1\"";
    let own = std::env::current_exe().expect("a path");
    let name = "an_index_that_cannot_grow_is_kept_and_so_is_every_event";
    let mut child = std::process::Command::new("sh");
    let child = child.arg("-c").arg(script).arg(own).arg(name).env(FULL, folder.path());
    let output = child.output().expect("it ran");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let told = fs::read_to_string(folder.path().join("acknowledged")).expect("told");
    let large = Options { bytes_max: 64 << 20, ..options(folder.path()) };
    let mut store = Store::open(large).expect("a store");
    assert_eq!(all(&mut store).len().to_string(), told);
    assert_eq!(store.stats().rebuilt, 0);
}
