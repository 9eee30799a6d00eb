//! What the roster says.

use foundation_broadcast::Payload;
use foundation_detector::DetectorInput;
use foundation_machine::{Micros, PeerId};
use foundation_membership::{
    DownReason as RosterReason, LinkEnd, OverlayInput, RosterEvent, RosterInput, RosterOutput,
};

use crate::cluster::Cluster;
use crate::event::{ClusterEvent, DownReason};
use crate::io::Output;
use crate::message::ClusterMessage;
use crate::router::RouterInput;
use crate::work::Task;

impl<B: Payload> Cluster<B> {
    pub(crate) fn step_roster(
        &mut self,
        input: RosterInput,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        let Some(roster) = &mut self.roster else { return };
        let mut wanted = Vec::new();
        roster.handle(input, now, &mut wanted);
        for output in wanted {
            match output {
                RosterOutput::Send { to, message } => {
                    self.send(to, ClusterMessage::Roster(message), out);
                }
                RosterOutput::Event(event) => self.member_event(event, now, out),
            }
        }
    }

    fn member_event(&mut self, event: RosterEvent, now: Micros, out: &mut Vec<Output<B>>) {
        match event {
            RosterEvent::MemberUp(peer) => {
                out.extend(self.gate.come_up(peer).into_iter().map(Output::Event));
                self.tell_member_up(peer);
            }
            RosterEvent::MemberDown { peer, reason } => {
                self.member_down(peer, reason, out);
                self.plan_reach(now);
            }
            RosterEvent::MemberBusy { peer, isolates } => {
                out.push(Output::Event(ClusterEvent::Busy { peer, isolates }));
                self.tell_detector(DetectorInput::MemberBusy { peer, isolates });
            }
            RosterEvent::MemberIdle(peer) => {
                out.push(Output::Event(ClusterEvent::Idle(peer)));
                self.tell_detector(DetectorInput::MemberBusy { peer, isolates: 0 });
            }
            RosterEvent::MemberSuspect { peer, suspectors } => {
                out.push(Output::Event(ClusterEvent::Suspect(peer)));
                self.tell_detector(DetectorInput::Suspected { peer, suspectors });
            }
            RosterEvent::MemberCleared(peer) => {
                out.push(Output::Event(ClusterEvent::Trusted(peer)));
                self.tell_detector(DetectorInput::Cleared(peer));
            }
            RosterEvent::MemberLeaving(peer) => {
                out.push(Output::Event(ClusterEvent::Leaving(peer)));
            }
            RosterEvent::Removed(reason) => {
                let reason = down_reason(reason);
                out.push(Output::Event(ClusterEvent::Removed(reason)));
                // Whoever is asked for a link would turn this life away, again and again.
                self.reach.done();
                self.tell_overlays(&OverlayInput::Leave);
            }
        }
    }

    fn member_down(&mut self, peer: PeerId, reason: RosterReason, out: &mut Vec<Output<B>>) {
        let is_final = reason != RosterReason::Failed;
        if self.gate.go_down(peer, is_final) {
            let reason = down_reason(reason);
            out.push(Output::Event(ClusterEvent::NodeDown { peer, reason }));
        }
        self.tell_member_down(peer);
        self.work.push_back(Task::Router(RouterInput::Down(peer)));
        let end = if is_final { LinkEnd::Left } else { LinkEnd::Lost };
        self.give_link_up(peer, end, out);
    }

    pub(crate) fn tell_detector(&mut self, input: DetectorInput) {
        self.work.push_back(Task::Detector(input));
    }
}

fn down_reason(reason: RosterReason) -> DownReason {
    match reason {
        RosterReason::Failed => DownReason::Failed,
        RosterReason::Left => DownReason::Left,
        RosterReason::Evicted => DownReason::Evicted,
        RosterReason::Restarted => DownReason::Replaced,
        RosterReason::Expired => DownReason::Expired,
    }
}
