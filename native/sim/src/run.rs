//! A run of a scenario: its fleet of nodes, what is done with them, and what is measured.

use foundation_machine::{Micros, PeerId};

use crate::checks::{Checks, ChecksOptions};
use crate::graph::Graph;
use crate::ledger::Outcome;
use crate::node::{self, Machine, NodePlan};
use crate::picture::View;
use crate::report::{Bar, Figure};
use crate::subject::{Ask, Payload, Subject};
use crate::trace::TraceDepth;
use crate::world::{Violation, World, WorldOptions};
use crate::{NetworkOptions, census::Mark};

/// What the caller of a run wants from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop, and report what there is.
    Stop,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub phase: &'static str,
    /// How much virtual time has passed. Unit: ms.
    pub virtual_ms: u64,
    /// Nodes that are up.
    pub nodes_up: u32,
    /// Inputs handled so far.
    pub steps: u64,
}

/// Why a scenario ended before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Something that must never be was.
    Violated(Violation),
    /// The caller stopped it.
    Stopped,
}

impl From<Violation> for End {
    fn from(violation: Violation) -> End {
        End::Violated(violation)
    }
}

/// What a run begins with.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// How many nodes it is about.
    pub nodes: u32,
    /// Everything random comes from it.
    pub seed: u64,
    /// The part of the nodes that fails, where a scenario asks.
    pub fail: f64,
    /// How often is done what is done again and again.
    pub turns: u32,
    /// How nodes are set up.
    pub node: NodePlan,
    /// The network.
    pub network: NetworkOptions,
    /// How much of the run is hashed and kept.
    pub depth: TraceDepth,
    /// Pictures of the overlay are kept.
    pub is_pictured: bool,
}

/// Many nodes of the production machines, checked after every step.
pub type Fleet = World<Machine, Checks>;

/// A scenario under way.
pub struct Run<'a> {
    /// The nodes.
    pub fleet: Fleet,
    /// What it began with.
    pub plan: Plan,
    /// What was measured so far.
    pub figures: Vec<Figure>,
    /// Overlays to draw.
    pub views: Vec<View>,
    /// What has to have happened by the end.
    pub wanted: Vec<Mark>,
    phase: &'static str,
    progress: &'a mut dyn FnMut(Progress) -> Control,
}

// The caller is asked so often, in virtual time.
const BREATH: Micros = Micros::from_millis(500);

impl<'a> Run<'a> {
    /// A run without nodes yet.
    pub fn new(plan: Plan, progress: &'a mut dyn FnMut(Progress) -> Control) -> Run<'a> {
        let world =
            WorldOptions { seed: plan.seed, network: plan.network.clone(), depth: plan.depth };
        let checks = Checks::new(ChecksOptions { has_roster: plan.node.has_roster });
        let nodes = plan.node.clone();
        let make = move |id: PeerId, rng, now| node::machine(&nodes, id, rng, now);
        let fleet = World::new(world, checks, Box::new(make));
        let (figures, views, wanted) = (Vec::new(), Vec::new(), Vec::new());
        Run { fleet, plan, figures, views, wanted, phase: "start", progress }
    }

    /// Another fleet, whose progress the same caller hears of.
    pub fn beside(&mut self, plan: Plan) -> Run<'_> {
        Run::new(plan, &mut *self.progress)
    }

    /// From now on that is being done.
    pub fn phase(&mut self, phase: &'static str) {
        self.phase = phase;
    }

    /// Lets virtual time pass.
    ///
    /// # Errors
    /// A violation, or the caller wants no more.
    pub fn wait(&mut self, time: Micros) -> Result<(), End> {
        let until = self.fleet.now() + time;
        while self.fleet.now() < until {
            let next = (self.fleet.now() + BREATH).min(until);
            self.fleet.run_until(next)?;
            self.breathe()?;
        }
        Ok(())
    }

    fn breathe(&mut self) -> Result<(), End> {
        let progress = Progress {
            phase: self.phase,
            virtual_ms: self.fleet.now().as_millis(),
            nodes_up: u32::try_from(self.fleet.up_count()).unwrap_or(u32::MAX),
            steps: self.fleet.trace.steps,
        };
        match (self.progress)(progress) {
            Control::Continue => Ok(()),
            Control::Stop => Err(End::Stopped),
        }
    }

    /// Waits in steps until that holds, at most so long; answers how long it took.
    ///
    /// # Errors
    /// As [`Run::wait`].
    pub fn wait_until(
        &mut self,
        step: Micros,
        at_most: Micros,
        mut holds: impl FnMut(&Fleet) -> bool,
    ) -> Result<Option<Micros>, End> {
        let from = self.fleet.now();
        loop {
            if holds(&self.fleet) {
                return Ok(Some(self.fleet.now().since(from)));
            }
            if self.fleet.now().since(from) >= at_most {
                return Ok(None);
            }
            self.fleet.run_for(step)?;
            self.breathe()?;
        }
    }

    /// Keeps a figure.
    pub fn figure(
        &mut self,
        name: impl Into<String>,
        value: f64,
        bar: Option<Bar>,
        beside: Option<&'static str>,
    ) {
        self.figures.push(Figure { name: name.into(), value, bar, beside });
    }

    /// Fails the run.
    pub fn violated(&mut self, what: impl Into<String>) -> End {
        End::Violated(self.fleet.violate(None, what.into()))
    }

    /// Keeps a picture of an overlay as it is now, if pictures are wanted.
    pub fn picture(&mut self, title: &str, overlay: usize) {
        if self.plan.is_pictured {
            let graph = self.active(overlay);
            self.views.push(View { title: title.to_owned(), graph });
        }
    }

    /// The overlay as it is now.
    #[must_use]
    pub fn active(&self, overlay: usize) -> Graph {
        graph_of(&self.fleet, |subject, into| subject.active(overlay, into))
    }

    /// Who knows whom beside the neighbours.
    #[must_use]
    pub fn passive(&self, overlay: usize) -> Graph {
        graph_of(&self.fleet, |subject, into| subject.passive(overlay, into))
    }

    /// A node broadcasts; answers the payload, if the node is up.
    pub fn broadcast(&mut self, node: u32, overlay: u8) -> Option<Payload> {
        if !self.fleet.is_up(node) {
            return None;
        }
        let (id, now) = (self.fleet.id(node), self.fleet.now());
        let payload = self.fleet.observer.ledger.broadcast(id, overlay, now);
        self.fleet.ask(node, Ask::Broadcast { overlay, payload });
        Some(payload)
    }

    /// A node sends to another, as it is in its present life.
    pub fn route(&mut self, from: u32, to: u32, overlay: u8) -> Option<Payload> {
        if !self.fleet.is_up(from) {
            return None;
        }
        let (id, to, now) = (self.fleet.id(from), self.fleet.id(to), self.fleet.now());
        let payload = self.fleet.observer.ledger.route(id, to, now);
        self.fleet.ask(from, Ask::Route { to, overlay, payload });
        Some(payload)
    }

    /// How many routed messages have no end yet.
    #[must_use]
    pub fn open_routes(&self) -> usize {
        let routes = &self.fleet.observer.ledger.routes;
        routes.iter().filter(|route| route.outcome == Outcome::Open).count()
    }

    /// Nodes that are up and lack that broadcast.
    #[must_use]
    pub fn lacking(&self, payload: Payload) -> Vec<u32> {
        lacking(&self.fleet, payload)
    }

    /// How many messages of these kinds were sent so far.
    #[must_use]
    pub fn sent(&self, kinds: &[&str]) -> u64 {
        let of = |name: &&str| Machine::KINDS.iter().position(|kind| kind == name);
        let place = |name| of(name).expect("a kind that the machines have");
        kinds.iter().map(|name| self.fleet.sent()[place(name)]).sum()
    }

    /// How many messages were sent so far.
    #[must_use]
    pub fn sent_in_all(&self) -> u64 {
        self.fleet.sent().iter().sum()
    }
}

/// Nodes that are up and lack that broadcast.
pub(crate) fn lacking(fleet: &Fleet, payload: Payload) -> Vec<u32> {
    let record = &fleet.observer.ledger.broadcasts[(payload >> 1) as usize];
    let origin = record.origin.node.0;
    fleet.up().into_iter().filter(|&node| node != origin && !record.has(node)).collect()
}

/// Whom every node that is up names, by node number; a life that is over counts as nobody's.
pub(crate) fn graph_of(fleet: &Fleet, of: impl Fn(&Machine, &mut Vec<PeerId>)) -> Graph {
    let mut peers = Vec::new();
    let mut graph = Graph::default();
    for node in (0..).take(fleet.len()) {
        graph.is_up.push(fleet.is_up(node));
        peers.clear();
        if let (true, Some(subject)) = (fleet.is_up(node), fleet.subject(node)) {
            of(subject, &mut peers);
        }
        graph.edges.push(peers.iter().map(|peer| peer.node.0).collect());
    }
    graph
}

/// An overlay as it is now.
pub(crate) fn active_of(fleet: &Fleet, overlay: usize) -> Graph {
    graph_of(fleet, |subject, into| subject.active(overlay, into))
}
