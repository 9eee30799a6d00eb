//! Who is in the cluster: a table of members kept alike on every node.
//!
//! News goes to neighbours at once and on by rounds, told to each neighbour once and to so many in
//! all; every half a minute two neighbours compare digests, and what differs travels. Nobody ever
//! sends the whole table to everybody. Nothing here dials: links are the overlays' business.

mod announce;
mod bugs;
mod exchange;
mod io;
mod merge;
mod options;
mod record;
mod rumours;
mod table;

use std::collections::BTreeSet;

use foundation_machine::{Micros, NodeNo, PeerId, Rng, Timers};

pub use bugs::ROSTER_BUGS;
pub use io::{
    BUCKETS_MAX, RECORDS_MAX, RosterCounters, RosterEvent, RosterInput, RosterMessage, RosterOutput,
};
pub use options::RosterOptions;
pub use record::{Claim, DownReason, Mark, MemberRecord, MemberStatus, SUSPECTORS_MAX};

use exchange::Exchanges;
use rumours::Rumours;
use table::Table;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Round,
    AntiEntropy,
    ExchangeTimeout,
    Expiry,
    Contest(NodeNo),
}

/// The members of the cluster as one node knows them.
///
/// A member's life never comes back once it has left, was evicted or was replaced by a later one.
/// A later life always can, and replaces the earlier one at once. A member found failed comes
/// back in the same life only by its own word, which it gives when the verdict comes to its ears:
/// so a healed cut needs no restart. Where a verdict comes from elsewhere about a member that
/// nobody here suspected, the member is suspect first and has [`RosterOptions::contest`] to
/// answer.
///
/// Digests tell members apart by their lives: lives have to be random (`NodeLife::random`).
#[derive(Debug)]
pub struct Roster {
    options: RosterOptions,
    own: MemberRecord,
    rng: Rng,
    timers: Timers<Timer>,
    table: Table,
    neighbours: BTreeSet<PeerId>,
    /// Neighbours that rely on this node.
    reliers: BTreeSet<PeerId>,
    /// What they have not been told yet.
    untold: BTreeSet<NodeNo>,
    rumours: Rumours,
    exchanges: Exchanges,
    /// Members that have to answer a verdict.
    contested: BTreeSet<NodeNo>,
    counters: RosterCounters,
    is_removed: bool,
    /// Something is new since the last round.
    is_fresh: bool,
    /// The last round told so much that the next one waits until then.
    busy_until: Micros,
}

impl Roster {
    /// A roster that knows its own node alone. `own`'s life has to have random bits.
    #[must_use]
    pub fn new(options: RosterOptions, own: PeerId, rng: Rng, now: Micros) -> Roster {
        let mut roster = Roster {
            options,
            own: MemberRecord::alive(own),
            rng,
            timers: Timers::default(),
            table: Table::default(),
            neighbours: BTreeSet::new(),
            reliers: BTreeSet::new(),
            untold: BTreeSet::new(),
            rumours: Rumours::default(),
            exchanges: Exchanges::default(),
            contested: BTreeSet::new(),
            counters: RosterCounters::default(),
            is_removed: false,
            is_fresh: false,
            busy_until: Micros(0),
        };
        let first = roster.jittered(options.anti_entropy);
        roster.timers.set(Timer::AntiEntropy, now + first);
        roster
    }

    /// When the roster wants [`RosterInput::Due`].
    #[must_use]
    pub fn due(&self) -> Micros {
        self.timers.due()
    }

    /// Advances by one input. Total: it never fails, whatever comes.
    pub fn handle(&mut self, input: RosterInput, now: Micros, out: &mut Vec<RosterOutput>) {
        match input {
            RosterInput::NeighbourUp(peer) => self.on_neighbour_up(peer, now, out),
            RosterInput::Relies(peer) if self.neighbours.contains(&peer) => {
                self.reliers.insert(peer);
            }
            RosterInput::RelyOn(peer) if self.neighbours.contains(&peer) => {
                self.exchanges.wait(peer, self.options.exchanges_waiting_max);
            }
            RosterInput::Relies(_) | RosterInput::RelyOn(_) => self.counters.refused += 1,
            RosterInput::NeighbourDown(peer) => self.on_neighbour_down(peer),
            RosterInput::Received { from, message } => self.on_message(from, message, now, out),
            RosterInput::Busy(0) => self.claim(Claim::Alive, now),
            RosterInput::Busy(isolates) => self.claim(Claim::Busy(isolates), now),
            RosterInput::Leave => self.claim(Claim::Leaving, now),
            RosterInput::Suspect(peer) => self.on_suspect(peer, now, out),
            RosterInput::Alive(peer) => self.on_alive(peer, out),
            RosterInput::Down(peer) => self.conclude(peer, Mark::Failed, now, out),
            RosterInput::Left(peer) => {
                self.conclude(peer, Mark::Removed(DownReason::Left), now, out);
            }
            RosterInput::Evict(peer) => {
                self.conclude(peer, Mark::Removed(DownReason::Evicted), now, out);
            }
            RosterInput::Due => {}
        }
        while let Some(timer) = self.timers.pop(now) {
            self.on_timer(timer, now, out);
        }
        self.begin_exchange(now, out);
    }

    fn on_timer(&mut self, timer: Timer, now: Micros, out: &mut Vec<RosterOutput>) {
        match timer {
            Timer::Round => self.round(now, out),
            Timer::AntiEntropy => {
                let neighbours: Vec<PeerId> = self.neighbours.iter().copied().collect();
                if let Some(&peer) = self.rng.pick(&neighbours) {
                    self.exchanges.wait(peer, self.options.exchanges_waiting_max);
                }
                let next = self.jittered(self.options.anti_entropy);
                self.timers.set(Timer::AntiEntropy, now + next);
            }
            Timer::ExchangeTimeout => {
                self.exchanges.current = None;
                self.counters.exchanges_timed_out += 1;
            }
            Timer::Expiry => self.expire(now),
            Timer::Contest(node) => self.on_contest(node, now, out),
        }
    }

    fn on_message(
        &mut self,
        from: PeerId,
        message: RosterMessage,
        now: Micros,
        out: &mut Vec<RosterOutput>,
    ) {
        if !is_well_formed(&message) {
            self.counters.malformed += 1;
            return;
        }
        match message {
            RosterMessage::News { records } => {
                for record in records {
                    self.learn(record, Some(from), false, now, out);
                }
            }
            RosterMessage::Digest { members, hash } => {
                let digest = self.digest();
                let message = if digest == (RosterMessage::Digest { members, hash }) {
                    RosterMessage::Same
                } else {
                    RosterMessage::Buckets { hashes: self.bucket_hashes(self.bucket_count()) }
                };
                out.push(RosterOutput::Send { to: from, message });
            }
            RosterMessage::Same => {
                if self.end_exchange(from) {
                    self.counters.exchanges_same += 1;
                }
            }
            RosterMessage::Buckets { hashes } => self.on_buckets(from, &hashes, out),
            RosterMessage::Sync { buckets, of, hashes } => {
                let (missing, wanted) = self.compare(usize::from(buckets), &of, &hashes);
                self.answer_sync(from, missing, wanted, out);
            }
            RosterMessage::Missing { records, wanted, more } => {
                self.learn_exchanged(records, from, now, out);
                let records = self.records_of(&wanted);
                if !records.is_empty() {
                    let message = RosterMessage::Found { records };
                    out.push(RosterOutput::Send { to: from, message });
                }
                self.on_missing_end(from, more);
            }
            RosterMessage::Found { records } => self.learn_exchanged(records, from, now, out),
        }
    }

    // Exchanges.

    fn begin_exchange(&mut self, now: Micros, out: &mut Vec<RosterOutput>) {
        let Some(to) = self.exchanges.next() else { return };
        out.push(RosterOutput::Send { to, message: self.digest() });
        self.timers.set(Timer::ExchangeTimeout, now + self.options.exchange_timeout);
    }

    fn end_exchange(&mut self, with: PeerId) -> bool {
        if !self.exchanges.is_with(with) {
            self.counters.exchanges_late += 1;
            return false;
        }
        self.exchanges.current = None;
        self.timers.cancel(&Timer::ExchangeTimeout);
        true
    }

    fn on_buckets(&mut self, from: PeerId, hashes: &[u64], out: &mut Vec<RosterOutput>) {
        let messages = self.sync_messages(hashes);
        match self.exchanges.current.as_mut() {
            Some(current) if current.with == from && current.open == 0 => {
                current.open = messages.len();
            }
            _ => {
                self.counters.exchanges_late += 1;
                return;
            }
        }
        self.counters.exchanges_different += 1;
        if messages.is_empty() {
            self.end_exchange(from);
        }
        for message in messages {
            out.push(RosterOutput::Send { to: from, message });
        }
    }

    fn answer_sync(
        &mut self,
        to: PeerId,
        mut missing: Vec<MemberRecord>,
        mut wanted: Vec<u64>,
        out: &mut Vec<RosterOutput>,
    ) {
        loop {
            let rest = missing.split_off(missing.len().min(RECORDS_MAX));
            let (more, wanted) = (!rest.is_empty(), std::mem::take(&mut wanted));
            let message = RosterMessage::Missing { records: missing, wanted, more };
            out.push(RosterOutput::Send { to, message });
            if !more {
                return;
            }
            missing = rest;
        }
    }

    fn on_missing_end(&mut self, from: PeerId, more: bool) {
        let is_last = match self.exchanges.current.as_mut() {
            Some(current) if current.with == from && current.open > 0 => {
                current.open -= usize::from(!more);
                current.open == 0
            }
            // The answer to an exchange that was given up is welcome all the same.
            _ => false,
        };
        if is_last {
            self.end_exchange(from);
        }
    }

    /// Records of an exchange: few are news to pass on; many are what a whole side did not know,
    /// and the neighbours that lack them too find out by exchanges of their own. What the other
    /// side has up and this one knows to be down, the other side hears.
    fn learn_exchanged(
        &mut self,
        records: Vec<MemberRecord>,
        from: PeerId,
        now: Micros,
        out: &mut Vec<RosterOutput>,
    ) {
        let are_down =
            |record: &MemberRecord| self.better_than(record).filter(MemberRecord::is_down);
        let down: Vec<MemberRecord> = records.iter().filter_map(are_down).collect();
        if !down.is_empty() {
            let message = RosterMessage::News { records: down };
            out.push(RosterOutput::Send { to: from, message });
        }
        let is_bulk = records.len() > self.options.bulk_records;
        let mut has_learned = false;
        for record in records {
            has_learned |= self.learn(record, Some(from), is_bulk, now, out);
        }
        if is_bulk && has_learned {
            let mut others: Vec<PeerId> = self.neighbours.iter().copied().collect();
            others.retain(|&peer| peer != from);
            let waiting_max = self.options.exchanges_waiting_max;
            for peer in self.rng.sample(&others, waiting_max) {
                self.exchanges.wait(peer, waiting_max);
            }
        }
    }

    // News.

    /// Something is new about a node; it came from a neighbour or arose here.
    fn tell(&mut self, node: NodeNo, from: Option<PeerId>, now: Micros) {
        let budget = self.options.retransmit_factor * decimal_digits(self.table.up() + 1);
        self.rumours.add(node, from, budget);
        self.is_fresh = true;
        self.tell_reliers(node);
        self.set_round(now);
    }

    fn set_round(&mut self, now: Micros) {
        let spread = self.options.batch_max.since(self.options.batch_min).0;
        let wait = self.options.batch_min.0 + u64::from(self.rng.below(spread as u32 + 1));
        let at = self.busy_until.max(now + Micros(wait));
        if self.timers.at(&Timer::Round).is_none_or(|set| set > at) {
            self.timers.set(Timer::Round, at);
        }
    }

    /// Something changed about a node: whoever relies on this one is told, without a budget.
    fn tell_reliers(&mut self, node: NodeNo) {
        if !self.reliers.is_empty() {
            self.untold.insert(node);
        }
    }

    fn round_of_reliers(&mut self, out: &mut Vec<RosterOutput>) {
        let untold: Vec<NodeNo> = std::mem::take(&mut self.untold).into_iter().collect();
        for &to in &self.reliers {
            let is_its_own = |node: &&NodeNo| {
                self.table.get(**node).is_some_and(|member| member.via == Some(to))
            };
            let nodes: Vec<&NodeNo> = untold.iter().filter(|node| !is_its_own(node)).collect();
            for nodes in nodes.chunks(RECORDS_MAX) {
                let records = nodes.iter().filter_map(|node| self.news_of(**node)).collect();
                out.push(RosterOutput::Send { to, message: RosterMessage::News { records } });
            }
        }
    }

    fn round(&mut self, now: Micros, out: &mut Vec<RosterOutput>) {
        self.round_of_reliers(out);
        let is_fresh = std::mem::take(&mut self.is_fresh);
        let fanout = if is_fresh { self.options.fanout_fresh } else { self.options.fanout };
        let mut order: Vec<PeerId> = self.told_by_rumour().copied().collect();
        self.rng.shuffle(&mut order);
        let (mut told, mut pieces) = (0, 0);
        for to in order {
            if told == fanout {
                break;
            }
            let nodes = self.rumours.take_for(to);
            let records: Vec<MemberRecord> =
                nodes.into_iter().filter_map(|node| self.news_of(node)).collect();
            if !records.is_empty() {
                told += 1;
                pieces = pieces.max(records.len() as u64);
                out.push(RosterOutput::Send { to, message: RosterMessage::News { records } });
                if self.options.planted.is("roster_tells_one_neighbour") {
                    self.rumours.clear();
                }
            }
        }
        let wait = Micros(pieces * self.options.batch_piece.0);
        self.busy_until = now + wait.min(self.options.batch_busy_max);
        self.settle_rumours();
        if !self.rumours.is_empty() {
            let next = self.jittered(self.options.round);
            self.timers.set(Timer::Round, now + next);
        }
    }

    fn news_of(&self, node: NodeNo) -> Option<MemberRecord> {
        if node == self.own.peer.node {
            return Some(self.own.clone());
        }
        Some(self.table.get(node)?.news().clone())
    }

    // Neighbours.

    fn on_neighbour_up(&mut self, peer: PeerId, now: Micros, out: &mut Vec<RosterOutput>) {
        if peer.node == self.own.peer.node || self.neighbours.len() >= self.options.members_max {
            self.counters.refused += 1;
            return;
        }
        self.neighbours.insert(peer);
        let hello = MemberRecord::alive(peer);
        let is_against = |held: &MemberRecord| held.mark != Mark::Clear || held.peer != peer;
        if let Some(better) = self.better_than(&hello).filter(is_against) {
            // The peer hears what is held against it, and answers if it can.
            let message = RosterMessage::News { records: vec![better] };
            out.push(RosterOutput::Send { to: peer, message });
        }
        self.learn(hello, Some(peer), false, now, out);
        // It may be the first way for a verdict to come to the ears of its member.
        for node in self.contested.clone() {
            self.tell(node, None, now);
        }
        // One side begins; the one that started later mostly knows less.
        if self.own.peer.life >= peer.life {
            self.exchanges.wait(peer, self.options.exchanges_waiting_max);
        }
    }

    fn on_neighbour_down(&mut self, peer: PeerId) {
        self.neighbours.remove(&peer);
        self.reliers.remove(&peer);
        if self.reliers.is_empty() {
            self.untold.clear();
        }
        if self.exchanges.is_with(peer) {
            self.timers.cancel(&Timer::ExchangeTimeout);
        }
        self.exchanges.forget(peer);
        self.settle_rumours();
    }

    fn told_by_rumour(&self) -> impl Iterator<Item = &PeerId> {
        self.neighbours.difference(&self.reliers)
    }

    fn settle_rumours(&mut self) {
        let told: Vec<PeerId> = self.told_by_rumour().copied().collect();
        self.rumours.settle(&told);
    }

    // Time.

    /// Tombstones that are too old or too many give way.
    fn expire(&mut self, now: Micros) {
        let forgets = self.options.planted.is("roster_forgets_gone_lives");
        while let Some(since) = self.table.earliest_tombstone() {
            let is_old = since + self.options.tombstone <= now;
            if !is_old && self.table.tombstones() <= self.options.tombstones_max {
                self.timers.set(Timer::Expiry, since + self.options.tombstone);
                return;
            }
            self.counters.forgotten += self.table.bury(self.options.members_max, forgets);
        }
    }

    /// Within a tenth around the period, so that nodes do not fall into step.
    fn jittered(&mut self, period: Micros) -> Micros {
        let tenth = u32::try_from(period.0 / 10).unwrap_or(u32::MAX);
        Micros(period.0 - u64::from(tenth) + u64::from(self.rng.below(tenth * 2 + 1)))
    }

    fn ignores_word(&self) -> bool {
        self.options.planted.is("roster_digest_of_lives_only")
    }

    fn count_up(&self) -> u32 {
        self.table.up() as u32 + 1
    }

    // Views.

    /// This node as it describes itself.
    #[must_use]
    pub fn own(&self) -> &MemberRecord {
        &self.own
    }

    /// Members that are up, this node among them.
    #[must_use]
    pub fn size(&self) -> usize {
        self.table.up() + 1
    }

    /// The other members and tombstones, by node.
    pub fn members(&self) -> impl Iterator<Item = (PeerId, MemberStatus)> {
        self.table.iter().map(|member| (member.record.peer, member.status()))
    }

    /// The other members that are up, by node.
    pub fn members_up(&self) -> impl Iterator<Item = PeerId> {
        self.members().filter(|(_, status)| status.is_up()).map(|(peer, _)| peer)
    }

    /// The record held of a node other than this one.
    #[must_use]
    pub fn record(&self, node: NodeNo) -> Option<&MemberRecord> {
        self.table.get(node).map(|member| &member.record)
    }

    /// That life's state; nothing where another life of the node is held, or none.
    #[must_use]
    pub fn status(&self, peer: PeerId) -> Option<MemberStatus> {
        let member = self.table.get(peer.node)?;
        (member.record.peer == peer).then(|| member.status())
    }

    /// Whether the others have removed this node's own life.
    #[must_use]
    pub fn has_been_removed(&self) -> bool {
        self.is_removed
    }

    /// Whether that life was found failed, and may come back by its own word.
    #[must_use]
    pub fn is_lost(&self, peer: PeerId) -> bool {
        self.status(peer) == Some(MemberStatus::Down(DownReason::Failed))
            || self.table.failed_term(peer).is_some()
    }

    /// Lives that were found failed and may come back, as those beyond a cut do.
    pub fn lost(&self) -> impl Iterator<Item = PeerId> {
        let held = self.members().map(|(peer, _)| peer).filter(|peer| self.is_lost(*peer));
        held.chain(self.table.failed_and_forgotten())
    }

    /// What a node has to hear that turns up in that life, which is removed.
    #[must_use]
    pub fn removal(&self, peer: PeerId) -> Option<RosterMessage> {
        let better =
            self.better_than(&MemberRecord::alive(peer)).filter(|_| self.is_removed(peer))?;
        Some(RosterMessage::News { records: vec![better] })
    }

    /// The life of a node that is up.
    #[must_use]
    pub fn life_of(&self, node: NodeNo) -> Option<PeerId> {
        let member = self.table.get(node)?;
        member.status().is_up().then_some(member.record.peer)
    }

    /// Whether that life is gone for good and has to be turned away.
    #[must_use]
    pub fn is_removed(&self, peer: PeerId) -> bool {
        let held = self.table.get(peer.node).map(|member| &member.record);
        self.table.is_gone(peer)
            || held.is_some_and(|held| {
                held.peer.is_later_life_of(peer)
                    || (held.peer == peer && matches!(held.mark, Mark::Removed(_)))
            })
    }

    /// The neighbour that the newest record of a node came from: a first choice for relaying.
    #[must_use]
    pub fn heard_from(&self, node: NodeNo) -> Option<PeerId> {
        self.table.get(node).and_then(|member| member.via)
    }

    /// Neighbours that news goes to.
    #[must_use]
    pub fn neighbours(&self) -> &BTreeSet<PeerId> {
        &self.neighbours
    }

    /// News on its way, tombstones, exchanges that wait: what has to stay bounded.
    #[must_use]
    pub fn queued(&self) -> (usize, usize, usize) {
        (self.rumours.len(), self.table.tombstones(), self.exchanges.waiting())
    }

    /// What was refused or seen so far.
    #[must_use]
    pub fn counters(&self) -> RosterCounters {
        self.counters
    }
}

/// How many digits the number has: for a size n that is ceil(log10(n + 1)).
fn decimal_digits(number: usize) -> u32 {
    number.checked_ilog10().map_or(1, |log| log + 1)
}

fn is_well_formed(message: &RosterMessage) -> bool {
    let is_record = |record: &MemberRecord| {
        let names_some = record.suspectors.len();
        names_some <= SUSPECTORS_MAX && (record.mark == Mark::Suspect || names_some == 0)
    };
    let are_records =
        |list: &[MemberRecord]| list.len() <= RECORDS_MAX && list.iter().all(is_record);
    let is_bucket_count = |count: usize| count.is_power_of_two() && count <= BUCKETS_MAX;
    match message {
        RosterMessage::News { records } | RosterMessage::Found { records } => are_records(records),
        RosterMessage::Missing { records, wanted, .. } => {
            are_records(records) && wanted.len() <= RECORDS_MAX
        }
        RosterMessage::Digest { .. } | RosterMessage::Same => true,
        RosterMessage::Buckets { hashes } => is_bucket_count(hashes.len()),
        RosterMessage::Sync { buckets, of, hashes } => {
            is_bucket_count(usize::from(*buckets))
                && of.len() <= usize::from(*buckets)
                && of.iter().all(|bucket| bucket < buckets)
                && hashes.len() <= RECORDS_MAX
        }
    }
}
