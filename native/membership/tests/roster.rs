//! Tests of the roster: its rules, cuts, and the bars that it has to pass.

#[path = "roster/net.rs"]
mod net;
#[path = "roster/rules.rs"]
mod rules;
