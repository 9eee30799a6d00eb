//! What other threads ask of a kernel thread, and the errors it answers with.

use std::net::SocketAddr;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation_buffer::HandleTable;

use crate::cuts::{Cut, CutChange};
use crate::isolate::{Doorbell, LoopMark};
use crate::keys::KeyChange;
use crate::lane_poll::LanePoll;
use crate::names::{NameTable, Owner};
use crate::options::NodeOptions;
use crate::pairs::InTransit;

/// A refused request: a stable snake_case code of docs/errors.md and what happened.
#[derive(Debug, Clone)]
pub struct NodeError {
    /// Stable code.
    pub code: &'static str,
    /// What happened, for people.
    pub message: String,
}

impl NodeError {
    /// An error of this code.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> NodeError {
        NodeError { code, message: message.into() }
    }
}

/// A node that runs.
#[derive(Debug, Clone)]
pub struct Started {
    /// Number of the node in this process.
    pub node: u32,
    /// Where it listens.
    pub address: String,
    /// This run of the node, printable and ordered.
    pub life: String,
    /// Names shared with the isolates.
    pub names: Arc<Mutex<NameTable>>,
    /// Where the writability table begins in the arena.
    pub writability_offset: u32,
    /// Names of the declared channels, index = channel number.
    pub channels: Vec<String>,
}

/// An isolate that joined a node.
#[derive(Debug, Clone)]
pub struct Attached {
    /// Scheduler slot.
    pub slot: u16,
    /// Generation of the slot.
    pub generation: u16,
    /// Where the ring from the isolate begins in the arena.
    pub outward_offset: u32,
    /// Where the ring of urgent records to the isolate begins in the arena.
    pub urgent_offset: u32,
    /// Where the ring of all other records to the isolate begins in the arena.
    pub inward_offset: u32,
    /// Capacity of each ring.
    pub ring_bytes: u32,
    /// Slab references that the isolate holds.
    pub handles: Arc<Mutex<HandleTable>>,
    /// What the isolate has to poll, where it is the one that polls.
    pub lane_poll: Option<Arc<LanePoll>>,
}

pub(crate) type Answer<T> = SyncSender<Result<T, NodeError>>;

/// Where to panic, to show what becomes of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanicPlace {
    /// In the thread's own work.
    Kernel,
    /// In a task of the thread.
    Task,
    /// In the next turn of an isolate of this node, with `io: 'isolate'`.
    IsolateTurn(u32),
}

/// Another strategy for an overlay, where it still is as the asker saw it.
#[derive(Debug, Clone)]
pub struct SwitchWish {
    /// Name of the overlay.
    pub overlay: String,
    /// Its epoch as the asker saw it.
    pub epoch: u32,
    /// Its strategy as the asker saw it, as options spell it.
    pub from: String,
    /// The strategy that is wanted.
    pub to: String,
}

pub(crate) enum Command {
    Start {
        options: Box<NodeOptions>,
        answer: Answer<Started>,
    },
    Attach {
        node: u32,
        bell: Arc<dyn Doorbell>,
        mark: Arc<LoopMark>,
        is_poller: bool,
        answer: Answer<Attached>,
    },
    Detach {
        node: u32,
        owner: Owner,
        answer: Answer<bool>,
    },
    OwnerChanged {
        node: u32,
        id: u32,
        owner: Option<Owner>,
    },
    OpenPair {
        node: u32,
        from: Owner,
        to: Owner,
        answer: Answer<(u32, InTransit)>,
    },
    ClosePair {
        node: u32,
        slot: u16,
        offset: u32,
    },
    Join {
        node: u32,
        addresses: Vec<SocketAddr>,
    },
    /// The opposite of `Join`; with `hangs_up` links to these addresses end, too.
    Forget {
        node: u32,
        addresses: Vec<SocketAddr>,
        hangs_up: bool,
    },
    Leave {
        node: u32,
        drain: Duration,
    },
    Metrics {
        node: u32,
        answer: Answer<String>,
    },
    Cuts {
        node: u32,
        change: CutChange,
        answer: Answer<Vec<(String, Cut)>>,
    },
    Overlays(u32, OverlayCommand),
    Keys {
        node: u32,
        change: KeyChange,
        answer: Answer<Vec<String>>,
    },
    PanicForTest(PanicPlace),
    Shutdown,
}

impl Command {
    /// The node that it is about.
    pub(crate) fn node(&self) -> Option<u32> {
        match self {
            Command::Attach { node, .. }
            | Command::Detach { node, .. }
            | Command::OwnerChanged { node, .. }
            | Command::OpenPair { node, .. }
            | Command::ClosePair { node, .. }
            | Command::Join { node, .. }
            | Command::Forget { node, .. }
            | Command::Leave { node, .. }
            | Command::Metrics { node, .. }
            | Command::Keys { node, .. }
            | Command::Cuts { node, .. }
            | Command::Overlays(node, _) => Some(*node),
            Command::Start { .. } | Command::PanicForTest(_) | Command::Shutdown => None,
        }
    }
}

/// What is asked of a node about members and overlays.
pub(crate) enum OverlayCommand {
    /// A handle of a member that is to be sent to.
    OpenRoute {
        name: String,
        answer: Answer<u32>,
    },
    Subscribe {
        owner: Owner,
        topic: u32,
        is_wanted: bool,
    },
    Topology {
        answer: Answer<String>,
    },
    Switch {
        wish: SwitchWish,
        answer: Answer<()>,
    },
}
