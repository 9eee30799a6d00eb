//! The host of nodes. A *kernel thread* drives one or many nodes: it drains the rings that isolates
//! write, feeds link machines, moves bytes through sockets, keeps members alive and fills the rings
//! that isolates read. Nothing here knows Node-API; isolates appear as rings, a [`Doorbell`] and a
//! [`LoopMark`].

mod affinity;
mod agenda;
mod backlog;
mod busy_word;
mod clock;
mod cluster;
mod command;
mod connection;
mod cuts;
mod descriptors;
mod dial;
mod dues;
mod events;
mod failed;
mod fault;
mod flush;
mod forked;
mod isolate;
mod isolate_io;
mod isolates;
mod kernel;
mod keys;
mod lane_poll;
mod lost_time;
mod membership;
mod metrics;
mod names;
mod node;
mod options;
mod pace;
mod pairs;
mod peer;
mod places;
pub mod record;
mod state;
mod strangers;
mod tick;
mod watch;
mod watchdog;
mod writability;

pub use affinity::{cores_of_this_thread, pin_this_thread};
pub use clock::now;
pub use cluster::ClusterSettings;
#[cfg(any(test, fuzzing))]
pub use cluster::besieged;
pub use command::{Attached, NodeError, PanicPlace, Started, SwitchWish};
pub use cuts::{Cut, CutChange};
pub use fault::{panics, watch_for_panics};
pub use forked::{is_forked, refuse_fork};
pub use isolate::{Doorbell, IdleClock, LoopMark};
pub use kernel::Kernel;
pub use keys::KeyChange;
pub use lane_poll::LanePoll;
pub use names::{NameTable, Owner};
pub use options::{IoMode, NodeOptions, PollMode, Secret};
pub use pairs::InTransit;
pub use record::TABLE as RECORD_TABLE;
pub use watchdog::{Isolates, Limits, Listed, StallReport, Verdict, Watchdog, Watched};
