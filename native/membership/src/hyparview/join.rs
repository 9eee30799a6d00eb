//! How nodes come in.

use foundation_machine::{Micros, PeerId};

use super::message::HyParViewMessage;
use super::request::Aim;
use super::{HyParView, Out};
use crate::overlay::OverlayOutput;

impl HyParView {
    pub(super) fn on_join(&mut self, from: PeerId, token: u32, now: Micros, out: &mut Out) {
        self.accept(from, token, now, out);
        let message = HyParViewMessage::ForwardJoin { joiner: from, ttl: self.options.active_walk };
        for &peer in self.views.active().iter().filter(|peer| **peer != from) {
            out.push(OverlayOutput::Send { to: peer, message: message.clone() });
        }
    }

    pub(super) fn on_forward_join(
        &mut self,
        from: PeerId,
        joiner: PeerId,
        ttl: u8,
        now: Micros,
        out: &mut Out,
    ) {
        if ttl > self.options.active_walk {
            self.counters.malformed += 1;
            return;
        }
        if joiner.node == self.own.node {
            return;
        }
        let others: Vec<PeerId> =
            self.views.active().iter().copied().filter(|p| *p != from && *p != joiner).collect();
        let next = self.rng.pick(&others).copied();
        let (Some(next), 1..) = (next, ttl) else {
            self.request(joiner, Aim::Insist, now, out);
            return;
        };
        if ttl == self.options.passive_walk {
            self.keep(joiner);
        }
        let message = HyParViewMessage::ForwardJoin { joiner, ttl: ttl - 1 };
        out.push(OverlayOutput::Send { to: next, message });
    }
}
