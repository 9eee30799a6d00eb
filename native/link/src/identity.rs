//! Who the two ends of a handshake are, before and after it.

use std::sync::Arc;

use foundation_schema::{ChannelSpec, NodeLife, Role};
use foundation_seal::{AuthKey, KeyRing, Opener, Sealer};

use crate::handshake::Handshake;
use crate::options::LinkOptions;
use foundation_machine::Micros;

/// Oldest protocol version that this code speaks.
const VERSION_MIN: u16 = 1;
/// Newest protocol version that this code speaks.
const VERSION_MAX: u16 = 1;

/// What a node says of itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Node name, unique in the cluster. At most 255 bytes.
    pub node: String,
    /// Cluster name.
    pub cluster: String,
    /// This run of the node.
    pub life: NodeLife,
    /// Where the node listens; empty where it does not.
    pub listen: String,
    /// The node's channels, index = channel number.
    pub channels: Vec<ChannelSpec>,
    /// Secrets that the node accepts; empty for none.
    pub keys: Arc<KeyRing>,
    /// Whether this connection has to be sealed. Needs a key.
    pub wants_seal: bool,
    /// Whether this processor has instructions for AES-GCM.
    pub has_aes: bool,
    /// Lowest and highest protocol version offered. Other than the defaults only in tests of
    /// mismatch.
    pub versions: (u16, u16),
}

impl Identity {
    /// The versions that this code speaks.
    pub const VERSIONS: (u16, u16) = (VERSION_MIN, VERSION_MAX);

    /// Size of the Hello that this identity says, or `None` where a field is longer than the wire
    /// allows. A handshake message may take 2 KiB: check before the first connection.
    #[must_use]
    pub fn hello_bytes(&self) -> Option<usize> {
        let options = LinkOptions::default();
        let mut handshake = Handshake::dial(self.clone(), &options, [0; 32], 0, 0, Micros(0));
        let output = handshake.take_output();
        (!output.is_empty()).then_some(output.len())
    }
}

/// What a finished handshake knows of the peer.
#[derive(Debug, Clone)]
pub struct Established {
    /// Which end we are.
    pub role: Role,
    /// Peer's node name.
    pub node: String,
    /// Peer's life.
    pub life: NodeLife,
    /// Where the peer listens; empty where it does not.
    pub listen: String,
    /// Peer's channels, index = its channel number.
    pub channels: Vec<ChannelSpec>,
    /// Lane of this connection.
    pub lane: u8,
    /// Epoch of the link, chosen by the dialler of its first lane.
    pub epoch: u64,
    /// Credit each account starts with when sending to the peer.
    pub window_bytes: u64,
    /// Largest message the peer takes.
    pub message_bytes_max: u64,
    /// Version both speak.
    pub version: u16,
    /// The key of the ring that proved this connection; 0 for none, or for a further lane.
    pub key_id: u32,
}

/// What a finished handshake leaves for the connection, and for further lanes of its link.
#[derive(Debug)]
pub struct LinkKeys {
    /// Proves that a further lane belongs to this link.
    pub link_key: AuthKey,
    /// What seals and opens all further bytes; `None` for a connection in plain text.
    pub seal: Option<(Sealer, Opener)>,
}
