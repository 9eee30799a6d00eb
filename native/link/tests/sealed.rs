//! Handshakes that end in sealed records, and what somebody in the middle can make of them.

mod pair;

use std::io::IoSlice;
use std::sync::Arc;

use foundation_frame::{Decoded, Frame, Limits, decode, encode_control};
use foundation_link::{
    Batch, Handshake, Identity, KeyRing, LinkError, LinkKeys, LinkOptions, Micros, Piece, Progress,
    RejectCode, SealError, plain_channel,
};
use foundation_schema::{Control, Hello, Reject};
use foundation_seal::{Exchange, Opener, RECORD_HEADER_BYTES, Sealer};
use pair::{identity, keys, shake};

fn who(node: &str, wants_seal: bool) -> Identity {
    Identity { wants_seal, ..identity(node, &[plain_channel("default")]) }
}

fn dial(identity: Identity) -> Handshake {
    Handshake::dial(identity, &LinkOptions::default(), [1; 32], 0, 77, Micros(0))
}

fn accept(identity: Identity) -> Handshake {
    Handshake::accept(identity, &LinkOptions::default(), [2; 32], Micros(0))
}

/// Runs a whole handshake; answers what it left at both ends.
fn linked(dialler: Identity, acceptor: Identity) -> Result<(LinkKeys, LinkKeys), LinkError> {
    let (mut near, mut far) = (dial(dialler), accept(acceptor));
    shake(&mut near, &mut far)?;
    Ok((near.take_keys().unwrap(), far.take_keys().unwrap()))
}

fn carry(sealer: &mut Sealer, opener: &mut Opener, text: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut bytes = vec![0; RECORD_HEADER_BYTES];
    bytes.extend_from_slice(text);
    sealer.seal(&mut bytes, 0)?;
    let opened = opener.open(&mut bytes, 0, 0)?;
    bytes.truncate(opened.plain_end);
    Ok(bytes)
}

#[test]
fn a_link_is_sealed_as_soon_as_one_end_wants_it() {
    for (dialler_wants, acceptor_wants) in [(true, true), (true, false), (false, true)] {
        let ends = linked(who("alpha", dialler_wants), who("beta", acceptor_wants)).unwrap();
        let (Some((mut near_out, mut near_in)), Some((mut far_out, mut far_in))) =
            (ends.0.seal, ends.1.seal)
        else {
            panic!("one end wants it: {dialler_wants} {acceptor_wants}");
        };
        assert_eq!(carry(&mut near_out, &mut far_in, b"there"), Ok(b"there".to_vec()));
        assert_eq!(carry(&mut far_out, &mut near_in, b"back"), Ok(b"back".to_vec()));
        assert_eq!(ends.0.link_key, ends.1.link_key);
    }
}

#[test]
fn a_link_that_nobody_wants_sealed_is_not() {
    let ends = linked(who("alpha", false), who("beta", false)).unwrap();
    assert!(ends.0.seal.is_none() && ends.1.seal.is_none());
    assert_eq!(ends.0.link_key, ends.1.link_key);
}

#[test]
fn ends_without_aes_in_hardware_agree_on_the_other_cipher() {
    let slow = Identity { has_aes: false, ..who("beta", true) };
    let ends = linked(who("alpha", true), slow).unwrap();
    let (mut sealer, _) = ends.0.seal.unwrap();
    let (_, mut opener) = ends.1.seal.unwrap();
    assert!(format!("{sealer:?}").contains("ChaCha20Poly1305"));
    assert_eq!(carry(&mut sealer, &mut opener, b"there"), Ok(b"there".to_vec()));
}

#[test]
fn two_links_of_one_secret_have_keys_of_their_own() {
    let first = linked(who("alpha", true), who("beta", true)).unwrap();
    let mut near =
        Handshake::dial(who("alpha", true), &LinkOptions::default(), [3; 32], 0, 77, Micros(0));
    let mut far = accept(who("beta", true));
    shake(&mut near, &mut far).unwrap();
    let second = near.take_keys().unwrap();
    assert_ne!(first.0.link_key, second.link_key);
    let (mut sealer, _) = second.seal.unwrap();
    let (_, mut opener) = first.1.seal.unwrap();
    assert_eq!(carry(&mut sealer, &mut opener, b"x"), Err(SealError::Broken));
}

#[test]
fn a_peer_without_a_secret_cannot_be_sealed_with_and_is_refused() {
    let open = |node| Identity { keys: Arc::default(), ..who(node, false) };
    assert_eq!(linked(open("alpha"), who("beta", true)).unwrap_err(), LinkError::AuthFailed);
    assert_eq!(linked(who("alpha", true), open("beta")).unwrap_err(), LinkError::AuthFailed);
}

/// Changes the Hello in a message on its way; everything a reader checks before the proof holds.
fn with_hello(wire: &[u8], change: impl FnOnce(&mut Hello)) -> Vec<u8> {
    let Ok(Decoded::Frame { frame: Frame::Control { payload }, consumed }) =
        decode(wire, &Limits::HANDSHAKE)
    else {
        panic!("a Hello is one control frame");
    };
    let Ok(Control::Hello(mut hello)) = Control::decode(payload) else {
        panic!("a Hello comes first");
    };
    change(&mut hello);
    let mut changed = Vec::new();
    encode_control(&Control::Hello(hello).encode().unwrap(), 0, &mut changed).unwrap();
    changed.extend_from_slice(&wire[consumed..]);
    changed
}

/// Lets `change` have the diallers Hello, and answers how the acceptor takes the proof.
fn tamper(
    dialler: Identity,
    acceptor: Identity,
    change: impl FnOnce(&mut Hello),
) -> Result<(), LinkError> {
    let (mut near, mut far) = (dial(dialler), accept(acceptor));
    far.handle(&with_hello(&near.take_output(), change))?;
    near.handle(&far.take_output())?;
    far.handle(&near.take_output()).map(drop)
}

#[test]
fn nobody_in_the_middle_talks_two_ends_out_of_sealing() {
    let without = |hello: &mut Hello| hello.seal &= !Hello::WANTS_SEAL;
    let refused = tamper(who("alpha", true), who("beta", false), without);
    assert_eq!(refused, Err(LinkError::AuthFailed));
    let shareless = |hello: &mut Hello| (hello.seal, hello.key_share) = (0, None);
    let refused = tamper(who("alpha", false), who("beta", true), shareless);
    assert_eq!(refused, Err(LinkError::AuthFailed));
    let weaker = |hello: &mut Hello| hello.seal &= !Hello::HAS_AES;
    let refused = tamper(who("alpha", true), who("beta", true), weaker);
    assert_eq!(refused, Err(LinkError::AuthFailed));
}

#[test]
fn nobody_in_the_middle_puts_a_key_share_of_its_own_in() {
    let own = |hello: &mut Hello| hello.key_share = Some(Exchange::new(&[9; 32]).public());
    let refused = tamper(who("alpha", true), who("beta", true), own);
    assert_eq!(refused, Err(LinkError::AuthFailed));
}

#[test]
fn a_wish_that_is_dropped_on_the_way_back_is_noticed_by_the_dialler() {
    let (mut near, mut far) = (dial(who("alpha", false)), accept(who("beta", true)));
    far.handle(&near.take_output()).unwrap();
    let without = |hello: &mut Hello| hello.seal &= !Hello::WANTS_SEAL;
    near.handle(&with_hello(&far.take_output(), without)).unwrap();
    assert_eq!(far.handle(&near.take_output()).unwrap_err(), LinkError::AuthFailed);
}

/// An acceptor that has to decide, and its dialler.
fn undecided(wants_seal: bool) -> (Handshake, Handshake) {
    let (mut near, mut far) = (dial(who("alpha", wants_seal)), accept(who("beta", wants_seal)));
    far.handle(&near.take_output()).unwrap();
    near.handle(&far.take_output()).unwrap();
    let (_, progress) = far.handle(&near.take_output()).unwrap();
    assert!(matches!(progress, Progress::Decide(_)));
    (near, far)
}

#[test]
fn the_acceptors_last_word_is_sealed_and_cannot_be_changed() {
    let (mut near, mut far) = undecided(true);
    far.admit();
    let mut last = far.take_output();
    let end = last.len() - 1;
    last[end] ^= 1;
    assert_eq!(near.handle(&last).unwrap_err(), LinkError::Seal(SealError::Broken));
    let (mut near, mut far) = undecided(true);
    far.reject(RejectCode::DuplicateNode);
    let refused = near.handle(&far.take_output()).unwrap_err();
    assert_eq!(refused, LinkError::Rejected { code: RejectCode::DuplicateNode });
}

#[test]
fn a_last_word_in_plain_text_is_none_on_a_sealed_connection() {
    let (mut near, mut far) = undecided(true);
    far.admit();
    let proof_bytes = match decode(&far.take_output(), &Limits::HANDSHAKE) {
        Ok(Decoded::Frame { consumed, .. }) => consumed,
        other => panic!("a proof comes first, not {other:?}"),
    };
    let (mut again, mut other) = undecided(true);
    other.admit();
    again.handle(&other.take_output()[..proof_bytes]).unwrap();
    let mut ready = Vec::new();
    encode_control(&Control::Ready(foundation_schema::Ready).encode().unwrap(), 0, &mut ready)
        .unwrap();
    assert!(matches!(again.handle(&ready), Err(LinkError::Seal(_)) | Ok((0, Progress::Wait))));
    assert!(near.take_keys().is_none() && again.take_keys().is_none());
}

#[test]
fn a_last_word_cut_at_every_byte_is_awaited() {
    let (mut near, mut far) = undecided(true);
    far.admit();
    let (last, mut rest) = (far.take_output(), Vec::new());
    for (at, byte) in last.iter().enumerate() {
        rest.push(*byte);
        let (used, progress) = near.handle(&rest).unwrap();
        rest.drain(..used);
        assert_eq!(matches!(progress, Progress::Done(_)), at + 1 == last.len());
    }
}

#[test]
fn a_refusal_that_only_a_member_could_mean_needs_a_proof() {
    for code in [RejectCode::SelfDial, RejectCode::Crossing, RejectCode::Leaving] {
        let mut near = dial(who("alpha", true));
        let reject = Control::Reject(Reject { code: code as u8, detail: String::new() });
        let mut forged = Vec::new();
        encode_control(&reject.encode().unwrap(), 0, &mut forged).unwrap();
        let error = near.handle(&forged).unwrap_err();
        assert_eq!(error, LinkError::Protocol("a refusal without a proof"));
    }
}

/// A lane that joins the link of `near_keys`, up to the acceptor's answer to its Hello.
fn lane(near_keys: &LinkKeys, far_keys: &LinkKeys, seed: u8) -> (Handshake, Handshake, Vec<u8>) {
    let options = LinkOptions::default();
    let mut near = Handshake::dial(who("alpha", true), &options, [seed; 32], 2, 77, Micros(0));
    near.join_link(near_keys.link_key.clone(), true).unwrap();
    let mut far = Handshake::accept(who("beta", false), &options, [seed + 1; 32], Micros(0));
    let hello = near.take_output();
    let (_, progress) = far.handle(&hello).unwrap();
    assert!(matches!(progress, Progress::Join(_)));
    far.join_link(far_keys.link_key.clone(), true).unwrap();
    (near, far, hello)
}

#[test]
fn a_lane_is_let_in_by_the_key_of_its_link_and_sealed_as_it() {
    let (near_keys, far_keys) = linked(who("alpha", true), who("beta", true)).unwrap();
    let (mut near, mut far, _) = lane(&near_keys, &far_keys, 5);
    shake(&mut near, &mut far).unwrap();
    assert!(near.take_keys().unwrap().seal.is_some() && far.take_keys().unwrap().seal.is_some());
}

#[test]
fn a_stranger_with_the_secret_does_not_attach_a_lane_to_a_link_of_others() {
    let (_, far_keys) = linked(who("alpha", true), who("beta", true)).unwrap();
    // The stranger made a link of his own, and claims to be alpha for the lane.
    let options = LinkOptions::default();
    let mut other = Handshake::dial(who("alpha", true), &options, [8; 32], 0, 77, Micros(0));
    shake(&mut other, &mut accept(who("beta", true))).unwrap();
    let (mut near, mut far, _) = lane(&other.take_keys().unwrap(), &far_keys, 5);
    near.handle(&far.take_output()).unwrap();
    assert_eq!(far.handle(&near.take_output()).unwrap_err(), LinkError::AuthFailed);
}

#[test]
fn a_lane_that_is_repeated_is_refused() {
    let (near_keys, far_keys) = linked(who("alpha", true), who("beta", true)).unwrap();
    let (mut near, mut far, hello) = lane(&near_keys, &far_keys, 5);
    near.handle(&far.take_output()).unwrap();
    let proof = near.take_output();
    far.handle(&proof).unwrap();
    let mut later =
        Handshake::accept(who("beta", false), &LinkOptions::default(), [7; 32], Micros(0));
    later.handle(&hello).unwrap();
    later.join_link(far_keys.link_key.clone(), true).unwrap();
    assert_eq!(later.handle(&proof).unwrap_err(), LinkError::AuthFailed);
}

#[test]
fn a_lane_without_the_key_of_its_link_proves_nothing() {
    let options = LinkOptions::default();
    let (_, far_keys) = linked(who("alpha", true), who("beta", true)).unwrap();
    let mut near = Handshake::dial(who("alpha", true), &options, [5; 32], 2, 77, Micros(0));
    let mut far = accept(who("beta", false));
    far.handle(&near.take_output()).unwrap();
    far.join_link(far_keys.link_key, true).unwrap();
    near.handle(&far.take_output()).unwrap();
    assert_eq!(far.handle(&near.take_output()).unwrap_err(), LinkError::AuthFailed);
}

const OLD: &str = "the old secret of the cluster";
const NEW: &str = "the new secret of the cluster";

fn with_keys(node: &str, secrets: &[&str]) -> Identity {
    Identity { keys: Arc::new(keys(secrets)), ..who(node, true) }
}

#[test]
fn a_dialler_uses_its_first_key_and_an_acceptor_takes_any() {
    for (dialler, acceptor, is_let_in) in [
        (&[OLD][..], &[OLD, NEW][..], true), // added here, not yet there
        (&[OLD, NEW], &[NEW, OLD], true),
        (&[NEW, OLD], &[OLD, NEW], true), // used there, not yet here
        (&[NEW], &[NEW, OLD], true),      // removed there, not yet here
        (&[OLD], &[NEW], false),          // removed here, never added there
        (&[OLD, NEW], &[NEW], false),
    ] {
        let result = linked(with_keys("alpha", dialler), with_keys("beta", acceptor));
        assert_eq!(result.is_ok(), is_let_in, "{dialler:?} {acceptor:?}");
        if let Err(error) = result {
            assert_eq!(error, LinkError::AuthFailed);
        }
    }
}

#[test]
fn an_established_link_tells_the_key_that_proved_it() {
    let ring: KeyRing = keys(&[OLD, NEW]);
    let (mut near, mut far) =
        (dial(with_keys("alpha", &[NEW])), accept(with_keys("beta", &[OLD, NEW])));
    let (dialled, accepted) = shake(&mut near, &mut far).unwrap();
    let new = ring.fingerprints()[1].clone();
    for key_id in [dialled.key_id, accepted.key_id] {
        assert_eq!(ring.find(key_id).unwrap().fingerprint(), new);
    }
}

#[test]
fn a_sealed_batch_gives_out_nothing_but_records() {
    let ends = linked(who("alpha", true), who("beta", true)).unwrap();
    let (sealer, _) = ends.0.seal.unwrap();
    let (_, mut opener) = ends.1.seal.unwrap();
    let text: Vec<u8> = (0..300_000_u32).map(|at| (at * 7 % 251) as u8).collect();
    let mut batch = Batch::sealed(sealer);
    for piece in text.chunks(70_000) {
        batch.push(Piece::Bytes(piece.to_vec()));
    }
    let mut wire = Vec::new();
    while !batch.is_empty() {
        batch.prepare().unwrap();
        let mut slices: Vec<IoSlice<'_>> = Vec::new();
        batch.slices(64, &mut slices);
        // A system that takes some of it each time.
        let taken = slices[0].len().min(50_001);
        wire.extend_from_slice(&slices[0][..taken]);
        batch.consume(taken);
    }
    assert!(!wire.windows(32).any(|window| text.windows(32).take(500).any(|it| it == window)));
    let opened = opener.open(&mut wire, 0, 0).unwrap();
    assert_eq!(opened.rest_start, wire.len());
    assert_eq!(wire[..opened.plain_end], text);
}
