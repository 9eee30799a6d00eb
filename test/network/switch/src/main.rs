//! An Ethernet switch between interfaces of network namespaces, for tests and benches.
//!
//! `foundation-switch SEED INTERFACE...` joins the interfaces as ports 0, 1, and so on. Commands
//! come as lines on standard input; each is answered by one line of JSON on standard output:
//!
//! - `rule FROM TO [WORD...]` replaces what happens from one port to another (`*`: every port);
//!   without words that is a wire again. The words are those of [`rule::Rule::parse`].
//! - `census` tells what became of the frames of each direction.
//!
//! It ends with its standard input. The same seed decides alike for the same sequence of frames of
//! a direction; which frames there are is up to the nodes.

mod fabric;
mod port;
mod rule;

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Write, stdin, stdout};
use std::os::fd::{AsFd, AsRawFd};
use std::process::ExitCode;
use std::time::Instant;

use foundation_machine::Micros;

use crate::fabric::Fabric;
use crate::port::Port;
use crate::rule::Rule;

/// The longest frame of any interface, and its header.
const FRAME_BYTES_MAX: usize = (64 << 10) + 64;
/// Frames that one port may have taken before the next one gets its turn.
const BURST: usize = 64;
/// A command is shorter.
const COMMAND_BYTES_MAX: usize = 4096;

struct Switch {
    began: Instant,
    fabric: Fabric,
    ports: Vec<Port>,
    buffer: Vec<u8>,
    /// Standard input without the buffer of the library, which would hide commands from the wait.
    commands: File,
    typed: Vec<u8>,
    /// Frames that an interface did not take.
    refused: u64,
    /// Frames that came faster than they were taken.
    missed: u64,
}

impl Switch {
    fn now(&self) -> Micros {
        Micros(u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Runs until standard input ends.
    fn run(&mut self) -> Result<()> {
        let mut waits: Vec<libc::pollfd> = self
            .ports
            .iter()
            .map(AsRawFd::as_raw_fd)
            .chain([self.commands.as_raw_fd()])
            .map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 })
            .collect();
        say("{\"event\":\"listening\"}")?;
        loop {
            self.depart();
            wait(&mut waits, self.fabric.due().since(self.now()))?;
            for (index, _) in waits.iter().enumerate().filter(|(_, wait)| wait.revents != 0) {
                if index < self.ports.len() {
                    self.take(index)?;
                } else if !self.listen()? {
                    return Ok(());
                }
            }
        }
    }

    fn depart(&mut self) {
        let now = self.now();
        let (ports, refused) = (&self.ports, &mut self.refused);
        self.fabric.depart(now, &mut |to, frame| *refused += u64::from(!ports[to].send(frame)));
    }

    fn take(&mut self, from: usize) -> Result<()> {
        for _ in 0..BURST {
            let now = self.now();
            let Some(frame) = self.ports[from].receive(&mut self.buffer)? else { break };
            let (ports, refused) = (&self.ports, &mut self.refused);
            self.fabric.take(from, frame, now, &mut |to, frame| {
                *refused += u64::from(!ports[to].send(frame));
            });
        }
        Ok(())
    }

    /// Reads commands; false at the end of the input.
    fn listen(&mut self) -> Result<bool> {
        let mut part = [0; COMMAND_BYTES_MAX];
        let read = self.commands.read(&mut part)?;
        self.typed.extend_from_slice(&part[..read]);
        while let Some(end) = self.typed.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.typed.drain(..=end).collect();
            let answer = self.obey(&String::from_utf8_lossy(&line));
            say(&answer.unwrap_or_else(|reason| {
                format!("{{\"event\":\"refused\",\"reason\":{reason:?}}}")
            }))?;
        }
        Ok(read > 0 && self.typed.len() < COMMAND_BYTES_MAX)
    }

    fn obey(&mut self, line: &str) -> std::result::Result<String, String> {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("rule") => {
                let (from, to) = (self.ports_of(words.next())?, self.ports_of(words.next())?);
                let rule = Rule::parse(words)?;
                for from in from {
                    for to in to.clone() {
                        self.fabric.set_rule(from, to, rule);
                    }
                }
                Ok("{\"event\":\"done\"}".to_owned())
            }
            Some("census") => self.census().map_err(|error| error.to_string()),
            _ => Err(format!("no command: {}", line.trim())),
        }
    }

    fn ports_of(&self, word: Option<&str>) -> std::result::Result<std::ops::Range<usize>, String> {
        let count = self.fabric.ports();
        let word = word.ok_or("rule wants two ports")?;
        match word.parse() {
            _ if word == "*" => Ok(0..count),
            Ok(port) if port < count => Ok(port..port + 1),
            _ => Err(format!("no such port: {word}")),
        }
    }

    fn census(&mut self) -> Result<String> {
        for port in &self.ports {
            self.missed += port.take_missed()?;
        }
        let count = self.fabric.ports();
        let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        let directions: Vec<String> = pairs
            .filter(|(from, to)| from != to)
            .map(|(from, to)| {
                let fields = self.fabric.census(from, to).json_fields();
                format!("{{\"from\":{from},\"to\":{to},{fields}}}")
            })
            .collect();
        let (refused, missed) = (self.refused, self.missed);
        let directions = directions.join(",");
        Ok(format!(
            "{{\"event\":\"census\",\"refused\":{refused},\"missed\":{missed},\
             \"directions\":[{directions}]}}"
        ))
    }
}

/// Waits until something can be read, or for so long.
fn wait(waits: &mut [libc::pollfd], time: Micros) -> Result<()> {
    let seconds = (time.0 / 1_000_000).min(3600);
    let time = libc::timespec {
        tv_sec: seconds.cast_signed(),
        tv_nsec: (time.0 % 1_000_000 * 1_000).cast_signed(),
    };
    let count = waits.len() as libc::nfds_t;
    // SAFETY: start and count describe the list, and the time lives through the call.
    let ready =
        unsafe { libc::ppoll(waits.as_mut_ptr(), count, &raw const time, std::ptr::null()) };
    match Error::last_os_error() {
        _ if ready >= 0 => Ok(()),
        error if error.kind() == ErrorKind::Interrupted => Ok(()),
        error => Err(error),
    }
}

fn say(line: &str) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn open(words: &[String]) -> std::result::Result<Switch, String> {
    let (seed, interfaces) = words.split_first().ok_or("usage: SEED INTERFACE...")?;
    let seed = seed.parse().map_err(|_| format!("no seed: {seed}"))?;
    let commands = stdin().as_fd().try_clone_to_owned().map_err(|error| error.to_string())?;
    let opened =
        interfaces.iter().map(|name| Port::open(name).map_err(|error| format!("{name}: {error}")));
    let ports = opened.collect::<std::result::Result<Vec<Port>, String>>()?;
    Ok(Switch {
        began: Instant::now(),
        fabric: Fabric::new(ports.len(), seed),
        ports,
        buffer: vec![0; FRAME_BYTES_MAX],
        commands: commands.into(),
        typed: Vec::new(),
        refused: 0,
        missed: 0,
    })
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome =
        open(&words).and_then(|mut switch| switch.run().map_err(|error| error.to_string()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("foundation-switch: {reason}");
            ExitCode::FAILURE
        }
    }
}
