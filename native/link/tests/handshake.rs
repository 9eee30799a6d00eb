//! Two handshakes against each other in memory, and against somebody who only pretends.

mod pair;

use std::sync::Arc;

use foundation_frame::{HANDSHAKE_BYTES_MAX, encode_control};
use foundation_link::{
    Established, Handshake, Identity, Joining, LANES_MAX, LinkError, LinkOptions, Micros, Progress,
    RejectCode, Role, plain_channel,
};
use foundation_schema::Control;
use pair::{identity, keys, shake};

fn dialler(identity: Identity) -> Handshake {
    Handshake::dial(identity, &LinkOptions::default(), [1; 32], 0, 77, Micros(0))
}

fn acceptor(identity: Identity) -> Handshake {
    Handshake::accept(identity, &LinkOptions::default(), [2; 32], Micros(0))
}

fn alpha() -> Identity {
    identity("alpha", &[plain_channel("default"), plain_channel("bulk")])
}

fn beta() -> Identity {
    identity("beta", &[plain_channel("default")])
}

/// Lets an acceptor refuse a dialler; answers how each of them ended.
fn refusal(dialler: &mut Handshake, acceptor: &mut Handshake) -> (LinkError, LinkError) {
    let mut refused = None;
    for _ in 0..4 {
        if let Err(error) = acceptor.handle(&dialler.take_output()) {
            refused = Some(error);
        }
        if let Err(error) = dialler.handle(&acceptor.take_output()) {
            return (error, refused.expect("only an acceptor that refused says so"));
        }
    }
    panic!("nobody refused")
}

#[test]
fn both_ends_learn_who_the_other_is() {
    let (dialled, accepted) = shake(&mut dialler(alpha()), &mut acceptor(beta())).unwrap();
    assert_eq!((dialled.role, dialled.node.as_str()), (Role::Dialler, "beta"));
    assert_eq!((accepted.role, accepted.node.as_str()), (Role::Acceptor, "alpha"));
    assert_eq!(accepted.channels.len(), 2);
    assert_eq!((dialled.epoch, accepted.epoch), (77, 77));
    assert_eq!((dialled.version, accepted.version), (1, 1));
}

#[test]
fn another_secret_is_refused_and_both_ends_say_why() {
    let stranger = Identity { keys: Arc::new(keys(&["a guess, and a long one"])), ..alpha() };
    let (told, refused) = refusal(&mut dialler(stranger), &mut acceptor(beta()));
    assert_eq!(refused, LinkError::AuthFailed);
    assert_eq!(told, LinkError::Rejected { code: RejectCode::AuthFailed });
}

#[test]
fn a_node_without_a_secret_is_refused_by_one_that_has_one() {
    let stranger = Identity { keys: Arc::default(), ..alpha() };
    let (_, refused) = refusal(&mut dialler(stranger), &mut acceptor(beta()));
    assert_eq!(refused, LinkError::AuthFailed);
}

#[test]
fn another_cluster_is_refused_before_any_proof() {
    let stranger = Identity { cluster: "other".to_owned(), ..alpha() };
    let (told, refused) = refusal(&mut dialler(stranger), &mut acceptor(beta()));
    assert_eq!(refused, LinkError::ClusterMismatch);
    assert_eq!(told, LinkError::Rejected { code: RejectCode::ClusterMismatch });
}

#[test]
fn versions_without_overlap_are_refused() {
    let future = Identity { versions: (2, 9), ..alpha() };
    let (told, refused) = refusal(&mut dialler(future), &mut acceptor(beta()));
    assert_eq!(refused, LinkError::VersionMismatch);
    assert_eq!(told.code(), "version_mismatch");
}

#[test]
fn overlapping_versions_settle_on_the_highest_common_one() {
    let newer = Identity { versions: (1, 9), ..alpha() };
    let (dialled, accepted) = shake(&mut dialler(newer), &mut acceptor(beta())).unwrap();
    assert_eq!((dialled.version, accepted.version), (1, 1));
}

#[test]
fn a_diallers_own_frames_echoed_to_it_are_refused() {
    let mut victim = dialler(alpha());
    let hello = victim.take_output();
    let error = victim.handle(&hello).unwrap_err();
    assert_eq!(error, LinkError::Protocol("hello of the wrong role"));
}

#[test]
fn a_diallers_own_proof_echoed_to_it_proves_nothing() {
    let mut victim = dialler(alpha());
    // Somebody without the secret who can say Hello, and then only repeat what he hears.
    let mut mirror = acceptor(Identity { keys: Arc::default(), ..beta() });
    mirror.handle(&victim.take_output()).unwrap();
    victim.handle(&mirror.take_output()).unwrap();
    let proof = victim.take_output();
    assert_eq!(victim.handle(&proof).unwrap_err(), LinkError::AuthFailed);
}

#[test]
fn a_proof_of_an_earlier_handshake_is_worth_nothing_in_a_later_one() {
    let mut first = dialler(alpha());
    let mut server = acceptor(beta());
    let hello = first.take_output();
    server.handle(&hello).unwrap();
    first.handle(&server.take_output()).unwrap();
    let proof = first.take_output();
    let mut later = Handshake::accept(beta(), &LinkOptions::default(), [3; 32], Micros(0));
    later.handle(&hello).unwrap();
    assert_eq!(later.handle(&proof).unwrap_err(), LinkError::AuthFailed);
}

/// Moves bytes in pieces of `size`; the receiver keeps what it did not use, as a host does.
fn feed(to: &mut Handshake, bytes: &[u8], size: usize) -> Option<Box<Established>> {
    let mut rest = Vec::new();
    for piece in bytes.chunks(size) {
        rest.extend_from_slice(piece);
        let (used, progress) = to.handle(&rest).unwrap();
        rest.drain(..used);
        if let Progress::Decide(peer) | Progress::Done(peer) = progress {
            return Some(peer);
        }
    }
    None
}

#[test]
fn a_handshake_cut_at_every_byte_still_succeeds() {
    let longest = alpha().hello_bytes().unwrap();
    for size in 1..=longest {
        let (mut near, mut far) = (dialler(alpha()), acceptor(beta()));
        assert!(feed(&mut far, &near.take_output(), size).is_none());
        assert!(feed(&mut near, &far.take_output(), size).is_none());
        assert!(feed(&mut far, &near.take_output(), size).is_some());
        far.admit();
        assert!(feed(&mut near, &far.take_output(), size).is_some());
    }
}

#[test]
fn a_hello_of_more_than_two_kibibytes_is_refused_by_its_length_alone() {
    let mut wire = Vec::new();
    encode_control(&vec![0; HANDSHAKE_BYTES_MAX + 1], 0, &mut wire).unwrap();
    let error = acceptor(beta()).handle(&wire[..8]).unwrap_err();
    assert_eq!(error.code(), "frame_too_large");
}

#[test]
fn an_identity_that_does_not_fit_a_hello_is_known_beforehand() {
    let channels: Vec<_> = (0..60).map(|n| plain_channel(&format!("{n:0>100}"))).collect();
    assert_eq!(identity("alpha", &channels).hello_bytes(), None);
}

#[test]
fn skipped_frames_do_not_prolong_a_handshake_without_end() {
    let mut server = acceptor(beta());
    let mut wire = Vec::new();
    encode_control(&[0; 1024], 0, &mut wire).unwrap();
    wire[4] = 0x80; // an unknown kind that may be skipped
    wire = with_header_crc(wire);
    let mut handled = 0;
    let error = loop {
        match server.handle(&wire) {
            Ok((used, _)) => assert_eq!(used, wire.len()),
            Err(error) => break error,
        }
        handled += 1;
        assert!(handled < 10);
    };
    assert_eq!(error, LinkError::Protocol("handshake too long"));
}

fn with_header_crc(mut frame: Vec<u8>) -> Vec<u8> {
    use foundation_frame::{crc32c, layout};
    let crc = crc32c(&frame[..layout::HEADER_CRC]);
    frame[layout::HEADER_CRC..layout::HEADER_CRC + 4].copy_from_slice(&crc.to_le_bytes());
    frame
}

#[test]
fn every_reason_to_reject_reaches_the_dialler() {
    for code in [
        RejectCode::Crossing,
        RejectCode::DuplicateNode,
        RejectCode::SelfDial,
        RejectCode::TooMany,
        RejectCode::Leaving,
        RejectCode::UnknownLink,
    ] {
        let (mut near, mut far) = (dialler(alpha()), acceptor(beta()));
        far.handle(&near.take_output()).unwrap();
        near.handle(&far.take_output()).unwrap();
        let (_, progress) = far.handle(&near.take_output()).unwrap();
        assert!(matches!(progress, Progress::Decide(_)));
        far.reject(code);
        let error = near.handle(&far.take_output()).unwrap_err();
        assert_eq!(error, LinkError::Rejected { code });
    }
}

#[test]
fn a_further_lane_states_the_link_that_it_joins() {
    let options = LinkOptions::default();
    let (mut first, mut second) = (dialler(alpha()), acceptor(beta()));
    shake(&mut first, &mut second).unwrap();
    let mut near = Handshake::dial(alpha(), &options, [1; 32], 3, 77, Micros(0));
    near.join_link(first.take_keys().unwrap().link_key, false).unwrap();
    let mut far = acceptor(beta());
    let (_, progress) = far.handle(&near.take_output()).unwrap();
    let Progress::Join(joining) = progress else { panic!("a lane asks for its link") };
    let life = alpha().life;
    assert_eq!(*joining, Joining { node: "alpha".to_owned(), life, epoch: 77 });
    far.join_link(second.take_keys().unwrap().link_key, false).unwrap();
    let (dialled, accepted) = shake(&mut near, &mut far).unwrap();
    assert_eq!((accepted.lane, accepted.epoch), (3, 77));
    assert_eq!((dialled.lane, dialled.epoch), (3, 77));
    assert!(accepted.channels.is_empty(), "the channels are known from the first lane");
}

#[test]
fn a_lane_beyond_the_last_is_refused() {
    let options = LinkOptions::default();
    let lane = LANES_MAX as u8;
    let mut near = Handshake::dial(alpha(), &options, [1; 32], lane, 77, Micros(0));
    let error = acceptor(beta()).handle(&near.take_output()).unwrap_err();
    assert_eq!(error, LinkError::Protocol("lane out of range"));
}

#[test]
fn data_before_the_handshake_is_over_is_refused() {
    let mut wire = Vec::new();
    foundation_frame::DataHeader::default().write_frame(&[], b"early", &mut wire).unwrap();
    let error = acceptor(beta()).handle(&wire).unwrap_err();
    assert_eq!(error, LinkError::Protocol("data before handshake"));
}

#[test]
fn a_message_of_the_running_link_is_refused_before_authentication() {
    let mut wire = Vec::new();
    let leave = Control::Leave(foundation_schema::Leave { reason: "bye".to_owned() });
    encode_control(&leave.encode().unwrap(), 0, &mut wire).unwrap();
    assert_eq!(acceptor(beta()).handle(&wire).unwrap_err().code(), "malformed_control");
}

#[test]
fn nothing_is_taken_after_an_error() {
    let mut server = acceptor(beta());
    let garbage = b"GET / HTTP/1.1\r\n\r\n";
    assert!(server.handle(garbage).is_err());
    let hello = dialler(alpha()).take_output();
    let (used, progress) = server.handle(&hello).unwrap();
    assert!(used == 0 && matches!(progress, Progress::Wait));
    assert!(server.take_output().is_empty());
}
