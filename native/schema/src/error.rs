//! Why a control message was refused, in one closed set with stable codes.

use std::error::Error;
use std::fmt;

/// A control message that was not decoded, or not encoded because its peer would not decode it.
/// Only [`SchemaError::UnknownBody`] may be survived: count it and go on; the rest close a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaError {
    /// The message exceeds its limit. Remedy when encoding: split the list it holds.
    TooLarge {
        /// Length of the encoded message.
        message_bytes: usize,
        /// [`crate::CONTROL_BYTES_MAX`] or [`crate::HANDSHAKE_BYTES_MAX`].
        message_bytes_max: usize,
    },
    /// The bytes do not carry the identifier of the control schema.
    BadIdentifier,
    /// The bytes are not a valid table, or unfold beyond the verifier's limits.
    Malformed,
    /// The message is of a kind that this version does not know.
    UnknownBody {
        /// Number of the union member.
        body: u8,
    },
    /// A message other than those of the handshake came before authentication.
    NotHandshake {
        /// Name of the message.
        name: &'static str,
    },
    /// A field that every version sends is absent.
    MissingField {
        /// `table.field` in the schema.
        field: &'static str,
    },
    /// A string or list exceeds its limit.
    FieldTooLong {
        /// `table.field` in the schema.
        field: &'static str,
        /// Its length in bytes or entries.
        length: usize,
        /// Its limit.
        length_max: usize,
    },
    /// A nonce or proof is not [`crate::SECRET_BYTES`] long.
    WrongLength {
        /// `table.field` in the schema.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// A field holds a number without a meaning.
    UnknownValue {
        /// `table.field` in the schema.
        field: &'static str,
        /// The number.
        value: u8,
    },
}

impl SchemaError {
    /// Stable name for counters, logs and the error table; it never changes between versions.
    pub const fn code(&self) -> &'static str {
        match self {
            SchemaError::TooLarge { .. } => "control_too_large",
            SchemaError::BadIdentifier => "control_bad_identifier",
            SchemaError::Malformed => "control_malformed",
            SchemaError::UnknownBody { .. } => "control_unknown_body",
            SchemaError::NotHandshake { .. } => "control_not_handshake",
            SchemaError::MissingField { .. } => "control_missing_field",
            SchemaError::FieldTooLong { .. } => "control_field_too_long",
            SchemaError::WrongLength { .. } => "control_wrong_length",
            SchemaError::UnknownValue { .. } => "control_unknown_value",
        }
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            SchemaError::TooLarge { message_bytes, message_bytes_max } => {
                write!(out, "control message of {message_bytes} bytes exceeds {message_bytes_max}")
            }
            SchemaError::BadIdentifier => out.write_str("not a control message"),
            SchemaError::Malformed => out.write_str("malformed control message"),
            SchemaError::UnknownBody { body } => write!(out, "unknown control message {body}"),
            SchemaError::NotHandshake { name } => {
                write!(out, "control message {name} before authentication")
            }
            SchemaError::MissingField { field } => write!(out, "{field} is missing"),
            SchemaError::FieldTooLong { field, length, length_max } => {
                write!(out, "{field} of length {length} exceeds {length_max}")
            }
            SchemaError::WrongLength { field, length } => {
                write!(out, "{field} of length {length} is not {}", crate::SECRET_BYTES)
            }
            SchemaError::UnknownValue { field, value } => {
                write!(out, "{field} has the unknown value {value}")
            }
        }
    }
}

impl Error for SchemaError {}
