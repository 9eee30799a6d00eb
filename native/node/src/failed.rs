//! A kernel thread after its panic: its sockets are closed, its isolates are told, and all it still
//! does is to let isolates go, whose memory may not be freed under their hands.

use std::sync::mpsc::Receiver;

use crate::command::Command;
use crate::names::Owner;
use crate::node::Node;
use crate::state::{SharedState, State};

/// Tells everybody, then lets isolates go until the thread is shut down.
pub(crate) fn serve_failed(state: &SharedState) {
    let inbox = state.lock().fail();
    while let Ok(command) = inbox.recv() {
        match command {
            Command::Detach { node, owner, answer } => {
                let is_over = state.lock().bury(node, owner);
                let _ = answer.send(Ok(is_over)); // as for a sound node
            }
            Command::Shutdown => return,
            _ => {} // whoever asked hears the reason: its answer is dropped here
        }
    }
}

impl State {
    fn fail(&mut self) -> Receiver<Command> {
        for node in self.nodes.values_mut() {
            // Isolates first: what is left of the links may well panic again.
            node.isolates.iter().for_each(|isolate| isolate.bell.fail());
        }
        self.nodes.values_mut().for_each(Node::close_sockets);
        self.take_inbox()
    }

    /// Frees what an isolate had; true when it was the last one of its node.
    fn bury(&mut self, id: u32, owner: Owner) -> bool {
        let Some(node) = self.nodes.get_mut(&id) else { return false };
        if let Some(isolate) = node.isolates.remove(owner) {
            isolate.dismantle(&self.pool);
        }
        node.pairs.close_all(&self.pool, owner);
        let is_over = node.isolates.iter().next().is_none();
        if is_over && let Some(node) = self.nodes.remove(&id) {
            self.nodes_changed();
            node.dismantle(&self.pool);
        }
        is_over
    }
}
