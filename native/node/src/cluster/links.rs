//! Links of a node with overlays: what their coming and going means, and how those that nobody has
//! use for end in good order.
//!
//! Either side says that it has no use for the link once that has been so for a while, and from
//! then on holds messages back. If the other side has none either it says so too, whoever had said
//! it first closes, and nothing is on its way that anybody could lose. Else the link stays.

use foundation_cluster::LinkEnd;
use foundation_link::{Control, LANES_MAX, Member, Micros};
use foundation_machine::PeerId;

use super::{ClusterHost, MachineInput};
use crate::events;
use crate::node::{Node, Phase};

/// How often links are looked at that no overlay holds.
const LOOK_EVERY: Micros = Micros::from_millis(250);

impl Node {
    /// A link came up in this place: to a seed that the machine waits for, so many times, or was
    /// told of that it did not answer.
    pub(crate) fn member_linked(&mut self, index: usize, seed_wants: Option<u32>) {
        let Some(cluster) = &mut self.cluster else { return };
        let known = &mut self.peers[index];
        let (name, address) = (known.name.clone(), known.address_text.clone());
        let Some(peer) = cluster.directory.learn(&Member { name, address, life: known.life })
        else {
            return;
        };
        let now = crate::clock::now();
        let usage = &mut known.usage;
        usage.no = Some(peer.node);
        usage.is_awaited = false;
        usage.is_releasing = false;
        usage.crossed_until = None;
        usage.failed_at = None;
        (usage.messages, usage.host_messages, usage.used_at) = (0, 0, Micros(0));
        usage.linked_at = now;
        // Each who had asked for the seed has an answer; the last one brings the link.
        for _ in 1..seed_wants.unwrap_or(0) {
            self.inputs.push_back(MachineInput::SeedFailed);
        }
        self.inputs.push_back(MachineInput::LinkUp { peer, is_seed: seed_wants.is_some() });
        // The machine's own news of the member go before those of the link.
        self.run_cluster();
        self.tell_up_if_new(peer);
        self.route(index);
        self.tell_link(index, true);
        self.flush_pending(index);
    }

    /// The link in this place, whose handle was `handle`, is gone.
    pub(crate) fn member_unlinked(&mut self, index: usize, handle: u32, reason: &str) {
        let known = &mut self.peers[index];
        let usage = &mut known.usage;
        usage.is_releasing = false;
        usage.is_routed = false;
        let Some(node) = usage.no else { return };
        let peer = PeerId { node, life: known.life };
        let end = match reason {
            "left" => LinkEnd::Left,
            "released" => LinkEnd::Released,
            _ => LinkEnd::Lost,
        };
        self.inputs.push_back(MachineInput::LinkDown { peer, end });
        self.news_no += 1;
        let name = &self.peers[index].name;
        self.isolates.tell_all(&events::unlinked(self.news_no, handle, name, reason));
        let usage = &self.peers[index].usage;
        if self.phase == Phase::Running && (usage.is_awaited || !usage.pending.is_empty()) {
            self.plan_dial(index);
        }
    }

    /// The peer tells whether it has use for the link.
    pub(crate) fn on_link_use(&mut self, index: usize, is_wanted: bool) {
        if is_wanted {
            return self.keep_link(index);
        }
        let generation = self.peers[index].generation;
        if self.peers[index].usage.is_releasing {
            // All that the peer had said before is read: nothing is lost by closing.
            self.lost.push((index, generation, "released".to_owned()));
        } else if !self.is_held(index) && self.is_quiet(index) {
            self.say_link_use(index, false);
        } else {
            self.say_link_use(index, true);
        }
    }

    /// The peer has use for the link: what was held back goes out.
    fn keep_link(&mut self, index: usize) {
        let usage = &mut self.peers[index].usage;
        if !std::mem::take(&mut usage.is_releasing) {
            return;
        }
        if std::mem::take(&mut usage.is_awaited)
            && let Some(node) = usage.no
        {
            let peer = PeerId { node, life: self.peers[index].life };
            self.inputs.push_back(MachineInput::LinkUp { peer, is_seed: false });
        }
        self.flush_pending(index);
    }

    pub(crate) fn round_trip(&mut self, index: usize, rtt: Micros) {
        let known = &self.peers[index];
        if let Some(node) = known.usage.no {
            let peer = PeerId { node, life: known.life };
            self.tell_machine(MachineInput::RoundTrip { peer, rtt });
        }
    }

    /// The peer's regular probe came.
    pub(crate) fn heartbeat(&mut self, index: usize) {
        let known = &self.peers[index];
        if let Some(node) = known.usage.no {
            self.tell_machine(MachineInput::Heartbeat(PeerId { node, life: known.life }));
        }
    }

    fn say_link_use(&mut self, index: usize, wanted: bool) {
        let known = &mut self.peers[index];
        let Some(active) = &mut known.link else { return };
        let use_of_it = foundation_link::LinkUse { wanted };
        if active.link.tell_host(&Control::LinkUse(use_of_it)).is_some() {
            known.usage.is_releasing = !wanted;
        }
        self.mark_dirty(index);
    }

    /// Ends what nobody has use for; answers when to look again.
    pub(super) fn look_after_links(&mut self, now: Micros) -> Micros {
        let Some(cluster) = &mut self.cluster else { return Micros::NEVER };
        if now < cluster.look_at {
            return cluster.look_at;
        }
        cluster.look_at = now + LOOK_EVERY;
        let idle_after = cluster.settings.link_idle();
        let mut next = self.look_after_crossed(now);
        if self.phase != Phase::Running {
            return next;
        }
        for index in 0..self.peers.len() {
            if self.peers[index].usage.is_releasing || self.is_held(index) {
                continue;
            }
            if self.peers[index].link.is_none() {
                continue;
            }
            next = next.min(now + LOOK_EVERY);
            let used_at = self.last_use(index, now).max(self.peers[index].usage.linked_at);
            if now.since(used_at) >= idle_after && self.is_quiet(index) {
                self.peers[index].usage.linked_at = now; // asked again only after as long
                self.say_link_use(index, false);
            }
        }
        next
    }

    /// When an isolate's message went over the link last; 0 for never.
    fn last_use(&mut self, index: usize, now: Micros) -> Micros {
        let known = &mut self.peers[index];
        let Some(active) = &known.link else { return Micros(0) };
        let (counters, usage) = (active.link.counters(), &mut known.usage);
        let all = counters.messages_sent + counters.messages_received;
        let messages = all.saturating_sub(usage.host_messages);
        if messages != usage.messages {
            (usage.messages, usage.used_at) = (messages, now);
        }
        usage.used_at
    }

    /// The machine has no use for a link. One to a life that is over closes at once; else it ends
    /// in good order, unless isolates use it.
    pub(super) fn hang_up(&mut self, cluster: &ClusterHost, peer: PeerId) {
        let Some(index) = self.linked_index(cluster, peer) else { return };
        if !cluster.machine.is_linked(peer) {
            let generation = self.peers[index].generation;
            return self.lost.push((index, generation, "released".to_owned()));
        }
        let now = crate::clock::now();
        let used_at = self.last_use(index, now);
        let is_used = used_at > Micros(0) && now.since(used_at) < cluster.settings.link_idle();
        if (is_used || !self.is_quiet(index)) && self.phase == Phase::Running {
            return; // looked after as any other that nobody holds
        }
        if !self.peers[index].usage.is_releasing {
            self.say_link_use(index, false);
        }
    }

    /// Whether some machine of this node has use for the link in that place.
    fn is_held(&self, index: usize) -> bool {
        let known = &self.peers[index];
        let (Some(cluster), Some(node)) = (&self.cluster, known.usage.no) else { return true };
        cluster.machine.link_holders(PeerId { node, life: known.life }) > 0
    }

    /// Whether nothing is on its way over a link, nor waits for an answer over it.
    fn is_quiet(&mut self, index: usize) -> bool {
        let known = &self.peers[index];
        let Some(active) = &known.link else { return false };
        let handle = known.handle(index);
        let is_written = active.link.is_drained()
            && (0..LANES_MAX as u8).all(|lane| !active.link.has_output(lane))
            && active.lanes.iter().all(|open| open.batch.is_empty());
        is_written
            && active.link.calls_waiting() == 0
            && self.isolates.iter().all(|isolate| !isolate.dues.is_owing(handle))
    }
}
