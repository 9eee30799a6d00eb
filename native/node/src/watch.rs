//! Who watches whom. In a small mesh every link is probed every heartbeat. In a larger one each
//! node probes the next one by name, so that the links that rest cost a tenth; whoever misses an
//! answer tells all, and all ask everybody at once: those too that nobody watches from their side
//! of a cut network.
//!
//! A node with overlays has few links and watches them all.

use foundation_link::{Micros, Watch};

use crate::node::Node;

/// As many links are all watched: five nodes, whose idle links cost less than the aim for twenty.
const ALL_WATCHED_MAX: usize = 4;

/// What a node knows of the watch that it keeps.
#[derive(Debug, Default)]
pub(crate) struct Vigil {
    /// Links have come or gone since it was arranged.
    pub(crate) is_stale: bool,
    /// When somebody missed an answer last, as far as this node knows.
    alarmed_at: Micros,
}

impl Node {
    /// Gives each link its part.
    pub(crate) fn arrange_watch(&mut self, now: Micros) {
        if !std::mem::take(&mut self.vigil.is_stale) || self.has_overlays() {
            return;
        }
        let own = self.identity.node.as_str();
        let linked = || self.peers.iter().filter(|peer| peer.link.is_some());
        let names = || linked().map(|peer| peer.name.as_str());
        // The ring closes: behind the last name comes the first.
        let next = names().filter(|name| *name > own).min().or_else(|| names().min());
        let last = names().filter(|name| *name < own).max().or_else(|| names().max());
        let (next, last) = (next.map(str::to_owned), last.map(str::to_owned));
        let is_small = linked().count() <= ALL_WATCHED_MAX;
        let own = own.to_owned();
        for peer in &mut self.peers {
            let name = Some(&peer.name);
            let is_ours = if is_small { own < peer.name } else { name == next.as_ref() };
            let is_theirs = if is_small { own > peer.name } else { name == last.as_ref() };
            let watch = match (is_ours, is_theirs) {
                (true, _) => Watch::Probing,
                (false, true) => Watch::Probed,
                (false, false) => Watch::Resting,
            };
            if let Some(active) = &mut peer.link {
                active.link.set_watch(watch, now);
            }
        }
    }

    /// The peer in this place owes an answer.
    pub(crate) fn on_doubt(&mut self, index: usize) {
        let now = crate::clock::now();
        // Whoever was told within a heartbeat, by whomever, is asking already.
        if now.since(self.vigil.alarmed_at) < self.link_options.heartbeat || self.has_overlays() {
            return;
        }
        self.look_at_all(index, now, true);
    }

    /// The peer in this place misses an answer of somebody.
    pub(crate) fn on_alarm(&mut self, index: usize) {
        let now = crate::clock::now();
        // Many may miss the same one in the same moment.
        if now.since(self.vigil.alarmed_at) >= Micros(self.link_options.heartbeat.0 / 4) {
            self.look_at_all(index, now, false);
        }
    }

    fn look_at_all(&mut self, but: usize, now: Micros, tells: bool) {
        self.vigil.alarmed_at = now;
        for index in (0..self.peers.len()).filter(|index| *index != but) {
            let Some(active) = &mut self.peers[index].link else { continue };
            active.link.watch_closely(now, tells);
            self.mark_dirty(index);
        }
        self.is_tick_due = true;
    }
}
