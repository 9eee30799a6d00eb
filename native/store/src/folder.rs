//! The folder of a store: its lock, its segments, its index.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::{Code, Result, StoreError};

const SEGMENT_SUFFIX: &str = ".segment";
const UNFINISHED_SUFFIX: &str = ".unfinished";

/// A folder that nobody else has open as long as this lives.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The system lets go of the lock with the file, however the process ends.
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is missing, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Folder> {
        fs::create_dir_all(path).map_err(StoreError::io("making", path))?;
        let lock_path = path.join("LOCK");
        let mut options = OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(StoreError::io("opening", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = format!("{} is open elsewhere: one store at a time", path.display());
                return Err(StoreError::new(Code::Locked, text));
            }
            Err(TryLockError::Error(error)) => {
                return Err(StoreError::io("locking", &lock_path)(error));
            }
        }
        let folder = Folder { path: path.to_owned(), _lock: lock };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_folder(parent)?;
        }
        Ok(folder)
    }

    pub(crate) fn segment_path(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:012}{SEGMENT_SUFFIX}"))
    }

    /// Where a segment is written that will take the place of another one.
    pub(crate) fn unfinished_path(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:012}{UNFINISHED_SUFFIX}"))
    }

    pub(crate) fn index_path(&self) -> PathBuf {
        self.path.join("index.redb")
    }

    /// Numbers of the segments that are there, ascending. What was left unfinished is removed.
    pub(crate) fn segments(&self) -> Result<Vec<u64>> {
        let failed = |error| StoreError::io("listing", &self.path)(error);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.ends_with(UNFINISHED_SUFFIX) {
                self.remove(&self.path.join(name))?;
            }
            let number = name.strip_suffix(SEGMENT_SUFFIX).and_then(|text| text.parse().ok());
            numbers.extend(number.filter(|number| self.segment_path(*number).ends_with(name)));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    pub(crate) fn remove(&self, path: &Path) -> Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::io("removing", path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Makes what was created, renamed and removed in the folder outlive a power loss.
    pub(crate) fn sync(&self) -> Result<()> {
        sync_folder(&self.path)
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(StoreError::io("syncing", path))
}

/// Other systems have no such call: their file systems log names by themselves.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> Result<()> {
    Ok(())
}
