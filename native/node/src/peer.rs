//! A node as this node knows it, and the link to it while there is one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use foundation_link::{AuthKey, Batch, Link, Micros, NodeLife, Redial};
use foundation_transport::{Incoming, Lane};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::cluster::Usage;

/// A node that was heard of.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) address_text: String,
    pub(crate) life: NodeLife,
    /// Grows with every link, so that what an isolate says of an older link is recognised.
    pub(crate) generation: u16,
    pub(crate) link: Option<Active>,
    pub(crate) redial: Option<Redial>,
    pub(crate) dial: Option<Dial>,
    pub(crate) busy_isolates: u16,
    pub(crate) is_leaving: bool,
    /// Another member told of it, and it has not been linked to since.
    pub(crate) is_introduced: bool,
    pub(crate) channel_names: Vec<String>,
    /// Who has use for the link, in a node with overlays.
    pub(crate) usage: Usage,
}

impl Peer {
    pub(crate) fn new(name: &str) -> Peer {
        Peer {
            name: name.to_owned(),
            address: None,
            address_text: String::new(),
            life: NodeLife::default(),
            generation: 0,
            link: None,
            redial: None,
            dial: None,
            busy_isolates: 0,
            is_leaving: false,
            is_introduced: false,
            channel_names: Vec::new(),
            usage: Usage::default(),
        }
    }

    /// What isolates call this link: index low, generation high.
    pub(crate) fn handle(&self, index: usize) -> u32 {
        index as u32 | u32::from(self.generation) << 16
    }
}

/// A dial that is under way.
#[derive(Debug)]
pub(crate) struct Dial {
    pub(crate) task: AbortHandle,
}

/// A link with its connections.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) link: Link,
    /// The connections that are open, most often the one of lane 0 alone.
    pub(crate) lanes: Vec<OpenLane>,
    pub(crate) epoch: u64,
    pub(crate) since: Micros,
    pub(crate) is_dialler: bool,
    /// Proves that a further lane belongs to the link.
    pub(crate) link_key: AuthKey,
    pub(crate) is_sealed: bool,
    /// Whether the link is in the list of links to flush.
    pub(crate) is_dirty: bool,
}

/// One connection of a link.
#[derive(Debug)]
pub(crate) struct OpenLane {
    /// Number of the lane in its link.
    pub(crate) number: u8,
    pub(crate) io: Arc<LaneIo>,
    /// The beginning of a frame or record whose rest has not come.
    pub(crate) buffer: Incoming,
    /// What the system has not taken yet.
    pub(crate) batch: Batch,
    /// The system took no more; whoever waits for it says when it does again.
    pub(crate) is_blocked: bool,
    /// Nothing is written, for a cut.
    pub(crate) is_mute: bool,
    pub(crate) tasks: Vec<AbortHandle>,
}

/// The part of a connection that its tasks wait on, outside of the state's lock.
#[derive(Debug)]
pub(crate) struct LaneIo {
    pub(crate) lane: Lane,
    pub(crate) wake_writer: Notify,
    /// Nothing is read, for a cut.
    is_deaf: AtomicBool,
    heard_anew: Notify,
}

impl LaneIo {
    pub(crate) fn is_deaf(&self) -> bool {
        self.is_deaf.load(Ordering::Relaxed)
    }

    /// Has the connection stand still, or be read again; answers what it was before.
    pub(crate) fn set_deaf(&self, is_deaf: bool) -> bool {
        let before = self.is_deaf.swap(is_deaf, Ordering::Relaxed);
        if before && !is_deaf {
            self.heard_anew.notify_one();
        }
        before
    }

    /// Waits while it stands still.
    pub(crate) async fn hearing(&self) {
        while self.is_deaf() {
            self.heard_anew.notified().await;
        }
    }
}

impl OpenLane {
    /// A connection, with the bytes that came on it behind the handshake.
    pub(crate) fn new(number: u8, lane: Lane, buffer: Incoming, batch: Batch) -> OpenLane {
        OpenLane {
            number,
            io: Arc::new(LaneIo {
                lane,
                wake_writer: Notify::new(),
                is_deaf: AtomicBool::new(false),
                heard_anew: Notify::new(),
            }),
            buffer,
            batch,
            is_blocked: false,
            is_mute: false,
            tasks: Vec::new(),
        }
    }
}

impl Drop for OpenLane {
    /// Ends the tasks; the socket closes with the last reference to it.
    fn drop(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
    }
}

impl Active {
    /// A connection by its lane number.
    #[inline]
    pub(crate) fn lane(&mut self, number: u8) -> Option<&mut OpenLane> {
        self.lanes.iter_mut().find(|lane| lane.number == number)
    }

    pub(crate) fn close(&mut self) {
        self.link.close();
        self.lanes.clear();
    }
}
