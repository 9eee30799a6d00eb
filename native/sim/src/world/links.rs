//! What goes over links, and how they end.

use foundation_cluster::LinkEnd;
use foundation_machine::{Micros, PeerId};

use super::event::Event;
use super::host::Standing;
use super::link::{EndState, LinkRef};
use super::{Observer, World};
use crate::census::Mark;
use crate::network::Passage;
use crate::subject::{Given, Subject};

impl<S: Subject, O: Observer<S>> World<S, O> {
    pub(super) fn send(&mut self, node: u32, to: PeerId, message: S::Message) {
        self.sent[S::kind(&message)] += 1;
        self.records += S::records(&message) as u64;
        let link = self.hosts[node as usize].links.get(&to.node.0).copied();
        let found = link.and_then(|link| self.links.get(link));
        let (Some(link), Some(found)) = (link, found) else {
            if self.hosts[node as usize].releasing.contains(&to) {
                return;
            }
            self.violate(Some(node), format!("sends {message:?} to {to:?} without a link"));
            return;
        };
        let end = 1 - found.end_of(node);
        if found.ends[end].id != to {
            self.violate(Some(node), format!("sends {message:?} to {to:?}, a life not linked"));
            return;
        }
        if self.network.is_duplicated() {
            self.census.add(Mark::Duplicate);
            let sent = self.now;
            let again = message.clone();
            self.transmit(link, end, Event::Message { link, end, sent, message: again });
        }
        let sent = self.now;
        self.transmit(link, end, Event::Message { link, end, sent, message });
    }

    /// Puts something on its way to an end of a link, behind all that was put there before.
    pub(super) fn transmit(&mut self, link: LinkRef, end: usize, event: Event<S::Message>) {
        let now = self.now;
        let Some(found) = self.links.get(link) else { return };
        let (from, to) = (found.ends[1 - end].node, found.ends[end].node);
        let is_blocked = found.ends[1 - end].is_dark
            || !self.network.reaches(from, to)
            || self.hosts[from as usize].standing == Standing::Still;
        if is_blocked {
            self.set_quiet(link, end, true);
            let found = self.links.get(link).expect("it was just there");
            found.ends[end].held.push_back(event);
            return;
        }
        match self.network.passage(from, to) {
            Passage::Takes(takes, losses) => {
                (0..losses).for_each(|_| self.census.add(Mark::Loss));
                let found = self.links.get(link).expect("it was just there");
                let at = (now + takes).max(found.ends[end].last_arrival);
                found.ends[end].last_arrival = at;
                self.queue.push(at, event);
            }
            Passage::Broken => {
                self.census.add(Mark::LossBreak);
                let at = now + self.network.noticed_after();
                self.queue.push(at, Event::LinkDown { link, end, how: LinkEnd::Lost });
                let other = Event::LinkDown { link, end: 1 - end, how: LinkEnd::Lost };
                let at = now + self.network.noticed_after();
                self.queue.push(at, other);
                self.set_lost(link);
            }
        }
    }

    // What is sent over a link that is given up for its losses arrives nowhere.
    fn set_lost(&mut self, link: LinkRef) {
        let Some(found) = self.links.get(link) else { return };
        for end in &mut found.ends {
            end.is_dark = true;
        }
    }

    pub(super) fn receive(&mut self, link: LinkRef, end: usize, sent: Micros, message: S::Message) {
        let Some(found) = self.links.get(link) else { return };
        if found.ends[end].state != EndState::Up {
            return;
        }
        let (node, from) = (found.ends[end].node, found.ends[1 - end].id);
        let host = &mut self.hosts[node as usize];
        if host.last_sent > sent {
            self.census.add(Mark::Overtaken);
        }
        host.last_sent = host.last_sent.max(sent);
        self.give(node, Given::Received { from, message });
    }

    pub(super) fn tell_round_trip(&mut self, link: LinkRef, end: usize) {
        let Some(found) = self.links.get(link) else { return };
        if found.ends[end].state != EndState::Up {
            return;
        }
        let (node, peer) = (found.ends[end].node, found.ends[1 - end].id);
        let rtt = self.network.round_trip(node, peer.node.0);
        let every = self.network.options.round_trip_every;
        if every != Micros::NEVER {
            self.queue.push(self.now + every, Event::RoundTrip { link, end });
        }
        self.give(node, Given::RoundTrip { peer, rtt });
    }

    pub(super) fn hang_up(&mut self, node: u32, peer: PeerId) {
        let Some(link) = self.hosts[node as usize].links.get(&peer.node.0).copied() else {
            return;
        };
        let Some(found) = self.links.get(link) else { return };
        let end = found.end_of(node);
        if found.ends[1 - end].id != peer {
            return;
        }
        self.census.add(Mark::HangUp);
        self.close(link, end, LinkEnd::Released);
        self.forget_closed(link);
        // The machine hears of it as of any end of a link, after what it wants done now.
        let host = &mut self.hosts[node as usize];
        host.releasing.push(peer);
        let run = host.run;
        self.queue.push(self.now, Event::Released { node, run, peer });
    }

    pub(super) fn released(&mut self, node: u32, peer: PeerId) {
        self.hosts[node as usize].releasing.retain(|&it| it != peer);
        self.give(node, Given::LinkDown { peer, end: LinkEnd::Released });
    }

    /// An end closes: the other hears of it, behind what was sent before. The end's own machine
    /// is not told here.
    pub(super) fn close(&mut self, link: LinkRef, end: usize, how: LinkEnd) {
        let Some(found) = self.links.get(link) else { return };
        if found.ends[end].state == EndState::Closed {
            return;
        }
        found.ends[end].state = EndState::Closed;
        let (node, other) = (found.ends[end].node, found.ends[1 - end].node);
        if self.hosts[node as usize].links.get(&other) == Some(&link) {
            self.hosts[node as usize].links.remove(&other);
        }
        self.transmit(link, 1 - end, Event::LinkDown { link, end: 1 - end, how });
    }

    /// An end hears that the link is gone.
    pub(super) fn lose(&mut self, link: LinkRef, end: usize, how: LinkEnd) {
        let Some(found) = self.links.get(link) else { return };
        let state = found.ends[end].state;
        let (node, peer) = (found.ends[end].node, found.ends[1 - end].id);
        let awaited = found.ends[end].awaited.take();
        found.ends[end].state = EndState::Closed;
        if self.hosts[node as usize].links.get(&peer.node.0) == Some(&link) {
            self.hosts[node as usize].links.remove(&peer.node.0);
        }
        self.forget_closed(link);
        match state {
            EndState::Up => self.give(node, Given::LinkDown { peer, end: how }),
            EndState::Opening => {
                self.hosts[node as usize].opening.retain(|&it| it != link);
                if let Some(awaited) = awaited {
                    self.fail_awaited(node, awaited);
                }
            }
            EndState::Closed => {}
        }
    }

    pub(super) fn forget_closed(&mut self, link: LinkRef) {
        if self.links.get(link).is_some_and(|found| found.is_closed()) {
            self.links.remove(link);
        }
    }

    /// Whether anything can pass to an end may have changed.
    pub(super) fn refresh(&mut self, link: LinkRef) {
        for end in 0..2 {
            let Some(found) = self.links.get(link) else { return };
            let (from, to) = (found.ends[1 - end].node, found.ends[end].node);
            let is_quiet = found.ends[1 - end].is_dark
                || self.hosts[from as usize].standing == Standing::Still
                || !self.network.reaches(from, to);
            self.set_quiet(link, end, is_quiet);
        }
    }

    fn set_quiet(&mut self, link: LinkRef, end: usize, is_quiet: bool) {
        let now = self.now;
        let Some(found) = self.links.get(link) else { return };
        let state = &mut found.ends[end];
        match (state.quiet_since, is_quiet) {
            (None, true) => {
                state.quiet_since = Some(now);
                let at = now + self.network.noticed_after();
                self.queue.push(at, Event::Silence { link, end, since: now });
            }
            (Some(_), false) => {
                state.quiet_since = None;
                let held = std::mem::take(&mut state.held);
                if !held.is_empty() {
                    self.census.add(Mark::Held);
                }
                for event in held {
                    self.transmit(link, end, event);
                }
            }
            _ => {}
        }
    }

    pub(super) fn notice_silence(&mut self, link: LinkRef, end: usize, since: Micros) {
        let Some(found) = self.links.get(link) else { return };
        let state = &found.ends[end];
        if state.quiet_since != Some(since) || state.state == EndState::Closed {
            return;
        }
        self.census.add(Mark::Silence);
        let (node, peer) = (state.node, found.ends[1 - end].id);
        let was_up = state.state == EndState::Up;
        let awaited = found.ends[end].awaited.take();
        self.close(link, end, LinkEnd::Lost);
        if was_up {
            self.give(node, Given::LinkDown { peer, end: LinkEnd::Lost });
        } else {
            self.hosts[node as usize].opening.retain(|&it| it != link);
            self.fail_awaited(node, awaited.unwrap_or_default());
        }
        self.forget_closed(link);
    }
}
