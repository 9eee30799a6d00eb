//! An isolate as the watchdog sees it.

use crate::names::Owner;

/// What can be asked of an isolate from any thread. It answers between two steps of its JavaScript;
/// none of these calls waits for that, and each is harmless once the isolate is gone.
pub trait Watched {
    /// For how long its event loop has not polled, in microseconds; 0 while it polls.
    fn running_us(&self) -> u64;

    /// Asks for its stack. Answers with the number of the request, 0 where the isolate is gone.
    fn ask_stack(&self) -> u32;

    /// The stack that answers a request, one frame a line, the innermost first; `None` so far.
    fn take_stack(&self, request: u32) -> Option<String>;

    /// Asks for the memory that its objects keep outside of its heap; as [`Watched::ask_stack`].
    fn ask_memory(&self) -> u32;

    /// The bytes that answer a request; `None` so far.
    fn take_memory(&self, request: u32) -> Option<u64>;

    /// Has a loop that waits run some JavaScript.
    fn wake(&self);

    /// Ends its worker, whatever it runs; false where it is gone.
    fn terminate(&self) -> bool;
}

/// An attached isolate of a node.
#[derive(Debug)]
pub struct Listed<I> {
    /// Its place.
    pub owner: Owner,
    /// Number of its thread at Node.
    pub thread: u32,
    /// The isolate itself.
    pub isolate: I,
}

/// The attached isolates of a process.
pub trait Isolates {
    /// What is watched.
    type Isolate: Watched;

    /// An isolate of a node, if it is still the one meant and can be interrupted.
    fn find(&self, node: u32, owner: Owner) -> Option<Self::Isolate>;

    /// Every isolate of a node that can be interrupted.
    fn list(&self, node: u32) -> Vec<Listed<Self::Isolate>>;
}

/// An isolate that answers when the test says so.
#[cfg(test)]
pub(crate) mod fake {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use super::{Isolates, Listed, Watched};
    use crate::names::Owner;

    #[derive(Debug, Default)]
    pub(crate) struct FakeIsolate {
        pub(crate) running_us: Cell<u64>,
        pub(crate) requests: Cell<u32>,
        pub(crate) answered: Cell<u32>,
        pub(crate) wakes: Cell<u32>,
        pub(crate) external_bytes: Cell<u64>,
        pub(crate) is_gone: Cell<bool>,
        pub(crate) is_ended: Cell<bool>,
    }

    impl FakeIsolate {
        /// It runs JavaScript, and with it answers what it was asked.
        pub(crate) fn run(&self) {
            self.answered.set(self.requests.get());
        }

        fn ask(&self) -> u32 {
            self.requests.set(self.requests.get() + 1);
            self.requests.get()
        }
    }

    /// Isolates of nodes.
    #[derive(Default)]
    pub(crate) struct FakeIsolates(RefCell<Vec<(u32, Owner, Rc<FakeIsolate>)>>);

    impl FakeIsolates {
        pub(crate) fn add(&self, node: u32, owner: Owner) -> Rc<FakeIsolate> {
            let isolate = Rc::new(FakeIsolate::default());
            self.0.borrow_mut().push((node, owner, Rc::clone(&isolate)));
            isolate
        }
    }

    impl Isolates for FakeIsolates {
        type Isolate = Rc<FakeIsolate>;

        fn find(&self, node: u32, owner: Owner) -> Option<Rc<FakeIsolate>> {
            let all = self.0.borrow();
            let found = all.iter().find(|(of, at, _)| (*of, *at) == (node, owner))?;
            Some(Rc::clone(&found.2))
        }

        fn list(&self, node: u32) -> Vec<Listed<Rc<FakeIsolate>>> {
            let all = self.0.borrow();
            let own = all.iter().filter(|(of, ..)| *of == node);
            let listed = |(_, owner, isolate): &(u32, Owner, Rc<FakeIsolate>)| Listed {
                owner: *owner,
                thread: 1,
                isolate: Rc::clone(isolate),
            };
            own.map(listed).collect()
        }
    }

    impl Watched for Rc<FakeIsolate> {
        fn running_us(&self) -> u64 {
            self.running_us.get()
        }

        fn ask_stack(&self) -> u32 {
            self.ask()
        }

        fn take_stack(&self, request: u32) -> Option<String> {
            (self.answered.get() >= request).then(|| format!("stack {request}"))
        }

        fn ask_memory(&self) -> u32 {
            self.ask()
        }

        fn take_memory(&self, request: u32) -> Option<u64> {
            (self.answered.get() >= request).then(|| self.external_bytes.get())
        }

        fn wake(&self) {
            self.wakes.set(self.wakes.get() + 1);
        }

        fn terminate(&self) -> bool {
            self.is_ended.set(!self.is_gone.get());
            !self.is_gone.get()
        }
    }
}
