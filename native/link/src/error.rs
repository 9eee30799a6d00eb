//! Why a link ends. Codes are stable; they reach JavaScript unchanged.

use foundation_frame::FrameError;
use foundation_schema::SchemaError;
use foundation_seal::SealError;

/// Why a link or a handshake ended. [`LinkError::code`] is the stable name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// The peer's bytes are not frames of this protocol, or were damaged on the way.
    Frame(FrameError),
    /// A control message failed verification.
    Schema(SchemaError),
    /// A control message came where the protocol does not allow it.
    Protocol(&'static str),
    /// The peer sent more than its credit.
    CreditViolation,
    /// The peer refused the connection.
    Rejected {
        /// What the peer gave as the reason.
        code: RejectCode,
    },
    /// The peer's proof does not match: the secrets differ.
    AuthFailed,
    /// No common protocol version.
    VersionMismatch,
    /// The peer belongs to another cluster.
    ClusterMismatch,
    /// Nothing was received for the silence limit.
    Silent,
    /// The handshake took too long.
    HandshakeTimeout,
    /// Sealed bytes that nobody with the key can have written now and here.
    Seal(SealError),
}

impl LinkError {
    /// Stable snake_case name, listed in docs/errors.md.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            LinkError::Frame(error) => error.code(),
            LinkError::Schema(_) => "malformed_control",
            LinkError::Protocol(_) => "protocol_violation",
            LinkError::CreditViolation => "credit_violation",
            LinkError::Rejected { code } => code.code(),
            LinkError::AuthFailed => "auth_failed",
            LinkError::VersionMismatch => "version_mismatch",
            LinkError::ClusterMismatch => "cluster_mismatch",
            LinkError::Silent => "silent",
            LinkError::HandshakeTimeout => "handshake_timeout",
            LinkError::Seal(error) => error.code(),
        }
    }

    /// The reason to give to the peer, where one is owed.
    #[must_use]
    pub fn reject_code(&self) -> Option<RejectCode> {
        match self {
            LinkError::AuthFailed => Some(RejectCode::AuthFailed),
            LinkError::VersionMismatch => Some(RejectCode::VersionMismatch),
            LinkError::ClusterMismatch => Some(RejectCode::ClusterMismatch),
            _ => None,
        }
    }
}

impl From<FrameError> for LinkError {
    fn from(error: FrameError) -> Self {
        LinkError::Frame(error)
    }
}

impl From<SealError> for LinkError {
    fn from(error: SealError) -> Self {
        LinkError::Seal(error)
    }
}

impl From<SchemaError> for LinkError {
    fn from(error: SchemaError) -> Self {
        LinkError::Schema(error)
    }
}

/// Reasons that travel in a `Reject` message. The numbers are the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum RejectCode {
    /// No common protocol version.
    VersionMismatch = 1,
    /// Another cluster name.
    ClusterMismatch = 2,
    /// The proof does not match.
    AuthFailed = 3,
    /// Two dials crossed and the other one survives.
    Crossing = 4,
    /// A live node has that name already.
    DuplicateNode = 5,
    /// A node dialled itself.
    SelfDial = 6,
    /// Too many unauthenticated connections.
    TooMany = 7,
    /// The node is leaving the cluster.
    Leaving = 8,
    /// The lane's link is unknown.
    UnknownLink = 9,
    /// A reason that this version does not know.
    Other = 255,
}

impl RejectCode {
    /// Stable snake_case name, listed in docs/errors.md.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            RejectCode::VersionMismatch => "version_mismatch",
            RejectCode::ClusterMismatch => "cluster_mismatch",
            RejectCode::AuthFailed => "auth_failed",
            RejectCode::Crossing => "crossing_dial",
            RejectCode::DuplicateNode => "duplicate_node",
            RejectCode::SelfDial => "self_dial",
            RejectCode::TooMany => "too_many_connections",
            RejectCode::Leaving => "peer_leaving",
            RejectCode::UnknownLink => "unknown_link",
            RejectCode::Other => "rejected",
        }
    }

    /// Whether it is said to a peer that has not proved itself, so that it comes without a proof.
    pub(crate) fn is_before_proof(self) -> bool {
        matches!(
            self,
            RejectCode::VersionMismatch
                | RejectCode::ClusterMismatch
                | RejectCode::AuthFailed
                | RejectCode::TooMany
                | RejectCode::UnknownLink
        )
    }

    pub(crate) fn from_wire(code: u8) -> RejectCode {
        use RejectCode::{
            AuthFailed, ClusterMismatch, Crossing, DuplicateNode, Leaving, Other, SelfDial,
            TooMany, UnknownLink, VersionMismatch,
        };
        [
            VersionMismatch,
            ClusterMismatch,
            AuthFailed,
            Crossing,
            DuplicateNode,
            SelfDial,
            TooMany,
            Leaving,
            UnknownLink,
        ]
        .into_iter()
        .find(|known| *known as u8 == code)
        .unwrap_or(Other)
    }
}
