//! Timers of a kernel thread: links, dials, stalled isolates, nodes on their way out.

use foundation_link::Micros;

use crate::cluster::MachineInput;
use crate::events;
use crate::lost_time::LostTime;
use crate::node::{Node, Phase};
use crate::state::{State, TICK_MAX, TICKS_APART};

/// A round that reads what lies unread takes about as long, where the thread keeps up.
const READ_SOON: Micros = Micros::from_millis(10);
/// A node with overlays is looked at this often though nothing is due.
const NODE_TICK_MAX: Micros = Micros::from_millis(250);
/// How often memory that nobody had meanwhile goes back to the system.
const IDLE_MEMORY_EVERY: Micros = Micros::from_millis(1_000);
/// Peers that have not answered a goodbye by then are left all the same.
const GOODBYE_LIMIT: Micros = Micros::from_millis(250);

impl State {
    /// Serves the timers, which were to be served at `planned`, or at once if that is 0.
    pub(crate) fn tick(&mut self, now: Micros, planned: Micros) {
        let planned = if planned == Micros(0) { self.ticked_at + TICK_MAX } else { planned };
        self.lost_time.tick(now, planned, self.pace.lost(now));
        self.ticked_at = now;
        self.measure_lag(now);
        if now.since(self.memory_given_back_at) >= IDLE_MEMORY_EVERY {
            self.memory_given_back_at = now;
            self.pool.give_back_idle();
        }
        let mut next = Micros::NEVER;
        for id in self.agenda.due(now) {
            let dials = self.start_dials(id, now);
            self.start_lane_dials(id);
            let Some(node) = self.nodes.get_mut(&id) else { continue };
            let own = dials.min(node.tick(now, &self.lost_time, self.pace.heard()));
            // Whatever changes meanwhile without saying so is found then. Nodes without overlays
            // say nothing: every tick is theirs too.
            let waits = node.has_overlays() && node.phase == Phase::Running;
            node.tick_at = if waits { own.min(now + NODE_TICK_MAX) } else { Micros(0) };
            self.agenda.plan(id, node.tick_at);
            self.activate(id);
            next = next.min(own);
        }
        let next = next.min(self.agenda.next_after(now));
        self.plan_tick(next.max(now + TICKS_APART));
    }

    /// Measures how long it takes until everything that is ready has had its turn: a task that is
    /// spawned now comes behind all of it.
    fn measure_lag(&self, now: Micros) {
        let Some(shared) = self.own.upgrade() else { return };
        if self.pace.begin(now) {
            self.runtime.spawn(async move {
                // Whatever is ready is found by a look at all sockets, and they come first.
                tokio::task::yield_now().await;
                let state = shared.lock();
                state.pace.end(crate::clock::now());
            });
        }
    }
}

impl Node {
    /// When it wants a tick before the one that is planned; never, if it does not.
    pub(crate) fn take_wanted_tick(&mut self) -> Micros {
        if std::mem::take(&mut self.is_tick_due) {
            self.tick_at = Micros(0);
            return Micros(0);
        }
        if self.has_overlays() { self.tick_at } else { Micros::NEVER }
    }

    /// Serves what is due; answers when it has to be called again.
    fn tick(&mut self, now: Micros, lost_time: &LostTime, heard: Micros) -> Micros {
        self.forgive_silence(lost_time.total(), now);
        let mut next = self.tick_links(now, heard);
        self.look_for_stalls(now);
        next = next.min(self.tick_cluster(now));
        next = next.min(self.go_on_leaving(now));
        next
    }

    /// Takes what this thread has lost in all for no silence of the peers.
    fn forgive_silence(&mut self, lost: Micros, now: Micros) {
        let more = lost.since(std::mem::replace(&mut self.forgiven, lost));
        if more == Micros(0) {
            return;
        }
        for peer in &mut self.peers {
            if let Some(active) = &mut peer.link {
                active.link.forgive(more, now);
            }
        }
    }

    /// Timers of links. No peer is given up before all is read that it may have said in time, that
    /// is what came before `heard`.
    fn tick_links(&mut self, now: Micros, heard: Micros) -> Micros {
        self.arrange_watch(now);
        let mut next = Micros::NEVER;
        for index in 0..self.peers.len() {
            let generation = self.peers[index].generation;
            let Some(active) = &mut self.peers[index].link else { continue };
            let at = active.link.next_timeout();
            if at > now {
                next = next.min(at);
                continue;
            }
            let silent_at = active.link.silent_at();
            if silent_at <= now && heard < silent_at {
                next = next.min(now + READ_SOON);
                continue;
            }
            if let Err(error) = active.link.handle_timeout(now) {
                self.end_link(index, generation, error.code());
                next = now;
                continue;
            }
            next = next.min(active.link.next_timeout());
            self.mark_dirty(index);
        }
        next
    }

    /// An isolate whose loop has run for too long makes the node busy, never down.
    fn look_for_stalls(&mut self, now: Micros) {
        let after = Micros::from_millis(self.options.busy_after_ms);
        let mut busy = 0;
        for isolate in self.isolates.iter_mut() {
            isolate.is_busy = isolate.mark.is_busy(now, after);
            busy += u16::from(isolate.is_busy);
        }
        let members = self.cluster.as_ref().map_or(0, |cluster| cluster.members.len());
        if let Some(isolates) = self.busy_word.say(busy, now, members) {
            self.tell_machine(MachineInput::Busy(isolates));
        }
        if busy == self.busy_isolates {
            return;
        }
        self.busy_isolates = busy;
        for index in 0..self.peers.len() {
            if let Some(active) = &mut self.peers[index].link {
                active.link.set_busy(busy);
            }
            self.mark_dirty(index);
        }
        let news = events::busy(&self.identity.node, busy);
        self.isolates.tell_all(&news);
    }

    pub(crate) fn begin_leaving(&mut self, deadline: Micros) {
        if self.phase != Phase::Running {
            return;
        }
        self.phase = Phase::Draining(deadline);
        self.tell_machine(MachineInput::Leave);
        self.run_cluster();
        if let Some(listener) = self.listener.take() {
            listener.abort();
        }
        for peer in &mut self.peers {
            peer.redial = None;
            if let Some(dial) = peer.dial.take() {
                dial.task.abort();
            }
        }
        for seed in &mut self.seeds {
            seed.abort();
        }
    }

    fn go_on_leaving(&mut self, now: Micros) -> Micros {
        let soon = now + Micros::from_millis(2);
        match self.phase {
            Phase::Running | Phase::Left => Micros::NEVER,
            Phase::Draining(deadline) => {
                let has_told = self.has_said_goodbye || !self.has_overlays();
                let is_drained = self.is_drained() && has_told;
                if !is_drained && now < deadline {
                    return soon;
                }
                self.was_drained = is_drained;
                for index in 0..self.peers.len() {
                    if let Some(active) = &mut self.peers[index].link {
                        active.link.leave("left");
                    }
                    self.mark_dirty(index);
                }
                self.phase = Phase::SayingGoodbye(deadline.max(now + GOODBYE_LIMIT));
                soon
            }
            Phase::SayingGoodbye(deadline) => {
                // A peer that has read the goodbye, and all before it, closes the link. To close it
                // here while bytes of the peer lie unread would reset it, and what is not yet sent
                // would be lost with it.
                let is_heard = self.peers.iter().all(|peer| peer.link.is_none());
                if !is_heard && now < deadline {
                    return soon;
                }
                self.phase = Phase::Left;
                for index in 0..self.peers.len() {
                    let generation = self.peers[index].generation;
                    self.peers[index].is_leaving = true;
                    self.end_link(index, generation, "left");
                }
                let news = events::left(self.was_drained);
                self.isolates.tell_all(&news);
                Micros::NEVER
            }
        }
    }
}
