//! What a broadcast tree wants.

use foundation_broadcast::{BroadcastInput, BroadcastOutput, Payload};
use foundation_machine::Micros;

use crate::cluster::Cluster;
use crate::event::ClusterEvent;
use crate::io::{Output, OverlayNo};
use crate::message::ClusterMessage;
use crate::router::RouterInput;
use crate::work::Task;

impl<B: Payload> Cluster<B> {
    pub(crate) fn step_tree(
        &mut self,
        overlay: OverlayNo,
        input: BroadcastInput<B>,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        let Some(named) = self.overlays.get_mut(usize::from(overlay.0)) else { return };
        let mut wanted = Vec::new();
        named.tree.handle(input, now, &mut wanted);
        for output in wanted {
            match output {
                BroadcastOutput::Send { to, message } => {
                    self.send(to, ClusterMessage::Broadcast { overlay, message }, out);
                }
                BroadcastOutput::Deliver { id, .. } if id.origin == self.own => {}
                BroadcastOutput::Deliver { id, round, payload, from } => {
                    let (origin, sequence) = (id.origin, id.sequence);
                    let learnt = RouterInput::Learnt { node: origin, neighbour: from };
                    self.work.push_back(Task::Router(learnt));
                    let hops = round;
                    let event =
                        ClusterEvent::Broadcast { overlay, origin, sequence, hops, payload };
                    self.announce(origin, event, now, out);
                }
            }
        }
    }
}
