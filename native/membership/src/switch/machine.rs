//! The machine.

use std::collections::{BTreeSet, VecDeque};

use foundation_machine::{Micros, PeerId, Rng, Timers};

use super::attempt::Attempt;
use super::io::{
    Closed, Epoch, Proposal, READY_MAX, SwitchFailure, SwitchInput, SwitchMessage, SwitchOutput,
    Version,
};
use super::options::SwitchOptions;

/// Attempts remembered as given up, so that late news of one does not begin it again.
const CLOSED_MAX: usize = 32;

/// What a switch has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwitchCounters {
    /// Versions promoted.
    pub promoted: u64,
    /// Attempts taken part in and given up.
    pub failed: u64,
    /// Messages that no switch of this build would send.
    pub malformed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// Who is ready is told on.
    Gather,
    /// All is told again.
    Repair,
    /// One neighbour is reminded.
    Remind,
    /// The attempt has taken too long.
    Deadline,
    /// The attempt's coordinator is gone.
    Orphan,
    /// The replaced overlay can go.
    Drained,
}

/// One node's part in changing one overlay. The driver runs the overlays: at most two beside each
/// other, as told by [`SwitchOutput`].
#[derive(Clone, Debug)]
pub struct Switch<S> {
    options: SwitchOptions,
    own: PeerId,
    rng: Rng,
    current: Version<S>,
    attempt: Option<Attempt<S>>,
    closed: VecDeque<Closed>,
    draining: Option<Epoch>,
    /// The highest number any attempt has taken.
    highest: u32,
    members: BTreeSet<PeerId>,
    neighbours: BTreeSet<PeerId>,
    timers: Timers<Timer>,
    counters: SwitchCounters,
}

type Out<S> = Vec<SwitchOutput<S>>;

impl<S: Copy + Eq> Switch<S> {
    /// The switch of an overlay that starts with that strategy, on a node that knows no other.
    #[must_use]
    pub fn new(options: SwitchOptions, own: PeerId, strategy: S, rng: Rng, now: Micros) -> Self {
        let mut switch = Switch {
            options,
            own,
            rng,
            current: Version { epoch: Epoch::FIRST, strategy },
            attempt: None,
            closed: VecDeque::new(),
            draining: None,
            highest: 0,
            members: BTreeSet::from([own]),
            neighbours: BTreeSet::new(),
            timers: Timers::default(),
            counters: SwitchCounters::default(),
        };
        switch.set_timer(Timer::Remind, switch.options.remind_every, now);
        switch
    }

    /// Advances by one input; appends what has to be done.
    pub fn handle(&mut self, input: SwitchInput<S>, now: Micros, out: &mut Out<S>) {
        match input {
            SwitchInput::Propose { number, from, to } => self.propose(number, from, to, now, out),
            SwitchInput::MemberUp(peer) => self.on_member_up(peer),
            SwitchInput::MemberDown(peer) => self.on_member_down(peer, now, out),
            SwitchInput::NeighbourUp(peer) => {
                if peer != self.own && self.neighbours.insert(peer) && self.has_changed() {
                    self.tell_all_of_it(peer, self.closed.back().copied(), out);
                }
            }
            SwitchInput::NeighbourDown(peer) => {
                self.neighbours.remove(&peer);
                if let Some(attempt) = &mut self.attempt {
                    attempt.forget_told(Some(peer));
                }
            }
            SwitchInput::Ready(epoch) => self.on_ready(epoch, now, out),
            SwitchInput::Refused(epoch) => {
                if self.is_attempt(epoch) {
                    self.close(SwitchFailure::Refused, out);
                    self.tell_neighbours(None, out);
                }
            }
            SwitchInput::Received { from, message } => self.on_message(from, message, now, out),
            SwitchInput::Due => {
                while let Some(timer) = self.timers.pop(now) {
                    self.on_timer(timer, now, out);
                }
            }
        }
    }

    /// When [`SwitchInput::Due`] is wanted next.
    #[must_use]
    pub fn due(&self) -> Micros {
        self.timers.due()
    }

    /// What the overlay is.
    #[must_use]
    pub fn current(&self) -> Version<S> {
        self.current
    }

    /// What it may become.
    #[must_use]
    pub fn attempt(&self) -> Option<Proposal<S>> {
        self.attempt.as_ref().map(|attempt| attempt.proposal)
    }

    /// The replaced overlay that is still kept.
    #[must_use]
    pub fn draining(&self) -> Option<Epoch> {
        self.draining
    }

    /// What it has seen so far.
    #[must_use]
    pub fn counters(&self) -> SwitchCounters {
        self.counters
    }

    fn propose(&mut self, number: u32, from: S, to: S, now: Micros, out: &mut Out<S>) {
        let is_busy = self.attempt.is_some() || self.draining.is_some();
        let refusal = if number != self.current.epoch.number || from != self.current.strategy {
            Some(SwitchFailure::Changed)
        } else if is_busy || self.highest == u32::MAX {
            Some(SwitchFailure::UnderWay)
        } else {
            None
        };
        if let Some(reason) = refusal {
            let epoch = self.current.epoch;
            return out.push(SwitchOutput::Failed { epoch, reason, is_own: true });
        }
        let number = match self.options.planted.is("switch_takes_a_number_twice") {
            true => self.current.epoch.number + 1,
            false => self.highest + 1,
        };
        let epoch = Epoch { number, coordinator: Some(self.own) };
        let version = Version { epoch, strategy: to };
        let proposal = Proposal { version, base: self.current.epoch };
        self.begin(proposal, self.members.clone(), now, out);
        self.tell_neighbours(None, out);
    }

    /// Takes part in an attempt: there is none under way.
    fn begin(
        &mut self,
        proposal: Proposal<S>,
        required: BTreeSet<PeerId>,
        now: Micros,
        out: &mut Out<S>,
    ) {
        let epoch = proposal.version.epoch;
        self.highest = self.highest.max(epoch.number);
        // Two overlays beside each other are enough: the drained one's time is up.
        self.stop_draining(out);
        let is_own = epoch.coordinator == Some(self.own);
        let patience = Micros(self.options.timeout.0.saturating_mul(if is_own { 1 } else { 2 }));
        self.set_timer(Timer::Deadline, patience, now);
        self.set_timer(Timer::Repair, self.options.repair_every, now);
        self.attempt = Some(Attempt::new(proposal, required));
        if !epoch.coordinator.is_some_and(|by| self.members.contains(&by)) {
            self.set_timer(Timer::Orphan, self.options.orphan_after, now);
        }
        out.push(SwitchOutput::BringUp(proposal.version));
    }

    fn on_member_up(&mut self, peer: PeerId) {
        self.members.insert(peer);
        if self.coordinator() == Some(peer) {
            self.timers.cancel(&Timer::Orphan);
        }
    }

    fn on_member_down(&mut self, peer: PeerId, now: Micros, out: &mut Out<S>) {
        if peer == self.own || !self.members.remove(&peer) {
            return;
        }
        if let Some(attempt) = &mut self.attempt {
            attempt.required.remove(&peer);
        }
        if self.coordinator() == Some(peer) {
            self.set_timer(Timer::Orphan, self.options.orphan_after, now);
        }
        self.decide(now, out);
    }

    fn on_ready(&mut self, epoch: Epoch, now: Micros, out: &mut Out<S>) {
        let own = self.own;
        if let Some(attempt) = self.attempt.as_mut().filter(|a| a.proposal.version.epoch == epoch)
            && attempt.is_ready(own)
        {
            self.gather(now);
            self.decide(now, out);
        }
    }

    /// The coordinator commits once all who are required are ready.
    fn decide(&mut self, now: Micros, out: &mut Out<S>) {
        let Some(attempt) = &self.attempt else { return };
        let is_enough = attempt.is_verified()
            || self.options.planted.is("switch_commits_early") && attempt.is_half_verified();
        if self.coordinator() == Some(self.own) && is_enough {
            let version = attempt.proposal.version;
            self.promote(version, now, out);
            self.tell_neighbours(None, out);
        }
    }

    fn on_message(
        &mut self,
        from: PeerId,
        message: SwitchMessage<S>,
        now: Micros,
        out: &mut Out<S>,
    ) {
        let SwitchMessage { current, proposal, closed, ready } = message;
        let epochs = [Some(current.epoch), proposal.map(|p| p.version.epoch)];
        let is_possible = |epoch: Epoch| epoch.number < u32::MAX;
        if ready.len() > READY_MAX || !epochs.into_iter().flatten().all(is_possible) {
            self.counters.malformed += 1;
            return;
        }
        let before = self.position();
        let mut is_news = self.learn_current(current, now, out);
        if let Some(closed) = closed {
            is_news |= self.learn_closed(closed, out);
        }
        if let Some(proposal) = proposal {
            is_news |= self.learn_proposal(proposal, now, out);
            if self.is_attempt(proposal.version.epoch) {
                self.learn_ready(&ready, now, out);
            }
        }
        if is_news || self.position() != before {
            self.tell_neighbours(Some(from), out);
        }
        // The sender may be behind, or hold to another attempt: then it hears so at once. What it
        // hears moves it, so that two nodes never answer each other for ever.
        let theirs = (current.epoch, proposal.map(|p| p.version.epoch));
        if self.neighbours.contains(&from) && self.is_ahead(theirs) {
            let their_end = self.closed.iter().find(|closed| Some(closed.epoch) == theirs.1);
            let their_end = their_end.or(self.closed.back()).copied();
            self.tell_all_of_it(from, their_end, out);
        }
    }

    /// Whether a change was ever proposed here. Else there is nothing to tell: a neighbour that
    /// knows of one tells of it.
    fn has_changed(&self) -> bool {
        self.position() != (Epoch::FIRST, None) || !self.closed.is_empty()
    }

    fn position(&self) -> (Epoch, Option<Epoch>) {
        (self.current.epoch, self.attempt().map(|proposal| proposal.version.epoch))
    }

    fn is_ahead(&self, (current, attempt): (Epoch, Option<Epoch>)) -> bool {
        if self.current.epoch != current {
            return self.current.epoch > current;
        }
        match (self.attempt().map(|proposal| proposal.version.epoch), attempt) {
            (Some(own), Some(theirs)) => own > theirs,
            (Some(_), None) => true,
            (None, Some(theirs)) => self.is_closed(theirs),
            (None, None) => false,
        }
    }

    /// The newest version wins, whatever was thought of the attempt that led to it.
    fn learn_current(&mut self, version: Version<S>, now: Micros, out: &mut Out<S>) -> bool {
        if version.epoch <= self.current.epoch {
            return false;
        }
        if self.is_closed(version.epoch) && self.options.planted.is("switch_abort_beats_commit") {
            return false;
        }
        self.promote(version, now, out);
        true
    }

    fn learn_closed(&mut self, closed: Closed, out: &mut Out<S>) -> bool {
        self.highest = self.highest.max(closed.epoch.number);
        if self.is_closed(closed.epoch) || closed.epoch <= self.current.epoch {
            return false;
        }
        if self.is_attempt(closed.epoch) {
            self.close(closed.reason, out);
        } else {
            self.remember_closed(closed);
        }
        true
    }

    fn learn_proposal(&mut self, proposal: Proposal<S>, now: Micros, out: &mut Out<S>) -> bool {
        let epoch = proposal.version.epoch;
        self.highest = self.highest.max(epoch.number);
        let fits = proposal.base == self.current.epoch && epoch > proposal.base
            || self.options.planted.is("switch_ignores_base");
        if !fits || self.is_closed(epoch) || self.is_attempt(epoch) {
            return false;
        }
        // Nobody will decide an attempt that its coordinator knows nothing of.
        if epoch.coordinator.is_none_or(|by| by == self.own) {
            self.remember_closed(Closed { epoch, reason: SwitchFailure::CoordinatorDown });
            return true;
        }
        if let Some(own) = self.attempt() {
            // Of two at once the greater epoch wins, as it would if both were committed.
            if own.version.epoch > epoch {
                return false;
            }
            self.close(SwitchFailure::UnderWay, out);
        }
        self.begin(proposal, BTreeSet::new(), now, out);
        true
    }

    fn learn_ready(&mut self, ready: &[PeerId], now: Micros, out: &mut Out<S>) {
        let Some(attempt) = &mut self.attempt else { return };
        let mut is_news = false;
        for &peer in ready {
            is_news |= attempt.is_ready(peer);
        }
        if is_news {
            self.gather(now);
            self.decide(now, out);
        }
    }

    /// The overlay is this from now on; another one that was being brought up is dropped.
    fn promote(&mut self, version: Version<S>, now: Micros, out: &mut Out<S>) {
        self.highest = self.highest.max(version.epoch.number);
        let is_up = self.is_attempt(version.epoch);
        if is_up {
            self.forget_attempt();
        } else if self.attempt.is_some() {
            self.close(SwitchFailure::Changed, out);
        }
        self.stop_draining(out);
        if !is_up {
            out.push(SwitchOutput::BringUp(version));
        }
        self.counters.promoted += 1;
        let old = std::mem::replace(&mut self.current, version);
        out.push(SwitchOutput::Promote(version));
        self.draining = Some(old.epoch);
        if self.options.planted.is("switch_breaks_before_make") {
            self.stop_draining(out);
        } else {
            self.set_timer(Timer::Drained, self.options.drain, now);
        }
    }

    /// Gives the attempt up.
    fn close(&mut self, reason: SwitchFailure, out: &mut Out<S>) {
        let Some(attempt) = &self.attempt else { return };
        let epoch = attempt.proposal.version.epoch;
        self.forget_attempt();
        self.remember_closed(Closed { epoch, reason });
        self.counters.failed += 1;
        out.push(SwitchOutput::Drop(epoch));
        let is_own = epoch.coordinator == Some(self.own);
        out.push(SwitchOutput::Failed { epoch, reason, is_own });
    }

    fn forget_attempt(&mut self) {
        self.attempt = None;
        for timer in [Timer::Deadline, Timer::Orphan, Timer::Repair, Timer::Gather] {
            self.timers.cancel(&timer);
        }
    }

    fn remember_closed(&mut self, closed: Closed) {
        self.closed.push_back(closed);
        if self.closed.len() > CLOSED_MAX {
            self.closed.pop_front();
        }
    }

    fn stop_draining(&mut self, out: &mut Out<S>) {
        self.timers.cancel(&Timer::Drained);
        if let Some(epoch) = self.draining.take() {
            out.push(SwitchOutput::Drop(epoch));
        }
    }

    fn on_timer(&mut self, timer: Timer, now: Micros, out: &mut Out<S>) {
        match timer {
            Timer::Gather => self.tell_ready(out),
            Timer::Repair => self.repair(now, out),
            Timer::Remind => {
                let neighbours: Vec<PeerId> = self.neighbours.iter().copied().collect();
                if let Some(&peer) = self.rng.pick(&neighbours) {
                    self.tell_all_of_it(peer, self.closed.back().copied(), out);
                }
                self.set_timer(Timer::Remind, self.options.remind_every, now);
            }
            Timer::Deadline => {
                self.close(SwitchFailure::TimedOut, out);
                self.tell_neighbours(None, out);
            }
            Timer::Orphan => {
                if !self.options.planted.is("switch_waits_for_the_dead") {
                    self.close(SwitchFailure::CoordinatorDown, out);
                    self.tell_neighbours(None, out);
                }
            }
            Timer::Drained => self.stop_draining(out),
        }
    }

    /// Where nothing has been heard for a while, something may have been lost.
    fn repair(&mut self, now: Micros, out: &mut Out<S>) {
        let Some(attempt) = &mut self.attempt else { return };
        let is_still = !std::mem::take(&mut attempt.is_moving);
        if is_still {
            attempt.forget_told(None);
            self.tell_neighbours(None, out);
        }
        self.set_timer(Timer::Repair, self.options.repair_every, now);
    }

    fn gather(&mut self, now: Micros) {
        if self.timers.at(&Timer::Gather).is_none() {
            self.set_timer(Timer::Gather, self.options.gather, now);
        }
    }

    /// To neighbours who have not been told all who are ready.
    fn tell_ready(&mut self, out: &mut Out<S>) {
        let Some(attempt) = &self.attempt else { return };
        let untold = self.neighbours.iter().copied().filter(|&peer| attempt.has_untold(peer));
        self.tell_some(untold.collect(), out);
    }

    fn tell_neighbours(&mut self, except: Option<PeerId>, out: &mut Out<S>) {
        let others = self.neighbours.iter().copied().filter(|&peer| Some(peer) != except);
        self.tell_some(others.collect(), out);
    }

    fn tell_some(&mut self, mut peers: Vec<PeerId>, out: &mut Out<S>) {
        if peers.len() > self.options.fanout {
            peers = self.rng.sample(&peers, self.options.fanout);
        }
        for peer in peers {
            self.tell(peer, self.closed.back().copied(), out);
        }
    }

    fn tell_all_of_it(&mut self, peer: PeerId, closed: Option<Closed>, out: &mut Out<S>) {
        if let Some(attempt) = &mut self.attempt {
            attempt.forget_told(Some(peer));
        }
        self.tell(peer, closed, out);
    }

    /// How things are, in as many messages as those who are ready take.
    fn tell(&mut self, to: PeerId, closed: Option<Closed>, out: &mut Out<S>) {
        loop {
            let ready = self.attempt.as_mut().map(|attempt| attempt.untold(to)).unwrap_or_default();
            let (current, proposal) = (self.current, self.attempt());
            let message = SwitchMessage { current, proposal, closed, ready };
            out.push(SwitchOutput::Send { to, message });
            if !self.attempt.as_ref().is_some_and(|attempt| attempt.has_untold(to)) {
                return;
            }
        }
    }

    fn coordinator(&self) -> Option<PeerId> {
        self.attempt.as_ref()?.proposal.version.epoch.coordinator
    }

    fn is_attempt(&self, epoch: Epoch) -> bool {
        self.attempt().is_some_and(|proposal| proposal.version.epoch == epoch)
    }

    fn is_closed(&self, epoch: Epoch) -> bool {
        self.closed.iter().any(|closed| closed.epoch == epoch)
    }

    /// Up to an eighth later, so that what many nodes do does not happen at once.
    fn set_timer(&mut self, timer: Timer, wait: Micros, now: Micros) {
        let eighth = u32::try_from(wait.0 / 8).unwrap_or(u32::MAX);
        self.timers.set(timer, now + wait + Micros(u64::from(self.rng.below(eighth))));
    }
}
