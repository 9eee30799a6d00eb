//! What goes wrong in a store, with the codes of docs/errors.md.

use std::fmt;
use std::path::Path;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Another process, or another store of this one, has the folder open.
    Locked,
    /// Acknowledged events cannot be read.
    Corrupt,
    /// The system failed a read or a write.
    Failed,
    /// The store is closed, or closing.
    Closed,
    /// Too much waits to be acknowledged.
    Overloaded,
    /// An answer would be larger than what is answered at once.
    AnswerTooLarge,
    /// What was asked for makes no sense.
    Invalid,
    /// The index cannot be used, and could not be made again.
    Index,
    /// A defect of the store itself.
    Internal,
}

impl Code {
    /// The code that users see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Locked => "event_log_locked",
            Code::Corrupt => "data_corruption",
            Code::Failed | Code::Index => "event_log_failed",
            Code::Closed => "event_log_closed",
            Code::Overloaded => "event_log_overloaded",
            Code::AnswerTooLarge => "event_log_answer_too_large",
            Code::Invalid => "invalid_argument",
            Code::Internal => "internal",
        }
    }
}

/// A failure of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// What kind of failure it is.
    pub code: Code,
    /// What happened, for people.
    pub message: String,
}

/// A result of a store.
pub(crate) type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> StoreError {
        StoreError { code, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> StoreError {
        StoreError::new(Code::Invalid, message)
    }

    pub(crate) fn corrupt(path: &Path, offset: u64, what: &str) -> StoreError {
        let text = format!("{} is damaged at byte {offset}: {what}", path.display());
        StoreError::new(Code::Corrupt, text)
    }

    /// For `map_err`: says what was done to which file.
    pub(crate) fn io(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
        let text = format!("{what} {} failed", path.display());
        move |error| StoreError::new(Code::Failed, format!("{text}: {error}"))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for StoreError {}
