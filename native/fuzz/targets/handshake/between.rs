//! Two honest ends that share a secret, or have none, and somebody in the middle.

use foundation_fuzz::{Script, repair};
use foundation_link::{Handshake, Progress};

use crate::ends::Setup;

/// What one end has said so far, as it came out and as it was passed on.
#[derive(Default)]
struct Way {
    said: Vec<u8>,
    heard: Vec<u8>,
    /// A message came otherwise than it was sent. A piece that is made up for later counts too:
    /// nobody is asked again.
    is_changed: bool,
}

pub(crate) fn check(script: &mut Script<'_>) {
    let (near, far) = (script.byte(), script.byte());
    let is_secret = near & 1;
    let mut dialler = Setup(near).dialler(0);
    let mut acceptor = Setup(far & !1 | is_secret).acceptor();
    let (mut there, mut back) = (Way::default(), Way::default());
    let hello = dialler.take_output();
    there.pass(&hello, &back, script);
    let mut used = 0;
    let mut is_admitted = step(&mut acceptor, &there, &mut used);
    let answer = acceptor.take_output();
    back.pass(&answer, &there, script);
    let mut used_back = 0;
    let mut is_done = step(&mut dialler, &back, &mut used_back);
    there.pass(&dialler.take_output(), &back, script);
    is_admitted |= step(&mut acceptor, &there, &mut used);
    if is_admitted {
        acceptor.admit();
    }
    back.pass(&acceptor.take_output(), &there, script);
    is_done |= step(&mut dialler, &back, &mut used_back);

    let is_hello_whole = there.heard.starts_with(&hello) && back.heard.starts_with(&answer);
    assert!(!is_admitted || is_hello_whole, "a changed Hello was taken");
    assert!(!is_done || is_admitted, "let in by nobody");
    if !there.is_changed && !back.is_changed {
        assert!(is_done, "two honest ends did not come together");
        let (Some(one), Some(other)) = (dialler.take_keys(), acceptor.take_keys()) else {
            panic!("a finished handshake without keys");
        };
        assert!(one.link_key == other.link_key, "two keys for one link");
        assert_eq!(one.seal.is_some(), other.seal.is_some());
        assert_eq!(one.seal.is_some(), is_secret == 1 && (near | far) & 2 != 0);
    }
}

/// Feeds an end what it has not used; whether its peer is proven now.
fn step(end: &mut Handshake, way: &Way, used: &mut usize) -> bool {
    match end.handle(&way.heard[*used..]) {
        Ok((count, progress)) => {
            *used += count;
            matches!(progress, Progress::Decide(_) | Progress::Done(_))
        }
        Err(error) => {
            assert!(!error.code().is_empty());
            *used = way.heard.len();
            false
        }
    }
}

impl Way {
    fn pass(&mut self, message: &[u8], other: &Way, script: &mut Script<'_>) {
        self.said.extend_from_slice(message);
        let mut passed = message.to_vec();
        match script.byte() % 8 {
            1 => change(&mut passed, script, false),
            2 | 3 => change(&mut passed, script, true),
            4 => passed.clone_from(&other.said), // reflected
            5 => passed.extend_from_slice(message),
            6 => passed.truncate(script.short() as usize),
            7 => passed.splice(0..0, script.run().iter().copied()).for_each(drop),
            _ => {}
        }
        self.is_changed |= passed != message;
        self.heard.extend_from_slice(&passed);
    }
}

fn change(passed: &mut [u8], script: &mut Script<'_>, is_repaired: bool) {
    if passed.is_empty() {
        return;
    }
    let at = script.short() as usize % passed.len();
    passed[at] ^= script.byte();
    if is_repaired {
        repair(passed);
    }
}
