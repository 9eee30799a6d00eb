//! Drives many overlay machines over links that take time, are first in, first out, and end.

#![allow(dead_code)] // each of the tests that use it needs a part

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Rng};
use foundation_membership::{
    HyParView, LinkEnd, Overlay, OverlayInput, OverlayMessage, OverlayOutput,
};

/// What an overlay has to be like to be driven.
pub(crate) trait Machine {
    type Message: Clone;
    fn handle(
        &mut self,
        input: OverlayInput<Self::Message>,
        now: Micros,
        out: &mut Vec<OverlayOutput<Self::Message>>,
    );
    fn due(&self) -> Micros;
    fn neighbours(&self) -> Vec<PeerId>;
    fn passive(&self) -> &[PeerId] {
        &[]
    }
    /// Whether that message makes d of an X-BOT swap take o.
    fn is_switched(_message: &Self::Message) -> bool {
        false
    }
}

impl Machine for HyParView {
    type Message = foundation_membership::HyParViewMessage;
    fn handle(
        &mut self,
        input: OverlayInput<Self::Message>,
        now: Micros,
        out: &mut Vec<OverlayOutput<Self::Message>>,
    ) {
        HyParView::handle(self, input, now, out);
    }
    fn due(&self) -> Micros {
        HyParView::due(self)
    }
    fn neighbours(&self) -> Vec<PeerId> {
        self.active().to_vec()
    }
    fn passive(&self) -> &[PeerId] {
        HyParView::passive(self)
    }
    fn is_switched(message: &Self::Message) -> bool {
        matches!(message, foundation_membership::HyParViewMessage::Switched { is_done: true, .. })
    }
}

impl Machine for Overlay {
    type Message = OverlayMessage;
    fn handle(
        &mut self,
        input: OverlayInput<Self::Message>,
        now: Micros,
        out: &mut Vec<OverlayOutput<Self::Message>>,
    ) {
        Overlay::handle(self, input, now, out);
    }
    fn due(&self) -> Micros {
        Overlay::due(self)
    }
    fn neighbours(&self) -> Vec<PeerId> {
        Overlay::neighbours(self)
    }
}

#[derive(Clone, Debug)]
enum Event<M> {
    Due(usize),
    /// A dial arrives.
    Syn {
        from: usize,
        to: usize,
        is_seed: bool,
    },
    /// A dial is answered.
    Established {
        at: usize,
        peer: usize,
        link: u64,
        is_seed: bool,
    },
    DialFailed {
        at: usize,
        peer: PeerId,
        is_seed: bool,
    },
    Message {
        from: usize,
        to: usize,
        link: u64,
        message: M,
    },
    Closed {
        at: usize,
        peer: PeerId,
        link: u64,
        end: LinkEnd,
    },
}

/// The nodes, the links between them and what is on its way.
pub(crate) struct Net<T: Machine> {
    pub(crate) nodes: Vec<Option<T>>,
    pub(crate) now: Micros,
    pub(crate) rng: Rng,
    pub(crate) sent: u64,
    pub(crate) dials: u64,
    queue: BTreeMap<(Micros, u64), Event<T::Message>>,
    next: u64,
    links: Vec<BTreeMap<usize, u64>>,
    /// The present link of two nodes, lower number first: crossing dials lead to one.
    pairs: BTreeMap<(usize, usize), u64>,
    dialling: BTreeSet<(usize, usize)>,
    wanted: Vec<BTreeSet<usize>>,
    alarms: Vec<Micros>,
    lives: Vec<u64>,
    /// Up to so much later than the delay does a message come. Unit: us.
    pub(crate) jitter: u32,
    last: BTreeMap<(usize, usize), Micros>,
    /// Swaps by which d came to a neighbour further away.
    pub(crate) dear_swaps: u32,
    /// Dials that failed and whose peer stayed in the passive view.
    pub(crate) kept_dead: u32,
    /// Nodes whose links are up and that hear nothing.
    pub(crate) frozen: BTreeSet<usize>,
    pub(crate) seeds: Vec<usize>,
    delay_max: u64,
    /// Nodes of different regions are far from each other.
    regions: usize,
    /// Nodes of different groups cannot reach each other.
    groups: Vec<u8>,
}

/// The first life of a node.
pub(crate) fn peer(number: usize) -> PeerId {
    life_of(number, 1)
}

pub(crate) fn life_of(number: usize, start: u64) -> PeerId {
    let number = number as u32;
    let life = NodeLife { start, random: u64::from(number.wrapping_mul(2_654_435_761)) };
    PeerId { node: NodeNo(number), life }
}

pub(crate) fn number(peer: PeerId) -> usize {
    peer.node.0 as usize
}

impl<T: Machine> Net<T> {
    pub(crate) fn new(seed: u64, seeds: Vec<usize>) -> Self {
        Net {
            nodes: Vec::new(),
            now: Micros(0),
            rng: Rng::of_stream(seed, 99),
            sent: 0,
            dials: 0,
            queue: BTreeMap::new(),
            next: 0,
            links: Vec::new(),
            pairs: BTreeMap::new(),
            dialling: BTreeSet::new(),
            wanted: Vec::new(),
            alarms: Vec::new(),
            lives: Vec::new(),
            jitter: 0,
            last: BTreeMap::new(),
            dear_swaps: 0,
            kept_dead: 0,
            frozen: BTreeSet::new(),
            seeds,
            delay_max: 20_000,
            regions: 1,
            groups: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, node: T) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Some(node));
        self.links.push(BTreeMap::new());
        self.wanted.push(BTreeSet::new());
        self.alarms.push(Micros::NEVER);
        self.lives.push(1);
        self.groups.push(0);
        self.give(at, OverlayInput::Seeds(self.seeds.len() as u32));
        at
    }

    /// The same both ways and always, so that links keep their order.
    pub(crate) fn delay(&self, a: usize, b: usize) -> Micros {
        let (low, high) = (a.min(b) as u64, a.max(b) as u64);
        let mixed = (low << 32 | high).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let far = if a % self.regions == b % self.regions { 0 } else { 40_000 };
        Micros(500 + mixed % self.delay_max + far)
    }

    /// So many regions of nodes that are 0.5 to 2.5 ms from each other; others are 40 ms further.
    pub(crate) fn set_regions(&mut self, regions: usize) {
        self.regions = regions;
        self.delay_max = 2_000;
    }

    pub(crate) fn id(&self, at: usize) -> PeerId {
        life_of(at, self.lives.get(at).copied().unwrap_or(1))
    }

    /// Behind what is on its way from the one to the other already.
    fn in_order(&mut self, from: usize, to: usize, event: Event<T::Message>) {
        let late = u64::from(self.rng.below(self.jitter + 1));
        let time = self.now + self.delay(from, to) + Micros(late);
        let last = self.last.entry((from, to)).or_default();
        *last = time.max(*last);
        let time = *last;
        self.at(time, event);
    }

    /// A crashed node starts again: a later life.
    pub(crate) fn restart(&mut self, at: usize, node: impl FnOnce(PeerId, Micros) -> T) {
        self.lives[at] += 1;
        self.nodes[at] = Some(node(self.id(at), self.now));
        self.alarms[at] = Micros::NEVER;
        self.give(at, OverlayInput::Seeds(self.seeds.len() as u32));
    }

    /// Breaks so many links; each end hears of it some time within 200 ms.
    pub(crate) fn break_links(&mut self, many: usize) {
        for _ in 0..many {
            let alive = self.alive();
            let Some(&at) = self.rng.pick(&alive) else { return };
            let links: Vec<(usize, u64)> = self.links[at].iter().map(|(k, v)| (*k, *v)).collect();
            let Some(&(other, link)) = self.rng.pick(&links) else { continue };
            self.unpair(at, other, link);
            for (at, other) in [(at, other), (other, at)] {
                let time = self.now + Micros(u64::from(self.rng.below(200_000)));
                let (peer, end) = (self.id(other), LinkEnd::Lost);
                self.at(time, Event::Closed { at, peer, link, end });
            }
        }
    }

    fn at(&mut self, time: Micros, event: Event<T::Message>) {
        self.next += 1;
        self.queue.insert((time, self.next), event);
    }

    fn reaches(&self, a: usize, b: usize) -> bool {
        let is_alive = |at: usize| self.nodes.get(at).is_some_and(Option::is_some);
        is_alive(a) && is_alive(b) && self.groups[a] == self.groups[b]
    }

    pub(crate) fn give(&mut self, at: usize, input: OverlayInput<T::Message>) {
        let Some(node) = self.nodes[at].as_mut() else { return };
        let mut out = Vec::new();
        node.handle(input, self.now, &mut out);
        let due = node.due();
        let mut answers = VecDeque::new();
        for output in out {
            self.done(at, output, &mut answers);
        }
        if due < self.alarms[at] || self.alarms[at] <= self.now {
            self.alarms[at] = due;
            if due != Micros::NEVER {
                self.at(due.max(self.now), Event::Due(at));
            }
        }
        for answer in answers {
            self.give(at, answer);
        }
    }

    fn done(
        &mut self,
        at: usize,
        output: OverlayOutput<T::Message>,
        answers: &mut VecDeque<OverlayInput<T::Message>>,
    ) {
        match output {
            OverlayOutput::Send { to, message } => {
                self.sent += 1;
                assert_eq!(to, self.id(number(to)), "a message to an earlier life");
                let to = number(to);
                let link = *self.links[at].get(&to).expect("a message over a link that is down");
                self.in_order(at, to, Event::Message { from: at, to, link, message });
            }
            OverlayOutput::Dial(wanted) => {
                let to = number(wanted);
                if wanted != self.id(to) {
                    self.dialling.insert((at, to));
                    let time = self.now + self.delay(at, to) + self.delay(at, to);
                    self.at(time, Event::DialFailed { at, peer: wanted, is_seed: false });
                    return;
                }
                self.wanted[at].insert(to);
                if self.links[at].contains_key(&to) {
                    answers.push_back(OverlayInput::LinkUp { peer: self.id(to), is_seed: false });
                } else if self.dialling.insert((at, to)) {
                    self.dials += 1;
                    let time = self.now + self.delay(at, to) + self.delay(at, to);
                    self.at(time, Event::Syn { from: at, to, is_seed: false });
                }
            }
            OverlayOutput::DialSeed { pick } => {
                let to = self.seeds[pick as usize % self.seeds.len()];
                if to == at {
                    answers.push_back(OverlayInput::SeedFailed);
                } else if self.links[at].contains_key(&to) {
                    answers.push_back(OverlayInput::LinkUp { peer: self.id(to), is_seed: true });
                } else {
                    self.dials += 1;
                    let time = self.now + self.delay(at, to) + self.delay(at, to);
                    self.at(time, Event::Syn { from: at, to, is_seed: true });
                }
            }
            OverlayOutput::Release(to) => {
                let to = number(to);
                self.wanted[at].remove(&to);
                self.dialling.remove(&(at, to));
                if let Some(link) = self.links[at].remove(&to) {
                    let (peer, end) = (self.id(at), LinkEnd::Released);
                    self.in_order(at, to, Event::Closed { at: to, peer, link, end });
                    self.unpair(at, to, link);
                    let end = LinkEnd::Released;
                    answers.push_back(OverlayInput::LinkDown { peer: self.id(to), end });
                }
            }
            OverlayOutput::NeighbourUp(to) => {
                self.wanted[at].insert(number(to));
            }
            OverlayOutput::NeighbourDown(_) => {}
        }
    }

    fn unpair(&mut self, a: usize, b: usize, link: u64) {
        let pair = (a.min(b), a.max(b));
        if self.pairs.get(&pair) == Some(&link) {
            self.pairs.remove(&pair);
        }
    }

    fn happen(&mut self, event: Event<T::Message>) {
        match event {
            Event::Due(at) => {
                if self.alarms[at] <= self.now && !self.frozen.contains(&at) {
                    self.give(at, OverlayInput::Due);
                }
            }
            Event::Syn { from, to, is_seed } => {
                let delay = self.delay(from, to);
                if !self.reaches(from, to) {
                    let time = self.now + delay;
                    let peer = self.id(to);
                    self.at(time, Event::DialFailed { at: from, peer, is_seed });
                    return;
                }
                let new = self.next + 1;
                let link = *self.pairs.entry((from.min(to), from.max(to))).or_insert(new);
                let is_new = self.links[to].insert(from, link) != Some(link);
                self.in_order(to, from, Event::Established { at: from, peer: to, link, is_seed });
                if is_new {
                    self.give(to, OverlayInput::LinkUp { peer: self.id(from), is_seed: false });
                }
            }
            Event::Established { at, peer: other, link, is_seed } => {
                self.dialling.remove(&(at, other));
                if !self.reaches(at, other) {
                    let peer = self.id(other);
                    self.dialling.insert((at, other));
                    self.at(self.now, Event::DialFailed { at, peer, is_seed });
                    return;
                }
                self.links[at].insert(other, link);
                self.give(at, OverlayInput::LinkUp { peer: self.id(other), is_seed });
            }
            Event::DialFailed { at, peer, is_seed } => {
                if is_seed {
                    self.give(at, OverlayInput::SeedFailed);
                } else if self.dialling.remove(&(at, number(peer))) {
                    self.give(at, OverlayInput::DialFailed(peer));
                    let keeps = |node: &T| node.passive().contains(&peer);
                    self.kept_dead += u32::from(self.nodes[at].as_ref().is_some_and(keeps));
                }
            }
            Event::Message { from, to, link, message } => {
                // The dialled end may speak before the dialler has heard that the link is up.
                let early = self.nodes[to].is_some() && !self.links[to].contains_key(&from);
                if early && self.dialling.contains(&(to, from)) {
                    self.dialling.remove(&(to, from));
                    self.links[to].insert(from, link);
                    self.give(to, OverlayInput::LinkUp { peer: self.id(from), is_seed: false });
                }
                if self.links[to].get(&from) == Some(&link) && !self.frozen.contains(&to) {
                    let before = T::is_switched(&message).then(|| self.neighbours(to));
                    self.give(to, OverlayInput::Received { from: self.id(from), message });
                    let after = self.neighbours(to);
                    let gone = before.into_iter().flatten().filter(|one| !after.contains(one));
                    let dear = gone.filter(|one| self.delay(to, *one) <= self.delay(to, from));
                    self.dear_swaps += dear.count() as u32;
                }
            }
            Event::Closed { at, peer, link, end } => {
                let other = number(peer);
                if self.links[at].get(&other) == Some(&link) {
                    self.links[at].remove(&other);
                    self.give(at, OverlayInput::LinkDown { peer, end });
                }
            }
        }
    }

    /// Until that time.
    pub(crate) fn run_until(&mut self, end: Micros) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((time, _), event) = entry.remove_entry();
            self.now = time;
            self.happen(event);
        }
        self.now = end;
    }

    /// Delivers all that is on its way, while no timer runs.
    pub(crate) fn come_to_rest(&mut self) {
        let mut timers = Vec::new();
        let mut left = 1_000 * self.nodes.len();
        while let Some(((time, number), event)) = self.queue.pop_first() {
            if let Event::Due(_) = event {
                timers.push(((time, number), event));
            } else {
                self.now = self.now.max(time);
                self.happen(event);
                left = left.checked_sub(1).expect("the nodes do not come to rest");
            }
        }
        for ((time, number), event) in timers {
            self.queue.insert((time.max(self.now), number), event);
        }
    }

    pub(crate) fn run_for(&mut self, millis: u64) {
        self.run_until(self.now + Micros::from_millis(millis));
    }

    /// Crashes those nodes; their peers hear within 100 ms that the links are gone.
    pub(crate) fn crash(&mut self, dead: &[usize]) {
        for &at in dead {
            self.nodes[at] = None;
        }
        for &at in dead {
            for (other, link) in std::mem::take(&mut self.links[at]) {
                let time = self.now + Micros(u64::from(self.rng.below(100_000)));
                let (peer, end) = (self.id(at), LinkEnd::Lost);
                self.at(time, Event::Closed { at: other, peer, link, end });
                self.unpair(at, other, link);
            }
        }
    }

    /// Cuts the network by group, or heals it where all are in one.
    pub(crate) fn partition(&mut self, group_of: impl Fn(usize) -> u8) {
        for at in 0..self.nodes.len() {
            self.groups[at] = group_of(at);
        }
        for at in 0..self.nodes.len() {
            let cut: Vec<(usize, u64)> = self.links[at]
                .iter()
                .filter(|(other, _)| self.groups[**other] != self.groups[at])
                .map(|(other, link)| (*other, *link))
                .collect();
            for (other, link) in cut {
                let time = self.now + Micros(u64::from(self.rng.below(100_000)));
                let (peer, end) = (self.id(other), LinkEnd::Lost);
                self.at(time, Event::Closed { at, peer, link, end });
                self.unpair(at, other, link);
            }
        }
    }

    pub(crate) fn alive(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|at| self.nodes[*at].is_some()).collect()
    }

    pub(crate) fn neighbours(&self, at: usize) -> Vec<usize> {
        self.nodes[at]
            .iter()
            .flat_map(|node| node.neighbours())
            .filter(|other| *other == self.id(number(*other)))
            .map(number)
            .filter(|other| self.nodes[*other].is_some())
            .collect()
    }

    /// The sizes of the components, largest first.
    pub(crate) fn components(&self) -> Vec<usize> {
        let mut edges: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for at in self.alive() {
            for other in self.neighbours(at) {
                edges.entry(at).or_default().insert(other);
                edges.entry(other).or_default().insert(at);
            }
        }
        let mut left: BTreeSet<usize> = self.alive().into_iter().collect();
        let mut sizes = Vec::new();
        while let Some(start) = left.pop_first() {
            let mut stack = vec![start];
            let mut size = 0;
            while let Some(at) = stack.pop() {
                size += 1;
                for other in edges.get(&at).into_iter().flatten() {
                    if left.remove(other) {
                        stack.push(*other);
                    }
                }
            }
            sizes.push(size);
        }
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes
    }

    /// Ends of links between neighbours that the other end does not take for a neighbour.
    pub(crate) fn one_sided(&self) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for at in self.alive() {
            for other in self.nodes[at].iter().flat_map(|node| node.neighbours()).map(number) {
                if !self.neighbours(other).contains(&at) {
                    found.push((at, other));
                }
            }
        }
        found
    }

    /// Mean and longest shortest way from that node.
    pub(crate) fn ways(&self, from: usize) -> (f64, usize) {
        let mut far = BTreeMap::from([(from, 0_usize)]);
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            for other in self.neighbours(at) {
                if !far.contains_key(&other) {
                    far.insert(other, far[&at] + 1);
                    queue.push_back(other);
                }
            }
        }
        let sum: usize = far.values().sum();
        let longest = far.values().max().copied().unwrap_or(0);
        (sum as f64 / (far.len().max(2) - 1) as f64, longest)
    }
}
