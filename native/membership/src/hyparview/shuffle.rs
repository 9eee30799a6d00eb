//! The exchange of peers that keeps passive views fresh.

use foundation_machine::{Micros, PeerId};

use super::message::{HyParViewMessage, SHUFFLE_PATH_MAX, SHUFFLE_PEERS_MAX};
use super::request::Aim;
use super::{HyParView, Out, Timer};
use crate::overlay::OverlayOutput;

impl HyParView {
    pub(super) fn on_shuffle_due(&mut self, now: Micros, out: &mut Out) {
        self.views.lost.clear();
        if let Some(to) = self.rng.pick(self.views.active()).copied() {
            let peers = self.sample();
            let ttl = self.options.shuffle_walk;
            let message = HyParViewMessage::Shuffle { path: vec![self.own], peers, ttl };
            out.push(OverlayOutput::Send { to, message });
        }
        self.mix(now, out);
        let wait = self.around(self.shuffle_period(), 20);
        self.timers.set(Timer::Shuffle, now + wait);
    }

    /// A newcomer's first shuffles come ten times as often: what is to be mixed is mixed soon, and
    /// broadcasts find trees that stay.
    fn shuffle_period(&self) -> Micros {
        let period = self.options.shuffle_period;
        if self.mixes_left > 0 { Micros(period.0 / 10) } else { period }
    }

    /// Nodes that come within moments of each other link to each other, and a thousand of them to
    /// a long chain. So a newcomer takes a random peer for one of its neighbours a few times, once
    /// shuffles have told it of peers from everywhere.
    fn mix(&mut self, now: Micros, out: &mut Out) {
        if self.mixes_left == 0 || self.views.active().is_empty() {
            return;
        }
        self.mixes_left -= 1;
        let is_full = self.views.active().len() >= usize::from(self.options.active_size);
        if let Some(peer) = self.rng.pick(self.views.passive()).copied().filter(|_| is_full) {
            self.request(peer, Aim::Insist, now, out);
        }
    }

    /// A shuffle that goes no further than to the peer asked.
    pub(super) fn question(&mut self) -> HyParViewMessage {
        HyParViewMessage::Shuffle { path: vec![self.own], peers: self.sample(), ttl: 1 }
    }

    /// What a shuffle tells besides its beginner, at random each time: the first of each view in
    /// some order would make a few nodes known to everybody.
    fn sample(&mut self) -> Vec<PeerId> {
        let active = usize::from(self.options.shuffle_active);
        let passive = usize::from(self.options.shuffle_passive);
        let mut peers = self.rng.sample(self.views.active(), active);
        self.told = self.rng.sample(self.views.passive(), passive);
        peers.extend(&self.told);
        peers.truncate(SHUFFLE_PEERS_MAX);
        peers
    }

    pub(super) fn on_shuffle(
        &mut self,
        from: PeerId,
        mut path: Vec<PeerId>,
        peers: Vec<PeerId>,
        ttl: u8,
        out: &mut Out,
    ) {
        let is_sound = ttl > 0
            && ttl <= self.options.shuffle_walk.max(1)
            && path.last() == Some(&from)
            && path.len() <= SHUFFLE_PATH_MAX
            && peers.len() <= SHUFFLE_PEERS_MAX;
        let (true, Some(&origin)) = (is_sound, path.first()) else {
            self.counters.malformed += 1;
            return;
        };
        let on = |peer: &&PeerId| !path.contains(peer);
        let nexts: Vec<PeerId> = self.views.active().iter().filter(on).copied().collect();
        if let (Some(&to), 2..) = (self.rng.pick(&nexts), ttl) {
            path.push(self.own);
            let message = HyParViewMessage::Shuffle { path, peers, ttl: ttl - 1 };
            out.push(OverlayOutput::Send { to, message });
            return;
        }
        let mut given = self.rng.sample(self.views.passive(), peers.len() + 1);
        path.pop();
        let to = if self.links.contains(&origin) { origin } else { from };
        if to == origin {
            path.clear();
        }
        let message = HyParViewMessage::ShuffleReply { path, peers: given.clone() };
        out.push(OverlayOutput::Send { to, message });
        self.integrate(peers.into_iter().chain([origin]), &mut given);
    }

    pub(super) fn on_shuffle_reply(
        &mut self,
        from: PeerId,
        mut path: Vec<PeerId>,
        peers: Vec<PeerId>,
        out: &mut Out,
    ) {
        if path.len() > SHUFFLE_PATH_MAX || peers.len() > SHUFFLE_PEERS_MAX {
            self.counters.malformed += 1;
            return;
        }
        let Some(next) = path.pop() else {
            if self.requests.get(&from).is_some_and(|request| request.aim == Aim::Learn) {
                self.end_request(from);
                self.let_go(from, out);
            }
            let mut told = std::mem::take(&mut self.told);
            self.integrate(peers, &mut told);
            return;
        };
        let origin = path.first().copied().unwrap_or(next);
        let to = if self.links.contains(&origin) { origin } else { next };
        if to == origin {
            path.clear();
        }
        if self.links.contains(&to) {
            let message = HyParViewMessage::ShuffleReply { path, peers };
            out.push(OverlayOutput::Send { to, message });
        }
    }

    /// Takes peers into the passive view; those just told to the other side make room first.
    fn integrate(&mut self, peers: impl IntoIterator<Item = PeerId>, spare: &mut Vec<PeerId>) {
        for peer in peers {
            if self.options.planted.is("hyparview_takes_itself") && peer == self.own {
                self.views.add_passive(peer);
                continue;
            }
            self.views.keep(peer, spare, &mut self.rng);
        }
        let passive = self.views.passive();
        self.tried.retain(|peer| passive.contains(peer));
    }
}
