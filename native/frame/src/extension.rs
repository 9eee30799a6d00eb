//! The extension area of a data header: entries that readers skip by length.
//!
//! An entry is `{u8 kind, u8 reserved, u16 bytes, contents, padding to 4}`. It carries what only
//! some messages need (trace context, clocks, causal labels, partition keys).

use crate::error::TooLarge;
use crate::layout::{ENTRY_BYTES, ENTRY_HEAD_BYTES, ENTRY_KIND, WORD_BYTES};
use crate::limits::EXTENSION_BYTES_MAX;

/// One entry, borrowed from the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionEntry<'a> {
    /// What the contents mean. Kinds unknown to the reader are passed over.
    pub kind: u8,
    /// The contents without padding.
    pub bytes: &'a [u8],
}

/// Entries in the order written. It ends early on a malformed area, which [`crate::decode`]
/// has refused already: an area out of a decoded frame is always read to its end.
#[derive(Clone, Debug)]
pub struct ExtensionIter<'a> {
    rest: &'a [u8],
}

impl<'a> ExtensionIter<'a> {
    /// Reads the `extension` of [`crate::Frame::Data`].
    #[inline]
    pub const fn new(extension: &'a [u8]) -> Self {
        ExtensionIter { rest: extension }
    }
}

impl<'a> Iterator for ExtensionIter<'a> {
    type Item = ExtensionEntry<'a>;

    #[inline]
    fn next(&mut self) -> Option<ExtensionEntry<'a>> {
        let (entry, rest) = split_entry(self.rest)?;
        self.rest = rest;
        Some(entry)
    }
}

/// Appends one entry, padded, to an extension area under construction. Refuses an entry that
/// would lengthen the area beyond [`EXTENSION_BYTES_MAX`]; the area is then left as it was.
pub fn extension_push(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) -> Result<(), TooLarge> {
    // The area's length and limit are both whole words, so padding never crosses the limit.
    TooLarge::check(out.len() + ENTRY_HEAD_BYTES + bytes.len(), EXTENSION_BYTES_MAX)?;
    // The limit is far below 64 KiB, so the length cannot be cut here.
    let [low, high] = (bytes.len() as u16).to_le_bytes();
    out.extend_from_slice(&[kind, 0, low, high]);
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(WORD_BYTES), 0);
    Ok(())
}

/// Whether the area consists of whole entries to its last byte.
#[inline]
pub(crate) fn is_well_formed(extension: &[u8]) -> bool {
    let mut rest = extension;
    while !rest.is_empty() {
        match split_entry(rest) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[inline]
fn split_entry(area: &[u8]) -> Option<(ExtensionEntry<'_>, &[u8])> {
    let head = area.first_chunk::<ENTRY_HEAD_BYTES>()?;
    let length = usize::from(u16::from_le_bytes([head[ENTRY_BYTES], head[ENTRY_BYTES + 1]]));
    let end = ENTRY_HEAD_BYTES + length;
    let bytes = area.get(ENTRY_HEAD_BYTES..end)?;
    let rest = area.get(end.next_multiple_of(WORD_BYTES)..)?;
    Some((ExtensionEntry { kind: head[ENTRY_KIND], bytes }, rest))
}
