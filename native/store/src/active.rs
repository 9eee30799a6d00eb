//! What is found in the segment that is being written: an index in memory, by id, type and
//! correlation. It is bounded by how much goes into one segment.

use std::collections::HashMap;

use crate::commit::Placed;
use crate::record::Keys;

/// The records of one segment, and how they are found.
#[derive(Debug, Default)]
pub(crate) struct Active {
    /// As they were written.
    rows: Vec<Placed>,
    ids: HashMap<u64, u32>,
    kinds: HashMap<u64, Vec<u32>>,
    correlations: HashMap<u64, Vec<u32>>,
    spans: Option<Spans>,
}

/// The least and the greatest of what records were written with; some may have been replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spans {
    pub(crate) ids: (u64, u64),
    pub(crate) times: (u64, u64),
}

impl Spans {
    fn widened(self, Keys { id, time, .. }: Keys) -> Spans {
        let widen = |(least, greatest): (u64, u64), to: u64| (least.min(to), greatest.max(to));
        Spans { ids: widen(self.ids, id), times: widen(self.times, time) }
    }
}

impl Active {
    pub(crate) fn new(placed: impl IntoIterator<Item = Placed>) -> Active {
        let mut active = Active::default();
        for row in placed {
            active.insert(row);
        }
        active
    }

    /// Adds a record; answers whether it takes the place of another one of its id.
    pub(crate) fn insert(&mut self, placed: Placed) -> bool {
        let row = self.rows.len() as u32;
        let Keys { id, kind, correlation, .. } = placed.keys;
        self.rows.push(placed);
        let (ids, times) = ((id, id), (placed.keys.time, placed.keys.time));
        self.spans = Some(self.spans.unwrap_or(Spans { ids, times }).widened(placed.keys));
        self.kinds.entry(kind).or_default().push(row);
        if let Some(correlation) = correlation {
            self.correlations.entry(correlation).or_default().push(row);
        }
        self.ids.insert(id, row).is_some()
    }

    /// How many ids it has.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// How many records were written into it.
    pub(crate) fn written(&self) -> usize {
        self.rows.len()
    }

    /// None where it is empty.
    pub(crate) fn spans(&self) -> Option<Spans> {
        self.spans
    }

    /// Where the event of an id is.
    pub(crate) fn find(&self, id: u64) -> Option<Placed> {
        self.ids.get(&id).map(|row| self.rows[*row as usize])
    }

    /// The newest record of every id.
    pub(crate) fn newest(&self) -> impl Iterator<Item = Placed> {
        self.current(0..self.rows.len() as u32)
    }

    /// The newest records of a type or a correlation, or of a text that shares its number.
    pub(crate) fn of_kind(&self, kind: u64) -> impl Iterator<Item = Placed> {
        self.current(self.kinds.get(&kind).into_iter().flatten().copied())
    }

    pub(crate) fn of_correlation(&self, correlation: u64) -> impl Iterator<Item = Placed> {
        self.current(self.correlations.get(&correlation).into_iter().flatten().copied())
    }

    fn current(&self, rows: impl Iterator<Item = u32>) -> impl Iterator<Item = Placed> {
        rows.filter_map(|row| {
            let placed = self.rows[row as usize];
            (self.ids.get(&placed.keys.id) == Some(&row)).then_some(placed)
        })
    }
}
