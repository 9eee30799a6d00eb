//! One segment: a file of frames behind a header that says which segment it is.
//!
//! Header, little endian: magic 8 bytes, version u32, generation u32, number u64, zero u32, CRC-32C
//! of all that u32. A segment that is written anew without what was pruned is of the next
//! generation.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Result, StoreError};
use crate::frame::{FRAME_HEADER_BYTES, FrameHeader};
use crate::ordered::{u32_at, u64_at};

pub(crate) const SEGMENT_HEADER_BYTES: usize = 32;
const MAGIC: [u8; 8] = *b"FDNEVENT";
const VERSION: u32 = 1;
/// What a file may have that is read as a segment; more is none of ours. Unit: bytes.
pub(crate) const SEGMENT_FILE_BYTES_MAX: u64 = 2 << 30;

/// What the header of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) number: u64,
    pub(crate) generation: u32,
}

impl Identity {
    fn write(self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.generation.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// What a header says; none where it is not whole or of another format.
    pub(crate) fn read(bytes: &[u8]) -> Option<Identity> {
        let is_whole = bytes.len() >= SEGMENT_HEADER_BYTES
            && bytes[..8] == MAGIC
            && u32_at(bytes, 8) == VERSION
            && crc32c::crc32c(&bytes[..28]) == u32_at(bytes, 28);
        is_whole.then(|| Identity { number: u64_at(bytes, 16), generation: u32_at(bytes, 12) })
    }
}

/// A file of frames, open.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) identity: Identity,
    /// Bytes that count; a write that failed half may have left more.
    pub(crate) bytes: u64,
    path: PathBuf,
    file: File,
}

impl Segment {
    /// Makes the file of a segment, anew where there is one.
    pub(crate) fn create(path: &Path, identity: Identity) -> Result<Segment> {
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(true).read(true).write(true).open(path);
        let mut file = file.map_err(StoreError::io("making", path))?;
        file.write_all(&identity.write()).map_err(StoreError::io("writing", path))?;
        let bytes = SEGMENT_HEADER_BYTES as u64;
        Ok(Segment { identity, bytes, path: path.to_owned(), file })
    }

    /// Opens the file of a segment whose header and length are known to be right.
    pub(crate) fn open(path: &Path, identity: Identity, bytes: u64) -> Result<Segment> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(StoreError::io("opening", path))?;
        Ok(Segment { identity, bytes, path: path.to_owned(), file })
    }

    /// Hands bytes to the system; where that fails, the file may have some of them behind its end.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let mut file = &self.file;
        let written = file.seek(SeekFrom::Start(self.bytes)).and_then(|_| file.write_all(bytes));
        written.map_err(StoreError::io("writing", &self.path))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Forgets what is behind `bytes`.
    pub(crate) fn shorten(&mut self, bytes: u64) -> Result<()> {
        self.file.set_len(bytes).map_err(StoreError::io("shortening", &self.path))?;
        self.bytes = bytes;
        Ok(())
    }

    /// Returns when what was written outlives a power loss.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(StoreError::io("syncing", &self.path))
    }

    /// The records of the frame at an offset.
    pub(crate) fn read_frame(&self, offset: u32) -> Result<Vec<u8>> {
        let corrupt = |what: &str| StoreError::corrupt(&self.path, u64::from(offset), what);
        let mut header = [0; FRAME_HEADER_BYTES];
        self.read_at(u64::from(offset), &mut header)?;
        let header = FrameHeader::read(&header, self.identity.number);
        let header = header.ok_or_else(|| corrupt("no frame begins here"))?;
        let mut stored = vec![0; header.stored as usize];
        self.read_at(u64::from(offset) + FRAME_HEADER_BYTES as u64, &mut stored)?;
        header.records(stored).map_err(|error| corrupt(&error.message))
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let mut file = &self.file;
        let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(bytes));
        read.map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                StoreError::corrupt(&self.path, offset, "the file ends too early")
            }
            _ => StoreError::io("reading", &self.path)(error),
        })
    }

    /// The whole file.
    pub(crate) fn read_all(path: &Path) -> Result<Vec<u8>> {
        let file = File::open(path).map_err(StoreError::io("opening", path))?;
        let length = file.metadata().map_err(StoreError::io("measuring", path))?.len();
        if length > SEGMENT_FILE_BYTES_MAX {
            return Err(StoreError::corrupt(path, 0, "no segment is as long as this"));
        }
        let mut bytes = Vec::with_capacity(length as usize);
        { file }.read_to_end(&mut bytes).map_err(StoreError::io("reading", path))?;
        Ok(bytes)
    }

    /// What the header says, and how long the file is.
    pub(crate) fn look(path: &Path) -> Result<(Option<Identity>, u64)> {
        let file = File::open(path).map_err(StoreError::io("opening", path))?;
        let length = file.metadata().map_err(StoreError::io("measuring", path))?.len();
        let mut header = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        let start = file.take(SEGMENT_HEADER_BYTES as u64);
        { start }.read_to_end(&mut header).map_err(StoreError::io("reading", path))?;
        Ok((Identity::read(&header), length))
    }
}
