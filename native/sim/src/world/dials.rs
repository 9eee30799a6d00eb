//! Links come up: dials, what they meet, and the accepting end.

use foundation_cluster::LinkEnd;
use foundation_machine::{Micros, PeerId};

use super::event::Event;
use super::host::{Attempt, Standing};
use super::link::{Awaited, End, EndState, LinkRef};
use super::{Observer, World};
use crate::census::Mark;
use crate::subject::{Given, Subject};

impl<S: Subject, O: Observer<S>> World<S, O> {
    pub(super) fn dial(&mut self, node: u32, peer: PeerId) {
        self.attempt(node, peer.node.0, Some(peer));
    }

    pub(super) fn dial_seed(&mut self, node: u32, pick: u32) {
        let seeds = &self.hosts[node as usize].seeds;
        let count = u32::try_from(seeds.len()).expect("fewer than 2^32 seeds");
        // Without an address the dial goes to the node itself and fails like any such.
        let target = if count == 0 { node } else { seeds[(pick % count) as usize] };
        self.attempt(node, target, None);
    }

    /// Begins a dial, or joins the one under way to the same node.
    fn attempt(&mut self, node: u32, target: u32, peer: Option<PeerId>) {
        let timeout = self.network.options.dial_timeout;
        let is_known = (target as usize) < self.hosts.len();
        let takes = if target == node || !is_known || self.link_up(node, target).is_some() {
            Micros(0)
        } else {
            self.network.round_trip(node, target)
        };
        let gives_up_at = self.now + timeout.max(takes);
        if takes > Micros(0) && self.hosts[target as usize].dials.contains_key(&node) {
            self.census.add(Mark::Crossing);
        }
        let host = &mut self.hosts[node as usize];
        let run = host.run;
        let is_new = !host.dials.contains_key(&target);
        let attempt = host
            .dials
            .entry(target)
            .or_insert_with(|| Attempt { awaited: Awaited::default(), gives_up_at });
        match peer {
            Some(peer) if attempt.awaited.peers.contains(&peer) => {}
            Some(peer) => attempt.awaited.peers.push(peer),
            None => attempt.awaited.is_seed = true,
        }
        if is_new {
            let event = Event::DialDone { node, run, target, is_last: false };
            self.queue.push(self.now + takes, event);
        }
    }

    /// The link to a node whose own end is up.
    fn link_up(&mut self, node: u32, target: u32) -> Option<LinkRef> {
        let link = *self.hosts[node as usize].links.get(&target)?;
        let found = self.links.get(link)?;
        (found.ends[found.end_of(node)].state == EndState::Up).then_some(link)
    }

    pub(super) fn dial_done(&mut self, node: u32, target: u32, is_last: bool) {
        let now = self.now;
        if let Some(link) = self.link_up(node, target) {
            let found = self.links.get(link).expect("it was just there");
            let other = &found.ends[1 - found.end_of(node)];
            let is_stale =
                other.state == EndState::Closed || other.id != self.hosts[target as usize].id;
            if !is_stale {
                let id = other.id;
                return self.answer(node, target, id, true);
            }
        }
        let is_known = target != node && (target as usize) < self.hosts.len();
        let standing = if is_known { self.standing(target) } else { Standing::Down };
        let reaches =
            is_known && self.network.reaches(node, target) && self.network.reaches(target, node);
        if is_known && (!reaches || matches!(standing, Standing::Dark | Standing::Still)) {
            let Some(attempt) = self.hosts[node as usize].dials.get(&target) else { return };
            if is_last || attempt.gives_up_at <= now {
                self.census.add(Mark::TimedOut);
                return self.fail(node, target);
            }
            let (at, run) = (attempt.gives_up_at, self.hosts[node as usize].run);
            return self.queue.push(at, Event::DialDone { node, run, target, is_last: true });
        }
        if standing != Standing::Up {
            self.census.add(Mark::Refused);
            return self.fail(node, target);
        }
        if let Some(link) = self.opening_from(target, node) {
            // The other's dial came first: its link answers this one.
            let awaited = self.hosts[node as usize].dials.remove(&target).map(|it| it.awaited);
            let found = self.links.get(link).expect("it was just there");
            let end = found.end_of(node);
            found.ends[end].awaited = awaited;
            return;
        }
        self.connect(node, target);
    }

    /// The link that `from` has up and `to` has not heard of yet.
    fn opening_from(&mut self, from: u32, to: u32) -> Option<LinkRef> {
        let link = self.link_up(from, to)?;
        let to_id = self.hosts[to as usize].id;
        let found = self.links.get(link)?;
        let end = &found.ends[found.end_of(to)];
        (end.state == EndState::Opening && end.id == to_id).then_some(link)
    }

    fn connect(&mut self, node: u32, target: u32) {
        let now = self.now;
        self.replace(node, target);
        let (id, peer) = (self.hosts[node as usize].id, self.hosts[target as usize].id);
        let ends =
            [End::new(node, id, EndState::Up, now), End::new(target, peer, EndState::Opening, now)];
        let link = self.links.add(ends);
        self.hosts[node as usize].links.insert(target, link);
        self.hosts[target as usize].opening.push(link);
        self.transmit(link, 1, Event::LinkUp { link, end: 1 });
        self.answer(node, target, peer, false);
        self.begin_round_trips(link, 0);
    }

    /// Closes the link that an end still held to the same node.
    fn replace(&mut self, node: u32, target: u32) {
        let Some(old) = self.hosts[node as usize].links.get(&target).copied() else { return };
        let Some(found) = self.links.get(old) else { return };
        let end = found.end_of(node);
        self.census.add(Mark::Replaced);
        self.close(old, end, LinkEnd::Lost);
        let peer = self.links.get(old).map(|found| found.ends[1 - end].id);
        if let Some(peer) = peer {
            self.give(node, Given::LinkDown { peer, end: LinkEnd::Lost });
        }
        self.forget_closed(old);
    }

    /// The accepting end hears of the link.
    pub(super) fn accept(&mut self, link: LinkRef, end: usize) {
        let Some(found) = self.links.get(link) else { return };
        if found.ends[end].state != EndState::Opening {
            return;
        }
        let (node, other) = (found.ends[end].node, found.ends[1 - end].node);
        let peer = found.ends[1 - end].id;
        self.hosts[node as usize].opening.retain(|&it| it != link);
        self.replace(node, other);
        let Some(found) = self.links.get(link) else { return };
        found.ends[end].state = EndState::Up;
        let awaited = found.ends[end].awaited.take();
        self.hosts[node as usize].links.insert(other, link);
        if let Some(awaited) = awaited {
            let gives_up_at = self.now;
            self.hosts[node as usize].dials.insert(other, Attempt { awaited, gives_up_at });
        }
        self.answer(node, other, peer, false);
        self.begin_round_trips(link, end);
    }

    /// A link is up: the dials that waited for it have their answer.
    fn answer(&mut self, node: u32, target: u32, peer: PeerId, was_up: bool) {
        let attempt = self.hosts[node as usize].dials.remove(&target);
        let awaited = attempt.map(|it| it.awaited).unwrap_or_default();
        if awaited.is_seed {
            self.census.add(Mark::SeedAnswered);
        }
        if !was_up || awaited.is_seed || awaited.peers.contains(&peer) {
            self.give(node, Given::LinkUp { peer, is_seed: awaited.is_seed });
        }
        for other in awaited.peers.into_iter().filter(|&it| it != peer) {
            self.census.add(Mark::LaterLife);
            self.give(node, Given::DialFailed(other));
        }
    }

    fn fail(&mut self, node: u32, target: u32) {
        let Some(attempt) = self.hosts[node as usize].dials.remove(&target) else { return };
        self.fail_awaited(node, attempt.awaited);
    }

    pub(super) fn fail_awaited(&mut self, node: u32, awaited: Awaited) {
        for peer in awaited.peers {
            self.give(node, Given::DialFailed(peer));
        }
        if awaited.is_seed {
            self.census.add(Mark::SeedFailed);
            self.give(node, Given::SeedFailed);
        }
    }

    fn begin_round_trips(&mut self, link: LinkRef, end: usize) {
        self.queue.push(self.now, Event::RoundTrip { link, end });
    }
}
