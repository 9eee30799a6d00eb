//! Running the machine: inputs in, outputs done.

use std::collections::VecDeque;

use foundation_cluster::{ClusterEvent, ClusterMessage, Output};
use foundation_link::{Control, Delivery, Link, Machine, Micros, Payload};
use foundation_machine::PeerId;

use super::parcel::{Body, Parcel};
use super::traffic::kind_of;
use super::{ClusterHost, MachineInput, messages};
use crate::node::Node;

/// Inputs served in one run. What is left is served by the next one, behind rings and sockets.
const INPUTS_MAX: usize = 4_096;
/// Inputs and outputs that a node keeps room for.
const KEPT: usize = 64;
/// Nodes that fit a control frame whatever their names: each takes up to 600 bytes.
const NODES_IN_FRAME: usize = 100;
/// Family of a message whose head is too long for an extension area: the head stands in front of
/// the payload, and this message tells its length.
const LED: u8 = 255;

/// What came for the host itself, with the credit that it costs.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Body,
    pub(crate) channel: u16,
    pub(crate) account: u16,
    pub(crate) bytes: u64,
}

impl Arrival {
    pub(crate) fn of(delivery: Delivery<'_>) -> Arrival {
        let Delivery { head, channel, account, payload, .. } = delivery;
        let bytes = payload.len() as u64;
        Arrival { head: head.to_vec(), body: Body::of(payload), channel, account, bytes }
    }
}

impl Node {
    pub(crate) fn has_overlays(&self) -> bool {
        self.options.overlays.is_some()
    }

    /// Remembers what happened for the machine, if there is one.
    pub(crate) fn tell_machine(&mut self, input: MachineInput) {
        if self.has_overlays() {
            self.inputs.push_back(input);
        }
    }

    /// Gives the machine what happened, and does what it asks for.
    pub(crate) fn run_cluster(&mut self) {
        if self.inputs.is_empty() {
            return;
        }
        // Taken out while its outputs act on the node. Not there: it is at work further up.
        let Some(mut cluster) = self.cluster.take() else { return };
        let clock = crate::clock::now();
        let now = cluster.pace.time(clock);
        let mut out = std::mem::take(&mut cluster.out);
        for _ in 0..INPUTS_MAX {
            let Some(input) = self.inputs.pop_front() else { break };
            cluster.machine.handle(input, now, &mut out);
            for output in out.drain(..) {
                // Nothing else that an isolate may hear overtakes a member that is up.
                if !matches!(output, Output::Send { .. } | Output::Event(ClusterEvent::NodeUp(_))) {
                    self.tell_ups(&mut cluster);
                }
                self.act_for_machine(&mut cluster, output);
            }
        }
        self.tell_ups(&mut cluster);
        // News of a whole cluster needs a lot of room once.
        if out.capacity() <= KEPT {
            cluster.out = out;
        }
        if self.inputs.is_empty() && self.inputs.capacity() > KEPT {
            self.inputs = VecDeque::new();
        }
        let due = cluster.machine.due();
        if due < cluster.planned {
            cluster.planned = due;
            self.tick_at = self.tick_at.min(cluster.pace.clock(due, clock));
        }
        if !self.inputs.is_empty() {
            self.is_tick_due = true;
        }
        self.cluster = Some(cluster);
    }

    /// Serves the machine's timers and looks after links; answers when to come again.
    pub(crate) fn tick_cluster(&mut self, now: Micros) -> Micros {
        let Some(cluster) = &self.cluster else { return Micros::NEVER };
        if cluster.machine.due() <= cluster.pace.time(now) {
            self.inputs.push_back(MachineInput::Due);
        }
        let next = self.look_after_links(now);
        self.run_cluster();
        let Some(cluster) = &mut self.cluster else { return next };
        cluster.planned = cluster.machine.due();
        if !self.inputs.is_empty() {
            return now;
        }
        next.min(cluster.pace.clock(cluster.planned, now))
    }

    fn act_for_machine(&mut self, cluster: &mut ClusterHost, output: Output<Parcel>) {
        match output {
            Output::Send { to, message } => {
                if !self.send_for_machine(cluster, to, message) {
                    self.overlay_meters.unsent += 1;
                }
            }
            Output::Dial(peer) => self.want_link(cluster, peer),
            Output::DialSeed { pick } => self.want_seed(cluster, pick),
            Output::HangUp(peer) => self.hang_up(cluster, peer),
            Output::Event(event) => self.on_cluster_event(cluster, event),
        }
    }

    /// Place of the link to that life.
    pub(crate) fn linked_index(&self, cluster: &ClusterHost, peer: PeerId) -> Option<usize> {
        let index = *self.by_name.get(cluster.directory.name(peer.node))?;
        let known = &self.peers[index];
        (known.link.is_some() && known.life == peer.life).then_some(index)
    }

    fn send_for_machine(
        &mut self,
        cluster: &ClusterHost,
        to: PeerId,
        message: ClusterMessage<Parcel>,
    ) -> bool {
        let Some(index) = self.linked_index(cluster, to) else { return false };
        let known = &mut self.peers[index];
        let Some(active) = known.link.as_mut().filter(|_| !known.usage.is_releasing) else {
            return false;
        };
        let kind = kind_of(&message);
        let (machine, parcel) = messages::write(&cluster.directory, message);
        let (control, is_message) = (Control::Machine(machine), parcel.is_some());
        let is_long = matches!(&control, Control::Machine(one) if one.nodes.len() > NODES_IN_FRAME);
        let is_message = is_message || is_long;
        let sent = match parcel {
            None if is_long => send_long(&mut active.link, &control),
            None => active.link.tell_host(&control),
            Some(parcel) => match control.encode() {
                Ok(head) => {
                    let is_declared = usize::from(parcel.channel) < self.declared;
                    let channel = if is_declared { parcel.channel } else { 0 };
                    send_parcel(&mut active.link, channel, &head, &parcel.body)
                }
                Err(_) => None,
            },
        };
        known.usage.host_messages += u64::from(sent.is_some() && is_message);
        if let Some(bytes) = sent {
            self.overlay_meters.traffic.add(kind, bytes);
        }
        self.mark_dirty(index);
        sent.is_some()
    }

    /// A message of the peer's machine, without a payload.
    pub(crate) fn on_machine_message(&mut self, index: usize, machine: Machine) {
        self.read_machine(index, machine, None);
    }

    /// Messages with payloads for the host, as they came from a link.
    pub(crate) fn take_arrivals(&mut self, index: usize) {
        for arrival in std::mem::take(&mut self.arrivals) {
            let Arrival { head, body, channel, account, bytes } = arrival;
            let known = &mut self.peers[index];
            known.usage.host_messages += 1;
            if let Some(active) = &mut known.link {
                active.link.settle(channel, account, bytes, 1);
            }
            match read_head(&head, body) {
                Some((machine, body)) => self.read_machine(index, machine, Some((body, channel))),
                None => self.overlay_meters.unreadable += 1,
            }
        }
    }

    fn read_machine(&mut self, index: usize, machine: Machine, body: Option<(Body, u16)>) {
        let Some(cluster) = &mut self.cluster else { return };
        let known = &self.peers[index];
        let Some(node) = known.usage.no else { return };
        let from = PeerId { node, life: known.life };
        match messages::read(&mut cluster.directory, machine, body) {
            Some(message) => self.inputs.push_back(MachineInput::Received { from, message }),
            None => self.overlay_meters.unreadable += 1,
        }
    }
}

/// A message that may exceed a control frame goes as a payload does. As all that send: answers how
/// many bytes were taken.
fn send_long(link: &mut Link, control: &Control) -> Option<usize> {
    send_led(link, 0, &control.encode_carried().ok()?, &[])
}

fn send_led(link: &mut Link, channel: u16, head: &[u8], body: &[u8]) -> Option<usize> {
    let led = Machine { family: LED, numbers: vec![head.len() as u64], ..Machine::default() };
    let outer = Control::Machine(led).encode().ok()?;
    let both = [head, body].concat();
    let is_taken = link.enqueue_carrying(channel, &outer, Payload::Inline(&both)).is_ok();
    is_taken.then_some(outer.len() + both.len())
}

fn send_parcel(link: &mut Link, channel: u16, head: &[u8], body: &Body) -> Option<usize> {
    if head.len() <= Link::HEAD_BYTES_MAX {
        let is_taken = link.enqueue_carrying(channel, head, body.payload()).is_ok();
        return is_taken.then_some(head.len() + body.len());
    }
    send_led(link, channel, head, body.payload().as_slice())
}

fn read_head(head: &[u8], body: Body) -> Option<(Machine, Body)> {
    let Ok(Control::Machine(machine)) = Control::decode(head) else { return None };
    if machine.family != LED {
        return Some((machine, body));
    }
    let length = usize::try_from(*machine.numbers.first()?).ok()?;
    let payload = body.payload();
    let (inner, _) = payload.as_slice().split_at_checked(length)?;
    let Ok(Control::Machine(machine)) = Control::decode_carried(inner) else { return None };
    let rest = body.from(length)?;
    (machine.family != LED).then_some((machine, rest))
}
