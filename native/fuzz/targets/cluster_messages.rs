//! A node with overlays among peers that have proved themselves and then say anything: messages of
//! all families with nodes and numbers that fit or do not, while time passes, links come and go and
//! the node itself broadcasts, routes and switches. What is read is the same when it is written and
//! read again; what is kept stays within its limits; no timer comes for ever.
#![no_main]

use foundation_fuzz::Script;
use foundation_node::besieged::{Besieged, PEERS, member, peer_name};
use foundation_schema::{Machine, Member};
use libfuzzer_sys::fuzz_target;

/// Steps of one input, so that none takes long.
const STEPS_MAX: usize = 24;
/// Longest pause between two steps: a period of most timers. Unit: ms.
const PAUSE_MAX: u64 = 1_023;
/// All that there are, and one that there is not.
const FAMILIES: [u8; 9] = [1, 2, 3, 4, 10, 11, 12, 13, 14];

fuzz_target!(|input: &[u8]| {
    let mut script = Script::new(input);
    let mut node = Besieged::new(u64::from(script.byte()));
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        let step = script.byte();
        let from = usize::from(step >> 4);
        match step % 16 {
            0 | 1 => node.act(script.byte(), usize::from(script.byte())),
            2 => node.pass(u64::from(script.short()) & PAUSE_MAX),
            3 => node.hear(from, script.run(), None),
            _ => {
                let message = message(&mut script);
                let body = script.bit().then(|| script.run());
                node.hear_machine(from, message, body);
            }
        }
        node.check();
    }
});

fn message(script: &mut Script<'_>) -> Machine {
    let family = FAMILIES[usize::from(script.byte()) % FAMILIES.len()];
    let (kind, overlay, epoch) = (script.byte(), script.byte() % 5, number(script));
    let lengths = script.byte();
    let nodes = (0..lengths >> 5).map(|_| node(script)).collect();
    let numbers = (0..lengths & 31).map(|_| number(script)).collect();
    Machine { family, kind, overlay, epoch, nodes, numbers, text: "topic".to_owned() }
}

/// The node itself, a peer, or somebody of whom it has not heard; of this life or another.
fn node(script: &mut Script<'_>) -> Member {
    let what = script.byte();
    let start = u64::from(what >> 6);
    match usize::from(what & 63) % (PEERS + 4) {
        0 => member("own", start),
        at => member(&peer_name(at - 1), start),
    }
}

/// Small ones are most that messages have; the others are near a limit of some type.
fn number(script: &mut Script<'_>) -> u64 {
    match script.byte() {
        255 => u64::MAX - u64::from(script.byte()),
        254 => u64::from(script.word()) << 32 | u64::from(script.word()),
        253 => u64::from(u32::MAX),
        252 => u64::from(u16::MAX),
        small => u64::from(small),
    }
}
