//! Rosters on a virtual clock with links between them: what the tests of the roster drive.

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Rng};
use foundation_membership::{
    DownReason, MemberStatus, Roster, RosterEvent, RosterInput, RosterMessage, RosterOptions,
    RosterOutput,
};

/// The life of a node that begins for the `start`th time.
pub(crate) fn peer(node: u32, start: u64) -> PeerId {
    let random = Rng::of_stream(u64::from(node), start).next_u64();
    PeerId { node: NodeNo(node), life: NodeLife { start, random } }
}

/// A member that is cleared has spoken since it was suspected.
fn check_word(
    roster: &Roster,
    at: PeerId,
    output: &RosterOutput,
    suspected: &mut BTreeMap<(PeerId, PeerId), (u16, u32)>,
) {
    let word = |peer: &PeerId| roster.record(peer.node).map(|held| (held.term, held.incarnation));
    match output {
        RosterOutput::Event(RosterEvent::MemberSuspect { peer, .. }) => {
            suspected.extend(word(peer).map(|word| ((at, *peer), word)));
        }
        RosterOutput::Event(RosterEvent::MemberCleared(peer)) => {
            let before = suspected.remove(&(at, *peer));
            assert!(word(peer) > before, "{at:?} clears {peer:?} without its word");
        }
        _ => {}
    }
}

pub(crate) struct Net {
    pub(crate) now: Micros,
    pub(crate) rosters: BTreeMap<PeerId, Roster>,
    pub(crate) links: BTreeSet<(PeerId, PeerId)>,
    pub(crate) events: Vec<(PeerId, RosterEvent)>,
    pub(crate) bytes: BTreeMap<PeerId, usize>,
    /// Chance that a message is lost, which real links do not do.
    pub(crate) loss: f64,
    pub(crate) rng: Rng,
    /// What a suspicion was held against: only a later word of the member clears it.
    suspected: BTreeMap<(PeerId, PeerId), (u16, u32)>,
    options: RosterOptions,
    dues: BTreeMap<PeerId, Micros>,
    due: BTreeSet<(Micros, PeerId)>,
    on_the_way: BTreeMap<(Micros, u64), (PeerId, PeerId, RosterMessage)>,
    sent: u64,
}

impl Net {
    pub(crate) fn new(seed: u64, options: RosterOptions) -> Net {
        Net {
            now: Micros(0),
            rosters: BTreeMap::new(),
            links: BTreeSet::new(),
            events: Vec::new(),
            bytes: BTreeMap::new(),
            loss: 0.0,
            rng: Rng::new(seed),
            suspected: BTreeMap::new(),
            options,
            dues: BTreeMap::new(),
            due: BTreeSet::new(),
            on_the_way: BTreeMap::new(),
            sent: 0,
        }
    }

    pub(crate) fn start(&mut self, own: PeerId) {
        let rng = self.rng.fork();
        self.rosters.insert(own, Roster::new(self.options, own, rng, self.now));
        self.note_due(own);
    }

    fn note_due(&mut self, own: PeerId) {
        let due = self.rosters.get(&own).map(Roster::due);
        let former = match due {
            Some(due) => self.dues.insert(own, due),
            None => self.dues.remove(&own),
        };
        if let Some(former) = former {
            self.due.remove(&(former, own));
        }
        self.due.extend(due.map(|due| (due, own)));
    }

    pub(crate) fn stop(&mut self, own: PeerId) {
        self.rosters.remove(&own);
        self.note_due(own);
        let ends: Vec<_> =
            self.links.iter().copied().filter(|(a, b)| *a == own || *b == own).collect();
        for (a, b) in ends {
            self.unlink(a, b);
        }
    }

    pub(crate) fn link(&mut self, a: PeerId, b: PeerId) {
        if a != b && self.links.insert((a.min(b), a.max(b))) {
            self.give(a, RosterInput::NeighbourUp(b));
            self.give(b, RosterInput::NeighbourUp(a));
        }
    }

    pub(crate) fn unlink(&mut self, a: PeerId, b: PeerId) {
        if self.links.remove(&(a.min(b), a.max(b))) {
            self.on_the_way
                .retain(|_, (from, to, _)| (*from, *to) != (a, b) && (*from, *to) != (b, a));
            self.give(a, RosterInput::NeighbourDown(b));
            self.give(b, RosterInput::NeighbourDown(a));
        }
    }

    pub(crate) fn mesh(&mut self, nodes: &[PeerId]) {
        for &a in nodes {
            for &b in nodes.iter().filter(|&&b| b > a) {
                self.link(a, b);
            }
        }
    }

    /// A random graph in which everybody has about `degree` neighbours, over a ring.
    pub(crate) fn sparse(&mut self, nodes: &[PeerId], degree: usize) {
        for (place, &a) in nodes.iter().enumerate() {
            self.link(a, nodes[(place + 1) % nodes.len()]);
            for _ in 0..(degree - 2) / 2 {
                let b = nodes[self.rng.index(nodes.len())];
                self.link(a, b);
            }
        }
    }

    pub(crate) fn give(&mut self, to: PeerId, input: RosterInput) {
        let Some(roster) = self.rosters.get_mut(&to) else { return };
        let mut out = Vec::new();
        roster.handle(input, self.now, &mut out);
        for output in &out {
            check_word(roster, to, output, &mut self.suspected);
        }
        self.note_due(to);
        for output in out {
            match output {
                RosterOutput::Event(event) => self.events.push((to, event)),
                RosterOutput::Send { to: other, message } => self.send(to, other, message),
            }
        }
    }

    fn send(&mut self, from: PeerId, to: PeerId, message: RosterMessage) {
        assert!(self.links.contains(&(from.min(to), from.max(to))), "no link {from:?} {to:?}");
        *self.bytes.entry(from).or_default() += message.wire_bytes();
        if self.rng.chance(self.loss) {
            return;
        }
        // In order on each link: the delay is the same for all.
        self.sent += 1;
        self.on_the_way.insert((self.now + Micros(1_000), self.sent), (from, to, message));
    }

    /// Runs until that time.
    pub(crate) fn run_until(&mut self, end: Micros) {
        loop {
            let message = self.on_the_way.keys().next().map_or(Micros::NEVER, |key| key.0);
            let (due, own) = self.due.first().copied().unwrap_or((Micros::NEVER, peer(0, 0)));
            if message.min(due) > end {
                break;
            }
            self.now = self.now.max(message.min(due));
            if message <= due {
                let (_, (from, to, message)) = self.on_the_way.pop_first().unwrap();
                self.give(to, RosterInput::Received { from, message });
            } else {
                self.give(own, RosterInput::Due);
            }
        }
        self.now = end;
    }

    pub(crate) fn run(&mut self, time: Micros) {
        self.run_until(self.now + time);
    }

    pub(crate) fn status(&self, at: PeerId, of: PeerId) -> Option<MemberStatus> {
        self.rosters[&at].status(of)
    }

    /// Everybody up, as a node sees them, itself among them.
    pub(crate) fn view(&self, at: PeerId) -> Vec<(PeerId, MemberStatus)> {
        let roster = &self.rosters[&at];
        let mut view: Vec<_> = roster.members().filter(|(_, status)| status.is_up()).collect();
        let own = roster.own();
        let status = match own.claim {
            foundation_membership::Claim::Alive => MemberStatus::Alive,
            foundation_membership::Claim::Busy(isolates) => MemberStatus::Busy(isolates),
            foundation_membership::Claim::Leaving => MemberStatus::Leaving,
        };
        view.push((at, status));
        view.sort_unstable();
        view
    }

    pub(crate) fn all_agree(&self) -> bool {
        let mut views = self.rosters.keys().map(|&at| self.view(at));
        let Some(first) = views.next() else { return true };
        views.all(|view| view == first)
    }

    pub(crate) fn events_of(&self, at: PeerId) -> Vec<RosterEvent> {
        self.events.iter().filter(|(node, _)| *node == at).map(|(_, event)| event.clone()).collect()
    }

    /// Of each life the application hears up and down in turn, up first; of a node one life at a
    /// time; and never again of a life that went for good.
    pub(crate) fn check_events(&self) {
        let mut up: BTreeMap<(PeerId, NodeNo), PeerId> = BTreeMap::new();
        let mut gone: BTreeSet<(PeerId, PeerId)> = BTreeSet::new();
        for (at, event) in &self.events {
            match event {
                RosterEvent::MemberUp(peer) => {
                    let former = up.insert((*at, peer.node), *peer);
                    assert_eq!(former, None, "{at:?} hears {event:?} before the down");
                    assert!(!gone.contains(&(*at, *peer)), "{at:?}: {peer:?} came back");
                }
                RosterEvent::MemberDown { peer, reason } => {
                    let former = up.remove(&(*at, peer.node));
                    assert_eq!(former, Some(*peer), "{at:?} hears {event:?} without the up");
                    if *reason != DownReason::Failed {
                        gone.insert((*at, *peer));
                    }
                }
                RosterEvent::MemberSuspect { peer, .. }
                | RosterEvent::MemberCleared(peer)
                | RosterEvent::MemberBusy { peer, .. }
                | RosterEvent::MemberIdle(peer)
                | RosterEvent::MemberLeaving(peer) => {
                    let known = up.get(&(*at, peer.node));
                    assert_eq!(known, Some(peer), "{at:?} hears {event:?} of nobody");
                }
                RosterEvent::Removed(_) => {}
            }
        }
    }
}
