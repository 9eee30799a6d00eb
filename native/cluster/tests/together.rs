//! Whole nodes together.

mod nodes;
