//! Plumtree over any membership.

#![forbid(unsafe_code)]
