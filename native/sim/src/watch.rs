//! What one node's machines may not do, seen from outside: looked at after each of its steps.

use std::collections::BTreeMap;

use foundation_cluster::{
    Cluster, Epoch, Mark, MemberDown, MemberStatus, Output, Overlay, OverlayNo, OverlayView,
    Payload, Role,
};
use foundation_machine::{Micros, PeerId};

use crate::subject::Gauge;

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
}

/// A request, a swap or a link for nothing may be as old. A request's dial is given up after one
/// second and its answer after twice the round trip; a swap ends after four.
const PENDING_MAX: Micros = Micros::from_millis(30_000);

/// A suspicion may be as old: six shortest ones of at most 4 s, each eightfold for a node that
/// trusts itself least.
const SUSPICION_MAX: Micros = Micros::from_millis(240_000);

/// No step counts for more: a node that stood still has not had the time to end anything.
const STEP_MAX: Micros = Micros::from_millis(2_000);

/// What the roster has of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    status: MemberStatus,
    /// Somebody suspects it, and it has not answered.
    is_suspect: bool,
    /// Term and incarnation: what only the member itself raises.
    word: (u16, u32),
}

/// Watches a node through one life.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    awake: Micros,
    last: Micros,
    since: BTreeMap<Pending, Micros>,
    hung_up_held: usize,
    epochs: Vec<Epoch>,
    went_back: usize,
    members: BTreeMap<PeerId, Known>,
    wordless: usize,
    unheard: usize,
    found: Vec<Gauge>,
}

impl Watch {
    /// After a step, with what it led to.
    pub(crate) fn step<B: Payload>(
        &mut self,
        cluster: &Cluster<B>,
        now: Micros,
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
        let mut pending = Vec::new();
        for overlay in 0..cluster.overlays() {
            let Some(view) = cluster.overlay(OverlayNo(overlay as u8)) else { continue };
            self.epoch(overlay, view.switch().current().epoch);
            self.neighbours(cluster, &view);
            self.roles(cluster, overlay, &view);
            if let Overlay::HyParView(views) = view.machine() {
                let requested = views.requested();
                pending.extend(requested.map(|peer| Pending::Request(overlay, peer)));
                let is_used =
                    |peer: &PeerId| views.active().contains(peer) || views.is_requested(*peer);
                let unused = views.held().iter().filter(|peer| !is_used(peer));
                pending.extend(unused.map(|peer| Pending::Held(overlay, *peer)));
                pending.extend(views.is_swapping().then_some(Pending::Swap(overlay)));
            }
        }
        self.find("epochs that went back", self.went_back);
        self.judgements(cluster);
        let suspects = cluster.detector().into_iter().flat_map(|it| it.suspects());
        pending.extend(suspects.map(Pending::Suspicion));
        self.grow_old(&pending);
    }

    fn find(&mut self, name: &'static str, size: usize) {
        if size > 0 {
            self.found.push(Gauge { name, size, limit: 0 });
        }
    }

    /// A suspicion ends by the member's own word, and nobody is down who was not suspect before.
    fn judgements<B: Payload>(&mut self, cluster: &Cluster<B>) {
        let Some(roster) = cluster.roster() else { return };
        let known = roster.members().filter_map(|(peer, status)| {
            let record = roster.record(peer.node)?;
            let is_suspect = record.mark == Mark::Suspect;
            Some((peer, Known { status, is_suspect, word: (record.term, record.incarnation) }))
        });
        let known: BTreeMap<PeerId, Known> = known.collect();
        for (peer, now) in &known {
            let Some(before) = self.members.get(peer).filter(|before| *before != now) else {
                continue;
            };
            let is_up = now.status.is_up();
            let is_cleared = before.is_suspect && !now.is_suspect && is_up;
            self.wordless += usize::from(is_cleared && now.word <= before.word);
            let is_judged = now.status == MemberStatus::Down(MemberDown::Failed);
            let was_trusted = before.status.is_up() && before.status != MemberStatus::Suspect;
            self.unheard += usize::from(is_judged && was_trusted);
        }
        self.members = known;
        self.find("suspicions that ended without the member's word", self.wordless);
        self.find("members found failed that were not suspect", self.unheard);
    }

    fn epoch(&mut self, overlay: usize, epoch: Epoch) {
        if self.epochs.len() <= overlay {
            self.epochs.resize(overlay + 1, Epoch::FIRST);
        }
        let before = std::mem::replace(&mut self.epochs[overlay], epoch);
        self.went_back += usize::from(before > epoch);
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
