//! The secrets that a node accepts. The first is the one that it uses itself; the others let a
//! cluster change its secret while it runs.

use std::fmt;

use crate::error::KeyError;
use crate::hash::{Hash, expand, extract};

/// Shortest secret. Long enough that a random one cannot be guessed. Unit: bytes.
pub const SECRET_BYTES_MIN: usize = 16;
/// Most keys of a ring. Two are needed while a secret changes.
pub const KEYS_MAX: usize = 8;

/// What is derived from one secret; the secret itself is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    root: Hash,
    id: u32,
    fingerprint: Hash,
}

impl Key {
    /// Derives the key of a secret.
    ///
    /// # Errors
    /// [`KeyError::TooShort`].
    pub fn new(secret: &[u8]) -> Result<Key, KeyError> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(KeyError::TooShort);
        }
        let root = extract(b"foundation/1 secret", &[secret]);
        let named = expand(&root, "foundation/1 key id");
        let id = u32::from_le_bytes([named[0], named[1], named[2], named[3]]);
        // 0 says "no secret" on the wire.
        let fingerprint = expand(&root, "foundation/1 fingerprint");
        Ok(Key { root, id: id.max(1), fingerprint })
    }

    /// What a Hello calls it: enough to pick one of a few keys, too little to confirm a guess.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// How people tell keys apart: 16 hexadecimal digits that say nothing of the secret.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.fingerprint[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn root(&self) -> Hash {
        self.root
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.fingerprint())
    }
}

/// The keys of a node, the one for new links first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRing {
    keys: Vec<Key>,
}

impl KeyRing {
    /// A ring of these secrets, the one to use first. Without any, the node has no secret.
    ///
    /// # Errors
    /// [`KeyError::TooShort`], [`KeyError::Full`].
    pub fn new<Secret: AsRef<[u8]>>(
        secrets: impl IntoIterator<Item = Secret>,
    ) -> Result<KeyRing, KeyError> {
        let mut ring = KeyRing::default();
        for secret in secrets {
            ring.push(Key::new(secret.as_ref())?)?;
        }
        Ok(ring)
    }

    /// Whether the node has no secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key for new links.
    #[must_use]
    pub fn primary(&self) -> Option<&Key> {
        self.keys.first()
    }

    /// The key of a Hello's id.
    #[must_use]
    pub fn find(&self, id: u32) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// Fingerprints, the key for new links first.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys.iter().map(Key::fingerprint).collect()
    }

    /// Accepts a further key; one that is there already stays where it is.
    ///
    /// # Errors
    /// [`KeyError::Full`], [`KeyError::NoSecret`].
    pub fn add(&mut self, key: Key) -> Result<(), KeyError> {
        if self.keys.is_empty() {
            return Err(KeyError::NoSecret);
        }
        self.push(key)
    }

    fn push(&mut self, key: Key) -> Result<(), KeyError> {
        if self.keys.contains(&key) {
            return Ok(());
        }
        // Two keys of one id could not be told apart by a Hello; one pair in four billion is.
        if self.keys.len() >= KEYS_MAX || self.find(key.id).is_some() {
            return Err(KeyError::Full);
        }
        self.keys.push(key);
        Ok(())
    }

    /// Makes a key of the ring the one for new links.
    ///
    /// # Errors
    /// [`KeyError::Unknown`].
    pub fn use_for_new(&mut self, fingerprint: &str) -> Result<(), KeyError> {
        let at = self.position(fingerprint)?;
        let key = self.keys.remove(at);
        self.keys.insert(0, key);
        Ok(())
    }

    /// Accepts a key no longer.
    ///
    /// # Errors
    /// [`KeyError::Unknown`], [`KeyError::InUse`].
    pub fn remove(&mut self, fingerprint: &str) -> Result<(), KeyError> {
        match self.position(fingerprint)? {
            0 => Err(KeyError::InUse),
            at => {
                self.keys.remove(at);
                Ok(())
            }
        }
    }

    fn position(&self, fingerprint: &str) -> Result<usize, KeyError> {
        self.keys.iter().position(|key| key.fingerprint() == fingerprint).ok_or(KeyError::Unknown)
    }
}
