//! The exchange that gives a connection a secret of its own: X25519 with keys that live as long as
//! one handshake, so that who learns the cluster's secret later cannot read what was recorded.

use std::fmt;

use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

use crate::hash::{Hash, expand, extract};

/// One side's half of an exchange, drawn from a seed of fresh random bytes.
pub struct Exchange {
    nonce: Hash,
    private: Hash,
}

impl Exchange {
    /// Draws nonce and private key. The seed must be random, secret, and used once.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Exchange {
        let root = extract(b"foundation/1 exchange", &[seed]);
        Exchange {
            nonce: expand(&root, "foundation/1 nonce"),
            private: expand(&root, "foundation/1 x25519"),
        }
    }

    /// Fresh bytes for the transcript; they tell nothing of the private key.
    #[must_use]
    pub fn nonce(&self) -> [u8; 32] {
        self.nonce
    }

    /// What the peer needs. Costs a scalar multiplication.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        x25519(self.private, X25519_BASEPOINT_BYTES)
    }

    /// The secret that both sides share, or `None` where the peer's key is one of the few that give
    /// the same secret to everybody.
    #[must_use]
    pub fn agree(&self, peer_public: &[u8; 32]) -> Option<[u8; 32]> {
        let shared = x25519(self.private, *peer_public);
        (shared.iter().fold(0, |bits, byte| bits | byte) != 0).then_some(shared)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}
