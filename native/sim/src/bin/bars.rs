//! Runs the tables of bars: one line for each seed of each row, and how a miss is seen again.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use foundation_sim::{Control, ROWS, Report, Row, line, simulate};

const USAGE: &str = "Usage: bars [--full] [--row NAME]... [--seeds N] [--jobs N] [--list]

Runs every row, or those that are named, with its seeds from 1 on: those of a check, or of the full
tables. --jobs runs at once; as many as there are processors, if it is left out. Ends with 1 if a
row missed a bar.
";

#[derive(Default)]
struct Call {
    is_full: bool,
    rows: Vec<String>,
    seeds: Option<u64>,
    jobs: Option<usize>,
    lists: bool,
    helps: bool,
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Call, String> {
    let mut call = Call::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} wants a value\n{USAGE}"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is no number"));
        match word.as_str() {
            "--full" => call.is_full = true,
            "--list" => call.lists = true,
            "-h" | "--help" => call.helps = true,
            "--row" => call.rows.push(value()?),
            "--seeds" => call.seeds = Some(number(value()?)?),
            "--jobs" => {
                let jobs = number(value()?)?;
                call.jobs = Some(usize::try_from(jobs).map_err(|it| it.to_string())?.max(1));
            }
            other => return Err(format!("unknown option {other}\n{USAGE}")),
        }
    }
    let unknown = call.rows.iter().find(|name| ROWS.iter().all(|row| row.name != name.as_str()));
    match unknown {
        Some(name) => Err(format!("no row '{name}': --list names them")),
        None => Ok(call),
    }
}

/// The rows that are run, each with its count of seeds.
fn chosen(call: &Call) -> Vec<(&'static Row, u64)> {
    let is_wanted = |row: &&Row| call.rows.is_empty() || call.rows.iter().any(|it| it == row.name);
    let seeds = |row: &Row| call.seeds.unwrap_or(row.seeds(call.is_full));
    ROWS.iter().filter(is_wanted).map(|row| (row, seeds(row))).collect()
}

/// Runs all seeds of all rows, so many at once, and prints a line for each.
fn run(rows: &[(&'static Row, u64)], jobs: usize) -> Vec<Vec<Report>> {
    let seeds = rows
        .iter()
        .enumerate()
        .flat_map(|(place, &(_, count))| (1..=count).map(move |it| (place, it)));
    let work: Vec<(usize, u64)> = seeds.collect();
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(vec![Vec::new(); rows.len()]);
    let one_after_the_other = || {
        while let Some(&(place, seed)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (row, begun) = (rows[place].0, Instant::now());
            let report = simulate(&row.options(seed), &mut |_| Control::Continue)
                .expect("rows keep to the limits");
            println!("{} ({:.1} s)", line(row, &report), begun.elapsed().as_secs_f64());
            reports.lock().expect("nobody panics with it")[place].push(report);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(one_after_the_other);
        }
    });
    reports.into_inner().expect("nobody panics with it")
}

fn judge(rows: &[(&'static Row, u64)], reports: &[Vec<Report>]) -> usize {
    let mut missed = 0;
    for ((row, _), reports) in rows.iter().zip(reports).filter(|(_, reports)| !reports.is_empty()) {
        missed += reports.iter().filter(|report| !report.holds()).count();
        // A few seeds tell nothing about all of them.
        for across in row.across.iter().filter(|_| reports.len() as u64 >= row.seeds_full) {
            let (text, holds) = across.judge(reports);
            println!("{:<18} {} {text}", row.name, if holds { "holds" } else { "MISSES" });
            missed += usize::from(!holds);
        }
    }
    missed
}

fn main() -> ExitCode {
    let call = match parse(std::env::args().skip(1)) {
        Ok(call) => call,
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::from(2);
        }
    };
    if call.helps {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let rows = chosen(&call);
    if call.lists {
        for (row, seeds) in rows {
            println!("{:<18} {} nodes, {seeds} seeds: {}", row.name, row.nodes, row.scenario);
        }
        return ExitCode::SUCCESS;
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let reports = run(&rows, call.jobs.unwrap_or(processors));
    let missed = judge(&rows, &reports);
    let runs: usize = reports.iter().map(Vec::len).sum();
    let seconds = begun.elapsed().as_secs_f64();
    println!("{runs} runs, {missed} missed, {seconds:.0} s");
    if missed == 0 && runs > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
