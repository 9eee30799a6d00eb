//! A stranger on a connection: it frames, seals and proves as the protocol says, with whatever key
//! everybody has, repeats what it heard, and says anything else besides.

use std::sync::LazyLock;

use foundation_frame::{Decoded, Frame, HANDSHAKE_BYTES_MAX, Limits, decode};
use foundation_fuzz::Script;
use foundation_link::{Handshake, Progress, RejectCode};
use foundation_schema::{Auth, Control, Hello, NodeLife, Ready, Reject, Role, decode_handshake};
use foundation_seal::{
    AuthKey, Cipher, Exchange, Key, RECORD_HEADER_BYTES, Schedule, Sealer, Side,
};

use crate::ends::{EPOCH, Setup, framed};

/// Messages of one input, so that none takes long.
const STEPS_MAX: usize = 12;
/// Most that an end says to somebody who has proved nothing: Hello, proof and refusal.
const SAID_BYTES_MAX: usize = 4 * HANDSHAKE_BYTES_MAX;

static LINK_KEY: LazyLock<AuthKey> =
    LazyLock::new(|| AuthKey::from(&Key::new(b"the key of another link").expect("long enough")));
static EXCHANGE: LazyLock<(Exchange, [u8; 32])> = LazyLock::new(|| {
    let exchange = Exchange::new(&[9; 32]);
    let public = exchange.public();
    (exchange, public)
});

struct Stranger {
    end: Handshake,
    is_dialler: bool,
    has_secret: bool,
    is_lane: bool,
    /// Frames that the end said, and all their bytes together.
    heard: Vec<Vec<u8>>,
    said_bytes: usize,
    /// The Hello of this stranger that the end has answered or will.
    hello: Option<Vec<u8>>,
    schedule: Option<(Schedule, Cipher)>,
    has_proved: bool,
    /// What the end has not used yet.
    rest: Vec<u8>,
    piece: usize,
    is_over: bool,
}

pub(crate) fn check(script: &mut Script<'_>) {
    let setup = script.byte();
    let lane = if setup & 0x30 == 0x30 { 1 } else { 0 };
    let is_dialler = setup & 8 != 0;
    let mut end = if is_dialler { Setup(setup).dialler(lane) } else { Setup(setup).acceptor() };
    if is_dialler && lane > 0 {
        let _ = end.join_link(LINK_KEY.clone(), setup & 0x40 != 0);
    }
    let mut stranger = Stranger {
        end,
        is_dialler,
        has_secret: Setup(setup).has_secret(),
        is_lane: is_dialler && lane > 0,
        heard: Vec::new(),
        said_bytes: 0,
        hello: None,
        schedule: None,
        has_proved: false,
        rest: Vec::new(),
        piece: 1 + usize::from(script.byte()),
        is_over: false,
    };
    stranger.listen();
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            return;
        }
        let words = stranger.words(script);
        stranger.say(&words, script);
    }
}

impl Stranger {
    /// What the end has said meanwhile.
    fn listen(&mut self) {
        let output = self.end.take_output();
        self.said_bytes += output.len();
        assert!(self.said_bytes <= SAID_BYTES_MAX, "{} bytes said to a stranger", self.said_bytes);
        let mut left = &output[..];
        while let Ok(Decoded::Frame { consumed, .. }) = decode(left, &Limits::HANDSHAKE) {
            self.heard.push(left[..consumed].to_vec());
            left = &left[consumed..];
        }
    }

    fn words(&mut self, script: &mut Script<'_>) -> Vec<u8> {
        match script.byte() % 10 {
            0 | 1 => {
                let hello = framed(&Control::Hello(self.say_hello(script)));
                self.hello.get_or_insert_with(|| hello.clone());
                hello
            }
            2 | 3 => self.proof(),
            4 => {
                let place = script.byte() as usize % self.heard.len().max(1);
                self.heard.get(place).cloned().unwrap_or_default()
            }
            5 => framed(&Control::Ready(Ready)),
            6 => framed(&Control::Reject(Reject {
                code: script.byte(),
                detail: String::from_utf8_lossy(script.run()).into_owned(),
            })),
            7 => self.sealed_ready(),
            8 => {
                let mut frame = Vec::new();
                let _ = foundation_frame::encode_control(script.run(), script.short(), &mut frame);
                frame
            }
            _ => script.run().to_vec(),
        }
    }

    fn say_hello(&self, script: &mut Script<'_>) -> Hello {
        let bits = script.byte();
        let role =
            if self.is_dialler ^ (bits & 0x80 != 0) { Role::Acceptor } else { Role::Dialler };
        let own_lane = u8::from(self.is_lane);
        Hello {
            version_min: if bits & 1 != 0 { script.short() } else { 1 },
            version_max: if bits & 1 != 0 { script.short() } else { 1 },
            cluster: if bits & 2 != 0 { "another".to_owned() } else { "orchard".to_owned() },
            node: String::from_utf8_lossy(script.run()).into_owned(),
            life: NodeLife { start: 3, random: 4 },
            nonce: [script.byte(); 32],
            listen: String::new(),
            role,
            lane: if bits & 4 != 0 { script.byte() } else { own_lane },
            epoch: if bits & 8 != 0 { u64::from(script.word()) } else { EPOCH },
            window_bytes: u64::from(script.word()),
            message_bytes_max: u64::from(script.word()),
            channels: Vec::new(),
            key_id: if bits & 16 != 0 { script.word() } else { self.heard_key_id() },
            key_share: match script.byte() % 3 {
                0 => None,
                1 => Some(EXCHANGE.1),
                _ => Some([script.byte() & 1; 32]),
            },
            seal: script.byte(),
        }
    }

    fn heard_hello(&self) -> Option<(&[u8], Hello)> {
        self.heard.iter().find_map(|frame| match decode(frame, &Limits::HANDSHAKE) {
            Ok(Decoded::Frame { frame: Frame::Control { payload }, .. }) => {
                match decode_handshake(payload) {
                    Ok(Control::Hello(hello)) => Some((&frame[..], hello)),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    fn heard_key_id(&self) -> u32 {
        self.heard_hello().map_or(0, |(_, hello)| hello.key_id)
    }

    /// The proof that follows from both Hellos and from the key that everybody has.
    fn proof(&mut self) -> Vec<u8> {
        let (Some((raw, hello)), Some(own)) = (self.heard_hello(), &self.hello) else {
            return Vec::new();
        };
        let exchanged = hello.key_share.and_then(|share| EXCHANGE.0.agree(&share));
        let (dialler, acceptor, side) = match self.is_dialler {
            true => (raw, &own[..], Side::Acceptor),
            false => (&own[..], raw, Side::Dialler),
        };
        let is_sealed = hello.seal & Hello::WANTS_SEAL != 0;
        let exchanged = exchanged.as_ref().filter(|_| is_sealed);
        let schedule = Schedule::new(&AuthKey::OPEN, exchanged, dialler, acceptor);
        let proof = schedule.proof(side);
        let has_aes = hello.seal & Hello::HAS_AES != 0;
        let cipher = if has_aes { Cipher::Aes256Gcm } else { Cipher::ChaCha20Poly1305 };
        self.schedule = Some((schedule, cipher));
        self.has_proved = true;
        framed(&Control::Auth(Auth { proof }))
    }

    fn sealed_ready(&mut self) -> Vec<u8> {
        let Some((schedule, cipher)) = &self.schedule else { return Vec::new() };
        let side = if self.is_dialler { Side::Acceptor } else { Side::Dialler };
        let mut record = vec![0; RECORD_HEADER_BYTES];
        record.extend(framed(&Control::Ready(Ready)));
        let _ = Sealer::new(*cipher, schedule.traffic(side)).seal(&mut record, 0);
        record
    }

    fn say(&mut self, words: &[u8], script: &mut Script<'_>) {
        for piece in words.chunks(self.piece.max(words.len() / 8 + 1)) {
            self.rest.extend_from_slice(piece);
            let result = self.end.handle(&self.rest);
            self.listen();
            match result {
                Ok((used, progress)) => {
                    assert!(used <= self.rest.len() && (used == 0 || !self.is_over));
                    self.rest.drain(..used);
                    self.answer(progress, script);
                    let kept_max = Limits::HANDSHAKE.frame_bytes_max + piece.len();
                    assert!(self.is_over || self.rest.len() <= kept_max, "too much is kept");
                }
                Err(error) => {
                    assert!(!error.code().is_empty());
                    self.is_over = true;
                    assert!(self.end.take_keys().is_none(), "keys for a stranger");
                }
            }
            if self.is_over {
                self.rest.clear();
            }
        }
    }

    fn answer(&mut self, progress: Progress, script: &mut Script<'_>) {
        match progress {
            Progress::Wait => {}
            Progress::Join(joining) => {
                assert!(!self.is_over && !joining.node.is_empty());
                self.is_lane = true;
                let kind = script.byte() % 3;
                if kind == 0 || self.end.join_link(LINK_KEY.clone(), kind == 1).is_err() {
                    self.end.reject(RejectCode::UnknownLink);
                    self.is_over = true;
                }
                self.listen();
            }
            Progress::Decide(_) | Progress::Done(_) => {
                assert!(!self.is_over, "a handshake that was over went on");
                let is_open = !self.has_secret && !self.is_lane && self.has_proved;
                assert!(is_open, "a stranger was let in");
                self.is_over = true;
                if self.is_dialler {
                    assert!(self.end.take_keys().is_some());
                } else if script.bit() {
                    self.end.admit();
                    assert!(self.end.take_keys().is_some());
                } else {
                    self.end.reject(RejectCode::DuplicateNode);
                    assert!(self.end.take_keys().is_none());
                }
                self.listen();
            }
        }
    }
}
