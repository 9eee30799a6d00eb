//! A protocol that is nothing but links: every node keeps one to each seed and counts aloud.

use std::collections::BTreeMap;

use foundation_machine::{Micros, PeerId};
use foundation_sim::{Ask, Gauge, Given, News, Payload, Subject, Wanted};

/// What a toy keeps.
#[derive(Debug, Default)]
pub(crate) struct Toy {
    /// To whom, the next number to send, and the next one to come.
    pub(crate) links: BTreeMap<PeerId, (u64, u64)>,
    /// What came, with its time.
    pub(crate) heard: Vec<(Micros, PeerId, u64)>,
    /// How links ended, with the time.
    pub(crate) lost: Vec<(Micros, PeerId)>,
    pub(crate) failed: u32,
    pub(crate) gaps: u32,
    next: Micros,
    seeds: u32,
    pub(crate) sends_blindly_to: Option<PeerId>,
}

const PERIOD: Micros = Micros::from_millis(100);

impl Subject for Toy {
    type Message = u64;
    type Event = (PeerId, Payload);
    const KINDS: &'static [&'static str] = &["count"];

    fn handle(&mut self, given: Given<u64>, now: Micros, out: &mut Vec<Wanted<u64, Self::Event>>) {
        match given {
            Given::Seeds(seeds) => {
                self.seeds = seeds;
                self.next = now;
            }
            Given::LinkUp { peer, .. } => {
                // The answer to a dial may find the link up already.
                self.links.entry(peer).or_default();
            }
            Given::LinkDown { peer, .. } => {
                assert!(self.links.remove(&peer).is_some(), "a link down that was not up");
                self.lost.push((now, peer));
            }
            Given::DialFailed(_) | Given::SeedFailed => self.failed += 1,
            Given::Received { from, message } => {
                let expected = &mut self.links.get_mut(&from).expect("over a link that is up").1;
                self.gaps += u32::from(*expected != message);
                *expected = message + 1;
                self.heard.push((now, from, message));
                out.push(Wanted::Event((from, message)));
            }
            Given::Asked(Ask::Route { to, .. }) => self.sends_blindly_to = Some(to),
            Given::Due => self.tick(now, out),
            Given::RoundTrip { .. } | Given::Asked(_) => {}
        }
    }

    fn due(&self) -> Micros {
        self.next
    }

    fn kind(_: &u64) -> usize {
        0
    }

    fn records(_: &u64) -> usize {
        0
    }

    fn news(&(origin, payload): &Self::Event) -> Option<News> {
        Some(News::Routed { origin, payload, hops: 0 })
    }

    fn overlays(&self) -> usize {
        1
    }

    fn active(&self, _: usize, into: &mut Vec<PeerId>) {
        into.extend(self.links.keys());
    }

    fn passive(&self, _: usize, _: &mut Vec<PeerId>) {}

    fn views_version(&self, _: usize) -> Option<(u64, u64)> {
        None
    }
    fn members(&self, _: &mut Vec<PeerId>) {}
    fn epoch(&self, _: usize) -> Option<u64> {
        None
    }
    fn gauges(&self, _: &mut Vec<Gauge>) {}
}

impl Toy {
    fn tick(&mut self, now: Micros, out: &mut Vec<Wanted<u64, (PeerId, Payload)>>) {
        self.next = now + PERIOD;
        for (&to, (next, _)) in &mut self.links {
            out.push(Wanted::Send { to, message: *next });
            *next += 1;
        }
        if let Some(to) = self.sends_blindly_to.take() {
            out.push(Wanted::Send { to, message: 0 });
        }
        for pick in 0..self.seeds {
            out.push(Wanted::DialSeed { pick });
        }
    }
}
