//! The links of a node, and who has use for each.
//!
//! A machine *holds* a link from when it asks for it until it lets go of it. A link that nobody at
//! this end has held for a while is told the other end to be unused; when both ends have said so it
//! is hung up, by whichever hears it second. Who wants it again asks first and uses it when the
//! other end grants it, so no message of the application is sent into a link
//! that is being hung up.

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::{Micros, NodeNo, PeerId, Planted, Rng, Timers};

use crate::io::OverlayNo;

/// Who can hold a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    /// An overlay, in that epoch.
    Overlay(OverlayNo, u64),
    /// The router, for messages to the peer itself.
    Router,
    /// The detector, to see whether the peer is there.
    Detector,
    /// A member that had been taken for lost was tried again, or met.
    Reach,
}

/// What the two ends of a link say of their use for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkUse {
    /// The sender has no use for it; it sends nothing more before it has been granted.
    Unused,
    /// The sender has use for it again, if it is still there.
    Wanted,
    /// It is still there: answers [`LinkUse::Wanted`].
    Granted,
}

/// What has to be done about links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkOutput {
    /// Over the link.
    Say(PeerId, LinkUse),
    /// A link is wanted that is not up.
    Dial(PeerId),
    /// Both ends have no use for it. It is there until the host says that it is gone.
    HangUp(PeerId),
    /// The holder may use the link now.
    Ready(PeerId, Holder),
}

#[derive(Debug, Default)]
struct Up {
    holders: BTreeSet<Holder>,
    /// This end has said that it has no use for it.
    is_unused: bool,
    /// This end has asked for it again.
    is_wanted: bool,
    /// The other end has said that it has no use for it.
    is_unused_there: bool,
    rtt: Option<Micros>,
}

/// The links of a node.
#[derive(Debug)]
pub(crate) struct Links {
    up: BTreeMap<PeerId, Up>,
    dialling: BTreeMap<PeerId, BTreeSet<Holder>>,
    lingering: Timers<PeerId>,
    linger: Micros,
    rng: Rng,
    planted: Planted,
}

impl Links {
    pub(crate) fn new(linger: Micros, rng: Rng, planted: Planted) -> Links {
        Links {
            up: BTreeMap::new(),
            dialling: BTreeMap::new(),
            lingering: Timers::default(),
            linger,
            rng,
            planted,
        }
    }

    /// Whether a link to that peer is up.
    pub(crate) fn is_up(&self, peer: PeerId) -> bool {
        self.up.contains_key(&peer)
    }

    /// Whether a message may go over it without asking the other end.
    pub(crate) fn is_usable(&self, peer: PeerId) -> bool {
        self.up.get(&peer).is_some_and(|link| !link.is_unused)
    }

    pub(crate) fn count(&self) -> usize {
        self.up.len()
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.up.keys().copied()
    }

    /// The peers of that node with a link, of whichever life.
    pub(crate) fn lives_of(&self, node: NodeNo) -> Vec<PeerId> {
        self.peers().filter(|peer| peer.node == node).collect()
    }

    pub(crate) fn rtt(&self, peer: PeerId) -> Option<Micros> {
        self.up.get(&peer)?.rtt
    }

    pub(crate) fn measured(&mut self, peer: PeerId, rtt: Micros) {
        if let Some(link) = self.up.get_mut(&peer) {
            link.rtt = Some(rtt);
        }
    }

    pub(crate) fn due(&self) -> Micros {
        self.lingering.due()
    }

    /// How many machines hold the link to that peer.
    pub(crate) fn holders(&self, peer: PeerId) -> usize {
        self.up.get(&peer).map_or(0, |link| link.holders.len())
    }

    /// Links that were asked for and are not up.
    pub(crate) fn dialling(&self) -> usize {
        self.dialling.len()
    }

    /// A link is up. Answers those who asked for it.
    pub(crate) fn come_up(&mut self, peer: PeerId, now: Micros) -> BTreeSet<Holder> {
        let holders = self.dialling.remove(&peer).unwrap_or_default();
        let link = self.up.entry(peer).or_default();
        link.holders.extend(holders.iter().copied());
        if link.holders.is_empty() {
            self.let_linger(peer, now);
        }
        holders
    }

    /// A link is gone; answers whether there was any. Who waited for it to be granted waits for a
    /// new one.
    pub(crate) fn go_down(&mut self, peer: PeerId, out: &mut Vec<LinkOutput>) -> bool {
        self.lingering.cancel(&peer);
        let Some(link) = self.up.remove(&peer) else { return false };
        if link.is_wanted && !link.holders.is_empty() {
            self.dialling.insert(peer, link.holders);
            out.push(LinkOutput::Dial(peer));
        }
        true
    }

    /// A dial failed. Answers those who asked for it.
    pub(crate) fn fail(&mut self, peer: PeerId) -> BTreeSet<Holder> {
        self.dialling.remove(&peer).unwrap_or_default()
    }

    /// Somebody wants to use the link, and hears when it can: [`LinkOutput::Ready`], or the link's
    /// coming up.
    pub(crate) fn ask(
        &mut self,
        peer: PeerId,
        holder: Holder,
        now: Micros,
        out: &mut Vec<LinkOutput>,
    ) {
        let Some(link) = self.up.get_mut(&peer) else {
            let holders = self.dialling.entry(peer).or_default();
            let is_first = holders.is_empty();
            holders.insert(holder);
            if is_first {
                out.push(LinkOutput::Dial(peer));
            }
            return;
        };
        if !link.is_unused {
            out.push(LinkOutput::Ready(peer, holder));
        }
        self.hold(peer, holder, now, out);
    }

    /// Somebody uses the link, which is up, without having asked.
    pub(crate) fn hold(
        &mut self,
        peer: PeerId,
        holder: Holder,
        now: Micros,
        out: &mut Vec<LinkOutput>,
    ) {
        let Some(link) = self.up.get_mut(&peer) else { return };
        link.holders.insert(holder);
        if !link.is_unused {
            self.lingering.cancel(&peer);
        } else if !std::mem::replace(&mut link.is_wanted, true) {
            out.push(LinkOutput::Say(peer, LinkUse::Wanted));
            self.let_linger(peer, now);
        }
    }

    /// Somebody has no use for the link any more.
    pub(crate) fn release(
        &mut self,
        peer: PeerId,
        holder: Holder,
        now: Micros,
        out: &mut Vec<LinkOutput>,
    ) {
        if let Some(holders) = self.dialling.get_mut(&peer) {
            holders.remove(&holder);
        }
        let Some(link) = self.up.get_mut(&peer) else { return };
        if link.holders.remove(&holder) && self.planted.is("cluster_hangs_up_shared_link") {
            return out.push(LinkOutput::HangUp(peer));
        }
        if link.holders.is_empty() && self.lingering.at(&peer).is_none() {
            self.let_linger(peer, now);
        }
    }

    /// Lets go of all that an overlay held in an epoch that is over.
    pub(crate) fn release_all(&mut self, holder: Holder, now: Micros, out: &mut Vec<LinkOutput>) {
        let held = |holders: &BTreeSet<Holder>| holders.contains(&holder);
        let up = self.up.iter().filter(|(_, link)| held(&link.holders)).map(|(peer, _)| *peer);
        let dialled = self.dialling.iter().filter(|(_, holders)| held(holders));
        let peers: Vec<PeerId> = up.chain(dialled.map(|(peer, _)| *peer)).collect();
        for peer in peers {
            self.release(peer, holder, now, out);
        }
    }

    /// The other end says what use it has for the link.
    pub(crate) fn hear(&mut self, peer: PeerId, said: LinkUse, out: &mut Vec<LinkOutput>) {
        let is_lingering = self.lingering.at(&peer).is_some();
        let Some(link) = self.up.get_mut(&peer) else { return };
        match said {
            LinkUse::Unused => {
                link.is_unused_there = true;
                if link.holders.is_empty() && !is_lingering {
                    link.is_unused = true;
                    out.push(LinkOutput::HangUp(peer));
                }
            }
            LinkUse::Wanted => {
                link.is_unused_there = false;
                out.push(LinkOutput::Say(peer, LinkUse::Granted));
            }
            LinkUse::Granted => {
                if std::mem::replace(&mut link.is_wanted, false) {
                    link.is_unused = false;
                    self.lingering.cancel(&peer);
                    let holders = link.holders.iter();
                    out.extend(holders.map(|holder| LinkOutput::Ready(peer, *holder)));
                    if link.holders.is_empty() {
                        // Nobody waits for it any more: it is said again to be unused, at once.
                        self.lingering.set(peer, Micros(0));
                    }
                }
            }
        }
    }

    /// Links that nobody has held for a while; those still not granted are asked for again.
    pub(crate) fn expire(&mut self, now: Micros, out: &mut Vec<LinkOutput>) {
        while let Some(peer) = self.lingering.pop(now) {
            let Some(link) = self.up.get_mut(&peer) else { continue };
            if link.is_wanted {
                out.push(LinkOutput::Say(peer, LinkUse::Wanted));
                self.let_linger(peer, now);
                continue;
            }
            if !link.holders.is_empty() {
                continue;
            }
            if link.is_unused_there {
                link.is_unused = true;
                out.push(LinkOutput::HangUp(peer));
            } else if !std::mem::replace(&mut link.is_unused, true) {
                out.push(LinkOutput::Say(peer, LinkUse::Unused));
            }
        }
    }

    fn let_linger(&mut self, peer: PeerId, now: Micros) {
        let spread = u32::try_from(self.linger.0 / 4).unwrap_or(u32::MAX);
        let at = now + self.linger + Micros(u64::from(self.rng.below(spread)));
        self.lingering.set(peer, at);
    }
}
