//! One overlay of any strategy.

use foundation_machine::{Micros, PeerId, Rng};

use crate::client_server::{ClientServer, ClientServerMessage, ClientServerOptions};
use crate::full_mesh::{FullMesh, FullMeshOptions};
use crate::hyparview::{HyParView, HyParViewMessage, HyParViewOptions};
use crate::overlay::{OverlayInput, OverlayOutput};
use crate::static_links::{StaticLinks, StaticLinksOptions, StaticMessage};

/// How an overlay chooses links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strategy {
    /// Everybody links to everybody.
    FullMesh,
    /// Partial views that repair themselves.
    HyParView,
    /// Clients link to servers, servers to each other.
    ClientServer,
    /// The links that were configured.
    Static,
}

/// The options of each strategy, since an overlay can be switched from one to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverlayOptions {
    /// Of [`Strategy::FullMesh`].
    pub full_mesh: FullMeshOptions,
    /// Of [`Strategy::HyParView`].
    pub hyparview: HyParViewOptions,
    /// Of [`Strategy::ClientServer`].
    pub client_server: ClientServerOptions,
    /// Of [`Strategy::Static`].
    pub static_links: StaticLinksOptions,
}

/// A message between two nodes' sides of one overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverlayMessage {
    /// Of [`Strategy::HyParView`].
    HyParView(HyParViewMessage),
    /// Of [`Strategy::ClientServer`].
    ClientServer(ClientServerMessage),
    /// Of [`Strategy::Static`]. A full mesh has no messages: a link is all it takes.
    Static(StaticMessage),
}

/// One overlay.
#[derive(Debug)]
pub enum Overlay {
    /// Of [`Strategy::FullMesh`].
    FullMesh(FullMesh),
    /// Of [`Strategy::HyParView`].
    HyParView(Box<HyParView>),
    /// Of [`Strategy::ClientServer`].
    ClientServer(Box<ClientServer>),
    /// Of [`Strategy::Static`].
    Static(StaticLinks),
}

impl Overlay {
    /// An overlay that knows nobody.
    #[must_use]
    pub fn new(
        strategy: Strategy,
        options: &OverlayOptions,
        own: PeerId,
        rng: Rng,
        now: Micros,
    ) -> Overlay {
        match strategy {
            Strategy::FullMesh => {
                Overlay::FullMesh(FullMesh::new(options.full_mesh.clone(), own, rng, now))
            }
            Strategy::HyParView => {
                let options = options.hyparview.clone();
                Overlay::HyParView(Box::new(HyParView::new(options, own, rng, now)))
            }
            Strategy::ClientServer => {
                let options = options.client_server.clone();
                Overlay::ClientServer(Box::new(ClientServer::new(options, own, rng, now)))
            }
            Strategy::Static => {
                Overlay::Static(StaticLinks::new(options.static_links.clone(), own, rng, now))
            }
        }
    }

    /// Its strategy.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        match self {
            Overlay::FullMesh(_) => Strategy::FullMesh,
            Overlay::HyParView(_) => Strategy::HyParView,
            Overlay::ClientServer(_) => Strategy::ClientServer,
            Overlay::Static(_) => Strategy::Static,
        }
    }

    /// Advances it by one input. A message of another strategy is not for it and does nothing.
    pub fn handle(
        &mut self,
        input: OverlayInput<OverlayMessage>,
        now: Micros,
        out: &mut Vec<OverlayOutput<OverlayMessage>>,
    ) {
        match self {
            Overlay::FullMesh(mesh) => {
                mesh.handle(input, now, out);
            }
            Overlay::HyParView(views) => {
                let Some(input) = input.only(OverlayMessage::into_hyparview) else { return };
                let mut inner = Vec::new();
                views.handle(input, now, &mut inner);
                out.extend(inner.into_iter().map(|output| output.map(OverlayMessage::HyParView)));
            }
            Overlay::ClientServer(roles) => {
                let Some(input) = input.only(OverlayMessage::into_client_server) else { return };
                let mut inner = Vec::new();
                roles.handle(input, now, &mut inner);
                out.extend(inner.into_iter().map(|o| o.map(OverlayMessage::ClientServer)));
            }
            Overlay::Static(links) => {
                let Some(input) = input.only(OverlayMessage::into_static) else { return };
                let mut inner = Vec::new();
                links.handle(input, now, &mut inner);
                out.extend(inner.into_iter().map(|output| output.map(OverlayMessage::Static)));
            }
        }
    }

    /// When it wants to hear [`OverlayInput::Due`].
    #[must_use]
    pub fn due(&self) -> Micros {
        match self {
            Overlay::FullMesh(mesh) => mesh.due(),
            Overlay::HyParView(views) => views.due(),
            Overlay::ClientServer(roles) => roles.due(),
            Overlay::Static(links) => links.due(),
        }
    }

    /// Its neighbours, in no order that means anything.
    #[must_use]
    pub fn neighbours(&self) -> Vec<PeerId> {
        match self {
            Overlay::FullMesh(mesh) => mesh.neighbours().iter().copied().collect(),
            Overlay::HyParView(views) => views.active().to_vec(),
            Overlay::ClientServer(roles) => roles.neighbours().collect(),
            Overlay::Static(links) => links.neighbours().iter().copied().collect(),
        }
    }

    /// How many neighbours it has.
    #[must_use]
    pub fn degree(&self) -> usize {
        match self {
            Overlay::FullMesh(mesh) => mesh.neighbours().len(),
            Overlay::HyParView(views) => views.active().len(),
            Overlay::ClientServer(roles) => roles.neighbours().count(),
            Overlay::Static(links) => links.neighbours().len(),
        }
    }

    /// Whether that peer is a neighbour.
    #[must_use]
    pub fn is_neighbour(&self, peer: PeerId) -> bool {
        match self {
            Overlay::FullMesh(mesh) => mesh.neighbours().contains(&peer),
            Overlay::HyParView(views) => views.active().contains(&peer),
            Overlay::ClientServer(roles) => roles.is_neighbour(peer),
            Overlay::Static(links) => links.neighbours().contains(&peer),
        }
    }

    /// Grows with every change of its neighbours or passive peers; nothing where it is not counted.
    #[must_use]
    pub fn changes(&self) -> Option<u64> {
        if let Overlay::HyParView(views) = self { Some(views.changes()) } else { None }
    }

    /// Peers that it may ask to be neighbours: whose cost it wants to know. HyParView only.
    #[must_use]
    pub fn passive(&self) -> &[PeerId] {
        match self {
            Overlay::HyParView(views) => views.passive(),
            _ => &[],
        }
    }
}

impl OverlayMessage {
    fn into_hyparview(self) -> Option<HyParViewMessage> {
        if let OverlayMessage::HyParView(message) = self { Some(message) } else { None }
    }

    fn into_client_server(self) -> Option<ClientServerMessage> {
        if let OverlayMessage::ClientServer(message) = self { Some(message) } else { None }
    }

    fn into_static(self) -> Option<StaticMessage> {
        if let OverlayMessage::Static(message) = self { Some(message) } else { None }
    }
}

impl<M> OverlayInput<M> {
    /// The same input with another kind of message; nothing where the message has no such.
    pub(crate) fn only<N>(self, of: impl FnOnce(M) -> Option<N>) -> Option<OverlayInput<N>> {
        Some(match self {
            OverlayInput::Received { from, message } => {
                OverlayInput::Received { from, message: of(message)? }
            }
            OverlayInput::Seeds(count) => OverlayInput::Seeds(count),
            OverlayInput::LinkUp { peer, is_seed } => OverlayInput::LinkUp { peer, is_seed },
            OverlayInput::LinkDown { peer, end } => OverlayInput::LinkDown { peer, end },
            OverlayInput::DialFailed(peer) => OverlayInput::DialFailed(peer),
            OverlayInput::SeedFailed => OverlayInput::SeedFailed,
            OverlayInput::Cost { peer, cost } => OverlayInput::Cost { peer, cost },
            OverlayInput::MemberUp(peer) => OverlayInput::MemberUp(peer),
            OverlayInput::MemberDown(peer) => OverlayInput::MemberDown(peer),
            OverlayInput::Due => OverlayInput::Due,
            OverlayInput::Met(peer) => OverlayInput::Met(peer),
            OverlayInput::Leave => OverlayInput::Leave,
        })
    }
}

impl<M> OverlayOutput<M> {
    /// The same output with another kind of message.
    pub(crate) fn map<N>(self, to_other: impl FnOnce(M) -> N) -> OverlayOutput<N> {
        match self {
            OverlayOutput::Send { to, message } => {
                OverlayOutput::Send { to, message: to_other(message) }
            }
            OverlayOutput::Dial(peer) => OverlayOutput::Dial(peer),
            OverlayOutput::DialSeed { pick } => OverlayOutput::DialSeed { pick },
            OverlayOutput::Release(peer) => OverlayOutput::Release(peer),
            OverlayOutput::NeighbourUp(peer) => OverlayOutput::NeighbourUp(peer),
            OverlayOutput::NeighbourDown(peer) => OverlayOutput::NeighbourDown(peer),
        }
    }
}
