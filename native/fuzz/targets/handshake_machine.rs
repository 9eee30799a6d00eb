//! The whole handshake against a stranger who does everything right but knows no secret, and
//! against somebody between two honest ends. Nobody is let in without the secret, nobody's Hello is
//! changed unnoticed, and what an end says or keeps stays within a few messages.
#![no_main]

use foundation_fuzz::Script;
use libfuzzer_sys::fuzz_target;

#[path = "handshake/between.rs"]
mod between;
#[path = "handshake/ends.rs"]
mod ends;
#[path = "handshake/stranger.rs"]
mod stranger;

fuzz_target!(|input: &[u8]| {
    let mut script = Script::new(input);
    match script.byte() % 4 {
        0 => between::check(&mut script),
        _ => stranger::check(&mut script),
    }
});
