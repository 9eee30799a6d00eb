//! An isolate's attachment to a node: its doorbell, its names, its slabs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foundation_buffer::{Handle, HandleTable};
use foundation_node::{
    Doorbell, InTransit, IoMode, LoopMark, Owner, PollMode, is_forked, refuse_fork,
};
use napi::{Env, JsValue, Unknown};

use crate::doorbell::{Bell, TO_CLOSED};
use crate::environment;
use crate::error::{Result, coded, from_core};
use crate::lane_watch::{LaneWatch, LaneWatchOptions};
use crate::process::{self, NodeEntry};
use crate::{AttachedIsolate, ListedIsolate, NameOwner};

/// An attachment as its own thread holds it.
pub(crate) struct Attachment {
    node: u32,
    entry: NodeEntry,
    owner: Owner,
    bell: Arc<Bell>,
    handles: Arc<Mutex<HandleTable>>,
    /// Where this isolate polls the node's connections.
    lanes: Option<LaneWatch>,
}

/// An attachment as other isolates of the process find it.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) generation: u16,
    mark: Arc<LoopMark>,
    /// Number of its thread at Node, and of its isolate at the shim.
    pub(crate) thread: u32,
    pub(crate) watched: Option<u32>,
    bell: Arc<Bell>,
}

impl Registered {
    /// For how long its event loop has not polled, in microseconds; 0 while it polls.
    pub(crate) fn running_us(&self) -> u64 {
        self.mark.running_for().unwrap_or(0)
    }

    /// Wakes it; one that is gone is a counted no-op.
    pub(crate) fn ring(&self) {
        self.bell.ring();
    }
}

impl Attachment {
    /// Waits until the kernel thread has let go. The environment is going away; the handles that
    /// are left for it to close come back.
    pub(crate) fn tear_down(self) -> Option<LaneWatch> {
        if is_forked() {
            // Nobody is there to wait for, and the locks may be held by threads left behind.
            std::mem::forget(self);
            return None;
        }
        if let Some(lanes) = &self.lanes {
            lanes.stop();
        }
        self.bell.silence();
        self.let_go();
        self.lanes
    }

    fn let_go(&self) {
        process::unregister(self.node, self.owner.slot);
        // An error means that the kernel thread has stopped and with it has let go of everything.
        if self.entry.kernel.detach(self.entry.inner, self.owner).unwrap_or(false) {
            process::forget_node(self.node);
        }
    }
}

/// The two numbers that JavaScript keeps of a slab.
fn handle_of(index: u32, generation: u32) -> Handle {
    Handle::from_bits(u64::from(generation) << 32 | u64::from(index))
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with<T>(isolate: u32, work: impl FnOnce(&Attachment) -> T) -> Result<T> {
    refuse_fork().map_err(from_core)?;
    environment::with(|environment| {
        let attachment = environment.attachments.get(isolate as usize).and_then(Option::as_ref);
        attachment.map(work).ok_or_else(|| coded("not_attached", "this isolate left the node"))
    })
}

/// Every isolate that is attached to a node.
pub(crate) fn list(node: u32) -> Result<Vec<ListedIsolate>> {
    process::node(node)?;
    let list = process::isolates(node).into_iter();
    Ok(list
        .map(|(slot, registered)| ListedIsolate {
            slot: u32::from(slot),
            generation: u32::from(registered.generation),
            thread: registered.thread,
            watched: registered.watched,
            running_us: registered.running_us() as f64,
        })
        .collect())
}

pub(crate) fn attach(
    env: &Env,
    node: u32,
    wake: &Unknown,
    is_poller: bool,
    thread: u32,
    watched: Option<u32>,
) -> Result<AttachedIsolate> {
    let entry = process::node(node)?;
    let raw = env.raw();
    let mark = environment::with(|environment| environment.mark(raw));
    let bell = Bell::new(raw, wake.raw(), Arc::clone(&mark))?;
    environment::with(|environment| environment.add_hooks(raw))?;
    let shared: Arc<dyn Doorbell> = Arc::clone(&bell) as Arc<dyn Doorbell>;
    let attached = match entry.kernel.attach(entry.inner, shared, Arc::clone(&mark), is_poller) {
        Ok(attached) => attached,
        Err(error) => {
            bell.release();
            return Err(from_core(error));
        }
    };
    let owner = Owner { slot: attached.slot, generation: attached.generation };
    let handles = attached.handles;
    let lanes = match attached.lane_poll {
        None => None,
        Some(poll) => {
            let options = LaneWatchOptions {
                kernel: Arc::clone(&entry.kernel),
                node: entry.inner,
                poll,
                is_spinning: entry.poll == PollMode::Spin,
            };
            let started = LaneWatch::start(raw, wake.raw(), Arc::clone(&bell), options);
            Some(started.inspect_err(|_| {
                // The kernel thread attends the connections then, but that is not what was asked.
                let _ = entry.kernel.detach(entry.inner, owner);
                bell.release();
            })?)
        }
    };
    let (generation, own_bell) = (owner.generation, Arc::clone(&bell));
    let registered = Registered { generation, mark, thread, watched, bell: own_bell };
    process::register(node, owner.slot, registered);
    let isolate = environment::with(|environment| {
        let attachments = &mut environment.attachments;
        let free = attachments.iter().position(Option::is_none).unwrap_or(attachments.len());
        if free == attachments.len() {
            attachments.push(None);
        }
        attachments[free] = Some(Attachment { node, entry, owner, bell, handles, lanes });
        free as u32
    });
    Ok(AttachedIsolate {
        isolate,
        slot: u32::from(owner.slot),
        generation: u32::from(owner.generation),
        outward_offset: attached.outward_offset,
        urgent_offset: attached.urgent_offset,
        inward_offset: attached.inward_offset,
        ring_bytes: attached.ring_bytes,
    })
}

pub(crate) fn detach(_env: &Env, isolate: u32) -> Result<()> {
    refuse_fork().map_err(from_core)?;
    let taken = environment::with(|environment| {
        environment.attachments.get_mut(isolate as usize).and_then(Option::take)
    });
    let attachment = taken.ok_or_else(|| coded("not_attached", "this isolate left the node"))?;
    attachment.let_go();
    attachment.bell.release();
    if let Some(lanes) = attachment.lanes {
        lanes.release();
    }
    Ok(())
}

pub(crate) fn set_referenced(env: &Env, isolate: u32, is_referenced: bool) -> Result<()> {
    let bell = with(isolate, |attachment| Arc::clone(&attachment.bell))?;
    bell.set_referenced(env.raw(), is_referenced)
}

pub(crate) fn ring_kernel(isolate: u32) -> Result<()> {
    refuse_fork().map_err(from_core)?;
    // An isolate that left has nothing to wake anybody for.
    let _ = with(isolate, |attachment| {
        let NodeEntry { kernel, inner, io, .. } = &attachment.entry;
        match io {
            IoMode::Thread => kernel.ring(*inner),
            // A panic there is not the sender's error: the kernel thread has been rung to see it,
            // fails its nodes, and every isolate of theirs is told.
            IoMode::Isolate => {
                let turn = || kernel.serve_sender(*inner, attachment.owner);
                let _ = catch_unwind(AssertUnwindSafe(turn));
            }
        }
    });
    Ok(())
}

pub(crate) fn ring_other(isolate: u32, slot: u32, generation: u32) {
    let found = with(isolate, |attachment| {
        process::isolate(attachment.node, slot as u16, generation as u16)
    });
    match found {
        Ok(Some(other)) => other.ring(),
        _ => {
            TO_CLOSED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(crate) fn intern(isolate: u32, name: &str) -> Result<u32> {
    let names = with(isolate, |attachment| Arc::clone(&attachment.entry.names))?;
    lock(&names).intern(name).ok_or_else(|| {
        coded("name_refused", "a name has 1 to 255 bytes, and a node at most 65,536 names")
    })
}

pub(crate) fn name_owner(isolate: u32, name: u32) -> Result<Option<NameOwner>> {
    let names = with(isolate, |attachment| Arc::clone(&attachment.entry.names))?;
    let owner = lock(&names).owner(name);
    Ok(owner.map(|owner| NameOwner {
        slot: u32::from(owner.slot),
        generation: u32::from(owner.generation),
    }))
}

pub(crate) fn register(isolate: u32, name: u32) -> Result<()> {
    with(isolate, |attachment| {
        let names = &attachment.entry.names;
        if !lock(names).take(name, attachment.owner) {
            let text = lock(names).name(name).unwrap_or_default().to_owned();
            return Err(coded(
                "name_taken",
                format!("'{text}' has a handler in this node already"),
            ));
        }
        let NodeEntry { kernel, inner, .. } = &attachment.entry;
        kernel.owner_changed(*inner, name, Some(attachment.owner)).map_err(from_core)
    })?
}

pub(crate) fn unregister(isolate: u32, name: u32) -> Result<()> {
    with(isolate, |attachment| {
        if lock(&attachment.entry.names).give_up(name, attachment.owner) {
            let NodeEntry { kernel, inner, .. } = &attachment.entry;
            return kernel.owner_changed(*inner, name, None).map_err(from_core);
        }
        Ok(())
    })?
}

pub(crate) fn open_route(isolate: u32, name: &str) -> Result<u32> {
    let entry = with(isolate, |attachment| attachment.entry.clone())?;
    entry.kernel.open_route(entry.inner, name).map_err(from_core)
}

pub(crate) fn subscribe(isolate: u32, name: u32, is_wanted: bool) -> Result<()> {
    let (entry, owner) = with(isolate, |attachment| (attachment.entry.clone(), attachment.owner))?;
    entry.kernel.subscribe(entry.inner, owner, name, is_wanted).map_err(from_core)
}

pub(crate) fn open_pair(isolate: u32, slot: u32, generation: u32) -> Result<u32> {
    let (node, entry, from) =
        with(isolate, |attachment| (attachment.node, attachment.entry.clone(), attachment.owner))?;
    let to = Owner { slot: slot as u16, generation: generation as u16 };
    let (offset, in_transit) = entry.kernel.open_pair(entry.inner, from, to).map_err(from_core)?;
    process::add_pair(node, offset, &in_transit);
    Ok(offset)
}

pub(crate) fn close_pair(isolate: u32, offset: u32) -> Result<()> {
    with(isolate, |attachment| {
        let NodeEntry { kernel, inner, .. } = &attachment.entry;
        kernel.close_pair(*inner, attachment.owner.slot, offset).map_err(from_core)
    })?
}

/// Takes a slab of `length` bytes that `fill` writes; answers its index, generation and offset.
pub(crate) fn fill_slab(
    isolate: u32,
    length: usize,
    fill: impl FnOnce(*mut u8),
) -> Result<[u32; 3]> {
    let pool = process::pool_or_error()?;
    let mut slab = pool.allocate(length).map_err(|_| {
        coded("arena_exhausted", format!("no room in the arena for {length} bytes"))
    })?;
    fill(slab.as_mut_slice().as_mut_ptr());
    let slab = slab.freeze();
    let offset = slab.offset() as u32;
    let handle = slab.into_handle();
    let kept = with(isolate, |attachment| lock(&attachment.handles).insert(handle));
    if kept.is_err() {
        let _ = pool.release(handle); // nobody else knows of it
    }
    kept?;
    Ok([handle.index(), handle.generation(), offset])
}

pub(crate) fn release_slab(isolate: u32, index: u32, generation: u32) -> Result<bool> {
    let pool = process::pool_or_error()?;
    let handle = handle_of(index, generation);
    let held = with(isolate, |attachment| lock(&attachment.handles).remove(handle))?;
    // Without a reference of its own the isolate may not release: the pool would count it as stale
    // or, worse, take somebody else's away.
    Ok(held && pool.release(handle).is_ok())
}

pub(crate) fn retain_slab(isolate: u32, index: u32, generation: u32) -> Result<()> {
    let pool = process::pool_or_error()?;
    let handle = handle_of(index, generation);
    pool.retain(handle).map_err(|_| coded("slab_released", "the bytes were released before"))?;
    with(isolate, |attachment| lock(&attachment.handles).insert(handle))
}

/// What is under way in a ring between isolates.
fn in_transit(isolate: u32, pair: u32) -> Result<InTransit> {
    let node = with(isolate, |attachment| attachment.node)?;
    process::pair(node, pair).ok_or_else(|| coded("noproc", "the other isolate is gone"))
}

pub(crate) fn hand_over(isolate: u32, slab: (u32, u32), pair: u32) -> Result<()> {
    let handle = handle_of(slab.0, slab.1);
    let in_transit = in_transit(isolate, pair)?;
    with(isolate, |attachment| {
        if !lock(&attachment.handles).remove(handle) {
            return Err(coded("slab_released", "the bytes were released before"));
        }
        lock(&in_transit).insert(handle);
        Ok(())
    })?
}

pub(crate) fn take_over(isolate: u32, slab: (u32, u32), pair: u32) -> Result<()> {
    let handle = handle_of(slab.0, slab.1);
    let in_transit = in_transit(isolate, pair)?;
    with(isolate, |attachment| {
        if !lock(&in_transit).remove(handle) {
            return Err(coded("slab_released", "the bytes were released before"));
        }
        lock(&attachment.handles).insert(handle);
        Ok(())
    })?
}
