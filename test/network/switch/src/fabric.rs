//! The pure part: which frame leaves which port, and when. Time and frames come in as arguments.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use foundation_machine::{Micros, Rng};

use crate::rule::{Census, Rule};

/// Places of stations that are remembered; a frame to any other goes to all ports.
const STATIONS_MAX: usize = 1024;
/// Bytes that wait in all directions together; what comes beyond is dropped and counted.
const WAITING_BYTES_MAX: usize = 512 << 20;
/// Two addresses and a type.
const HEADER_BYTES: usize = 14;

type Station = [u8; 6];

/// Hands a frame to a port's interface.
pub type Send<'a> = &'a mut dyn FnMut(usize, &[u8]);

struct Direction {
    rule: Rule,
    rng: Rng,
    census: Census,
    /// When the last frame in order leaves: none overtakes it unless a rule says so.
    last_due: Micros,
    /// When the rate lets the next frame begin.
    free_at: Micros,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    due: Micros,
    /// Of frames that are due together, those that came first leave first.
    order: u64,
    direction: usize,
    frame: Vec<u8>,
}

/// All directions between the ports, and the frames that are under way.
pub struct Fabric {
    ports: usize,
    directions: Vec<Direction>,
    stations: BTreeMap<Station, usize>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    waiting_bytes: usize,
    taken: u64,
}

impl Fabric {
    /// Wires between all of so many ports. Each direction draws from a generator of its own, so
    /// its decisions follow from the seed and the number of frames that it carried.
    #[must_use]
    pub fn new(ports: usize, seed: u64) -> Fabric {
        let direction = |index: usize| Direction {
            rule: Rule::default(),
            rng: Rng::of_stream(seed, index as u64),
            census: Census::default(),
            last_due: Micros(0),
            free_at: Micros(0),
        };
        Fabric {
            ports,
            directions: (0..ports * ports).map(direction).collect(),
            stations: BTreeMap::new(),
            waiting: BinaryHeap::new(),
            waiting_bytes: 0,
            taken: 0,
        }
    }

    /// How many ports there are.
    #[must_use]
    pub fn ports(&self) -> usize {
        self.ports
    }

    /// Changes one direction; what is under way arrives as it was.
    pub fn set_rule(&mut self, from: usize, to: usize, rule: Rule) {
        self.directions[from * self.ports + to].rule = rule;
    }

    /// What became of the frames of one direction.
    #[must_use]
    pub fn census(&self, from: usize, to: usize) -> Census {
        self.directions[from * self.ports + to].census
    }

    /// Takes a frame that came in at a port.
    pub fn take(&mut self, from: usize, frame: &[u8], now: Micros, send: Send) {
        if frame.len() < HEADER_BYTES {
            return;
        }
        let (to, source) = (station(&frame[..6]), station(&frame[6..12]));
        if self.stations.len() < STATIONS_MAX || self.stations.contains_key(&source) {
            self.stations.insert(source, from);
        }
        let is_group = to[0] & 1 == 1;
        match self.stations.get(&to).filter(|_| !is_group) {
            Some(&place) if place == from => {}
            Some(&place) => self.pass(from, place, frame, now, send),
            None => {
                for place in (0..self.ports).filter(|&place| place != from) {
                    self.pass(from, place, frame, now, send);
                }
            }
        }
    }

    /// Sends what is due.
    pub fn depart(&mut self, now: Micros, send: Send) {
        while let Some(Reverse(next)) = self.waiting.peek() {
            if next.due > now {
                return;
            }
            let Some(Reverse(next)) = self.waiting.pop() else { return };
            self.waiting_bytes -= next.frame.len();
            self.directions[next.direction].census.sent += 1;
            send(next.direction % self.ports, &next.frame);
        }
    }

    /// When the next frame is due.
    #[must_use]
    pub fn due(&self) -> Micros {
        self.waiting.peek().map_or(Micros::NEVER, |Reverse(next)| next.due)
    }

    fn pass(&mut self, from: usize, to: usize, frame: &[u8], now: Micros, send: Send) {
        let index = from * self.ports + to;
        let direction = &mut self.directions[index];
        let (copies, due) = direction.decide(frame.len(), now);
        for _ in 0..copies {
            if due <= now {
                direction.census.sent += 1;
                send(to, frame);
                continue;
            }
            if self.waiting_bytes + frame.len() > WAITING_BYTES_MAX {
                direction.census.overflowed += 1;
                continue;
            }
            self.waiting_bytes += frame.len();
            self.taken += 1;
            let (order, frame) = (self.taken, frame.to_vec());
            self.waiting.push(Reverse(Waiting { due, order, direction: index, frame }));
        }
    }
}

impl Direction {
    /// How often a frame arrives, and when. Draws the same numbers whatever the rule, so that one
    /// probability does not move the outcomes of another.
    fn decide(&mut self, bytes: usize, now: Micros) -> (usize, Micros) {
        let rule = self.rule;
        let is_lost = self.rng.chance(rule.loss);
        let is_doubled = self.rng.chance(rule.duplicate);
        let is_held = self.rng.chance(rule.reorder);
        let stray = self.rng.below(u32::try_from(rule.jitter.0 * 2 + 1).unwrap_or(u32::MAX));
        self.census.frames += 1;
        self.census.bytes += bytes as u64;
        if rule.is_cut {
            self.census.cut += 1;
            return (0, now);
        }
        if is_lost {
            self.census.lost += 1;
            return (0, now);
        }
        let Some(begins) = self.admit(bytes, now) else {
            self.census.overflowed += 1;
            return (0, now);
        };
        let travels = rule.delay.since(rule.jitter) + Micros(u64::from(stray));
        let mut due = self.last_due.max(begins + travels);
        if is_held {
            self.census.reordered += 1;
            due = due + rule.hold;
        } else {
            self.last_due = due;
        }
        self.census.duplicated += u64::from(is_doubled);
        self.census.delayed += u64::from(due > now);
        (1 + usize::from(is_doubled), due)
    }

    /// When the frame has passed the limit of the rate; nothing where too much waits for it.
    fn admit(&mut self, bytes: usize, now: Micros) -> Option<Micros> {
        if self.rule.rate == 0 {
            return Some(now);
        }
        let micros_of = |bytes: u64| Micros(bytes.saturating_mul(1_000_000) / self.rule.rate);
        let begins = self.free_at.max(now);
        if begins.since(now) > micros_of(self.rule.backlog) {
            return None;
        }
        self.free_at = begins + micros_of(bytes as u64);
        Some(self.free_at)
    }
}

fn station(bytes: &[u8]) -> Station {
    let mut station = Station::default();
    station.copy_from_slice(bytes);
    station
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_000_000);

    /// A frame from the station of one port to that of another, with a number in it.
    fn frame(from: u8, to: u8, number: u16) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0];
        frame.extend(number.to_le_bytes());
        frame
    }

    fn number_of(frame: &[u8]) -> u16 {
        u16::from_le_bytes([frame[14], frame[15]])
    }

    /// A fabric that knows where everybody is.
    fn fabric(ports: u8, seed: u64) -> Fabric {
        let mut fabric = Fabric::new(usize::from(ports), seed);
        for port in 0..ports {
            fabric.take(usize::from(port), &frame(port, port, 0), NOW, &mut |_, _| {});
        }
        fabric
    }

    /// Sends numbered frames from port 0 to port 1, a millisecond apart; answers what arrives.
    fn arrivals(fabric: &mut Fabric, count: u16) -> Vec<(u16, Micros)> {
        let mut arrived = Vec::new();
        for number in 0..count {
            let now = NOW + Micros::from_millis(u64::from(number));
            while fabric.due() <= now {
                let due = fabric.due();
                fabric.depart(due, &mut |_, frame| arrived.push((number_of(frame), due)));
            }
            fabric.take(0, &frame(0, 1, number), now, &mut |to, frame| {
                assert_eq!(to, 1);
                arrived.push((number_of(frame), now));
            });
        }
        while fabric.due() < Micros::NEVER {
            let due = fabric.due();
            fabric.depart(due, &mut |_, frame| arrived.push((number_of(frame), due)));
        }
        arrived
    }

    #[test]
    fn frames_reach_the_port_of_their_station_and_all_ports_while_that_is_unknown() {
        let mut fabric = Fabric::new(3, 1);
        let mut reached = Vec::new();
        fabric.take(0, &frame(0, 1, 0), NOW, &mut |to, _| reached.push(to));
        fabric.take(1, &frame(1, 0, 0), NOW, &mut |to, _| reached.push(to));
        fabric.take(0, &frame(0, 1, 0), NOW, &mut |to, _| reached.push(to));
        let mut group = frame(2, 0, 0);
        group[0] = 0xff;
        fabric.take(2, &group, NOW, &mut |to, _| reached.push(to));
        fabric.take(0, &frame(0, 0, 0), NOW, &mut |to, _| reached.push(to));
        fabric.take(0, &[0; 13], NOW, &mut |to, _| reached.push(to));
        assert_eq!(reached, [1, 2, 0, 1, 0, 1]);
    }

    #[test]
    fn a_cut_stops_one_direction_and_leaves_the_other() {
        let mut fabric = fabric(2, 1);
        fabric.set_rule(0, 1, Rule { is_cut: true, ..Rule::default() });
        assert!(arrivals(&mut fabric, 10).is_empty());
        let mut reached = 0;
        fabric.take(1, &frame(1, 0, 0), NOW, &mut |_, _| reached += 1);
        assert_eq!(reached, 1);
        assert_eq!(fabric.census(0, 1).cut, 10);
        assert_eq!(fabric.census(1, 0).cut, 0);
    }

    #[test]
    fn a_seed_decides_alike_each_time_and_another_seed_otherwise() {
        let rule = Rule {
            loss: 0.2,
            duplicate: 0.1,
            reorder: 0.1,
            delay: Micros(5_000),
            jitter: Micros(2_000),
            ..Rule::default()
        };
        let run = |seed| {
            let mut fabric = fabric(2, seed);
            fabric.set_rule(0, 1, rule);
            (arrivals(&mut fabric, 1_000), fabric.census(0, 1))
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7).0, run(8).0);
    }

    #[test]
    fn every_probability_fires_about_as_often_as_it_says() {
        let mut fabric = fabric(2, 3);
        let rule = Rule { loss: 0.05, duplicate: 0.1, reorder: 0.2, ..Rule::default() };
        fabric.set_rule(0, 1, rule);
        let arrived = arrivals(&mut fabric, 10_000).len() as u64;
        let census = fabric.census(0, 1);
        assert_eq!(census.frames, 10_000);
        assert_eq!(census.sent, arrived);
        assert_eq!(arrived, 10_000 - census.lost + census.duplicated);
        // Six standard deviations to each side of what is expected.
        assert!((370..=630).contains(&census.lost), "{census:?}");
        assert!((774..=1_126).contains(&census.duplicated), "{census:?}");
        assert!((1_666..=2_134).contains(&census.reordered), "{census:?}");
    }

    #[test]
    fn jitter_keeps_the_order_and_stays_within_its_bounds_and_reorder_does_not_keep_it() {
        let mut fabric = fabric(2, 5);
        let jittery = Rule { delay: Micros(10_000), jitter: Micros(2_000), ..Rule::default() };
        fabric.set_rule(0, 1, jittery);
        let arrived = arrivals(&mut fabric, 500);
        assert!(arrived.is_sorted());
        assert_eq!(arrived.len(), 500);
        for (number, at) in arrived {
            let took = at.since(NOW + Micros::from_millis(u64::from(number)));
            assert!((8_000..=12_000).contains(&took.0), "{took:?}");
        }
        fabric.set_rule(0, 1, Rule { reorder: 0.1, ..jittery });
        assert!(!arrivals(&mut fabric, 500).is_sorted());
    }

    #[test]
    fn a_rate_spreads_frames_out_and_drops_what_its_backlog_cannot_hold() {
        let mut fabric = fabric(2, 1);
        // 16 bytes a frame and one frame a millisecond; half of that passes, 160 bytes wait.
        fabric.set_rule(0, 1, Rule { rate: 8_000, backlog: 160, ..Rule::default() });
        let arrived = arrivals(&mut fabric, 100);
        let census = fabric.census(0, 1);
        assert!(census.overflowed > 30, "{census:?}");
        assert_eq!(arrived.len() as u64, 100 - census.overflowed);
        for pair in arrived.windows(2) {
            assert!(pair[1].1.since(pair[0].1) >= Micros(2_000), "{pair:?}");
        }
    }
}
