//! Honest ends of a handshake.

use std::sync::{Arc, LazyLock};

use foundation_frame::encode_control;
use foundation_link::{Handshake, Identity, KeyRing, LinkOptions, Micros, NodeLife, plain_channel};
use foundation_schema::Control;

/// Epoch of the dialler's link.
pub(crate) const EPOCH: u64 = 7;

static SECRET: LazyLock<Arc<KeyRing>> =
    LazyLock::new(|| Arc::new(KeyRing::new(["a secret of the honest"]).expect("long enough")));
static NO_SECRET: LazyLock<Arc<KeyRing>> = LazyLock::new(Arc::default);

/// What a configuration byte says of an end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup(pub(crate) u8);

impl Setup {
    pub(crate) fn has_secret(self) -> bool {
        self.0 & 1 == 1
    }

    fn wants_seal(self) -> bool {
        self.has_secret() && self.0 & 2 != 0
    }

    fn identity(self, node: &str) -> Identity {
        let keys = if self.has_secret() { &SECRET } else { &NO_SECRET };
        Identity {
            node: node.to_owned(),
            cluster: "orchard".to_owned(),
            life: NodeLife { start: 1, random: 2 },
            listen: String::new(),
            channels: vec![plain_channel("default")],
            keys: Arc::clone(keys),
            wants_seal: self.wants_seal(),
            has_aes: self.0 & 4 != 0,
            versions: Identity::VERSIONS,
        }
    }

    pub(crate) fn dialler(self, lane: u8) -> Handshake {
        let options = LinkOptions::default();
        Handshake::dial(self.identity("near"), &options, [1; 32], lane, EPOCH, Micros(0))
    }

    pub(crate) fn acceptor(self) -> Handshake {
        Handshake::accept(self.identity("far"), &LinkOptions::default(), [2; 32], Micros(0))
    }
}

/// A message in an honest frame; nothing where it does not fit.
pub(crate) fn framed(message: &Control) -> Vec<u8> {
    let mut frame = Vec::new();
    if let Ok(payload) = message.encode() {
        let _ = encode_control(&payload, 0, &mut frame);
    }
    frame
}
