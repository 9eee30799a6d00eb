//! What belongs to the process: the arena, the kernel threads, the nodes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use foundation_buffer::{ARENA_ALIGNMENT, ArenaMemory, HandleTable, Pool};
use foundation_node::{
    Cut, CutChange, InTransit, IoMode, Kernel, KeyChange, NameTable, NodeOptions, PanicPlace,
    PollMode, Secret, SwitchWish, is_forked, refuse_fork,
};
use napi::{Env, JsValue, Unknown, sys};

use crate::capture::Capture;
use crate::error::{Result, check, coded, from_core};
use crate::isolate::{Registered, lock};
use crate::{BoundaryCounters, StartedNode, doorbell, environment, lane_watch, watchdog};

/// A node of this process and the kernel thread that drives it.
#[derive(Clone)]
pub(crate) struct NodeEntry {
    pub(crate) kernel: Arc<Kernel>,
    /// Number of the node on its kernel thread.
    pub(crate) inner: u32,
    pub(crate) names: Arc<Mutex<NameTable>>,
    pub(crate) io: IoMode,
    pub(crate) poll: PollMode,
    /// Its capture, once an isolate has opened it.
    pub(crate) capture: Arc<OnceLock<Arc<Capture>>>,
}

#[derive(Default)]
struct Process {
    kernels: BTreeMap<Option<u32>, Arc<Kernel>>,
    /// Nodes that are being started, by the kernel thread that they will be on.
    starting: BTreeMap<Option<u32>, u32>,
    nodes: BTreeMap<u32, NodeEntry>,
    next_node: u32,
    /// Attached isolates by (node, slot), for rings between isolates.
    isolates: BTreeMap<(u32, u16), Registered>,
    /// What is under way in rings between isolates, by (node, ring); the kernel thread owns it.
    pairs: BTreeMap<(u32, u32), Weak<Mutex<HandleTable>>>,
}

static POOL: OnceLock<Pool> = OnceLock::new();
static LENT: OnceLock<Lent> = OnceLock::new();
static PROCESS: Mutex<Option<Process>> = Mutex::new(None);

fn process() -> MutexGuard<'static, Option<Process>> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the core panic at the place named, to show what becomes of it.
pub(crate) fn panic_for_test(place: &str, id: Option<u32>) -> Result<()> {
    match place {
        "call" => panic!("a panic for the test of the boundary"),
        "doorbell" => doorbell::PANICS_FOR_TEST.store(true, Ordering::Relaxed),
        "watchdog" => watchdog::panic_for_test(),
        _ => {
            let entry = node(id.unwrap_or_default())?;
            let place = match place {
                "isolate" => PanicPlace::IsolateTurn(entry.inner),
                "task" => PanicPlace::Task,
                _ => PanicPlace::Kernel,
            };
            return entry.kernel.panic_for_test(place).map_err(from_core);
        }
    }
    Ok(())
}

fn with<T>(work: impl FnOnce(&mut Process) -> T) -> T {
    work(process().get_or_insert_with(Process::default))
}

/// The whole buffer that the root isolate lent; JavaScript's offsets count from its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lent {
    address: usize,
    pub(crate) length: usize,
}

impl Lent {
    /// The first byte.
    pub(crate) fn start(self) -> NonNull<u8> {
        // Made from a non-null pointer, so the fallback is never taken.
        NonNull::new(ptr::with_exposed_provenance_mut(self.address)).unwrap_or(NonNull::dangling())
    }
}

/// The lent buffer.
pub(crate) fn lent() -> Option<Lent> {
    LENT.get().copied()
}

/// The pool over the lent arena.
pub(crate) fn pool() -> Option<&'static Pool> {
    POOL.get()
}

/// The pool, or the error that says what to do.
pub(crate) fn pool_or_error() -> Result<&'static Pool> {
    pool()
        .ok_or_else(|| coded("no_arena", "start a node on the main thread before a worker uses it"))
}

pub(crate) fn lend_arena(env: &Env, view: &Unknown) -> Result<u32> {
    refuse_fork().map_err(from_core)?;
    if POOL.get().is_some() {
        return Err(coded("arena_lent", "this process has an arena already"));
    }
    let mut kind = 0;
    let (mut length, mut data) = (0, ptr::null_mut());
    // SAFETY: out-parameters of this frame; `view` belongs to the calling environment. On Node 20
    // this is the call that tells the address of a view on a SharedArrayBuffer.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            view.raw(),
            &raw mut kind,
            &raw mut length,
            &raw mut data,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    check(status, "reading the arena's address")?;
    let start = NonNull::new(data.cast::<u8>())
        .ok_or_else(|| coded("invalid_options", "the arena has no address"))?;
    let mut reference = ptr::null_mut();
    // SAFETY: keeps the view, and with it the memory, until the environment ends. The reference is
    // never deleted: the root environment's end is the process's end, and the kernel threads stop
    // before it.
    let status =
        unsafe { sys::napi_create_reference(env.raw(), view.raw(), 1, &raw mut reference) };
    check(status, "keeping the arena")?;
    // SAFETY: a shared buffer of `length` bytes that the reference above keeps; JavaScript touches
    // it only by the protocols of rings and slabs.
    let arena = unsafe { ArenaMemory::new(start, length) };
    let _ = LENT.set(Lent { address: start.as_ptr().expose_provenance(), length });
    let pool = Pool::new(arena);
    let skipped = pool.skipped_bytes();
    POOL.set(pool).map_err(|_| coded("arena_lent", "this process has an arena already"))?;
    environment::with(|environment| {
        environment.is_root = true;
        environment.add_hooks(env.raw())
    })?;
    debug_assert!(skipped < ARENA_ALIGNMENT, "at most one alignment step is skipped");
    Ok(skipped as u32)
}

/// Keeps a kernel thread from being stopped as idle until the node that it is for is there.
struct Starting(Option<u32>);

impl Starting {
    fn on(core: Option<u32>) -> Starting {
        with(|process| *process.starting.entry(core).or_default() += 1);
        Starting(core)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        with(|process| {
            if let Some(count) = process.starting.get_mut(&self.0) {
                *count -= 1;
                if *count == 0 {
                    process.starting.remove(&self.0);
                }
            }
        });
        // A node that could not start leaves nothing behind.
        stop_idle_kernels();
    }
}

fn kernel_for(core: Option<u32>) -> Result<Arc<Kernel>> {
    let pool = pool_or_error()?.clone();
    // One that panicked serves its nodes no more; they keep it until their isolates let go.
    let known = with(|process| process.kernels.get(&core).cloned());
    if let Some(kernel) = known.filter(|kernel| !kernel.has_failed()) {
        return Ok(kernel);
    }
    let kernel = Kernel::start(pool, core.map(|core| core as usize)).map_err(from_core)?;
    let kernel = Arc::new(kernel);
    with(|process| process.kernels.insert(core, Arc::clone(&kernel)));
    Ok(kernel)
}

pub(crate) fn start_node(options: &str, core: Option<u32>) -> Result<StartedNode> {
    refuse_fork().map_err(from_core)?;
    let options = NodeOptions::from_json(options).map_err(from_core)?;
    let (io, poll) = (options.io, options.poll);
    if io == IoMode::Isolate && !lane_watch::is_available() {
        let text =
            "io: 'isolate' needs libuv's functions and Linux; capabilities().isolateIo tells";
        return Err(coded("io_unavailable", text));
    }
    // Another isolate may let go of the thread's last node at this very moment.
    let starting = Starting::on(core);
    let kernel = kernel_for(core)?;
    let started = kernel.start_node(options).map_err(from_core)?;
    let node = with(|process| {
        process.next_node += 1;
        let (inner, names, capture) = (started.node, started.names, Arc::default());
        let entry = NodeEntry { kernel, inner, names, io, poll, capture };
        process.nodes.insert(process.next_node, entry);
        process.next_node
    });
    drop(starting);
    Ok(StartedNode {
        node,
        address: started.address,
        life: started.life,
        writability_offset: started.writability_offset,
        channels: started.channels,
    })
}

pub(crate) fn node(node: u32) -> Result<NodeEntry> {
    refuse_fork().map_err(from_core)?; // before any lock: its owner may be a thread left behind
    with(|process| process.nodes.get(&node).cloned())
        .ok_or_else(|| coded("unknown_node", format!("no node {node} runs in this process")))
}

/// A node left and its last isolate let go of it.
pub(crate) fn forget_node(id: u32) {
    let gone = with(|process| process.nodes.remove(&id));
    drop(gone); // outside of the lock: the last node of a failed thread joins it
    stop_idle_kernels();
}

/// A kernel thread without nodes ends; the next node starts another one.
fn stop_idle_kernels() {
    let idle: Vec<Arc<Kernel>> = with(|process| {
        let Process { kernels, nodes, starting, .. } = process;
        let unused: Vec<Option<u32>> = kernels
            .iter()
            .filter(|(core, _)| !starting.contains_key(core))
            .filter(|(_, kernel)| !nodes.values().any(|node| Arc::ptr_eq(&node.kernel, kernel)))
            .map(|(core, _)| *core)
            .collect();
        unused.iter().filter_map(|core| kernels.remove(core)).collect()
    });
    for kernel in idle {
        kernel.shutdown(); // outside the lock: the thread may be answering somebody
    }
}

fn parsed(addresses: &[String]) -> Result<Vec<SocketAddr>> {
    let read = |address: &String| {
        address.parse().map_err(|_| {
            coded("invalid_options", format!("'{address}' is not an IP address with a port"))
        })
    };
    addresses.iter().map(read).collect()
}

pub(crate) fn join(id: u32, addresses: &[String]) -> Result<()> {
    let addresses = parsed(addresses)?;
    let entry = node(id)?;
    entry.kernel.join(entry.inner, addresses).map_err(from_core)
}

pub(crate) fn forget(id: u32, addresses: &[String], hangs_up: bool) -> Result<()> {
    let addresses = parsed(addresses)?;
    let entry = node(id)?;
    entry.kernel.forget(entry.inner, addresses, hangs_up).map_err(from_core)
}

pub(crate) fn leave(id: u32, drain_ms: u32) -> Result<()> {
    let entry = node(id)?;
    let drain = Duration::from_millis(u64::from(drain_ms));
    entry.kernel.leave(entry.inner, drain).map_err(from_core)
}

pub(crate) fn topology(id: u32) -> Result<String> {
    let entry = node(id)?;
    entry.kernel.topology(entry.inner).map_err(from_core)
}

pub(crate) fn switch_overlay(id: u32, wish: SwitchWish) -> Result<()> {
    let entry = node(id)?;
    entry.kernel.switch_overlay(entry.inner, wish).map_err(from_core)
}

pub(crate) fn change_keys(id: u32, change: &str, key: String) -> Result<Vec<String>> {
    let change = match change {
        "list" => KeyChange::List,
        "add" => KeyChange::Add(Secret::from(key).key().map_err(from_core)?),
        "use" => KeyChange::Use(key),
        "remove" => KeyChange::Remove(key),
        _ => return Err(coded("invalid_options", "no such change of keys")),
    };
    let entry = node(id)?;
    entry.kernel.change_keys(entry.inner, change).map_err(from_core)
}

pub(crate) fn change_cuts(id: u32, change: CutChange) -> Result<Vec<(String, Cut)>> {
    let entry = node(id)?;
    entry.kernel.change_cuts(entry.inner, change).map_err(from_core)
}

pub(crate) fn key_fingerprint(secret: String) -> Result<String> {
    Ok(Secret::from(secret).key().map_err(from_core)?.fingerprint())
}

pub(crate) fn metrics(id: u32) -> Result<String> {
    let entry = node(id)?;
    entry.kernel.metrics(entry.inner).map_err(from_core)
}

pub(crate) fn register(node: u32, slot: u16, registered: Registered) {
    with(|process| process.isolates.insert((node, slot), registered));
}

pub(crate) fn unregister(node: u32, slot: u16) {
    with(|process| process.isolates.remove(&(node, slot)));
}

/// Remembers what is under way in a new ring between isolates, and forgets freed ones.
pub(crate) fn add_pair(node: u32, offset: u32, in_transit: &InTransit) {
    with(|process| {
        process.pairs.retain(|_, old| old.strong_count() > 0);
        process.pairs.insert((node, offset), Arc::downgrade(in_transit));
    });
}

/// What is under way in a ring between isolates, while the ring is there.
pub(crate) fn pair(node: u32, offset: u32) -> Option<InTransit> {
    with(|process| process.pairs.get(&(node, offset)).and_then(Weak::upgrade))
}

/// Every attached isolate of a node, by slot.
pub(crate) fn isolates(node: u32) -> Vec<(u16, Registered)> {
    with(|process| {
        let own = process.isolates.range((node, 0)..=(node, u16::MAX));
        own.map(|((_, slot), registered)| (*slot, registered.clone())).collect()
    })
}

/// An attached isolate of a node, if it is still the one meant.
pub(crate) fn isolate(node: u32, slot: u16, generation: u16) -> Option<Registered> {
    with(|process| process.isolates.get(&(node, slot)).cloned())
        .filter(|registered| registered.generation == generation)
}

/// Stops every kernel thread: the root isolate, and with it the arena, is about to go.
pub(crate) fn shut_down() {
    if is_forked() {
        return; // the threads are another process's, and a lock may be held by one of them
    }
    let taken = process().take();
    if let Some(process) = taken {
        for kernel in process.kernels.values() {
            kernel.shutdown();
        }
        for node in process.nodes.values() {
            node.kernel.shutdown(); // one that failed is known to its nodes alone
        }
    }
}

pub(crate) fn counters() -> BoundaryCounters {
    let stats = pool().map(Pool::stats).unwrap_or_default();
    let pairs: Vec<InTransit> =
        with(|process| process.pairs.values().filter_map(Weak::upgrade).collect());
    let stalls_lost = watchdog::stalls_lost() as f64; // takes the lock below while it looks
    with(|process| BoundaryCounters {
        kernels: process.kernels.len() as u32,
        nodes: process.nodes.len() as u32,
        isolates: process.isolates.len() as u32,
        rings: doorbell::RINGS.load(Ordering::Relaxed) as f64,
        rings_coalesced: doorbell::COALESCED.load(Ordering::Relaxed) as f64,
        rings_to_closed: doorbell::TO_CLOSED.load(Ordering::Relaxed) as f64,
        reported_exceptions: doorbell::REPORTED_EXCEPTIONS.load(Ordering::Relaxed) as f64,
        panics: foundation_node::panics() as f64,
        stalls_lost,
        doorbells: doorbell::LIVE.load(Ordering::Relaxed),
        isolate_rings: pairs.len() as u32,
        slabs_in_transit: pairs.iter().map(|pair| lock(pair).len()).sum::<usize>() as u32,
        blocks_live: stats.blocks_live as u32,
        arena_bytes: stats.bytes_reserved as f64,
        arena_resident_bytes: stats.bytes_resident as f64,
        slabs_live: stats.slabs_live as f64,
        slab_double_releases: stats.double_releases as f64,
        slab_stale_uses: stats.stale_uses as f64,
    })
}
