//! The watchdog of the process, as isolates see it.

use std::sync::{Arc, LazyLock};

use foundation_node::{Isolates, Limits, Listed, Owner, StallReport, Verdict, Watchdog, Watched};
use napi::{Env, JsValue, Unknown};

use crate::doorbell::Bell;
use crate::environment;
use crate::error::{Result, coded, from_core};
use crate::interrupts::Interrupts;
use crate::isolate::Registered;
use crate::process;
use crate::{GuardVerdict, StallNotice};

static WATCHDOG: LazyLock<Watchdog<Attached>> = LazyLock::new(|| Watchdog::new(|| Attached));

/// The watchdog of a node, as the environment that opened it holds it.
pub(crate) struct Opened {
    node: u32,
    bell: Arc<Bell>,
}

impl Opened {
    /// Forgets whatever is watched of the node. The environment is going away.
    pub(crate) fn tear_down(self) {
        self.bell.silence();
        WATCHDOG.close(self.node);
    }
}

/// The isolates of this process that are attached to nodes.
struct Attached;

impl Isolates for Attached {
    type Isolate = Interruptible;

    fn find(&self, node: u32, owner: Owner) -> Option<Interruptible> {
        let registered = process::isolate(node, owner.slot, owner.generation)?;
        Some(Interruptible { interrupts: Interrupts(registered.watched?), registered })
    }

    fn list(&self, node: u32) -> Vec<Listed<Interruptible>> {
        let listed = |(slot, registered): (u16, Registered)| {
            let interrupts = Interrupts(registered.watched?);
            let owner = Owner { slot, generation: registered.generation };
            let thread = registered.thread;
            Some(Listed { owner, thread, isolate: Interruptible { interrupts, registered } })
        };
        process::isolates(node).into_iter().filter_map(listed).collect()
    }
}

struct Interruptible {
    interrupts: Interrupts,
    registered: Registered,
}

impl Watched for Interruptible {
    fn running_us(&self) -> u64 {
        self.registered.running_us()
    }

    fn ask_stack(&self) -> u32 {
        self.interrupts.ask_stack()
    }

    fn take_stack(&self, request: u32) -> Option<String> {
        self.interrupts.take_stack(request)
    }

    fn ask_memory(&self) -> u32 {
        self.interrupts.ask_memory()
    }

    fn take_memory(&self, request: u32) -> Option<u64> {
        self.interrupts.take_memory(request)
    }

    fn wake(&self) {
        self.registered.ring();
    }

    fn terminate(&self) -> bool {
        self.interrupts.terminate()
    }
}

pub(crate) fn open(env: &Env, node: u32, wake: &Unknown) -> Result<()> {
    process::node(node)?;
    let raw = env.raw();
    let mark = environment::with(|environment| environment.mark(raw));
    let bell = Bell::new(raw, wake.raw(), mark)?;
    bell.set_referenced(raw, false)?;
    environment::with(|environment| {
        environment.watchdogs.push(Opened { node, bell: Arc::clone(&bell) });
        environment.add_hooks(raw)
    })?;
    WATCHDOG.open(node, bell);
    Ok(())
}

pub(crate) fn close(node: u32) {
    let own = environment::with(|environment| {
        let place = environment.watchdogs.iter().position(|opened| opened.node == node);
        place.map(|place| environment.watchdogs.swap_remove(place))
    });
    let Some(opened) = own else { return };
    WATCHDOG.close(node);
    opened.bell.release();
}

pub(crate) fn guard(node: u32, stall_ms: Option<f64>, off_heap_bytes: Option<f64>) -> Result<u32> {
    let stall_us = stall_ms.map(microseconds);
    let off_heap_bytes = off_heap_bytes.map(|bytes| bytes as u64);
    WATCHDOG.guard(node, Limits { stall_us, off_heap_bytes }).map_err(from_core)
}

pub(crate) fn place(guard: u32, slot: u32, generation: u32) -> Result<()> {
    let owner = Owner { slot: slot as u16, generation: generation as u16 };
    if WATCHDOG.place(guard, owner).map_err(from_core)? {
        return Ok(());
    }
    Err(coded("node_left", "nobody guards this isolate any more: its node leaves"))
}

pub(crate) fn end_guard(guard: u32) -> Result<Option<GuardVerdict>> {
    let verdict = WATCHDOG.end_guard(guard).map_err(from_core)?;
    Ok(verdict.map(|verdict| match verdict {
        Verdict::Stalled { stack } => GuardVerdict { stack: Some(stack), external_bytes: None },
        Verdict::OffHeap { external_bytes } => {
            GuardVerdict { stack: None, external_bytes: Some(external_bytes as f64) }
        }
    }))
}

pub(crate) fn listen(node: u32, stall_ms: f64) -> Result<u32> {
    WATCHDOG.listen(node, microseconds(stall_ms)).map_err(from_core)
}

pub(crate) fn unlisten(listener: u32) -> Result<()> {
    WATCHDOG.unlisten(listener).map_err(from_core)
}

pub(crate) fn take_stalls(node: u32) -> Result<Vec<StallNotice>> {
    let taken = WATCHDOG.take_reports(node).map_err(from_core)?.into_iter();
    Ok(taken
        .map(|StallReport { listener, owner, thread, running_us, stack }| StallNotice {
            listener,
            slot: u32::from(owner.slot),
            generation: u32::from(owner.generation),
            thread,
            running_us: running_us as f64,
            stack,
        })
        .collect())
}

pub(crate) fn stalls_lost() -> u64 {
    WATCHDOG.reports_lost()
}

pub(crate) fn panic_for_test() {
    WATCHDOG.panic_for_test();
}

/// Milliseconds of JavaScript; the cast keeps within what a u64 holds.
fn microseconds(ms: f64) -> u64 {
    (ms * 1_000.0) as u64
}
