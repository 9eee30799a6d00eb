//! Measures the memory of an isolate outside of its heap.
//!
//! A request to a loop that waits is answered when it runs JavaScript again, so there always is one
//! under way: who does not run cannot grow, and is woken only where it has run since it was
//! measured.

use super::watched::Watched;

/// Looks at a waiting loop after it ran: the turn that answers the first may go on after that.
const LOOKS_AFTER_RUN: u32 = 2;

/// Watches one isolate.
#[derive(Debug)]
pub(crate) struct OffHeapWatch {
    limit_bytes: u64,
    request: Option<u32>,
    is_woken: bool,
    looks_left: u32,
}

impl OffHeapWatch {
    pub(crate) fn new(limit_bytes: u64) -> OffHeapWatch {
        OffHeapWatch { limit_bytes, request: None, is_woken: false, looks_left: LOOKS_AFTER_RUN }
    }

    /// Looks once; answers with the bytes it found where they are above the limit.
    pub(crate) fn look(&mut self, isolate: &impl Watched) -> Option<u64> {
        if let Some(bytes) = self.request.and_then(|request| isolate.take_memory(request)) {
            if bytes > self.limit_bytes {
                return Some(bytes);
            }
            self.looks_left =
                if self.is_woken { self.looks_left.saturating_sub(1) } else { LOOKS_AFTER_RUN };
            self.request = None;
        }
        let is_waiting = isolate.running_us() == 0;
        if !is_waiting {
            self.looks_left = LOOKS_AFTER_RUN;
        }
        if self.request.is_none() {
            self.request = Some(isolate.ask_memory());
            self.is_woken = false;
        }
        if is_waiting && self.looks_left > 0 && !self.is_woken {
            self.is_woken = true;
            isolate.wake();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::watched::fake::FakeIsolate;
    use super::OffHeapWatch;

    /// Looks at an isolate that waits, and runs where it is woken.
    fn look(watch: &mut OffHeapWatch, isolate: &Rc<FakeIsolate>) -> Option<u64> {
        let wakes = isolate.wakes.get();
        let found = watch.look(isolate);
        if isolate.wakes.get() > wakes {
            isolate.run();
        }
        found
    }

    fn look_until_quiet(watch: &mut OffHeapWatch, isolate: &Rc<FakeIsolate>) -> u32 {
        for _ in 0..20 {
            assert_eq!(look(watch, isolate), None);
        }
        isolate.wakes.get()
    }

    #[test]
    fn a_growth_beyond_the_limit_is_found_of_who_runs_without_end() {
        let (isolate, mut watch) = (Rc::<FakeIsolate>::default(), OffHeapWatch::new(100));
        isolate.running_us.set(5_000);
        assert_eq!(watch.look(&isolate), None);
        isolate.external_bytes.set(60);
        isolate.run();
        assert_eq!(watch.look(&isolate), None);
        isolate.external_bytes.set(101);
        isolate.run();
        assert_eq!(watch.look(&isolate), Some(101));
        assert_eq!(isolate.wakes.get(), 0);
    }

    #[test]
    fn a_waiting_loop_is_woken_twice_and_sleeps_then_with_a_request_under_way() {
        let (isolate, mut watch) = (Rc::<FakeIsolate>::default(), OffHeapWatch::new(100));
        assert_eq!(look_until_quiet(&mut watch, &isolate), 2);
        assert_eq!(look_until_quiet(&mut watch, &isolate), 2);
        assert_eq!(isolate.requests.get(), isolate.answered.get() + 1);
    }

    #[test]
    fn it_is_woken_again_once_it_has_run_and_what_it_took_after_its_answer_is_found() {
        let (isolate, mut watch) = (Rc::<FakeIsolate>::default(), OffHeapWatch::new(100));
        assert_eq!(look_until_quiet(&mut watch, &isolate), 2);
        isolate.external_bytes.set(50);
        isolate.run(); // the answer comes from the beginning of its turn
        assert_eq!(watch.look(&isolate), None);
        assert_eq!(isolate.wakes.get(), 3);
        isolate.external_bytes.set(200);
        isolate.run();
        assert_eq!(look(&mut watch, &isolate), Some(200));
    }
}
