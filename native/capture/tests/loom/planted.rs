//! Mistakes that an author would make, planted into single steps of the protocol.

use foundation_capture::{Step, Steps};
use foundation_sync::atomic::{AtomicU64, Ordering};

/// A mistake planted into the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    None,
    /// The record behind a commit need not be visible.
    CommitRelaxed,
    /// The record behind a commit that was seen need not be visible.
    SeeWrittenRelaxed,
    /// Reads may still run when the slot is written again.
    FreeRelaxed,
    /// Writes may begin before the slot was seen to be free.
    SeeFreeRelaxed,
    /// A writer loads and stores the position, as if nobody could come between.
    ClaimInTwoSteps,
    /// The same of whoever takes the oldest record.
    TakeInTwoSteps,
    /// The reader stores that it sleeps instead of exchanging.
    ArmStored,
    /// A writer loads whether the reader sleeps, and may see an old value.
    LookLoaded,
    /// The exchanges that belong to sleeping order nothing.
    ArmRelaxed,
    /// The reader loads whether a writer waits, and exchanges only then.
    NotifyLoaded,
    /// A writer stores that it waits instead of exchanging.
    WaitStored,
}

/// The steps of a model.
#[derive(Debug)]
pub(crate) struct Planted {
    mistake: Mistake,
    /// Touched before each step. Loom tries another order of two accesses only where they depend on
    /// each other, and looks no further back than at the last access to a word; a writer that has
    /// looked at a slot itself would hide the look of the reader before. Relaxed, so that it orders
    /// nothing that the protocol does not.
    turnstile: AtomicU64,
}

impl Planted {
    pub(crate) fn new(mistake: Mistake) -> Self {
        Self { mistake, turnstile: AtomicU64::new(0) }
    }

    fn pass(&self) {
        self.turnstile.fetch_add(0, Ordering::Relaxed);
    }
}

impl Steps for Planted {
    fn load(&self, step: Step, word: &AtomicU64, ordering: Ordering) -> u64 {
        self.pass();
        word.load(match (self.mistake, step) {
            (Mistake::SeeWrittenRelaxed, Step::SeeWritten)
            | (Mistake::SeeFreeRelaxed, Step::SeeFree) => Ordering::Relaxed,
            _ => ordering,
        })
    }

    fn store(&self, step: Step, word: &AtomicU64, value: u64, ordering: Ordering) {
        self.pass();
        let ordering = match (self.mistake, step) {
            (Mistake::CommitRelaxed, Step::Commit) | (Mistake::FreeRelaxed, Step::Free) => {
                Ordering::Relaxed
            }
            _ => ordering,
        };
        word.store(value, ordering);
    }

    fn swap(&self, step: Step, word: &AtomicU64, value: u64, ordering: Ordering) -> u64 {
        self.pass();
        match (self.mistake, step) {
            (Mistake::ArmStored, Step::Arm) | (Mistake::WaitStored, Step::Wait) => {
                word.store(value, Ordering::Release);
                0
            }
            (Mistake::ArmRelaxed, Step::Arm | Step::Ring) => word.swap(value, Ordering::Relaxed),
            (Mistake::NotifyLoaded, Step::Notify) if word.load(Ordering::Acquire) == 0 => 0,
            _ => word.swap(value, ordering),
        }
    }

    fn newest(&self, step: Step, word: &AtomicU64, ordering: Ordering) -> u64 {
        self.pass();
        match (self.mistake, step) {
            (Mistake::LookLoaded, Step::Look) => word.load(Ordering::Acquire),
            (Mistake::ArmRelaxed, Step::Look) => word.fetch_add(0, Ordering::Relaxed),
            _ => word.fetch_add(0, ordering),
        }
    }

    fn advance(&self, step: Step, word: &AtomicU64, from: u64, ordering: Ordering) -> bool {
        self.pass();
        match (self.mistake, step) {
            (Mistake::ClaimInTwoSteps, Step::Claim) | (Mistake::TakeInTwoSteps, Step::Take) => {
                let is_still = word.load(Ordering::Acquire) == from;
                if is_still {
                    word.store(from + 1, Ordering::Release);
                }
                is_still
            }
            _ => word.compare_exchange(from, from + 1, ordering, Ordering::Relaxed).is_ok(),
        }
    }
}
