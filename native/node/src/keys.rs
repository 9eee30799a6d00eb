//! Which links are sealed, and the secrets of a node while it runs.

use std::net::IpAddr;
use std::sync::Arc;

use foundation_link::{AuthKey, Key, KeyError, NodeLife};

use crate::command::NodeError;
use crate::node::Node;

/// What is asked of a node's key ring. Every change answers with the fingerprints that are in the
/// ring then, the key for new links first.
#[derive(Debug)]
pub enum KeyChange {
    /// Nothing changes.
    List,
    /// The key is accepted from now on.
    Add(Key),
    /// The key of this fingerprint is used for new links.
    Use(String),
    /// The key of this fingerprint is accepted no longer.
    Remove(String),
}

impl From<KeyError> for NodeError {
    fn from(error: KeyError) -> Self {
        NodeError::new(key_error_code(error), error.to_string())
    }
}

fn key_error_code(error: KeyError) -> &'static str {
    match error {
        KeyError::TooShort | KeyError::NoSecret => "invalid_options",
        KeyError::Full => "too_many_keys",
        KeyError::InUse => "key_in_use",
        _ => "unknown_key",
    }
}

/// Whether an address is of this machine alone.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Whether this processor has instructions for AES-GCM.
pub(crate) fn has_aes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("aes") && std::is_x86_feature_detected!("pclmulqdq");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}

impl Node {
    /// What this node says of itself on a connection with that address.
    pub(crate) fn identity_towards(&self, address: IpAddr) -> foundation_link::Identity {
        let mut identity = self.identity.clone();
        identity.wants_seal = self.options.wants_seal(address) && !identity.keys.is_empty();
        identity
    }

    /// Whether a link with that address may be in plain text, or sealed by a secret.
    pub(crate) fn may_link_with(&self, address: IpAddr) -> bool {
        is_loopback(address) || self.options.insecure || !self.identity.keys.is_empty()
    }

    /// Changes the key ring. Links that are up keep the keys that they derived.
    pub(crate) fn change_keys(&mut self, change: KeyChange) -> Result<Vec<String>, NodeError> {
        let mut ring = (*self.identity.keys).clone();
        match change {
            KeyChange::List => return Ok(ring.fingerprints()),
            KeyChange::Add(key) => ring.add(key)?,
            KeyChange::Use(fingerprint) => ring.use_for_new(&fingerprint)?,
            KeyChange::Remove(fingerprint) => ring.remove(&fingerprint)?,
        }
        let fingerprints = ring.fingerprints();
        self.identity.keys = Arc::new(ring);
        Ok(fingerprints)
    }

    /// The key of a link that a peer dialled, for a further lane of it, and whether it is sealed.
    pub(crate) fn link_key(
        &self,
        name: &str,
        life: NodeLife,
        epoch: u64,
    ) -> Option<(AuthKey, bool)> {
        let peer = &self.peers[*self.by_name.get(name)?];
        let link = peer.link.as_ref()?;
        let is_meant = peer.life == life && link.epoch == epoch && !link.is_dialler;
        is_meant.then(|| (link.link_key.clone(), link.is_sealed))
    }
}
