//! What JavaScript can call. Each function converts, hands over and returns; deciding is for the
//! rooms below.
//!
//! Functions that JavaScript calls often cost 20-60 ns each and are called once a burst; messages
//! themselves go through shared rings and never through here.

#![allow(
    missing_docs,
    reason = "the generated declaration file carries the docs that matter to TypeScript"
)]

mod capture;
mod copies;
pub mod cuts;
mod doorbell;
mod environment;
mod error;
pub mod event_log;
mod interrupts;
mod isolate;
mod lane_watch;
mod loop_watch;
#[cfg(foundation_asan)]
mod planted;
mod process;
pub mod simulation;
mod uv;
mod vtable;
mod watchdog;

use napi::bindgen_prelude::{BigInt, Object};
use napi::{Env, Unknown};
use napi_derive::napi;

use error::Result;
use foundation_node::SwitchWish;

/// Runs wherever an isolate loads this library: a panic counts before there is any node.
#[napi(module_exports)]
pub fn load(_exports: Object) -> Result<()> {
    foundation_node::watch_for_panics();
    Ok(())
}

/// A number that JavaScript's half needs, by name.
#[napi(object)]
pub struct LayoutEntry {
    pub room: String,
    pub name: String,
    pub value: u32,
}

/// Offsets and constants of rings and records, for the generator of `bindings/generated/layout.ts`.
#[napi(catch_unwind)]
pub fn layout_table() -> Vec<LayoutEntry> {
    let ring = foundation_ring::layout::TABLE.iter().map(|entry| ("ring", entry));
    let record = foundation_node::RECORD_TABLE.iter().map(|entry| ("record", entry));
    ring.chain(record)
        .map(|(room, (name, value))| LayoutEntry {
            room: room.to_owned(),
            name: (*name).to_owned(),
            value: *value,
        })
        .collect()
}

/// Does nothing: the cost of crossing the boundary, for the benches.
#[napi(catch_unwind)]
pub fn noop() {}

/// Panics, to show what becomes of it: in this call, in the next wake-up of an isolate, on the
/// kernel thread of a node, in its own work (`kernel`) or in one of its tasks (`task`), where an
/// `isolate` works for it, or in the next look of the `watchdog`.
#[napi(
    catch_unwind,
    ts_args_type = "place: 'call' | 'doorbell' | 'kernel' | 'task' | 'isolate' | 'watchdog', \
                    node?: number"
)]
pub fn panic_for_test(place: String, node: Option<u32>) -> Result<()> {
    process::panic_for_test(&place, node)
}

/// Uses memory after it was freed, for the sanitizer to find: of the heap, or of the arena.
#[cfg(foundation_asan)]
#[napi]
pub fn use_after_free_for_test(is_arena: bool) -> u32 {
    planted::use_after_free(is_arena)
}

/// Lends the arena that rings and slabs live in; only the root isolate's memory outlives every
/// worker. The view's buffer is kept until the process ends. A second call is refused.
#[napi(catch_unwind)]
pub fn lend_arena(env: Env, view: Unknown) -> Result<u32> {
    process::lend_arena(&env, &view)
}

/// Whether an arena was lent.
#[napi(catch_unwind)]
pub fn has_arena() -> bool {
    process::pool().is_some()
}

/// A started node.
#[napi(object)]
pub struct StartedNode {
    pub node: u32,
    pub address: String,
    pub life: String,
    pub writability_offset: u32,
    pub channels: Vec<String>,
}

/// Starts a node from its JSON options, on a kernel thread pinned to `core` or on the shared one.
#[napi(catch_unwind)]
pub fn start_node(options: String, core: Option<u32>) -> Result<StartedNode> {
    process::start_node(&options, core)
}

/// Dials these `host:port` addresses; events tell how it goes.
#[napi(catch_unwind)]
pub fn join_node(node: u32, addresses: Vec<String>) -> Result<()> {
    process::join(node, &addresses)
}

/// Dials these `host:port` addresses no longer; with `hangs_up` the links to them end, too.
#[napi(catch_unwind)]
pub fn forget_addresses(node: u32, addresses: Vec<String>, hangs_up: bool) -> Result<()> {
    process::forget(node, &addresses, hangs_up)
}

/// Leaves the cluster in good order; the event `left` follows.
#[napi(catch_unwind)]
pub fn leave_node(node: u32, drain_ms: u32) -> Result<()> {
    process::leave(node, drain_ms)
}

/// Changes the secrets that a node accepts: `list`, `add` with the secret in hexadecimal digits,
/// `use` or `remove` with a fingerprint. Answers with fingerprints, the one for new links first.
#[napi(catch_unwind)]
pub fn change_keys(node: u32, change: String, key: String) -> Result<Vec<String>> {
    process::change_keys(node, &change, key)
}

/// The fingerprint of a secret in hexadecimal digits.
#[napi(catch_unwind)]
pub fn key_fingerprint(secret: String) -> Result<String> {
    process::key_fingerprint(secret)
}

/// Counters and gauges of a node as JSON.
#[napi(catch_unwind)]
pub fn node_metrics(node: u32) -> Result<String> {
    process::metrics(node)
}

/// Members and overlays of a node as JSON.
#[napi(catch_unwind)]
pub fn node_topology(node: u32) -> Result<String> {
    process::topology(node)
}

/// Asks for another strategy of an overlay, whose epoch and strategy have to be those; events tell
/// how it goes.
#[napi(catch_unwind)]
pub fn switch_overlay(
    node: u32,
    overlay: String,
    epoch: u32,
    from: String,
    to: String,
) -> Result<()> {
    process::switch_overlay(node, SwitchWish { overlay, epoch, from, to })
}

/// A handle of a member, for messages to it; in a node with overlays.
#[napi(catch_unwind)]
pub fn open_route(isolate: u32, name: String) -> Result<u32> {
    isolate::open_route(isolate, &name)
}

/// Takes the broadcasts of a topic in this isolate, beside whoever handles its name; or no more.
#[napi(catch_unwind)]
pub fn subscribe_topic(isolate: u32, name: u32, is_wanted: bool) -> Result<()> {
    isolate::subscribe(isolate, name, is_wanted)
}

/// An attached isolate: its place in the node and its rings in the arena.
#[napi(object)]
pub struct AttachedIsolate {
    pub isolate: u32,
    pub slot: u32,
    pub generation: u32,
    pub outward_offset: u32,
    pub urgent_offset: u32,
    pub inward_offset: u32,
    pub ring_bytes: u32,
}

/// Joins the calling isolate to a node of this process. `wake` is called when its rings have
/// records; it keeps the event loop alive until `unrefIsolate` or `detachIsolate`. Its argument is
/// true once the kernel thread has panicked. With `isPoller` the isolate polls the connections of a
/// node with `io: 'isolate'`. `thread` and `watched` are what others are told of it.
#[napi(
    catch_unwind,
    ts_args_type = "node: number, wake: (hasFailed?: boolean) => void, isPoller: boolean, \
                    thread: number, watched?: number"
)]
pub fn attach_isolate(
    env: Env,
    node: u32,
    wake: Unknown,
    is_poller: bool,
    thread: u32,
    watched: Option<u32>,
) -> Result<AttachedIsolate> {
    isolate::attach(&env, node, &wake, is_poller, thread, watched)
}

/// An isolate as others of its process see it.
#[napi(object)]
pub struct ListedIsolate {
    pub slot: u32,
    pub generation: u32,
    pub thread: u32,
    /// Number of the isolate at the shim, where there is one.
    pub watched: Option<u32>,
    /// For how long its event loop has not polled; 0 while it polls.
    pub running_us: f64,
}

/// Every isolate that is attached to a node.
#[napi(catch_unwind)]
pub fn list_isolates(node: u32) -> Result<Vec<ListedIsolate>> {
    isolate::list(node)
}

/// Lets go of a node: no memory of the isolate's rings is touched after this returns.
#[napi(catch_unwind)]
pub fn detach_isolate(env: Env, isolate: u32) -> Result<()> {
    isolate::detach(&env, isolate)
}

/// Lets the event loop end although the isolate is attached.
#[napi(catch_unwind)]
pub fn unref_isolate(env: Env, isolate: u32) -> Result<()> {
    isolate::set_referenced(&env, isolate, false)
}

/// Keeps the event loop alive again.
#[napi(catch_unwind)]
pub fn ref_isolate(env: Env, isolate: u32) -> Result<()> {
    isolate::set_referenced(&env, isolate, true)
}

/// Has the out-ring read, which has records, or the in-ring filled, which has room again: by the
/// kernel thread, or with `io: 'isolate'` on the spot.
#[napi(catch_unwind)]
pub fn ring_kernel(isolate: u32) -> Result<()> {
    isolate::ring_kernel(isolate)
}

/// Wakes another isolate of the node; one that is gone is a counted no-op.
#[napi(catch_unwind)]
pub fn ring_isolate(isolate: u32, slot: u32, generation: u32) {
    isolate::ring_other(isolate, slot, generation);
}

/// The number of a name in the node.
#[napi(catch_unwind)]
pub fn intern_name(isolate: u32, name: String) -> Result<u32> {
    isolate::intern(isolate, &name)
}

/// The isolate that answers to a name.
#[napi(object)]
pub struct NameOwner {
    pub slot: u32,
    pub generation: u32,
}

/// Who answers to a name at this very moment; events tell of changes a little later.
#[napi(catch_unwind)]
pub fn name_owner(isolate: u32, name: u32) -> Result<Option<NameOwner>> {
    isolate::name_owner(isolate, name)
}

/// Takes a name for the isolate; `name_taken` where another one has it.
#[napi(catch_unwind)]
pub fn register_name(isolate: u32, name: u32) -> Result<()> {
    isolate::register(isolate, name)
}

/// Frees a name that the isolate has.
#[napi(catch_unwind)]
pub fn unregister_name(isolate: u32, name: u32) -> Result<()> {
    isolate::unregister(isolate, name)
}

/// Makes a ring from this isolate to another one of the node; answers where it begins in the arena.
#[napi(catch_unwind)]
pub fn open_pair(isolate: u32, slot: u32, generation: u32) -> Result<u32> {
    isolate::open_pair(isolate, slot, generation)
}

/// Lets go of one end of a ring between isolates.
#[napi(catch_unwind)]
pub fn close_pair(isolate: u32, offset: u32) -> Result<()> {
    isolate::close_pair(isolate, offset)
}

/// Takes a slab, fills it with `source` and writes its index, generation and offset to `place`.
#[napi(catch_unwind, ts_args_type = "isolate: number, source: Uint8Array, place: Uint8Array")]
pub fn fill_slab(env: Env, isolate: u32, source: Unknown, place: Unknown) -> Result<()> {
    copies::fill_slab(&env, isolate, &source, &place)
}

/// Copies the first `length` bytes of `source` to `offset` of the arena's buffer.
#[napi(catch_unwind, ts_args_type = "source: Uint8Array, length: number, offset: number")]
pub fn copy_in(env: Env, source: Unknown, length: u32, offset: u32) -> Result<()> {
    copies::copy_in(&env, &source, length, offset)
}

/// Fills `target` with the bytes at `offset` of the arena's buffer.
#[napi(catch_unwind, ts_args_type = "target: Uint8Array, offset: number")]
pub fn copy_out(env: Env, target: Unknown, offset: u32) -> Result<()> {
    copies::copy_out(&env, &target, offset)
}

/// Gives a slab's reference back; false where the isolate had none (counted as a double release).
#[napi(catch_unwind)]
pub fn release_slab(isolate: u32, index: u32, generation: u32) -> Result<bool> {
    isolate::release_slab(isolate, index, generation)
}

/// Adds a reference to a slab that the isolate has.
#[napi(catch_unwind)]
pub fn retain_slab(isolate: u32, index: u32, generation: u32) -> Result<()> {
    isolate::retain_slab(isolate, index, generation)
}

/// Puts a slab's reference into transit on a ring between isolates, before its handle is published.
#[napi(catch_unwind)]
pub fn hand_over_slab(isolate: u32, index: u32, generation: u32, pair: u32) -> Result<()> {
    isolate::hand_over(isolate, (index, generation), pair)
}

/// Takes a slab's reference out of transit: its handle was read.
#[napi(catch_unwind)]
pub fn take_over_slab(isolate: u32, index: u32, generation: u32, pair: u32) -> Result<()> {
    isolate::take_over(isolate, (index, generation), pair)
}

/// Counters of the boundary.
#[napi(object)]
pub struct BoundaryCounters {
    pub kernels: u32,
    pub nodes: u32,
    pub isolates: u32,
    pub rings: f64,
    pub rings_coalesced: f64,
    pub rings_to_closed: f64,
    pub reported_exceptions: f64,
    pub panics: f64,
    pub stalls_lost: f64,
    pub doorbells: u32,
    pub isolate_rings: u32,
    pub slabs_in_transit: u32,
    pub blocks_live: u32,
    pub arena_bytes: f64,
    pub arena_resident_bytes: f64,
    pub slabs_live: f64,
    pub slab_double_releases: f64,
    pub slab_stale_uses: f64,
}

/// What the boundary counted since the process began.
#[napi(catch_unwind)]
pub fn boundary_counters() -> BoundaryCounters {
    process::counters()
}

/// Opens the watchdog of a node for the calling isolate. `wake` is called when stalls wait to be
/// taken; its argument is true once the watchdog has panicked and keeps no limits any more. It does
/// not keep the event loop alive.
#[napi(catch_unwind, ts_args_type = "node: number, wake: (hasFailed?: boolean) => void")]
pub fn open_watchdog(env: Env, node: u32, wake: Unknown) -> Result<()> {
    watchdog::open(&env, node, &wake)
}

/// Forgets whatever is watched of a node. Its thread ends where nothing is left to look at.
#[napi(catch_unwind)]
pub fn close_watchdog(node: u32) {
    watchdog::close(node);
}

/// Puts an isolate that is about to start under guard; answers with the number of the guard. Units:
/// ms, bytes.
#[napi(catch_unwind)]
pub fn guard_isolate(node: u32, stall_ms: Option<f64>, off_heap_bytes: Option<f64>) -> Result<u32> {
    watchdog::guard(node, stall_ms, off_heap_bytes)
}

/// An isolate under guard tells its place, from when on its limits hold.
#[napi(catch_unwind)]
pub fn place_guard(guard: u32, slot: u32, generation: u32) -> Result<()> {
    watchdog::place(guard, slot, generation)
}

/// Why the watchdog has ended an isolate: the stack of a stall, or the memory that it found.
#[napi(object)]
pub struct GuardVerdict {
    pub stack: Option<String>,
    pub external_bytes: Option<f64>,
}

/// Ends a guard whose isolate is gone; answers with why it was ended, if it was.
#[napi(catch_unwind)]
pub fn end_guard(guard: u32) -> Result<Option<GuardVerdict>> {
    watchdog::end_guard(guard)
}

/// Has stalls of any isolate of a node reported; answers with the number of the listener.
#[napi(catch_unwind)]
pub fn listen_for_stalls(node: u32, stall_ms: f64) -> Result<u32> {
    watchdog::listen(node, stall_ms)
}

/// Reports nothing more to a listener.
#[napi(catch_unwind)]
pub fn stop_listening(listener: u32) -> Result<()> {
    watchdog::unlisten(listener)
}

/// A stall, for one listener.
#[napi(object)]
pub struct StallNotice {
    pub listener: u32,
    pub slot: u32,
    pub generation: u32,
    pub thread: u32,
    pub running_us: f64,
    pub stack: String,
}

/// Takes the stalls that wait; of more than 1,024 the later ones are lost (`stallsLost`).
#[napi(catch_unwind)]
pub fn take_stalls(node: u32) -> Result<Vec<StallNotice>> {
    watchdog::take_stalls(node)
}

/// Whether stalled event loops can be seen: libuv's prepare and check handles were found.
#[napi(catch_unwind)]
pub fn has_loop_watch() -> bool {
    loop_watch::is_available()
}

/// Whether an isolate can poll the connections of a node (`io: 'isolate'`).
#[napi(catch_unwind)]
pub fn has_isolate_io() -> bool {
    lane_watch::is_available()
}

/// How capture rings are made; see `RingsOptions` of the crate.
#[napi(object)]
pub struct CaptureOptions {
    pub rings: u32,
    pub slots: u32,
    pub records_max: u32,
    pub record_bytes_max: u32,
    pub overflow: String,
}

/// An opened capture: its number, and how its rings are made.
#[napi(object)]
pub struct OpenedCapture {
    pub capture: u32,
    pub rings: u32,
    pub slots: u32,
    pub records_max: u32,
    pub record_bytes_max: u32,
    pub overflow: String,
}

/// Opens the capture rings of a node for the calling isolate; the first one to open them says how
/// they are made. `wake` is called when there is room that was waited for and, of a reader, when
/// there are records. It does not keep the event loop alive.
#[napi(
    catch_unwind,
    ts_args_type = "node: number, options: CaptureOptions, wake: () => void, isReader: boolean"
)]
pub fn open_capture(
    env: Env,
    node: u32,
    options: CaptureOptions,
    wake: Unknown,
    is_reader: bool,
) -> Result<OpenedCapture> {
    capture::open(&env, node, &options, &wake, is_reader)
}

/// Lets go of the rings; records that were written stay for their reader.
#[napi(catch_unwind)]
pub fn close_capture(capture: u32) {
    capture::close(capture);
}

/// Writes the bytes from `start` to `end` of `source` as a record. 0: written; 1: no room, nothing
/// was taken; 2: no room, it was dropped; 3: too long.
#[napi(
    catch_unwind,
    ts_args_type = "capture: number, source: Uint8Array, start: number, end: number"
)]
pub fn write_capture(env: Env, capture: u32, source: Unknown, start: u32, end: u32) -> Result<u32> {
    capture::write(&env, capture, &source, (start, end))
}

/// Asks to be woken when there is room; false where there is some now.
#[napi(catch_unwind)]
pub fn await_capture_space(capture: u32) -> Result<bool> {
    capture::await_space(capture)
}

/// Counts a record that was given up for want of room.
#[napi(catch_unwind)]
pub fn count_capture_drop(capture: u32) -> Result<()> {
    capture::count_dropped(capture)
}

/// Fills `target` with at most `recordsMax` records, oldest first; answers how many. Each has its
/// stamp (u64) and its length (u32) in front, little endian.
#[napi(catch_unwind, ts_args_type = "capture: number, target: Uint8Array, recordsMax: number")]
pub fn drain_capture(env: Env, capture: u32, target: Unknown, records_max: u32) -> Result<u32> {
    capture::drain(&env, capture, &target, records_max)
}

/// Tells that the reader is about to sleep until so many records are unread; false: they are.
#[napi(catch_unwind)]
pub fn arm_capture(capture: u32, records: u32) -> Result<bool> {
    capture::arm(capture, records)
}

/// What the capture rings of a node have counted.
#[napi(object)]
pub struct CaptureCounters {
    pub write_position: f64,
    pub read_position: f64,
    pub writes: f64,
    pub reads: f64,
    pub dropped: f64,
}

/// The counters of the capture rings.
#[napi(catch_unwind)]
pub fn capture_counters(capture: u32) -> Result<CaptureCounters> {
    capture::counters(capture)
}

/// Address of the table of functions through which the C++ shim takes memory from the core.
#[napi(catch_unwind)]
pub fn core_vtable() -> BigInt {
    BigInt::from(vtable::address())
}

/// Pins the calling isolate's thread to one core of the machine; false where the system does not do
/// that, or has no such core for this process.
#[napi(catch_unwind)]
pub fn pin_thread(core: u32) -> bool {
    foundation_node::pin_this_thread(core as usize)
}

/// The cores that the calling isolate's thread may run on; empty where the system does not tell.
#[napi(catch_unwind)]
pub fn thread_cores() -> Vec<u32> {
    foundation_node::cores_of_this_thread().into_iter().map(|core| core as u32).collect()
}
