//! What an overlay wants.

use foundation_broadcast::{BroadcastInput, Payload};
use foundation_machine::{Micros, PeerId};
use foundation_membership::{OverlayInput, OverlayMessage, OverlayOutput, RosterInput};

use crate::cluster::Cluster;
use crate::event::{ClusterEvent, DownReason};
use crate::io::{Output, OverlayNo};
use crate::links::Holder;
use crate::message::ClusterMessage;
use crate::seeds::Asker;
use crate::work::Task;

impl<B: Payload> Cluster<B> {
    pub(crate) fn step_overlay(
        &mut self,
        overlay: OverlayNo,
        epoch: u64,
        input: OverlayInput<OverlayMessage>,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        let named = self.overlays.get_mut(usize::from(overlay.0));
        let Some(generation) = named.and_then(|named| named.generation(epoch)) else { return };
        let has_member_seeds = generation.has_member_seeds;
        let mut wanted = Vec::new();
        generation.machine.handle(input, now, &mut wanted);
        let holder = Holder::Overlay(overlay, epoch);
        for output in wanted {
            match output {
                OverlayOutput::Send { to, message } => {
                    self.send(to, ClusterMessage::Overlay { overlay, epoch, message }, out);
                }
                OverlayOutput::Dial(peer) => self.ask_link(peer, holder, now, out),
                OverlayOutput::DialSeed { pick } if has_member_seeds => {
                    let members = self.known_members();
                    let peer = members.get(pick as usize % members.len().max(1)).copied();
                    self.dial_member(peer, (overlay, epoch), now, out);
                }
                OverlayOutput::DialSeed { pick } => {
                    self.seeds.ask((overlay, epoch));
                    out.push(Output::DialSeed { pick });
                }
                OverlayOutput::Release(peer) => self.release_link(peer, holder, now, out),
                OverlayOutput::NeighbourUp(peer) => {
                    self.hold_link(peer, holder, now, out);
                    self.neighbour_up(overlay, epoch, peer);
                }
                OverlayOutput::NeighbourDown(peer) => {
                    self.neighbour_down(overlay, epoch, peer, out);
                }
            }
        }
    }

    /// A member in place of a seed, if there is one.
    pub(crate) fn dial_member(
        &mut self,
        peer: Option<PeerId>,
        (overlay, epoch): Asker,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        let Some(peer) = peer else {
            let input = OverlayInput::SeedFailed;
            return self.work.push_back(Task::Overlay { overlay, epoch, input });
        };
        self.seeds.ask_member(peer, (overlay, epoch));
        self.ask_link(peer, Holder::Overlay(overlay, epoch), now, out);
    }

    /// By an overlay, or for having been met.
    pub(crate) fn is_neighbour(&self, peer: PeerId) -> bool {
        self.reach.holds(peer) || self.overlays.iter().any(|named| named.neighbours.contains(peer))
    }

    fn neighbour_up(&mut self, overlay: OverlayNo, epoch: u64, peer: PeerId) {
        let is_new_to_node = !self.is_neighbour(peer);
        let named = &mut self.overlays[usize::from(overlay.0)];
        let Some(generation) = named.generation(epoch) else { return };
        let (epoch, reliance) = (generation.epoch, generation.reliance(peer));
        let is_new_to_overlay = named.neighbours.up(epoch, peer);
        if is_new_to_node && self.roster.is_some() {
            self.work.push_back(Task::Roster(RosterInput::NeighbourUp(peer)));
        } else if is_new_to_node {
            let events = self.gate.come_up(peer);
            self.work.extend(events.into_iter().map(Task::Event));
            self.tell_member_up(peer);
        }
        self.work.extend(reliance.map(Task::Roster));
        if is_new_to_overlay {
            self.work.push_back(Task::Event(ClusterEvent::NeighbourUp { overlay, peer }));
            let input = BroadcastInput::NeighbourUp(peer);
            self.work.push_back(Task::Tree { overlay, input });
        }
        self.check_ready(overlay);
    }

    fn neighbour_down(
        &mut self,
        overlay: OverlayNo,
        epoch: u64,
        peer: PeerId,
        out: &mut Vec<Output<B>>,
    ) {
        let named = &mut self.overlays[usize::from(overlay.0)];
        let Some(epoch) = named.generation(epoch).map(|generation| generation.epoch) else {
            return;
        };
        if named.neighbours.down(epoch, peer) {
            self.no_neighbour(overlay, peer, out);
        }
    }

    /// The overlay has no link to that peer by any strategy any more.
    pub(crate) fn no_neighbour(
        &mut self,
        overlay: OverlayNo,
        peer: PeerId,
        out: &mut Vec<Output<B>>,
    ) {
        out.push(Output::Event(ClusterEvent::NeighbourDown { overlay, peer }));
        let input = BroadcastInput::NeighbourDown(peer);
        self.work.push_back(Task::Tree { overlay, input });
        if self.is_neighbour(peer) {
            return;
        }
        if self.roster.is_some() {
            self.work.push_back(Task::Roster(RosterInput::NeighbourDown(peer)));
            return;
        }
        if self.gate.go_down(peer, false) {
            let reason = DownReason::LinkLost;
            self.work.push_back(Task::Event(ClusterEvent::NodeDown { peer, reason }));
            self.tell_member_down(peer);
        }
    }
}
