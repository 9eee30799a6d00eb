//! foca's SWIM with its own settings for a local network, over datagrams that are never lost.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use foca::{
    AccumulatingRuntime, Config, Foca, Identity, NoCustomBroadcast, OwnedNotification,
    PostcardCodec, Timer,
};
use foundation_machine::Micros;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use crate::clockwork::Clockwork;
use crate::swim::Watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Node(u32);

impl Identity for Node {
    type Addr = u32;

    fn renew(&self) -> Option<Self> {
        None
    }

    fn addr(&self) -> u32 {
        self.0
    }

    fn win_addr_conflict(&self, _adversary: &Self) -> bool {
        false
    }
}

enum Event {
    Datagram { to: u32, bytes: Vec<u8> },
    Timer { at: u32, timer: Timer<Node> },
}

type Member = Foca<Node, PostcardCodec, StdRng, NoCustomBroadcast>;

pub struct Swim {
    clock: Clockwork<Event>,
    nodes: BTreeMap<u32, Member>,
    seed: u64,
    size: u32,
    wronged: u32,
}

impl Swim {
    pub fn new(seed: u64, size: u32) -> Self {
        Swim { clock: Clockwork::new(seed), nodes: BTreeMap::new(), seed, size, wronged: 0 }
    }

    fn step(
        &mut self,
        at: u32,
        input: impl FnOnce(&mut Member, &mut AccumulatingRuntime<Node>) -> Result<(), foca::Error>,
    ) {
        let Some(node) = self.nodes.get_mut(&at) else { return };
        let mut runtime = AccumulatingRuntime::new();
        // An error says that a message was of no use, such as one from a member that is down.
        let _ = input(node, &mut runtime);
        while let Some((to, bytes)) = runtime.to_send() {
            let wait = self.clock.delay(at, to.0);
            self.clock.after(wait, Event::Datagram { to: to.0, bytes: bytes.to_vec() });
        }
        while let Some((wait, timer)) = runtime.to_schedule() {
            let wait = Micros(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX));
            self.clock.after(wait, Event::Timer { at, timer });
        }
        while let Some(notification) = runtime.to_notify() {
            if let OwnedNotification::MemberDown(member) = notification
                && self.nodes.contains_key(&member.0)
            {
                self.wronged += 1;
            }
        }
    }
}

impl Watch for Swim {
    fn start(&mut self, node: u32, contact: Option<u32>) {
        let size = NonZeroU32::new(self.size).unwrap_or(NonZeroU32::MIN);
        let rng = StdRng::seed_from_u64(self.seed << 20 | u64::from(node));
        let member = Foca::new(Node(node), Config::new_lan(size), rng, PostcardCodec);
        self.nodes.insert(node, member);
        if let Some(contact) = contact {
            self.step(node, |member, runtime| member.announce(Node(contact), runtime));
        }
    }

    fn silence(&mut self, node: u32) {
        self.nodes.remove(&node);
    }

    fn run_for(&mut self, millis: u64) {
        let end = self.clock.now + Micros::from_millis(millis);
        while let Some(event) = self.clock.next(end) {
            match event {
                Event::Datagram { to, bytes } => {
                    self.step(to, |member, runtime| member.handle_data(&bytes, runtime));
                }
                Event::Timer { at, timer } => {
                    self.step(at, |member, runtime| member.handle_timer(timer, runtime));
                }
            }
        }
    }

    fn up(&self) -> BTreeMap<u32, BTreeSet<u32>> {
        let up = |member: &Member| member.iter_members().map(|member| member.id().0).collect();
        self.nodes.iter().map(|(id, member)| (*id, up(member))).collect()
    }

    fn wronged(&self) -> u32 {
        self.wronged
    }
}
