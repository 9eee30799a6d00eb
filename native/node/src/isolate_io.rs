//! `io: "isolate"`: an isolate polls the connections of its node in its own event loop, and
//! whoever sends writes to them on the spot.
//!
//! A stalled loop may cost neither membership nor credit. So the kernel thread looks at the loop's
//! mark while the loop runs, and where it runs for too long without polling takes the connections
//! over until it polls again. A loop that only polls needs no looking after: the kernel thread
//! sleeps, and the loop rings it when it runs again. What the mark does not show, such as somebody
//! else's callback that blocks in the loop's poll phase, shows by connections that have something
//! and are not read; that is seen at the kernel thread's next tick.

use std::sync::Arc;

use foundation_link::Micros;
use foundation_transport::Lane;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::command::NodeError;
use crate::connection::Place;
use crate::isolate::LoopMark;
use crate::lane_poll::{LanePoll, Ready, Wanted};
use crate::names::Owner;
use crate::node::DRAIN_BYTES;
use crate::peer::LaneIo;
use crate::state::{Shared, State};

/// A loop that has run this long leaves its connections to the kernel thread.
const STALL: Micros = Micros::from_millis(10);
/// A running loop is looked at this often.
const LOOK: Micros = Micros::from_millis(10);
/// Times that a sender empties its ring in a row before the kernel thread goes on with it.
const SENDER_ROUNDS: usize = 4;
/// Reads of one connection in a row: a ring's worth, so that an isolate reads its ring before it
/// overflows.
const READS_OF_ISOLATE: usize = 1;
/// The same for the kernel thread, whose reader is another thread.
const READS_OF_KERNEL: usize = 4;

/// The isolate that polls.
#[derive(Debug)]
struct Poller {
    owner: Owner,
    mark: Arc<LoopMark>,
    /// How often its loop had polled when it was looked at last.
    laps: u64,
    /// It was polling then.
    was_polling: bool,
    /// Connections had something then.
    was_ready: bool,
}

/// Who attends the connections of a node.
#[derive(Debug)]
pub(crate) struct IsolateIo {
    poll: Arc<LanePoll>,
    poller: Option<Poller>,
    /// The kernel thread attends them, for the isolate does not.
    is_taken: bool,
    /// Tells the attending task that `is_taken` changed.
    changed: Arc<Notify>,
    task: Option<AbortHandle>,
    ready: Vec<Ready>,
    takeovers: u64,
    /// The isolate's next turn panics, to show what becomes of that.
    pub(crate) panics_for_test: bool,
}

impl IsolateIo {
    pub(crate) fn new() -> Result<IsolateIo, NodeError> {
        let poll = LanePoll::new().map_err(|error| {
            NodeError::new("io_unavailable", format!("an event queue: {error}"))
        })?;
        Ok(IsolateIo {
            poll: Arc::new(poll),
            poller: None,
            is_taken: true,
            changed: Arc::new(Notify::new()),
            task: None,
            ready: Vec::new(),
            takeovers: 0,
            panics_for_test: false,
        })
    }

    /// Starts the task that attends the connections while the isolate does not.
    pub(crate) fn start(&mut self, shared: Shared, node: u32, runtime: &tokio::runtime::Handle) {
        let attend = attend(shared, node, Arc::clone(&self.poll), Arc::clone(&self.changed));
        self.task = Some(runtime.spawn(attend).abort_handle());
    }

    /// An isolate begins to poll; it gets the queue to watch.
    pub(crate) fn set_poller(&mut self, owner: Owner, mark: Arc<LoopMark>) -> Arc<LanePoll> {
        self.poller = Some(Poller { owner, mark, laps: 0, was_polling: false, was_ready: false });
        Arc::clone(&self.poll)
    }

    /// The isolate is gone: the kernel thread attends the connections for good.
    pub(crate) fn drop_poller(&mut self, owner: Owner) {
        if self.poller.as_ref().is_some_and(|poller| poller.owner == owner) {
            self.poller = None;
            self.set_taken(true);
        }
    }

    fn set_taken(&mut self, is_taken: bool) {
        if self.is_taken != is_taken {
            self.is_taken = is_taken;
            self.takeovers += u64::from(is_taken);
            self.changed.notify_one();
        }
    }

    /// How often the kernel thread took the connections over.
    pub(crate) fn takeovers(&self) -> u64 {
        self.takeovers
    }

    /// Looks after the polling isolate; answers when to look again.
    pub(crate) fn look(&mut self, now: Micros) -> Micros {
        let Some(poller) = &mut self.poller else { return Micros::NEVER };
        let laps = poller.mark.laps();
        let is_moving = laps != poller.laps;
        let was_ready = std::mem::take(&mut poller.was_ready) && !is_moving;
        poller.laps = laps;
        if self.is_taken {
            if is_moving {
                self.set_taken(false);
            }
            return now + LOOK;
        }
        if poller.mark.is_stalled(now, STALL) {
            self.set_taken(true);
            return now + LOOK;
        }
        if self.poll.is_ready() {
            poller.was_ready = true;
            self.set_taken(was_ready);
            return now + LOOK;
        }
        let is_quiet = poller.was_polling && poller.mark.is_polling();
        poller.was_polling = poller.mark.is_polling();
        if is_quiet && poller.mark.arm_alarm() { Micros::NEVER } else { now + LOOK }
    }

    /// Adds a connection.
    pub(crate) fn add(&self, lane: &Lane, place: Place) -> std::io::Result<()> {
        self.poll.add(lane, place.token())
    }

    /// Asks to be told what comes on a connection that is not deaf, and with `wants_room` when the
    /// system takes bytes of it again.
    pub(crate) fn watch(&self, io: &LaneIo, place: Place, wants_room: bool) -> std::io::Result<()> {
        let wanted = Wanted { bytes: !io.is_deaf(), room: wants_room };
        self.poll.watch(&io.lane, place.token(), wanted)
    }
}

impl Drop for IsolateIo {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Place {
    fn token(self) -> u64 {
        u64::from(self.generation) << 24 | (self.index as u64) << 8 | u64::from(self.lane)
    }

    fn of_token(node: u32, token: u64) -> Place {
        Place {
            node,
            index: (token >> 8) as u16 as usize,
            generation: (token >> 24) as u16,
            lane: token as u8,
        }
    }
}

impl State {
    /// What the isolate does when its queue says that connections have something. True: more may
    /// have come.
    pub(crate) fn isolate_turn(&mut self, node: u32) -> bool {
        self.handle_commands();
        if let Some(io) = self.nodes.get_mut(&node).and_then(|host| host.isolate_io.as_mut()) {
            io.set_taken(false);
        }
        self.panic_if_planted(node);
        self.serve_lanes(node, READS_OF_ISOLATE)
    }

    /// What a sending isolate does at the end of a burst. False: the kernel thread has to go on.
    pub(crate) fn sender_turn(&mut self, node: u32, owner: Owner) -> bool {
        self.handle_commands();
        self.panic_if_planted(node);
        let slot = owner.slot as usize;
        for _ in 0..SENDER_ROUNDS {
            let Some(host) = self.nodes.get_mut(&node) else { return true };
            host.drain_ring(&self.pool, slot, DRAIN_BYTES);
            host.isolates.retry_backlog(slot);
            self.settle_node(node);
            let Some(host) = self.nodes.get_mut(&node) else { return true };
            if host.isolates.get(owner).is_none_or(|isolate| isolate.arm()) {
                return true;
            }
        }
        false
    }

    fn panic_if_planted(&self, node: u32) {
        let io = self.nodes.get(&node).and_then(|host| host.isolate_io.as_ref());
        let is_planted = io.is_some_and(|io| io.panics_for_test);
        assert!(!is_planted, "a panic for the test of an isolate's turn");
    }

    /// Reads the connections that have something, and writes to those that take bytes again.
    fn serve_lanes(&mut self, node: u32, reads_max: usize) -> bool {
        let Some(io) = self.nodes.get_mut(&node).and_then(|host| host.isolate_io.as_mut()) else {
            return false;
        };
        let mut ready = std::mem::take(&mut io.ready);
        io.poll.ready(&mut ready);
        for lane in &ready {
            let place = Place::of_token(node, lane.token);
            if lane.is_writable {
                self.unblock_lane(place);
            }
            if lane.is_readable
                && let Err(error) = self.read_lane(place, reads_max)
            {
                self.lose_link(place, error.code());
            }
        }
        let is_any = !ready.is_empty();
        if is_any {
            self.settle_node(node);
        }
        if let Some(io) = self.nodes.get_mut(&node).and_then(|host| host.isolate_io.as_mut()) {
            io.ready = ready;
        }
        is_any
    }

    fn is_lane_taken(&self, node: u32) -> bool {
        let io = self.nodes.get(&node).and_then(|host| host.isolate_io.as_ref());
        io.is_some_and(|io| io.is_taken)
    }

    /// Looks after the isolates that poll; answers when to look again.
    pub(crate) fn look_after_pollers(&mut self, now: Micros) -> Micros {
        let mut next = Micros::NEVER;
        for id in &self.pollers {
            let io = self.nodes.get_mut(id).and_then(|host| host.isolate_io.as_mut());
            next = next.min(io.map_or(Micros::NEVER, |io| io.look(now)));
        }
        next
    }
}

/// Attends a node's connections on the kernel thread whenever they are taken over. Only then is the
/// queue known to the runtime, so a packet never wakes two threads.
async fn attend(shared: Shared, node: u32, poll: Arc<LanePoll>, changed: Arc<Notify>) {
    loop {
        if !shared.lock().is_lane_taken(node) {
            changed.notified().await;
            continue;
        }
        // SAFETY: the queue's descriptor is open as long as the queue, which the `AsyncFd` keeps.
        let registered =
            unsafe { AsyncFd::register_with_interest(Arc::clone(&poll), Interest::READABLE) };
        let Ok(queue) = registered else {
            // Out of memory for one more entry: try again when something changes.
            changed.notified().await;
            continue;
        };
        while shared.lock().is_lane_taken(node) {
            tokio::select! {
                () = changed.notified() => {}
                ready = queue.readable() => {
                    let Ok(mut ready) = ready else { break };
                    let has_more = shared.lock().serve_lanes(node, READS_OF_KERNEL);
                    if has_more {
                        drop(ready);
                        tokio::task::yield_now().await;
                    } else {
                        ready.clear_ready();
                    }
                }
            }
        }
    }
}
