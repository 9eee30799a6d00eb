//! A node as this node knows it, and the link to it while there is one.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use foundation_link::{Batch, LANES_MAX, Link, Micros, NodeLife, Redial};
use foundation_transport::Lane;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

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
    pub(crate) lanes: [Option<Rc<LaneIo>>; LANES_MAX],
    pub(crate) epoch: u64,
    pub(crate) since: Micros,
    pub(crate) is_dialler: bool,
    /// Whether the link is in the list of links to flush.
    pub(crate) is_dirty: bool,
}

/// One connection of a link, shared by its reader task, its writer task and the flush.
#[derive(Debug)]
pub(crate) struct LaneIo {
    pub(crate) lane: Lane,
    pub(crate) batch: RefCell<Batch>,
    /// The system took no more; the writer task waits for it.
    pub(crate) is_blocked: Cell<bool>,
    pub(crate) wake_writer: Notify,
    pub(crate) tasks: RefCell<Vec<AbortHandle>>,
}

impl LaneIo {
    pub(crate) fn new(lane: Lane) -> Rc<LaneIo> {
        Rc::new(LaneIo {
            lane,
            batch: RefCell::new(Batch::default()),
            is_blocked: Cell::new(false),
            wake_writer: Notify::new(),
            tasks: RefCell::new(Vec::new()),
        })
    }

    /// Ends both tasks; the socket closes with the last reference.
    pub(crate) fn close(&self) {
        for task in self.tasks.borrow_mut().drain(..) {
            task.abort();
        }
    }
}

impl Active {
    pub(crate) fn close(&mut self) {
        self.link.close();
        for lane in self.lanes.iter_mut().filter_map(Option::take) {
            lane.close();
        }
    }
}
