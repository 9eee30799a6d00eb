//! An overlay as a graph, and what is said of it.

use std::collections::VecDeque;

/// Who has whom as a neighbour, by node number. Nodes that are not up have no edges and count
/// nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Whether each node is up.
    pub is_up: Vec<bool>,
    /// The neighbours of each, as it sees them.
    pub edges: Vec<Vec<u32>>,
}

/// Distances in an overlay.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Paths {
    /// Links between two nodes, on average.
    pub mean: f64,
    /// Links between the two farthest apart.
    pub most: u32,
}

impl Graph {
    /// How many nodes are up.
    #[must_use]
    pub fn up(&self) -> usize {
        self.is_up.iter().filter(|&&is_up| is_up).count()
    }

    /// How many edges there are whose other end has none back. 0: the overlay is symmetric.
    #[must_use]
    pub fn one_sided(&self) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        for (from, edges) in (0..).zip(&self.edges) {
            for &to in edges {
                let has_back = self.is_up[to as usize] && self.edges[to as usize].contains(&from);
                if !has_back {
                    found.push((from, to));
                }
            }
        }
        found
    }

    /// The sizes of the components of nodes that are up, largest first; edges count both ways.
    #[must_use]
    pub fn components(&self) -> Vec<usize> {
        let mut parent: Vec<u32> = (0..).take(self.edges.len()).collect();
        for (from, edges) in (0..).zip(&self.edges) {
            for &to in edges.iter().filter(|&&to| self.is_up[to as usize]) {
                let (one, other) = (root(&mut parent, from), root(&mut parent, to));
                parent[one as usize] = other;
            }
        }
        let mut sizes = vec![0; self.edges.len()];
        for node in (0..).zip(&self.is_up).filter(|(_, is_up)| **is_up).map(|(node, _)| node) {
            sizes[root(&mut parent, node) as usize] += 1;
        }
        sizes.retain(|&size| size > 0);
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        sizes
    }

    /// The part of the nodes that are up which is in the largest component.
    #[must_use]
    pub fn largest(&self) -> f64 {
        ratio(self.components().first().copied().unwrap_or(0), self.up())
    }

    /// Distances from at most so many nodes to all that they reach.
    #[must_use]
    pub fn paths(&self, sources: usize) -> Paths {
        let up: Vec<u32> = self.numbers().collect();
        let stride = (up.len() / sources.max(1)).max(1);
        let (mut sum, mut count, mut most) = (0u64, 0u64, 0);
        let mut distance = vec![u32::MAX; self.edges.len()];
        let mut pending = VecDeque::new();
        for &source in up.iter().step_by(stride) {
            distance.fill(u32::MAX);
            distance[source as usize] = 0;
            pending.push_back(source);
            while let Some(node) = pending.pop_front() {
                let next = distance[node as usize] + 1;
                for &to in &self.edges[node as usize] {
                    if self.is_up[to as usize] && distance[to as usize] == u32::MAX {
                        distance[to as usize] = next;
                        (sum, count, most) = (sum + u64::from(next), count + 1, most.max(next));
                        pending.push_back(to);
                    }
                }
            }
        }
        Paths { mean: sum as f64 / count.max(1) as f64, most }
    }

    /// How many pairs of neighbours are neighbours themselves: the mean over all nodes.
    #[must_use]
    pub fn clustering(&self) -> f64 {
        let mut sum = 0.0;
        for node in self.numbers() {
            let edges = &self.edges[node as usize];
            let mut closed = 0;
            for (place, &one) in edges.iter().enumerate() {
                let of_one = &self.edges[one as usize];
                closed += edges[place + 1..].iter().filter(|&it| of_one.contains(it)).count();
            }
            let pairs = edges.len() * edges.len().saturating_sub(1) / 2;
            sum += ratio(closed, pairs);
        }
        sum / self.up().max(1) as f64
    }

    /// How many name each node, of those that are up.
    #[must_use]
    pub fn in_degrees(&self) -> Vec<usize> {
        let mut degrees = vec![0; self.edges.len()];
        for &to in self.edges.iter().flatten() {
            degrees[to as usize] += 1;
        }
        self.numbers().map(|node| degrees[node as usize]).collect()
    }

    /// How many neighbours each has, of those that are up.
    #[must_use]
    pub fn degrees(&self) -> Vec<usize> {
        self.numbers().map(|node| self.edges[node as usize].len()).collect()
    }

    fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.is_up).filter(|(_, is_up)| **is_up).map(|(node, _)| node)
    }
}

fn root(parent: &mut [u32], mut node: u32) -> u32 {
    while parent[node as usize] != node {
        parent[node as usize] = parent[parent[node as usize] as usize];
        node = parent[node as usize];
    }
    node
}

/// A part of a whole; 0 of nothing.
pub(crate) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The middle of the list, and 0 of none.
pub(crate) fn median(list: &mut [usize]) -> usize {
    list.sort_unstable();
    list.get(list.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[&[u32]]) -> Graph {
        Graph {
            is_up: vec![true; edges.len()],
            edges: edges.iter().map(|list| list.to_vec()).collect(),
        }
    }

    #[test]
    fn a_ring_of_six_is_whole_and_three_across() {
        let ring = graph(&[&[1, 5], &[0, 2], &[1, 3], &[2, 4], &[3, 5], &[4, 0]]);
        assert_eq!(ring.components(), [6]);
        assert_eq!(ring.paths(6), Paths { mean: 1.8, most: 3 });
        assert!(ring.one_sided().is_empty());
        assert_eq!(ring.clustering(), 0.0);
    }

    #[test]
    fn the_dead_part_a_line_and_their_edges_are_one_sided() {
        let mut line = graph(&[&[1, 2], &[0, 2], &[0, 1, 3], &[2, 4], &[3]]);
        assert_eq!(line.clustering(), (1.0 + 1.0 + 1.0 / 3.0) / 5.0);
        line.is_up[3] = false;
        line.edges[3].clear();
        assert_eq!(line.components(), [3, 1]);
        assert_eq!(line.largest(), 0.75);
        assert_eq!(line.one_sided(), [(2, 3), (4, 3)]);
        assert_eq!(line.degrees(), [2, 2, 3, 1]);
        assert_eq!(line.in_degrees(), [2, 2, 2, 0]);
    }
}
