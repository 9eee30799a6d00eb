//! HKDF-SHA256 (RFC 5869) for outputs of one hash length, which is all that is needed here.

use ring::{digest, hmac};

pub(crate) const HASH_BYTES: usize = 32;

pub(crate) type Hash = [u8; HASH_BYTES];

fn mac(key: &[u8], parts: &[&[u8]]) -> Hash {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    to_hash(context.sign().as_ref())
}

fn to_hash(bytes: &[u8]) -> Hash {
    let mut hash = [0; HASH_BYTES];
    hash.copy_from_slice(bytes);
    hash
}

pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    to_hash(context.finish().as_ref())
}

pub(crate) fn extract(salt: &[u8], input: &[&[u8]]) -> Hash {
    mac(salt, input)
}

pub(crate) fn expand(key: &Hash, info: &str) -> Hash {
    mac(key, &[info.as_bytes(), &[1]])
}

pub(crate) fn sign(key: &Hash, message: &[u8]) -> Hash {
    mac(key, &[message])
}

/// Compares in constant time.
pub(crate) fn verify(key: &Hash, message: &[u8], tag: &[u8]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), message, tag).is_ok()
}
