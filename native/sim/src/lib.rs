//! The proving ground: many nodes in one thread, under virtual time, over a network that a seed
//! makes lose, delay, double, reorder and cut. It holds no protocol logic.

#![forbid(unsafe_code)]

mod bars;
mod census;
mod checks;
mod clock;
mod graph;
#[cfg(feature = "planted")]
mod hunt;
mod ledger;
mod network;
mod node;
mod picture;
mod queue;
mod report;
mod run;
mod scenarios;
mod simulate;
mod subject;
mod trace;
mod watch;
mod world;

pub use bars::{Across, ROWS, Row, line};
pub use census::{Census, Mark};
pub use checks::{Checks, ChecksOptions};
pub use foundation_cluster::bugs;
pub use graph::{Graph, Paths};
#[cfg(feature = "planted")]
pub use hunt::{Catch, GROUNDS, Ground, Hunt, ground, how};
pub use ledger::{BroadcastRecord, Ledger, Outcome, RouteRecord};
pub use network::{Latency, Network, NetworkOptions};
pub use node::{Machine, NodePlan};
pub use picture::View;
pub use report::{Bar, Count, Figure, Finding, Report};
pub use run::{Control, End, Fleet, Plan, Progress, Run};
pub use scenarios::{SCENARIOS, Scenario, scenario};
pub use simulate::{NODES_MAX, OptionError, SimulateOptions, TURNS_MAX, run_plan, simulate};
pub use subject::{Ask, Gauge, Given, News, Payload, Subject, Wanted};
pub use trace::{Trace, TraceDepth, TraceHash};
pub use world::{Make, Observer, Standing, Step, Violation, World, WorldOptions};
