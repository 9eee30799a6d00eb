//! What the detector wants.

use foundation_broadcast::Payload;
use foundation_detector::{DetectorInput, DetectorMessage, DetectorOutput};
use foundation_machine::{Micros, PeerId};
use foundation_membership::{LinkEnd, OverlayInput, RosterInput};

use crate::cluster::Cluster;
use crate::io::Output;
use crate::links::Holder;
use crate::message::{Carried, ClusterMessage};
use crate::router::RouterInput;
use crate::work::Task;

impl<B: Payload> Cluster<B> {
    pub(crate) fn step_detector(
        &mut self,
        input: DetectorInput,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        let Some(detector) = &mut self.detector else { return };
        let mut wanted = Vec::new();
        detector.handle(input, now, &mut wanted);
        for output in wanted {
            match output {
                DetectorOutput::Send { to, message } => {
                    self.send(to, ClusterMessage::Detector(message), out);
                }
                DetectorOutput::Relay { to, message } => self.relay_probe(to, message),
                DetectorOutput::Dial(peer) => self.ask_link(peer, Holder::Detector, now, out),
                DetectorOutput::Release(peer) => {
                    self.release_link(peer, Holder::Detector, now, out);
                }
                DetectorOutput::Suspect(peer) => self.tell_roster(RosterInput::Suspect(peer)),
                DetectorOutput::Alive(peer) => self.tell_roster(RosterInput::Alive(peer)),
                DetectorOutput::Down(peer) if self.roster.is_some() => {
                    self.tell_roster(RosterInput::Down(peer));
                }
                DetectorOutput::Down(peer) => self.give_link_up(peer, LinkEnd::Lost, out),
            }
        }
    }

    fn tell_roster(&mut self, input: RosterInput) {
        self.work.push_back(Task::Roster(input));
    }

    /// By way of the first overlay that has neighbours.
    fn relay_probe(&mut self, to: PeerId, message: DetectorMessage) {
        let has_neighbours = |overlay: &crate::io::OverlayNo| {
            self.overlays[usize::from(overlay.0)].neighbours.peers().next().is_some()
        };
        let Some(overlay) = self.overlay_numbers().find(has_neighbours) else { return };
        let payload = Carried::Detector(message);
        self.work.push_back(Task::Router(RouterInput::Datagram { to, overlay, payload }));
    }

    /// The host closes the link, and every machine hears that it is gone.
    pub(crate) fn give_link_up(&mut self, peer: PeerId, end: LinkEnd, out: &mut Vec<Output<B>>) {
        if self.links.is_up(peer) {
            out.push(Output::HangUp(peer));
            self.work.push_back(Task::LinkGone { peer, end });
        }
    }

    /// Overlays hear which of the peers that they may choose are down: others may have named them
    /// since.
    pub(crate) fn tell_down(&mut self) {
        if self.roster.is_none() {
            return;
        }
        for overlay in self.overlay_numbers() {
            for generation in &self.overlays[usize::from(overlay.0)].generations {
                let peers = generation.machine.passive().iter().copied();
                for peer in peers.filter(|peer| self.gate.is_down(*peer)) {
                    let input = OverlayInput::MemberDown(peer);
                    self.work.push_back(Task::Overlay { overlay, epoch: generation.key, input });
                }
            }
        }
    }

    /// Overlays hear what links to peers that they may choose would cost.
    pub(crate) fn tell_costs(&mut self) {
        let Some(detector) = &self.detector else { return };
        for overlay in self.overlay_numbers() {
            for generation in &self.overlays[usize::from(overlay.0)].generations {
                for &peer in generation.machine.passive() {
                    let Some(cost) = detector.distance(peer) else { continue };
                    let input = OverlayInput::Cost { peer, cost };
                    self.work.push_back(Task::Overlay { overlay, epoch: generation.key, input });
                }
            }
        }
    }
}
