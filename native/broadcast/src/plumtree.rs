//! The machine.

use foundation_machine::{Micros, PeerId, Rng, Timers};

use crate::cache::{Cache, Cached};
use crate::exchange;
use crate::io::{
    ANNOUNCEMENTS_MAX, Announcement, BroadcastId, BroadcastInput, BroadcastOutput, MARK_RANGES_MAX,
    MARKS_MAX, Mark, Payload, PlumtreeMessage,
};
use crate::links::Links;
use crate::missing::{Heard, Missing, Sought};
use crate::options::PlumtreeOptions;
use crate::window::{Noted, Window};

/// What a Plumtree has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlumtreeCounters {
    /// Broadcasts delivered, own ones included.
    pub delivered: u64,
    /// Payloads that came again: each cost a link its place in the tree.
    pub duplicates: u64,
    /// Broadcasts asked for by name.
    pub grafts: u64,
    /// Grafts that were answered with [`PlumtreeMessage::Stale`].
    pub stale: u64,
    /// Neighbours that took another's place in the tree because they are fewer hops away.
    pub optimised: u64,
    /// Messages of peers that are no neighbours, other than payloads.
    pub strangers: u64,
    /// Messages that no Plumtree of this build would send.
    pub malformed: u64,
    /// Announcements refused because too much was missing already.
    pub missing_refused: u64,
    /// Payloads refused because of too many origins.
    pub origins_refused: u64,
    /// Announced broadcasts that never came.
    pub missed: u64,
    /// Sequences no longer waited for, whether or not there were such broadcasts.
    pub given_up: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Announce,
    Exchange,
    Missing(BroadcastId),
}

/// Broadcasts over whatever neighbours it is told of. `B` is a payload.
///
/// An overlay is replaced under way by telling the new neighbours up before the old ones down: ids,
/// cache and what is missing are those of the node and not of a tree, so nothing is delivered twice
/// and what went astray is found again over the new links.
#[derive(Clone, Debug)]
pub struct Plumtree<B> {
    options: PlumtreeOptions,
    own: PeerId,
    rng: Rng,
    started: Micros,
    next_sequence: u64,
    links: Links,
    window: Window,
    cache: Cache<B>,
    missing: Missing,
    timers: Timers<Timer>,
    counters: PlumtreeCounters,
}

impl<B: Payload> Plumtree<B> {
    /// A Plumtree without neighbours.
    #[must_use]
    pub fn new(options: PlumtreeOptions, own: PeerId, mut rng: Rng, now: Micros) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::Exchange, now + jittered(&mut rng, options.exchange_every));
        Plumtree {
            options,
            own,
            rng,
            started: now,
            next_sequence: 0,
            links: Links::default(),
            window: Window::default(),
            cache: Cache::new(),
            missing: Missing::default(),
            timers,
            counters: PlumtreeCounters::default(),
        }
    }

    /// Advances by one input; appends what has to be done.
    pub fn handle(
        &mut self,
        input: BroadcastInput<B>,
        now: Micros,
        out: &mut Vec<BroadcastOutput<B>>,
    ) {
        match input {
            BroadcastInput::Broadcast(payload) => self.on_broadcast(payload, now, out),
            BroadcastInput::NeighbourUp(peer) => self.on_up(peer, now, out),
            BroadcastInput::NeighbourDown(peer) => self.on_down(peer, now),
            BroadcastInput::Received { from, message } => self.on_message(from, message, now, out),
            BroadcastInput::RoundTrip { peer, rtt } => {
                if let Some(link) = self.links.get_mut(peer) {
                    link.rtt = Some(rtt);
                }
            }
            BroadcastInput::Due => {
                while let Some(timer) = self.timers.pop(now) {
                    self.on_timer(timer, now, out);
                }
            }
        }
    }

    /// When [`BroadcastInput::Due`] is wanted next.
    #[must_use]
    pub fn due(&self) -> Micros {
        self.timers.due()
    }

    /// Neighbours in the tree, in order.
    pub fn eager(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.links.eager()
    }

    /// Neighbours beside the tree, in order.
    pub fn lazy(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.links.lazy()
    }

    /// Whether the broadcast was delivered, or is given up.
    #[must_use]
    pub fn knows(&self, id: BroadcastId) -> bool {
        // Own ones are not in the window, which may forget an origin.
        let is_own = id.origin == self.own && id.sequence < self.next_sequence;
        is_own || self.window.contains(id)
    }

    /// Origins remembered.
    #[must_use]
    pub fn origins(&self) -> usize {
        self.window.origins()
    }

    /// Payloads kept for grafts, and what they occupy in bytes.
    #[must_use]
    pub fn cached(&self) -> (usize, usize) {
        (self.cache.len(), self.cache.bytes())
    }

    /// Broadcasts that are heard of and not there.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing.len()
    }

    /// What it has seen so far.
    #[must_use]
    pub fn counters(&self) -> PlumtreeCounters {
        PlumtreeCounters { given_up: self.window.given_up, ..self.counters }
    }

    fn on_broadcast(&mut self, payload: B, now: Micros, out: &mut Vec<BroadcastOutput<B>>) {
        let id = BroadcastId { origin: self.own, sequence: self.next_sequence };
        self.next_sequence += 1;
        let cached = Cached { payload, round: 0, at: now, grafted: None };
        self.pass_on(id, cached, &[self.own], out);
    }

    fn on_up(&mut self, peer: PeerId, now: Micros, out: &mut Vec<BroadcastOutput<B>>) {
        if peer == self.own || !self.links.add(peer, self.options.eager_at_start_max) {
            return;
        }
        if self.links.get(peer).is_some_and(|link| link.is_eager) {
            // Either side can be the first to know of the other, so each asks for an answer.
            self.ask_for_summary(peer, now, out);
        }
    }

    fn on_down(&mut self, peer: PeerId, now: Micros) {
        if self.options.planted.is("plumtree_down_keeps_neighbour") {
            return self.links.set_eager(peer, false);
        }
        if !self.links.remove(peer) {
            return;
        }
        if self.options.planted.is("plumtree_down_drops_missing") {
            for id in self.missing.announced_by(peer) {
                self.missing.remove(id);
                self.timers.cancel(&Timer::Missing(id));
            }
        }
        for id in self.missing.lose(peer) {
            self.timers.set(Timer::Missing(id), now);
        }
    }

    fn on_message(
        &mut self,
        from: PeerId,
        message: PlumtreeMessage<B>,
        now: Micros,
        out: &mut Vec<BroadcastOutput<B>>,
    ) {
        if from == self.own || !self.is_well_formed(&message) {
            self.counters.malformed += 1;
            return;
        }
        // A payload under way while its link was given up is still good; all else is about a link.
        let is_payload = matches!(message, PlumtreeMessage::Gossip { .. });
        if !is_payload && !self.links.contains(from) {
            self.counters.strangers += 1;
            return;
        }
        match message {
            PlumtreeMessage::Gossip { id, round, payload } => {
                self.on_gossip(from, (id, round, payload), now, out);
            }
            PlumtreeMessage::IHave(heard) => {
                for announcement in heard {
                    self.on_announced(from, announcement, now);
                }
            }
            PlumtreeMessage::Offer(offered) => {
                for announcement in offered {
                    self.seek(from, announcement, now);
                }
            }
            PlumtreeMessage::Graft(id) => self.on_graft(from, id, out),
            PlumtreeMessage::Prune => self.on_prune(from),
            PlumtreeMessage::Stale(id) => self.on_stale(from, id, now),
            PlumtreeMessage::Summary { age, marks, is_complete, wants_reply } => {
                if wants_reply {
                    self.send_summary(from, false, now, out);
                }
                self.offer(from, age, &marks, is_complete, now, out);
            }
        }
    }

    fn is_well_formed(&self, message: &PlumtreeMessage<B>) -> bool {
        let is_possible = |id: &BroadcastId| {
            id.sequence < u64::MAX - 1
                && (id.origin != self.own || id.sequence < self.next_sequence)
        };
        match message {
            PlumtreeMessage::Gossip { id, round, .. } => *round > 0 && is_possible(id),
            PlumtreeMessage::IHave(list) | PlumtreeMessage::Offer(list) => {
                list.len() <= ANNOUNCEMENTS_MAX && list.iter().all(|heard| is_possible(&heard.id))
            }
            PlumtreeMessage::Summary { marks, .. } => {
                marks.len() <= MARKS_MAX
                    && marks.iter().all(|mark| mark.ranges.len() <= MARK_RANGES_MAX)
            }
            PlumtreeMessage::Graft(_) | PlumtreeMessage::Prune | PlumtreeMessage::Stale(_) => true,
        }
    }

    fn on_gossip(
        &mut self,
        from: PeerId,
        (id, round, payload): (BroadcastId, u16, B),
        now: Micros,
        out: &mut Vec<BroadcastOutput<B>>,
    ) {
        match self.note(id, now) {
            Noted::New => {}
            Noted::Refused => {
                self.counters.origins_refused += 1;
                return;
            }
            Noted::Known => {
                // Both ends of a link can find it useless at once; as lazy ones they stay linked.
                self.counters.duplicates += 1;
                self.learn_needless_graft(from, id, now);
                return self.prune(from, out);
            }
        }
        self.links.set_eager(from, true);
        self.timers.cancel(&Timer::Missing(id));
        let sought = self.missing.remove(id);
        if let Some(sought) = &sought {
            self.learn_lags(sought, from, now);
            self.optimise(sought, from, round, out);
        }
        let grafted = sought.as_ref().and_then(Sought::grafted);
        if grafted.is_some() && self.options.planted.is("plumtree_silent_after_graft") {
            self.counters.delivered += 1;
            return out.push(BroadcastOutput::Deliver { id, round, payload, from });
        }
        // Whoever announced it has it, also one that has just come into the tree.
        let announcers = sought.iter().flat_map(|sought| &sought.announcers);
        let having: Vec<PeerId> =
            [from].into_iter().chain(announcers.map(|announcer| announcer.peer)).collect();
        self.pass_on(id, Cached { payload, round, at: now, grafted }, &having, out);
    }

    fn note(&mut self, id: BroadcastId, now: Micros) -> Noted {
        let was_grafted = |cached: &Cached<B>| cached.grafted.is_some();
        let forgets_grafts = self.options.planted.is("plumtree_grafted_twice");
        if forgets_grafts && self.cache.get(id).is_some_and(was_grafted) {
            return Noted::New;
        }
        if self.knows(id) {
            return Noted::Known;
        }
        self.window.note(id, now, self.options.origins_max, self.options.gap_kept)
    }

    /// What each announcer's word was worth: how long after it the payload came another way.
    fn learn_lags(&mut self, sought: &Sought, from: PeerId, now: Micros) {
        // From the one who was asked it came because the tree did not bring it: no lag of the tree.
        if sought.asked == Some(from) {
            return;
        }
        for announcer in sought.announcers.iter().filter(|announcer| announcer.peer != from) {
            if let Some(link) = self.links.get_mut(announcer.peer) {
                link.learn_lag(now.since(announcer.at), &self.options);
            }
        }
    }

    /// The tree brings what was grafted from another: that one's word was so far ahead of the tree.
    fn learn_needless_graft(&mut self, from: PeerId, id: BroadcastId, now: Micros) {
        let grafted = self.cache.get(id).and_then(|cached| cached.grafted);
        if let Some((asked, announced)) = grafted.filter(|(asked, _)| *asked != from)
            && let Some(link) = self.links.get_mut(asked)
        {
            link.learn_lag(now.since(announced), &self.options);
        }
    }

    /// Paper, section 3.8: a neighbour much nearer to the origin takes the place of the one who
    /// brought the payload.
    fn optimise(
        &mut self,
        sought: &Sought,
        from: PeerId,
        round: u16,
        out: &mut Vec<BroadcastOutput<B>>,
    ) {
        let others = sought.announcers.iter().filter(|announcer| announcer.peer != from);
        let nearest = others.min_by_key(|announcer| announcer.round);
        let Some(nearest) = nearest.filter(|nearest| self.links.contains(nearest.peer)) else {
            return;
        };
        let saved = round.saturating_sub(nearest.round);
        if saved == 0 || saved < self.options.optimisation_threshold {
            return;
        }
        self.counters.optimised += 1;
        self.links.set_eager(nearest.peer, true);
        out.push(BroadcastOutput::Send { to: nearest.peer, message: PlumtreeMessage::Graft(None) });
        self.prune(from, out);
    }

    fn prune(&mut self, peer: PeerId, out: &mut Vec<BroadcastOutput<B>>) {
        if self.links.contains(peer) {
            self.links.set_eager(peer, false);
            out.push(BroadcastOutput::Send { to: peer, message: PlumtreeMessage::Prune });
        }
    }

    /// Delivers, pushes down the tree, keeps for grafts and takes note of whom to tell. The first
    /// of those who have it is who brought it.
    fn pass_on(
        &mut self,
        id: BroadcastId,
        cached: Cached<B>,
        having: &[PeerId],
        out: &mut Vec<BroadcastOutput<B>>,
    ) {
        let (payload, round, now) = (cached.payload.clone(), cached.round, cached.at);
        let next = round.saturating_add(1);
        for to in self.links.eager().filter(|peer| !having.contains(peer)) {
            let payload = payload.clone();
            let message = PlumtreeMessage::Gossip { id, round: next, payload };
            out.push(BroadcastOutput::Send { to, message });
        }
        self.announce(Announcement { id, round: next }, having, now, out);
        self.cache.insert(id, cached, &self.options);
        self.counters.delivered += 1;
        out.push(BroadcastOutput::Deliver { id, round, payload, from: having[0] });
    }

    fn announce(
        &mut self,
        announcement: Announcement,
        having: &[PeerId],
        now: Micros,
        out: &mut Vec<BroadcastOutput<B>>,
    ) {
        let lazy = self.links.lazy();
        let mut told: Vec<PeerId> = lazy.filter(|peer| !having.contains(peer)).collect();
        if told.len() > self.options.announce_to_max {
            told = self.rng.sample(&told, self.options.announce_to_max);
        }
        for peer in told {
            let Some(link) = self.links.get_mut(peer) else { continue };
            link.announcements.push(announcement);
            if link.announcements.len() >= ANNOUNCEMENTS_MAX {
                let message = PlumtreeMessage::IHave(std::mem::take(&mut link.announcements));
                out.push(BroadcastOutput::Send { to: peer, message });
            } else if self.timers.at(&Timer::Announce).is_none() {
                self.timers.set(Timer::Announce, now + self.options.announce_after);
            }
        }
    }

    fn on_announced(&mut self, from: PeerId, announcement: Announcement, now: Micros) {
        if !self.knows(announcement.id) {
            return self.seek(from, announcement, now);
        }
        // The tree was before this neighbour's word.
        if self.cache.get(announcement.id).is_some()
            && let Some(link) = self.links.get_mut(from)
        {
            link.learn_lag(Micros(0), &self.options);
        }
    }

    fn seek(&mut self, from: PeerId, announcement: Announcement, now: Micros) {
        let Announcement { id, .. } = announcement;
        let Some(link) = self.links.get(from).filter(|_| !self.knows(id)) else {
            return;
        };
        let wait = link.graft_after(&self.options);
        match self.missing.hear(announcement, from, now, self.options.missing_max) {
            Heard::First => {
                let at = now + jittered(&mut self.rng, wait);
                self.timers.set(Timer::Missing(id), at);
            }
            Heard::Again => self.timers.set(Timer::Missing(id), now),
            Heard::More => {}
            Heard::Refused => self.counters.missing_refused += 1,
        }
    }

    fn on_graft(
        &mut self,
        from: PeerId,
        id: Option<BroadcastId>,
        out: &mut Vec<BroadcastOutput<B>>,
    ) {
        self.links.set_eager(from, true);
        let Some(id) = id else { return };
        let message = match self.cache.get(id) {
            Some(Cached { payload, round, .. }) => PlumtreeMessage::Gossip {
                id,
                round: round.saturating_add(1),
                payload: payload.clone(),
            },
            None => PlumtreeMessage::Stale(id),
        };
        out.push(BroadcastOutput::Send { to: from, message });
    }

    fn on_prune(&mut self, from: PeerId) {
        if self.options.planted.is("plumtree_prune_forgets_neighbour") {
            self.links.remove(from);
        } else {
            self.links.set_eager(from, false);
        }
    }

    fn on_stale(&mut self, from: PeerId, id: BroadcastId, now: Micros) {
        self.counters.stale += 1;
        if self.missing.get_mut(id).is_some_and(|sought| sought.asked == Some(from)) {
            self.timers.set(Timer::Missing(id), now);
        }
    }

    fn on_timer(&mut self, timer: Timer, now: Micros, out: &mut Vec<BroadcastOutput<B>>) {
        match timer {
            Timer::Announce => {
                for (peer, link) in self.links.iter_mut() {
                    if !link.announcements.is_empty() {
                        let message =
                            PlumtreeMessage::IHave(std::mem::take(&mut link.announcements));
                        out.push(BroadcastOutput::Send { to: *peer, message });
                    }
                }
            }
            Timer::Missing(id) => self.graft_next(id, now, out),
            Timer::Exchange => self.exchange(now, out),
        }
    }

    fn graft_next(&mut self, id: BroadcastId, now: Micros, out: &mut Vec<BroadcastOutput<B>>) {
        let Some(sought) = self.missing.get_mut(id) else { return };
        if sought.asked.is_some() && self.options.planted.is("plumtree_forgets_after_graft") {
            return;
        }
        let Some(peer) = sought.next() else { return };
        let wait = self.links.get(peer).map(|link| link.regraft_after(&self.options));
        let wait = jittered(&mut self.rng, wait.unwrap_or_default());
        self.timers.set(Timer::Missing(id), now + wait);
        if self.links.contains(peer) {
            self.counters.grafts += 1;
            self.links.set_eager(peer, true);
            let message = PlumtreeMessage::Graft(Some(id));
            out.push(BroadcastOutput::Send { to: peer, message });
        }
    }

    fn exchange(&mut self, now: Micros, out: &mut Vec<BroadcastOutput<B>>) {
        self.cache.expire(now, &self.options);
        self.window.expire(now, self.options.gap_kept);
        if self.options.planted.is("plumtree_window_reopens") {
            self.window.forget_silent(now, self.options.exchange_every);
        }
        for id in self.missing.expire(now, self.options.payload_kept) {
            self.counters.missed += 1;
            self.timers.cancel(&Timer::Missing(id));
        }
        let peers = self.links.peers();
        if let Some(&peer) = self.rng.pick(&peers) {
            self.ask_for_summary(peer, now, out);
        }
        let wait = jittered(&mut self.rng, self.options.exchange_every);
        self.timers.set(Timer::Exchange, now + wait);
    }

    /// Tells a neighbour what there is. Whoever has nothing to offer needs no answer to that.
    fn ask_for_summary(&self, to: PeerId, now: Micros, out: &mut Vec<BroadcastOutput<B>>) {
        self.send_summary(to, self.cache.len() > 0, now, out);
    }

    fn send_summary(
        &self,
        to: PeerId,
        wants_reply: bool,
        now: Micros,
        out: &mut Vec<BroadcastOutput<B>>,
    ) {
        let since = Micros(now.0.saturating_sub(self.options.gap_kept.0));
        let (mut marks, is_complete) = exchange::marks(&self.window, since);
        let own =
            Mark { origin: self.own, low: self.next_sequence, ranges: vec![], upto: u64::MAX };
        marks.push(own);
        let age = now.since(self.started);
        let message = PlumtreeMessage::Summary { age, marks, is_complete, wants_reply };
        out.push(BroadcastOutput::Send { to, message });
    }

    fn offer(
        &self,
        to: PeerId,
        age: Micros,
        marks: &[Mark],
        is_complete: bool,
        now: Micros,
        out: &mut Vec<BroadcastOutput<B>>,
    ) {
        let not_before = Micros(now.0.saturating_sub(age.0));
        let lacking = exchange::lacking(&self.cache, marks, is_complete, not_before);
        if !lacking.is_empty() {
            out.push(BroadcastOutput::Send { to, message: PlumtreeMessage::Offer(lacking) });
        }
    }
}

/// Up to an eighth longer, so that what many nodes do does not happen at once.
fn jittered(rng: &mut Rng, wait: Micros) -> Micros {
    let eighth = u32::try_from(wait.0 / 8).unwrap_or(u32::MAX);
    wait + Micros(u64::from(rng.below(eighth)))
}
