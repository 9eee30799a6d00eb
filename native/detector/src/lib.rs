//! who is alive, busy, suspect or down; how far it is.

#![forbid(unsafe_code)]
