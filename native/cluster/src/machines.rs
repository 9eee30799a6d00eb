//! The messages of the machines that this crate puts together, as they arrive in their crates.

/// A message between the rosters of two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterMessage {}

/// A message between the detectors of two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DetectorMessage {}

/// A message between two nodes' sides of one overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverlayMessage {}

/// A message between two nodes' sides of one broadcast tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlumtreeMessage<B> {
    /// The payload itself.
    Gossip {
        /// What was broadcast.
        payload: B,
    },
}

/// A message between the switch machines of two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchMessage {}
