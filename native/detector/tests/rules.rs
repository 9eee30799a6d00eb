//! Rules of the detector, one machine driven by hand.

use foundation_detector::{
    DetectorInput, DetectorMessage, DetectorOptions, DetectorOutput, Probing,
};
use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Rng};

const SECOND: u64 = 1_000_000;

fn peer(node: u32) -> PeerId {
    PeerId { node: NodeNo(node), life: NodeLife { start: 1, random: u64::from(node) } }
}

struct One {
    probing: Probing,
    now: Micros,
    /// Who does not answer pings.
    silent: Vec<PeerId>,
}

impl One {
    /// Node 0 among so many members, linked to the first few of them.
    fn among(members: u32, links: u32) -> One {
        One::with(DetectorOptions::default(), members, links)
    }

    fn with(options: DetectorOptions, members: u32, links: u32) -> One {
        let probing = Probing::new(options, peer(0), Rng::new(7), Micros(0));
        let mut one = One { probing, now: Micros(0), silent: Vec::new() };
        for node in 1..members {
            one.give(DetectorInput::MemberUp(peer(node)));
        }
        for node in 1..=links {
            let out = one.give(DetectorInput::LinkUp(peer(node)));
            one.answer(&out);
        }
        one
    }

    fn give(&mut self, input: DetectorInput) -> Vec<DetectorOutput> {
        let mut out = Vec::new();
        self.probing.handle(input, self.now, &mut out);
        out
    }

    /// Whoever is pinged answers, but for the silent ones.
    fn answer(&mut self, out: &[DetectorOutput]) {
        for output in out {
            let (DetectorOutput::Send { to, message } | DetectorOutput::Relay { to, message }) =
                output
            else {
                continue;
            };
            if let DetectorMessage::Ping { sequence, .. } = *message
                && !self.silent.contains(to)
            {
                let (coordinate, busy) = Default::default();
                let message = DetectorMessage::Ack { sequence, coordinate, busy };
                self.give(DetectorInput::Received { from: *to, message });
            }
        }
    }

    /// Lets time pass, timer by timer, with everything that is said.
    fn wait(&mut self, micros: u64) -> Vec<DetectorOutput> {
        let end = self.now + Micros(micros);
        let mut out = Vec::new();
        while self.probing.due() <= end {
            self.now = self.probing.due();
            let mut given = self.give(DetectorInput::Due);
            self.answer(&given);
            out.append(&mut given);
        }
        self.now = end;
        out
    }
}

fn asked(out: &[DetectorOutput], target: PeerId) -> Vec<(PeerId, u32)> {
    let request = |output: &DetectorOutput| match output {
        DetectorOutput::Send { to, message } => match message {
            DetectorMessage::PingRequest { sequence, target: about } if *about == target => {
                Some((*to, *sequence))
            }
            _ => None,
        },
        _ => None,
    };
    out.iter().filter_map(request).collect()
}

#[test]
fn a_link_that_breaks_makes_its_member_suspect_and_three_others_are_asked_at_once() {
    let mut one = One::among(8, 5);
    let out = one.give(DetectorInput::LinkDown { peer: peer(1), was_lost: true });
    assert!(out.contains(&DetectorOutput::Suspect(peer(1))));
    let asked = asked(&out, peer(1));
    assert_eq!(asked.len(), 3);
    let (helper, sequence) = asked[0];
    let message = DetectorMessage::IndirectAck { sequence };
    let out = one.give(DetectorInput::Received { from: helper, message });
    assert_eq!(out, [DetectorOutput::Alive(peer(1))]);
    assert_eq!(one.probing.queued(), (0, 0));
}

#[test]
fn a_link_that_was_closed_on_purpose_makes_nobody_suspect() {
    let mut one = One::among(8, 5);
    let out = one.give(DetectorInput::LinkDown { peer: peer(1), was_lost: false });
    assert_eq!(out, []);
}

#[test]
fn a_check_for_another_dials_and_its_failure_confirms() {
    let mut one = One::among(8, 2);
    let message = DetectorMessage::PingRequest { sequence: 9, target: peer(5) };
    let out = one.give(DetectorInput::Received { from: peer(1), message });
    assert_eq!(out, [DetectorOutput::Dial(peer(5))]);
    let out = one.give(DetectorInput::DialFailed(peer(5)));
    let message = DetectorMessage::Nack { sequence: 9 };
    let nack = DetectorOutput::Send { to: peer(1), message };
    assert_eq!(out, [nack, DetectorOutput::Suspect(peer(5))]);
}

#[test]
fn a_check_that_is_answered_is_passed_on_and_its_link_released() {
    let mut one = One::among(8, 2);
    let message = DetectorMessage::PingRequest { sequence: 9, target: peer(5) };
    one.give(DetectorInput::Received { from: peer(1), message });
    let out = one.give(DetectorInput::LinkUp(peer(5)));
    let sequence = out
        .iter()
        .find_map(|output| match output {
            DetectorOutput::Send { message: DetectorMessage::Ping { sequence, .. }, .. } => {
                Some(*sequence)
            }
            _ => None,
        })
        .unwrap();
    let (coordinate, busy) = Default::default();
    let message = DetectorMessage::Ack { sequence, coordinate, busy };
    let out = one.give(DetectorInput::Received { from: peer(5), message });
    let message = DetectorMessage::IndirectAck { sequence: 9 };
    let ack = DetectorOutput::Send { to: peer(1), message };
    assert_eq!(out, [ack, DetectorOutput::Release(peer(5))]);
}

/// How long the suspicion lasts if each member's comes so many ms after the one before.
fn suspicion_lasts(options: DetectorOptions, suspectors: &[u32], apart: u64) -> u64 {
    let mut one = One::with(options, 10, 0);
    let start = one.now;
    let mut known = Vec::new();
    for &node in suspectors {
        known.push(peer(node));
        one.give(DetectorInput::Suspected { peer: peer(1), suspectors: known.clone() });
        one.wait(apart * 1_000);
    }
    while one.wait(1_000).iter().all(|output| *output != DetectorOutput::Down(peer(1))) {}
    one.now.since(start).as_millis()
}

fn confirm(options: DetectorOptions) {
    assert_eq!(suspicion_lasts(options, &[2], 0), 3_600);
    assert_eq!(suspicion_lasts(options, &[2, 3], 0), 2_100);
    assert_eq!(suspicion_lasts(options, &[2, 3], 500), 2_100);
    assert_eq!(suspicion_lasts(options, &[2, 3, 4, 5], 0), 600);
}

#[test]
fn a_suspicion_ends_sooner_the_more_members_confirm_it() {
    confirm(DetectorOptions::default());
}

/// A linked member does not answer, and others vouch for it.
fn vouch(options: DetectorOptions) {
    let mut one = One::with(options, 8, 5);
    one.silent.push(peer(1));
    let mut was_asked = false;
    for _ in 0..1_000 {
        let out = one.wait(SECOND / 10);
        let requests = asked(&out, peer(1));
        was_asked |= !requests.is_empty();
        for (helper, sequence) in requests {
            let message = DetectorMessage::IndirectAck { sequence };
            one.give(DetectorInput::Received { from: helper, message });
        }
        assert!(!out.contains(&DetectorOutput::Suspect(peer(1))), "suspected all the same");
    }
    assert!(was_asked, "nobody was asked");
}

#[test]
fn a_member_that_does_not_answer_is_not_suspect_while_others_vouch_for_it() {
    vouch(DetectorOptions::default());
}

/// A link that fell silent for long goes on; then it falls silent again.
fn fall_silent_twice(options: DetectorOptions) {
    let mut one = One::with(options, 10, 5);
    let beat = |one: &mut One, from: u32| {
        for node in from..=5 {
            one.give(DetectorInput::Heartbeat { peer: peer(node), rtt: None });
        }
    };
    for _ in 0..20 {
        one.wait(SECOND);
        beat(&mut one, 1);
    }
    for _ in 0..20 {
        one.wait(SECOND);
        beat(&mut one, 2);
    }
    beat(&mut one, 1);
    one.give(DetectorInput::Cleared(peer(1)));
    one.silent.push(peer(1));
    let mut suspected_after = 0;
    while suspected_after < 10_000 {
        suspected_after += 10;
        if one.wait(10_000).contains(&DetectorOutput::Suspect(peer(1))) {
            break;
        }
    }
    assert!(suspected_after <= 2_070, "{suspected_after}");
}

#[test]
fn a_gap_does_not_make_a_link_harder_to_judge() {
    fall_silent_twice(DetectorOptions::default());
}

#[cfg(feature = "planted")]
#[test]
fn planted_bugs_that_one_machine_shows_are_caught() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    type Scenario = fn(DetectorOptions);
    let scenarios: [(&str, Scenario); 4] = [
        ("detector_never_asks_others", vouch),
        ("detector_counts_a_suspector_twice", confirm),
        ("detector_suspicion_starts_anew", confirm),
        ("detector_learns_from_gaps", fall_silent_twice),
    ];
    for (name, scenario) in scenarios {
        let listed = foundation_detector::DETECTOR_BUGS.iter().find(|bug| bug.name == name);
        let planted = foundation_machine::Planted::with(listed.expect("a listed bug"));
        let options = DetectorOptions { planted, ..Default::default() };
        let is_caught = catch_unwind(AssertUnwindSafe(|| scenario(options))).is_err();
        assert!(is_caught, "{name}");
    }
}

#[test]
fn a_node_that_stood_still_judges_nobody_by_its_own_silence() {
    let mut one = One::among(10, 5);
    for _ in 0..20 {
        for node in 1..=5 {
            one.give(DetectorInput::Heartbeat { peer: peer(node), rtt: None });
        }
        one.wait(SECOND);
    }
    one.give(DetectorInput::Suspected { peer: peer(1), suspectors: vec![peer(2)] });
    one.now = one.now + Micros(60 * SECOND);
    let out = one.give(DetectorInput::Due);
    let verdicts = |out: &[DetectorOutput]| {
        let is_verdict = |output: &&DetectorOutput| {
            matches!(output, DetectorOutput::Suspect(_) | DetectorOutput::Down(_))
        };
        out.iter().filter(is_verdict).count()
    };
    assert_eq!(verdicts(&out), 0);
    assert_eq!(one.probing.counters().stalls, 1);
    // What came meanwhile is read now.
    for node in 1..=5 {
        one.give(DetectorInput::Heartbeat { peer: peer(node), rtt: None });
    }
    assert_eq!(verdicts(&one.wait(SECOND / 2)), 0);
}

/// What it had read by then had made it trust itself again: the answer to an earlier probe.
#[test]
fn a_node_that_stood_still_confirms_nothing_by_a_link_that_broke_meanwhile() {
    let mut one = One::among(10, 5);
    one.wait(SECOND);
    let out = one.give(DetectorInput::LinkUp(peer(6)));
    let request = DetectorMessage::PingRequest { sequence: 7, target: peer(1) };
    one.give(DetectorInput::Received { from: peer(2), message: request });
    one.now = one.now + Micros(5 * SECOND);
    one.give(DetectorInput::Heard(peer(2)));
    one.answer(&out);
    let out = one.give(DetectorInput::LinkDown { peer: peer(1), was_lost: true });
    assert!(!out.contains(&DetectorOutput::Suspect(peer(1))), "{out:?}");
    let nack = DetectorMessage::Nack { sequence: 7 };
    assert!(out.contains(&DetectorOutput::Send { to: peer(2), message: nack }), "{out:?}");
}

#[test]
fn a_silent_link_is_suspected_by_its_rhythm_and_a_busy_member_later() {
    let suspected_after = |busy: u16| {
        let mut one = One::among(10, 5);
        for _ in 0..20 {
            one.wait(SECOND);
            for node in 1..=5 {
                one.give(DetectorInput::Heartbeat { peer: peer(node), rtt: None });
            }
        }
        one.give(DetectorInput::MemberBusy { peer: peer(1), isolates: busy });
        one.silent.push(peer(1));
        let start = one.now;
        for step in 0.. {
            if one.wait(10_000).contains(&DetectorOutput::Suspect(peer(1))) {
                break;
            }
            // The others go on.
            if step % 50 == 0 {
                (2..=5).for_each(|node| drop(one.give(DetectorInput::Heard(peer(node)))));
            }
        }
        one.now.since(start).as_millis()
    };
    // A second, the pause of 0.5 s and 5.6 spreads of 0.1 s; once more the pause for a busy one.
    assert_eq!(suspected_after(0), 2_070);
    assert_eq!(suspected_after(1), 2_570);
}

#[test]
fn a_link_in_use_that_has_no_heartbeats_is_asked_and_not_suspected() {
    let mut one = One::among(10, 5);
    for _ in 0..20 {
        one.wait(SECOND);
        (1..=5).for_each(|node| {
            one.give(DetectorInput::Heartbeat { peer: peer(node), rtt: None });
        });
    }
    let probes = one.probing.counters().probes;
    let out = one.wait(60 * SECOND);
    assert!(!out.iter().any(|output| matches!(output, DetectorOutput::Suspect(_))), "{out:?}");
    // Five links, each asked when a heartbeat would be late by 5.6 spreads.
    assert!((150..260).contains(&(one.probing.counters().probes - probes)));
}

#[test]
fn members_without_a_link_are_probed_by_relays_each_once_a_round_and_never_dialled() {
    let mut one = One::among(13, 2);
    let mut probed = Vec::new();
    for _ in 0..600 {
        for output in one.wait(SECOND / 10) {
            match output {
                DetectorOutput::Relay { to, .. } => probed.push(to),
                DetectorOutput::Send { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        (1..=2).for_each(|node| drop(one.give(DetectorInput::Heard(peer(node)))));
    }
    // Ten strangers, one in about five seconds.
    assert!((9..=12).contains(&probed.len()), "{}", probed.len());
    let mut round = probed[..9].to_vec();
    round.sort_unstable();
    round.dedup();
    assert_eq!(round.len(), 9);
}

#[test]
fn answers_nobody_waits_for_and_questions_about_oneself_do_no_harm() {
    let mut one = One::among(4, 3);
    let message = DetectorMessage::PingRequest { sequence: 1, target: peer(0) };
    let out = one.give(DetectorInput::Received { from: peer(1), message });
    let message = DetectorMessage::IndirectAck { sequence: 1 };
    assert_eq!(out, [DetectorOutput::Send { to: peer(1), message }]);
    let message = DetectorMessage::Nack { sequence: 77 };
    let late = one.probing.counters().late;
    assert_eq!(one.give(DetectorInput::Received { from: peer(1), message }), []);
    assert_eq!(one.probing.counters().late, late + 1);
}

#[test]
fn checks_for_others_are_bounded() {
    let mut one = One::among(200, 1);
    for node in 2..200 {
        let message = DetectorMessage::PingRequest { sequence: node, target: peer(node) };
        one.give(DetectorInput::Received { from: peer(1), message });
    }
    assert_eq!(one.probing.queued().1, DetectorOptions::default().checks_max);
    assert_eq!(one.probing.counters().checks_refused, 198 - 64);
}
