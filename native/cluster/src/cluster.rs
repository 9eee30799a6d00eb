//! The cluster machine: takes an input, gives it to the machines that it concerns.

use std::collections::BTreeSet;

use foundation_machine::{Micros, PeerId, Rng};

use crate::counters::ClusterCounters;
use crate::io::{Input, Output};
use crate::options::ClusterOptions;

/// One node's machines put together.
///
/// ```
/// use foundation_cluster::{Cluster, ClusterOptions, Input};
/// use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Rng};
///
/// let peer = |node| PeerId { node: NodeNo(node), life: NodeLife { start: 1, random: 0 } };
/// let mut cluster: Cluster<&str> =
///     Cluster::new(ClusterOptions::default(), peer(0), Rng::new(7), Micros(0));
/// let mut out = Vec::new();
/// cluster.handle(Input::LinkUp { peer: peer(1), is_seed: false }, Micros(5), &mut out);
/// // The host now does what `out` says, in order, and comes back at `cluster.due()`.
/// assert!(cluster.links().eq([peer(1)]));
/// ```
#[derive(Debug)]
pub struct Cluster<B> {
    options: ClusterOptions,
    own: PeerId,
    #[expect(dead_code, reason = "given to the machines as they arrive")]
    rng: Rng,
    links: BTreeSet<PeerId>,
    counters: ClusterCounters,
    payload: std::marker::PhantomData<B>,
}

impl<B: Clone> Cluster<B> {
    /// The machine of the node `own`, which begins now. It speaks to nobody before it is told of
    /// seeds or links.
    #[must_use]
    pub fn new(options: ClusterOptions, own: PeerId, rng: Rng, _now: Micros) -> Self {
        Cluster {
            options,
            own,
            rng,
            links: BTreeSet::new(),
            counters: ClusterCounters::default(),
            payload: std::marker::PhantomData,
        }
    }

    /// Takes one input and adds what has to be done to `out`, in order.
    pub fn handle(&mut self, input: Input<B>, _now: Micros, _out: &mut Vec<Output<B>>) {
        match input {
            Input::LinkUp { peer, .. } => {
                self.links.insert(peer);
            }
            Input::LinkDown { peer, .. } => {
                self.links.remove(&peer);
            }
            Input::Received { from, .. } if !self.links.contains(&from) => {
                self.counters.stale += 1;
            }
            _ => {}
        }
    }

    /// When it next wants [`Input::Due`]; [`Micros::NEVER`] for not at all.
    #[must_use]
    pub fn due(&self) -> Micros {
        Micros::NEVER
    }

    /// Who this node is.
    #[must_use]
    pub fn own(&self) -> PeerId {
        self.own
    }

    /// The peers to which a link is up, in order.
    pub fn links(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.links.iter().copied()
    }

    /// What was refused and dropped so far.
    #[must_use]
    pub fn counters(&self) -> ClusterCounters {
        self.counters
    }

    /// How it was set up.
    #[must_use]
    pub fn options(&self) -> &ClusterOptions {
        &self.options
    }
}
