//! Bugs planted on purpose, to prove that the simulator's checkers find them.
//!
//! Each machine lists its own as [`Bug`]s and asks `planted.is("name")` at the very step that the
//! bug changes. At most one is on in a run. Without the feature `planted` the question is a
//! constant no, and the compiler removes what hangs on it.

/// A bug that a machine can be told to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bug {
    /// Its name: `machine_what`, unique in the workspace.
    pub name: &'static str,
    /// What the machine does wrong, for the table of catches.
    pub what: &'static str,
}

/// The bug that a machine has been told to have, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planted {
    #[cfg(feature = "planted")]
    name: Option<&'static str>,
}

impl Planted {
    /// No bug.
    pub const NONE: Planted = Planted {
        #[cfg(feature = "planted")]
        name: None,
    };

    /// A machine with this bug.
    #[cfg(feature = "planted")]
    #[must_use]
    pub const fn with(bug: &Bug) -> Planted {
        Planted { name: Some(bug.name) }
    }

    /// Whether this bug is on.
    #[cfg(feature = "planted")]
    #[inline]
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        self.name == Some(name)
    }

    /// Whether this bug is on: never, in a build without them.
    #[cfg(not(feature = "planted"))]
    #[inline]
    #[must_use]
    pub const fn is(self, _name: &str) -> bool {
        false
    }
}
