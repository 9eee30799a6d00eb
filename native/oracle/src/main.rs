//! Plays random scenarios on our machines and on other people's, and compares what came out.

mod clockwork;
mod compare;
mod foca;
mod iroh;
mod ours;
mod scenario;
mod swarm;
mod swim;

use std::process::ExitCode;

use foundation_machine::Planted;

use crate::compare::{Broadcasts, Detection};

const USAGE: &str = "Usage: foundation-oracle [--seeds N] [--first N] [--nodes N]

Plays the same random scenarios on our machines and on iroh-gossip and foca; ends with 1 where
ours do worse. Before that, ours with a planted bug have to do worse.

  --seeds N   scenarios of each kind (default 10)
  --first N   the seed of the first one (default 1)
  --nodes N   nodes of the scenarios with broadcasts (default 100)
";

struct Options {
    seeds: u64,
    first: u64,
    nodes: u32,
}

fn options() -> Result<Options, String> {
    let mut options = Options { seeds: 10, first: 1, nodes: 100 };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or(format!("{word} takes a number"))?;
        let number: u32 = value.parse().map_err(|_| format!("{word}: {value} is no number"))?;
        match word.as_str() {
            "--seeds" if number > 0 => options.seeds = number.into(),
            "--first" => options.first = number.into(),
            "--nodes" if (10..=10_000).contains(&number) => options.nodes = number,
            _ => return Err(format!("{word} {value} is not known")),
        }
    }
    Ok(options)
}

/// A bug that leaves links out of the tree for good: the comparison has to notice.
fn plants() -> Option<u64> {
    let bug = foundation_broadcast::BUGS
        .iter()
        .find(|bug| bug.name == "plumtree_prune_forgets_neighbour")?;
    (1..=10).find(|&seed| {
        let broadcasts = Broadcasts::play(seed, 1, 40, Planted::with(bug));
        !broadcasts.findings().is_empty()
    })
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(reason) => {
            eprint!("{reason}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let Some(seed) = plants() else {
        println!("a planted bug was not noticed");
        return ExitCode::FAILURE;
    };
    println!("planted bug noticed with seed {seed}");
    let Options { seeds, first, nodes } = options;
    let broadcasts = Broadcasts::play(first, seeds, nodes, Planted::NONE);
    print!("{}", broadcasts.table());
    let detection = Detection::play(first, seeds);
    print!("{}", detection.table());
    let findings = [broadcasts.findings(), detection.findings()].concat();
    for finding in &findings {
        println!("WORSE: {finding}");
    }
    println!("{seeds} scenarios from seed {first}, {} findings", findings.len());
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
