//! A process that was forked without exec hears so, at once, from whatever it asks of a kernel
//! thread that stayed with its parent.

#![cfg(unix)]

use std::ptr::NonNull;

use foundation_buffer::{ArenaMemory, Pool};
use foundation_node::{Kernel, NodeError, is_forked};

const ARENA_BYTES: usize = 16 << 20;

fn pool() -> Pool {
    let memory = Box::leak(vec![0_u8; ARENA_BYTES].into_boxed_slice());
    let start = NonNull::new(memory.as_mut_ptr()).expect("a leaked box has an address");
    // SAFETY: the bytes are leaked, so they live as long as the process, and nobody else has them.
    Pool::new(unsafe { ArenaMemory::new(start, ARENA_BYTES) })
}

/// What the child found, as an exit code: 0, or the number of the expectation that failed.
fn in_child(kernel: &Kernel) -> i32 {
    let code = |answer: Result<(), NodeError>| answer.err().map(|error| error.code);
    let answers = [
        code(kernel.metrics(1).map(drop)),
        code(kernel.join(1, Vec::new())),
        code(Kernel::start(pool(), None).map(drop)),
    ];
    if !is_forked() {
        return 1;
    }
    if answers.iter().any(|answer| *answer != Some("process_forked")) {
        return 2;
    }
    kernel.ring(1);
    kernel.shutdown(); // would wait for a thread that is not there
    0
}

#[test]
fn the_child_is_refused_and_the_parent_goes_on() {
    let kernel = Kernel::start(pool(), None).expect("a kernel thread starts");
    // SAFETY: the child allocates, which the system's allocator allows after a fork, asks, and ends
    // without running anything of the test's frame.
    let child = unsafe { libc::fork() };
    assert_ne!(child, -1, "the system refused the fork");
    if child == 0 {
        let code = in_child(&kernel);
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: `status` is a variable of this frame.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(waited, child);
    assert!(libc::WIFEXITED(status), "the child ended by a signal");
    assert_eq!(libc::WEXITSTATUS(status), 0, "an expectation of the child failed");
    assert!(!is_forked());
    let answer = kernel.metrics(1).expect_err("no node runs on the thread");
    assert_eq!(answer.code, "unknown_node", "the parent's thread answers as before");
    kernel.shutdown();
}
