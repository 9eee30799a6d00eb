//! What the router wants, and what it sees.

use foundation_broadcast::Payload;
use foundation_machine::{Micros, PeerId};
use foundation_membership::Roster;

use crate::cluster::Cluster;
use crate::event::ClusterEvent;
use crate::io::{Output, OverlayNo};
use crate::links::{Holder, Links};
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
        let neighbours = named.map(Named::neighbours).unwrap_or_default();
        neighbours.into_iter().filter(|peer| self.links.is_usable(*peer)).collect()
    }

    fn hops_max(&self, overlay: OverlayNo) -> u8 {
        if self.hops_max > 0 {
            return self.hops_max;
        }
        let members = self.roster.map_or(0, Roster::size);
        let named = self.overlays.get(usize::from(overlay.0));
        hop_limit(members, named.map_or(0, |named| named.neighbours().len()))
    }

    fn may_dial(&self, _overlay: OverlayNo, _peer: PeerId) -> bool {
        true
    }

    fn news_from(&self, peer: PeerId) -> Option<PeerId> {
        self.roster?.heard_from(peer.node)
    }
}

impl<B: Payload> Cluster<B> {
    pub(crate) fn step_router(
        &mut self,
        input: RouterInput<B>,
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
                RouterOutput::Send { to, message } => self.send(to, message, out),
                RouterOutput::Dial(peer) => self.ask_link(peer, Holder::Router, out),
                RouterOutput::Release(peer) => self.release_link(peer, Holder::Router, now, out),
                RouterOutput::Deliver { origin, sequence, hops, payload } => {
                    let event = ClusterEvent::Routed { origin, sequence, hops, payload };
                    self.announce(origin, event, now, out);
                }
                RouterOutput::Failed { to, sequence, payload, reason } => {
                    let payload = Some(payload);
                    let event = ClusterEvent::RouteFailed { to, sequence, payload, reason };
                    out.push(Output::Event(event));
                }
            }
        }
    }
}
