//! Probes of this node and checks for others, from the question to its answer or its end.

use foundation_machine::{Micros, PeerId};

use crate::io::{DetectorMessage, DetectorOutput};
use crate::probing::{Probing, Timer};

/// Probes under way at once; a tick adds one, a lost link another.
const PROBES_MAX: usize = 1_024;

/// A question to a member, by this node.
#[derive(Debug)]
pub(crate) struct Probe {
    peer: PeerId,
    sent_at: Micros,
    /// The round trip can be told from the answer.
    pub(crate) is_timed: bool,
    is_relayed: bool,
    /// The link broke or fell silent before there was a question.
    is_by_silence: bool,
    /// Others that were asked and have not answered.
    asked: Vec<PeerId>,
    asked_count: usize,
}

impl Probe {
    fn new(peer: PeerId, now: Micros) -> Probe {
        let (is_timed, is_relayed, is_by_silence) = (false, false, false);
        Probe {
            peer,
            sent_at: now,
            is_timed,
            is_relayed,
            is_by_silence,
            asked: Vec::new(),
            asked_count: 0,
        }
    }
}

/// A question of another member about a third one.
#[derive(Debug)]
pub(crate) struct Check {
    asker: PeerId,
    sequence: u32,
    target: PeerId,
}

impl Probing {
    /// Asks a member whether it is there.
    pub(crate) fn probe(&mut self, peer: PeerId, now: Micros, out: &mut Vec<DetectorOutput>) {
        if !self.has_room_for_probe() {
            return;
        }
        let sequence = self.next_sequence();
        let mut probe = Probe::new(peer, now);
        probe.is_relayed = !self.links.contains_key(&peer);
        probe.is_timed = !probe.is_relayed;
        let timeout =
            if probe.is_relayed { self.options.relay_timeout } else { self.options.timeout };
        self.probes.insert(sequence, probe);
        self.counters.probes += 1;
        let ping = self.ping(sequence);
        self.send(peer, ping, out);
        self.timers.set(Timer::Answer(sequence), now + self.health.stretch(timeout));
    }

    /// A link broke or fell silent: others are asked without waiting for an answer first.
    pub(crate) fn probe_silent(
        &mut self,
        peer: PeerId,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) {
        // Its late heartbeat may have been asked for.
        let is_asked_for = |probe: &Probe| probe.peer == peer && probe.asked_count == 0;
        if let Some((&sequence, probe)) =
            self.probes.iter_mut().find(|(_, probe)| is_asked_for(probe))
        {
            probe.is_by_silence = true;
            self.timers.cancel(&Timer::Answer(sequence));
            return self.on_unanswered(sequence, now, out);
        }
        if !self.has_room_for_probe() {
            return;
        }
        let sequence = self.next_sequence();
        self.probes.insert(sequence, Probe { is_by_silence: true, ..Probe::new(peer, now) });
        self.counters.probes += 1;
        if self.links.contains_key(&peer) {
            out.push(DetectorOutput::Send { to: peer, message: self.ping(sequence) });
        }
        self.on_unanswered(sequence, now, out);
    }

    /// The member whose link broke or fell silent is there again: nobody's answer is needed.
    pub(crate) fn end_silence(&mut self, peer: PeerId) {
        let is_over = |probe: &Probe| probe.is_by_silence && probe.peer == peer;
        let over = self.probes.iter().find(|(_, probe)| is_over(probe)).map(|(&key, _)| key);
        if let Some(sequence) = over {
            self.forget_probe(sequence);
        }
    }

    fn has_room_for_probe(&mut self) -> bool {
        let has_room = self.probes.len() < PROBES_MAX;
        self.counters.refused += u64::from(!has_room);
        has_room
    }

    /// The member's own answer is overdue: others are asked.
    pub(crate) fn on_unanswered(
        &mut self,
        sequence: u32,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) {
        if self.options.planted.is("detector_never_asks_others") {
            return self.end_probe(sequence, now, out);
        }
        self.ask_others(sequence, now, out);
    }

    fn ask_others(&mut self, sequence: u32, now: Micros, out: &mut Vec<DetectorOutput>) {
        let Some(probe) = self.probes.get_mut(&sequence) else { return };
        let target = probe.peer;
        let suspicions = &self.suspicions;
        let members = &self.members;
        let others: Vec<PeerId> = self
            .links
            .keys()
            .filter(|peer| **peer != target && members.contains_key(peer))
            .filter(|peer| !suspicions.contains_key(peer))
            .copied()
            .collect();
        // A relay that failed says little: one other member looks whether it was the relay.
        let count = if probe.is_relayed { 1 } else { self.options.checkers };
        probe.asked = self.rng.sample(&others, count);
        probe.asked_count = probe.asked.len();
        self.counters.asked += probe.asked.len() as u64;
        for &to in &probe.asked {
            let message = DetectorMessage::PingRequest { sequence, target };
            out.push(DetectorOutput::Send { to, message });
        }
        let timeout = self.health.stretch(self.options.check_timeout);
        self.timers.set(Timer::Asked(sequence), now + timeout);
    }

    /// Nobody had an answer in time, or all had said no.
    pub(crate) fn end_probe(&mut self, sequence: u32, now: Micros, out: &mut Vec<DetectorOutput>) {
        let Some(probe) = self.forget_probe(sequence) else { return };
        let links = &self.links;
        let missing = probe.asked.iter().filter(|peer| links.contains_key(peer)).count();
        self.counters.probes_failed += 1;
        self.counters.nacks_missing += missing as u64;
        // Whoever was asked and is silent too makes this node doubt itself; so does a member that
        // nobody could be asked about (memberlist), unless its link told.
        let is_alone = probe.asked_count == 0 && !probe.is_by_silence;
        self.health.worse(if is_alone { 1 } else { missing });
        let is_unreachable = probe.is_relayed && self.links.is_empty();
        if !is_unreachable {
            self.suspect(probe.peer, now, out);
        }
    }

    fn forget_probe(&mut self, sequence: u32) -> Option<Probe> {
        self.timers.cancel(&Timer::Answer(sequence));
        self.timers.cancel(&Timer::Asked(sequence));
        self.probes.remove(&sequence)
    }

    /// A member answered: to a probe, whose round trip is handed back, or to a check.
    pub(crate) fn on_ack(
        &mut self,
        from: PeerId,
        sequence: u32,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) -> Option<Micros> {
        if self.checks.get(&sequence).is_some_and(|check| check.target == from) {
            self.end_check(sequence, true, now, out);
            return None;
        }
        if self.probes.get(&sequence).is_none_or(|probe| probe.peer != from) {
            self.counters.late += 1;
            return None;
        }
        let probe = self.forget_probe(sequence)?;
        self.health.better();
        if probe.is_relayed {
            self.relays_work();
            self.answered(from, out);
        }
        probe.is_timed.then(|| now.since(probe.sent_at))
    }

    /// One that was asked has looked.
    pub(crate) fn on_indirect(
        &mut self,
        from: PeerId,
        sequence: u32,
        is_there: bool,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) {
        let Some(probe) = self.probes.get_mut(&sequence) else {
            self.counters.late += 1;
            return;
        };
        let Some(place) = probe.asked.iter().position(|&peer| peer == from) else {
            self.counters.malformed += 1;
            return;
        };
        probe.asked.remove(place);
        if is_there {
            let probe = self.forget_probe(sequence);
            self.health.better();
            if let Some(probe) = probe {
                if probe.is_relayed {
                    self.relays_fail();
                }
                self.answered(probe.peer, out);
            }
        } else if probe.asked.is_empty() && !self.links.contains_key(&probe.peer) {
            // All have looked, and there is no link over which an answer might still come.
            self.end_probe(sequence, now, out);
        }
    }

    // Checks for others.

    pub(crate) fn on_ping_request(
        &mut self,
        asker: PeerId,
        sequence: u32,
        target: PeerId,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) {
        if target == self.own {
            return self.send(asker, DetectorMessage::IndirectAck { sequence }, out);
        }
        if target.node == self.own.node || !self.members.contains_key(&target) {
            return self.send(asker, DetectorMessage::Nack { sequence }, out);
        }
        if self.checks.len() >= self.options.checks_max {
            self.counters.checks_refused += 1;
            return self.send(asker, DetectorMessage::Nack { sequence }, out);
        }
        let own = self.next_sequence();
        self.checks.insert(own, Check { asker, sequence, target });
        self.counters.checks += 1;
        if self.links.contains_key(&target) {
            let ping = self.ping(own);
            self.send(target, ping, out);
        } else if self.dialled.insert(target) {
            out.push(DetectorOutput::Dial(target));
        }
        // The "no" has to be there before the asker gives up on this node.
        let timeout = Micros(self.options.check_timeout.0 * 4 / 5);
        self.timers.set(Timer::Check(own), now + timeout);
    }

    /// A link that checks waited for is up.
    pub(crate) fn linked_for_checks(&mut self, peer: PeerId, out: &mut Vec<DetectorOutput>) {
        for (&own, check) in &self.checks {
            if check.target == peer {
                out.push(DetectorOutput::Send { to: peer, message: self.ping(own) });
            }
        }
    }

    pub(crate) fn on_dial_failed(
        &mut self,
        peer: PeerId,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) {
        self.dialled.remove(&peer);
        self.fail_checks(peer, now, out);
    }

    /// Nobody is there: every check of that member ends with a no.
    pub(crate) fn fail_checks(&mut self, peer: PeerId, now: Micros, out: &mut Vec<DetectorOutput>) {
        for own in self.checks_of(peer) {
            self.end_check(own, false, now, out);
        }
    }

    /// Checks of that member that were asked for and are not answered, by own number.
    fn checks_of(&self, peer: PeerId) -> Vec<u32> {
        let of_peer = self.checks.iter().filter(|(_, check)| check.target == peer);
        of_peer.map(|(&own, _)| own).collect()
    }

    /// The answer to whoever asked. Having seen for itself that there is none, this node confirms.
    pub(crate) fn end_check(
        &mut self,
        own: u32,
        is_there: bool,
        now: Micros,
        out: &mut Vec<DetectorOutput>,
    ) {
        self.timers.cancel(&Timer::Check(own));
        let Some(Check { asker, sequence, target }) = self.checks.remove(&own) else { return };
        let message = if is_there {
            DetectorMessage::IndirectAck { sequence }
        } else {
            DetectorMessage::Nack { sequence }
        };
        self.send(asker, message, out);
        let is_trusted = self.health.score() == 0 && now >= self.doubts_until;
        if !is_there && is_trusted {
            self.suspect(target, now, out);
        }
        let is_wanted = self.checks.values().any(|check| check.target == target);
        if !is_wanted && self.dialled.remove(&target) {
            out.push(DetectorOutput::Release(target));
        }
    }

    /// The member is known to be down: nobody waits for its answer any more.
    pub(crate) fn abandon(&mut self, peer: PeerId, out: &mut Vec<DetectorOutput>) {
        let of_peer = |probe: &Probe| probe.peer == peer;
        let sequences: Vec<u32> =
            self.probes.iter().filter(|(_, probe)| of_peer(probe)).map(|(&key, _)| key).collect();
        for sequence in sequences {
            self.forget_probe(sequence);
        }
        for own in self.checks_of(peer) {
            self.timers.cancel(&Timer::Check(own));
            if let Some(check) = self.checks.remove(&own) {
                let message = DetectorMessage::Nack { sequence: check.sequence };
                self.send(check.asker, message, out);
            }
        }
        if self.dialled.remove(&peer) {
            out.push(DetectorOutput::Release(peer));
        }
    }
}
