//! What waits for the thread of a store, and what it has answered.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Code, Result, StoreError};
use crate::worker::{Command, Completion};

/// Appends that are committed together: what the smallest store takes at once. Unit: bytes.
const GROUP_BYTES: usize = 4 << 20;
/// Commands that wait at once.
const COMMANDS_MAX: usize = 1 << 14;

/// What the thread does next.
pub(crate) enum Work {
    /// Appends that are committed together, by the numbers of their requests.
    Append(Vec<u32>, Vec<u8>),
    /// Anything else.
    Other(u32, Command),
    /// Nothing: it is to end.
    Stop,
}

#[derive(Default)]
struct State {
    commands: VecDeque<(u32, Command)>,
    /// Bytes of appends that are not acknowledged yet.
    pending: usize,
    completions: Vec<Completion>,
    /// Why nothing is taken any more.
    closed: Option<StoreError>,
}

/// Between the threads that use a store and the one that owns it.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    pending_max: usize,
}

impl Queue {
    pub(crate) fn new(pending_max: usize) -> Queue {
        Queue { pending_max, ..Queue::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a command wait its turn.
    pub(crate) fn push(&self, request: u32, command: Command) -> Result<()> {
        let mut state = self.lock();
        if let Some(error) = &state.closed {
            return Err(error.clone());
        }
        let is_closing = matches!(command, Command::Close); // which always has its turn
        if state.commands.len() >= COMMANDS_MAX && !is_closing {
            let text = format!("{COMMANDS_MAX} commands wait already");
            return Err(StoreError::new(Code::Overloaded, text));
        }
        if let Command::Append(records) = &command {
            let bytes = state.pending + records.len();
            if bytes > self.pending_max {
                let text = format!(
                    "{bytes} bytes would wait to be acknowledged, and at most {} may",
                    self.pending_max
                );
                return Err(StoreError::new(Code::Overloaded, text));
            }
            state.pending = bytes;
        }
        if is_closing {
            state.closed = Some(closed());
        }
        state.commands.push_back((request, command));
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Takes nothing more; the thread ends when it has done what waits.
    pub(crate) fn close(&self, reason: Option<StoreError>) {
        self.lock().closed.get_or_insert(reason.unwrap_or_else(closed));
        self.arrived.notify_one();
    }

    /// What is to be done next; waits for it.
    pub(crate) fn next(&self) -> Work {
        let mut state = self.lock();
        loop {
            match state.commands.pop_front() {
                Some((request, Command::Append(records))) => return state.group(request, records),
                Some((request, command)) => return Work::Other(request, command),
                None if state.closed.is_some() => return Work::Stop,
                None => {
                    state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Adds answers, to be taken; `bytes` of appends are pending no more.
    pub(crate) fn complete(&self, completions: impl Iterator<Item = Completion>, bytes: usize) {
        let mut state = self.lock();
        state.pending -= bytes;
        state.completions.extend(completions);
    }

    /// The answers that nobody took yet.
    pub(crate) fn take(&self) -> Vec<Completion> {
        std::mem::take(&mut self.lock().completions)
    }
}

impl State {
    fn group(&mut self, request: u32, mut records: Vec<u8>) -> Work {
        let mut requests = vec![request];
        while let Some((_, Command::Append(more))) = self.commands.front()
            && records.len() + more.len() <= GROUP_BYTES
        {
            if let Some((request, Command::Append(more))) = self.commands.pop_front() {
                requests.push(request);
                records.extend(more);
            }
        }
        Work::Append(requests, records)
    }
}

fn closed() -> StoreError {
    StoreError::new(Code::Closed, "the event log is closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue that takes no more commands.
    fn full() -> Queue {
        let queue = Queue::new(1_000);
        for request in 1..=COMMANDS_MAX as u32 {
            queue.push(request, Command::Get(1)).expect("taken");
        }
        queue
    }

    #[test]
    fn an_append_that_finds_no_place_leaves_its_bytes_to_others() {
        let queue = full();
        let append = || Command::Append(vec![0; 600]);
        let refused = queue.push(20_000, append()).expect_err("it is full");
        assert_eq!(refused.code, Code::Overloaded);
        assert!(matches!(queue.next(), Work::Other(1, Command::Get(1))));
        queue.push(20_001, append()).expect("taken");
    }

    #[test]
    fn a_close_has_its_turn_when_nothing_else_is_taken() {
        let queue = full();
        assert!(queue.push(20_000, Command::Get(1)).is_err());
        queue.push(20_001, Command::Close).expect("taken");
        let taken = std::iter::from_fn(|| match queue.next() {
            Work::Other(request, _) => Some(request),
            _ => None,
        });
        assert_eq!(taken.last(), Some(20_001));
    }
}
