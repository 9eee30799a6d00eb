//! How far members are from each other, without a link between them.
//!
//! Dabek, Cox, Kaashoek, Morris: "Vivaldi: a decentralized network coordinate system" (SIGCOMM
//! 2004), with the height of its section 5.4. Only + - * / and square roots: every platform finds
//! the same coordinates.

use foundation_machine::{Micros, Rng};

/// Dimensions beside the height. Four of them did no worse than Serf's eight on the matrix of the
/// test below, at half the bytes.
pub const DIMENSIONS: usize = 4;

/// Where a node is. Distances are times; whole microseconds, so that coordinates compare and travel
/// alike everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coordinate {
    /// Position in the space. Unit: microseconds.
    pub position: [i32; DIMENSIONS],
    /// What lies between the node and the space: its own access line. Unit: microseconds.
    pub height: u32,
    /// How wrong the coordinate has been of late, against what was measured. Unit: per mille.
    pub error: u16,
}

/// Vivaldi's `c_e`: how fast the error follows (paper section 4.3; Serf).
const ERROR_STEP: f64 = 0.25;
/// Vivaldi's `c_c`: how fast the coordinate moves (paper section 4.3; Serf).
const MOVE_STEP: f64 = 0.25;
/// Serf: `VivaldiErrorMax`.
const ERROR_MAX: f64 = 1.5;
/// Serf: `HeightMin`, 10 us.
const HEIGHT_MIN: f64 = 10.0;
/// Longer round trips are a mistake (Serf refuses above 10 s).
const RTT_MAX: Micros = Micros::from_millis(10_000);

impl Coordinate {
    /// The round trip between two nodes, estimated.
    #[must_use]
    pub fn distance(&self, other: &Coordinate) -> Micros {
        Micros(distance(&Place::of(self), &Place::of(other)) as u64)
    }
}

#[derive(Clone, Copy, Debug)]
struct Place {
    position: [f64; DIMENSIONS],
    height: f64,
    error: f64,
}

impl Place {
    fn of(coordinate: &Coordinate) -> Place {
        Place {
            position: coordinate.position.map(f64::from),
            height: f64::from(coordinate.height).max(HEIGHT_MIN),
            error: (f64::from(coordinate.error) / 1_000.0).clamp(0.001, ERROR_MAX),
        }
    }
}

fn distance(a: &Place, b: &Place) -> f64 {
    flat_distance(a, b) + a.height + b.height
}

fn flat_distance(a: &Place, b: &Place) -> f64 {
    let squares = a.position.iter().zip(&b.position).map(|(a, b)| (a - b) * (a - b));
    squares.sum::<f64>().sqrt()
}

/// This node's own coordinate, moved by each round trip that is measured.
#[derive(Clone, Debug)]
pub struct Vivaldi {
    own: Place,
    rng: Rng,
}

impl Vivaldi {
    /// A node that knows nothing yet sits at the origin, sure of nothing.
    #[must_use]
    pub fn new(rng: Rng) -> Vivaldi {
        let own = Place { position: [0.0; DIMENSIONS], height: HEIGHT_MIN, error: ERROR_MAX };
        Vivaldi { own, rng }
    }

    /// The coordinate as others may know it.
    #[must_use]
    pub fn coordinate(&self) -> Coordinate {
        Coordinate {
            position: self.own.position.map(|along| along as i32),
            height: self.own.height as u32,
            error: (self.own.error * 1_000.0) as u16,
        }
    }

    /// A round trip to a node with that coordinate was measured. Nonsense is ignored.
    pub fn measured(&mut self, rtt: Micros, other: &Coordinate) {
        if rtt.0 == 0 || rtt > RTT_MAX {
            return;
        }
        let rtt = rtt.0 as f64;
        let other = Place::of(other);
        let estimate = distance(&self.own, &other);
        let weight = self.own.error / (self.own.error + other.error);
        let wrong = (estimate - rtt).abs() / rtt;
        let step = ERROR_STEP * weight;
        self.own.error = (wrong * step + self.own.error * (1.0 - step)).clamp(0.001, ERROR_MAX);
        self.push(MOVE_STEP * weight * (rtt - estimate), &other);
    }

    /// Moves away from the other one, or nearer for a negative force.
    fn push(&mut self, force: f64, other: &Place) {
        let flat = flat_distance(&self.own, other);
        let mut direction = [0.0; DIMENSIONS];
        if flat > 1.0 {
            for (along, place) in direction.iter_mut().enumerate() {
                *place = (self.own.position[along] - other.position[along]) / flat;
            }
            let heights = self.own.height + other.height;
            self.own.height = (self.own.height + heights * force / flat).max(HEIGHT_MIN);
        } else {
            // Both at one place: any direction will do.
            direction = direction.map(|_: f64| self.rng.unit() - 0.5);
            let length = direction.iter().map(|along| along * along).sum::<f64>().sqrt();
            direction = direction.map(|along| along / length.max(1e-9));
        }
        for (place, along) in self.own.position.iter_mut().zip(direction) {
            *place = (*place + along * force).clamp(-1e9, 1e9);
        }
        self.own.height = self.own.height.min(1e9);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Round trips between places on a plane, 0 to 100 ms apart, behind lines of 0.5 to 5 ms.
    fn matrix(rng: &mut Rng, nodes: usize) -> Vec<Vec<Micros>> {
        let places: Vec<(f64, f64, f64)> = (0..nodes)
            .map(|_| (rng.unit() * 70.0, rng.unit() * 70.0, 0.5 + rng.unit() * 4.5))
            .collect();
        let rtt = |a: &(f64, f64, f64), b: &(f64, f64, f64)| {
            let flat = ((a.0 - b.0) * (a.0 - b.0) + (a.1 - b.1) * (a.1 - b.1)).sqrt();
            Micros(((flat + a.2 + b.2) * 1_000.0) as u64)
        };
        places.iter().map(|a| places.iter().map(|b| rtt(a, b)).collect()).collect()
    }

    /// The median of |estimated - true| / true after so many measurements a node.
    fn median_error(seed: u64, nodes: usize, rounds: usize, noise: f64) -> f64 {
        let mut rng = Rng::new(seed);
        let matrix = matrix(&mut rng, nodes);
        let mut machines: Vec<Vivaldi> = (0..nodes).map(|_| Vivaldi::new(rng.fork())).collect();
        for _ in 0..rounds {
            for a in 0..nodes {
                let b = (a + 1 + rng.index(nodes - 1)) % nodes;
                let late = 1.0 + rng.unit() * noise;
                let rtt = Micros((matrix[a][b].0 as f64 * late) as u64);
                let other = machines[b].coordinate();
                machines[a].measured(rtt, &other);
            }
        }
        let mut errors = Vec::new();
        for a in 0..nodes {
            for b in 0..a {
                let guess = machines[a].coordinate().distance(&machines[b].coordinate()).0 as f64;
                let truth = matrix[a][b].0 as f64;
                errors.push((guess - truth).abs() / truth);
            }
        }
        errors.sort_by(f64::total_cmp);
        errors[errors.len() / 2]
    }

    #[test]
    fn coordinates_converge_to_a_matrix_of_round_trips() {
        for seed in 1..=5 {
            let exact = median_error(seed, 64, 300, 0.0);
            let noisy = median_error(seed, 64, 300, 0.2);
            println!("seed {seed}: median error {exact:.3}, with 0 to 20 % of delay {noisy:.3}");
            assert!(exact < 0.05, "seed {seed}: {exact}");
            assert!(noisy < 0.15, "seed {seed}: {noisy}");
        }
    }

    #[test]
    fn nonsense_does_not_move_a_node() {
        let mut vivaldi = Vivaldi::new(Rng::new(1));
        let before = vivaldi.coordinate();
        vivaldi.measured(Micros(0), &Coordinate::default());
        vivaldi.measured(Micros::NEVER, &Coordinate::default());
        assert_eq!(vivaldi.coordinate(), before);
        let far = Coordinate { position: [i32::MAX; DIMENSIONS], height: u32::MAX, error: 0 };
        for _ in 0..1_000 {
            vivaldi.measured(Micros(1), &far);
        }
        assert!(vivaldi.coordinate().height < u32::MAX);
    }
}
