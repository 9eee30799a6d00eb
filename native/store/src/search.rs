//! Finding events.

use crate::catalog::Summary;
use crate::chunks::{Part, Row};
use crate::error::{Code, Result, StoreError};
use crate::ordered::{ordered_time, text_hash};
use crate::query::Query;
use crate::record::Record;
use crate::segment::Identity;
use crate::store::{Current, Store};

/// What is answered at once. Unit: bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// An event that may be wanted: its place in the answer's order, and in the store.
struct Candidate {
    order: (u64, u64),
    segment: Identity,
    row: Row,
}

/// The query as numbers that are compared.
struct Plan<'a> {
    query: &'a Query,
    kind: Option<u64>,
    correlation: Option<u64>,
    from: u64,
    to: u64,
    /// No more candidates than these are needed.
    bound: usize,
}

impl Plan<'_> {
    fn new(query: &Query, bound: usize) -> Plan<'_> {
        Plan {
            query,
            kind: query.kind.as_deref().map(text_hash),
            correlation: query.correlation.as_deref().map(text_hash),
            from: query.times.0.map_or(0, ordered_time),
            to: query.times.1.map_or(u64::MAX, ordered_time),
            bound,
        }
    }

    /// Smaller comes first in the answer.
    fn order(&self, time: u64, id: u64) -> (u64, u64) {
        let (first, second) = if self.query.is_by_id { (id, 0) } else { (time, id) };
        if self.query.is_descending { (!first, !second) } else { (first, second) }
    }

    /// Nothing of a segment comes before this.
    fn best(&self, ids: (u64, u64), times: (u64, u64)) -> (u64, u64) {
        let (least, greatest) = if self.query.is_by_id { ids } else { times };
        if self.query.is_descending { (!greatest, 0) } else { (least, 0) }
    }

    fn takes(&self, time: u64) -> bool {
        (self.from..=self.to).contains(&time)
    }

    fn wants(&self, record: &Record<'_>) -> bool {
        let Query { kind, correlation, .. } = self.query;
        kind.as_deref().is_none_or(|kind| kind == record.kind)
            && correlation.as_deref().is_none_or(|text| Some(text) == record.correlation)
    }
}

/// Candidates, the first ones of the answer's order, and whether there may be more.
#[derive(Default)]
struct Candidates {
    list: Vec<Candidate>,
    is_cut: bool,
}

impl Candidates {
    fn add(&mut self, rows: Vec<Row>, segment: Identity, plan: &Plan<'_>) {
        let placed = |row: Row| Candidate { order: plan.order(row.time, row.id), segment, row };
        self.list.extend(rows.into_iter().map(placed));
        if self.list.len() > plan.bound {
            self.is_cut = true;
            self.list.select_nth_unstable_by_key(plan.bound, |candidate| candidate.order);
            self.list.truncate(plan.bound);
        }
        self.list.sort_unstable_by_key(|candidate| candidate.order);
    }

    /// Whether nothing from `best` on is needed any more.
    fn are_before(&self, best: (u64, u64), plan: &Plan<'_>) -> bool {
        self.list.len() >= plan.bound && self.list.last().is_none_or(|last| last.order < best)
    }
}

impl Store {
    /// The data of the events that are wanted, in order.
    ///
    /// # Errors
    /// `event_log_answer_too_large`, `data_corruption`, `event_log_failed`, `invalid_argument`.
    pub fn query(&mut self, query: &Query) -> Result<Vec<Vec<u8>>> {
        query.check()?;
        self.check_usable()?;
        let mut bound = query.offset as usize + query.limit as usize;
        loop {
            let plan = Plan::new(query, bound);
            let found = self.with_index(|store| store.candidates(&plan))?;
            let is_cut = found.is_cut;
            let answer = self.read_wanted(found.list, &plan)?;
            // Candidates share a number with what is wanted, and may turn out to be another thing.
            if answer.len() == query.limit as usize || !is_cut {
                return Ok(answer);
            }
            bound *= 2;
        }
    }

    fn read_wanted(&mut self, list: Vec<Candidate>, plan: &Plan<'_>) -> Result<Vec<Vec<u8>>> {
        let (mut answer, mut bytes, mut skipped) = (Vec::new(), 0, 0);
        for Candidate { segment, row, .. } in list {
            if answer.len() == plan.query.limit as usize {
                break;
            }
            let record = self.record(segment, row)?;
            if !plan.wants(&record) {
                continue;
            }
            if skipped < plan.query.offset {
                skipped += 1;
                continue;
            }
            bytes += record.data.len();
            if bytes > ANSWER_BYTES_MAX {
                let text = format!("more than {ANSWER_BYTES_MAX} bytes are wanted at once");
                return Err(StoreError::new(Code::AnswerTooLarge, text));
            }
            answer.push(record.data.to_vec());
        }
        Ok(answer)
    }

    /// The candidates of every segment that can have some of the first.
    fn candidates(&self, plan: &Plan<'_>) -> Result<Candidates> {
        let current = self.current.as_ref().and_then(Current::summary);
        let full = self.full.values().map(|full| full.summary);
        let mut summaries: Vec<Summary> = full
            .chain(current)
            .filter(|summary| summary.times.0 <= plan.to && summary.times.1 >= plan.from)
            .collect();
        summaries.sort_unstable_by_key(|summary| plan.best(summary.ids, summary.times));
        let mut found = Candidates::default();
        for summary in summaries {
            if found.are_before(plan.best(summary.ids, summary.times), plan) {
                found.is_cut = true;
                break;
            }
            let (mut rows, is_cut) = self.rows_of(&summary, plan)?;
            found.is_cut |= is_cut;
            self.drop_replaced(&summary, &mut rows)?;
            found.add(rows, summary.identity, plan);
        }
        Ok(found)
    }

    /// The rows of a segment that may be wanted, and whether some were left out.
    fn rows_of(&self, summary: &Summary, plan: &Plan<'_>) -> Result<(Vec<Row>, bool)> {
        let number = summary.identity.number;
        let Some(full) = self.full.get(&number) else {
            return Ok((self.current_rows(plan), false));
        };
        let catalog = self.index()?;
        let is_after_start = summary.times.0 < plan.from;
        let first =
            if is_after_start { catalog.rows_before(summary, plan.from, false)? } else { 0 };
        let is_before_end = summary.times.1 > plan.to;
        let end =
            if is_before_end { catalog.rows_before(summary, plan.to, true)? } else { summary.rows };
        let mut numbers = match (plan.correlation, plan.kind) {
            (Some(key), _) => catalog.rows_of((number, Part::Correlations, key), (first, end))?,
            (None, Some(key)) => catalog.rows_of((number, Part::Kinds, key), (first, end))?,
            (None, None) => (first..end).collect(),
        };
        let needed = plan.bound + full.replaced as usize;
        let is_cut = !plan.query.is_by_id && numbers.len() > needed;
        if plan.query.is_descending {
            numbers.reverse();
        }
        if is_cut {
            numbers.truncate(needed);
        }
        Ok((catalog.rows(number, numbers.into_iter())?, is_cut))
    }

    fn current_rows(&self, plan: &Plan<'_>) -> Vec<Row> {
        let Some(current) = &self.current else { return Vec::new() };
        let rows: Vec<Row> = match (plan.correlation, plan.kind) {
            (Some(key), _) => current.active.of_correlation(key).map(Row::from).collect(),
            (None, Some(key)) => current.active.of_kind(key).map(Row::from).collect(),
            (None, None) => current.active.newest().map(Row::from).collect(),
        };
        rows.into_iter().filter(|row| plan.takes(row.time)).collect()
    }

    /// Drops the rows of a segment whose ids were written again later.
    pub(crate) fn drop_replaced(&self, summary: &Summary, rows: &mut Vec<Row>) -> Result<()> {
        let rivals = self.rivals(summary);
        if rivals.is_empty() {
            return Ok(());
        }
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            let mut is_replaced = false;
            for rival in &rivals {
                is_replaced = is_replaced || self.has_id(*rival, row.id)?;
            }
            if !is_replaced {
                kept.push(row);
            }
        }
        *rows = kept;
        Ok(())
    }

    /// Later segments with ids from the same range: rarely any.
    pub(crate) fn rivals(&self, summary: &Summary) -> Vec<u64> {
        let number = summary.identity.number;
        let meets = |ids: (u64, u64)| ids.0 <= summary.ids.1 && ids.1 >= summary.ids.0;
        let later = self.full.range(number + 1..).filter(|(_, full)| meets(full.summary.ids));
        let mut rivals: Vec<u64> = later.map(|(number, _)| *number).collect();
        if let Some(current) = &self.current {
            let own = current.segment.identity.number;
            let may_meet =
                own > number && current.active.spans().is_some_and(|spans| meets(spans.ids));
            rivals.extend(may_meet.then_some(own));
        }
        rivals
    }

    fn has_id(&self, segment: u64, id: u64) -> Result<bool> {
        match self.full.get(&segment) {
            Some(full) => Ok(self.find_in(full.summary, id)?.is_some()),
            None => {
                Ok(self.current.as_ref().is_some_and(|current| current.active.find(id).is_some()))
            }
        }
    }

    fn find_in(&self, summary: Summary, id: u64) -> Result<Option<Row>> {
        let (least, greatest) = summary.ids;
        if !(least..=greatest).contains(&id) {
            return Ok(None);
        }
        self.index()?.find(summary.identity.number, id)
    }

    /// The newest full segment that has an id.
    pub(crate) fn find_full(&self, id: u64) -> Result<Option<(u64, Row)>> {
        for (number, full) in self.full.iter().rev() {
            if let Some(row) = self.find_in(full.summary, id)? {
                return Ok(Some((*number, row)));
            }
        }
        Ok(None)
    }

    pub(crate) fn find_data(&mut self, id: u64) -> Result<Option<Vec<u8>>> {
        let current = self.current.as_ref().and_then(|current| {
            Some((current.segment.identity.number, Row::from(current.active.find(id)?)))
        });
        let found = match current {
            Some(found) => Some(found),
            None => self.find_full(id)?,
        };
        let Some((number, row)) = found else { return Ok(None) };
        let identity = self.identity(number);
        Ok(Some(self.record(identity, row)?.data.to_vec()))
    }

    fn identity(&self, number: u64) -> Identity {
        let full = self.full.get(&number).map(|full| full.summary.identity);
        full.unwrap_or(Identity { number, generation: 0 })
    }

    /// The record that a row stands for.
    pub(crate) fn record(&mut self, segment: Identity, row: Row) -> Result<Record<'_>> {
        let folder = &self.folder;
        let path = || folder.segment_path(segment.number);
        let record = self.cache.record(segment, path, (row.frame, row.at))?;
        if record.id != row.id {
            let path = folder.segment_path(segment.number);
            return Err(StoreError::corrupt(&path, u64::from(row.frame), "another event is there"));
        }
        Ok(record)
    }
}
