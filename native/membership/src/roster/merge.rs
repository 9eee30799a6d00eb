//! What a record, or a verdict of this node's own detector, changes.

use foundation_machine::{Micros, NodeNo, PeerId};

use super::announce::{Before, announce};
use super::io::{RosterEvent, RosterMessage, RosterOutput};
use super::record::{Claim, DownReason, Mark, MemberRecord};
use super::{Roster, Timer};

impl Roster {
    /// Takes a record in if it replaces what is held. `quiet`: it is no news to pass on. Answers
    /// whether anything changed.
    pub(crate) fn learn(
        &mut self,
        record: MemberRecord,
        from: Option<PeerId>,
        quiet: bool,
        now: Micros,
        out: &mut Vec<RosterOutput>,
    ) -> bool {
        let peer = record.peer;
        if peer.node == self.own.peer.node {
            return self.hear_of_myself(&record, now, out);
        }
        let is_old = |failed| record.term <= failed;
        if self.table.is_gone(peer) || self.table.failed_term(peer).is_some_and(is_old) {
            self.counters.removed += 1;
            return false;
        }
        let Some(member) = self.table.get(peer.node) else {
            return self.admit(record, from, quiet, now, out);
        };
        let held = &member.record;
        let is_same_life = held.peer == peer;
        let clears = self.options.planted.is("roster_equal_incarnation_clears")
            && is_same_life
            && (held.mark, record.mark) == (Mark::Suspect, Mark::Clear)
            && held.incarnation == record.incarnation;
        let revives = self.options.planted.is("roster_removal_refutable")
            && is_same_life
            && matches!(held.mark, Mark::Removed(_))
            && record.mark == Mark::Clear;
        if record.rank() > held.rank() || clears || revives {
            let is_unheard = is_same_life && record.mark == Mark::Failed && !held.is_down();
            if is_unheard && held.mark == Mark::Clear && !self.judges_at_once() {
                return self.contest(record, from, now, out);
            }
            self.adopt(record, from, quiet, now, out);
            return true;
        }
        if record.rank() < held.rank() {
            self.counters.stale += 1;
            return false;
        }
        self.confirm(&record, from, now, out)
    }

    fn judges_at_once(&self) -> bool {
        self.options.planted.is("roster_verdict_unheard")
    }

    /// A node that nothing was known of.
    fn admit(
        &mut self,
        record: MemberRecord,
        from: Option<PeerId>,
        quiet: bool,
        now: Micros,
        out: &mut Vec<RosterOutput>,
    ) -> bool {
        if self.table.len() >= self.options.members_max {
            if self.table.tombstones() == 0 {
                self.counters.refused += 1;
                return false;
            }
            self.counters.forgotten += self.table.bury(self.options.members_max, false);
        }
        self.adopt(record, from, quiet, now, out);
        true
    }

    /// The record holds from now on, and is passed on unless it is no news.
    fn adopt(
        &mut self,
        record: MemberRecord,
        from: Option<PeerId>,
        quiet: bool,
        now: Micros,
        out: &mut Vec<RosterOutput>,
    ) {
        let node = record.peer.node;
        self.replace(record, from, now, out);
        if !quiet {
            self.tell(node, from, now);
        } else if !self.reliers.is_empty() {
            self.tell_reliers(node);
            self.set_round(now);
        }
    }

    /// The record holds from now on; the application hears what that means.
    fn replace(
        &mut self,
        record: MemberRecord,
        from: Option<PeerId>,
        now: Micros,
        out: &mut Vec<RosterOutput>,
    ) {
        let node = record.peer.node;
        let before = self.table.get(node).map(Before::of);
        let verdict = self.table.get(node).and_then(|member| member.verdict.clone());
        let former_via = self.table.get(node).and_then(|member| member.via);
        let is_down = record.is_down();
        self.table.put(record, from.or(former_via), now, self.ignores_word());
        let Some(member) = self.table.get_mut(node) else { return };
        // A verdict that the record does not answer is still in force.
        member.verdict = verdict.filter(|verdict| {
            verdict.peer == member.record.peer && verdict.rank() > member.record.rank()
        });
        if member.verdict.is_none() && self.contested.remove(&node) {
            self.timers.cancel(&Timer::Contest(node));
        }
        let is_silent = self.options.planted.is("roster_restart_unannounced");
        announce(before, member, is_silent, out);
        if is_down {
            self.expire(now);
        }
    }

    /// The same record again: that neighbour knows it. A suspicion may name further members.
    fn confirm(
        &mut self,
        record: &MemberRecord,
        from: Option<PeerId>,
        now: Micros,
        out: &mut Vec<RosterOutput>,
    ) -> bool {
        let node = record.peer.node;
        let Some(member) = self.table.get_mut(node) else { return false };
        if record.mark == Mark::Suspect && member.record.add_suspectors(&record.suspectors) {
            let suspectors = member.record.suspectors.clone();
            let event = RosterEvent::MemberSuspect { peer: record.peer, suspectors };
            out.push(RosterOutput::Event(event));
            self.tell(node, from, now);
            return true;
        }
        self.counters.stale += 1;
        if let Some(from) = from
            && record.names_all_of(&member.record)
        {
            self.rumours.heard(node, from);
        }
        false
    }

    // Verdicts.

    /// Others take a member for failed that nobody here suspected: it is heard first.
    fn contest(
        &mut self,
        verdict: MemberRecord,
        from: Option<PeerId>,
        now: Micros,
        out: &mut Vec<RosterOutput>,
    ) -> bool {
        let node = verdict.peer.node;
        let Some(member) = self.table.get_mut(node) else { return false };
        if member.verdict.as_ref().is_some_and(|known| known.rank() >= verdict.rank()) {
            self.counters.stale += 1;
            if let Some(from) = from {
                self.rumours.heard(node, from);
            }
            return false;
        }
        let before = Before::of(member);
        member.verdict = Some(Box::new(verdict));
        if self.contested.insert(node) {
            announce(Some(before), member, false, out);
            self.timers.set(Timer::Contest(node), now + self.options.contest);
        }
        self.tell(node, from, now);
        true
    }

    pub(crate) fn on_contest(&mut self, node: NodeNo, now: Micros, out: &mut Vec<RosterOutput>) {
        let Some(member) = self.table.get_mut(node) else { return };
        if let Some(verdict) = member.verdict.clone() {
            self.replace(*verdict, None, now, out);
            // Whoever became a neighbour meanwhile has not heard of it, nor has the member.
            self.tell(node, None, now);
        }
    }

    /// This node's detector has no answer from a member.
    pub(crate) fn on_suspect(&mut self, peer: PeerId, now: Micros, out: &mut Vec<RosterOutput>) {
        let Some(held) = self.held_up(peer) else { return };
        let mut record = held.marked(Mark::Suspect);
        record.suspectors.push(self.own.peer);
        self.learn(record, None, false, now, out);
    }

    /// A suspected member has answered this node: it is told again what it has to refute.
    pub(crate) fn on_alive(&mut self, peer: PeerId, out: &mut Vec<RosterOutput>) {
        let Some(member) = self.table.get(peer.node) else { return };
        let news = member.news();
        if member.record.peer == peer && news.mark != Mark::Clear && self.neighbours.contains(&peer)
        {
            let message = RosterMessage::News { records: vec![news.clone()] };
            out.push(RosterOutput::Send { to: peer, message });
        }
    }

    /// This node itself finds a member down.
    pub(crate) fn conclude(
        &mut self,
        peer: PeerId,
        mark: Mark,
        now: Micros,
        out: &mut Vec<RosterOutput>,
    ) {
        let Some(member) = self.table.get(peer.node) else { return };
        let held = &member.record;
        let record = held.marked(mark);
        if held.peer != peer || record.rank() <= held.rank() {
            return;
        }
        self.replace(record, None, now, out);
        self.tell(peer.node, None, now);
    }

    fn held_up(&self, peer: PeerId) -> Option<&MemberRecord> {
        let held = &self.table.get(peer.node)?.record;
        (held.peer == peer && !held.is_down()).then_some(held)
    }

    // This node itself.

    /// This node says something new of itself.
    pub(crate) fn claim(&mut self, claim: Claim, now: Micros) {
        // Whoever leaves does not come back to say that it is idle.
        if self.own.claim == claim || self.own.claim == Claim::Leaving {
            return;
        }
        self.own.claim = claim;
        self.own.incarnation = self.own.incarnation.saturating_add(1);
        self.tell(self.own.peer.node, None, now);
    }

    /// Others speak of this node. What is said against it is answered by a word that beats it.
    fn hear_of_myself(
        &mut self,
        record: &MemberRecord,
        now: Micros,
        out: &mut Vec<RosterOutput>,
    ) -> bool {
        if record.peer.life > self.own.peer.life {
            self.removed(DownReason::Restarted, out);
            return false;
        }
        if record.peer.life < self.own.peer.life || record.rank() <= self.own.rank() {
            self.counters.stale += 1;
            return false;
        }
        if let Mark::Removed(reason) = record.mark {
            self.removed(reason, out);
            return false;
        }
        if self.options.planted.is("roster_never_refutes") {
            return false;
        }
        // Only this node raises its term and its incarnation; a record that is ahead of it is
        // answered alike.
        self.own.term = record.term;
        if record.mark == Mark::Failed {
            self.own.term = record.term.saturating_add(1);
        }
        self.own.incarnation = self.own.incarnation.max(record.incarnation).saturating_add(1);
        self.counters.refuted += 1;
        self.tell(self.own.peer.node, None, now);
        true
    }

    fn removed(&mut self, reason: DownReason, out: &mut Vec<RosterOutput>) {
        if !std::mem::replace(&mut self.is_removed, true) {
            out.push(RosterOutput::Event(RosterEvent::Removed(reason)));
        }
    }
}
