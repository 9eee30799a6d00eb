//! Many nodes in one thread: who is there, what happens next, and what each step leads to.

mod dials;
mod event;
mod faults;
mod host;
mod link;
mod links;

use std::fmt::Debug;

use foundation_cluster::LinkEnd;
use foundation_machine::{Micros, PeerId, Rng};

use crate::census::{Census, Mark};
use crate::network::{Network, NetworkOptions};
use crate::queue::EventQueue;
use crate::subject::{Ask, Given, News, Subject, Wanted};
use crate::trace::{Trace, TraceDepth};
use event::Event;
use host::Host;
pub use host::Standing;
use link::Links;

/// A step that was just made, for those who check it.
#[derive(Debug)]
pub struct Step<'a, S: Subject> {
    /// When.
    pub now: Micros,
    /// Which node.
    pub node: u32,
    /// Who it is in this life.
    pub id: PeerId,
    /// Its machines after the step.
    pub subject: &'a S,
    /// What its application heard in the step.
    pub news: &'a [News],
}

/// Who looks at every step.
pub trait Observer<S: Subject> {
    /// Checks a step; what is wrong with it ends the run.
    ///
    /// # Errors
    /// What was violated, in words.
    fn stepped(&mut self, step: &Step<'_, S>) -> Result<(), String>;

    /// A node begins a life.
    fn started(&mut self, _node: u32, _id: PeerId, _now: Micros) {}

    /// A node's life has ended.
    fn ended(&mut self, _node: u32, _id: PeerId, _now: Micros) {}
}

/// Something that must never be was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What.
    pub what: String,
    /// When, in virtual time.
    pub at: Micros,
    /// At which node; none for what concerns many.
    pub node: Option<u32>,
    /// The last lines of the trace about that node, where they were kept.
    pub lines: Vec<String>,
}

/// What a run begins with.
#[derive(Clone, Debug, Default)]
pub struct WorldOptions {
    /// Everything random in the run comes from it.
    pub seed: u64,
    /// The network.
    pub network: NetworkOptions,
    /// How much of the run is hashed and kept.
    pub depth: TraceDepth,
}

/// Makes the machines of a node's new life. Its time is the node's own.
pub type Make<S> = Box<dyn FnMut(PeerId, Rng, Micros) -> S>;

/// A run.
pub struct World<S: Subject, O: Observer<S>> {
    /// Who looks at every step.
    pub observer: O,
    /// What happened so far.
    pub census: Census,
    /// The trace so far.
    pub trace: Trace,
    /// The network.
    pub network: Network,
    now: Micros,
    seed: u64,
    queue: EventQueue<Event<S::Message>>,
    hosts: Vec<Host<S>>,
    links: Links<S::Message>,
    make: Make<S>,
    rng: Rng,
    out: Vec<Wanted<S::Message, S::Event>>,
    news: Vec<News>,
    sent: Vec<u64>,
    records: u64,
    violation: Option<Violation>,
}

// A node that is called so often without time going on never gets anywhere.
const CALLS_AT_ONCE_MAX: u32 = 10_000;

impl<S: Subject, O: Observer<S>> World<S, O> {
    /// A run without nodes.
    #[must_use]
    pub fn new(options: WorldOptions, observer: O, make: Make<S>) -> Self {
        let mut rng = Rng::of_stream(options.seed, 1);
        let network = Network::new(options.network, rng.next_u64(), rng.fork());
        World {
            observer,
            census: Census::default(),
            trace: Trace::new(options.depth),
            network,
            now: Micros(0),
            seed: options.seed,
            queue: EventQueue::default(),
            hosts: Vec::new(),
            links: Links::default(),
            make,
            rng,
            out: Vec::new(),
            news: Vec::new(),
            sent: vec![0; S::KINDS.len()],
            records: 0,
            violation: None,
        }
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.now
    }

    /// How many nodes there are, up or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// How a node stands.
    #[must_use]
    pub fn standing(&self, node: u32) -> Standing {
        self.hosts[node as usize].standing
    }

    /// Whether a node lives and does not stand still.
    #[must_use]
    pub fn is_up(&self, node: u32) -> bool {
        self.standing(node) == Standing::Up
    }

    /// The nodes that are up, in order.
    #[must_use]
    pub fn up(&self) -> Vec<u32> {
        (0..self.count()).filter(|&node| self.is_up(node)).collect()
    }

    /// How many nodes are up.
    #[must_use]
    pub fn up_count(&self) -> usize {
        self.hosts.iter().filter(|host| host.standing == Standing::Up).count()
    }

    /// A node's machines, while it lives.
    #[must_use]
    pub fn subject(&self, node: u32) -> Option<&S> {
        self.hosts[node as usize].subject.as_ref()
    }

    /// Who a node is in its present or last life.
    #[must_use]
    pub fn id(&self, node: u32) -> PeerId {
        self.hosts[node as usize].id
    }

    /// Records of members sent so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Messages sent so far, by [`Subject::KINDS`].
    #[must_use]
    pub fn sent(&self) -> &[u64] {
        &self.sent
    }

    /// Events that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The run's own random numbers, for who plans it.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    fn count(&self) -> u32 {
        u32::try_from(self.hosts.len()).expect("fewer than 2^32 nodes")
    }

    /// Lets virtual time go on.
    ///
    /// # Errors
    /// The first violation; the run is over then.
    pub fn run_until(&mut self, until: Micros) -> Result<(), Violation> {
        while self.violation.is_none() {
            let Some((at, event)) = self.queue.pop(until) else { break };
            debug_assert!(at >= self.now, "time never runs backwards");
            self.now = at;
            self.dispatch(event);
        }
        if let Some(violation) = &self.violation {
            return Err(violation.clone());
        }
        self.now = self.now.max(until);
        Ok(())
    }

    /// Lets so much virtual time pass.
    ///
    /// # Errors
    /// As [`World::run_until`].
    pub fn run_for(&mut self, time: Micros) -> Result<(), Violation> {
        self.run_until(self.now + time)
    }

    /// A node's application asks for something; nothing happens where the node is not up.
    pub fn ask(&mut self, node: u32, ask: Ask) -> bool {
        if !self.is_up(node) || self.violation.is_some() {
            return false;
        }
        self.census.add(match ask {
            Ask::Broadcast { .. } => Mark::Broadcast,
            Ask::Route { .. } => Mark::Route,
            Ask::Switch { .. } => Mark::Switch,
            Ask::Busy(_) => Mark::Busy,
            Ask::Leave => Mark::Leave,
        });
        self.give(node, Given::Asked(ask));
        true
    }

    /// Reports something that must never be.
    pub fn violate(&mut self, node: Option<u32>, what: String) -> Violation {
        let lines = node.map_or_else(|| self.trace.last(40), |it| self.trace.last_of(it, 40));
        let violation = Violation { what, at: self.now, node, lines };
        self.violation.get_or_insert(violation).clone()
    }

    fn dispatch(&mut self, event: Event<S::Message>) {
        let Some(node) = self.node_of(&event) else { return };
        let now = self.now;
        let host = &mut self.hosts[node as usize];
        if host.is_behind(now) && !matches!(event, Event::Drain { .. } | Event::Wake { .. }) {
            host.backlog.push_back(event);
            self.schedule_drain(node);
            return;
        }
        self.perform(event);
    }

    fn node_of(&mut self, event: &Event<S::Message>) -> Option<u32> {
        match event {
            Event::Wake { node, run }
            | Event::DialDone { node, run, .. }
            | Event::Drain { node, run }
            | Event::Released { node, run, .. }
            | Event::Stop { node, run } => {
                (self.hosts[*node as usize].run == *run).then_some(*node)
            }
            Event::Message { link, end, .. }
            | Event::LinkUp { link, end }
            | Event::LinkDown { link, end, .. }
            | Event::RoundTrip { link, end }
            | Event::Silence { link, end, .. } => {
                self.links.get(*link).map(|found| found.ends[*end].node)
            }
        }
    }

    fn perform(&mut self, event: Event<S::Message>) {
        match event {
            Event::Wake { node, .. } => self.wake(node),
            Event::Message { link, end, sent, message } => self.receive(link, end, sent, message),
            Event::LinkUp { link, end } => self.accept(link, end),
            Event::LinkDown { link, end, how } => self.lose(link, end, how),
            Event::RoundTrip { link, end } => self.tell_round_trip(link, end),
            Event::DialDone { node, target, is_last, .. } => {
                self.dial_done(node, target, is_last);
            }
            Event::Silence { link, end, since } => self.notice_silence(link, end, since),
            Event::Drain { node, .. } => self.drain(node),
            Event::Released { node, peer, .. } => self.released(node, peer),
            Event::Stop { node, .. } => self.stop(node),
        }
    }

    /// Gives a node's machines an input and does what they want.
    fn give(&mut self, node: u32, given: Given<S::Message>) {
        let now = self.now;
        let host = &mut self.hosts[node as usize];
        let Some(subject) = host.subject.as_mut() else { return };
        note(&mut self.trace, now, node, &given);
        let mut out = std::mem::take(&mut self.out);
        subject.handle(given, host.clock.own(now), &mut out);
        host.free_at = now + host.cost;
        host.calls_at_once = if host.called_at == now { host.calls_at_once + 1 } else { 0 };
        host.called_at = now;
        if host.calls_at_once > CALLS_AT_ONCE_MAX {
            self.violate(Some(node), "is called again and again without time going on".into());
        }
        for wanted in out.drain(..) {
            self.obey(node, wanted);
        }
        self.out = out;
        self.schedule_wake(node);
        self.check(node);
    }

    fn check(&mut self, node: u32) {
        let host = &self.hosts[node as usize];
        let Some(subject) = host.subject.as_ref() else { return };
        let step = Step { now: self.now, node, id: host.id, subject, news: &self.news };
        let verdict = self.observer.stepped(&step);
        self.news.clear();
        if let Err(what) = verdict {
            self.violate(Some(node), what);
        }
    }

    fn obey(&mut self, node: u32, wanted: Wanted<S::Message, S::Event>) {
        self.trace.hash.word(wanted_word(&wanted));
        if self.trace.depth == TraceDepth::Lines {
            let at = self.now.0;
            self.trace.line(node, format!("{at} node {node} wants {wanted:?}"));
        }
        match wanted {
            Wanted::Send { to, message } => self.send(node, to, message),
            Wanted::Dial(peer) => self.dial(node, peer),
            Wanted::DialSeed { pick } => self.dial_seed(node, pick),
            Wanted::HangUp(peer) => self.hang_up(node, peer),
            Wanted::Event(event) => self.news.extend(S::news(&event)),
        }
    }

    fn wake(&mut self, node: u32) {
        let now = self.now;
        let host = &mut self.hosts[node as usize];
        if host.wake_at != now || host.standing == Standing::Still {
            return;
        }
        host.wake_at = Micros::NEVER;
        if host.free_at > now {
            let (at, run) = (host.free_at, host.run);
            host.wake_at = at;
            self.queue.push(at, Event::Wake { node, run });
            return;
        }
        let own = host.clock.own(now);
        if host.subject.as_ref().is_some_and(|subject| subject.due() <= own) {
            self.give(node, Given::Due);
        } else {
            self.schedule_wake(node);
        }
    }

    fn schedule_wake(&mut self, node: u32) {
        let now = self.now;
        let host = &mut self.hosts[node as usize];
        let Some(subject) = host.subject.as_ref() else { return };
        let at = host.clock.run(subject.due()).max(now);
        if at < host.wake_at && host.standing == Standing::Up {
            host.wake_at = at;
            let run = host.run;
            self.queue.push(at, Event::Wake { node, run });
        }
    }

    fn schedule_drain(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        if host.standing == Standing::Up && !host.is_draining && !host.backlog.is_empty() {
            host.is_draining = true;
            let (at, run) = (host.free_at.max(self.now), host.run);
            self.queue.push(at, Event::Drain { node, run });
        }
    }

    fn drain(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        host.is_draining = false;
        if host.standing == Standing::Still {
            return;
        }
        if let Some(event) = host.backlog.pop_front() {
            self.perform(event);
        }
        self.schedule_drain(node);
    }

    fn stop(&mut self, node: u32) {
        self.end_life(node, Standing::Left, Some(LinkEnd::Left));
    }
}

fn note<M: Debug>(trace: &mut Trace, now: Micros, node: u32, given: &Given<M>) {
    trace.steps += 1;
    trace.hash.word(now.0);
    trace.hash.word(u64::from(node) << 8 | given_word(given));
    match trace.depth {
        TraceDepth::Steps => {}
        TraceDepth::Messages => trace.hash.debug(given),
        TraceDepth::Lines => {
            trace.hash.debug(given);
            trace.line(node, format!("{} node {node} gets {given:?}", now.0));
        }
    }
}

fn given_word<M>(given: &Given<M>) -> u64 {
    let of = |peer: &PeerId| u64::from(peer.node.0) << 40;
    match given {
        Given::Seeds(_) => 0,
        Given::LinkUp { peer, is_seed } => of(peer) | 1 | u64::from(*is_seed) << 4,
        Given::LinkDown { peer, .. } => of(peer) | 2,
        Given::DialFailed(peer) => of(peer) | 3,
        Given::SeedFailed => 4,
        Given::Received { from, .. } => of(from) | 5,
        Given::RoundTrip { peer, .. } => of(peer) | 6,
        Given::Due => 7,
        Given::Asked(_) => 8,
    }
}

fn wanted_word<M, E>(wanted: &Wanted<M, E>) -> u64 {
    let of = |peer: &PeerId| u64::from(peer.node.0) << 8;
    match wanted {
        Wanted::Send { to, .. } => of(to) | 16,
        Wanted::Dial(peer) => of(peer) | 17,
        Wanted::DialSeed { pick } => u64::from(*pick) << 8 | 18,
        Wanted::HangUp(peer) => of(peer) | 19,
        Wanted::Event(_) => 20,
    }
}
