//! What both sides of a connection derive from what they share (docs/security.md, "Keys").

use std::fmt;

use crate::hash::{Hash, expand, extract, sha256, sign, verify};
use crate::key_ring::Key;

/// Which end of a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It opened the connection.
    Dialler,
    /// It accepted it.
    Acceptor,
}

/// What proves that somebody may make a link, or add a lane to one.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthKey(Hash);

impl AuthKey {
    /// The key of nodes that have no secret: known to everybody.
    pub const OPEN: AuthKey = AuthKey([0; 32]);
}

impl From<&Key> for AuthKey {
    fn from(key: &Key) -> AuthKey {
        AuthKey(key.root())
    }
}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthKey")
    }
}

/// The secrets of one connection. Everything is bound to the raw bytes of both Hellos: whoever saw
/// others, or shares neither key nor exchange, derives other secrets.
pub struct Schedule {
    root: Hash,
    transcript: Hash,
}

impl Schedule {
    /// Derives from the key that both sides know, the secret of their exchange if they made one,
    /// and both Hellos as they were on the wire.
    #[must_use]
    pub fn new(
        key: &AuthKey,
        exchanged: Option<&[u8; 32]>,
        dialler_hello: &[u8],
        acceptor_hello: &[u8],
    ) -> Schedule {
        let length = (dialler_hello.len() as u64).to_le_bytes();
        let transcript = sha256(&[&length, dialler_hello, acceptor_hello]);
        let exchanged = exchanged.map_or(&[][..], |secret| &secret[..]);
        Schedule { root: extract(&transcript, &[&key.0, exchanged]), transcript }
    }

    fn proof_key(&self, side: Side) -> Hash {
        expand(
            &self.root,
            match side {
                Side::Dialler => "foundation/1 dialler proof",
                Side::Acceptor => "foundation/1 acceptor proof",
            },
        )
    }

    /// What that side says to prove that it derived the same.
    #[must_use]
    pub fn proof(&self, side: Side) -> [u8; 32] {
        sign(&self.proof_key(side), &self.transcript)
    }

    /// Whether that side proved it. Takes the same time for every wrong proof.
    #[must_use]
    pub fn is_proof(&self, side: Side, proof: &[u8]) -> bool {
        verify(&self.proof_key(side), &self.transcript, proof)
    }

    /// What seals the bytes that this side writes.
    #[must_use]
    pub fn traffic(&self, from: Side) -> [u8; 32] {
        expand(
            &self.root,
            match from {
                Side::Dialler => "foundation/1 dialler traffic",
                Side::Acceptor => "foundation/1 acceptor traffic",
            },
        )
    }

    /// What proves that a later connection belongs to the link that this one began.
    #[must_use]
    pub fn link_key(&self) -> AuthKey {
        AuthKey(expand(&self.root, "foundation/1 link"))
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule").finish_non_exhaustive()
    }
}
