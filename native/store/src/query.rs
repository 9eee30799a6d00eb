//! What can be asked of a store.

use crate::error::{Result, StoreError};

/// Which events somebody wants; what is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// Events of this type.
    pub kind: Option<Vec<u8>>,
    /// Events of this correlation.
    pub correlation: Option<Vec<u8>>,
    /// Earliest and latest time, both inclusive. Unit: ms.
    pub times: (Option<f64>, Option<f64>),
    /// Sorted by id, else by time and, where that is the same, by id.
    pub is_by_id: bool,
    /// The last one first.
    pub is_descending: bool,
    /// How many of the first to leave out. Unit: events.
    pub offset: u32,
    /// How many at most. Unit: events.
    pub limit: u32,
}

impl Query {
    /// Refuses what makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        for time in [self.times.0, self.times.1].into_iter().flatten() {
            if time.is_nan() {
                return Err(StoreError::invalid("a time is not a number"));
            }
        }
        Ok(())
    }
}
