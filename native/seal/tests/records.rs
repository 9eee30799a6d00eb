//! What somebody on the way can do to sealed records: nothing that goes unseen.

use foundation_seal::{
    Cipher, Opener, RECORD_HEADER_BYTES, RECORD_OVERHEAD_BYTES, RECORD_PLAIN_BYTES_MAX, SealError,
    Sealer,
};
use proptest::collection::vec;
use proptest::prelude::*;

const TRAFFIC: [u8; 32] = [7; 32];

fn record(sealer: &mut Sealer, plain: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; RECORD_HEADER_BYTES];
    bytes.extend_from_slice(plain);
    sealer.seal(&mut bytes, 0).expect("a record of allowed size");
    bytes
}

fn ends() -> (Sealer, Opener) {
    (Sealer::new(Cipher::Aes256Gcm, TRAFFIC), Opener::new(Cipher::Aes256Gcm, TRAFFIC))
}

/// Opens a stream that came at once; answers what it carried.
fn open(opener: &mut Opener, mut bytes: Vec<u8>) -> Result<Vec<u8>, SealError> {
    let opened = opener.open(&mut bytes, 0, 0)?;
    bytes.truncate(opened.plain_end);
    Ok(bytes)
}

fn three(sealer: &mut Sealer) -> [Vec<u8>; 3] {
    [b"one", b"two", b"six"].map(|plain| record(sealer, plain))
}

#[test]
fn records_in_order_open() {
    let (mut sealer, mut opener) = ends();
    assert_eq!(open(&mut opener, three(&mut sealer).concat()), Ok(b"onetwosix".to_vec()));
}

#[test]
fn a_repeated_record_does_not_open() {
    let (mut sealer, mut opener) = ends();
    let [one, ..] = three(&mut sealer);
    assert_eq!(open(&mut opener, one.clone()), Ok(b"one".to_vec()));
    assert_eq!(open(&mut opener, one), Err(SealError::Broken));
}

#[test]
fn a_record_that_is_left_out_is_missed() {
    let (mut sealer, mut opener) = ends();
    let [one, _, six] = three(&mut sealer);
    assert_eq!(open(&mut opener, [one, six].concat()), Err(SealError::Broken));
}

#[test]
fn records_do_not_change_places() {
    let (mut sealer, mut opener) = ends();
    let [one, two, _] = three(&mut sealer);
    assert_eq!(open(&mut opener, [two, one].concat()), Err(SealError::Broken));
}

#[test]
fn a_record_of_the_other_direction_does_not_open() {
    let mut sealer = Sealer::new(Cipher::Aes256Gcm, [8; 32]);
    let (_, mut opener) = ends();
    assert_eq!(open(&mut opener, record(&mut sealer, b"back")), Err(SealError::Broken));
}

#[test]
fn nothing_opens_after_a_failure() {
    let (mut sealer, mut opener) = ends();
    let [one, two, _] = three(&mut sealer);
    assert_eq!(open(&mut opener, two.clone()), Err(SealError::Broken));
    assert_eq!(open(&mut opener, one), Err(SealError::Broken));
}

#[test]
fn every_changed_bit_is_noticed() {
    let (mut sealer, _) = ends();
    let sealed = record(&mut sealer, b"payload");
    for bit in 0..sealed.len() * 8 {
        let (_, mut opener) = ends();
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        // A longer stated length makes the opener wait for more, which never comes.
        let result = open(&mut opener, changed);
        assert!(result.is_err() || result == Ok(Vec::new()), "bit {bit}: {result:?}");
    }
}

#[test]
fn a_length_that_nobody_writes_is_refused_before_its_bytes_come() {
    for length in [0, 16, RECORD_PLAIN_BYTES_MAX as u32 + 17, u32::MAX] {
        let (_, mut opener) = ends();
        assert_eq!(open(&mut opener, length.to_le_bytes().to_vec()), Err(SealError::Length));
    }
}

#[test]
fn records_have_a_largest_size_and_are_never_empty() {
    let (mut sealer, mut opener) = ends();
    let most = vec![3; RECORD_PLAIN_BYTES_MAX];
    assert_eq!(open(&mut opener, record(&mut sealer, &most)), Ok(most.clone()));
    for plain in [0, RECORD_PLAIN_BYTES_MAX + 1] {
        let mut bytes = vec![0; RECORD_HEADER_BYTES + plain];
        assert_eq!(sealer.seal(&mut bytes, 0), Err(SealError::Length));
    }
    assert_eq!(sealer.seal(&mut Vec::new(), 0), Err(SealError::Length));
}

#[test]
fn a_key_serves_its_records_and_then_the_next_one_does() {
    let mut sealer = Sealer::with_records_per_key(Cipher::Aes256Gcm, TRAFFIC, 3);
    let mut opener = Opener::with_records_per_key(Cipher::Aes256Gcm, TRAFFIC, 3);
    let records: Vec<Vec<u8>> = (0..10).map(|_| record(&mut sealer, b"same")).collect();
    for (at, sealed) in records.iter().enumerate() {
        assert!(!records[..at].contains(sealed), "a nonce was used twice");
        assert_eq!(open(&mut opener, sealed.clone()), Ok(b"same".to_vec()));
    }
}

proptest! {
    #[test]
    fn a_stream_cut_anywhere_arrives_whole(
        plains in vec(vec(any::<u8>(), 1..2000), 1..8),
        step in 1_usize..3000,
        front in 0_usize..40,
        is_aes in any::<bool>(),
    ) {
        let cipher = if is_aes { Cipher::Aes256Gcm } else { Cipher::ChaCha20Poly1305 };
        let mut sealer = Sealer::with_records_per_key(cipher, TRAFFIC, 3);
        let mut opener = Opener::with_records_per_key(cipher, TRAFFIC, 3);
        let stream: Vec<u8> = plains.iter().flat_map(|plain| record(&mut sealer, plain)).collect();
        prop_assert_eq!(
            stream.len(),
            plains.iter().map(|plain| plain.len() + RECORD_OVERHEAD_BYTES).sum::<usize>()
        );
        let (mut carried, mut rest) = (Vec::new(), Vec::new());
        for piece in stream.chunks(step) {
            // As a host does: opened bytes that wait, sealed ones that wait, news.
            let mut bytes = vec![0xee; front];
            bytes.extend_from_slice(&rest);
            bytes.extend_from_slice(piece);
            let opened = opener.open(&mut bytes, front, front).unwrap();
            prop_assert!(bytes[..front].iter().all(|&byte| byte == 0xee));
            carried.extend_from_slice(&bytes[front..opened.plain_end]);
            rest = bytes[opened.rest_start..].to_vec();
        }
        prop_assert_eq!(carried, plains.concat());
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn any_bytes_are_refused_or_awaited(mut bytes in vec(any::<u8>(), 0..400)) {
        let (_, mut opener) = ends();
        if let Ok(opened) = opener.open(&mut bytes, 0, 0) {
            prop_assert_eq!((opened.plain_end, opened.rest_start), (0, 0));
        }
    }
}
