//! A link whose peer has proved itself and then sends anything: frames of every kind with honest
//! checksums, cut, split and damaged ones, time that passes, and answers that our own end gives
//! meanwhile. What the peer can make us hold stays within what was promised to it, and when the
//! link ends everything is given back.
#![no_main]

use foundation_fuzz::Script;
use libfuzzer_sys::fuzz_target;

#[path = "link/host.rs"]
mod host;
#[path = "link/peer.rs"]
mod peer;

/// Steps of one input, so that none takes long.
const STEPS_MAX: usize = 40;

fuzz_target!(|input: &[u8]| {
    let mut script = Script::new(input);
    let mut end = host::End::new(script.byte());
    for _ in 0..STEPS_MAX {
        if script.is_over() || end.is_failed() {
            break;
        }
        match script.byte() % 16 {
            0..=4 => end.hear(script.byte(), &peer::data(&mut script)),
            5..=8 => end.hear(script.byte(), &peer::control(&mut script)),
            9 => end.hear(script.byte(), script.run()),
            10 => end.pass(u64::from(script.short())),
            11 => end.transmit(script.byte()),
            12 => end.settle(script.byte()),
            13 => end.send(&mut script),
            14 => end.choose(script.byte()),
            _ => end.hear(script.byte(), &peer::unknown(&mut script)),
        }
        end.check();
    }
    end.finish();
});
