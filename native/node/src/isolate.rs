//! An isolate as the kernel thread sees it: a ring from it, a ring to it, a doorbell and a loop
//! mark.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, Weak};

use foundation_buffer::{Block, Handle, HandleTable, Pool, Slab};
use foundation_link::{Micros, Payload};
use foundation_ring::{Consumer, Producer, SharedBlock, layout};
use tokio::sync::Notify;

use crate::backlog::{Backlog, Oldest};
use crate::command::NodeError;
use crate::dues::Dues;
use crate::names::Owner;
use crate::record::{EVENT, HEAD_BYTES, Head, SLAB, SLAB_RECORD_BYTES, TWICE};

/// Wakes an isolate so that it reads its rings. Called from kernel threads; must not block, and
/// must be harmless after the isolate is gone.
pub trait Doorbell: Send + Sync {
    /// Rings once; ringing again before the isolate woke has no further effect.
    fn ring(&self);

    /// Rings a last time: the kernel thread panicked, and nobody serves the rings any more.
    fn fail(&self);
}

/// Tells for how long a loop has slept in its polls so far. Unit: ns. Rises while the loop sleeps,
/// and stands still while it runs a callback of what it polled for. Any thread may ask.
pub type IdleClock = Box<dyn Fn() -> u64 + Send>;

/// What a look at the idle clock found.
#[derive(Default)]
struct Sleep {
    clock: Option<IdleClock>,
    slept_ns: u64,
    lap: u64,
    /// When it was first found so.
    seen_at: Micros,
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("slept_ns", &self.slept_ns).finish_non_exhaustive()
    }
}

/// Where an isolate's event loop stands, marked around its poll phase.
#[derive(Debug, Default)]
pub struct LoopMark {
    running_since: AtomicU64,
    /// Times that the loop began to poll.
    laps: AtomicU64,
    /// Whoever looks after the loop sleeps until it runs.
    is_armed: AtomicBool,
    alarms: Mutex<Vec<Weak<Notify>>>,
    /// Tells a loop that sleeps in its poll phase from one that runs there.
    sleep: Mutex<Sleep>,
}

impl LoopMark {
    /// The loop returned from polling and runs JavaScript; or it does so in a callback of its poll
    /// phase.
    pub fn running(&self) {
        self.running_since.store(crate::clock::now().0, Ordering::Relaxed);
        // Pairs with the fence in `arm_alarm`: of this store and that of the alarm, one is seen by
        // the other side.
        fence(Ordering::SeqCst);
        if self.is_armed.load(Ordering::Relaxed) && self.is_armed.swap(false, Ordering::Relaxed) {
            for alarm in lock(&self.alarms).iter().filter_map(Weak::upgrade) {
                alarm.notify_one();
            }
        }
    }

    /// Has `alarm` rung whenever the loop runs after [`LoopMark::arm_alarm`].
    pub(crate) fn add_alarm(&self, alarm: &Arc<Notify>) {
        let mut alarms = lock(&self.alarms);
        alarms.retain(|known| known.strong_count() > 0);
        let alarm = Arc::downgrade(alarm);
        if !alarms.iter().any(|known| known.ptr_eq(&alarm)) {
            alarms.push(alarm);
        }
    }

    /// Asks to be rung when the loop runs. False: it runs now, nothing was asked.
    pub(crate) fn arm_alarm(&self) -> bool {
        self.is_armed.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.is_polling() {
            return true;
        }
        self.is_armed.store(false, Ordering::Relaxed);
        false
    }

    pub(crate) fn is_polling(&self) -> bool {
        self.running_since.load(Ordering::Relaxed) == 0
    }

    /// The loop is about to poll: however long that takes, it is idle.
    pub fn polling(&self) {
        self.running_since.store(0, Ordering::Relaxed);
        // Only the loop's own thread counts.
        self.laps.store(self.laps.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn laps(&self) -> u64 {
        self.laps.load(Ordering::Relaxed)
    }

    /// How long the loop sleeps. It has to be taken away before the loop goes: nobody asks the
    /// clock once this has returned.
    pub fn set_idle_clock(&self, clock: Option<IdleClock>) {
        lock(&self.sleep).clock = clock;
    }

    /// For how long the loop has not polled, in microseconds; `None` while it polls.
    #[must_use]
    pub fn running_for(&self) -> Option<u64> {
        let now = crate::clock::now();
        self.running_since(now).map(|since| now.since(since).0)
    }

    /// Whether the loop has not slept for that long, wherever it runs.
    pub(crate) fn is_busy(&self, now: Micros, after: Micros) -> bool {
        self.running_since(now).is_some_and(|since| now.since(since) > after)
    }

    fn running_since(&self, now: Micros) -> Option<Micros> {
        match self.running_since.load(Ordering::Relaxed) {
            0 => self.awake_since(now),
            since => Some(Micros(since)),
        }
    }

    /// Since when a loop in its poll phase has been found running callbacks there: those of sockets
    /// and files do, and no mark tells. Found by looks, so it began up to one look earlier.
    fn awake_since(&self, now: Micros) -> Option<Micros> {
        let mut sleep = lock(&self.sleep);
        let slept_ns = sleep.clock.as_ref()?();
        let lap = self.laps();
        // A clock that never moved belongs to a host that does not keep it.
        if slept_ns == 0 || sleep.slept_ns != slept_ns || sleep.lap != lap {
            (sleep.slept_ns, sleep.lap, sleep.seen_at) = (slept_ns, lap, now);
            return None;
        }
        Some(sleep.seen_at)
    }

    /// Whether the loop has not polled for that long, as far as its marks tell.
    pub(crate) fn is_stalled(&self, now: Micros, after: Micros) -> bool {
        let since = self.running_since.load(Ordering::Relaxed);
        since != 0 && now.since(Micros(since)) > after
    }
}

/// Which of an isolate's two rings a record takes. The isolate reads the urgent one first, before
/// each record of the other, so that a control message never waits behind bulk that is delivered
/// already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    Urgent,
    Normal,
}

/// A ring to an isolate, and what waits for room in it.
#[derive(Debug)]
struct Inward {
    ring: Producer<SharedBlock>,
    backlog: Backlog,
    block: Block,
}

/// One attached isolate.
pub(crate) struct Isolate {
    pub(crate) owner: Owner,
    pub(crate) outward: Consumer<SharedBlock>,
    pub(crate) outward_block: Block,
    urgent: Inward,
    normal: Inward,
    pub(crate) bell: Arc<dyn Doorbell>,
    pub(crate) mark: Arc<LoopMark>,
    pub(crate) handles: Arc<Mutex<HandleTable>>,
    pub(crate) dues: Dues,
    pub(crate) is_busy: bool,
    /// Counts what was told on both rings.
    told_twice: u32,
    /// Its outward ring broke the protocol: nothing is read from it any more.
    pub(crate) is_corrupt: bool,
}

impl fmt::Debug for Isolate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Isolate").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// Whether a record went anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Taken,
    /// No memory to hold it.
    Exhausted,
}

fn ring_block(pool: &Pool, ring_bytes: u32) -> Result<(Block, SharedBlock), NodeError> {
    let bytes = layout::block_bytes(ring_bytes);
    let exhausted = |_| NodeError::new("arena_exhausted", "no room in the arena for a ring");
    let block = pool.allocate_block(bytes).map_err(exhausted)?;
    // SAFETY: the block was just allocated, is zeroed, 128-aligned and `bytes` long; it is freed
    // only after the isolate is detached, when neither side uses it any more. One producer and one
    // consumer: the isolate has one end of each ring and this kernel thread the other.
    let shared = unsafe { SharedBlock::new(block.as_ptr(), bytes) }
        .map_err(|error| NodeError::new("internal", format!("ring block: {error:?}")))?;
    Ok((block, shared))
}

fn attach_error(error: foundation_ring::AttachError) -> NodeError {
    NodeError::new("internal", format!("ring: {error:?}"))
}

impl Inward {
    fn new(pool: &Pool, ring_bytes: u32) -> Result<Inward, NodeError> {
        let (block, shared) = ring_block(pool, ring_bytes)?;
        let ring = Producer::new(shared, ring_bytes).map_err(attach_error)?;
        Ok(Inward { ring, backlog: Backlog::default(), block })
    }

    fn push_inline(&mut self, tag: u32, head: &[u8], bytes: &[u8]) {
        if self.backlog.is_empty() && self.try_push(tag, &[head, bytes]) {
            return;
        }
        self.backlog.push_bytes(tag, head, bytes);
    }

    fn push_slab(&mut self, handles: &Mutex<HandleTable>, tag: u32, head: Head, slab: Slab) {
        let tag = tag | SLAB;
        if self.backlog.is_empty() && self.has_room(SLAB_RECORD_BYTES as u32) {
            self.give_slab(handles, tag, head, slab);
            return;
        }
        self.backlog.push_slab(tag, head, slab);
    }

    /// Gives a slab's reference to the isolate and its handle to the ring, which has room for it.
    fn give_slab(&mut self, handles: &Mutex<HandleTable>, tag: u32, head: Head, slab: Slab) {
        let (offset, length) = (slab.offset() as u32, slab.len() as u32);
        let handle = slab.into_handle();
        let mut place = [0; 16];
        place[0..4].copy_from_slice(&handle.index().to_le_bytes());
        place[4..8].copy_from_slice(&handle.generation().to_le_bytes());
        place[8..12].copy_from_slice(&offset.to_le_bytes());
        place[12..16].copy_from_slice(&length.to_le_bytes());
        // In the isolate's table before it is in the ring: if the isolate dies now, it is released.
        lock(handles).insert(handle);
        let pushed = self.try_push(tag, &[&head.0, &place]);
        debug_assert!(pushed, "room was checked before the reference was given away");
    }

    fn has_room(&mut self, body_bytes: u32) -> bool {
        // Twice the record: padding at the ring's end may take as much again.
        self.ring.free_bytes() >= 2 * layout::record_bytes(body_bytes)
    }

    fn try_push(&mut self, tag: u32, parts: &[&[u8]]) -> bool {
        // The sizes are checked by the callers; a corrupt head is the isolate's own doing and ends
        // in a backlog that its detachment frees.
        self.ring.try_push(tag, parts).is_ok()
    }

    /// Moves waiting records into the ring while there is room.
    fn drain_backlog(&mut self, handles: &Mutex<HandleTable>) {
        while let Some(oldest) = self.backlog.oldest() {
            match oldest {
                Oldest::Bytes { tag, body } => {
                    if self.ring.try_push(tag, &[body]).is_err() {
                        return;
                    }
                    self.backlog.pop();
                }
                Oldest::Slab { tag, head } => {
                    if !self.has_room(SLAB_RECORD_BYTES as u32) {
                        return;
                    }
                    if let Some(slab) = self.backlog.pop() {
                        self.give_slab(handles, tag, head, slab);
                    }
                }
            }
        }
    }

    /// Shows the isolate what was pushed; true: it sleeps and has to be woken.
    fn publish(&mut self, handles: &Mutex<HandleTable>) -> bool {
        let mut is_asleep = false;
        loop {
            self.drain_backlog(handles);
            is_asleep |= self.ring.publish();
            let need = match self.backlog.oldest() {
                None => return is_asleep,
                Some(Oldest::Bytes { body, .. }) => body.len() as u32,
                Some(Oldest::Slab { .. }) => 2 * SLAB_RECORD_BYTES as u32 + layout::HEADER_BYTES,
            };
            // Asks the isolate to wake this thread when it has read some.
            if self.ring.await_space(need) {
                return is_asleep;
            }
            // Room came meanwhile. Were it still too little, the ring would be corrupt: stop then.
            if self.ring.free_bytes() < layout::record_bytes(need) {
                return is_asleep;
            }
        }
    }
}

impl Isolate {
    pub(crate) fn new(
        pool: &Pool,
        ring_bytes: u32,
        owner: Owner,
        bell: Arc<dyn Doorbell>,
        mark: Arc<LoopMark>,
    ) -> Result<Isolate, NodeError> {
        let (outward_block, outward) = ring_block(pool, ring_bytes)?;
        Ok(Isolate {
            owner,
            outward: Consumer::new(outward, ring_bytes).map_err(attach_error)?,
            outward_block,
            urgent: Inward::new(pool, ring_bytes)?,
            normal: Inward::new(pool, ring_bytes)?,
            bell,
            mark,
            handles: Arc::new(Mutex::new(HandleTable::default())),
            dues: Dues::default(),
            is_busy: false,
            told_twice: 0,
            is_corrupt: false,
        })
    }

    /// Where the rings to the isolate begin in the arena: urgent, normal.
    pub(crate) fn inward_offsets(&self) -> (u32, u32) {
        (self.urgent.block.offset() as u32, self.normal.block.offset() as u32)
    }

    /// Arms the ring from the isolate; false where it has records again.
    pub(crate) fn arm(&mut self) -> bool {
        self.is_corrupt || self.outward.arm()
    }

    /// Records waiting for room in a ring.
    pub(crate) fn backlog_records(&self) -> usize {
        self.urgent.backlog.len() + self.normal.backlog.len()
    }

    /// Hands a message to the isolate. Small payloads go through the ring, large ones by handle.
    pub(crate) fn push_message(
        &mut self,
        pool: &Pool,
        urgency: Urgency,
        tag: u32,
        head: Head,
        payload: Payload<'_>,
    ) -> Pushed {
        let Isolate { urgent, normal, handles, .. } = self;
        let inward = match urgency {
            Urgency::Urgent => urgent,
            Urgency::Normal => normal,
        };
        let inline_max = layout::body_bytes_max(inward.ring.capacity_bytes()) as usize - HEAD_BYTES;
        match payload {
            Payload::Inline(bytes) if bytes.len() <= inline_max => {
                inward.push_inline(tag, &head.0, bytes);
            }
            Payload::Inline(bytes) => {
                let Ok(mut slab) = pool.allocate(bytes.len()) else { return Pushed::Exhausted };
                slab.as_mut_slice().copy_from_slice(bytes);
                inward.push_slab(handles, tag, head, slab.freeze());
            }
            Payload::Slab(slab) => inward.push_slab(handles, tag, head, slab),
        }
        Pushed::Taken
    }

    /// Tells the isolate something of the control plane, in order with the messages of normal
    /// urgency.
    pub(crate) fn push_event(&mut self, json: &str) {
        self.normal.push_inline(EVENT, &[], json.as_bytes());
    }

    /// Tells of a new link on both rings: whichever is read first, messages of the link come after.
    pub(crate) fn push_up(&mut self, json: &str) {
        self.told_twice = self.told_twice.wrapping_add(1);
        let number = self.told_twice.to_le_bytes();
        self.urgent.push_inline(TWICE, &number, json.as_bytes());
        self.normal.push_inline(TWICE, &number, json.as_bytes());
    }

    /// Pushes a small record that should not wait behind messages.
    pub(crate) fn push_record(&mut self, tag: u32, body: &[u8]) {
        self.urgent.push_inline(tag, &[], body);
    }

    /// Shows the isolate what was pushed and rings if it sleeps.
    pub(crate) fn publish(&mut self) {
        let is_asleep = self.urgent.publish(&self.handles);
        if self.normal.publish(&self.handles) || is_asleep {
            self.bell.ring();
        }
    }

    /// Gives everything back: the isolate is gone and touches nothing any more.
    pub(crate) fn dismantle(self, pool: &Pool) {
        lock(&self.handles).release_all(pool);
        // The backlogs' slabs and the blocks are given back by being dropped.
    }
}

/// Takes a slab out of an isolate's hands.
pub(crate) fn adopt(
    handles: &Mutex<HandleTable>,
    pool: &Pool,
    index: u32,
    generation: u32,
) -> Option<Slab> {
    let handle = Handle::from_bits(u64::from(generation) << 32 | u64::from(index));
    if !lock(handles).remove(handle) {
        return None;
    }
    pool.adopt(handle).ok()
}

/// Locks, going on after a panic elsewhere: the tables behind these locks are valid after each
/// statement.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    const AFTER: Micros = Micros(1_000);

    /// A mark of a loop whose idle time the test decides.
    fn clocked(slept_ns: u64) -> (LoopMark, Arc<AtomicU64>) {
        let clock = Arc::new(AtomicU64::new(slept_ns));
        let mark = LoopMark::default();
        let read = Arc::clone(&clock);
        mark.set_idle_clock(Some(Box::new(move || read.load(Ordering::Relaxed))));
        mark.polling();
        (mark, clock)
    }

    #[test]
    fn a_loop_in_its_poll_phase_is_busy_where_its_idle_time_stands_still() {
        let (mark, clock) = clocked(7);
        assert!(!mark.is_busy(Micros(10_000), AFTER), "the first look has nothing to compare");
        clock.store(8, Ordering::Relaxed);
        assert!(!mark.is_busy(Micros(20_000), AFTER), "it slept meanwhile");
        assert!(!mark.is_busy(Micros(21_000), AFTER), "not for long enough");
        assert!(mark.is_busy(Micros(21_001), AFTER));
        mark.polling();
        assert!(!mark.is_busy(Micros(30_000), AFTER), "it came round and polls anew");
        mark.set_idle_clock(None);
        assert!(!mark.is_busy(Micros(50_000), AFTER), "there is nobody to ask");
    }

    #[test]
    fn a_clock_that_nobody_keeps_tells_nothing() {
        let (mark, _) = clocked(0);
        for now in [10_000, 20_000, 30_000] {
            assert!(!mark.is_busy(Micros(now), AFTER));
        }
    }
}
