//! One node as the engine keeps it.

use std::collections::{BTreeMap, VecDeque};

use foundation_machine::{Micros, NodeLife, NodeNo, PeerId};

use super::event::Event;
use super::link::{Awaited, LinkRef};
use crate::clock::Clock;
use crate::subject::Subject;

/// How a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not begun, or its process has ended: dials are refused.
    Down,
    /// Its machine has no power: dials time out.
    Dark,
    /// It left.
    Left,
    /// It lives and stands still.
    Still,
    /// It lives.
    Up,
}

#[derive(Debug)]
pub(super) struct Host<S: Subject> {
    pub(super) subject: Option<S>,
    pub(super) id: PeerId,
    /// Counts lives, so that events of an ended one are known.
    pub(super) run: u32,
    pub(super) standing: Standing,
    pub(super) clock: Clock,
    /// Addresses that it begins with.
    pub(super) seeds: Vec<u32>,
    /// Its links by the other node.
    pub(super) links: BTreeMap<u32, LinkRef>,
    /// Links that it has closed and not heard of yet.
    pub(super) releasing: Vec<PeerId>,
    /// Links on their way to it.
    pub(super) opening: Vec<LinkRef>,
    pub(super) dials: BTreeMap<u32, Attempt>,
    pub(super) wake_at: Micros,
    /// What came while it stood still or was at work.
    pub(super) backlog: VecDeque<Event<S::Message>>,
    pub(super) is_draining: bool,
    /// How long an input takes it.
    pub(super) cost: Micros,
    pub(super) free_at: Micros,
    pub(super) called_at: Micros,
    pub(super) calls_at_once: u32,
    pub(super) last_sent: Micros,
}

/// A dial under way.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) awaited: Awaited,
    pub(super) gives_up_at: Micros,
}

impl<S: Subject> Host<S> {
    pub(super) fn new(node: u32, seeds: Vec<u32>) -> Host<S> {
        Host {
            subject: None,
            id: PeerId { node: NodeNo(node), life: NodeLife::default() },
            run: 0,
            standing: Standing::Down,
            clock: Clock::default(),
            seeds,
            links: BTreeMap::new(),
            releasing: Vec::new(),
            opening: Vec::new(),
            dials: BTreeMap::new(),
            wake_at: Micros::NEVER,
            backlog: VecDeque::new(),
            is_draining: false,
            cost: Micros(0),
            free_at: Micros(0),
            called_at: Micros(0),
            calls_at_once: 0,
            last_sent: Micros(0),
        }
    }

    /// Whether what comes now has to wait.
    pub(super) fn is_behind(&self, now: Micros) -> bool {
        self.standing == Standing::Still || self.free_at > now || !self.backlog.is_empty()
    }
}
