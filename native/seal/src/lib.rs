//! Keys and sealed records of a connection (docs/security.md): which secret both sides share, what
//! they derive from it, and how bytes are sealed with that. No socket, clock or random source is
//! named here: bytes, keys and seeds come in as arguments.

#![forbid(unsafe_code)]

mod error;
mod exchange;
mod hash;
mod key_ring;
mod record;
mod schedule;

pub use error::{KeyError, SealError};
pub use exchange::Exchange;
pub use key_ring::{KEYS_MAX, Key, KeyRing, SECRET_BYTES_MIN};
pub use record::{
    Cipher, Opened, Opener, RECORD_HEADER_BYTES, RECORD_OVERHEAD_BYTES, RECORD_PLAIN_BYTES_MAX,
    RECORDS_PER_KEY, Sealer,
};
pub use schedule::{AuthKey, Schedule, Side};
