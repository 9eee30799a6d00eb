//! Sealed records: how a stream of bytes is cut, sealed, and opened again.
//!
//! ```text
//!   length u32 LE | ciphertext (length - 16 bytes) | tag (16 bytes)
//! ```
//!
//! The length is authenticated with the record. The nonce is the number of the record under its
//! key, which both sides count: a record that is repeated, left out or moved does not open. After
//! [`RECORDS_PER_KEY`] records both sides go on to a key derived from the last one.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::error::SealError;
use crate::hash::{Hash, expand};

/// Bytes before the ciphertext.
pub const RECORD_HEADER_BYTES: usize = 4;
const TAG_BYTES: usize = 16;
/// Bytes that a record adds to what it carries.
pub const RECORD_OVERHEAD_BYTES: usize = RECORD_HEADER_BYTES + TAG_BYTES;
/// Most that one record carries. Large enough that its overhead does not count, small enough that
/// the wait for its end does not either. Unit: bytes.
pub const RECORD_PLAIN_BYTES_MAX: usize = 32 << 10;
/// Records sealed with one key: with AES-256-GCM at most 2^31 blocks, far below what the cipher
/// allows.
pub const RECORDS_PER_KEY: u64 = 1 << 20;

/// Which cipher seals a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// Fast where both processors have instructions for it.
    Aes256Gcm,
    /// Fast without them.
    ChaCha20Poly1305,
}

/// One direction's key, and how many records it has served.
struct Direction {
    cipher: Cipher,
    secret: Hash,
    key: LessSafeKey,
    count: u64,
    records_per_key: u64,
}

impl Direction {
    fn new(cipher: Cipher, secret: [u8; 32], records_per_key: u64) -> Direction {
        Direction { cipher, key: key_of(cipher, &secret), secret, count: 0, records_per_key }
    }

    /// Makes sure that the key may serve one more record; answers that record's nonce.
    fn advance(&mut self) -> Nonce {
        if self.count >= self.records_per_key {
            self.secret = expand(&self.secret, "foundation/1 next");
            self.key = key_of(self.cipher, &self.secret);
            self.count = 0;
        }
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - 8..].copy_from_slice(&self.count.to_le_bytes());
        self.count += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

fn key_of(cipher: Cipher, secret: &Hash) -> LessSafeKey {
    let algorithm = match cipher {
        Cipher::Aes256Gcm => &AES_256_GCM,
        Cipher::ChaCha20Poly1305 => &CHACHA20_POLY1305,
    };
    let key = UnboundKey::new(algorithm, &expand(secret, "foundation/1 key"))
        .unwrap_or_else(|_| unreachable!("both ciphers take keys of 32 bytes"));
    LessSafeKey::new(key)
}

/// Seals what one side writes.
pub struct Sealer {
    direction: Direction,
}

impl Sealer {
    /// Seals with keys derived from `traffic`.
    #[must_use]
    pub fn new(cipher: Cipher, traffic: [u8; 32]) -> Sealer {
        Sealer::with_records_per_key(cipher, traffic, RECORDS_PER_KEY)
    }

    /// As [`Sealer::new`], with another life of each key; both sides have to use the same one.
    #[must_use]
    pub fn with_records_per_key(cipher: Cipher, traffic: [u8; 32], records_per_key: u64) -> Sealer {
        Sealer { direction: Direction::new(cipher, traffic, records_per_key) }
    }

    /// Makes a record of what stands behind `start + RECORD_HEADER_BYTES`: writes the header there,
    /// seals in place, appends the tag.
    ///
    /// # Errors
    /// [`SealError::Length`] for nothing, or for more than [`RECORD_PLAIN_BYTES_MAX`] bytes.
    pub fn seal(&mut self, bytes: &mut Vec<u8>, start: usize) -> Result<(), SealError> {
        let Some((header, plain)) =
            bytes.get_mut(start..).and_then(|all| all.split_first_chunk_mut())
        else {
            return Err(SealError::Length);
        };
        if plain.is_empty() || plain.len() > RECORD_PLAIN_BYTES_MAX {
            return Err(SealError::Length);
        }
        *header = ((plain.len() + TAG_BYTES) as u32).to_le_bytes();
        let aad: [u8; RECORD_HEADER_BYTES] = *header;
        let nonce = self.direction.advance();
        let tag = self
            .direction
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(aad), plain)
            .map_err(|_| SealError::Length)?;
        bytes.extend_from_slice(tag.as_ref());
        Ok(())
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("cipher", &self.direction.cipher).finish_non_exhaustive()
    }
}

/// What [`Opener::open`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Where opened bytes end.
    pub plain_end: usize,
    /// Where the first record begins that has not come whole.
    pub rest_start: usize,
}

/// Opens what the other side sealed.
pub struct Opener {
    direction: Direction,
    is_broken: bool,
}

impl Opener {
    /// Opens with keys derived from the peer's `traffic`.
    #[must_use]
    pub fn new(cipher: Cipher, traffic: [u8; 32]) -> Opener {
        Opener::with_records_per_key(cipher, traffic, RECORDS_PER_KEY)
    }

    /// As [`Opener::new`], with another life of each key.
    #[must_use]
    pub fn with_records_per_key(cipher: Cipher, traffic: [u8; 32], records_per_key: u64) -> Opener {
        Opener { direction: Direction::new(cipher, traffic, records_per_key), is_broken: false }
    }

    /// Opens every whole record of `bytes[at..]` in place and puts what they carry, in one piece,
    /// behind `bytes[..to]`; `to` must not exceed `at`. Nothing of a record that fails is given
    /// out, and nothing after it ever.
    ///
    /// # Errors
    /// [`SealError`]; the stream is over.
    pub fn open(&mut self, bytes: &mut [u8], to: usize, at: usize) -> Result<Opened, SealError> {
        let (mut plain_end, mut rest_start) = (to, at);
        while let Some(length) = self.next_length(bytes, rest_start)? {
            let record_end = rest_start + RECORD_HEADER_BYTES + length;
            if record_end > bytes.len() {
                break;
            }
            let plain = self.open_one(&mut bytes[plain_end..record_end], rest_start - plain_end);
            plain_end += plain.inspect_err(|_| self.is_broken = true)?;
            rest_start = record_end;
        }
        Ok(Opened { plain_end, rest_start })
    }

    /// Length behind the header of the record that begins at `at`; `None` before its header is
    /// there. Refused by its stated length alone, before its bytes are awaited.
    fn next_length(&mut self, bytes: &[u8], at: usize) -> Result<Option<usize>, SealError> {
        if self.is_broken {
            return Err(SealError::Broken);
        }
        let Some(header) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*header) as usize;
        if length <= TAG_BYTES || length > RECORD_PLAIN_BYTES_MAX + TAG_BYTES {
            self.is_broken = true;
            return Err(SealError::Length);
        }
        Ok(Some(length))
    }

    /// Opens the record at `skip`, moving its content to the front.
    fn open_one(&mut self, bytes: &mut [u8], skip: usize) -> Result<usize, SealError> {
        let header: [u8; RECORD_HEADER_BYTES] =
            *bytes[skip..].first_chunk().ok_or(SealError::Length)?;
        let nonce = self.direction.advance();
        let sealed = skip + RECORD_HEADER_BYTES..;
        let plain = self.direction.key.open_within(nonce, Aad::from(header), bytes, sealed);
        plain.map(|plain| plain.len()).map_err(|_| SealError::Broken)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("cipher", &self.direction.cipher).finish_non_exhaustive()
    }
}
