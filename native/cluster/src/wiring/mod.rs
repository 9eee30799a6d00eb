//! What each machine's outputs mean: for the host, and as inputs of the others.

mod broadcasts;
mod detector;
mod links;
mod members;
mod overlays;
mod reach;
mod routes;
mod switches;

use foundation_broadcast::Payload;
use foundation_machine::{Micros, PeerId};

use crate::cluster::Cluster;
use crate::event::ClusterEvent;
use crate::io::Output;
use crate::message::ClusterMessage;
use crate::work::Task;

impl<B: Payload> Cluster<B> {
    pub(crate) fn perform(&mut self, task: Task<B>, now: Micros, out: &mut Vec<Output<B>>) {
        match task {
            Task::Overlay { overlay, epoch, input } => {
                self.step_overlay(overlay, epoch, input, now, out);
            }
            Task::Tree { overlay, input } => self.step_tree(overlay, input, now, out),
            Task::Switch { overlay, input } => self.step_switch(overlay, input, now, out),
            Task::Detector(input) => self.step_detector(input, now, out),
            Task::Roster(input) => self.step_roster(input, now, out),
            Task::Router(input) => self.step_router(input, now, out),
            Task::Event(event) => out.push(Output::Event(event)),
            Task::LinkGone { peer, end } => self.drop_link(peer, end, now, out),
        }
    }

    /// Over the link, if it is still up.
    fn send(&mut self, to: PeerId, message: ClusterMessage<B>, out: &mut Vec<Output<B>>) {
        if self.links.is_up(to) {
            out.push(Output::Send { to, message });
        } else {
            self.counters.unsent += 1;
        }
    }

    /// The application hears of a message when it knows its origin to be up.
    fn announce(
        &mut self,
        origin: PeerId,
        event: ClusterEvent<B>,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        if origin == self.own || self.roster.is_none() {
            return out.push(Output::Event(event));
        }
        if let Some(event) = self.gate.pass(origin, event, now) {
            out.push(Output::Event(event));
        }
    }
}
