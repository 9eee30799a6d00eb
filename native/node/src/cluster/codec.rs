//! Reading and writing the one shape that all messages of machines have on the wire: nodes by
//! name, address and life, and numbers, both in the order in which a message names them.

use foundation_link::{Machine, Member};
use foundation_machine::{Micros, PeerId};

use crate::cluster::directory::Directory;

/// A message under construction.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    directory: &'a Directory,
    pub(crate) machine: Machine,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(directory: &'a Directory, family: u8) -> Writer<'a> {
        Writer { directory, machine: Machine { family, ..Machine::default() } }
    }

    pub(crate) fn kind(&mut self, kind: u8) -> &mut Self {
        self.machine.kind = kind;
        self
    }

    /// A node with its address: whoever reads it may have to dial it.
    pub(crate) fn node(&mut self, peer: PeerId) -> &mut Self {
        self.machine.nodes.push(self.directory.member(peer));
        self
    }

    /// A node that nobody dials for this message's sake.
    pub(crate) fn named(&mut self, peer: PeerId) -> &mut Self {
        let Member { name, life, .. } = self.directory.member(peer);
        self.machine.nodes.push(Member { name, address: String::new(), life });
        self
    }

    /// A node that the other end knows, or can do without.
    pub(crate) fn reference(&mut self, peer: PeerId) -> &mut Self {
        self.number(self.directory.reference(peer))
    }

    /// A list of such nodes behind its length.
    pub(crate) fn references(&mut self, peers: &[PeerId]) -> &mut Self {
        self.number(peers.len() as u64);
        for &peer in peers {
            self.reference(peer);
        }
        self
    }

    /// The same of nodes without which the message says less, and all the same something.
    pub(crate) fn known(&mut self, peers: &[PeerId]) -> &mut Self {
        let directory = self.directory;
        let latest = peers.iter().filter(|peer| directory.is_latest(**peer));
        let known: Vec<PeerId> = latest.copied().collect();
        self.references(&known)
    }

    /// Whether the other end may know that life by a reference.
    pub(crate) fn is_latest(&self, peer: PeerId) -> bool {
        self.directory.is_latest(peer)
    }

    /// A list of nodes behind its length.
    pub(crate) fn nodes(&mut self, peers: &[PeerId]) -> &mut Self {
        self.number(peers.len() as u64);
        for &peer in peers {
            self.node(peer);
        }
        self
    }

    /// A list of numbers behind its length.
    pub(crate) fn numbers<T: Into<u64> + Copy>(&mut self, numbers: &[T]) -> &mut Self {
        self.number(numbers.len() as u64);
        for &number in numbers {
            self.number(number);
        }
        self
    }

    pub(crate) fn number(&mut self, number: impl Into<u64>) -> &mut Self {
        self.machine.numbers.push(number.into());
        self
    }

    pub(crate) fn time(&mut self, time: Micros) -> &mut Self {
        self.number(time.0)
    }
}

/// A message being read. Whatever is missing or out of range makes the whole message unreadable.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    directory: &'a mut Directory,
    nodes: std::vec::IntoIter<Member>,
    numbers: std::vec::IntoIter<u64>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        directory: &'a mut Directory,
        nodes: Vec<Member>,
        numbers: Vec<u64>,
    ) -> Reader<'a> {
        Reader { directory, nodes: nodes.into_iter(), numbers: numbers.into_iter() }
    }

    pub(crate) fn node(&mut self) -> Option<PeerId> {
        self.directory.learn(&self.nodes.next()?)
    }

    /// A node that this one has to know already.
    pub(crate) fn reference(&mut self) -> Option<PeerId> {
        self.referred()?
    }

    /// A node that may be unknown here: then the answer is there, and empty.
    pub(crate) fn referred(&mut self) -> Option<Option<PeerId>> {
        let reference = self.number()?;
        Some(self.directory.referred(reference))
    }

    /// A list of nodes, without those that are not known here.
    pub(crate) fn known(&mut self, length_max: usize) -> Option<Vec<PeerId>> {
        let references = self.list(length_max, Reader::number)?;
        Some(references.into_iter().filter_map(|it| self.directory.referred(it)).collect())
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        self.numbers.next()
    }

    /// A number of a narrower type.
    pub(crate) fn narrow<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        self.number().map(|number| number != 0)
    }

    pub(crate) fn time(&mut self) -> Option<Micros> {
        self.number().map(Micros)
    }

    /// A list behind its length, which has to be within the limit of the machine.
    pub(crate) fn list<T>(
        &mut self,
        length_max: usize,
        read: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let length = self.narrow::<usize>().filter(|&length| length <= length_max)?;
        (0..length).map(|_| read(self)).collect()
    }

    pub(crate) fn nodes(&mut self, length_max: usize) -> Option<Vec<PeerId>> {
        self.list(length_max, Reader::node)
    }
}
