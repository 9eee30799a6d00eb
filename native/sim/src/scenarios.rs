//! Named scenarios: what is done, what is measured, and the bars.

mod broadcast;
mod overlay;
mod stage;

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
    /// The part of the nodes that fails, where it asks.
    pub fail: f64,
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
        fail: 0.5,
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
        fail: 0.0,
        wanted: &[Mark::Start, Mark::SeedAnswered],
        prepare: |_| {},
        run: overlay::at_once,
    },
    Scenario {
        name: "tree",
        about: "broadcasts of one and of many senders, and right after a part was killed",
        nodes: 1_000,
        fail: 0.1,
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
        fail: 0.0,
        wanted: &[Mark::Broadcast, Mark::Crash, Mark::Leave, Mark::Restart],
        prepare: |_| {},
        run: broadcast::churn,
    },
];

/// The scenario of that name.
#[must_use]
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|it| it.name == name)
}
