//! Tests of the roster: its rules, cuts, and the bars that it has to pass.

#[path = "roster/bars.rs"]
mod bars;
#[path = "roster/cuts.rs"]
mod cuts;
#[path = "roster/exchanges.rs"]
mod exchanges;
#[path = "roster/net.rs"]
mod net;
#[cfg(feature = "planted")]
#[path = "roster/planted.rs"]
mod planted;
#[path = "roster/rules.rs"]
mod rules;
