//! Links that come and go.

use foundation_broadcast::Payload;
use foundation_detector::DetectorInput;
use foundation_machine::{Micros, PeerId};
use foundation_membership::{LinkEnd, Overlay, OverlayInput, Roster, RosterInput, SwitchInput};

use crate::cluster::Cluster;
use crate::io::{Output, OverlayNo};
use crate::links::{Holder, LinkOutput, LinkUse, Links};
use crate::message::ClusterMessage;
use crate::router::RouterInput;
use crate::seeds::Asker;
use crate::work::Task;

impl<B: Payload> Cluster<B> {
    pub(crate) fn link_up(
        &mut self,
        peer: PeerId,
        is_seed: bool,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        let askers = self.seeds.answered(peer, is_seed);
        if self.links.is_up(peer) {
            // The seed that was asked for is a peer whose link is there already.
            for asker in askers {
                self.tell_link_up(peer, asker, true, now, out);
            }
            return;
        }
        if peer == self.own || self.is_superseded(peer) {
            return self.turn_away(peer, now, out);
        }
        for earlier in self.links.lives_of(peer.node) {
            self.drop_link(earlier, LinkEnd::Lost, now, out);
        }
        self.links.come_up(peer, now);
        for asker in self.generations() {
            self.tell_link_up(peer, asker, askers.contains(&asker), now, out);
        }
        self.work.push_back(Task::Router(RouterInput::LinkUp(peer)));
        self.work.push_back(Task::Detector(DetectorInput::LinkUp(peer)));
        self.tell_switches(&SwitchInput::NeighbourUp(peer));
        self.meet(peer, now, out);
    }

    /// An overlay holds the link to a seed that it asked for.
    fn tell_link_up(
        &mut self,
        peer: PeerId,
        (overlay, epoch): Asker,
        is_seed: bool,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        if is_seed {
            self.hold_link(peer, Holder::Overlay(overlay, epoch), now, out);
        }
        let input = OverlayInput::LinkUp { peer, is_seed };
        self.work.push_back(Task::Overlay { overlay, epoch, input });
    }

    /// Whether a later life of that node is known, or that life is over for good.
    fn is_superseded(&self, peer: PeerId) -> bool {
        let is_later = |other: &PeerId| other.is_later_life_of(peer);
        self.gate.is_gone(peer)
            || self.roster.as_ref().is_some_and(|roster| roster.is_removed(peer))
            || self.links.lives_of(peer.node).iter().any(is_later)
    }

    /// A link is gone, or given up: all who may use it hear of it.
    pub(crate) fn drop_link(
        &mut self,
        peer: PeerId,
        end: LinkEnd,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        self.farewells.cancel(&peer);
        let mut wanted = Vec::new();
        if !self.links.go_down(peer, &mut wanted) {
            return;
        }
        self.part(peer);
        let is_deaf = self.options.planted.is("cluster_link_down_misses_overlay");
        for (overlay, epoch) in self.generations() {
            if overlay == OverlayNo(0) && is_deaf {
                continue;
            }
            let input = OverlayInput::LinkDown { peer, end };
            self.work.push_back(Task::Overlay { overlay, epoch, input });
        }
        self.work.push_back(Task::Router(RouterInput::LinkDown(peer)));
        let was_lost = end == LinkEnd::Lost;
        self.work.push_back(Task::Detector(DetectorInput::LinkDown { peer, was_lost }));
        self.tell_switches(&SwitchInput::NeighbourDown(peer));
        if end == LinkEnd::Left {
            self.work.push_back(Task::Roster(RosterInput::Left(peer)));
        }
        self.link_outputs(wanted, now, out);
    }

    pub(crate) fn dial_failed(&mut self, peer: PeerId) {
        self.work.push_back(Task::Router(RouterInput::DialFailed(peer)));
        let as_seed = self.seeds.member_failed(peer);
        for holder in self.links.fail(peer) {
            match holder {
                Holder::Overlay(overlay, epoch) => {
                    let input = match as_seed.contains(&(overlay, epoch)) {
                        true => OverlayInput::SeedFailed,
                        false => OverlayInput::DialFailed(peer),
                    };
                    self.work.push_back(Task::Overlay { overlay, epoch, input });
                }
                Holder::Router => {}
                Holder::Reach => self.reach.asked = self.reach.asked.filter(|it| *it != peer),
                Holder::Detector => self.tell_detector(DetectorInput::DialFailed(peer)),
            }
        }
    }

    /// Where seeds are dead, members may live that this node has heard of: partial views ask one
    /// of them in their place.
    pub(crate) fn seed_failed(&mut self, now: Micros, out: &mut Vec<Output<B>>) {
        for (overlay, epoch) in self.seeds.failed() {
            let named = &mut self.overlays[usize::from(overlay.0)];
            let is_partial = named
                .generation(epoch)
                .is_some_and(|it| matches!(it.machine, Overlay::HyParView(_)));
            let members = self.roster.iter().filter(|_| is_partial).flat_map(Roster::members_up);
            let others = members.filter(|peer| !named.neighbours.contains(*peer));
            let others: Vec<PeerId> = others.collect();
            let peer = self.rng.pick(&others).copied();
            self.dial_member(peer, (overlay, epoch), now, out);
        }
    }

    pub(crate) fn link_use(
        &mut self,
        from: PeerId,
        said: LinkUse,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        self.with_links(now, out, |links, wanted| links.hear(from, said, wanted));
    }

    pub(crate) fn links_due(&mut self, now: Micros, out: &mut Vec<Output<B>>) {
        self.with_links(now, out, |links, wanted| links.expire(now, wanted));
    }

    pub(crate) fn ask_link(
        &mut self,
        peer: PeerId,
        holder: Holder,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        self.with_links(now, out, |links, wanted| links.ask(peer, holder, now, wanted));
    }

    pub(crate) fn hold_link(
        &mut self,
        peer: PeerId,
        holder: Holder,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        self.with_links(now, out, |links, wanted| links.hold(peer, holder, now, wanted));
    }

    pub(crate) fn release_link(
        &mut self,
        peer: PeerId,
        holder: Holder,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        self.with_links(now, out, |links, wanted| links.release(peer, holder, now, wanted));
    }

    pub(crate) fn release_all(&mut self, holder: Holder, now: Micros, out: &mut Vec<Output<B>>) {
        self.with_links(now, out, |links, wanted| links.release_all(holder, now, wanted));
    }

    /// Changes the table of links and does what that calls for.
    fn with_links(
        &mut self,
        now: Micros,
        out: &mut Vec<Output<B>>,
        change: impl FnOnce(&mut Links, &mut Vec<LinkOutput>),
    ) {
        let mut wanted = Vec::new();
        change(&mut self.links, &mut wanted);
        self.link_outputs(wanted, now, out);
    }

    fn link_outputs(&mut self, wanted: Vec<LinkOutput>, now: Micros, out: &mut Vec<Output<B>>) {
        for output in wanted {
            match output {
                LinkOutput::Say(to, said) => {
                    self.send(to, ClusterMessage::LinkUse(said), out);
                }
                LinkOutput::Dial(peer) => out.push(Output::Dial(peer)),
                LinkOutput::HangUp(peer) => out.push(Output::HangUp(peer)),
                LinkOutput::Ready(peer, Holder::Overlay(overlay, epoch)) => {
                    let is_seed = self.seeds.take_member(peer, (overlay, epoch));
                    self.tell_link_up(peer, (overlay, epoch), is_seed, now, out);
                }
                LinkOutput::Ready(peer, Holder::Reach) => self.meet(peer, now, out),
                LinkOutput::Ready(peer, Holder::Detector) => {
                    self.tell_detector(DetectorInput::LinkUp(peer));
                }
                LinkOutput::Ready(peer, Holder::Router) => {
                    self.work.push_back(Task::Router(RouterInput::LinkUp(peer)));
                }
            }
        }
    }
}
