//! Every way in which a capture ring says no.

use core::{error, fmt};

/// Why a record was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// No room, and the ring does not drop (`Overflow::Block`): the record is the caller's.
    /// Remedy: `await_space`.
    Full,
    /// No room: this record was dropped and counted.
    Dropped,
    /// The record is longer than `record_bytes_max`; waiting cannot help.
    TooLarge,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Full => "the capture ring is full",
            Self::Dropped => "the record was dropped: the capture ring is full",
            Self::TooLarge => "the record exceeds record_bytes_max",
        })
    }
}

impl error::Error for Refused {}

/// Which option of the rings is out of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionsError {
    /// Its name.
    pub option: &'static str,
    /// What was asked for.
    pub value: u32,
    /// What it may be.
    pub range: &'static str,
}

impl fmt::Display for OptionsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is {}, it must be {}", self.option, self.value, self.range)
    }
}

impl error::Error for OptionsError {}
