//! Sees that an event loop does not poll. Tells of each stall once.

use super::watched::Watched;

/// What an isolate gets to tell its stack; in a native call it cannot.
const STACK_WAIT_US: u64 = 200_000;

/// What a stall looked like.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StallFound {
    pub(crate) running_us: u64,
    /// One frame a line, the innermost first. Empty in a native call.
    pub(crate) stack: String,
}

/// Watches one event loop.
#[derive(Debug)]
pub(crate) struct StallWatch {
    stall_us: u64,
    last_us: u64,
    /// The request for the stack, and when it was made.
    asked: Option<(u32, u64)>,
    is_told: bool,
}

impl StallWatch {
    /// `stall_us` must be longer than the time between two looks.
    pub(crate) fn new(stall_us: u64) -> StallWatch {
        StallWatch { stall_us, last_us: 0, asked: None, is_told: false }
    }

    /// Looks once; answers with a stall as soon as its stack is known, or cannot be.
    pub(crate) fn look(&mut self, isolate: &impl Watched) -> Option<StallFound> {
        let running_us = isolate.running_us();
        let is_same_turn = running_us >= self.last_us;
        self.last_us = running_us;
        if !is_same_turn || running_us < self.stall_us {
            self.asked = None;
            self.is_told = false;
        }
        if running_us < self.stall_us || self.is_told {
            return None;
        }
        let (request, asked_us) =
            *self.asked.get_or_insert_with(|| (isolate.ask_stack(), running_us));
        let stack = isolate.take_stack(request);
        if stack.is_none() && running_us < asked_us + STACK_WAIT_US {
            return None;
        }
        self.is_told = true;
        Some(StallFound { running_us, stack: stack.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::watched::fake::FakeIsolate;
    use super::{StallFound, StallWatch};

    fn look(
        watch: &mut StallWatch,
        isolate: &Rc<FakeIsolate>,
        running_ms: u64,
    ) -> Option<StallFound> {
        isolate.running_us.set(running_ms * 1_000);
        watch.look(isolate)
    }

    fn found(running_ms: u64, stack: &str) -> Option<StallFound> {
        Some(StallFound { running_us: running_ms * 1_000, stack: stack.to_owned() })
    }

    #[test]
    fn a_stall_is_told_once_as_soon_as_the_stack_is_known() {
        let (isolate, mut watch) = (Rc::<FakeIsolate>::default(), StallWatch::new(100_000));
        assert_eq!(look(&mut watch, &isolate, 99), None);
        assert_eq!(isolate.requests.get(), 0);
        assert_eq!(look(&mut watch, &isolate, 109), None);
        isolate.run();
        assert_eq!(look(&mut watch, &isolate, 119), found(119, "stack 1"));
        assert_eq!(look(&mut watch, &isolate, 129), None);
        assert_eq!(isolate.requests.get(), 1);
    }

    #[test]
    fn the_next_one_is_told_too_be_it_seen_late() {
        let (isolate, mut watch) = (Rc::<FakeIsolate>::default(), StallWatch::new(100_000));
        assert_eq!(look(&mut watch, &isolate, 500), None);
        isolate.run();
        assert_eq!(look(&mut watch, &isolate, 510), found(510, "stack 1"));
        assert_eq!(look(&mut watch, &isolate, 150), None);
        isolate.run();
        assert_eq!(look(&mut watch, &isolate, 160), found(160, "stack 2"));
        assert_eq!(look(&mut watch, &isolate, 0), None);
    }

    #[test]
    fn who_is_in_a_native_call_is_not_waited_for() {
        let (isolate, mut watch) = (Rc::<FakeIsolate>::default(), StallWatch::new(100_000));
        assert_eq!(look(&mut watch, &isolate, 290), None);
        assert_eq!(look(&mut watch, &isolate, 489), None);
        assert_eq!(look(&mut watch, &isolate, 490), found(490, ""));
    }

    #[test]
    fn who_came_back_while_it_was_asked_is_forgotten() {
        let (isolate, mut watch) = (Rc::<FakeIsolate>::default(), StallWatch::new(100_000));
        assert_eq!(look(&mut watch, &isolate, 110), None);
        isolate.run();
        assert_eq!(look(&mut watch, &isolate, 3), None);
        assert_eq!(look(&mut watch, &isolate, 90), None);
    }
}
