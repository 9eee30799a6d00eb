//! Routers over a drawn network: links with first in, first out, served in random order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Planted, Rng};

use super::{Around, Router, RouterInput, RouterOutput};
use crate::event::RouteFailure;
use crate::io::OverlayNo;
use crate::message::Routed;
use crate::options::{Relay, RouterOptions};

const DATA: OverlayNo = OverlayNo(0);

fn peer(node: u32) -> PeerId {
    PeerId { node: NodeNo(node), life: NodeLife { start: 1, random: u64::from(node) } }
}

#[derive(Clone, Debug)]
enum OnWire {
    On(Routed<u64>),
    Back(Routed<u64>),
}

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Got { at: u32, from: u32, payload: u64, hops: u8 },
    Failed { at: u32, to: u32, payload: u64, reason: RouteFailure },
}

struct Place {
    own: u32,
    links: BTreeSet<(u32, u32)>,
    dials: bool,
}

impl Around for Place {
    fn is_linked(&self, other: PeerId) -> bool {
        self.links.contains(&(self.own, other.node.0))
    }
    fn relays(&self, _overlay: OverlayNo) -> Vec<PeerId> {
        let own = self.own;
        self.links.iter().filter(|(from, _)| *from == own).map(|(_, to)| peer(*to)).collect()
    }
    fn hops_max(&self, _overlay: OverlayNo) -> u8 {
        8
    }
    fn has_servers(&self, _overlay: OverlayNo) -> bool {
        false
    }
    fn may_dial(&self, _overlay: OverlayNo, _peer: PeerId) -> bool {
        self.dials
    }
    fn news_from(&self, _peer: PeerId) -> Option<PeerId> {
        None
    }
}

struct Net {
    routers: Vec<Router<u64>>,
    links: BTreeSet<(u32, u32)>,
    dials: bool,
    wires: BTreeMap<(u32, u32), VecDeque<OnWire>>,
    dialled: Vec<(u32, u32)>,
    seen: Vec<Seen>,
    rng: Rng,
    now: Micros,
}

impl Net {
    fn new(nodes: u32, options: &RouterOptions, seed: u64) -> Net {
        Net::with(Planted::NONE, nodes, options, seed)
    }

    fn with(planted: Planted, nodes: u32, options: &RouterOptions, seed: u64) -> Net {
        let mut rng = Rng::new(seed);
        let make = |node| Router::new(options.clone(), planted, peer(node), rng.fork());
        Net {
            routers: (0..nodes).map(make).collect(),
            links: BTreeSet::new(),
            dials: true,
            wires: BTreeMap::new(),
            dialled: Vec::new(),
            seen: Vec::new(),
            rng,
            now: Micros(1_000_000),
        }
    }

    fn link(&mut self, a: u32, b: u32) {
        self.links.extend([(a, b), (b, a)]);
        self.give(a, RouterInput::LinkUp(peer(b)));
        self.give(b, RouterInput::LinkUp(peer(a)));
    }

    fn cut(&mut self, a: u32, b: u32) {
        for (from, to) in [(a, b), (b, a)] {
            self.links.remove(&(from, to));
            self.wires.remove(&(from, to));
            self.give(from, RouterInput::LinkDown(peer(to)));
        }
    }

    fn route(&mut self, from: u32, to: u32, payload: u64) {
        self.give(from, RouterInput::Route { to: peer(to), overlay: DATA, payload });
    }

    fn give(&mut self, at: u32, input: RouterInput<u64>) {
        let around = Place { own: at, links: self.links.clone(), dials: self.dials };
        let mut out = Vec::new();
        self.routers[at as usize].handle(input, &around, self.now, &mut out);
        for output in out {
            match output {
                RouterOutput::Send { to, routed } => {
                    self.put(at, to, OnWire::On(routed), &around);
                }
                RouterOutput::SendBack { to, routed } => {
                    self.put(at, to, OnWire::Back(routed), &around);
                }
                RouterOutput::Dial(to) => self.dialled.push((at, to.node.0)),
                RouterOutput::Release(_) => {}
                RouterOutput::Deliver { origin, hops, payload, .. } => {
                    self.seen.push(Seen::Got { at, from: origin.node.0, payload, hops });
                }
                RouterOutput::Failed { to, payload, reason, .. } => {
                    self.seen.push(Seen::Failed { at, to: to.node.0, payload, reason });
                }
            }
        }
    }

    fn put(&mut self, at: u32, to: PeerId, message: OnWire, around: &Place) {
        assert!(around.is_linked(to), "{at} sends to {to:?} without a link");
        self.wires.entry((at, to.node.0)).or_default().push_back(message);
    }

    /// Lets one message arrive, of a link drawn at random; answers whether there was any.
    fn step(&mut self) -> bool {
        self.wires.retain(|_, wire| !wire.is_empty());
        let busy: Vec<(u32, u32)> = self.wires.keys().copied().collect();
        let Some(&(from, to)) = self.rng.pick(&busy) else { return false };
        let message = self.wires.get_mut(&(from, to)).and_then(VecDeque::pop_front);
        let from = peer(from);
        match message {
            Some(OnWire::On(routed)) => {
                self.give(to, RouterInput::Received { from, routed });
            }
            Some(OnWire::Back(routed)) => {
                self.give(to, RouterInput::Returned { from, routed });
            }
            None => return false,
        }
        true
    }

    /// Every dial asked for so far fails.
    fn fail_dials(&mut self) {
        for (at, to) in std::mem::take(&mut self.dialled) {
            self.give(at, RouterInput::DialFailed(peer(to)));
        }
    }

    fn settle(&mut self) {
        while self.step() || !self.dialled.is_empty() {
            self.fail_dials();
        }
    }

    fn pass(&mut self, time: Micros) {
        self.now = self.now + time;
        for at in 0..self.routers.len() as u32 {
            self.give(at, RouterInput::Due);
        }
    }

    fn payloads_at(&self, node: u32) -> Vec<u64> {
        let got = self.seen.iter().filter_map(|seen| match seen {
            Seen::Got { at, payload, .. } if *at == node => Some(*payload),
            _ => None,
        });
        got.collect()
    }
}

#[test]
fn a_message_crosses_a_cut_link_over_the_neighbour_of_both() {
    let mut net = Net::new(3, &RouterOptions::default(), 1);
    net.link(0, 1);
    net.link(1, 2);
    net.route(0, 2, 7);
    assert_eq!(net.dialled, [(0, 2)]);
    net.settle();
    assert_eq!(net.seen, [Seen::Got { at: 2, from: 0, payload: 7, hops: 2 }]);
}

fn waited_for_a_dial(planted: Planted) -> Vec<u64> {
    let mut net = Net::with(planted, 2, &RouterOptions::default(), 1);
    (1..=5).for_each(|payload| net.route(0, 1, payload));
    assert_eq!(net.dialled, [(0, 1)]);
    assert_eq!(net.routers[0].queued(), (5, 40));
    net.link(0, 1);
    net.settle();
    assert_eq!(net.routers[0].queued(), (0, 0));
    net.payloads_at(1)
}

#[test]
fn what_waited_for_a_dial_goes_over_the_new_link_in_order() {
    assert_eq!(waited_for_a_dial(Planted::NONE), [1, 2, 3, 4, 5]);
}

fn failed_for_want_of_room(planted: Planted) -> Vec<Seen> {
    let options =
        RouterOptions { queue_messages_max: 3, queue_bytes_max: 16, ..RouterOptions::default() };
    let mut net = Net::with(planted, 2, &options, 1);
    (1..=3).for_each(|payload| net.route(0, 1, payload));
    net.seen
}

#[test]
fn the_queue_of_a_dial_is_bounded_in_messages_and_bytes() {
    let reason = RouteFailure::QueueFull;
    let failed = failed_for_want_of_room(Planted::NONE);
    assert_eq!(failed, [Seen::Failed { at: 0, to: 1, payload: 3, reason }]);
}

#[test]
fn without_leave_to_relay_or_dial_a_message_fails_and_comes_back() {
    for (relay, dials) in [(Relay::Never, 0), (Relay::Dial, 1)] {
        let options = RouterOptions { relay, ..RouterOptions::default() };
        let mut net = Net::new(3, &options, 1);
        net.link(0, 1);
        net.link(1, 2);
        net.route(0, 2, 7);
        assert_eq!(net.dialled.len(), dials);
        net.settle();
        let reason = RouteFailure::NoPath;
        assert_eq!(net.seen, [Seen::Failed { at: 0, to: 2, payload: 7, reason }]);
    }
}

#[test]
fn a_relay_in_a_dead_end_sends_the_message_back_and_another_takes_it() {
    // 0 links to the dead ends 1 to 4 and to 5, which alone leads to 6.
    for seed in 0..20 {
        let mut net = Net::new(7, &RouterOptions::default(), seed);
        (1..=5).for_each(|relay| net.link(0, relay));
        net.link(5, 6);
        net.route(0, 6, 7);
        net.settle();
        assert_eq!(net.payloads_at(6), [7], "seed {seed}");
    }
}

#[test]
fn where_nothing_leads_to_the_destination_the_message_comes_back_to_its_sender() {
    let mut net = Net::new(5, &RouterOptions::default(), 3);
    net.link(0, 1);
    net.link(1, 2);
    net.link(2, 0);
    net.route(0, 4, 7);
    net.settle();
    let reason = RouteFailure::Refused;
    assert_eq!(net.seen, [Seen::Failed { at: 0, to: 4, payload: 7, reason }]);
}

#[test]
fn a_message_that_is_handed_back_twice_is_given_up_once() {
    let mut net = Net::new(3, &RouterOptions::default(), 1);
    net.dials = false;
    net.link(0, 1);
    net.route(0, 2, 7);
    while net.wires.get(&(1, 0)).is_none_or(VecDeque::is_empty) {
        assert!(net.step(), "it comes back");
    }
    let back = net.wires.get_mut(&(1, 0)).expect("it is on its way");
    back.extend(back.clone());
    net.settle();
    let reason = RouteFailure::Refused;
    assert_eq!(net.seen, [Seen::Failed { at: 0, to: 2, payload: 7, reason }]);
    assert_eq!(net.routers[0].counters().late, 1);
}

#[test]
fn the_neighbour_that_news_came_from_is_the_first_choice() {
    for seed in 0..20 {
        let mut net = Net::new(7, &RouterOptions::default(), seed);
        (1..=5).for_each(|relay| net.link(0, relay));
        net.link(4, 6);
        net.give(0, RouterInput::Learnt { node: peer(6), neighbour: peer(4) });
        net.route(0, 6, 7);
        net.settle();
        let got = Seen::Got { at: 6, from: 0, payload: 7, hops: 2 };
        assert_eq!(net.seen, [got], "seed {seed}");
        assert_eq!(net.routers[0].counters().relayed, 1);
        assert_eq!(net.routers[4].counters().forwarded, 1);
    }
}

fn across_a_new_link(planted: Planted, seed: u64) -> Vec<u64> {
    let mut net = Net::with(planted, 4, &RouterOptions::default(), seed);
    for (a, b) in [(0, 1), (0, 2), (1, 3), (2, 3)] {
        net.link(a, b);
    }
    net.route(0, 3, 1);
    net.fail_dials();
    (2..=10).for_each(|payload| net.route(0, 3, payload));
    for _ in 0..net.rng.below(8) {
        net.step();
    }
    net.link(0, 3);
    (11..=20).for_each(|payload| net.route(0, 3, payload));
    net.settle();
    net.payloads_at(3)
}

#[test]
fn a_new_direct_link_overtakes_nothing_that_was_relayed() {
    for seed in 0..200 {
        let got = across_a_new_link(Planted::NONE, seed);
        assert_eq!(got, (1..=20).collect::<Vec<u64>>(), "seed {seed}");
    }
}

#[test]
fn a_message_that_is_lost_on_the_way_holds_the_later_ones_up_for_a_while_only() {
    let mut net = Net::new(3, &RouterOptions::default(), 1);
    net.link(0, 1);
    net.link(1, 2);
    net.route(0, 2, 1);
    net.fail_dials();
    net.route(0, 2, 2);
    net.wires.get_mut(&(0, 1)).map(VecDeque::pop_front);
    net.route(0, 2, 3);
    net.settle();
    assert_eq!(net.payloads_at(2), Vec::<u64>::new());
    assert_eq!(net.routers[2].held(), 2);
    net.pass(RouterOptions::default().gap_wait);
    assert_eq!(net.payloads_at(2), [2, 3]);
    assert_eq!(net.routers[2].held(), 0);
}

fn arrived_twice(planted: Planted) -> Net {
    let mut net = Net::with(planted, 2, &RouterOptions::default(), 1);
    net.link(0, 1);
    net.route(0, 1, 7);
    let copy = net.wires[&(0, 1)][0].clone();
    net.wires.entry((0, 1)).or_default().push_back(copy);
    net.settle();
    net
}

#[test]
fn a_message_that_arrives_twice_is_delivered_once() {
    let net = arrived_twice(Planted::NONE);
    assert_eq!(net.payloads_at(1), [7]);
    assert_eq!(net.routers[1].counters().late, 1);
}

/// A message along a row of nodes, to one so many links away.
fn along_a_row(planted: Planted, links: u32) -> Vec<Seen> {
    let mut net = Net::with(planted, links + 1, &RouterOptions::default(), 1);
    net.dials = false;
    (0..links).for_each(|node| net.link(node, node + 1));
    net.route(0, links, 7);
    net.settle();
    net.seen
}

#[test]
fn a_message_crosses_as_many_links_as_its_limit_and_no_more() {
    let got = Seen::Got { at: 8, from: 0, payload: 7, hops: 8 };
    assert_eq!(along_a_row(Planted::NONE, 8), [got]);
    let reason = RouteFailure::Refused;
    let failed = Seen::Failed { at: 0, to: 9, payload: 7, reason };
    assert_eq!(along_a_row(Planted::NONE, 9), [failed]);
}

#[cfg(feature = "planted")]
#[test]
fn each_planted_bug_shows() {
    let planted = |name| {
        let bug = super::BUGS.iter().find(|bug| bug.name == name);
        Planted::with(bug.unwrap_or_else(|| panic!("{name} is not in the list")))
    };
    assert_ne!(waited_for_a_dial(planted("router_flushes_twice")), [1, 2, 3, 4, 5]);
    assert!(failed_for_want_of_room(planted("router_queue_unbounded")).is_empty());
    let overtakes = planted("router_overtakes");
    assert!((0..200).any(|seed| across_a_new_link(overtakes, seed).len() < 20));
    assert_eq!(arrived_twice(planted("router_delivers_a_repeat")).payloads_at(1), [7, 7]);
    let far = along_a_row(planted("router_forgets_hops"), 9);
    assert_eq!(far, [Seen::Got { at: 9, from: 0, payload: 7, hops: 9 }]);
    assert_eq!(super::BUGS.len(), 5);
}

#[test]
fn messages_that_no_correct_node_sends_are_counted_and_go_nowhere() {
    let mut net = Net::new(3, &RouterOptions::default(), 1);
    net.link(0, 1);
    net.link(1, 2);
    net.route(1, 2, 7);
    let Some(OnWire::On(good)) = net.wires[&(1, 2)].front().cloned() else {
        panic!("a message to 2 is on the way");
    };
    net.wires.clear();
    let mut own = good.clone();
    own.origin = peer(0);
    let mut seen = good.clone();
    seen.path = vec![peer(0), peer(1)];
    let mut long = good.clone();
    long.path = (10..80).map(peer).chain([peer(1)]).collect();
    let mut far = good;
    far.hops_left = 200;
    for routed in [own, seen, long, far] {
        net.give(0, RouterInput::Received { from: peer(1), routed: routed.clone() });
        net.give(0, RouterInput::Returned { from: peer(1), routed });
    }
    assert_eq!(net.routers[0].counters().malformed, 8);
    assert!(net.seen.is_empty() && net.wires.is_empty());
}

#[test]
fn in_random_networks_every_message_arrives_once_or_comes_back_and_in_order() {
    let mut relayed = 0;
    for seed in 0..100 {
        let mut net = Net::new(12, &RouterOptions::default(), seed);
        net.dials = seed % 2 == 0;
        for _ in 0..24 {
            let (a, b) = (net.rng.below(12), net.rng.below(12));
            if a != b {
                net.link(a, b);
            }
        }
        let mut sent: BTreeMap<(u32, u32), Vec<u64>> = BTreeMap::new();
        for payload in 0..200 {
            let (from, to) = (net.rng.below(3), 9 + net.rng.below(3));
            net.route(from, to, payload);
            sent.entry((from, to)).or_default().push(payload);
            for _ in 0..net.rng.below(4) {
                net.step();
            }
            if net.rng.chance(0.2) {
                net.fail_dials();
            }
        }
        net.settle();
        net.pass(Micros::from_millis(2_000));
        net.pass(Micros::from_millis(2_000));
        net.settle();
        for ((from, to), sent) in sent {
            let got = net.seen.iter().filter_map(|seen| match seen {
                Seen::Got { at, from: origin, payload, .. } if (*origin, *at) == (from, to) => {
                    Some(*payload)
                }
                _ => None,
            });
            let got: Vec<u64> = got.collect();
            let back = net.seen.iter().filter(|seen| {
                matches!(seen, Seen::Failed { at, to: target, .. } if (*at, *target) == (from, to))
            });
            assert!(got.is_sorted(), "seed {seed}: {got:?}");
            assert_eq!(got.len() + back.count(), sent.len(), "seed {seed}: {from} to {to}");
        }
        relayed += net.routers.iter().map(|router| router.counters().relayed).sum::<u64>();
    }
    assert!(relayed > 1_000, "{relayed} messages were relayed");
}

#[test]
fn a_link_that_breaks_loses_what_was_on_it_and_the_next_message_is_relayed() {
    let mut net = Net::new(3, &RouterOptions::default(), 1);
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        net.link(a, b);
    }
    net.route(0, 2, 1);
    net.cut(0, 2);
    net.route(0, 2, 2);
    net.settle();
    net.pass(RouterOptions::default().gap_wait);
    assert_eq!(net.payloads_at(2), [2]);
}

#[test]
fn a_dial_of_somebody_else_that_failed_is_not_tried_again_for_a_message() {
    let mut net = Net::new(3, &RouterOptions::default(), 1);
    net.link(0, 1);
    net.link(1, 2);
    net.give(0, RouterInput::DialFailed(peer(2)));
    net.route(0, 2, 7);
    assert!(net.dialled.is_empty());
    net.settle();
    assert_eq!(net.payloads_at(2), [7]);
    net.pass(Micros::from_millis(10_000));
    net.route(0, 2, 8);
    assert_eq!(net.dialled, [(0, 2)]);
}

#[test]
fn a_destination_that_goes_down_gives_back_what_waited_for_it() {
    let mut net = Net::new(2, &RouterOptions::default(), 1);
    net.route(0, 1, 7);
    net.give(0, RouterInput::Down(peer(1)));
    let reason = RouteFailure::Down;
    assert_eq!(net.seen, [Seen::Failed { at: 0, to: 1, payload: 7, reason }]);
    assert_eq!(net.routers[0].due(), Micros::NEVER);
}

#[test]
fn a_datagram_dials_nobody_waits_for_nothing_and_is_dropped_where_no_way_leads_on() {
    let datagram = |payload| RouterInput::Datagram { to: peer(3), overlay: DATA, payload };
    let mut net = Net::new(4, &RouterOptions::default(), 1);
    net.give(0, datagram(1));
    net.link(0, 1);
    net.give(0, datagram(2));
    net.settle();
    assert!(net.dialled.is_empty() && net.seen.is_empty());
    net.link(1, 3);
    net.give(0, datagram(3));
    net.give(0, datagram(4));
    net.wires.get_mut(&(0, 1)).map(VecDeque::pop_front);
    net.settle();
    assert_eq!(net.payloads_at(3), [4]);
    assert!(net.dialled.is_empty());
}
