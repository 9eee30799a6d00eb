//! Why bytes or keys are refused.

use std::fmt;

/// Why a sealed stream cannot go on. There is no way back: whatever follows cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The stated length of a record is none that a peer would write.
    Length,
    /// A record was changed, repeated, left out, moved, or sealed with another key.
    Broken,
}

impl SealError {
    /// Stable snake_case name, listed in docs/errors.md.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            SealError::Length => "record_length",
            SealError::Broken => "record_broken",
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SealError::Length => "a sealed record of impossible length",
            SealError::Broken => "a sealed record that does not open",
        })
    }
}

impl std::error::Error for SealError {}

/// Why a key ring refuses a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The secret is shorter than [`crate::SECRET_BYTES_MIN`].
    TooShort,
    /// The ring holds [`crate::KEYS_MAX`] keys.
    Full,
    /// The ring has no such key.
    Unknown,
    /// The key is the one that new links use: use another one first.
    InUse,
    /// The node was started without a secret; a key alone would not close its door.
    NoSecret,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyError::TooShort => "a secret has at least 16 bytes",
            KeyError::Full => "a key ring holds at most 8 keys; remove one first",
            KeyError::Unknown => "the key ring has no such key",
            KeyError::InUse => "the key is used for new links; use another one first",
            KeyError::NoSecret => "the node was started without a secret",
        })
    }
}

impl std::error::Error for KeyError {}
