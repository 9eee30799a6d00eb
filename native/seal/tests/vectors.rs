//! Answers computed by another implementation (OpenSSL, through Node.js' `crypto`): the schedule is
//! what docs/security.md says, not merely what this code does at both ends.

use foundation_seal::{
    AuthKey, Cipher, Exchange, Key, Opener, RECORD_HEADER_BYTES, Schedule, Sealer, Side,
};

const SECRET: &[u8] = b"sixteen bytes at least";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn schedule(exchanged: Option<&[u8; 32]>) -> Schedule {
    let key = AuthKey::from(&Key::new(SECRET).unwrap());
    Schedule::new(&key, exchanged, b"dialler hello", b"acceptor hello")
}

#[test]
fn a_secret_has_this_id_and_fingerprint() {
    let key = Key::new(SECRET).unwrap();
    assert_eq!((key.id(), key.fingerprint().as_str()), (0x211f_f77c, "61a343ba80491425"));
}

#[test]
fn a_sealed_connection_derives_these_secrets() {
    let schedule = schedule(Some(&[9; 32]));
    for (side, proof, traffic) in [
        (
            Side::Dialler,
            "a0b00be8c5fc293e4dc8f75c5377b20213caff0680f4af02682c78d61b5a4ff3",
            "3fc356f1453c78552af4fbec25aee6adb3f0bd2feedae13e4bb310c9050bccd2",
        ),
        (
            Side::Acceptor,
            "d7baae96ba6f1d5339bc56794a5f1135c2c84a891339e6e98d3b25e8b87b517a",
            "03257493d8ba663bb556aefcd7258a9d76a25faffdbe7b9ce568a89062e55d96",
        ),
    ] {
        assert_eq!(hex(&schedule.proof(side)), proof);
        assert_eq!(hex(&schedule.traffic(side)), traffic);
        assert!(schedule.is_proof(side, &schedule.proof(side)));
    }
    assert!(!schedule.is_proof(Side::Dialler, &schedule.proof(Side::Acceptor)));
}

#[test]
fn a_connection_in_plain_text_derives_these_proofs() {
    let schedule = schedule(None);
    assert_eq!(
        hex(&schedule.proof(Side::Dialler)),
        "bcd9dbd7476718bb75c5aff05091bb1c409dc11fe1781e4b713727214d37bc8f"
    );
    assert_eq!(
        hex(&schedule.proof(Side::Acceptor)),
        "0a16b8f2cd6cb86df055fcb5a7e272eadffeb425d4e7c333467bc69aec2521af"
    );
}

#[test]
fn seeds_exchange_this_secret() {
    let (near, far) = (Exchange::new(&[1; 32]), Exchange::new(&[2; 32]));
    assert_eq!(
        hex(&near.nonce()),
        "3877c7608f0f9efc61a771a05d5dba969031e950dbca9c7b5a85f8f4fdf7ff46"
    );
    assert_eq!(
        hex(&near.public()),
        "45ebdf6eaaa5137e70282a141cb8b010d7cdc2dc92dd5d77927b614cefbe4476"
    );
    let shared = near.agree(&far.public()).unwrap();
    assert_eq!(hex(&shared), "d9d7be9f1c6e7f576b54cde7528563d47f35873f0f9054e6feea9271470a0678");
    assert_eq!(far.agree(&near.public()), Some(shared));
}

#[test]
fn a_share_that_gives_everybody_the_same_secret_is_refused() {
    let near = Exchange::new(&[1; 32]);
    let mut one = [0; 32];
    one[0] = 1;
    assert_eq!((near.agree(&[0; 32]), near.agree(&one)), (None, None));
}

#[test]
fn records_are_these_bytes_across_a_change_of_key() {
    for (cipher, wire) in [
        (
            Cipher::Aes256Gcm,
            "150000001cc0dfb4b9814c13f8fcf042c947f52d4b4e82ab9f\
             16000000ed2a62d91b3b264d3f44aaf4557a498f4ceca9485b17\
             15000000192829f1752636e98adfe3da4284e2cfd15e2df4ef",
        ),
        (
            Cipher::ChaCha20Poly1305,
            "15000000daf0627cf040e75088b7c2f6dc269c126792f727f9\
             160000004b79d49ca7ba0ff2e1c0dd7f4ea82b91139d6dd88793\
             1500000091cfd1e342536cdfba9a9c8d7d4baa5ecdb07eeff9",
        ),
    ] {
        let mut sealer = Sealer::with_records_per_key(cipher, [7; 32], 2);
        let mut sealed = Vec::new();
        for plain in [&b"first"[..], b"second", b"third"] {
            let start = sealed.len();
            sealed.extend_from_slice(&[0; RECORD_HEADER_BYTES]);
            sealed.extend_from_slice(plain);
            sealer.seal(&mut sealed, start).unwrap();
        }
        assert_eq!(hex(&sealed), wire);
        let mut opener = Opener::with_records_per_key(cipher, [7; 32], 2);
        let opened = opener.open(&mut sealed, 0, 0).unwrap();
        assert_eq!(&sealed[..opened.plain_end], b"firstsecondthird");
    }
}
