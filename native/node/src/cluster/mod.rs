//! A node with overlays: what drives its cluster machine. The machine decides; here its wishes
//! become dials, frames, and news for isolates, and what happens becomes its inputs.

#[cfg(any(test, fuzzing))]
pub mod besieged;
mod broadcast;
mod codec;
mod dials;
pub(crate) mod directory;
mod drive;
mod links;
mod members;
mod messages;
mod options;
mod parcel;
mod pending;
mod relayed;
mod routes;
mod snapshot;
mod traffic;
mod ups;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_cluster::{Cluster, Input, Output, OverlayNo};
use foundation_link::{Member, Micros};
use foundation_machine::{NodeLife, NodeNo, PeerId, Rng};

use self::directory::{Directory, OWN};
pub(crate) use self::drive::Arrival;
pub use self::options::ClusterSettings;
use self::parcel::Parcel;
pub(crate) use self::pending::Pending;
pub(crate) use self::relayed::RelayedRequest;
pub(crate) use self::routes::Outgoing;
use self::traffic::Traffic;
use self::ups::Ups;
pub(crate) use self::usage::Usage;
use crate::dial::random_bytes;
use crate::pace::Pace;

/// Input of the cluster machine.
pub(crate) type MachineInput = Input<Parcel>;

/// A member as isolates were told of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) life: NodeLife,
    pub(crate) busy_isolates: u16,
    pub(crate) is_leaving: bool,
    pub(crate) is_suspect: bool,
}

/// Counts of what the host does for the machine.
#[derive(Debug, Default)]
pub(crate) struct ClusterMeters {
    /// What machines have sent.
    traffic: Traffic,
    /// Messages of machines that were not sent: no link, no room, or too long.
    pub(crate) unsent: u64,
    /// Those of peers that could not be read.
    pub(crate) unreadable: u64,
    /// Broadcasts that an isolate did not get, for it does not read.
    pub(crate) undelivered: u64,
    /// Links that were closed because nobody had use for them.
    pub(crate) released: u64,
    /// Links that were dialled for a message.
    pub(crate) dialled: u64,
    /// Messages that were given to the router, for their node could not be dialled.
    pub(crate) relayed: u64,
    /// Messages that waited for a link in vain.
    pub(crate) failed: u64,
}

/// The machine of a node and what belongs to it.
#[derive(Debug)]
pub(crate) struct ClusterHost {
    pub(crate) machine: Cluster<Parcel>,
    pub(crate) directory: Directory,
    pub(crate) settings: ClusterSettings,
    /// Members that isolates were told of.
    pub(crate) members: BTreeMap<NodeNo, Told>,
    /// Members that they are told of next.
    ups: Ups,
    out: Vec<Output<Parcel>>,
    /// Links that the last broadcast of others crossed, by overlay.
    last_hops: BTreeMap<OverlayNo, u16>,
    /// When the kernel thread comes back for the machine's timers, in the machine's time.
    planned: Micros,
    /// When links are looked at next that nobody may have use for.
    look_at: Micros,
    /// The machine's time.
    pace: Arc<Pace>,
}

impl ClusterHost {
    pub(crate) fn new(settings: ClusterSettings, own: &Member, pace: &Arc<Pace>) -> ClusterHost {
        let directory = Directory::new(own);
        let peer = PeerId { node: OWN, life: own.life };
        let rng = Rng::new(u64::from_le_bytes(random_bytes()));
        let now = pace.time(crate::clock::now());
        let machine = Cluster::new(settings.machine(), peer, rng, now);
        ClusterHost {
            machine,
            directory,
            settings,
            members: BTreeMap::new(),
            ups: Ups::default(),
            out: Vec::new(),
            last_hops: BTreeMap::new(),
            planned: Micros::NEVER,
            look_at: Micros(0),
            pace: Arc::clone(pace),
        }
    }
}
