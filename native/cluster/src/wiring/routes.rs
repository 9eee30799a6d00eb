//! What the router wants, and what it sees.

use foundation_broadcast::Payload;
use foundation_detector::DetectorInput;
use foundation_machine::{Micros, PeerId};
use foundation_membership::{Role, Roster, Strategy};

use crate::cluster::Cluster;
use crate::event::ClusterEvent;
use crate::io::{Output, OverlayNo};
use crate::links::{Holder, Links};
use crate::message::{Carried, ClusterMessage};
use crate::named::Named;
use crate::router::{Around, RouterInput, RouterOutput, hop_limit};

struct Surroundings<'a, B> {
    links: &'a Links,
    overlays: &'a [Named<B>],
    roster: Option<&'a Roster>,
    hops_max: u8,
}

impl<B: Payload> Around for Surroundings<'_, B> {
    fn is_linked(&self, peer: PeerId) -> bool {
        self.links.is_usable(peer)
    }

    fn relays(&self, overlay: OverlayNo) -> Vec<PeerId> {
        let named = self.overlays.get(usize::from(overlay.0));
        let current = named.and_then(Named::current);
        let is_client = |peer: PeerId| current.is_some_and(|current| current.is_client(peer));
        let neighbours = named.into_iter().flat_map(|named| named.neighbours.peers());
        neighbours.filter(|peer| self.links.is_usable(*peer) && !is_client(*peer)).collect()
    }

    fn hops_max(&self, overlay: OverlayNo) -> u8 {
        if self.hops_max > 0 {
            return self.hops_max;
        }
        let members = self.roster.map_or(0, Roster::size);
        let named = self.overlays.get(usize::from(overlay.0));
        hop_limit(members, named.map_or(0, |named| named.neighbours.peers().count()))
    }

    fn has_servers(&self, overlay: OverlayNo) -> bool {
        let named = self.overlays.get(usize::from(overlay.0));
        named.is_some_and(|named| named.switch.current().strategy == Strategy::ClientServer)
    }

    /// A client of a client-server overlay leaves it to the servers.
    fn may_dial(&self, overlay: OverlayNo, _peer: PeerId) -> bool {
        let named = self.overlays.get(usize::from(overlay.0));
        named.is_none_or(|named| {
            let role = named.options.strategies.client_server.role;
            named.switch.current().strategy != Strategy::ClientServer || role == Role::Server
        })
    }

    fn news_from(&self, peer: PeerId) -> Option<PeerId> {
        self.roster?.heard_from(peer.node)
    }
}

impl<B: Payload> Cluster<B> {
    pub(crate) fn step_router(
        &mut self,
        input: RouterInput<Carried<B>>,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        let around = Surroundings {
            links: &self.links,
            overlays: &self.overlays,
            roster: self.roster.as_ref(),
            hops_max: self.options.router.hops_max,
        };
        let mut wanted = Vec::new();
        self.router.handle(input, &around, now, &mut wanted);
        for output in wanted {
            match output {
                RouterOutput::Send { to, routed } => {
                    self.send(to, ClusterMessage::Routed(routed), out);
                }
                RouterOutput::SendBack { to, routed } => {
                    self.send(to, ClusterMessage::RouteReturned(routed), out);
                }
                RouterOutput::Dial(peer) => self.ask_link(peer, Holder::Router, now, out),
                RouterOutput::Release(peer) => self.release_link(peer, Holder::Router, now, out),
                RouterOutput::Deliver { origin, sequence, hops, payload } => match payload {
                    Carried::Payload(payload) => {
                        let event = ClusterEvent::Routed { origin, sequence, hops, payload };
                        self.announce(origin, event, now, out);
                    }
                    Carried::Detector(message) => {
                        self.tell_detector(DetectorInput::Received { from: origin, message });
                    }
                },
                RouterOutput::Failed { to, sequence, payload, reason } => {
                    let Carried::Payload(payload) = payload else { continue };
                    let payload = Some(payload);
                    let event = ClusterEvent::RouteFailed { to, sequence, payload, reason };
                    out.push(Output::Event(event));
                }
            }
        }
    }
}
