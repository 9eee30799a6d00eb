//! The cluster machine: takes an input, gives it to the machines that it concerns.

use std::collections::VecDeque;

use foundation_broadcast::{BroadcastInput, Payload};
use foundation_detector::{DetectorInput, Probing};
use foundation_machine::{Micros, PeerId, Rng, Timers};
use foundation_membership::{
    OverlayInput, OverlayMessage, Roster, RosterInput, Strategy, SwitchInput,
};

use crate::counters::ClusterCounters;
use crate::event::{ClusterEvent, RouteFailure, SwitchFailure};
use crate::gate::Gate;
use crate::io::{Input, Output, OverlayNo};
use crate::links::Links;
use crate::message::{Carried, ClusterMessage};
use crate::named::Named;
use crate::options::ClusterOptions;
use crate::reach::Reach;
use crate::router::{Router, RouterInput};
use crate::seeds::{Asker, SeedAsks};
use crate::work::Task;

/// Room for steps that is kept from input to input. News of a thousand members at once takes some
/// hundred times as much, which many nodes in one process would keep for nothing.
const WORK_KEPT: usize = 64;

/// One node's machines put together.
///
/// ```
/// use foundation_cluster::{Cluster, ClusterOptions, Input};
/// use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Rng};
///
/// let peer = |node| PeerId { node: NodeNo(node), life: NodeLife { start: 1, random: 0 } };
/// let mut cluster: Cluster<Vec<u8>> =
///     Cluster::new(ClusterOptions::default(), peer(0), Rng::new(7), Micros(0));
/// let mut out = Vec::new();
/// cluster.handle(Input::LinkUp { peer: peer(1), is_seed: false }, Micros(5), &mut out);
/// // The host now does what `out` says, in order, and comes back at `cluster.due()`.
/// assert!(cluster.links().eq([peer(1)]));
/// ```
#[derive(Debug)]
pub struct Cluster<B> {
    pub(crate) options: ClusterOptions,
    pub(crate) own: PeerId,
    pub(crate) rng: Rng,
    pub(crate) links: Links,
    pub(crate) overlays: Vec<Named<B>>,
    pub(crate) roster: Option<Roster>,
    pub(crate) detector: Option<Probing>,
    pub(crate) router: Router<Carried<B>>,
    pub(crate) gate: Gate<B>,
    pub(crate) seeds: SeedAsks,
    pub(crate) reach: Reach,
    /// Links to lives that are over, and when they are closed.
    pub(crate) farewells: Timers<PeerId>,
    pub(crate) leave_at: Micros,
    pub(crate) costs_at: Micros,
    pub(crate) counters: ClusterCounters,
    pub(crate) work: VecDeque<Task<B>>,
}

impl<B: Payload> Cluster<B> {
    /// The machine of the node `own`, which begins now. It speaks to nobody before it is told of
    /// seeds or links. Overlays beyond [`ClusterOptions::OVERLAYS_MAX`] are left out.
    #[must_use]
    pub fn new(options: ClusterOptions, own: PeerId, mut rng: Rng, now: Micros) -> Self {
        let planted = options.planted;
        let named = options.overlays.iter().take(ClusterOptions::OVERLAYS_MAX);
        let overlays =
            named.map(|named| Named::new(named.clone(), planted, own, &mut rng, now)).collect();
        let mut roster_options = options.roster;
        if let Some(options) = &mut roster_options {
            options.planted = planted;
        }
        let mut detector_options = options.detector;
        if let Some(options) = &mut detector_options {
            options.planted = planted;
        }
        Cluster {
            detector: detector_options.map(|options| Probing::new(options, own, rng.fork(), now)),
            costs_at: now + options.cost_period,
            own,
            links: Links::new(options.link_linger, rng.fork(), planted),
            overlays,
            roster: roster_options.map(|options| Roster::new(options, own, rng.fork(), now)),
            router: Router::new(options.router.clone(), planted, own, rng.fork()),
            gate: Gate::new(options.announce_wait, planted),
            seeds: SeedAsks::default(),
            reach: Reach::new(options.reach_period),
            farewells: Timers::default(),
            leave_at: Micros::NEVER,
            counters: ClusterCounters::default(),
            work: VecDeque::new(),
            rng,
            options,
        }
    }

    /// Takes one input and adds what has to be done to `out`, in order.
    pub fn handle(&mut self, input: Input<B>, now: Micros, out: &mut Vec<Output<B>>) {
        match input {
            Input::Seeds(count) => self.seeds_known(count),
            Input::LinkUp { peer, is_seed } => self.link_up(peer, is_seed, now, out),
            Input::LinkDown { peer, end } => self.drop_link(peer, end, now, out),
            Input::DialFailed(peer) => self.dial_failed(peer),
            Input::SeedFailed => self.seed_failed(now, out),
            Input::Received { from, message } => self.received(from, message, now, out),
            Input::RoundTrip { peer, rtt } => self.round_trip(peer, rtt),
            Input::Heartbeat(peer) if self.links.is_up(peer) => {
                let input = DetectorInput::Heartbeat { peer, rtt: None };
                self.work.push_back(Task::Detector(input));
            }
            Input::Heartbeat(_) => {}
            Input::Busy(isolates) => {
                self.work.push_back(Task::Roster(RosterInput::Busy(isolates)));
                self.work.push_back(Task::Detector(DetectorInput::Busy(isolates)));
            }
            Input::Due => self.due_now(now, out),
            Input::Broadcast { overlay, payload } => self.broadcast(overlay, payload),
            Input::Route { to, overlay, payload } => self.route(to, overlay, payload, out),
            Input::Leave => self.leave(now),
            Input::Switch { overlay, epoch, from, to } => {
                self.propose(overlay, epoch, (from, to), out);
            }
        }
        while let Some(task) = self.work.pop_front() {
            self.perform(task, now, out);
        }
        if self.work.capacity() > WORK_KEPT {
            self.work = VecDeque::new();
        }
    }

    /// When it next wants [`Input::Due`]; [`Micros::NEVER`] for not at all.
    #[must_use]
    pub fn due(&self) -> Micros {
        let roster = self.roster.as_ref().map_or(Micros::NEVER, Roster::due);
        let detector = self.detector.as_ref().map_or(Micros::NEVER, Probing::due);
        let own = [self.router.due(), self.links.due(), self.gate.due(), self.leave_at];
        let reach = [self.reach.due(), self.farewells.due()];
        let own = own.into_iter().chain(reach).chain([roster, detector, self.costs_at]);
        let overlays = self.overlays.iter().map(Named::due);
        own.chain(overlays).min().unwrap_or(Micros::NEVER)
    }

    fn broadcast(&mut self, overlay: OverlayNo, payload: B) {
        if self.overlays.get(usize::from(overlay.0)).is_none() {
            self.counters.refused_inputs += 1;
            return;
        }
        let input = BroadcastInput::Broadcast(payload);
        self.work.push_back(Task::Tree { overlay, input });
    }

    fn route(&mut self, to: PeerId, overlay: OverlayNo, payload: B, out: &mut Vec<Output<B>>) {
        let reason = if self.overlays.get(usize::from(overlay.0)).is_none() {
            Some(RouteFailure::UnknownOverlay)
        } else if self.roster.is_some() && self.gate.is_down(to) {
            Some(RouteFailure::Down)
        } else {
            None
        };
        let Some(reason) = reason else {
            let payload = Carried::Payload(payload);
            let input = RouterInput::Route { to, overlay, payload };
            return self.work.push_back(Task::Router(input));
        };
        self.counters.refused_inputs += 1;
        let event = ClusterEvent::RouteFailed { to, sequence: 0, payload: Some(payload), reason };
        out.push(Output::Event(event));
    }

    fn propose(
        &mut self,
        overlay: OverlayNo,
        number: u32,
        (from, to): (Strategy, Strategy),
        out: &mut Vec<Output<B>>,
    ) {
        if self.has(overlay) {
            let input = SwitchInput::Propose { number, from, to };
            return self.work.push_back(Task::Switch { overlay, input });
        }
        self.counters.refused_inputs += 1;
        let reason = SwitchFailure::UnknownOverlay;
        let event = ClusterEvent::SwitchFailed { overlay, epoch: number, reason, is_own: true };
        out.push(Output::Event(event));
    }

    fn seeds_known(&mut self, count: u32) {
        self.seeds.count = count;
        for overlay in self.overlay_numbers() {
            for generation in &self.overlays[usize::from(overlay.0)].generations {
                if !generation.has_member_seeds {
                    let (epoch, input) = (generation.key, OverlayInput::Seeds(count));
                    self.work.push_back(Task::Overlay { overlay, epoch, input });
                }
            }
        }
    }

    fn round_trip(&mut self, peer: PeerId, rtt: Micros) {
        if !self.links.is_up(peer) {
            return;
        }
        self.links.measured(peer, rtt);
        self.tell_overlays(&OverlayInput::Cost { peer, cost: rtt });
        let input = DetectorInput::Heartbeat { peer, rtt: Some(rtt) };
        self.work.push_back(Task::Detector(input));
        for overlay in self.overlay_numbers() {
            let input = BroadcastInput::RoundTrip { peer, rtt };
            self.work.push_back(Task::Tree { overlay, input });
        }
    }

    /// Members are told at once, over the neighbours that there still are; neighbours a bit later.
    fn leave(&mut self, now: Micros) {
        if self.leave_at == Micros::NEVER {
            self.work.push_back(Task::Roster(RosterInput::Leave));
            self.leave_at = now + self.options.leave_linger;
        }
    }

    fn due_now(&mut self, now: Micros, out: &mut Vec<Output<B>>) {
        if self.roster.as_ref().is_some_and(|roster| roster.due() <= now) {
            self.work.push_back(Task::Roster(RosterInput::Due));
        }
        for overlay in self.overlay_numbers() {
            let named = &self.overlays[usize::from(overlay.0)];
            for generation in &named.generations {
                if generation.machine.due() <= now {
                    let (epoch, input) = (generation.key, OverlayInput::Due);
                    self.work.push_back(Task::Overlay { overlay, epoch, input });
                }
            }
            if named.tree.due() <= now {
                self.work.push_back(Task::Tree { overlay, input: BroadcastInput::Due });
            }
            if named.switch.due() <= now {
                self.work.push_back(Task::Switch { overlay, input: SwitchInput::Due });
            }
        }
        if self.detector.as_ref().is_some_and(|detector| detector.due() <= now) {
            self.work.push_back(Task::Detector(DetectorInput::Due));
        }
        if self.costs_at <= now {
            let spread = u32::try_from(self.options.cost_period.0 / 4).unwrap_or(u32::MAX);
            let jitter = Micros(u64::from(self.rng.below(spread)));
            self.costs_at = now + self.options.cost_period + jitter;
            self.tell_down();
            self.tell_costs();
        }
        if self.router.due() <= now {
            self.work.push_back(Task::Router(RouterInput::Due));
        }
        self.gate.expire(now);
        self.links_due(now, out);
        self.reach_due(now, out);
        self.farewells_due(now, out);
        if self.leave_at <= now {
            self.leave_at = Micros::NEVER;
            self.tell_overlays(&OverlayInput::Leave);
            self.work.push_back(Task::Event(ClusterEvent::HasLeft));
        }
    }

    fn received(
        &mut self,
        from: PeerId,
        message: ClusterMessage<B>,
        now: Micros,
        out: &mut Vec<Output<B>>,
    ) {
        if !self.links.is_up(from) || self.gate.is_gone(from) {
            self.counters.stale += 1;
            return;
        }
        let is_probe = matches!(message, ClusterMessage::Detector(_));
        if !is_probe {
            self.work.push_back(Task::Detector(DetectorInput::Heard(from)));
        }
        let task = match message {
            ClusterMessage::Detector(message) => {
                Task::Detector(DetectorInput::Received { from, message })
            }
            ClusterMessage::Switch { overlay, message } if self.has(overlay) => {
                let message = *message;
                Task::Switch { overlay, input: SwitchInput::Received { from, message } }
            }
            ClusterMessage::Roster(message) => {
                Task::Roster(RosterInput::Received { from, message })
            }
            ClusterMessage::Overlay { overlay, epoch, message } if self.runs(overlay, epoch) => {
                let input = OverlayInput::Received { from, message };
                Task::Overlay { overlay, epoch, input }
            }
            ClusterMessage::Broadcast { overlay, message } if self.has(overlay) => {
                Task::Tree { overlay, input: BroadcastInput::Received { from, message } }
            }
            ClusterMessage::Routed(routed) if self.gate.is_gone(routed.origin) => {
                self.counters.stale += 1;
                return;
            }
            ClusterMessage::Routed(routed) if self.has(routed.overlay) => {
                Task::Router(RouterInput::Received { from, routed })
            }
            ClusterMessage::RouteReturned(routed) if self.has(routed.overlay) => {
                Task::Router(RouterInput::Returned { from, routed })
            }
            ClusterMessage::LinkUse(said) => return self.link_use(from, said, now, out),
            _ => {
                self.counters.unknown_overlay += 1;
                return;
            }
        };
        self.work.push_back(task);
    }

    fn has(&self, overlay: OverlayNo) -> bool {
        usize::from(overlay.0) < self.overlays.len()
    }

    fn runs(&self, overlay: OverlayNo, epoch: u64) -> bool {
        let named = self.overlays.get(usize::from(overlay.0));
        named.is_some_and(|named| named.generations.iter().any(|one| one.key == epoch))
    }

    pub(crate) fn overlay_numbers(&self) -> impl Iterator<Item = OverlayNo> + use<B> {
        (0..self.overlays.len() as u8).map(OverlayNo)
    }

    /// Every generation of every overlay hears it.
    pub(crate) fn tell_overlays(&mut self, input: &OverlayInput<OverlayMessage>) {
        for (overlay, epoch) in self.generations() {
            let input = input.clone();
            self.work.push_back(Task::Overlay { overlay, epoch, input });
        }
    }

    /// Every generation of every overlay, by its overlay and its key.
    pub(crate) fn generations(&self) -> Vec<Asker> {
        let of_one = |overlay: OverlayNo| {
            let generations = &self.overlays[usize::from(overlay.0)].generations;
            generations.iter().map(move |generation| (overlay, generation.key))
        };
        self.overlay_numbers().flat_map(of_one).collect()
    }
}
