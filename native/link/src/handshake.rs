//! The first exchange on a connection: who are you, do we speak one version, do you know the
//! secret.
//!
//! ```text
//!   dialler                         acceptor
//!   Hello (nonce D)      ->
//!                        <-         Hello (nonce A)
//!   Auth (proof D)       ->
//!                        <-         Auth (proof A), then Ready or Reject
//! ```
//!
//! A proof is HMAC-SHA256 over a role tag and the raw bytes of both Hellos, so it binds nonces,
//! names, lives, versions, lane and epoch, and cannot be reflected. The dialler proves itself
//! first: a stranger gets nothing to attack offline. Without a secret the key is empty; a node with
//! one refuses such a peer.

use foundation_frame::{Decoded, Frame, HANDSHAKE_BYTES_MAX, Limits, decode, encode_control};
use foundation_schema::{Auth, ChannelSpec, Control, Hello, NodeLife, Ready, Reject, Role};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::channel::LANES_MAX;
use crate::error::{LinkError, RejectCode};
use crate::options::LinkOptions;
use crate::time::Micros;

/// Oldest protocol version that this code speaks.
const VERSION_MIN: u16 = 1;
/// Newest protocol version that this code speaks.
const VERSION_MAX: u16 = 1;

/// What a node says of itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Node name, unique in the cluster. At most 255 bytes.
    pub node: String,
    /// Cluster name.
    pub cluster: String,
    /// This run of the node.
    pub life: NodeLife,
    /// Where the node listens; empty where it does not.
    pub listen: String,
    /// The node's channels, index = channel number.
    pub channels: Vec<ChannelSpec>,
    /// Shared secret; empty for none.
    pub secret: Vec<u8>,
    /// Lowest and highest protocol version offered. Other than the defaults only in tests of
    /// mismatch.
    pub versions: (u16, u16),
}

impl Identity {
    /// The versions that this code speaks.
    pub const VERSIONS: (u16, u16) = (VERSION_MIN, VERSION_MAX);

    /// Size of the Hello that this identity says, or `None` where a field is longer than the wire
    /// allows. A handshake message may take [`HANDSHAKE_BYTES_MAX`]: check before the first
    /// connection.
    #[must_use]
    pub fn hello_bytes(&self) -> Option<usize> {
        let options = LinkOptions::default();
        let handshake = Handshake::dial(self.clone(), &options, [0; 32], 0, 0, Micros(0));
        (!handshake.output.is_empty()).then_some(handshake.output.len())
    }
}

fn proof_tag(role: Role) -> &'static [u8] {
    match role {
        Role::Dialler => b"foundation/1 dialler",
        Role::Acceptor => b"foundation/1 acceptor",
    }
}

fn other(role: Role) -> Role {
    match role {
        Role::Dialler => Role::Acceptor,
        Role::Acceptor => Role::Dialler,
    }
}

/// What a finished handshake knows of the peer.
#[derive(Debug, Clone)]
pub struct Established {
    /// Which end we are.
    pub role: Role,
    /// Peer's node name.
    pub node: String,
    /// Peer's life.
    pub life: NodeLife,
    /// Where the peer listens; empty where it does not.
    pub listen: String,
    /// Peer's channels, index = its channel number.
    pub channels: Vec<ChannelSpec>,
    /// Lane of this connection.
    pub lane: u8,
    /// Epoch of the link, chosen by the dialler of its first lane.
    pub epoch: u64,
    /// Credit each account starts with when sending to the peer.
    pub window_bytes: u64,
    /// Largest message the peer takes.
    pub message_bytes_max: u64,
    /// Version both speak.
    pub version: u16,
}

/// What the host has to do next.
#[derive(Debug)]
pub enum Progress {
    /// Wait for more bytes.
    Wait,
    /// Acceptor: the peer is authenticated. Call [`Handshake::admit`] or [`Handshake::reject`].
    Decide(Box<Established>),
    /// Dialler: the peer let us in. Bytes from `consumed` on belong to the link.
    Done(Box<Established>),
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    ExpectHello,
    ExpectAuth,
    Deciding,
    ExpectReady,
    Done,
}

/// The machine of one connection's handshake.
pub struct Handshake {
    role: Role,
    identity: Identity,
    state: State,
    nonce: [u8; 32],
    lane: u8,
    epoch: u64,
    window_bytes: u64,
    message_bytes_max: u64,
    deadline: Micros,
    own_hello: Vec<u8>,
    peer: Option<(Vec<u8>, Hello)>,
    received_bytes: usize,
    output: Vec<u8>,
}

impl Handshake {
    /// The dialling end. `nonce` has to be fresh random bytes; `epoch` is the new link's, or with
    /// `lane > 0` the epoch of the link that the lane joins.
    #[must_use]
    pub fn dial(
        identity: Identity,
        options: &LinkOptions,
        nonce: [u8; 32],
        lane: u8,
        epoch: u64,
        now: Micros,
    ) -> Handshake {
        let mut handshake = Self::new(Role::Dialler, identity, options, nonce, now);
        handshake.lane = lane;
        handshake.epoch = epoch;
        handshake.say_hello();
        handshake
    }

    /// The accepting end. `nonce` has to be fresh random bytes.
    #[must_use]
    pub fn accept(
        identity: Identity,
        options: &LinkOptions,
        nonce: [u8; 32],
        now: Micros,
    ) -> Handshake {
        Self::new(Role::Acceptor, identity, options, nonce, now)
    }

    fn new(
        role: Role,
        identity: Identity,
        options: &LinkOptions,
        nonce: [u8; 32],
        now: Micros,
    ) -> Handshake {
        Handshake {
            role,
            identity,
            state: State::ExpectHello,
            nonce,
            lane: 0,
            epoch: 0,
            window_bytes: options.window_bytes,
            message_bytes_max: options.message_bytes_max,
            deadline: now + options.handshake_timeout,
            own_hello: Vec::new(),
            peer: None,
            received_bytes: 0,
            output: Vec::new(),
        }
    }

    /// What the peer calls itself, once its Hello came. Not proven before the end.
    #[must_use]
    pub fn peer_name(&self) -> Option<&str> {
        self.peer.as_ref().map(|(_, hello)| hello.node.as_str())
    }

    /// When the handshake has to be over.
    #[must_use]
    pub fn deadline(&self) -> Micros {
        self.deadline
    }

    /// Bytes to write to the peer now.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Takes received bytes; answers how many were used and what to do. After an error the host
    /// writes [`Handshake::take_output`] (a `Reject`, where one is owed) and closes.
    ///
    /// # Errors
    /// Any [`LinkError`] of the closed set; the connection is of no further use.
    pub fn handle(&mut self, input: &[u8]) -> Result<(usize, Progress), LinkError> {
        let result = self.advance(input);
        if let Err(error) = &result {
            self.state = State::Done;
            if let Some(code) = error.reject_code() {
                self.reject(code);
            }
        }
        result
    }

    fn advance(&mut self, input: &[u8]) -> Result<(usize, Progress), LinkError> {
        let mut used = 0;
        loop {
            if matches!(self.state, State::Deciding | State::Done) {
                return Ok((used, Progress::Wait));
            }
            let (frame, consumed) = match decode(&input[used..], &Limits::HANDSHAKE)? {
                Decoded::Incomplete { .. } => return Ok((used, Progress::Wait)),
                Decoded::Frame { frame, consumed } => (frame, consumed),
            };
            let raw = &input[used..used + consumed];
            used += consumed;
            self.received_bytes += consumed;
            if self.received_bytes > 2 * HANDSHAKE_BYTES_MAX {
                return Err(LinkError::Protocol("handshake too long"));
            }
            let control = match frame {
                Frame::Control { payload } => foundation_schema::decode_handshake(payload)?,
                Frame::Skipped { .. } => continue,
                Frame::Data { .. } => return Err(LinkError::Protocol("data before handshake")),
            };
            if let Some(progress) = self.step(control, raw)? {
                return Ok((used, progress));
            }
        }
    }

    fn step(&mut self, control: Control, raw: &[u8]) -> Result<Option<Progress>, LinkError> {
        match (&self.state, control) {
            (_, Control::Reject(reject)) => {
                Err(LinkError::Rejected { code: RejectCode::from_wire(reject.code) })
            }
            (State::ExpectHello, Control::Hello(hello)) => {
                self.take_hello(hello, raw)?;
                Ok(None)
            }
            (State::ExpectAuth, Control::Auth(auth)) => {
                self.verify(&auth.proof)?;
                if self.role == Role::Dialler {
                    self.state = State::ExpectReady;
                    return Ok(None);
                }
                self.state = State::Deciding;
                Ok(Some(Progress::Decide(Box::new(self.established()?))))
            }
            (State::ExpectReady, Control::Ready(_)) => {
                self.state = State::Done;
                Ok(Some(Progress::Done(Box::new(self.established()?))))
            }
            _ => Err(LinkError::Protocol("handshake out of order")),
        }
    }

    fn take_hello(&mut self, hello: Hello, raw: &[u8]) -> Result<(), LinkError> {
        if hello.role == self.role {
            return Err(LinkError::Protocol("hello of the wrong role"));
        }
        if hello.version_max < self.identity.versions.0
            || hello.version_min > self.identity.versions.1
        {
            return Err(LinkError::VersionMismatch);
        }
        if hello.cluster != self.identity.cluster {
            return Err(LinkError::ClusterMismatch);
        }
        if hello.node.is_empty() {
            return Err(LinkError::Protocol("incomplete hello"));
        }
        if hello.lane as usize >= LANES_MAX {
            return Err(LinkError::Protocol("lane out of range"));
        }
        if self.role == Role::Dialler && (hello.lane != self.lane || hello.epoch != self.epoch) {
            return Err(LinkError::Protocol("hello for another link"));
        }
        self.lane = hello.lane;
        self.epoch = hello.epoch;
        self.peer = Some((raw.to_vec(), hello));
        if self.role == Role::Acceptor {
            self.say_hello();
        } else {
            self.say_auth();
        }
        self.state = State::ExpectAuth;
        Ok(())
    }

    /// Acceptor: lets the authenticated peer in.
    pub fn admit(&mut self) {
        self.say_auth();
        self.say(&Control::Ready(Ready));
        self.state = State::Done;
    }

    /// Refuses the peer with a reason; the host writes the output and closes.
    pub fn reject(&mut self, code: RejectCode) {
        let reject = Reject { code: code as u8, detail: String::new() };
        self.say(&Control::Reject(reject));
        self.state = State::Done;
    }

    fn say_hello(&mut self) {
        let hello = Hello {
            version_min: self.identity.versions.0,
            version_max: self.identity.versions.1,
            cluster: self.identity.cluster.clone(),
            node: self.identity.node.clone(),
            life: self.identity.life,
            nonce: self.nonce,
            listen: self.identity.listen.clone(),
            role: self.role,
            lane: self.lane,
            epoch: self.epoch,
            window_bytes: self.window_bytes,
            message_bytes_max: self.message_bytes_max,
            // A further lane joins a link whose channels are known.
            channels: if self.lane > 0 { Vec::new() } else { self.identity.channels.clone() },
        };
        let start = self.output.len();
        self.say(&Control::Hello(hello));
        self.own_hello = self.output[start..].to_vec();
    }

    fn say_auth(&mut self) {
        let proof = self.mac(self.role).finalize().into_bytes().into();
        self.say(&Control::Auth(Auth { proof }));
    }

    fn say(&mut self, control: &Control) {
        // The host checked at start that its Hello fits (`Identity::hello_bytes`). Were a message
        // not to fit all the same, nothing is sent and the deadline ends the handshake.
        if let Ok(payload) = control.encode() {
            let framed = encode_control(&payload, 0, &mut self.output);
            debug_assert!(framed.is_ok(), "a handshake message is far below 64 KiB");
        }
    }

    fn mac(&self, prover: Role) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.identity.secret)
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(proof_tag(prover));
        let theirs = self.peer.as_ref().map_or(&[][..], |(raw, _)| raw);
        let (dialler, acceptor) = match self.role {
            Role::Dialler => (&self.own_hello[..], theirs),
            Role::Acceptor => (theirs, &self.own_hello[..]),
        };
        mac.update(&(dialler.len() as u64).to_le_bytes());
        mac.update(dialler);
        mac.update(acceptor);
        mac
    }

    fn verify(&self, proof: &[u8]) -> Result<(), LinkError> {
        // `verify_slice` compares in constant time.
        self.mac(other(self.role)).verify_slice(proof).map_err(|_| LinkError::AuthFailed)
    }

    fn established(&self) -> Result<Established, LinkError> {
        let Some((_, hello)) = &self.peer else {
            return Err(LinkError::Protocol("no hello"));
        };
        Ok(Established {
            role: self.role,
            node: hello.node.clone(),
            life: hello.life,
            listen: hello.listen.clone(),
            channels: hello.channels.clone(),
            lane: self.lane,
            epoch: self.epoch,
            window_bytes: hello.window_bytes,
            message_bytes_max: hello.message_bytes_max,
            version: hello.version_max.min(self.identity.versions.1),
        })
    }
}
