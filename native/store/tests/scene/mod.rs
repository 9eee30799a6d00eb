//! What the tests of the store have in common.
#![allow(dead_code, reason = "each test uses some of it")]

use std::path::{Path, PathBuf};

use foundation_store::{BYTES_MAX_LEAST, Compression, Durability, Options, Record, Store};

/// Options of a small store.
pub(crate) fn options(path: &Path) -> Options {
    Options {
        path: path.to_owned(),
        bytes_max: BYTES_MAX_LEAST,
        compression: Compression::Zstd,
        durability: Durability::Process,
        repair: false,
    }
}

/// An event that the tests know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: u64,
    pub(crate) time: f64,
    pub(crate) kind: String,
    pub(crate) correlation: Option<String>,
    pub(crate) data: Vec<u8>,
}

impl Event {
    pub(crate) fn numbered(id: u64, bytes: usize) -> Event {
        Event {
            id,
            time: id as f64,
            kind: format!("kind {}", id % 3),
            correlation: (!id.is_multiple_of(5)).then(|| format!("correlation {}", id / 4)),
            data: noise(id, bytes),
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let kind = self.kind.as_bytes();
        let correlation = self.correlation.as_deref().map(str::as_bytes);
        Record { id: self.id, time: self.time, kind, correlation, data: &self.data }.write(out);
    }
}

pub(crate) fn packed(events: &[Event]) -> Vec<u8> {
    let mut bytes = Vec::new();
    events.iter().for_each(|event| event.write(&mut bytes));
    bytes
}

/// Bytes that do not compress.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// The segments of a store, by number.
pub(crate) fn segments(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("it").path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|suffix| suffix == "segment")).collect();
    files.sort();
    files
}

/// What the files of a store take on disk. Unit: bytes.
pub(crate) fn bytes_on_disk(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("a folder");
    files.map(|entry| taken(&entry.expect("it").path())).sum()
}

/// Of its length, the index counts what was ever written.
fn taken(path: &Path) -> u64 {
    let metadata = path.metadata().expect("it");
    #[cfg(unix)]
    if path.ends_with("index.redb") {
        use std::os::unix::fs::MetadataExt;
        return metadata.len().min(metadata.blocks() * 512);
    }
    metadata.len()
}

/// What a process that is killed leaves: the files as they are, with the store not closed.
pub(crate) fn crashed(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("it").path();
        std::fs::copy(&path, copy.path().join(path.file_name().expect("a name"))).expect("copied");
    }
    copy
}

/// Every event of a store by time.
pub(crate) fn all(store: &mut Store) -> Vec<Vec<u8>> {
    let query = foundation_store::Query { limit: 1_000_000, ..Default::default() };
    store.query(&query).expect("an answer")
}
