//! What an overlay wants.

use foundation_broadcast::{BroadcastInput, Payload};
use foundation_machine::{Micros, PeerId};
use foundation_membership::{OverlayInput, OverlayOutput, RosterInput};

use crate::cluster::Cluster;
use crate::event::{ClusterEvent, DownReason};
use crate::io::{Output, OverlayNo};
use crate::links::Holder;
use crate::message::ClusterMessage;
use crate::named::OverlayMessage;
use crate::work::Task;

impl<B: Payload> Cluster<B> {
    pub(crate) fn step_overlay(
        &mut self,
        overlay: OverlayNo,
        epoch: u32,
        input: OverlayInput<OverlayMessage>,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        let named = self.overlays.get_mut(usize::from(overlay.0));
        let Some(generation) = named.and_then(|named| named.generation(epoch)) else { return };
        let mut wanted = Vec::new();
        generation.machine.handle(input, now, &mut wanted);
        let holder = Holder::Overlay(overlay, epoch);
        for output in wanted {
            match output {
                OverlayOutput::Send { to, message } => {
                    self.send(to, ClusterMessage::Overlay { overlay, epoch, message }, out);
                }
                OverlayOutput::Dial(peer) => self.ask_link(peer, holder, out),
                OverlayOutput::DialSeed { pick } => {
                    self.seeds.ask(overlay, epoch);
                    out.push(Output::DialSeed { pick });
                }
                OverlayOutput::Release(peer) => self.release_link(peer, holder, now, out),
                OverlayOutput::NeighbourUp(peer) => {
                    self.hold_link(peer, holder, out);
                    self.neighbour_up(overlay, epoch, peer);
                }
                OverlayOutput::NeighbourDown(peer) => {
                    self.neighbour_down(overlay, epoch, peer, out);
                }
            }
        }
    }

    fn is_neighbour(&self, peer: PeerId) -> bool {
        self.overlays.iter().any(|named| named.has_neighbour(peer))
    }

    fn neighbour_up(&mut self, overlay: OverlayNo, epoch: u32, peer: PeerId) {
        let is_new_to_node = !self.is_neighbour(peer);
        let named = &mut self.overlays[usize::from(overlay.0)];
        let is_new_to_overlay = !named.has_neighbour(peer);
        if let Some(generation) = named.generation(epoch) {
            generation.neighbours.insert(peer);
        }
        if is_new_to_node && self.roster.is_some() {
            self.work.push_back(Task::Roster(RosterInput::NeighbourUp(peer)));
        } else if is_new_to_node {
            let events = self.gate.come_up(peer);
            self.work.extend(events.into_iter().map(Task::Event));
        }
        if is_new_to_overlay {
            self.work.push_back(Task::Event(ClusterEvent::NeighbourUp { overlay, peer }));
            let input = BroadcastInput::NeighbourUp(peer);
            self.work.push_back(Task::Tree { overlay, input });
        }
    }

    pub(crate) fn neighbour_down(
        &mut self,
        overlay: OverlayNo,
        epoch: u32,
        peer: PeerId,
        out: &mut Vec<Output<B>>,
    ) {
        let named = &mut self.overlays[usize::from(overlay.0)];
        let was = named.generation(epoch).is_some_and(|one| one.neighbours.remove(&peer));
        if !was {
            return;
        }
        if !named.has_neighbour(peer) {
            out.push(Output::Event(ClusterEvent::NeighbourDown { overlay, peer }));
            let input = BroadcastInput::NeighbourDown(peer);
            self.work.push_back(Task::Tree { overlay, input });
        }
        if self.is_neighbour(peer) {
            return;
        }
        if self.roster.is_some() {
            self.work.push_back(Task::Roster(RosterInput::NeighbourDown(peer)));
        } else if self.gate.go_down(peer, false) {
            let reason = DownReason::LinkLost;
            self.work.push_back(Task::Event(ClusterEvent::NodeDown { peer, reason }));
        }
    }
}
