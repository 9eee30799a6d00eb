//! A connection between two nodes, as each end sees it.

use std::collections::VecDeque;

use foundation_machine::{Micros, PeerId};

use super::event::Event;

/// Which link, and which use of its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkRef {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// What an end knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndState {
    /// Its machine has not been told yet.
    Opening,
    /// Its machine knows of the link.
    Up,
    /// It has closed, or been told that the link is gone.
    Closed,
}

#[derive(Debug)]
pub(crate) struct End<M> {
    pub(crate) node: u32,
    pub(crate) id: PeerId,
    pub(crate) state: EndState,
    /// When the last of what is on its way to this end arrives: nothing overtakes it.
    pub(crate) last_arrival: Micros,
    /// Since when nothing can reach this end.
    pub(crate) quiet_since: Option<Micros>,
    /// What waits for the way to this end to open again, in order.
    pub(crate) held: VecDeque<Event<M>>,
    /// The machine at this end lost its power: nothing more is sent, not even a reset.
    pub(crate) is_dark: bool,
    /// A dial of this end that this link is to answer.
    pub(crate) awaited: Option<Awaited>,
}

/// A dial that a crossing one came before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Awaited {
    pub(crate) peers: Vec<PeerId>,
    pub(crate) is_seed: bool,
}

#[derive(Debug)]
pub(crate) struct Link<M> {
    pub(crate) generation: u32,
    pub(crate) is_used: bool,
    pub(crate) ends: [End<M>; 2],
}

impl<M> Link<M> {
    /// Which end a node is.
    pub(crate) fn end_of(&self, node: u32) -> usize {
        usize::from(self.ends[0].node != node)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.ends.iter().all(|end| end.state == EndState::Closed)
    }
}

impl<M> End<M> {
    pub(crate) fn new(node: u32, id: PeerId, state: EndState, now: Micros) -> End<M> {
        End {
            node,
            id,
            state,
            last_arrival: now,
            quiet_since: None,
            held: VecDeque::new(),
            is_dark: false,
            awaited: None,
        }
    }
}

/// All links of a run; places are used again.
#[derive(Debug)]
pub(crate) struct Links<M> {
    all: Vec<Link<M>>,
    free: Vec<u32>,
}

impl<M> Default for Links<M> {
    fn default() -> Self {
        Links { all: Vec::new(), free: Vec::new() }
    }
}

impl<M> Links<M> {
    pub(crate) fn add(&mut self, ends: [End<M>; 2]) -> LinkRef {
        if let Some(index) = self.free.pop() {
            let link = &mut self.all[index as usize];
            (link.ends, link.is_used) = (ends, true);
            return LinkRef { index, generation: link.generation };
        }
        self.all.push(Link { generation: 0, is_used: true, ends });
        let index = u32::try_from(self.all.len() - 1).expect("fewer than 2^32 links");
        LinkRef { index, generation: 0 }
    }

    /// The link, if its place has not been given to another since.
    pub(crate) fn get(&mut self, link: LinkRef) -> Option<&mut Link<M>> {
        let found = &mut self.all[link.index as usize];
        (found.is_used && found.generation == link.generation).then_some(found)
    }

    pub(crate) fn remove(&mut self, link: LinkRef) {
        let Some(found) = self.get(link) else { return };
        found.generation += 1;
        found.is_used = false;
        found.ends.iter_mut().for_each(|end| end.held.clear());
        self.free.push(link.index);
    }

    /// Those in use, in order of their places.
    pub(crate) fn used(&self) -> Vec<LinkRef> {
        let places = self.all.iter().enumerate().filter(|(_, link)| link.is_used);
        let of = |(index, link): (usize, &Link<M>)| LinkRef {
            index: u32::try_from(index).expect("fewer than 2^32 links"),
            generation: link.generation,
        };
        places.map(of).collect()
    }
}
