//! Who is probed when, and what silence means.

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::{Micros, PeerId, Rng, Timers};

use crate::health::Health;
use crate::io::{DetectorCounters, DetectorInput, DetectorMessage, DetectorOutput};
use crate::losses::Losses;
use crate::options::DetectorOptions;
use crate::phi::Phi;
use crate::probes::{Check, Probe};
use crate::suspicion::Suspicion;
use crate::vivaldi::{Coordinate, Vivaldi};

/// Of all who hear that a stranger is suspected so many look too, on average: with three of them a
/// suspicion is at its shortest.
const VOLUNTEERS: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    Tick,
    /// A probe's own answer is overdue.
    Answer(u32),
    /// The answers of those asked are overdue.
    Asked(u32),
    /// A check for another member is overdue.
    Check(u32),
    /// A link may have been silent for too long.
    Silence(PeerId),
    /// A suspicion runs out.
    Suspicion(PeerId),
}

#[derive(Debug, Default)]
pub(crate) struct Member {
    pub(crate) busy: u16,
    coordinate: Option<Box<Coordinate>>,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) phi: Phi,
    /// The last three round trips: their median is not moved by one slow answer (Serf's filter).
    rtts: [Micros; 3],
}

impl Link {
    fn rtt(&self) -> Option<Micros> {
        let mut rtts = self.rtts;
        rtts.sort_unstable();
        let known = rtts.iter().filter(|rtt| rtt.0 > 0).count();
        (known > 0).then(|| rtts[3 - known.div_ceil(2)])
    }
}

/// Finds out which members do not answer: SWIM over links.
///
/// Links are watched by their heartbeats; members without a link are probed in turn, by relays. A
/// link that breaks or falls silent makes its member suspect at once, and some others are asked,
/// who may dial to see. A suspicion ends in `Down` unless the member refutes it, sooner the more
/// members found the same (Das, Gupta, Motivala: "SWIM" (DSN 2002); Lifeguard for the doubt of
/// oneself). A busy member is given more patience and is never suspected for being busy.
///
/// The verdicts are outputs for the roster, and what the roster says of suspicions comes in as
/// input; without a roster the machine works alone, by what it saw itself.
#[derive(Debug)]
pub struct Probing {
    pub(crate) options: DetectorOptions,
    pub(crate) own: PeerId,
    pub(crate) rng: Rng,
    pub(crate) timers: Timers<Timer>,
    pub(crate) members: BTreeMap<PeerId, Member>,
    pub(crate) links: BTreeMap<PeerId, Link>,
    /// Members still to probe in this round of the rotation.
    rotation: Vec<PeerId>,
    /// Links still to refresh the coordinate by.
    refreshing: Vec<PeerId>,
    stranger_at: Micros,
    stranger_interval: Micros,
    refresh_at: Micros,
    losses: Losses,
    /// This node stood still a moment ago: links that broke meanwhile say nothing of their members.
    pub(crate) doubts_until: Micros,
    pub(crate) probes: BTreeMap<u32, Probe>,
    pub(crate) checks: BTreeMap<u32, Check>,
    pub(crate) dialled: BTreeSet<PeerId>,
    pub(crate) suspicions: BTreeMap<PeerId, Suspicion>,
    pub(crate) health: Health,
    vivaldi: Vivaldi,
    busy: u16,
    sequence: u32,
    pub(crate) counters: DetectorCounters,
}

impl Probing {
    /// A detector that knows nobody yet.
    #[must_use]
    pub fn new(options: DetectorOptions, own: PeerId, mut rng: Rng, now: Micros) -> Probing {
        let vivaldi = Vivaldi::new(rng.fork());
        let mut probing = Probing {
            options,
            own,
            rng,
            timers: Timers::default(),
            members: BTreeMap::new(),
            links: BTreeMap::new(),
            rotation: Vec::new(),
            refreshing: Vec::new(),
            stranger_at: now,
            stranger_interval: options.stranger_interval,
            refresh_at: now,
            losses: Losses::default(),
            doubts_until: now,
            probes: BTreeMap::new(),
            checks: BTreeMap::new(),
            dialled: BTreeSet::new(),
            suspicions: BTreeMap::new(),
            health: Health::new(options.health_max),
            vivaldi,
            busy: 0,
            sequence: 0,
            counters: DetectorCounters::default(),
        };
        probing.set_tick(now);
        probing
    }

    /// When the detector wants [`DetectorInput::Due`].
    #[must_use]
    pub fn due(&self) -> Micros {
        self.timers.due()
    }

    /// Advances by one input. Total: it never fails, whatever comes.
    pub fn handle(&mut self, input: DetectorInput, now: Micros, out: &mut Vec<DetectorOutput>) {
        self.forgive_stall(now);
        match input {
            DetectorInput::MemberUp(peer) => self.on_member_up(peer),
            DetectorInput::MemberDown(peer) => self.on_member_down(peer, now, out),
            DetectorInput::Suspected { peer, suspectors } => {
                let is_new = !self.suspicions.contains_key(&peer);
                self.on_suspected(peer, &suspectors, now);
                if is_new {
                    self.volunteer(peer, now, out);
                }
            }
            DetectorInput::Cleared(peer) => self.clear(peer),
            DetectorInput::MemberBusy { peer, isolates } => {
                self.on_member_busy(peer, isolates, now, out);
            }
            DetectorInput::LinkUp(peer) => self.on_link_up(peer, now, out),
            DetectorInput::LinkDown { peer, was_lost } => {
                self.on_link_down(peer, was_lost, now, out);
            }
            DetectorInput::DialFailed(peer) => self.on_dial_failed(peer, now, out),
            DetectorInput::Heartbeat { peer, rtt } => self.on_heartbeat(peer, rtt, now, out),
            DetectorInput::Heard(peer) => self.on_heard(peer, now, out),
            DetectorInput::Received { from, message } => self.on_message(from, message, now, out),
            DetectorInput::Busy(isolates) => self.busy = isolates,
            DetectorInput::Due => {}
        }
        while let Some(timer) = self.timers.pop(now) {
            self.on_timer(timer, now, out);
        }
    }

    /// Timers that come much too late: this node stood still, and what the others said meanwhile is
    /// still to be read. Every clock here stood still with it.
    fn forgive_stall(&mut self, now: Micros) {
        let late = now.since(self.timers.due());
        let judges = self.options.planted.is("detector_judges_after_a_stall");
        if late < self.options.stall || judges {
            return;
        }
        self.counters.stalls += 1;
        self.health.worse(1);
        self.doubts_until = now + self.health.stretch(self.options.interval);
        self.timers.put_off(late);
        for suspicion in self.suspicions.values_mut() {
            suspicion.since = suspicion.since + late;
        }
        for link in self.links.values_mut() {
            link.phi.forgive(now);
        }
        for probe in self.probes.values_mut() {
            probe.is_timed = false;
        }
    }

    fn on_timer(&mut self, timer: Timer, now: Micros, out: &mut Vec<DetectorOutput>) {
        match timer {
            Timer::Tick => {
                self.tick(now, out);
                self.set_tick(now);
            }
            Timer::Answer(sequence) => self.on_unanswered(sequence, now, out),
            Timer::Asked(sequence) => self.end_probe(sequence, now, out),
            Timer::Check(sequence) => self.end_check(sequence, false, now, out),
            Timer::Silence(peer) => self.on_silence(peer, now, out),
            Timer::Suspicion(peer) => self.on_suspicion_end(peer, now, out),
        }
    }

    fn set_tick(&mut self, now: Micros) {
        let interval = self.health.stretch(self.options.interval).0;
        let tenth = u32::try_from(interval / 10).unwrap_or(u32::MAX);
        let jittered = interval - u64::from(tenth) + u64::from(self.rng.below(tenth * 2 + 1));
        self.timers.set(Timer::Tick, now + Micros(jittered));
    }

    /// One probe at most: a member that no heartbeat watches, else a coordinate's refresh.
    fn tick(&mut self, now: Micros, out: &mut Vec<DetectorOutput>) {
        let silent = now - Micros(self.options.interval.0 * 3 / 2);
        if (now >= self.stranger_at || self.losses.are_many(now))
            && let Some(peer) = self.next_unwatched(silent)
        {
            self.stranger_at = now + self.stranger_interval;
            return self.probe(peer, now, out);
        }
        if now >= self.refresh_at
            && let Some(peer) = self.next_refreshed()
        {
            self.refresh_at = now + self.options.coordinate_interval;
            self.probe(peer, now, out);
        }
    }

    /// The next member without a link, or whose link has no heartbeats and was silent, each once a
    /// round in an order drawn anew (SWIM section 4.3). Of a link's two ends the host may let one
    /// alone send heartbeats: the other end's node watches it then.
    fn next_unwatched(&mut self, silent: Micros) -> Option<PeerId> {
        let links = &self.links;
        let is_meant = |peer: &PeerId| {
            let is_quiet = |link: &Link| !link.phi.is_watched() && link.phi.heard_at() < silent;
            links.get(peer).is_none_or(is_quiet)
        };
        for _ in 0..2 {
            while let Some(peer) = self.rotation.pop() {
                if self.members.contains_key(&peer) && is_meant(&peer) {
                    return Some(peer);
                }
            }
            self.rotation = self.members.keys().filter(|peer| is_meant(peer)).copied().collect();
            self.rng.shuffle(&mut self.rotation);
        }
        None
    }

    fn next_refreshed(&mut self) -> Option<PeerId> {
        for _ in 0..2 {
            while let Some(peer) = self.refreshing.pop() {
                if self.links.contains_key(&peer) {
                    return Some(peer);
                }
            }
            self.refreshing = self.links.keys().copied().collect();
            self.rng.shuffle(&mut self.refreshing);
        }
        None
    }

    /// What relays could not reach, links could: relays are not to be relied on here.
    pub(crate) fn relays_fail(&mut self) {
        let longest = self.options.stranger_interval.0.saturating_mul(12);
        self.stranger_interval = Micros((self.stranger_interval.0 * 2).min(longest));
    }

    pub(crate) fn relays_work(&mut self) {
        self.stranger_interval = self.options.stranger_interval;
    }

    // Members.

    fn on_member_up(&mut self, peer: PeerId) {
        if peer.node == self.own.node || self.members.contains_key(&peer) {
            return;
        }
        if self.members.len() >= self.options.members_max {
            self.counters.refused += 1;
            return;
        }
        self.members.insert(peer, Member::default());
        // At a random place of the round under way (SWIM section 4.3).
        let place = self.rng.index(self.rotation.len() + 1);
        self.rotation.insert(place, peer);
    }

    fn on_member_down(&mut self, peer: PeerId, now: Micros, out: &mut Vec<DetectorOutput>) {
        if self.members.remove(&peer).is_some() {
            self.losses.add(self.members.len(), now);
        }
        self.clear(peer);
        self.abandon(peer, out);
    }

    fn on_member_busy(
        &mut self,
        peer: PeerId,
        isolates: u16,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) {
        if let Some(member) = self.members.get_mut(&peer) {
            member.busy = isolates;
        }
        if isolates > 0 && self.options.planted.is("detector_suspects_busy_members") {
            self.suspect(peer, now, out);
        }
    }

    // Links.

    fn on_link_up(&mut self, peer: PeerId, now: Micros, out: &mut Vec<DetectorOutput>) {
        if peer.node == self.own.node {
            return;
        }
        let learns = self.options.planted.is("detector_learns_from_gaps");
        let phi = Phi::new(self.options.phi, now).learning_from_gaps(learns);
        self.links.insert(peer, Link { phi, rtts: [Micros(0); 3] });
        self.linked_for_checks(peer, out);
        self.on_heard(peer, now, out);
        self.probe(peer, now, out);
    }

    fn on_link_down(
        &mut self,
        peer: PeerId,
        was_lost: bool,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) {
        if self.links.remove(&peer).is_none() {
            return;
        }
        self.timers.cancel(&Timer::Silence(peer));
        self.dialled.remove(&peer);
        if was_lost && !self.options.planted.is("detector_ignores_lost_links") {
            self.fail_checks(peer, now, out);
            self.on_silent(peer, now, out);
        }
    }

    fn on_heartbeat(
        &mut self,
        peer: PeerId,
        rtt: Option<Micros>,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        link.phi.heartbeat(now);
        if let Some(rtt) = rtt {
            self.measured(peer, rtt);
        }
        self.on_heard(peer, now, out);
    }

    /// A sign of life over a link.
    fn on_heard(&mut self, peer: PeerId, now: Micros, out: &mut Vec<DetectorOutput>) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        link.phi.heard(now);
        self.watch_silence(peer);
        self.end_silence(peer);
        self.answered(peer, out);
    }

    /// A suspected member answers: the roster hears of it once, so that it can tell the member.
    pub(crate) fn answered(&mut self, peer: PeerId, out: &mut Vec<DetectorOutput>) {
        let Some(suspicion) = self.suspicions.get_mut(&peer) else { return };
        if !std::mem::replace(&mut suspicion.is_answered, true) {
            out.push(DetectorOutput::Alive(peer));
        }
    }

    /// A busy member gets twice the patience.
    fn patience(&self, peer: PeerId) -> Micros {
        let is_busy = self.members.get(&peer).is_some_and(|member| member.busy > 0);
        let pause = self.options.phi.acceptable_pause;
        let more = if is_busy { pause } else { Micros(0) };
        more + (self.health.stretch(pause) - pause)
    }

    /// Looks again when a heartbeat may be late; the timer is not moved by every sign of life.
    fn watch_silence(&mut self, peer: PeerId) {
        if self.timers.at(&Timer::Silence(peer)).is_some() {
            return;
        }
        let Some(link) = self.links.get(&peer) else { return };
        if link.phi.is_watched() {
            let late = link.phi.deadline(Micros(0)) - self.options.phi.acceptable_pause;
            self.timers.set(Timer::Silence(peer), late);
        }
    }

    /// A late heartbeat is asked for: a link that is in use has none, and is not silent. The pause
    /// is for the answer; without one the link is silent.
    fn on_silence(&mut self, peer: PeerId, now: Micros, out: &mut Vec<DetectorOutput>) {
        let patience = self.patience(peer);
        let Some(link) = self.links.get(&peer) else { return };
        let late = link.phi.deadline(Micros(0)) - self.options.phi.acceptable_pause;
        let deadline = link.phi.deadline(patience);
        if late > now {
            self.watch_silence(peer);
        } else if deadline > now {
            self.probe(peer, now, out);
            self.timers.set(Timer::Silence(peer), deadline);
        } else {
            // The next sign of life sets the watch again.
            self.on_silent(peer, now, out);
        }
    }

    /// A link broke or fell silent: its member is suspect, and others are asked at once. They are
    /// only asked, if this node stood still.
    fn on_silent(&mut self, peer: PeerId, now: Micros, out: &mut Vec<DetectorOutput>) {
        if !self.members.contains_key(&peer) {
            return;
        }
        if now >= self.doubts_until {
            self.suspect(peer, now, out);
        }
        self.probe_silent(peer, now, out);
    }

    // Suspicions.

    /// This node itself has no answer from the member.
    pub(crate) fn suspect(&mut self, peer: PeerId, now: Micros, out: &mut Vec<DetectorOutput>) {
        let is_known = self.suspicions.get(&peer).is_some_and(|known| known.is_by(self.own));
        if is_known || !self.members.contains_key(&peer) {
            return;
        }
        out.push(DetectorOutput::Suspect(peer));
        self.on_suspected(peer, &[self.own], now);
    }

    fn on_suspected(&mut self, peer: PeerId, suspectors: &[PeerId], now: Micros) {
        if !self.members.contains_key(&peer) {
            return;
        }
        let starts_anew = self.options.planted.is("detector_suspicion_starts_anew");
        let counts_twice = self.options.planted.is("detector_counts_a_suspector_twice");
        let suspicion = self.suspicions.entry(peer).or_insert_with(|| Suspicion::new(now));
        if starts_anew {
            suspicion.since = now;
        }
        for &suspector in suspectors {
            suspicion.add(suspector, counts_twice);
        }
        let since = suspicion.since;
        let ends = suspicion.ends(&self.options, self.members.len() + 1);
        let ends = since + self.health.stretch(ends - since);
        self.timers.set(Timer::Suspicion(peer), ends);
    }

    /// Many are lost, and a member without a link is suspected by one whom it could not answer: of
    /// all who hear of that, so few look too as make the suspicion short if it is right.
    fn volunteer(&mut self, peer: PeerId, now: Micros, out: &mut Vec<DetectorOutput>) {
        let is_stranger = self.members.contains_key(&peer) && !self.links.contains_key(&peer);
        let members = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        let looks = is_stranger && self.losses.are_many(now);
        if looks && self.rng.below(members.max(1)) < VOLUNTEERS {
            self.probe_silent(peer, now, out);
        }
    }

    pub(crate) fn clear(&mut self, peer: PeerId) {
        self.suspicions.remove(&peer);
        self.timers.cancel(&Timer::Suspicion(peer));
    }

    fn on_suspicion_end(&mut self, peer: PeerId, now: Micros, out: &mut Vec<DetectorOutput>) {
        let Some(suspicion) = self.suspicions.get_mut(&peer) else { return };
        let heard_at = self.links.get(&peer).map(|link| link.phi.heard_at());
        if heard_at.is_some_and(|heard_at| heard_at > suspicion.since) {
            // It has spoken to this node meanwhile: whatever the others say, it is not down.
            *suspicion = Suspicion::new(now);
            self.answered(peer, out);
            self.on_suspected(peer, &[], now);
            return;
        }
        self.clear(peer);
        out.push(DetectorOutput::Down(peer));
    }

    // Measuring.

    fn measured(&mut self, peer: PeerId, rtt: Micros) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        link.rtts.rotate_left(1);
        link.rtts[2] = rtt;
        let Some(median) = link.rtt() else { return };
        if let Some(member) = self.members.get(&peer)
            && let Some(coordinate) = &member.coordinate
        {
            self.vivaldi.measured(median, coordinate);
        }
    }

    fn located(&mut self, peer: PeerId, coordinate: Coordinate, busy: u16) {
        if let Some(member) = self.members.get_mut(&peer) {
            member.coordinate = Some(Box::new(coordinate));
            member.busy = busy;
        }
    }

    // Messages.

    pub(crate) fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Over the link, else by relays.
    pub(crate) fn send(&self, to: PeerId, message: DetectorMessage, out: &mut Vec<DetectorOutput>) {
        out.push(if self.links.contains_key(&to) {
            DetectorOutput::Send { to, message }
        } else {
            DetectorOutput::Relay { to, message }
        });
    }

    pub(crate) fn ping(&self, sequence: u32) -> DetectorMessage {
        let (coordinate, busy) = (self.vivaldi.coordinate(), self.busy);
        DetectorMessage::Ping { sequence, coordinate, busy }
    }

    fn on_message(
        &mut self,
        from: PeerId,
        message: DetectorMessage,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) {
        if from.node == self.own.node {
            self.counters.malformed += 1;
            return;
        }
        self.on_heard(from, now, out);
        match message {
            DetectorMessage::Ping { sequence, coordinate, busy } => {
                self.located(from, coordinate, busy);
                let (coordinate, busy) = (self.vivaldi.coordinate(), self.busy);
                let ack = DetectorMessage::Ack { sequence, coordinate, busy };
                self.send(from, ack, out);
            }
            DetectorMessage::Ack { sequence, coordinate, busy } => {
                self.located(from, coordinate, busy);
                if let Some(rtt) = self.on_ack(from, sequence, now, out) {
                    self.measured(from, rtt);
                }
            }
            DetectorMessage::PingRequest { sequence, target } => {
                self.on_ping_request(from, sequence, target, now, out);
            }
            DetectorMessage::IndirectAck { sequence } => {
                self.on_indirect(from, sequence, true, now, out);
            }
            DetectorMessage::Nack { sequence } => {
                self.on_indirect(from, sequence, false, now, out);
            }
        }
    }

    // Views.

    /// 0 for a node that trusts its judgement, up to 7 for one that does not.
    #[must_use]
    pub fn health(&self) -> u8 {
        self.health.score()
    }

    /// Where this node is.
    #[must_use]
    pub fn coordinate(&self) -> Coordinate {
        self.vivaldi.coordinate()
    }

    /// The round trip to a member: measured over its link, else estimated by coordinates.
    #[must_use]
    pub fn distance(&self, peer: PeerId) -> Option<Micros> {
        if let Some(rtt) = self.links.get(&peer).and_then(Link::rtt) {
            return Some(rtt);
        }
        let coordinate = self.members.get(&peer)?.coordinate.as_ref()?;
        Some(self.vivaldi.coordinate().distance(coordinate))
    }

    /// How suspicious the silence of a link is; nothing without a link.
    #[must_use]
    pub fn phi(&self, peer: PeerId, now: Micros) -> Option<f64> {
        self.links.get(&peer).map(|link| link.phi.level(now))
    }

    /// Whom it takes for members that are up.
    pub fn members(&self) -> impl Iterator<Item = PeerId> {
        self.members.keys().copied()
    }

    /// Members under suspicion.
    pub fn suspects(&self) -> impl Iterator<Item = PeerId> {
        self.suspicions.keys().copied()
    }

    /// Probes and checks under way: what has to stay bounded.
    #[must_use]
    pub fn queued(&self) -> (usize, usize) {
        (self.probes.len(), self.checks.len())
    }

    /// What was done and refused so far.
    #[must_use]
    pub fn counters(&self) -> DetectorCounters {
        self.counters
    }
}
