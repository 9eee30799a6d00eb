//! What clients and servers say to each other.

use foundation_machine::PeerId;

/// Longest list of servers in a message; what is beyond is not read.
pub const SERVERS_TOLD_MAX: usize = 16;

/// What a node is in a client-server overlay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Links to servers.
    Client,
    /// Links to everybody who asks.
    #[default]
    Server,
}

/// A message of the client-server overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientServerMessage {
    /// The sender asks to be a neighbour; answered by `Welcome` or `Refuse`.
    Hello {
        /// What it is.
        role: Role,
        /// Servers that it knows.
        servers: Vec<PeerId>,
    },
    /// The sender is a neighbour from now on.
    Welcome {
        /// What it is.
        role: Role,
        /// Servers that it knows.
        servers: Vec<PeerId>,
    },
    /// The sender is not: both are clients, or it has all the clients that it takes.
    Refuse {
        /// What it is.
        role: Role,
        /// Servers that it knows.
        servers: Vec<PeerId>,
    },
    /// Servers that the sender has just heard of.
    Servers {
        /// Which.
        servers: Vec<PeerId>,
    },
    /// The sender is no neighbour (any more).
    Bye,
}
