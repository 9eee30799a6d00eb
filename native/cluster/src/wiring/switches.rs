//! What a switch wants: overlays beside each other, one of them in use.

use foundation_broadcast::Payload;
use foundation_detector::DetectorInput;
use foundation_machine::{Micros, PeerId};
use foundation_membership::{
    Epoch, OverlayInput, Strategy, SwitchFailure as Failure, SwitchInput, SwitchOutput, Version,
};

use crate::cluster::Cluster;
use crate::event::{ClusterEvent, SwitchFailure};
use crate::io::{Output, OverlayNo};
use crate::links::Holder;
use crate::message::ClusterMessage;
use crate::named::epoch_key;
use crate::work::Task;

impl<B: Payload> Cluster<B> {
    pub(crate) fn step_switch(
        &mut self,
        overlay: OverlayNo,
        input: SwitchInput<Strategy>,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        let Some(named) = self.overlays.get_mut(usize::from(overlay.0)) else { return };
        let mut wanted = Vec::new();
        named.switch.handle(input, now, &mut wanted);
        for output in wanted {
            match output {
                SwitchOutput::Send { to, message } => {
                    let message = Box::new(message);
                    self.send(to, ClusterMessage::Switch { overlay, message }, out);
                }
                SwitchOutput::BringUp(version) => self.bring_up(overlay, version, now),
                SwitchOutput::Promote(Version { epoch, strategy }) => {
                    let epoch = epoch.number;
                    let event = ClusterEvent::Switched { overlay, epoch, strategy };
                    out.push(Output::Event(event));
                }
                SwitchOutput::Drop(epoch) => self.drop_generation(overlay, epoch, now, out),
                SwitchOutput::Failed { epoch, reason, is_own } => {
                    let (epoch, reason) = (epoch.number, failure(reason));
                    let event = ClusterEvent::SwitchFailed { overlay, epoch, reason, is_own };
                    out.push(Output::Event(event));
                }
            }
        }
    }

    /// A second overlay begins with what the node knows: its links, members, and these as seeds.
    fn bring_up(&mut self, overlay: OverlayNo, version: Version<Strategy>, now: Micros) {
        let (key, rng) = (epoch_key(version.epoch), self.rng.fork());
        let named = &mut self.overlays[usize::from(overlay.0)];
        if named.generation(key).is_some() {
            return;
        }
        named.begin(version, rng, now);
        let members = self.known_members();
        let seeds = match version.strategy {
            Strategy::Static => self.seeds.count,
            _ => members.len() as u32,
        };
        let links: Vec<PeerId> = self.links.peers().collect();
        let links = links.into_iter().map(|peer| OverlayInput::LinkUp { peer, is_seed: false });
        let members = members.into_iter().map(OverlayInput::MemberUp);
        let seeds = [OverlayInput::Seeds(seeds)];
        for input in links.chain(members).chain(seeds) {
            self.work.push_back(Task::Overlay { overlay, epoch: key, input });
        }
        self.check_ready(overlay);
    }

    /// The other members that are up, in order; without a roster the neighbours.
    pub(crate) fn known_members(&self) -> Vec<PeerId> {
        if let Some(roster) = &self.roster {
            return roster.members_up().collect();
        }
        let peers = self.overlays.iter().flat_map(|named| named.neighbours.peers());
        let mut peers: Vec<PeerId> = peers.collect();
        peers.sort_unstable();
        peers.dedup();
        peers
    }

    /// Tells the switch if the overlay that is being brought up has a neighbour here.
    pub(crate) fn check_ready(&mut self, overlay: OverlayNo) {
        let named = &self.overlays[usize::from(overlay.0)];
        let Some(attempt) = named.switch.attempt() else { return };
        let epoch = attempt.version.epoch;
        let is_alone = self.known_members().is_empty();
        if is_alone || named.neighbours.of_epoch(epoch).next().is_some() {
            let input = SwitchInput::Ready(epoch);
            self.work.push_back(Task::Switch { overlay, input });
        }
    }

    fn drop_generation(
        &mut self,
        overlay: OverlayNo,
        epoch: Epoch,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        let named = &mut self.overlays[usize::from(overlay.0)];
        let key = epoch_key(epoch);
        named.generations.retain(|generation| generation.key != key);
        for peer in named.neighbours.drop_epoch(epoch) {
            self.no_neighbour(overlay, peer, out);
        }
        self.seeds.forget((overlay, key));
        self.release_all(Holder::Overlay(overlay, key), now, out);
        self.give_seeds_back(overlay);
    }

    /// What is left after a switch has members for seeds, and a part that was cut off has none of
    /// the other's: from here on it calls those that were discovered.
    fn give_seeds_back(&mut self, overlay: OverlayNo) {
        let count = self.seeds.count;
        let named = &mut self.overlays[usize::from(overlay.0)];
        let [generation] = named.generations.as_mut_slice() else { return };
        if count > 0 && std::mem::replace(&mut generation.has_member_seeds, false) {
            let (epoch, input) = (generation.key, OverlayInput::Seeds(count));
            self.work.push_back(Task::Overlay { overlay, epoch, input });
        }
    }

    /// Every overlay's switch hears who is a member.
    pub(crate) fn tell_switches(&mut self, input: &SwitchInput<Strategy>) {
        for overlay in self.overlay_numbers() {
            self.work.push_back(Task::Switch { overlay, input: input.clone() });
        }
    }

    /// Detector, overlays and switches hear that a member is up.
    pub(crate) fn tell_member_up(&mut self, peer: PeerId) {
        self.tell_overlays(&OverlayInput::MemberUp(peer));
        self.tell_switches(&SwitchInput::MemberUp(peer));
        self.work.push_back(Task::Detector(DetectorInput::MemberUp(peer)));
    }

    /// They hear that it is not.
    pub(crate) fn tell_member_down(&mut self, peer: PeerId) {
        self.tell_overlays(&OverlayInput::MemberDown(peer));
        self.tell_switches(&SwitchInput::MemberDown(peer));
        self.work.push_back(Task::Detector(DetectorInput::MemberDown(peer)));
    }
}

fn failure(reason: Failure) -> SwitchFailure {
    match reason {
        Failure::Changed => SwitchFailure::Changed,
        Failure::UnderWay => SwitchFailure::UnderWay,
        Failure::TimedOut => SwitchFailure::TimedOut,
        Failure::Refused => SwitchFailure::Refused,
        Failure::CoordinatorDown => SwitchFailure::CoordinatorDown,
    }
}
