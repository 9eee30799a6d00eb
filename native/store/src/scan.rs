//! Reading a segment from its file alone: which commits are whole, and what is wrong with the rest.

use std::path::Path;

use crate::commit::Placed;
use crate::error::{Result, StoreError};
use crate::frame::{FRAME_HEADER_BYTES, FRAME_MAGIC, FrameHeader};
use crate::record::Record;
use crate::segment::{Identity, SEGMENT_HEADER_BYTES};

/// What a segment's file has.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) generation: u32,
    /// Every record that counts, in the order in which they were written.
    pub(crate) placed: Vec<Placed>,
    /// Where the last commit that counts ends.
    pub(crate) end: u64,
    /// Bytes before the end that cannot be read, and where they begin.
    pub(crate) damaged: u64,
    pub(crate) damage: Option<u64>,
    /// The header cannot be read.
    pub(crate) is_headless: bool,
}

/// Reads every frame. What a crash leaves behind the last acknowledged commit is left out without
/// a word; with acknowledged frames behind them, unreadable bytes are damage.
pub(crate) fn scan(path: &Path, bytes: &[u8], number: u64) -> Result<Scan> {
    let identity = Identity::read(bytes).filter(|identity| identity.number == number);
    let mut scan = Scan { end: SEGMENT_HEADER_BYTES as u64, ..Scan::default() };
    scan.generation = identity.map_or(0, |identity| identity.generation);
    scan.is_headless = identity.is_none();
    let mut offset = SEGMENT_HEADER_BYTES.min(bytes.len());
    let mut pending: Vec<Placed> = Vec::new();
    let mut commit = None; // where the one begins that goes on
    while offset < bytes.len() {
        let frame = whole_frame(bytes, offset, number).filter(|header| {
            // Else it is what is left of a commit that failed, behind a later and shorter one.
            header.commit as usize == offset || Some(header.commit) == commit
        });
        let Some(header) = frame else {
            let Some(next) = next_acknowledging(bytes, offset, number) else { break };
            scan.damage.get_or_insert(offset as u64);
            scan.damaged += (next - offset) as u64;
            pending.clear();
            (offset, commit) = (next, None);
            continue;
        };
        if header.commit as usize == offset {
            pending.clear(); // of a commit whose last frame never came
        }
        let frame_end = offset + header.frame_bytes();
        let stored = bytes[offset + FRAME_HEADER_BYTES..frame_end].to_vec();
        let corrupt = |error: StoreError| StoreError::corrupt(path, offset as u64, &error.message);
        let records = header.records(stored).map_err(corrupt)?;
        place(&records, offset as u32, &mut pending).map_err(corrupt)?;
        offset = frame_end;
        commit = header.goes_on.then_some(header.commit);
        if !header.goes_on {
            scan.placed.append(&mut pending);
            scan.end = offset as u64;
        }
    }
    Ok(scan)
}

fn whole_frame(bytes: &[u8], offset: usize, number: u64) -> Option<FrameHeader> {
    let header = FrameHeader::read(&bytes[offset..], number)?;
    let stored = bytes.get(offset + FRAME_HEADER_BYTES..offset + header.frame_bytes())?;
    header.fits(stored).then_some(header)
}

/// The next whole frame of a later commit: it tells that all before it was acknowledged. Frames of
/// the same commit do not, as a power loss may keep later pages and drop earlier ones.
fn next_acknowledging(bytes: &[u8], damage: usize, number: u64) -> Option<usize> {
    let mut offset = damage + 1;
    while let Some(found) = find(&bytes[offset.min(bytes.len())..]) {
        offset += found;
        let header = whole_frame(bytes, offset, number);
        if header.is_some_and(|header| header.commit as usize > damage) {
            return Some(offset);
        }
        offset += header.map_or(1, |header| header.frame_bytes());
    }
    None
}

fn find(bytes: &[u8]) -> Option<usize> {
    bytes.windows(FRAME_MAGIC.len()).position(|window| window == FRAME_MAGIC)
}

fn place(records: &[u8], frame: u32, placed: &mut Vec<Placed>) -> Result<()> {
    let mut rest = records;
    while !rest.is_empty() {
        let at = records.len() - rest.len();
        let (record, after) = Record::read(rest)?;
        placed.push(Placed { keys: record.keys(), frame, at: at as u16 });
        rest = after;
    }
    Ok(())
}
