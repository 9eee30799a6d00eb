//! An overlay changes its strategy while messages flow.

use std::collections::BTreeMap;

use foundation_cluster::{
    ClusterEvent, ClusterOptions, Input, NamedOverlay, Strategy, SwitchFailure,
};
use foundation_machine::{Micros, Rng};

use super::net::{FIRST, Net, peer};

const NODES: u32 = 8;

fn seconds(count: u64) -> Micros {
    Micros::from_millis(count * 1_000)
}

fn options(strategy: Strategy) -> ClusterOptions {
    let overlays = vec![NamedOverlay::new("data", strategy)];
    ClusterOptions { overlays, ..ClusterOptions::default() }
}

/// Broadcasts and routes all the time, and what came of them.
struct Load {
    rng: Rng,
    payload: u64,
    broadcasts: Vec<(u32, u64)>,
    routes: BTreeMap<(u32, u32), Vec<u64>>,
}

impl Load {
    fn new(seed: u64) -> Load {
        let (broadcasts, routes) = (Vec::new(), BTreeMap::new());
        Load { rng: Rng::new(seed), payload: 0, broadcasts, routes }
    }

    fn run(&mut self, net: &mut Net, time: Micros) {
        let end = net.now + time;
        while net.now < end {
            self.payload += 1;
            let (from, to) = (self.rng.below(NODES), self.rng.below(NODES));
            if self.rng.chance(0.5) {
                net.broadcast(from, self.payload);
                self.broadcasts.push((from, self.payload));
            } else if from != to {
                net.route(from, to, self.payload);
                self.routes.entry((from, to)).or_default().push(self.payload);
            }
            net.run(Micros::from_millis(20));
        }
    }

    /// Every message once, and routes in order.
    fn check(&self, net: &Net, seed: u64) {
        for node in 0..NODES {
            let sent = self.broadcasts.iter().filter(|(from, _)| *from != node);
            let sent: Vec<u64> = sent.map(|(_, payload)| *payload).collect();
            let mut got = net.broadcasts(peer(node));
            got.sort_unstable();
            assert_eq!(got, sent, "seed {seed}: broadcasts at {node}");
        }
        for ((from, to), sent) in &self.routes {
            let got = net.events(peer(*to)).into_iter().filter_map(|event| match event {
                ClusterEvent::Routed { origin, payload, .. } if *origin == peer(*from) => {
                    Some(*payload)
                }
                _ => None,
            });
            assert_eq!(got.collect::<Vec<u64>>(), *sent, "seed {seed}: routes {from} to {to}");
        }
    }
}

fn switch(net: &mut Net, by: u32, epoch: u32, from: Strategy, to: Strategy) {
    net.give(peer(by), Input::Switch { overlay: FIRST, epoch, from, to });
}

#[test]
fn no_message_is_lost_or_doubled_while_an_overlay_is_switched_back_and_forth() {
    for seed in 0..4 {
        let mut net = Net::of(NODES, &options(Strategy::FullMesh), seed);
        net.run(seconds(10));
        let mut load = Load::new(seed);
        load.run(&mut net, seconds(2));
        let strategies = [Strategy::FullMesh, Strategy::HyParView];
        for epoch in 0..6 {
            let (from, to) = (strategies[epoch as usize % 2], strategies[(epoch as usize + 1) % 2]);
            switch(&mut net, epoch % NODES, epoch, from, to);
            load.run(&mut net, seconds(25));
            for node in 0..NODES {
                let overlay = net.nodes[&peer(node)].overlay(FIRST);
                let now = overlay.map(|one| (one.epoch(), one.strategy(), one.generations()));
                assert_eq!(now, Some((epoch + 1, to, 1)), "seed {seed} {node}");
            }
        }
        net.run(seconds(20));
        load.check(&net, seed);
        net.assert_order();
    }
}

#[test]
fn a_switch_that_is_not_verified_is_rolled_back_and_nothing_is_lost() {
    let mut net = Net::of(NODES, &options(Strategy::HyParView), 3);
    net.run(seconds(10));
    for node in 0..NODES {
        // Static links without anything configured: nobody ever gets a neighbour.
        net.give(peer(node), Input::Seeds(0));
    }
    let mut load = Load::new(3);
    switch(&mut net, 2, 0, Strategy::HyParView, Strategy::Static);
    load.run(&mut net, seconds(80));
    net.run(seconds(20));
    load.check(&net, 3);
    for node in 0..NODES {
        let overlay = net.nodes[&peer(node)].overlay(FIRST);
        let now = overlay.map(|one| (one.epoch(), one.strategy(), one.generations()));
        assert_eq!(now, Some((0, Strategy::HyParView, 1)), "{node}");
        let failed = ClusterEvent::SwitchFailed {
            overlay: FIRST,
            epoch: 1,
            reason: SwitchFailure::TimedOut,
            is_own: node == 2,
        };
        assert!(net.events(peer(node)).contains(&&failed), "{node}");
    }
}

#[test]
fn a_switch_from_another_strategy_or_epoch_than_there_is_is_refused() {
    let mut net = Net::of(3, &options(Strategy::HyParView), 3);
    net.run(seconds(5));
    for (epoch, from) in [(1, Strategy::HyParView), (0, Strategy::FullMesh)] {
        switch(&mut net, 1, epoch, from, Strategy::Static);
    }
    let refused = net.events(peer(1)).into_iter().filter(|event| {
        matches!(event, ClusterEvent::SwitchFailed { reason: SwitchFailure::Changed, .. })
    });
    assert_eq!(refused.count(), 2);
}

#[test]
fn a_node_that_joins_after_a_switch_takes_part_in_what_there_is() {
    let mut net = Net::of(NODES, &options(Strategy::FullMesh), 5);
    net.run(seconds(10));
    switch(&mut net, 1, 0, Strategy::FullMesh, Strategy::HyParView);
    net.run(seconds(30));
    net.start(peer(NODES), &options(Strategy::FullMesh));
    net.run(seconds(30));
    net.broadcast(NODES, 7);
    net.run(seconds(5));
    for node in 0..=NODES {
        let overlay = net.nodes[&peer(node)].overlay(FIRST);
        let now = overlay.map(|one| (one.epoch(), one.strategy(), one.generations()));
        assert_eq!(now, Some((1, Strategy::HyParView, 1)), "{node}");
        let got = if node == NODES { vec![] } else { vec![7] };
        assert_eq!(net.broadcasts(peer(node)), got, "{node}");
    }
}
