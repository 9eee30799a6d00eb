//! What the application hears of a node's life, in the right order: that it is up before all else,
//! that it is down after all else.

use std::collections::{BTreeMap, VecDeque};

use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Planted};

use crate::event::{ClusterEvent, DownReason};

/// Messages that wait for news of their origin's being up, of all origins; more are dropped.
pub(crate) const HELD_MAX: usize = 4_096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    /// Down, and may come up again in the same life.
    Failed,
    /// Down for good.
    Gone,
}

#[derive(Debug)]
struct Held<B> {
    origin: PeerId,
    until: Micros,
    event: ClusterEvent<B>,
}

/// What the application has been told of each node.
#[derive(Debug)]
pub(crate) struct Gate<B> {
    /// The latest life of each node ever heard of: as many as the host has given numbers to.
    lives: BTreeMap<NodeNo, (NodeLife, State)>,
    held: VecDeque<Held<B>>,
    wait: Micros,
    planted: Planted,
    up: usize,
    /// Messages of a life that is over.
    pub(crate) stale: u64,
    /// Messages of a life of which no news came in time.
    pub(crate) unannounced: u64,
}

impl<B> Gate<B> {
    pub(crate) fn new(wait: Micros, planted: Planted) -> Self {
        Gate {
            lives: BTreeMap::new(),
            held: VecDeque::new(),
            wait,
            planted,
            up: 0,
            stale: 0,
            unannounced: 0,
        }
    }

    fn state(&self, peer: PeerId) -> Option<State> {
        let (life, state) = self.lives.get(&peer.node)?;
        match peer.life.cmp(life) {
            std::cmp::Ordering::Less => Some(State::Gone),
            std::cmp::Ordering::Equal => Some(*state),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// Whether that life is up.
    pub(crate) fn is_up(&self, peer: PeerId) -> bool {
        self.state(peer) == Some(State::Up)
    }

    /// Whether that life is down, for good or for now.
    pub(crate) fn is_down(&self, peer: PeerId) -> bool {
        matches!(self.state(peer), Some(State::Gone | State::Failed))
    }

    /// Whether that life never comes again.
    pub(crate) fn is_gone(&self, peer: PeerId) -> bool {
        self.state(peer) == Some(State::Gone)
    }

    /// Nodes that are up.
    pub(crate) fn up(&self) -> usize {
        self.up
    }

    /// A life is up: what waited for that follows. Answers nothing if the application knows.
    pub(crate) fn come_up(&mut self, peer: PeerId) -> Vec<ClusterEvent<B>> {
        if self.is_up(peer) || self.is_gone(peer) {
            return Vec::new();
        }
        let mut events = Vec::new();
        if let Some((life, State::Up)) = self.lives.insert(peer.node, (peer.life, State::Up)) {
            let (peer, reason) = (PeerId { life, ..peer }, DownReason::Replaced);
            events.push(ClusterEvent::NodeDown { peer, reason });
            self.up -= 1;
        }
        self.up += 1;
        events.push(ClusterEvent::NodeUp(peer));
        let (ready, held) = std::mem::take(&mut self.held)
            .into_iter()
            .partition::<VecDeque<_>, _>(|held| held.origin == peer);
        self.held = held;
        events.extend(ready.into_iter().map(|held| held.event));
        events
    }

    /// A life is down. Answers whether the application thought it up.
    pub(crate) fn go_down(&mut self, peer: PeerId, is_final: bool) -> bool {
        let before = self.state(peer);
        let is_other_life_up =
            before.is_none() && matches!(self.lives.get(&peer.node), Some((_, State::Up)));
        if before == Some(State::Gone) || is_other_life_up {
            return false;
        }
        let state = if is_final { State::Gone } else { State::Failed };
        self.lives.insert(peer.node, (peer.life, state));
        if is_final {
            self.held.retain(|held| held.origin != peer);
        }
        let was_up = before == Some(State::Up);
        self.up -= usize::from(was_up);
        was_up
    }

    /// A message of that origin; answers it where the application may hear it now.
    pub(crate) fn pass(
        &mut self,
        origin: PeerId,
        event: ClusterEvent<B>,
        now: Micros,
    ) -> Option<ClusterEvent<B>> {
        match self.state(origin) {
            Some(State::Up) => Some(event),
            Some(State::Gone) if self.planted.is("cluster_delivers_after_down") => Some(event),
            Some(State::Gone) => {
                self.stale += 1;
                None
            }
            Some(State::Failed) | None if self.planted.is("cluster_delivers_before_up") => {
                Some(event)
            }
            Some(State::Failed) | None => {
                if self.held.len() >= HELD_MAX {
                    self.held.pop_front();
                    self.unannounced += 1;
                }
                self.held.push_back(Held { origin, until: now + self.wait, event });
                None
            }
        }
    }

    /// Messages that wait for news of their origin.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn due(&self) -> Micros {
        self.held.front().map_or(Micros::NEVER, |held| held.until)
    }

    pub(crate) fn expire(&mut self, now: Micros) {
        while self.due() <= now {
            self.held.pop_front();
            self.unannounced += 1;
        }
    }
}
