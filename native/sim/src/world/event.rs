//! What is to happen.

use foundation_cluster::LinkEnd;
use foundation_machine::{Micros, PeerId};

use super::link::LinkRef;

#[derive(Clone, Debug)]
pub(crate) enum Event<M> {
    /// A node's earliest timer may be due.
    Wake { node: u32, run: u32 },
    /// A message arrives at an end of a link.
    Message { link: LinkRef, end: usize, sent: Micros, message: M },
    /// The accepting end of a link hears of it.
    LinkUp { link: LinkRef, end: usize },
    /// An end hears that the other has closed.
    LinkDown { link: LinkRef, end: usize, how: LinkEnd },
    /// A round trip is told to an end.
    RoundTrip { link: LinkRef, end: usize },
    /// A dial has its answer, or its time is over.
    DialDone { node: u32, run: u32, target: u32, is_last: bool },
    /// Nothing may have come over a link for too long.
    Silence { link: LinkRef, end: usize, since: Micros },
    /// A slow node has time for its next input.
    Drain { node: u32, run: u32 },
    /// A node hears that a link that it closed is closed.
    Released { node: u32, run: u32, peer: PeerId },
    /// A node that said goodbye ends.
    Stop { node: u32, run: u32 },
}
