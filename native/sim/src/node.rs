//! The production machines as the engine's subject: translation only.

use std::fmt;

use foundation_cluster::{
    Cluster, ClusterEvent, ClusterMessage, ClusterOptions, DownReason, Input, NamedOverlay, Output,
    OverlayNo, PlumtreeMessage, Role, RosterMessage, Strategy,
};
use foundation_machine::{Micros, PeerId, Planted, Rng};

use crate::subject::{Ask, Gauge, Given, News, Payload, Subject, Wanted};
use crate::watch::{Cause, Watch};

/// How nodes are set up.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Every node knows all members. Without, it knows its neighbours only, as in the papers.
    pub has_roster: bool,
    /// Nodes compare with discovery seeds and so find separated parts.
    pub has_seed_rule: bool,
    /// X-BOT trades links for cheaper ones.
    pub is_optimised: bool,
    /// Failures are asked after by probes and confirmed by others.
    pub has_detector: bool,
    /// A node that is slow itself gives others more time.
    pub has_local_health: bool,
    /// What the first overlay begins with.
    pub strategy: Strategy,
    /// Servers come first, the rest are clients: so many. For [`Strategy::ClientServer`].
    pub servers: u32,
    /// What a second overlay begins with, if there is one.
    pub second: Option<Strategy>,
    /// Queues and views are small, so that limits are met among few nodes.
    pub is_small: bool,
    /// Caches of broadcasts are small.
    pub has_small_caches: bool,
    /// Each node is watched closely after each step, which costs as much as the steps.
    pub is_watched: bool,
    /// A bug to have.
    pub planted: Planted,
}

impl Default for NodePlan {
    fn default() -> Self {
        NodePlan {
            has_roster: false,
            has_seed_rule: true,
            is_optimised: false,
            has_detector: true,
            has_local_health: true,
            strategy: Strategy::HyParView,
            servers: 3,
            second: None,
            is_small: false,
            has_small_caches: false,
            is_watched: false,
            planted: Planted::NONE,
        }
    }
}

/// The payload of a run's messages: a number, said to be of a size.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cargo(Payload);

impl fmt::Debug for Cargo {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(into, "#{}", self.0)
    }
}

impl foundation_cluster::Payload for Cargo {
    fn bytes(&self) -> usize {
        CARGO_BYTES
    }
}

const CARGO_BYTES: usize = 256;
// Messages that wait for news of their origin.
const UNANNOUNCED_MAX: usize = 4_096;

/// One node's production machines.
#[derive(Debug)]
pub struct Machine {
    cluster: Cluster<Cargo>,
    watch: Option<Box<Watch>>,
}

/// Makes the machines of one life of a node.
pub(crate) fn machine(plan: &NodePlan, own: PeerId, rng: Rng, now: Micros) -> Machine {
    let watch = plan.is_watched.then(Box::default);
    Machine { cluster: Cluster::new(options(plan, own), own, rng, now), watch }
}

fn overlay(plan: &NodePlan, own: PeerId, name: &str, strategy: Strategy) -> NamedOverlay {
    let mut overlay = NamedOverlay::new(name, strategy);
    if !plan.has_seed_rule {
        overlay.strategies.hyparview.merge_period = Micros::NEVER;
    }
    if plan.is_optimised {
        overlay.strategies.hyparview.xbot = Some(Default::default());
    }
    if own.node.0 >= plan.servers {
        overlay.strategies.client_server.role = Role::Client;
    }
    if plan.is_small {
        overlay.strategies.hyparview.active_size = 3;
        overlay.strategies.hyparview.passive_size = 8;
    }
    if plan.has_small_caches {
        overlay.plumtree.cache_bytes_max = 24 * CARGO_BYTES;
    }
    overlay
}

fn options(plan: &NodePlan, own: PeerId) -> ClusterOptions {
    let mut overlays = vec![overlay(plan, own, "data", plan.strategy)];
    overlays.extend(plan.second.map(|strategy| overlay(plan, own, "second", strategy)));
    let mut options =
        ClusterOptions { overlays, planted: plan.planted, ..ClusterOptions::default() };
    if plan.is_small {
        options.router.queue_messages_max = 16;
    }
    if !plan.has_roster {
        options.roster = None;
    }
    options.detector = options.detector.filter(|_| plan.has_detector).map(|detector| {
        if plan.has_local_health { detector } else { detector.without_lifeguard() }
    });
    options
}

/// The strategies by the numbers that [`Ask::Switch`] has for them.
const STRATEGIES: [Strategy; 4] =
    [Strategy::FullMesh, Strategy::HyParView, Strategy::ClientServer, Strategy::Static];

impl Machine {
    /// The machines themselves, for who looks closer.
    #[must_use]
    pub fn cluster(&self) -> &Cluster<Cargo> {
        &self.cluster
    }

    fn input(&self, ask: Ask) -> Option<Input<Cargo>> {
        Some(match ask {
            Ask::Broadcast { overlay, payload } => {
                Input::Broadcast { overlay: OverlayNo(overlay), payload: Cargo(payload) }
            }
            Ask::Route { to, overlay, payload } => {
                Input::Route { to, overlay: OverlayNo(overlay), payload: Cargo(payload) }
            }
            Ask::Switch { overlay, strategy } => {
                let overlay = OverlayNo(overlay);
                let view = self.cluster.overlay(overlay)?;
                let to = STRATEGIES[usize::from(strategy) % STRATEGIES.len()];
                Input::Switch { overlay, epoch: view.epoch(), from: view.strategy(), to }
            }
            Ask::Busy(isolates) => Input::Busy(isolates),
            Ask::Leave => Input::Leave,
        })
    }
}

impl Subject for Machine {
    type Message = ClusterMessage<Cargo>;
    type Event = ClusterEvent<Cargo>;
    const KINDS: &'static [&'static str] = &[
        "roster", "overlay", "gossip", "tree", "routed", "returned", "link-use", "detector",
        "switch",
    ];

    fn handle(
        &mut self,
        given: Given<Self::Message>,
        now: Micros,
        out: &mut Vec<Wanted<Self::Message, Self::Event>>,
    ) {
        let cause = Cause::of(&given);
        let input = match given {
            Given::Seeds(count) => Input::Seeds(count),
            Given::LinkUp { peer, is_seed } => Input::LinkUp { peer, is_seed },
            Given::LinkDown { peer, end } => Input::LinkDown { peer, end },
            Given::DialFailed(peer) => Input::DialFailed(peer),
            Given::SeedFailed => Input::SeedFailed,
            Given::Received { from, message } => Input::Received { from, message },
            Given::RoundTrip { peer, rtt } => Input::RoundTrip { peer, rtt },
            Given::Due => Input::Due,
            Given::Asked(ask) => match self.input(ask) {
                Some(input) => input,
                None => return,
            },
        };
        if let Some(watch) = &mut self.watch {
            watch.begin(&self.cluster, now);
        }
        let mut wanted = Vec::new();
        self.cluster.handle(input, now, &mut wanted);
        if let Some(watch) = &mut self.watch {
            watch.step(&self.cluster, now, cause, &wanted);
        }
        out.extend(wanted.into_iter().map(|it| match it {
            Output::Send { to, message } => Wanted::Send { to, message },
            Output::Dial(peer) => Wanted::Dial(peer),
            Output::DialSeed { pick } => Wanted::DialSeed { pick },
            Output::HangUp(peer) => Wanted::HangUp(peer),
            Output::Event(event) => Wanted::Event(event),
        }));
    }

    fn due(&self) -> Micros {
        self.cluster.due()
    }

    fn kind(message: &Self::Message) -> usize {
        match message {
            ClusterMessage::Roster(_) => 0,
            ClusterMessage::Overlay { .. } => 1,
            ClusterMessage::Broadcast { message: PlumtreeMessage::Gossip { .. }, .. } => 2,
            ClusterMessage::Broadcast { .. } => 3,
            ClusterMessage::Routed(_) => 4,
            ClusterMessage::RouteReturned(_) => 5,
            ClusterMessage::LinkUse(_) => 6,
            ClusterMessage::Detector(_) => 7,
            ClusterMessage::Switch { .. } => 8,
        }
    }

    fn records(message: &Self::Message) -> usize {
        match message {
            ClusterMessage::Roster(
                RosterMessage::News { records }
                | RosterMessage::Missing { records, .. }
                | RosterMessage::Found { records },
            ) => records.len(),
            _ => 0,
        }
    }

    fn news(event: &Self::Event) -> Option<News> {
        Some(match *event {
            ClusterEvent::NodeUp(peer) => News::Up(peer),
            // A member found failed may prove that wrong; every other end is one.
            ClusterEvent::NodeDown { peer, reason } => {
                News::Down { peer, is_final: reason != DownReason::Failed }
            }
            ClusterEvent::Suspect(peer) => News::Suspect(peer),
            ClusterEvent::Removed(_) => News::Removed,
            ClusterEvent::Busy { peer, .. } => News::Busy(peer, true),
            ClusterEvent::Idle(peer) => News::Busy(peer, false),
            ClusterEvent::Broadcast { origin, payload, hops, .. } => {
                News::Broadcast { origin, payload: payload.0, hops: hops.into() }
            }
            ClusterEvent::Routed { origin, payload, hops, .. } => {
                News::Routed { origin, payload: payload.0, hops: hops.into() }
            }
            ClusterEvent::RouteFailed { payload: Some(payload), .. } => {
                News::Unroutable { payload: payload.0 }
            }
            ClusterEvent::Switched { overlay, epoch, .. } => {
                News::Switched { overlay: overlay.0, epoch: epoch.into() }
            }
            ClusterEvent::SwitchFailed { overlay, epoch, .. } => {
                News::RolledBack { overlay: overlay.0, epoch: epoch.into() }
            }
            _ => return None,
        })
    }

    fn overlays(&self) -> usize {
        self.cluster.overlays()
    }

    fn active(&self, overlay: usize, into: &mut Vec<PeerId>) {
        if let Some(view) = self.view(overlay) {
            into.extend(view.machine().neighbours());
        }
    }

    fn passive(&self, overlay: usize, into: &mut Vec<PeerId>) {
        if let Some(view) = self.view(overlay) {
            into.extend_from_slice(view.machine().passive());
        }
    }

    fn views_version(&self, overlay: usize) -> Option<(u64, u64)> {
        self.view(overlay)?.version()
    }

    fn members(&self, into: &mut Vec<PeerId>) {
        if let Some(roster) = self.cluster.roster() {
            into.push(self.cluster.own());
            into.extend(roster.members_up());
        }
    }

    fn epoch(&self, overlay: usize) -> Option<u64> {
        self.view(overlay).map(|view| view.epoch().into())
    }

    fn gauges(&self, into: &mut Vec<Gauge>) {
        let mut gauge = |name, size, limit| into.push(Gauge { name, size, limit });
        for overlay in 0..self.cluster.overlays() {
            let Some(view) = self.view(overlay) else { continue };
            let options = &self.cluster.options().overlays[overlay];
            let sizes = &options.strategies.hyparview;
            if view.strategy() == Strategy::HyParView {
                gauge("active view", view.machine().degree(), sizes.active_size.into());
            }
            gauge("passive view", view.machine().passive().len(), sizes.passive_size.into());
            let (tree, limits) = (view.tree(), &options.plumtree);
            gauge("payloads cached", tree.cached().0, limits.cache_payloads_max);
            gauge("bytes cached", tree.cached().1, limits.cache_bytes_max);
            gauge("broadcasts missing", tree.missing(), limits.missing_max);
            gauge("origins", tree.origins(), limits.origins_max);
        }
        let (queues, router) = (self.cluster.queues(), &self.cluster.options().router);
        gauge("routes to one destination", queues.routes_longest, router.queue_messages_max);
        gauge("bytes of routes", queues.route_bytes, router.queue_bytes_max * 64);
        gauge("messages unannounced", queues.unannounced, UNANNOUNCED_MAX);
        gauge("dials", queues.dials, self.cluster.link_count() + 4_096);
        if let Some(watch) = &self.watch {
            watch.gauges(into);
        }
    }
}

impl Machine {
    fn view(&self, overlay: usize) -> Option<foundation_cluster::OverlayView<'_, Cargo>> {
        self.cluster.overlay(OverlayNo(u8::try_from(overlay).ok()?))
    }
}
