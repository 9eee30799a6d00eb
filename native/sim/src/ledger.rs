//! What applications sent in a run and what became of it.

use foundation_machine::{Micros, PeerId};

use crate::subject::Payload;

/// One broadcast.
#[derive(Clone, Debug)]
pub struct BroadcastRecord {
    /// Who broadcast it.
    pub origin: PeerId,
    /// When.
    pub at: Micros,
    /// Over which overlay.
    pub overlay: u8,
    /// How many nodes have it, its origin left out.
    pub reached: usize,
    /// When the last of them got it.
    pub last_at: Micros,
    /// The most links that it took.
    pub hops: u32,
    has: Vec<u64>,
}

impl BroadcastRecord {
    /// Whether a node has it.
    #[must_use]
    pub fn has(&self, node: u32) -> bool {
        self.has.get(node as usize / 64).is_some_and(|word| word >> (node % 64) & 1 == 1)
    }

    fn set(&mut self, node: u32) -> bool {
        let place = node as usize / 64;
        if place >= self.has.len() {
            self.has.resize(place + 1, 0);
        }
        let is_new = self.has[place] >> (node % 64) & 1 == 0;
        self.has[place] |= 1 << (node % 64);
        is_new
    }
}

/// What became of a routed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Open,
    /// It came.
    Arrived(Micros),
    /// Its sender was told that it may not have.
    GivenUp,
    /// Both: it came, and its sender was told that it may not have.
    ArrivedAndGivenUp,
}

/// One routed message.
#[derive(Clone, Copy, Debug)]
pub struct RouteRecord {
    /// Who sent it.
    pub from: PeerId,
    /// To whom.
    pub to: PeerId,
    /// When.
    pub at: Micros,
    /// How many links it took, once it has come.
    pub hops: u32,
    /// What became of it.
    pub outcome: Outcome,
}

/// All of a run.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Broadcasts, in order.
    pub broadcasts: Vec<BroadcastRecord>,
    /// Routed messages, in order.
    pub routes: Vec<RouteRecord>,
}

impl Ledger {
    /// Books a broadcast; answers its payload.
    pub fn broadcast(&mut self, origin: PeerId, overlay: u8, at: Micros) -> Payload {
        self.broadcasts.push(BroadcastRecord {
            origin,
            at,
            overlay,
            reached: 0,
            last_at: at,
            hops: 0,
            has: Vec::new(),
        });
        (self.broadcasts.len() as u64 - 1) << 1
    }

    /// Books a routed message; answers its payload.
    pub fn route(&mut self, from: PeerId, to: PeerId, at: Micros) -> Payload {
        self.routes.push(RouteRecord { from, to, at, hops: 0, outcome: Outcome::Open });
        (self.routes.len() as u64 - 1) << 1 | 1
    }

    /// A broadcast came to a node.
    ///
    /// # Errors
    /// Nobody sent it, somebody else did, or the node has it already.
    pub fn broadcast_came(
        &mut self,
        payload: Payload,
        origin: PeerId,
        node: u32,
        hops: u32,
        now: Micros,
    ) -> Result<(), String> {
        let record = self.broadcasts.get_mut((payload >> 1) as usize).filter(|_| payload & 1 == 0);
        let Some(record) = record else { return Err(format!("broadcast {payload} of nobody")) };
        if record.origin != origin {
            let real = record.origin;
            return Err(format!("broadcast {payload} of {real:?} comes as one of {origin:?}"));
        }
        if origin.node.0 == node || !record.set(node) {
            return Err(format!("broadcast {payload} of {origin:?} is delivered twice"));
        }
        record.reached += 1;
        record.hops = record.hops.max(hops);
        record.last_at = now;
        Ok(())
    }

    /// A routed message came to a node.
    ///
    /// # Errors
    /// Nobody sent it, it is for somebody else, or it came before.
    pub fn routed_came(
        &mut self,
        payload: Payload,
        origin: PeerId,
        own: PeerId,
        hops: u32,
        now: Micros,
    ) -> Result<(), String> {
        let record = self.routes.get_mut((payload >> 1) as usize).filter(|_| payload & 1 == 1);
        let Some(record) = record else { return Err(format!("route {payload} of nobody")) };
        if record.from != origin || record.to != own {
            return Err(format!(
                "route {payload}, {record:?}, is taken by {own:?} as {origin:?}'s"
            ));
        }
        record.outcome = match record.outcome {
            Outcome::Open => Outcome::Arrived(now),
            Outcome::GivenUp => Outcome::ArrivedAndGivenUp,
            Outcome::Arrived(_) | Outcome::ArrivedAndGivenUp => {
                return Err(format!("route {payload} of {origin:?} is delivered twice"));
            }
        };
        record.hops = hops;
        Ok(())
    }

    /// A sender is told that its message may not have come.
    ///
    /// # Errors
    /// It is not its own, or it was told before.
    pub fn given_up(&mut self, payload: Payload, own: PeerId) -> Result<(), String> {
        let record = self.routes.get_mut((payload >> 1) as usize).filter(|_| payload & 1 == 1);
        let Some(record) = record else { return Err(format!("route {payload} of nobody")) };
        if record.from != own {
            return Err(format!("route {payload} of {:?} is given up by {own:?}", record.from));
        }
        record.outcome = match record.outcome {
            Outcome::Open => Outcome::GivenUp,
            Outcome::Arrived(_) => Outcome::ArrivedAndGivenUp,
            Outcome::GivenUp | Outcome::ArrivedAndGivenUp => {
                return Err(format!("route {payload} is given up twice"));
            }
        };
        Ok(())
    }

    /// A node begins a new life: what its earlier ones had is nothing to it.
    pub fn forget(&mut self, node: u32) {
        for record in &mut self.broadcasts {
            if let Some(word) = record.has.get_mut(node as usize / 64) {
                *word &= !(1 << (node % 64));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foundation_machine::{NodeLife, NodeNo};

    fn peer(node: u32) -> PeerId {
        PeerId { node: NodeNo(node), life: NodeLife { start: 1, random: 0 } }
    }

    #[test]
    fn a_second_delivery_is_told_and_a_later_life_may_have_its_own() {
        let mut ledger = Ledger::default();
        let payload = ledger.broadcast(peer(0), 0, Micros(5));
        let came =
            |ledger: &mut Ledger, node| ledger.broadcast_came(payload, peer(0), node, 2, Micros(9));
        assert!(came(&mut ledger, 70).is_ok());
        assert!(came(&mut ledger, 70).is_err());
        assert!(came(&mut ledger, 0).is_err(), "its own");
        ledger.forget(70);
        assert!(came(&mut ledger, 70).is_ok());
        assert!(ledger.broadcast_came(payload + 2, peer(0), 1, 1, Micros(9)).is_err());
        assert!(ledger.broadcast_came(payload, peer(1), 1, 1, Micros(9)).is_err());
    }

    #[test]
    fn a_route_ends_once_and_with_whom_it_is_for() {
        let mut ledger = Ledger::default();
        let payload = ledger.route(peer(0), peer(1), Micros(1));
        assert!(ledger.routed_came(payload, peer(0), peer(2), 1, Micros(2)).is_err());
        assert!(ledger.given_up(payload, peer(1)).is_err());
        assert!(ledger.given_up(payload, peer(0)).is_ok());
        assert!(ledger.routed_came(payload, peer(0), peer(1), 1, Micros(2)).is_ok());
        assert_eq!(ledger.routes[0].outcome, Outcome::ArrivedAndGivenUp);
        assert!(ledger.routed_came(payload, peer(0), peer(1), 1, Micros(3)).is_err());
    }
}
