//! What is done to nodes and to the network from outside.

use foundation_cluster::LinkEnd;
use foundation_machine::{Micros, NodeLife, PeerId, Rng};

use super::event::Event;
use super::host::{Host, Standing};
use super::link::{EndState, LinkRef};
use super::{Observer, World};
use crate::census::Mark;
use crate::subject::{Ask, Given, Subject};

/// From the goodbye to the end of the process.
const GOODBYE: Micros = Micros::from_millis(100);

impl<S: Subject, O: Observer<S>> World<S, O> {
    /// Adds a node that is down, with the nodes whose addresses it knows.
    pub fn add_node(&mut self, seeds: Vec<u32>) -> u32 {
        let node = self.count();
        self.hosts.push(Host::new(node, seeds));
        self.network.add_node();
        node
    }

    /// Begins a new life of a node that has none.
    pub fn start(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        if host.subject.is_some() {
            return;
        }
        let was_dark = host.standing == Standing::Dark;
        host.run += 1;
        self.census.add(if host.run == 1 { Mark::Start } else { Mark::Restart });
        let stream = u64::from(node) << 20 | u64::from(host.run);
        let random = Rng::of_stream(self.seed, stream << 4 | 7).next_u64();
        let life = NodeLife { start: u64::from(host.run), random };
        host.id = PeerId { node: host.id.node, life };
        host.standing = Standing::Up;
        (host.free_at, host.wake_at) = (self.now, Micros::NEVER);
        let rng = Rng::of_stream(self.seed, stream << 4 | 3);
        let own = host.clock.own(self.now);
        let (id, seeds) = (host.id, host.seeds.len());
        host.subject = Some((self.make)(id, rng, own));
        self.observer.started(node, id, self.now);
        if was_dark {
            self.answer_old_links(node);
        }
        self.give(node, Given::Seeds(u32::try_from(seeds).expect("fewer than 2^32 seeds")));
    }

    // What comes for a connection of before the power went is answered by a reset.
    fn answer_old_links(&mut self, node: u32) {
        let old: Vec<_> =
            std::mem::take(&mut self.hosts[node as usize].links).into_values().collect();
        for link in old {
            let Some(found) = self.links.get(link) else { continue };
            let end = found.end_of(node);
            found.ends[end].is_dark = false;
            found.ends[1 - end].held.clear();
            self.refresh(link);
            let down = Event::LinkDown { link, end: 1 - end, how: LinkEnd::Lost };
            self.transmit(link, 1 - end, down);
        }
    }

    /// The process ends; where peers can be reached they see a reset.
    pub fn crash(&mut self, node: u32) {
        if self.end_life(node, Standing::Down, Some(LinkEnd::Lost)) {
            self.census.add(Mark::Crash);
        }
    }

    /// The machine falls silent at once.
    pub fn lose_power(&mut self, node: u32) {
        if self.end_life(node, Standing::Dark, None) {
            self.census.add(Mark::PowerLoss);
        }
    }

    /// The node says goodbye and ends a moment later.
    pub fn leave(&mut self, node: u32) {
        if self.ask(node, Ask::Leave) {
            let run = self.hosts[node as usize].run;
            self.queue.push(self.now + GOODBYE, Event::Stop { node, run });
        }
    }

    /// Ends a node's life; answers whether it had one. `told`: how its links end for the peers.
    pub(super) fn end_life(
        &mut self,
        node: u32,
        standing: Standing,
        told: Option<LinkEnd>,
    ) -> bool {
        let host = &mut self.hosts[node as usize];
        if host.subject.take().is_none() {
            return false;
        }
        // What still is on its way to this life finds another run.
        host.run += 1;
        host.standing = standing;
        host.backlog.clear();
        (host.is_draining, host.wake_at) = (false, Micros::NEVER);
        host.dials.clear();
        host.releasing.clear();
        let id = host.id;
        let links: Vec<_> = host.links.values().copied().collect();
        for link in links {
            self.end_link(link, node, told);
        }
        self.end_accepting(node, told);
        self.observer.ended(node, id, self.now);
        true
    }

    // Links that this node had not heard of yet end with it.
    fn end_accepting(&mut self, node: u32, told: Option<LinkEnd>) {
        for link in std::mem::take(&mut self.hosts[node as usize].opening) {
            self.end_link(link, node, told);
        }
    }

    /// Ends this node's side of a link; the other one is told how, or of nothing.
    fn end_link(&mut self, link: LinkRef, node: u32, told: Option<LinkEnd>) {
        let Some(found) = self.links.get(link) else { return };
        let end = found.end_of(node);
        match told {
            Some(how) => self.close(link, end, how),
            None => self.darken(link, end),
        }
        self.forget_closed(link);
    }

    fn darken(&mut self, link: LinkRef, end: usize) {
        let Some(found) = self.links.get(link) else { return };
        found.ends[end].is_dark = true;
        found.ends[end].state = EndState::Closed;
        self.refresh(link);
    }

    /// The node stands still: it neither handles nor ticks, and its links fall silent.
    pub fn pause(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        if host.standing != Standing::Up {
            return;
        }
        host.standing = Standing::Still;
        self.census.add(Mark::Pause);
        self.refresh_links_of(node);
    }

    /// A node that stood still goes on, first with what has come meanwhile.
    pub fn resume(&mut self, node: u32) {
        let now = self.now;
        let host = &mut self.hosts[node as usize];
        if host.standing != Standing::Still {
            return;
        }
        host.standing = Standing::Up;
        (host.free_at, host.wake_at) = (now, Micros::NEVER);
        self.census.add(Mark::Resume);
        self.refresh_links_of(node);
        self.schedule_drain(node);
        self.schedule_wake(node);
    }

    /// From now on the node's clock runs at that rate. Unit: millionths; 1,000,000 is right.
    pub fn set_clock(&mut self, node: u32, millionths: u64) {
        let now = self.now;
        let host = &mut self.hosts[node as usize];
        host.clock.set_rate(millionths.max(1), now);
        host.wake_at = Micros::NEVER;
        self.census.add(Mark::Drift);
        self.schedule_wake(node);
    }

    /// From now on the node takes that long for every input.
    pub fn set_slow(&mut self, node: u32, cost: Micros) {
        self.hosts[node as usize].cost = cost;
        self.census.add(Mark::Slow);
    }

    /// Nodes reach each other from now on that have a bit of `sides` in common.
    pub fn partition(&mut self, sides: impl Fn(u32) -> u8) {
        let all: Vec<u8> = (0..self.count()).map(&sides).collect();
        let together = all.iter().fold(u8::MAX, |left, &bits| left & bits);
        let is_bridged = together == 0 && all.iter().any(|bits| bits.count_ones() > 1);
        self.census.add(if is_bridged { Mark::Bridge } else { Mark::Partition });
        for (node, &bits) in (0..).zip(&all) {
            self.network.set_side(node, bits);
        }
        self.refresh_all();
    }

    /// What `from` sends does not reach `to` any more, or does again.
    pub fn cut(&mut self, from: u32, to: u32, is_cut: bool) {
        self.network.set_cut(from, to, is_cut);
        if is_cut {
            self.census.add(Mark::OneWay);
        }
        if let Some(link) = self.hosts[from as usize].links.get(&to).copied() {
            self.refresh(link);
        }
        if let Some(link) = self.hosts[to as usize].links.get(&from).copied() {
            self.refresh(link);
        }
    }

    /// Everything that was cut is joined again.
    pub fn heal(&mut self) {
        self.census.add(Mark::Heal);
        self.network.heal();
        self.refresh_all();
    }

    /// The connection between two nodes is reset while both live. Answers whether there was one.
    pub fn reset(&mut self, one: u32, other: u32) -> bool {
        let Some(link) = self.hosts[one as usize].links.get(&other).copied() else { return false };
        self.census.add(Mark::Reset);
        for end in 0..2 {
            self.queue.push(self.now, Event::LinkDown { link, end, how: LinkEnd::Lost });
        }
        true
    }

    /// The nodes that a node has links to, in order.
    #[must_use]
    pub fn linked(&self, node: u32) -> Vec<u32> {
        self.hosts[node as usize].links.keys().copied().collect()
    }

    fn refresh_links_of(&mut self, node: u32) {
        let links: Vec<_> = self.hosts[node as usize].links.values().copied().collect();
        for link in links {
            self.refresh(link);
        }
    }

    fn refresh_all(&mut self) {
        for link in self.links.used() {
            self.refresh(link);
        }
    }
}
