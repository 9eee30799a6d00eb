//! What the engine drives: one node's machines as a value.

use std::fmt::Debug;

use foundation_cluster::LinkEnd;
use foundation_machine::{Micros, PeerId};

/// What the application broadcasts and routes in a run: a number of its own for each message.
pub type Payload = u64;

/// A node's machines. The production one is `foundation_cluster::Cluster`; the engine's own tests
/// drive a toy.
pub trait Subject: Sized {
    /// What two nodes' machines say to each other.
    type Message: Clone + Debug;
    /// What the application hears.
    type Event: Debug;
    /// Names of the kinds of messages, for counts.
    const KINDS: &'static [&'static str];

    /// Advances the machines by one input.
    fn handle(
        &mut self,
        given: Given<Self::Message>,
        now: Micros,
        out: &mut Vec<Wanted<Self::Message, Self::Event>>,
    );
    /// When the machines want to be called again, by the node's own clock.
    fn due(&self) -> Micros;
    /// Which of [`Subject::KINDS`] a message is.
    fn kind(message: &Self::Message) -> usize;
    /// How many records of members it carries: what receivers of much news are busy with.
    fn records(message: &Self::Message) -> usize;
    /// The event in the checkers' words; none where they have no use for it.
    fn news(event: &Self::Event) -> Option<News>;
    /// How many overlays the node has.
    fn overlays(&self) -> usize;
    /// Appends the neighbours in an overlay.
    fn active(&self, overlay: usize, into: &mut Vec<PeerId>);
    /// Appends those that an overlay knows beside its neighbours.
    fn passive(&self, overlay: usize, into: &mut Vec<PeerId>);
    /// What is another one after every change of the two; nothing where that is not counted.
    fn views_version(&self, overlay: usize) -> Option<(u64, u64)>;
    /// Appends the members that the node knows to be up, itself among them; nothing where the node
    /// keeps no roster.
    fn members(&self, into: &mut Vec<PeerId>);
    /// The epoch of an overlay: how often it has been switched, or none while that is not settled.
    fn epoch(&self, overlay: usize) -> Option<u64>;
    /// Appends the size and the limit of everything that is bounded.
    fn gauges(&self, into: &mut Vec<Gauge>);
}

/// What happens to a node.
#[derive(Clone, Debug)]
pub enum Given<M> {
    /// The node begins, with so many seed addresses.
    Seeds(u32),
    /// A link is up.
    LinkUp {
        /// Who is there.
        peer: PeerId,
        /// It answered at a seed's address that was asked for.
        is_seed: bool,
    },
    /// A link is gone.
    LinkDown {
        /// Who was there.
        peer: PeerId,
        /// How it ended.
        end: LinkEnd,
    },
    /// A dial led to no link.
    DialFailed(PeerId),
    /// The seed did not answer.
    SeedFailed,
    /// A message came.
    Received {
        /// From whom.
        from: PeerId,
        /// What.
        message: M,
    },
    /// A round trip was measured.
    RoundTrip {
        /// To whom.
        peer: PeerId,
        /// How long it took.
        rtt: Micros,
    },
    /// The earliest timer is due.
    Due,
    /// The application asks for something.
    Asked(Ask),
}

/// What an application asks of its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Broadcast that.
    Broadcast {
        /// Over which overlay.
        overlay: u8,
        /// What.
        payload: Payload,
    },
    /// Send that to one node.
    Route {
        /// To whom.
        to: PeerId,
        /// Over which overlay.
        overlay: u8,
        /// What.
        payload: Payload,
    },
    /// Change an overlay's strategy.
    Switch {
        /// Which overlay.
        overlay: u8,
        /// To which of the subject's strategies.
        strategy: u8,
    },
    /// So many isolates are blocked.
    Busy(u16),
    /// Leave the cluster.
    Leave,
}

/// What a node wants done.
#[derive(Clone, Debug)]
pub enum Wanted<M, E> {
    /// Send that over the link, which is up.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: M,
    },
    /// A link to that peer.
    Dial(PeerId),
    /// A link to a seed, by a number that the node drew.
    DialSeed {
        /// Modulo the count of seeds.
        pick: u32,
    },
    /// No use for the link.
    HangUp(PeerId),
    /// The application hears of it.
    Event(E),
}

/// The size of something bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// What.
    pub name: &'static str,
    /// How many there are.
    pub size: usize,
    /// How many there may be.
    pub limit: usize,
}

/// What an application has heard, in the checkers' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A member is up.
    Up(PeerId),
    /// A member is gone.
    Down {
        /// Who.
        peer: PeerId,
        /// This life of it never comes back; else it was found failed and may prove that wrong.
        is_final: bool,
    },
    /// A member is suspected.
    Suspect(PeerId),
    /// The others have taken this life of this node out: only a later one can come in.
    Removed,
    /// A member's isolates are blocked, or no longer.
    Busy(PeerId, bool),
    /// A broadcast has come.
    Broadcast {
        /// Who broadcast it.
        origin: PeerId,
        /// What.
        payload: Payload,
        /// How many links it took; 0 where the machine does not tell.
        hops: u32,
    },
    /// A routed message has come.
    Routed {
        /// Who sent it.
        origin: PeerId,
        /// What.
        payload: Payload,
        /// How many links it took.
        hops: u32,
    },
    /// A routed message that this node sent was given up, and the application told so.
    Unroutable {
        /// What.
        payload: Payload,
    },
    /// An overlay was switched: the epoch that holds from now on.
    Switched {
        /// Which overlay.
        overlay: u8,
        /// Its new epoch.
        epoch: u64,
    },
    /// A switch of an overlay was rolled back.
    RolledBack {
        /// Which overlay.
        overlay: u8,
        /// The epoch that holds again.
        epoch: u64,
    },
}
