//! What one node's machines may not do, seen from outside: looked at after each of its steps.

mod members;
mod switches;

use std::collections::BTreeMap;

use foundation_cluster::{
    Cluster, Epoch, HyParView, LinkEnd, Output, Overlay, OverlayNo, OverlayView, Payload, Probing,
    Role, Strategy, Switch,
};
use foundation_machine::{Micros, PeerId};

use crate::subject::{Gauge, Given};
use members::Members;
use switches::Switches;

/// Something that has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pending {
    /// A request of HyParView's to a peer.
    Request(usize, PeerId),
    /// A link that an overlay holds to a peer that is neither neighbour nor asked.
    Held(usize, PeerId),
    /// A part in a swap.
    Swap(usize),
    /// A suspicion of a member.
    Suspicion(PeerId),
    /// An attempt to change an overlay whose coordinator is no member.
    Orphan(usize, Epoch),
}

/// A request, a swap or a link for nothing may be as old. A request's dial is given up after one
/// second and its answer after twice the round trip; a swap ends after four.
const PENDING_MAX: Micros = Micros::from_millis(30_000);

/// An attempt without its coordinator may be as old: it is given up after 5 s and an eighth.
const ORPHAN_MAX: Micros = Micros::from_millis(10_000);

/// A suspicion may be as old: six shortest ones of at most 4 s, each eightfold for a node that
/// trusts itself least.
const SUSPICION_MAX: Micros = Micros::from_millis(240_000);

/// No step counts for more: a node that stood still has not had the time to end anything.
const STEP_MAX: Micros = Micros::from_millis(2_000);

/// What a step began with, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause {
    /// Nobody answered a dial to that peer.
    DialFailed(PeerId),
    /// A link was lost.
    LinkLost(PeerId),
    /// Anything else.
    Other,
}

impl Cause {
    pub(crate) fn of<M>(given: &Given<M>) -> Cause {
        match *given {
            Given::DialFailed(peer) => Cause::DialFailed(peer),
            Given::LinkDown { peer, end: LinkEnd::Lost } => Cause::LinkLost(peer),
            _ => Cause::Other,
        }
    }
}

/// A detector whose timers are late by so much knows that its node stood still; and for so long it
/// holds nothing against others. Both lie below what the detector does, by any clock that drifts.
const STALL_MIN: Micros = Micros::from_millis(1_000);
const DOUBT: Micros = Micros::from_millis(900);

/// Watches a node through one life.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    awake: Micros,
    last: Micros,
    since: BTreeMap<Pending, Micros>,
    hung_up_held: usize,
    switches: Vec<Switches>,
    members: Members,
    doubts_until: Micros,
    hasty: usize,
    kept: usize,
    found: Vec<Gauge>,
}

impl Watch {
    /// Before a step: whether the node stood still.
    pub(crate) fn begin<B: Payload>(&mut self, cluster: &Cluster<B>, now: Micros) {
        let due = cluster.detector().map_or(Micros::NEVER, Probing::due);
        if now.since(due) >= STALL_MIN {
            self.doubts_until = now + DOUBT;
        }
    }

    /// After a step, with what it led to.
    pub(crate) fn step<B: Payload>(
        &mut self,
        cluster: &Cluster<B>,
        now: Micros,
        cause: Cause,
        wanted: &[Output<B>],
    ) {
        self.awake = self.awake + now.since(self.last).min(STEP_MAX);
        self.last = now;
        self.found.clear();
        let is_held = |output: &&Output<B>| match output {
            // Who holds it again already has to ask for it first.
            Output::HangUp(peer) => {
                cluster.link_holders(*peer) > 0 && cluster.is_direct(*peer, Micros::NEVER)
            }
            _ => false,
        };
        self.hung_up_held += wanted.iter().filter(is_held).count();
        self.find("links hung up though they were held", self.hung_up_held);
        self.members.step(cluster);
        self.members.find(&mut self.found);
        let mut pending = Vec::new();
        for overlay in 0..cluster.overlays() {
            let Some(view) = cluster.overlay(OverlayNo(overlay as u8)) else { continue };
            self.switch(cluster.own(), overlay, view.switch(), &mut pending);
            self.neighbours(cluster, &view);
            self.roles(cluster, overlay, &view);
            if let Overlay::HyParView(views) = view.machine() {
                self.dialled(overlay, views, cause);
                let requested = views.requested();
                pending.extend(requested.map(|peer| Pending::Request(overlay, peer)));
                let is_used =
                    |peer: &PeerId| views.active().contains(peer) || views.is_requested(*peer);
                let unused = views.held().iter().filter(|peer| !is_used(peer));
                pending.extend(unused.map(|peer| Pending::Held(overlay, *peer)));
                pending.extend(views.is_swapping().then_some(Pending::Swap(overlay)));
            }
        }
        let suspects = cluster.detector().into_iter().flat_map(|it| it.suspects());
        pending.extend(suspects.map(Pending::Suspicion));
        self.judged(&pending, now, cause);
        self.grow_old(&pending);
    }

    /// A part in changing an overlay.
    fn switch(
        &mut self,
        own: PeerId,
        overlay: usize,
        switch: &Switch<Strategy>,
        pending: &mut Vec<Pending>,
    ) {
        if self.switches.len() <= overlay {
            self.switches.resize_with(overlay + 1, Switches::default);
        }
        self.switches[overlay].step(own, switch);
        self.switches[overlay].find(&mut self.found);
        let attempt = switch.attempt().map(|attempt| attempt.version.epoch);
        let decides = attempt.and_then(|epoch| epoch.coordinator);
        let is_orphan = decides.is_some_and(|peer| peer != own && !self.members.is_up(peer));
        pending.extend(attempt.filter(|_| is_orphan).map(|it| Pending::Orphan(overlay, it)));
    }

    /// Whom a request's dial did not reach is forgotten.
    fn dialled(&mut self, overlay: usize, views: &HyParView, cause: Cause) {
        if let Cause::DialFailed(peer) = cause
            && self.since.contains_key(&Pending::Request(overlay, peer))
            && !views.is_requested(peer)
        {
            self.kept += usize::from(views.passive().contains(&peer));
        }
        self.find("peers known still that a dial did not reach", self.kept);
    }

    /// A node that stood still suspects nobody whose links broke meanwhile.
    fn judged(&mut self, pending: &[Pending], now: Micros, cause: Cause) {
        if let Cause::LinkLost(peer) = cause
            && now < self.doubts_until
        {
            let suspicion = Pending::Suspicion(peer);
            let is_new = !self.since.contains_key(&suspicion) && pending.contains(&suspicion);
            self.hasty += usize::from(is_new);
        }
        self.find("members suspected right after a standstill", self.hasty);
    }

    fn find(&mut self, name: &'static str, size: usize) {
        if size > 0 {
            self.found.push(Gauge { name, size, limit: 0 });
        }
    }

    /// Tree and overlay name the same neighbours, and a link is up to each.
    fn neighbours<B: Payload>(&mut self, cluster: &Cluster<B>, view: &OverlayView<'_, B>) {
        let neighbours: Vec<PeerId> = view.neighbours().collect();
        let mut tree: Vec<PeerId> = view.tree().eager().chain(view.tree().lazy()).collect();
        tree.sort_unstable();
        let strangers = tree.iter().filter(|peer| !neighbours.contains(peer)).count();
        self.find("peers of a tree that are no neighbours", strangers);
        let lacking = neighbours.iter().filter(|peer| tree.binary_search(peer).is_err()).count();
        self.find("neighbours that a tree lacks", lacking);
        let unlinked = neighbours.iter().filter(|peer| !cluster.is_linked(**peer)).count();
        self.find("neighbours without a link", unlinked);
    }

    fn roles<B: Payload>(
        &mut self,
        cluster: &Cluster<B>,
        overlay: usize,
        view: &OverlayView<'_, B>,
    ) {
        let Overlay::ClientServer(roles) = view.machine() else { return };
        let own = cluster.options().overlays[overlay].strategies.client_server.role;
        let is_client = |peer: &PeerId| roles.role_of(*peer) == Some(Role::Client);
        if own == Role::Client {
            let clients = roles.neighbours().filter(is_client).count();
            self.find("clients that are a client's neighbours", clients);
        }
    }

    fn grow_old(&mut self, pending: &[Pending]) {
        let now = self.awake;
        self.since.retain(|one, _| pending.contains(one));
        for &one in pending {
            self.since.entry(one).or_insert(now);
        }
        let since = std::mem::take(&mut self.since);
        for (one, begun) in &since {
            let age = now.since(*begun);
            match one {
                Pending::Request(..) if age > PENDING_MAX => self.find("requests for ever", 1),
                Pending::Held(..) if age > PENDING_MAX => self.find("links held for nothing", 1),
                Pending::Swap(_) if age > PENDING_MAX => self.find("swaps for ever", 1),
                Pending::Orphan(..) if age > ORPHAN_MAX => self.find("attempts of nobody", 1),
                Pending::Suspicion(_) if age > SUSPICION_MAX => {
                    self.find("suspicions for ever", 1);
                }
                _ => {}
            }
        }
        self.since = since;
    }

    /// Appends what was found after the last step.
    pub(crate) fn gauges(&self, into: &mut Vec<Gauge>) {
        into.extend_from_slice(&self.found);
    }
}
