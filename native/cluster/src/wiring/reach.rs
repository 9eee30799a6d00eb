//! Members that were found failed are tried again, and those that were removed are told.

use foundation_broadcast::Payload;
use foundation_machine::{Micros, PeerId};
use foundation_membership::{OverlayInput, Roster, RosterInput};

use crate::cluster::Cluster;
use crate::io::Output;
use crate::links::Holder;
use crate::message::ClusterMessage;
use crate::work::Task;

/// A link to a life that is over is closed after so long: what it has to hear is written by then.
const FAREWELL: Micros = Micros::from_millis(50);

impl<B: Payload> Cluster<B> {
    /// Plans to try a lost member again, if there is any.
    pub(crate) fn plan_reach(&mut self, now: Micros) {
        let Some(roster) = &self.roster else { return };
        if !roster.has_been_removed() && roster.lost().next().is_some() {
            self.reach.plan(roster.size(), &mut self.rng, now);
        }
    }

    pub(crate) fn reach_due(&mut self, now: Micros, out: &mut Vec<Output<B>>) {
        for peer in self.reach.expired(now) {
            self.part(peer);
            self.release_link(peer, Holder::Reach, now, out);
        }
        if !self.reach.is_due(now) {
            return;
        }
        self.reach.done();
        let lost: Vec<PeerId> = self.roster.iter().flat_map(Roster::lost).collect();
        if let Some(former) = self.reach.asked.take() {
            self.release_link(former, Holder::Reach, now, out);
        }
        if let Some(&peer) = self.rng.pick(&lost) {
            self.reach.asked = Some(peer);
            self.ask_link(peer, Holder::Reach, now, out);
        }
        self.plan_reach(now);
    }

    /// A link is up: if it is to somebody that was lost, it counts as a neighbour's for a while.
    pub(crate) fn meet(&mut self, peer: PeerId, now: Micros, out: &mut Vec<Output<B>>) {
        let is_asked = self.reach.asked == Some(peer);
        if is_asked {
            self.reach.asked = None;
        }
        if !self.roster.as_ref().is_some_and(|roster| roster.is_lost(peer)) {
            if is_asked {
                self.release_link(peer, Holder::Reach, now, out);
            }
            return;
        }
        self.reach.meet(peer, now);
        self.hold_link(peer, Holder::Reach, now, out);
        self.work.push_back(Task::Roster(RosterInput::NeighbourUp(peer)));
        self.work.push_back(Task::Roster(RosterInput::RelyOn(peer)));
        if is_asked {
            self.tell_overlays(&OverlayInput::Met(peer));
        }
    }

    /// A peer does not count as a neighbour any more for having been met.
    pub(crate) fn part(&mut self, peer: PeerId) {
        if self.reach.part(peer) && !self.is_neighbour(peer) {
            self.work.push_back(Task::Roster(RosterInput::NeighbourDown(peer)));
        }
    }

    /// A link to a life that is over: it hears so, and then the host closes it.
    pub(crate) fn turn_away(&mut self, peer: PeerId, now: Micros, out: &mut Vec<Output<B>>) {
        self.counters.stale += 1;
        let removal = self.roster.as_ref().and_then(|roster| roster.removal(peer));
        let Some(message) = removal else { return out.push(Output::HangUp(peer)) };
        out.push(Output::Send { to: peer, message: ClusterMessage::Roster(message) });
        self.farewells.set(peer, now + FAREWELL);
    }

    pub(crate) fn farewells_due(&mut self, now: Micros, out: &mut Vec<Output<B>>) {
        while let Some(peer) = self.farewells.pop(now) {
            if !self.links.is_up(peer) {
                out.push(Output::HangUp(peer));
            }
        }
    }
}
