//! Runs scenarios of the simulator from the command line, for the proofs and by hand.

use std::process::ExitCode;
use std::time::Instant;

use foundation_sim::{Control, Report, SCENARIOS, SimulateOptions, simulate};

const USAGE: &str =
    "Usage: simulate [SCENARIO] [--nodes N] [--seed N] [--seeds N] [--fail PART] [--turns N]
  [--no-seed-rule] [--optimise] [--loss PART] [--picture FILE] [--json FILE] [--full-trace]
  [--lines] [--quiet] [--list]
  with the feature planted: --hunt [--bug NAME]

Runs a scenario with --seeds seeds from --seed on. Ends with 1 if a bar was missed or something was
violated. --quiet prints one line per seed and what went wrong.
";

#[derive(Default)]
struct Call {
    options: SimulateOptions,
    seeds: u64,
    picture: Option<String>,
    json: Option<String>,
    is_quiet: bool,
    #[cfg(feature = "planted")]
    hunts: bool,
    #[cfg(feature = "planted")]
    bug: Option<String>,
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Call>, String> {
    let mut call = Call { seeds: 1, ..Call::default() };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} wants a value"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is no number"));
        let part = |text: String| text.parse().map_err(|_| format!("{text} is no number"));
        match word.as_str() {
            "--nodes" => {
                let nodes: u64 = number(value()?)?;
                call.options.nodes = Some(u32::try_from(nodes).map_err(|it| it.to_string())?);
            }
            "--seed" => call.options.seed = number(value()?)?,
            "--seeds" => call.seeds = number(value()?)?,
            "--turns" => {
                let turns: u64 = number(value()?)?;
                call.options.turns = Some(u32::try_from(turns).map_err(|it| it.to_string())?);
            }
            "--fail" => call.options.fail = Some(part(value()?)?),
            "--loss" => call.options.loss = part(value()?)?,
            "--no-seed-rule" => call.options.seed_rule = false,
            "--optimise" => call.options.optimise = Some(true),
            "--full-trace" => call.options.full_trace = true,
            "--lines" => call.options.lines = true,
            "--quiet" => call.is_quiet = true,
            "--picture" => call.picture = Some(value()?),
            "--json" => call.json = Some(value()?),
            #[cfg(feature = "planted")]
            "--hunt" => call.hunts = true,
            #[cfg(feature = "planted")]
            "--bug" => call.bug = Some(value()?),
            "--list" => return Ok(None),
            name if !name.starts_with('-') => name.clone_into(&mut call.options.scenario),
            other => return Err(format!("unknown option {other}\n{USAGE}")),
        }
    }
    call.options.picture = call.picture.is_some();
    Ok(Some(call))
}

fn print(report: &Report, options: &SimulateOptions, call: &Call, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    if !call.is_quiet {
        println!("{}  wall time {seconds:.1} s", report.text());
        return;
    }
    let verdict = if report.holds() { "holds" } else { "FAILS" };
    println!("{} seed {} {verdict} {seconds:.1} s", report.scenario, report.seed);
    if !report.holds() {
        report.text().lines().filter(|line| line.starts_with('!')).for_each(|it| println!("{it}"));
        println!("  replay: {}", options.command());
    }
}

fn run(call: &Call) -> Result<bool, String> {
    let mut holds = true;
    let mut reports = Vec::new();
    for seed in call.options.seed..call.options.seed + call.seeds {
        let begun = Instant::now();
        let options = SimulateOptions { seed, ..call.options.clone() };
        let report = simulate(&options, &mut |_| Control::Continue).map_err(|it| it.to_string())?;
        print(&report, &options, call, begun);
        holds &= report.holds();
        reports.push(report);
    }
    let page = reports.last().and_then(|report| report.picture.as_ref());
    if let (Some(file), Some(page)) = (&call.picture, page) {
        std::fs::write(file, page).map_err(|it| format!("{file}: {it}"))?;
    }
    if let Some(file) = &call.json {
        reports.iter_mut().for_each(|report| report.picture = None);
        let all: Result<Vec<String>, _> = reports.iter().map(Report::json).collect();
        let text = format!("[{}]\n", all.map_err(|it| it.to_string())?.join(","));
        std::fs::write(file, text).map_err(|it| format!("{file}: {it}"))?;
    }
    Ok(holds)
}

/// Looks for every planted bug, or one, and prints where it was found.
#[cfg(feature = "planted")]
fn hunt(call: &Call) {
    let mut hunt = foundation_sim::Hunt::default();
    for bug in foundation_sim::bugs() {
        if call.bug.as_ref().is_some_and(|name| name != bug.name) {
            continue;
        }
        match hunt.find(&bug, call.seeds) {
            Some(found) => {
                println!("{} {} {} | {}", found.bug, found.scenario, found.seed, found.how);
            }
            None => println!("{} NOT FOUND | {}", bug.name, bug.what),
        }
    }
}

fn main() -> ExitCode {
    let outcome = match parse(std::env::args().skip(1)) {
        #[cfg(feature = "planted")]
        Ok(Some(call)) if call.hunts => {
            hunt(&call);
            Ok(true)
        }
        Ok(None) => {
            SCENARIOS.iter().for_each(|it| println!("{:<14} {} ({})", it.name, it.about, it.nodes));
            Ok(true)
        }
        Ok(Some(call)) => run(&call),
        Err(reason) => Err(reason),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}
