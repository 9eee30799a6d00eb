//! Everything a kernel thread drives. Whoever has something to do locks it for a moment; nobody
//! waits for anything while holding the lock, which the compiler sees to: a guard is not `Send`,
//! and every task is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError, Weak};
use std::time::Duration;

use foundation_buffer::Pool;
use foundation_link::Micros;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::agenda::Agenda;
use crate::command::{Command, NodeError, OverlayCommand, PanicPlace};
use crate::isolate::lock;
use crate::lost_time::LostTime;
use crate::names::Owner;
use crate::node::{Node, Phase};
use crate::pace::Pace;

/// Timers that fall this close together share one wake-up.
pub(crate) const TICKS_APART: Micros = Micros::from_millis(2);
/// Longest sleep of the thread: stalled isolates are looked for this often.
pub(crate) const TICK_MAX: Micros = Micros::from_millis(250);

/// The state of a kernel thread, as its tasks and other threads hold it.
pub(crate) struct SharedState {
    state: Mutex<State>,
}

/// Nodes whose isolates have rung since the last turn.
pub(crate) type Rung = Arc<Mutex<BTreeSet<u32>>>;

/// A reference to it.
pub(crate) type Shared = Arc<SharedState>;

impl SharedState {
    pub(crate) fn new(
        pool: Pool,
        inbox: Receiver<Command>,
        runtime: Handle,
        (bell, rung): (Arc<Notify>, Rung),
    ) -> Shared {
        Arc::new_cyclic(|own| SharedState {
            state: Mutex::new(State {
                pool,
                nodes: BTreeMap::new(),
                inbox,
                next_node: 1,
                next_tick: Micros(0),
                ticked_at: crate::clock::now(),
                pace: Arc::default(),
                memory_given_back_at: Micros(0),
                is_shut_down: false,
                own: Weak::clone(own),
                runtime,
                bell,
                rung,
                active: BTreeSet::new(),
                agenda: Agenda::default(),
                lost_time: LostTime::default(),
                pollers: Vec::new(),
                is_spinning: false,
                next_look: Micros::NEVER,
                scratch: Vec::new(),
            }),
        })
    }

    /// The state, if nobody else has it.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(state)) => Some(state.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The state, as soon as nobody else has it: turns are short.
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Whether a thread, this one or an isolate's, panicked while it had the state.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.state.is_poisoned()
    }
}

pub(crate) struct State {
    pub(crate) pool: Pool,
    pub(crate) nodes: BTreeMap<u32, Node>,
    inbox: Receiver<Command>,
    next_node: u32,
    next_tick: Micros,
    /// When timers were served last.
    pub(crate) ticked_at: Micros,
    /// How far the thread is behind, as the machines of its nodes know it.
    pub(crate) pace: Arc<Pace>,
    pub(crate) memory_given_back_at: Micros,
    is_shut_down: bool,
    /// For the tasks that this state spawns.
    pub(crate) own: Weak<SharedState>,
    /// Runs tasks on the kernel thread, whichever thread spawns them.
    pub(crate) runtime: Handle,
    /// Ends the sleep of the thread.
    pub(crate) bell: Arc<Notify>,
    rung: Rung,
    /// Nodes that the next turn looks at: with records to read, bytes to write, or rings to arm.
    /// All others have nothing to do, and none of them costs a turn anything.
    active: BTreeSet<u32>,
    pub(crate) agenda: Agenda,
    /// For how long this thread was the silent one, not the peers.
    pub(crate) lost_time: LostTime,
    /// Nodes whose connections an isolate polls.
    pub(crate) pollers: Vec<u32>,
    is_spinning: bool,
    /// When the isolates that poll are looked after next.
    next_look: Micros,
    /// Read buffer shared by all connections of the thread.
    pub(crate) scratch: Vec<u8>,
}

impl State {
    pub(crate) fn is_shut_down(&self) -> bool {
        self.is_shut_down
    }

    /// How long the kernel thread may sleep.
    pub(crate) fn next_wake(&self) -> Duration {
        let at = self.next_tick.min(self.next_look);
        Duration::from_micros(at.since(crate::clock::now()).0)
    }

    /// Whether the kernel thread spins instead of sleeping.
    pub(crate) fn is_spinning(&self) -> bool {
        self.is_spinning
    }

    /// A node has come or gone.
    pub(crate) fn nodes_changed(&mut self) {
        self.is_spinning = self.nodes.values().any(Node::is_kernel_spinning);
        let is_polled = |(&id, node): (&u32, &Node)| node.isolate_io.is_some().then_some(id);
        self.pollers = self.nodes.iter().filter_map(is_polled).collect();
    }

    /// Has the next turn look at a node.
    pub(crate) fn activate(&mut self, id: u32) {
        self.active.insert(id);
    }

    /// Asks for a tick no later than `at`, also while the thread sleeps.
    pub(crate) fn tick_by(&mut self, at: Micros) {
        if at < self.next_tick {
            self.next_tick = at;
            self.bell.notify_one();
        }
    }

    /// Asks for a tick at that time, or a little later: timers that fall close together share one.
    fn tick_soon(&mut self, at: Micros) {
        let is_urgent = at == Micros(0);
        self.tick_by(if is_urgent { at } else { at.max(self.ticked_at + TICKS_APART) });
    }

    /// Something happened to a node that its timers may have to know of.
    pub(crate) fn tick_node(&mut self, id: u32) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.tick_at = Micros(0);
            self.agenda.plan(id, Micros(0));
        }
        self.tick_by(Micros(0));
    }

    /// The same from within a turn, which ends with a look at the time.
    pub(crate) fn plan_tick(&mut self, at: Micros) {
        self.next_tick = self.next_tick.min(at);
    }

    /// Commands, rings, timers and writes. True: nothing is left to do and every ring is armed.
    pub(crate) fn turn(&mut self) -> bool {
        self.handle_commands();
        let now = crate::clock::now();
        self.take_rung();
        for id in &self.active {
            let Some(node) = self.nodes.get_mut(id) else { continue };
            node.drain_rings(&self.pool);
            node.isolates.retry_backlogs();
        }
        // After the rings: a node that is told to leave counts as drained only once it has taken
        // what its isolates had sent before.
        if now >= self.next_tick {
            let planned = std::mem::replace(&mut self.next_tick, now + TICK_MAX);
            self.tick(now, planned);
        }
        self.next_look = self.look_after_pollers(now);
        let mut active = std::mem::take(&mut self.active);
        for &id in &active {
            self.settle(id);
        }
        active.retain(|id| self.nodes.get_mut(id).is_some_and(|node| !node.rest()));
        self.active.append(&mut active);
        self.active.is_empty()
    }

    /// Looks at the nodes whose isolates have rung. Where the thread spins, at all: whoever wrote
    /// into a ring has not rung yet.
    fn take_rung(&mut self) {
        let mut rung = std::mem::take(&mut *lock(&self.rung));
        self.active.append(&mut rung);
        if self.is_spinning {
            self.active.extend(self.nodes.keys());
        }
    }

    /// Writes what the links of a node have to say and shows isolates what was pushed to them.
    fn settle(&mut self, id: u32) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.settle_output();
        let tick_at = node.take_wanted_tick();
        self.agenda.plan(id, node.tick_at);
        if !node.lost.is_empty() {
            self.reap_lost_links(id);
        }
        self.tick_soon(tick_at);
    }

    /// The same for a node that something happened to outside of a turn.
    pub(crate) fn settle_node(&mut self, id: u32) {
        self.settle(id);
        if self.nodes.get(&id).is_some_and(|node| !node.put_off.is_empty()) {
            self.activate(id);
            self.bell.notify_one();
        }
    }

    /// Takes the commands away: another one answers them from now on.
    pub(crate) fn take_inbox(&mut self) -> Receiver<Command> {
        std::mem::replace(&mut self.inbox, std::sync::mpsc::channel().1)
    }

    /// Whatever was commanded before now is done before anything that came after it.
    pub(crate) fn handle_commands(&mut self) {
        while let Ok(command) = self.inbox.try_recv() {
            self.handle(command);
        }
    }

    fn handle(&mut self, command: Command) {
        if let Some(node) = command.node() {
            self.activate(node);
        }
        match command {
            Command::Start { options, answer } => {
                let id = self.next_node;
                self.next_node += 1;
                let started = self.start_node(id, *options);
                let _ = answer.send(started); // the asking thread may be gone with its isolate
            }
            Command::Attach { node, bell, mark, is_poller, answer } => {
                if is_poller {
                    mark.add_alarm(&self.bell);
                }
                let attached = self
                    .node(node)
                    .and_then(|(node, pool)| node.attach(pool, bell, mark, is_poller));
                let _ = answer.send(attached);
            }
            Command::Detach { node, owner, answer } => {
                let _ = answer.send(self.detach(node, owner));
            }
            Command::OwnerChanged { node, id, owner } => {
                if let Ok((node, _)) = self.node(node) {
                    node.owner_changed(id, owner);
                }
            }
            Command::OpenPair { node, from, to, answer } => {
                let opened =
                    self.node(node).and_then(|(node, pool)| node.open_pair(pool, from, to));
                let _ = answer.send(opened);
            }
            Command::ClosePair { node, slot, offset } => {
                if let Ok((node, pool)) = self.node(node) {
                    node.pairs.close(pool, slot, offset);
                }
            }
            Command::Join { node, addresses } => self.join(node, &addresses),
            Command::Forget { node, addresses, hangs_up } => {
                self.forget(node, &addresses, hangs_up);
            }
            Command::Leave { node, drain } => self.leave(node, drain),
            Command::Overlays(node, command) => self.handle_overlays(node, command),
            Command::Keys { node, change, answer } => {
                let _ = answer.send(self.node(node).and_then(|(node, _)| node.change_keys(change)));
            }
            Command::Cuts { node, change, answer } => {
                let _ = answer.send(self.node(node).and_then(|(node, _)| node.change_cuts(change)));
            }
            Command::Metrics { node, answer } => {
                let text = self.node(node).map(|(node, pool)| node.metrics(pool));
                let _ = answer.send(text);
            }
            Command::PanicForTest(PanicPlace::Kernel) => {
                panic!("a panic for the test of the kernel")
            }
            Command::PanicForTest(PanicPlace::Task) => {
                self.runtime.spawn(async { panic!("a panic for the test of a task") });
            }
            Command::PanicForTest(PanicPlace::IsolateTurn(node)) => {
                if let Some(io) =
                    self.nodes.get_mut(&node).and_then(|host| host.isolate_io.as_mut())
                {
                    io.panics_for_test = true;
                }
            }
            Command::Shutdown => self.is_shut_down = true,
        }
    }

    fn leave(&mut self, node: u32, drain: Duration) {
        let at = crate::clock::now() + Micros(drain.as_micros() as u64);
        if let Ok((host, _)) = self.node(node) {
            host.begin_leaving(at);
        }
        self.tick_node(node);
    }

    fn handle_overlays(&mut self, node: u32, command: OverlayCommand) {
        match command {
            OverlayCommand::OpenRoute { name, answer } => {
                let handle = self.node(node).and_then(|(node, _)| node.open_route(&name));
                let _ = answer.send(handle);
            }
            OverlayCommand::Subscribe { owner, topic, is_wanted } => {
                if let Ok((node, _)) = self.node(node) {
                    node.subscribe(topic, owner, is_wanted);
                }
            }
            OverlayCommand::Topology { answer } => {
                let _ = answer.send(self.node(node).and_then(|(node, _)| node.topology()));
            }
            OverlayCommand::Switch { wish, answer } => {
                let _ =
                    answer.send(self.node(node).and_then(|(node, _)| node.switch_overlay(&wish)));
            }
        }
    }

    fn node(&mut self, id: u32) -> Result<(&mut Node, &Pool), NodeError> {
        let unknown = || NodeError::new("unknown_node", format!("no node {id} in this process"));
        let node = self.nodes.get_mut(&id).ok_or_else(unknown)?;
        Ok((node, &self.pool))
    }

    /// Lets go of an isolate; true when that was the last one of a node that has left: it is gone
    /// then.
    fn detach(&mut self, id: u32, owner: Owner) -> Result<bool, NodeError> {
        let (node, pool) = self.node(id)?;
        node.detach(pool, owner)?;
        let is_over = node.phase == Phase::Left && node.isolates.iter().next().is_none();
        self.settle_node(id);
        if is_over && let Some(node) = self.nodes.remove(&id) {
            self.agenda.forget(id);
            node.dismantle(&self.pool);
            self.nodes_changed();
        }
        Ok(is_over)
    }

    pub(crate) fn stop_all(&mut self) {
        for (_, node) in std::mem::take(&mut self.nodes) {
            node.dismantle(&self.pool);
        }
    }
}
