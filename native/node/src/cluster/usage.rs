//! Who has use for the link to a peer.

use foundation_link::Micros;
use foundation_machine::NodeNo;

use crate::cluster::Pending;

/// What a node with overlays keeps of a peer beside its link.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// The peer's number in the directory.
    pub(crate) no: Option<NodeNo>,
    /// First generation of the place at which it stood for this life of the peer. What isolates
    /// address to a generation since then goes to the same life, over whichever link there is.
    pub(crate) route_from: u16,
    /// Isolates have a handle for it.
    pub(crate) is_routed: bool,
    /// The machine has asked for the link and waits to hear of it.
    pub(crate) is_awaited: bool,
    /// Of the messages over the link, those of hosts.
    pub(crate) host_messages: u64,
    /// Messages of isolates when the link was last looked at, and when there were more than before;
    /// 0: never.
    pub(crate) messages: u64,
    pub(crate) used_at: Micros,
    /// When the link came up, or was last offered to be let go.
    pub(crate) linked_at: Micros,
    /// This side has told that it has no use for the link, and holds messages back until the peer
    /// has answered.
    pub(crate) is_releasing: bool,
    /// Another connection between the two survived ours: it has until then to come up.
    pub(crate) crossed_until: Option<Micros>,
    /// Messages were relayed to this life: one over the link may have to follow them.
    pub(crate) is_relayed_to: bool,
    /// The last dial led to nothing.
    pub(crate) failed_at: Option<Micros>,
    /// Messages that wait for the link.
    pub(crate) pending: Pending,
}

impl Usage {
    /// Whether nothing is under way for this peer: its place may be given to another one.
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_awaited && self.pending.is_empty() && self.crossed_until.is_none()
    }
}
