//! Named scenarios: what is done, what is measured, and the bars.

mod broadcast;
mod calm;
mod chaos;
mod cost;
mod members;
mod overlay;
mod paths;
mod rest;
mod stage;
mod switches;

use foundation_cluster::Strategy;
use foundation_machine::Micros;

use crate::census::Mark;
use crate::network::Latency;
use crate::run::{End, Plan, Run};

/// Something that is done with many nodes, and what must come of it.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// By what it is called.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// The size at which its bars hold.
    pub nodes: u32,
    /// The fewest with which it can be done.
    pub nodes_min: u32,
    /// The part of the nodes that fails, where it asks.
    pub fail: f64,
    /// How often it does what it does again and again.
    pub turns: u32,
    /// What has to have happened by its end.
    pub wanted: &'static [Mark],
    /// Sets nodes and network up for it.
    pub prepare: fn(&mut Plan),
    /// Does it.
    pub run: fn(&mut Run<'_>) -> Result<(), End>,
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "crash",
        about: "nodes join one by one, a part of them crashes at once, the rest finds together",
        nodes: 1_000,
        nodes_min: 2,
        fail: 0.5,
        turns: 50,
        wanted: &[Mark::Start, Mark::Crash, Mark::Broadcast],
        // Nearly even, as in the rounds of the model that the bars on hops come from.
        prepare: |plan| {
            plan.network.latency = Latency::Even { least: Micros(450), most: Micros(550) };
        },
        run: overlay::crash,
    },
    Scenario {
        name: "at-once",
        about: "all nodes join at once through one contact and are one component",
        nodes: 100,
        nodes_min: 2,
        fail: 0.0,
        turns: 0,
        wanted: &[Mark::Start, Mark::SeedAnswered],
        prepare: |_| {},
        run: overlay::at_once,
    },
    Scenario {
        name: "optimise",
        about: "X-BOT trades links for cheaper ones among five regions",
        nodes: 1_000,
        nodes_min: 2,
        fail: 0.0,
        turns: 0,
        wanted: &[Mark::Start, Mark::Broadcast],
        prepare: |plan| {
            plan.node.is_optimised = true;
            plan.network.latency = Latency::Regions {
                count: 5,
                inside: Micros(500),
                across_least: Micros::from_millis(15),
                across_most: Micros::from_millis(45),
            };
        },
        run: cost::optimise,
    },
    Scenario {
        name: "tree",
        about: "broadcasts of one and of many senders, and right after a part was killed",
        nodes: 1_000,
        nodes_min: 2,
        fail: 0.1,
        turns: 0,
        wanted: &[Mark::Broadcast, Mark::Crash],
        prepare: |plan| {
            plan.network.latency =
                Latency::Even { least: Micros::from_millis(10), most: Micros::from_millis(50) };
        },
        run: broadcast::tree,
    },
    Scenario {
        name: "churn",
        about: "one in a hundred nodes goes and comes each second while one broadcasts",
        nodes: 1_000,
        nodes_min: 2,
        fail: 0.0,
        turns: 0,
        wanted: &[Mark::Broadcast, Mark::Crash, Mark::Leave, Mark::Restart],
        prepare: |_| {},
        run: broadcast::churn,
    },
    Scenario {
        name: "members",
        about: "rosters stay alike while nodes join, leave, are parted and return",
        nodes: 200,
        nodes_min: 20,
        fail: 0.0,
        turns: 0,
        wanted: &[Mark::Leave, Mark::Partition, Mark::Heal, Mark::Restart],
        prepare: |plan| plan.node.has_roster = true,
        run: members::members,
    },
    Scenario {
        name: "detection",
        about: "when all know that nodes crashed or lost their power, and who is told of in error",
        nodes: 100,
        nodes_min: 2,
        fail: 0.05,
        turns: 0,
        wanted: &[Mark::Crash, Mark::PowerLoss],
        prepare: |plan| plan.node.has_roster = true,
        run: members::detection,
    },
    Scenario {
        name: "slow",
        about: "nodes that stand still again and again for short are not believed down",
        nodes: 64,
        nodes_min: 2,
        fail: 0.0,
        turns: 0,
        wanted: &[Mark::Pause, Mark::Resume, Mark::Busy],
        prepare: |plan| plan.node.has_roster = true,
        run: members::slow,
    },
    Scenario {
        name: "hours",
        about: "so many hours in which nothing fails, and nobody is suspected or told down",
        nodes: 32,
        nodes_min: 2,
        fail: 0.0,
        turns: 1,
        wanted: &[Mark::Start, Mark::Broadcast],
        prepare: |plan| plan.node.has_roster = true,
        run: members::hours,
    },
    Scenario {
        name: "homes",
        about: "servers end one after the other and their clients find another",
        nodes: 60,
        nodes_min: 4,
        fail: 0.0,
        turns: 0,
        wanted: &[Mark::Crash, Mark::PowerLoss, Mark::Restart, Mark::Route],
        prepare: |plan| {
            plan.node.has_roster = true;
            plan.node.strategy = Strategy::ClientServer;
            plan.node.servers = 4;
        },
        run: paths::homes,
    },
    Scenario {
        name: "routes",
        about: "messages between any two, though pairs cannot dial each other and links break",
        nodes: 40,
        nodes_min: 2,
        fail: 0.0,
        turns: 0,
        wanted: &[Mark::Route, Mark::OneWay, Mark::Reset, Mark::Heal],
        prepare: |plan| plan.node.has_roster = true,
        run: paths::routes,
    },
    Scenario {
        name: "switch",
        about: "an overlay is switched again and again under load, with losses and crashes in half",
        nodes: 20,
        nodes_min: 2,
        fail: 0.0,
        turns: 10,
        wanted: &[Mark::Switch, Mark::Broadcast, Mark::Route],
        prepare: switches::prepare,
        run: switches::switch,
    },
    Scenario {
        name: "chaos",
        about: "size, faults and work by the seed; then everything heals, is whole and serves",
        nodes: 16,
        nodes_min: 2,
        fail: 0.0,
        turns: 25,
        wanted: &[Mark::Heal],
        prepare: chaos::prepare,
        run: chaos::chaos,
    },
];

/// The scenario of that name.
#[must_use]
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|it| it.name == name)
}
