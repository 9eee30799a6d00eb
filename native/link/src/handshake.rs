//! The first exchange on a connection: who are you, do we speak one version, do you know the
//! secret, and is what follows sealed.
//!
//! ```text
//!   dialler                                  acceptor
//!   Hello (nonce, key id, key share)   ->
//!                                      <-    Hello (nonce, key id, key share)
//!   Auth (proof)                       ->
//!                                      <-    Auth (proof)
//!                                      <-    Ready or Reject, sealed where the link is
//! ```
//!
//! Proofs and keys are derived from the secret and the raw bytes of both Hellos, so they bind
//! nonces, names, lives, versions, lane, epoch and what each side wants, and cannot be reflected,
//! repeated or weakened on the way (docs/security.md). The dialler proves itself first: a stranger
//! who dials gets nothing to attack offline. Without a secret the key is known to all; a node with
//! one refuses such a peer. A further lane is proved by the key of its link instead.

use foundation_frame::{Decoded, Frame, HANDSHAKE_BYTES_MAX, Limits, decode, encode_control};
use foundation_schema::{Auth, Control, Hello, NodeLife, Ready, Reject, Role};
use foundation_seal::{
    AuthKey, Cipher, Exchange, Opener, RECORD_HEADER_BYTES, RECORD_OVERHEAD_BYTES, Schedule,
    Sealer, Side,
};

use crate::channel::LANES_MAX;
use crate::error::{LinkError, RejectCode};
use crate::identity::{Established, Identity, LinkKeys};
use crate::options::LinkOptions;
use foundation_machine::Micros;

fn side(role: Role) -> Side {
    match role {
        Role::Dialler => Side::Dialler,
        Role::Acceptor => Side::Acceptor,
    }
}

fn other(role: Role) -> Role {
    match role {
        Role::Dialler => Role::Acceptor,
        Role::Acceptor => Role::Dialler,
    }
}

/// The link that a further lane says it belongs to. Not proven before [`Progress::Decide`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    /// Peer's node name.
    pub node: String,
    /// Peer's life.
    pub life: NodeLife,
    /// Epoch of the link.
    pub epoch: u64,
}

/// What the host has to do next.
#[derive(Debug)]
pub enum Progress {
    /// Wait for more bytes.
    Wait,
    /// Acceptor: the connection is to be a further lane. Call [`Handshake::join_link`] or
    /// [`Handshake::reject`], then [`Handshake::handle`] with what is left.
    Join(Box<Joining>),
    /// Acceptor: the peer is authenticated. Call [`Handshake::admit`] or [`Handshake::reject`].
    Decide(Box<Established>),
    /// Dialler: the peer let us in. Bytes from `consumed` on belong to the link.
    Done(Box<Established>),
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    ExpectHello,
    Joining,
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
    exchange: Exchange,
    lane: u8,
    epoch: u64,
    window_bytes: u64,
    message_bytes_max: u64,
    deadline: Micros,
    own_hello: Vec<u8>,
    /// What the own Hello says of keys and sealing.
    own_key_id: u32,
    own_share: Option<[u8; 32]>,
    peer: Option<(Vec<u8>, Hello)>,
    /// What proves both sides; `None` while, or where, no key fits.
    key: Option<AuthKey>,
    schedule: Option<Schedule>,
    seal: Option<(Sealer, Opener)>,
    received_bytes: usize,
    output: Vec<u8>,
}

impl Handshake {
    /// The dialling end. `seed` has to be fresh random bytes, kept secret and used once; `epoch` is
    /// the new link's. With `lane > 0` it is the epoch of the link that the lane joins, and
    /// [`Handshake::join_link`] has to follow.
    #[must_use]
    pub fn dial(
        identity: Identity,
        options: &LinkOptions,
        seed: [u8; 32],
        lane: u8,
        epoch: u64,
        now: Micros,
    ) -> Handshake {
        let mut handshake = Self::new(Role::Dialler, identity, options, &seed, now);
        handshake.lane = lane;
        handshake.epoch = epoch;
        if lane == 0 {
            let primary = handshake.identity.keys.primary();
            handshake.own_key_id = primary.map_or(0, foundation_seal::Key::id);
            handshake.key = Some(primary.map_or(AuthKey::OPEN, AuthKey::from));
        }
        if !handshake.identity.keys.is_empty() {
            handshake.own_share = Some(handshake.exchange.public());
        }
        handshake.say_hello();
        handshake
    }

    /// The accepting end. `seed` has to be fresh random bytes, kept secret and used once.
    #[must_use]
    pub fn accept(
        identity: Identity,
        options: &LinkOptions,
        seed: [u8; 32],
        now: Micros,
    ) -> Handshake {
        Self::new(Role::Acceptor, identity, options, &seed, now)
    }

    fn new(
        role: Role,
        identity: Identity,
        options: &LinkOptions,
        seed: &[u8; 32],
        now: Micros,
    ) -> Handshake {
        Handshake {
            role,
            identity,
            state: State::ExpectHello,
            exchange: Exchange::new(seed),
            lane: 0,
            epoch: 0,
            window_bytes: options.window_bytes,
            message_bytes_max: options.message_bytes_max,
            deadline: now + options.handshake_timeout,
            own_hello: Vec::new(),
            own_key_id: 0,
            own_share: None,
            peer: None,
            key: None,
            schedule: None,
            seal: None,
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

    /// The keys that a finished handshake leaves; nothing before its end.
    pub fn take_keys(&mut self) -> Option<LinkKeys> {
        let schedule = self.schedule.take_if(|_| self.state == State::Done)?;
        Some(LinkKeys { link_key: schedule.link_key(), seal: self.seal.take() })
    }

    /// Takes received bytes; answers how many were used and what to do. After an error the host
    /// writes [`Handshake::take_output`] (a `Reject`, where one is owed) and closes.
    ///
    /// # Errors
    /// Any [`LinkError`] of the closed set; the connection is of no further use.
    pub fn handle(&mut self, input: &[u8]) -> Result<(usize, Progress), LinkError> {
        let result = self.advance(input);
        if let Err(error) = &result {
            if let Some(code) = error.reject_code() {
                self.say_reject(code);
            }
            self.state = State::Done;
            self.schedule = None;
        }
        result
    }

    fn advance(&mut self, input: &[u8]) -> Result<(usize, Progress), LinkError> {
        let mut used = 0;
        loop {
            if matches!(self.state, State::Joining | State::Deciding | State::Done) {
                return Ok((used, Progress::Wait));
            }
            let rest = &input[used..];
            let opened;
            let (frame, consumed) = if self.state == State::ExpectReady && self.seal.is_some() {
                let Some((plain, consumed)) = self.open(rest)? else {
                    return Ok((used, Progress::Wait));
                };
                opened = plain;
                match decode(&opened, &Limits::HANDSHAKE)? {
                    Decoded::Frame { frame, consumed: whole } if whole == opened.len() => {
                        (frame, consumed)
                    }
                    _ => return Err(LinkError::Protocol("not one message in a record")),
                }
            } else {
                match decode(rest, &Limits::HANDSHAKE)? {
                    Decoded::Incomplete { .. } => return Ok((used, Progress::Wait)),
                    Decoded::Frame { frame, consumed } => (frame, consumed),
                }
            };
            let raw = &rest[..consumed];
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

    /// Opens the record that holds the acceptor's last word; it may be followed by the link's.
    fn open(&mut self, input: &[u8]) -> Result<Option<(Vec<u8>, usize)>, LinkError> {
        let Some(header) = input.first_chunk::<RECORD_HEADER_BYTES>() else { return Ok(None) };
        let record_bytes = RECORD_HEADER_BYTES + u32::from_le_bytes(*header) as usize;
        if record_bytes > HANDSHAKE_BYTES_MAX + RECORD_OVERHEAD_BYTES {
            return Err(LinkError::Seal(foundation_seal::SealError::Length));
        }
        let Some(record) = input.get(..record_bytes) else { return Ok(None) };
        let Some((_, opener)) = &mut self.seal else { return Ok(None) };
        let mut plain = record.to_vec();
        let opened = opener.open(&mut plain, 0, 0)?;
        plain.truncate(opened.plain_end);
        Ok(Some((plain, record_bytes)))
    }

    fn step(&mut self, control: Control, raw: &[u8]) -> Result<Option<Progress>, LinkError> {
        match (&self.state, control) {
            (state, Control::Reject(reject)) => {
                let code = RejectCode::from_wire(reject.code);
                // Before the acceptor's proof, anybody may have said it.
                let is_proven = *state == State::ExpectReady;
                if !is_proven && !code.is_before_proof() {
                    return Err(LinkError::Protocol("a refusal without a proof"));
                }
                Err(LinkError::Rejected { code })
            }
            (State::ExpectHello, Control::Hello(hello)) => self.take_hello(hello, raw),
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

    fn take_hello(&mut self, hello: Hello, raw: &[u8]) -> Result<Option<Progress>, LinkError> {
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
        let (node, life, epoch) = (hello.node.clone(), hello.life, hello.epoch);
        let key_id = hello.key_id;
        self.peer = Some((raw.to_vec(), hello));
        if self.role == Role::Dialler {
            self.agree()?;
            self.say_auth();
            self.state = State::ExpectAuth;
            return Ok(None);
        }
        if self.lane > 0 {
            self.state = State::Joining;
            return Ok(Some(Progress::Join(Box::new(Joining { node, life, epoch }))));
        }
        // A peer whose key is unknown is answered as any other, and refused at its proof.
        let keys = &self.identity.keys;
        let known = keys.find(key_id);
        self.own_key_id = known.map_or(0, foundation_seal::Key::id);
        self.key = known.map(AuthKey::from).or_else(|| keys.is_empty().then_some(AuthKey::OPEN));
        self.answer_hello()?;
        Ok(None)
    }

    /// Names the link that this lane joins, by the key that its first lane left; a lane of a sealed
    /// link is sealed too. On the accepting side it is the answer to [`Progress::Join`]; the
    /// dialler calls it at once.
    ///
    /// # Errors
    /// [`LinkError::AuthFailed`] where the peer cannot seal what has to be sealed.
    pub fn join_link(&mut self, key: AuthKey, is_sealed: bool) -> Result<(), LinkError> {
        self.key = Some(key);
        self.identity.wants_seal |= is_sealed;
        if self.state == State::Joining { self.answer_hello() } else { Ok(()) }
    }

    /// Acceptor: answers a Hello whose key was looked up.
    fn answer_hello(&mut self) -> Result<(), LinkError> {
        if self.is_sealed_wanted() && !self.identity.keys.is_empty() {
            self.own_share = Some(self.exchange.public());
        }
        self.say_hello();
        self.agree()?;
        self.state = State::ExpectAuth;
        Ok(())
    }

    fn is_sealed_wanted(&self) -> bool {
        let peer_wants =
            self.peer.as_ref().is_some_and(|(_, hello)| hello.seal & Hello::WANTS_SEAL != 0);
        self.identity.wants_seal || peer_wants
    }

    /// Derives the keys of this connection from both Hellos.
    fn agree(&mut self) -> Result<(), LinkError> {
        let Some((peer_raw, hello)) = &self.peer else {
            return Err(LinkError::Protocol("no hello"));
        };
        let is_sealed = self.is_sealed_wanted();
        let mut exchanged = None;
        if is_sealed {
            // Whoever has the secret offers a share: without one it is no member.
            let share = self.own_share.and(hello.key_share).ok_or(LinkError::AuthFailed)?;
            exchanged = Some(self.exchange.agree(&share).ok_or(LinkError::AuthFailed)?);
        }
        let (dialler, acceptor) = match self.role {
            Role::Dialler => (&self.own_hello, peer_raw),
            Role::Acceptor => (peer_raw, &self.own_hello),
        };
        let key = self.key.clone().unwrap_or(AuthKey::OPEN);
        let schedule = Schedule::new(&key, exchanged.as_ref(), dialler, acceptor);
        if is_sealed {
            let have_aes = self.identity.has_aes && hello.seal & Hello::HAS_AES != 0;
            let cipher = if have_aes { Cipher::Aes256Gcm } else { Cipher::ChaCha20Poly1305 };
            let sealer = Sealer::new(cipher, schedule.traffic(side(self.role)));
            let opener = Opener::new(cipher, schedule.traffic(side(other(self.role))));
            self.seal = Some((sealer, opener));
        }
        self.schedule = Some(schedule);
        Ok(())
    }

    /// Acceptor: lets the authenticated peer in.
    pub fn admit(&mut self) {
        self.say_auth();
        self.say_last(&Control::Ready(Ready));
        self.state = State::Done;
    }

    /// Refuses the peer with a reason; the host writes the output and closes.
    pub fn reject(&mut self, code: RejectCode) {
        self.say_reject(code);
        self.state = State::Done;
        self.schedule = None;
    }

    fn say_reject(&mut self, code: RejectCode) {
        let reject = Control::Reject(Reject { code: code as u8, detail: String::new() });
        if self.state == State::Deciding {
            // To a peer that proved itself a refusal is proven too.
            self.say_auth();
            self.say_last(&reject);
        } else {
            self.say(&reject);
        }
    }

    fn say_hello(&mut self) {
        let mut seal = 0;
        if self.identity.wants_seal {
            seal |= Hello::WANTS_SEAL;
        }
        if self.identity.has_aes {
            seal |= Hello::HAS_AES;
        }
        let hello = Hello {
            version_min: self.identity.versions.0,
            version_max: self.identity.versions.1,
            cluster: self.identity.cluster.clone(),
            node: self.identity.node.clone(),
            life: self.identity.life,
            nonce: self.exchange.nonce(),
            listen: self.identity.listen.clone(),
            role: self.role,
            lane: self.lane,
            epoch: self.epoch,
            window_bytes: self.window_bytes,
            message_bytes_max: self.message_bytes_max,
            // A further lane joins a link whose channels are known.
            channels: if self.lane > 0 { Vec::new() } else { self.identity.channels.clone() },
            key_id: self.own_key_id,
            key_share: self.own_share,
            seal,
        };
        let start = self.output.len();
        self.say(&Control::Hello(hello));
        self.own_hello = self.output[start..].to_vec();
    }

    fn say_auth(&mut self) {
        if let Some(schedule) = &self.schedule {
            let proof = schedule.proof(side(self.role));
            self.say(&Control::Auth(Auth { proof }));
        }
    }

    fn say(&mut self, control: &Control) {
        // The host checked at start that its Hello fits (`Identity::hello_bytes`). Were a message
        // not to fit all the same, nothing is sent and the deadline ends the handshake.
        if let Ok(payload) = control.encode() {
            let framed = encode_control(&payload, 0, &mut self.output);
            debug_assert!(framed.is_ok(), "a handshake message is far below 64 KiB");
        }
    }

    /// Says what comes after the proofs: sealed, if the connection is.
    fn say_last(&mut self, control: &Control) {
        let start = self.output.len();
        if self.seal.is_some() {
            self.output.extend_from_slice(&[0; RECORD_HEADER_BYTES]);
        }
        self.say(control);
        if let Some((sealer, _)) = &mut self.seal
            && sealer.seal(&mut self.output, start).is_err()
        {
            self.output.truncate(start); // an empty record: `say` explains when
        }
    }

    fn verify(&self, proof: &[u8]) -> Result<(), LinkError> {
        let schedule = self.schedule.as_ref().filter(|_| self.key.is_some());
        let is_proof = schedule.is_some_and(|all| all.is_proof(side(other(self.role)), proof));
        if is_proof { Ok(()) } else { Err(LinkError::AuthFailed) }
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
            key_id: self.own_key_id,
        })
    }
}
