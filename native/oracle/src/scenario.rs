//! One scenario, the same for each system: nodes come, one broadcasts, many do, some crash at
//! once, the rest heals, others come.

use std::collections::{BTreeMap, BTreeSet};

use foundation_machine::Rng;

use crate::swarm::Swarm;

/// What the broadcasts of one phase came to.
#[derive(Clone, Debug, Default)]
pub struct Phase {
    pub broadcasts: u32,
    /// Living nodes that were not reached, over all broadcasts.
    pub missed: u32,
    pub doubled: u32,
    /// Sums over the broadcasts, for the means.
    rmr: f64,
    ldh: f64,
    millis: f64,
}

impl Phase {
    pub fn rmr(&self) -> f64 {
        self.rmr / f64::from(self.broadcasts.max(1))
    }

    pub fn ldh(&self) -> f64 {
        self.ldh / f64::from(self.broadcasts.max(1))
    }

    pub fn millis(&self) -> f64 {
        self.millis / f64::from(self.broadcasts.max(1))
    }

    pub fn add(&mut self, other: &Phase) {
        self.broadcasts += other.broadcasts;
        self.missed += other.missed;
        self.doubled += other.doubled;
        self.rmr += other.rmr;
        self.ldh += other.ldh;
        self.millis += other.millis;
    }
}

/// The paper's active view, which is both systems' default.
pub const VIEW_MAX: usize = 5;

/// The phases, in order.
pub const PHASES: [&str; 6] =
    ["first", "one sender", "many senders", "after a crash", "healed", "after joins"];

/// What came out of one scenario.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub phases: [Phase; PHASES.len()],
    /// The largest active view seen.
    pub view_max: usize,
    /// Links that only one end has in its view, once all is quiet.
    pub one_sided: usize,
    /// Parts of the overlay once it had time to heal; 1 is whole.
    pub parts: usize,
}

/// Plays the scenario of that seed.
pub fn play(swarm: &mut dyn Swarm, seed: u64, nodes: u32) -> Outcome {
    let mut rng = Rng::of_stream(seed, 9);
    let mut outcome = Outcome::default();
    for node in 0..nodes {
        swarm.start(node, (node > 0).then(|| rng.below(node)));
        swarm.run_for(20);
    }
    swarm.run_for(90_000);
    look(swarm, &mut outcome);
    let sender = rng.below(nodes);
    outcome.phases[0] = phase(swarm, 1, |_| sender);
    outcome.phases[1] = phase(swarm, 10, |_| sender);
    outcome.phases[2] = phase(swarm, 20, |alive| pick(&mut rng, alive));
    let count = nodes * (10 + rng.below(30)) / 100;
    let all: Vec<u32> = swarm.alive().into_iter().collect();
    for node in rng.sample(&all, count as usize) {
        swarm.crash(node);
    }
    swarm.run_for(100);
    outcome.phases[3] = phase(swarm, 1, |alive| pick(&mut rng, alive));
    swarm.run_for(90_000);
    look(swarm, &mut outcome);
    outcome.phases[4] = phase(swarm, 10, |alive| pick(&mut rng, alive));
    for node in nodes..nodes + nodes / 10 {
        let contact = pick(&mut rng, &swarm.alive());
        swarm.start(node, Some(contact));
        swarm.run_for(20);
    }
    swarm.run_for(2_000);
    outcome.phases[5] = phase(swarm, 10, |alive| pick(&mut rng, alive));
    outcome
}

fn pick(rng: &mut Rng, alive: &BTreeSet<u32>) -> u32 {
    let alive: Vec<u32> = alive.iter().copied().collect();
    rng.pick(&alive).copied().unwrap_or(0)
}

fn phase(
    swarm: &mut dyn Swarm,
    broadcasts: u32,
    mut sender: impl FnMut(&BTreeSet<u32>) -> u32,
) -> Phase {
    let mut phase = Phase { broadcasts, ..Phase::default() };
    for _ in 0..broadcasts {
        let from = sender(&swarm.alive());
        swarm.broadcast(from);
        swarm.run_for(5_000);
        let tally = swarm.tally();
        let missed =
            swarm.alive().into_iter().filter(|id| *id != from && !tally.hops.contains_key(id));
        phase.missed += missed.count() as u32;
        phase.doubled += tally.doubled;
        phase.rmr += tally.rmr();
        phase.ldh += f64::from(tally.ldh());
        phase.millis += tally.millis() as f64;
    }
    phase
}

/// The overlay as it is while nothing happens.
fn look(swarm: &dyn Swarm, outcome: &mut Outcome) {
    let views = swarm.views();
    let largest = views.values().map(BTreeSet::len).max().unwrap_or(0);
    outcome.view_max = outcome.view_max.max(largest);
    let is_mutual = |a: u32, b: u32| views.get(&b).is_some_and(|view| view.contains(&a));
    let all = views.iter().flat_map(|(a, view)| view.iter().map(move |b| (*a, *b)));
    outcome.one_sided += all.filter(|(a, b)| !is_mutual(*a, *b)).count();
    outcome.parts = outcome.parts.max(parts(&views));
}

fn parts(views: &BTreeMap<u32, BTreeSet<u32>>) -> usize {
    let mut rest: BTreeSet<u32> = views.keys().copied().collect();
    let mut parts = 0;
    while let Some(first) = rest.pop_first() {
        parts += 1;
        let mut pending = vec![first];
        while let Some(id) = pending.pop() {
            let view = views.get(&id).into_iter().flatten();
            pending.extend(view.filter(|next| rest.remove(next)).copied().collect::<Vec<_>>());
        }
    }
    parts
}
