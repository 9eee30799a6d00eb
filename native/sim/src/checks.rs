//! What must hold at a node after each of its steps.

use foundation_machine::{Micros, NodeLife, PeerId};

use crate::ledger::Ledger;
use crate::subject::{Gauge, News, Subject};
use crate::world::{Observer, Step};

/// What a node has told its application of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Up(NodeLife),
    Down { life: NodeLife, is_final: bool },
}

/// Both views of a node in an overlay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Views {
    active: Vec<PeerId>,
    passive: Vec<PeerId>,
}

/// What is checked beside that which always is.
#[derive(Clone, Copy, Debug)]
pub struct ChecksOptions {
    /// Nodes keep a roster, so that news of a node frame all that comes from it.
    pub has_roster: bool,
}

/// Looks at a node after each of its steps, and books what applications hear.
#[derive(Debug)]
pub struct Checks {
    /// What was sent and what became of it.
    pub ledger: Ledger,
    /// Times at which a node told that another is down, with who told it of whom.
    pub downs: Vec<(Micros, u32, PeerId)>,
    /// Times at which a node told that another is up, with who told it of whom.
    pub ups: Vec<(Micros, u32, PeerId)>,
    /// Times at which a node told that it suspects another, with who told it of whom.
    pub suspects: Vec<(Micros, u32, PeerId)>,
    /// Nodes that were told that the others have taken them out; the run's to take.
    pub removed: Vec<u32>,
    /// Whether the two lists of times above are kept.
    pub keeps_news: bool,
    /// The latest epoch that each node told of, by overlay.
    pub epochs: Vec<Vec<u64>>,
    options: ChecksOptions,
    lives: Vec<NodeLife>,
    // By node and by whom it was told of: of thousands of nodes each hears of few.
    told: Vec<std::collections::BTreeMap<u32, Told>>,
    last_route: std::collections::BTreeMap<(u32, PeerId), u64>,
    // By node and overlay: the version of the views that were last checked.
    seen: Vec<Vec<Option<(u64, u64)>>>,
    views: Views,
    gauges: Vec<Gauge>,
}

impl Checks {
    /// Checks of a run that begins.
    #[must_use]
    pub fn new(options: ChecksOptions) -> Checks {
        Checks {
            ledger: Ledger::default(),
            downs: Vec::new(),
            ups: Vec::new(),
            suspects: Vec::new(),
            removed: Vec::new(),
            keeps_news: false,
            epochs: Vec::new(),
            options,
            lives: Vec::new(),
            told: Vec::new(),
            last_route: std::collections::BTreeMap::new(),
            seen: Vec::new(),
            views: Views::default(),
            gauges: Vec::new(),
        }
    }

    fn views<S: Subject>(&mut self, step: &Step<'_, S>) -> Result<(), String> {
        for overlay in 0..step.subject.overlays() {
            if self.are_seen(step, overlay) {
                continue;
            }
            let Views { active, passive } = &mut self.views;
            active.clear();
            passive.clear();
            step.subject.active(overlay, active);
            step.subject.passive(overlay, passive);
            let Views { active, passive } = &mut self.views;
            for (name, view) in [("active", &mut *active), ("passive", &mut *passive)] {
                view.sort_unstable();
                if view.iter().any(|it| it.node == step.id.node) {
                    return Err(format!("is in its own {name} view of overlay {overlay}"));
                }
                if let Some(two) = view.windows(2).find(|two| two[0].node == two[1].node) {
                    return Err(format!("has {two:?} in one {name} view of overlay {overlay}"));
                }
            }
            let both = active.iter().find(|it| passive.binary_search(it).is_ok());
            if let Some(peer) = both {
                return Err(format!("has {peer:?} in both views of overlay {overlay}"));
            }
        }
        Ok(())
    }

    /// Whether the views are as they were checked last; from now on they count as checked.
    fn are_seen<S: Subject>(&mut self, step: &Step<'_, S>, overlay: usize) -> bool {
        let node = step.node as usize;
        if self.seen.len() <= node {
            self.seen.resize_with(node + 1, Vec::new);
        }
        let row = &mut self.seen[node];
        if row.len() <= overlay {
            row.resize(overlay + 1, None);
        }
        let version = step.subject.views_version(overlay);
        version.is_some() && std::mem::replace(&mut row[overlay], version) == version
    }

    fn bounds<S: Subject>(&mut self, step: &Step<'_, S>) -> Result<(), String> {
        self.gauges.clear();
        step.subject.gauges(&mut self.gauges);
        match self.gauges.iter().find(|gauge| gauge.size > gauge.limit) {
            Some(Gauge { name, size, limit }) => Err(format!("{name}: {size} of {limit}")),
            None => Ok(()),
        }
    }

    fn told(&mut self, node: u32, of: PeerId) -> &mut Told {
        if self.told.len() <= node as usize {
            self.told.resize_with(node as usize + 1, Default::default);
        }
        self.told[node as usize].entry(of.node.0).or_insert(Told::Nothing)
    }

    fn up<S: Subject>(&mut self, step: &Step<'_, S>, peer: PeerId) -> Result<(), String> {
        let real = self.lives.get(peer.node.0 as usize).copied().unwrap_or_default();
        if peer.life > real {
            return Err(format!("tells up {peer:?}, a life that never was"));
        }
        if peer.node == step.id.node {
            return Err(format!("tells itself up as {peer:?}"));
        }
        // Without a roster the news are of links, and those come again.
        let may_return = !self.options.has_roster;
        let told = self.told(step.node, peer);
        let is_fresh = match *told {
            Told::Nothing => true,
            Told::Up(_) => false,
            Told::Down { life, is_final } => {
                life < peer.life || (life == peer.life && (may_return || !is_final))
            }
        };
        if !is_fresh {
            return Err(format!("tells up {peer:?} after {told:?}"));
        }
        *told = Told::Up(peer.life);
        if self.keeps_news {
            self.ups.push((step.now, step.node, peer));
        }
        Ok(())
    }

    fn down<S: Subject>(
        &mut self,
        step: &Step<'_, S>,
        peer: PeerId,
        is_final: bool,
    ) -> Result<(), String> {
        let told = self.told(step.node, peer);
        if *told != Told::Up(peer.life) {
            return Err(format!("tells down {peer:?} after {told:?}"));
        }
        *told = Told::Down { life: peer.life, is_final };
        if self.keeps_news {
            self.downs.push((step.now, step.node, peer));
        }
        Ok(())
    }

    /// Between up and down of its sender comes everything else.
    fn framed<S: Subject>(&mut self, step: &Step<'_, S>, origin: PeerId) -> Result<(), String> {
        if !self.options.has_roster {
            return Ok(());
        }
        match *self.told(step.node, origin) {
            Told::Up(life) if life == origin.life => Ok(()),
            told => Err(format!("hears from {origin:?} after {told:?}")),
        }
    }

    fn news<S: Subject>(&mut self, step: &Step<'_, S>, news: News) -> Result<(), String> {
        match news {
            News::Up(peer) => self.up(step, peer),
            News::Down { peer, is_final } => self.down(step, peer, is_final),
            News::Suspect(peer) => {
                if self.keeps_news {
                    self.suspects.push((step.now, step.node, peer));
                }
                Ok(())
            }
            News::Removed => {
                self.removed.push(step.node);
                Ok(())
            }
            News::Busy(peer, _) => self.framed(step, peer),
            News::Broadcast { origin, payload, hops } => {
                self.framed(step, origin)?;
                self.ledger.broadcast_came(payload, origin, step.node, hops, step.now)
            }
            News::Routed { origin, payload, hops } => {
                self.framed(step, origin)?;
                self.ledger.routed_came(payload, origin, step.id, hops, step.now)?;
                let last = self.last_route.insert((step.node, origin), payload).unwrap_or(0);
                if last > payload {
                    return Err(format!("hears {origin:?}'s route {payload} after {last}"));
                }
                Ok(())
            }
            News::Unroutable { payload } => self.ledger.given_up(payload, step.id),
            News::Switched { overlay, epoch } => self.switched(step.node, overlay, epoch),
            News::RolledBack { .. } => Ok(()),
        }
    }

    fn switched(&mut self, node: u32, overlay: u8, epoch: u64) -> Result<(), String> {
        if self.epochs.len() <= node as usize {
            self.epochs.resize(node as usize + 1, Vec::new());
        }
        let row = &mut self.epochs[node as usize];
        if row.len() <= overlay as usize {
            row.resize(overlay as usize + 1, 0);
        }
        let before = std::mem::replace(&mut row[overlay as usize], epoch);
        // Two may propose one of the same number at once, and both be committed: of epochs of one
        // number a node's watch knows the order.
        if before > epoch {
            return Err(format!("switches overlay {overlay} from epoch {before} to {epoch}"));
        }
        Ok(())
    }
}

impl<S: Subject> Observer<S> for Checks {
    fn stepped(&mut self, step: &Step<'_, S>) -> Result<(), String> {
        for &news in step.news {
            self.news(step, news)?;
        }
        self.views(step)?;
        self.bounds(step)
    }

    fn started(&mut self, node: u32, id: PeerId, _: Micros) {
        if self.lives.len() <= node as usize {
            self.lives.resize(node as usize + 1, NodeLife::default());
        }
        self.lives[node as usize] = id.life;
        if let Some(row) = self.told.get_mut(node as usize) {
            row.clear();
        }
        if let Some(row) = self.epochs.get_mut(node as usize) {
            row.clear();
        }
        if let Some(row) = self.seen.get_mut(node as usize) {
            row.clear();
        }
        self.last_route.retain(|&(receiver, _), _| receiver != node);
        self.ledger.forget(node);
    }
}
