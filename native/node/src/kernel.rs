//! The kernel thread: started on first need, stopped and joined before its process's root isolate
//! ends.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use foundation_buffer::Pool;
use tokio::sync::Notify;

use crate::affinity;
use crate::command::{
    Answer, Attached, Command, NodeError, OverlayCommand, PanicPlace, Started, SwitchWish,
};
use crate::cuts::{Cut, CutChange};
use crate::failed::serve_failed;
use crate::fault::Fault;
use crate::forked::{self, is_forked, refuse_fork};
use crate::isolate::{Doorbell, LoopMark, lock};
use crate::keys::KeyChange;
use crate::names::Owner;
use crate::options::NodeOptions;
use crate::pairs::InTransit;
use crate::state::{Rung, Shared, SharedState};

/// How long a question to the kernel thread may take. It never blocks, so only a broken one takes
/// longer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A running kernel thread, as other threads hold it.
#[derive(Debug)]
pub struct Kernel {
    commands: Mutex<Sender<Command>>,
    bell: Arc<Notify>,
    rung: Rung,
    fault: Arc<Fault>,
    /// For turns of other threads. The thread itself keeps it, so that it ends there.
    state: Weak<SharedState>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Kernel {
    /// Starts a kernel thread, on `core` alone if given.
    ///
    /// # Errors
    /// `kernel_unavailable` where the system gives no thread or event queue, `invalid_options`
    /// where the core does not exist.
    pub fn start(pool: Pool, core: Option<usize>) -> Result<Kernel, NodeError> {
        refuse_fork()?;
        forked::watch();
        let unavailable =
            |error: std::io::Error| NodeError::new("kernel_unavailable", error.to_string());
        let (commands, inbox) = mpsc::channel();
        let bell = Arc::new(Notify::new());
        let fault = Fault::new(Arc::clone(&bell));
        let (ready, started) = mpsc::sync_channel(1);
        let rung = Rung::default();
        let bells = (Arc::clone(&bell), Arc::clone(&rung));
        let thread_fault = Arc::clone(&fault);
        let thread = std::thread::Builder::new()
            .name("foundation-kernel".to_owned())
            .spawn(move || run(pool, core, inbox, bells, &thread_fault, &ready))
            .map_err(unavailable)?;
        let state = started.recv_timeout(ANSWER_LIMIT).map_err(|_| {
            NodeError::new("kernel_unavailable", "the kernel thread did not start")
        })??;
        let (commands, thread) = (Mutex::new(commands), Mutex::new(Some(thread)));
        Ok(Kernel { commands, bell, rung, fault, state, thread })
    }

    /// Wakes the thread so that it reads the rings of that node. Cheap; safe from any thread at any
    /// time.
    #[inline]
    pub fn ring(&self, node: u32) {
        if !is_forked() {
            lock(&self.rung).insert(node);
            self.bell.notify_one();
        }
    }

    /// Whether the thread panicked: its nodes have failed, and another thread is needed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.fault.is_set()
    }

    /// The reason why the thread does not do what it is asked.
    fn stopped(&self, text: &str) -> NodeError {
        self.fault.error().unwrap_or_else(|| NodeError::new("kernel_stopped", text))
    }

    /// Does what the end of a burst asks for: takes what the isolate wrote into its ring and
    /// writes it to the connections, on the calling thread. Where another thread is at it, the
    /// kernel thread is rung instead.
    pub fn serve_sender(&self, node: u32, owner: Owner) {
        let _on_panic = RingOnPanic(self);
        let is_done = self.turn_state().is_some_and(|state| {
            state.try_lock().is_some_and(|mut state| state.sender_turn(node, owner))
        });
        if !is_done {
            self.ring(node);
        }
    }

    /// Reads the connections of a node whose polling isolate calls this, and writes what waited for
    /// room. True: more may have come.
    pub fn serve_lanes(&self, node: u32) -> bool {
        let _on_panic = RingOnPanic(self);
        self.turn_state().is_some_and(|state| state.lock().isolate_turn(node))
    }

    /// The state for a turn of another thread; none where a panic has left it half changed.
    fn turn_state(&self) -> Option<Shared> {
        let state = self.state.upgrade()?;
        (!self.has_failed() && !state.is_poisoned()).then_some(state)
    }

    fn tell(&self, command: Command) -> Result<(), NodeError> {
        if let Some(error) = self.fault.error() {
            return Err(error);
        }
        self.pass(command)
    }

    /// Tells even a thread that has failed.
    fn pass(&self, command: Command) -> Result<(), NodeError> {
        refuse_fork()?;
        lock(&self.commands)
            .send(command)
            .map_err(|_| self.stopped("the kernel thread has stopped"))?;
        self.bell.notify_one();
        Ok(())
    }

    fn ask<T>(&self, make: impl FnOnce(Answer<T>) -> Command) -> Result<T, NodeError> {
        let (answer, result) = mpsc::sync_channel(1);
        self.tell(make(answer))?;
        self.answer(&result)
    }

    fn answer<T>(&self, result: &Receiver<Result<T, NodeError>>) -> Result<T, NodeError> {
        let late = |_| self.stopped("the kernel thread did not answer");
        result.recv_timeout(ANSWER_LIMIT).map_err(late)?
    }

    /// Starts a node: listens, and dials its seeds.
    ///
    /// # Errors
    /// `listen_failed` with the system's reason, `arena_exhausted`, `invalid_options`.
    pub fn start_node(&self, options: NodeOptions) -> Result<Started, NodeError> {
        self.ask(|answer| Command::Start { options: Box::new(options), answer })
    }

    /// Joins the calling isolate to a node; as the one that polls the lanes of `io: "isolate"` if
    /// `is_poller` says so.
    ///
    /// # Errors
    /// `unknown_node`, `too_many_isolates`, `arena_exhausted`.
    pub fn attach(
        &self,
        node: u32,
        bell: Arc<dyn Doorbell>,
        mark: Arc<LoopMark>,
        is_poller: bool,
    ) -> Result<Attached, NodeError> {
        self.ask(|answer| Command::Attach { node, bell, mark, is_poller, answer })
    }

    /// Lets go of an isolate: when this returns, the kernel thread touches none of its memory any
    /// more. True when it was the last one of a node that has left the cluster: the node is gone
    /// then.
    ///
    /// # Errors
    /// `unknown_node` where it was detached before.
    pub fn detach(&self, node: u32, owner: Owner) -> Result<bool, NodeError> {
        let (answer, result) = mpsc::sync_channel(1);
        self.pass(Command::Detach { node, owner, answer })?;
        self.answer(&result)
    }

    /// Tells that a name found or lost its isolate. Takes effect before anything sent afterwards.
    pub fn owner_changed(&self, node: u32, id: u32, owner: Option<Owner>) -> Result<(), NodeError> {
        self.tell(Command::OwnerChanged { node, id, owner })
    }

    /// Makes a ring between two isolates of a node; answers where it begins in the arena.
    ///
    /// # Errors
    /// `noproc` where the other isolate is gone, `arena_exhausted`.
    pub fn open_pair(
        &self,
        node: u32,
        from: Owner,
        to: Owner,
    ) -> Result<(u32, InTransit), NodeError> {
        self.ask(|answer| Command::OpenPair { node, from, to, answer })
    }

    /// One end lets go of a ring between isolates.
    pub fn close_pair(&self, node: u32, slot: u16, offset: u32) -> Result<(), NodeError> {
        self.tell(Command::ClosePair { node, slot, offset })
    }

    /// Dials these addresses until a member answers there; events tell how it goes.
    pub fn join(&self, node: u32, addresses: Vec<SocketAddr>) -> Result<(), NodeError> {
        self.tell(Command::Join { node, addresses })
    }

    /// Dials these addresses no longer; with `hangs_up` the links to them end in good order.
    pub fn forget(
        &self,
        node: u32,
        addresses: Vec<SocketAddr>,
        hangs_up: bool,
    ) -> Result<(), NodeError> {
        self.tell(Command::Forget { node, addresses, hangs_up })
    }

    /// Leaves the cluster in good order: what is queued is sent within `drain`; the event `left`
    /// follows.
    pub fn leave(&self, node: u32, drain: Duration) -> Result<(), NodeError> {
        self.tell(Command::Leave { node, drain })
    }

    /// The node's counters and gauges as JSON.
    ///
    /// # Errors
    /// `unknown_node`.
    pub fn metrics(&self, node: u32) -> Result<String, NodeError> {
        self.ask(|answer| Command::Metrics { node, answer })
    }

    /// A handle of that member, over which it can be sent to; a link is dialled with the first
    /// message.
    ///
    /// # Errors
    /// `unknown_node`; `noconnection` for what is no member, or has no link and may not be dialled.
    pub fn open_route(&self, node: u32, name: &str) -> Result<u32, NodeError> {
        let name = name.to_owned();
        self.ask(|answer| Command::Overlays(node, OverlayCommand::OpenRoute { name, answer }))
    }

    /// An isolate takes the broadcasts of a topic, or does so no more.
    pub fn subscribe(
        &self,
        node: u32,
        owner: Owner,
        topic: u32,
        is_wanted: bool,
    ) -> Result<(), NodeError> {
        let command = OverlayCommand::Subscribe { owner, topic, is_wanted };
        self.tell(Command::Overlays(node, command))
    }

    /// Members and overlays of a node as JSON.
    ///
    /// # Errors
    /// `unknown_node`, `no_overlays`.
    pub fn topology(&self, node: u32) -> Result<String, NodeError> {
        self.ask(|answer| Command::Overlays(node, OverlayCommand::Topology { answer }))
    }

    /// Asks for another strategy of an overlay; events tell how it goes.
    ///
    /// # Errors
    /// `unknown_node`, `no_overlays`, `unknown_overlay`, `invalid_options`.
    pub fn switch_overlay(&self, node: u32, wish: SwitchWish) -> Result<(), NodeError> {
        self.ask(|answer| Command::Overlays(node, OverlayCommand::Switch { wish, answer }))
    }

    /// Changes the secrets that a node accepts; answers with the fingerprints that are left, the
    /// key for new links first.
    ///
    /// # Errors
    /// `unknown_node`, `unknown_key`, `key_in_use`, `too_many_keys`, `invalid_options` for a node
    /// without a secret.
    pub fn change_keys(&self, node: u32, change: KeyChange) -> Result<Vec<String>, NodeError> {
        self.ask(|answer| Command::Keys { node, change, answer })
    }

    /// Changes which nodes a node is cut off from; answers with all of them.
    ///
    /// # Errors
    /// `unknown_node`, `invalid_options` for more than 4,096 nodes.
    pub fn change_cuts(
        &self,
        node: u32,
        change: CutChange,
    ) -> Result<Vec<(String, Cut)>, NodeError> {
        self.ask(|answer| Command::Cuts { node, change, answer })
    }

    /// Makes the core panic at that place, to show what becomes of that.
    ///
    /// # Errors
    /// Those of a thread that is gone.
    pub fn panic_for_test(&self, place: PanicPlace) -> Result<(), NodeError> {
        self.tell(Command::PanicForTest(place))
    }

    /// Stops the thread and waits for its end. Later calls do nothing.
    pub fn shutdown(&self) {
        if is_forked() {
            return; // the thread is another process's
        }
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // A thread that has ended already is what is wanted.
            let _ = self.pass(Command::Shutdown);
            let _ = thread.join();
        }
    }
}

/// Has the kernel thread find out that a turn of another thread panicked.
struct RingOnPanic<'a>(&'a Kernel);

impl Drop for RingOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.bell.notify_one();
        }
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.shutdown();
    }
}

fn pin_kernel(core: usize) -> Result<(), NodeError> {
    if affinity::pin_this_thread(core) {
        return Ok(());
    }
    Err(NodeError::new(
        "invalid_options",
        format!("the kernel thread cannot be pinned to core {core}"),
    ))
}

type Ready = mpsc::SyncSender<Result<Weak<SharedState>, NodeError>>;

fn run(
    pool: Pool,
    core: Option<usize>,
    inbox: Receiver<Command>,
    (bell, rung): (Arc<Notify>, Rung),
    fault: &Arc<Fault>,
    ready: &Ready,
) {
    fault.watch_this_thread();
    let built = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => {
            let refused = NodeError::new("kernel_unavailable", error.to_string());
            let _ = ready.send(Err(refused)); // nobody waits any more: nothing to tell
            return;
        }
    };
    // Pinning comes last: the mask is inherited by whatever the runtime has started before.
    let pinned = core.map_or(Ok(()), pin_kernel);
    let state = SharedState::new(pool, inbox, runtime.handle().clone(), (Arc::clone(&bell), rung));
    let is_ready = pinned.is_ok();
    let _ = ready.send(pinned.map(|()| Arc::downgrade(&state)));
    if !is_ready {
        return;
    }
    let main = serve(&state, bell, fault);
    // Whether it unwound is told by the fault as well, which panics of other tasks set too.
    let _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(main)));
    if !fault.is_set() {
        state.lock().stop_all();
    }
    // The tasks of all connections end here, on their own thread, before the arena goes.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(runtime)));
    if fault.is_set() {
        let served = catch_unwind(AssertUnwindSafe(|| serve_failed(&state)));
        if served.is_err() {
            // Isolates may still write to what this state holds: better lost than used twice.
            std::mem::forget(state);
        }
    }
}

/// What a turn leaves to do.
enum Next {
    End,
    Again,
    Spin,
    Wait(Duration),
}

fn turn(state: &SharedState) -> Next {
    let mut state = state.lock();
    let is_idle = state.turn();
    if state.is_shut_down() {
        Next::End
    } else if state.is_spinning() {
        Next::Spin
    } else if is_idle {
        Next::Wait(state.next_wake())
    } else {
        Next::Again
    }
}

async fn serve(state: &Shared, bell: Arc<Notify>, fault: &Fault) {
    while !fault.is_set() {
        if state.is_poisoned() {
            return fault.set("another thread panicked while it worked for the kernel thread");
        }
        let wait = match turn(state) {
            Next::End => return,
            Next::Again => {
                tokio::task::yield_now().await; // sockets and timers get their turn
                continue;
            }
            Next::Spin => {
                // Whoever shares the core goes first, the process's own isolates above all.
                std::thread::yield_now();
                tokio::task::yield_now().await;
                continue;
            }
            Next::Wait(wait) => wait,
        };
        tokio::select! {
            () = bell.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}
