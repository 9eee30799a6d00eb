//! Sealed records through hands that may do anything with them. What is opened is what was sealed,
//! in order, from the first byte on; nothing else is, and nothing behind the first change.
#![no_main]

use foundation_frame::crc32c;
use foundation_fuzz::Script;
use foundation_seal::{
    Cipher, Opener, RECORD_HEADER_BYTES, RECORD_OVERHEAD_BYTES, RECORD_PLAIN_BYTES_MAX,
    RECORDS_PER_KEY, SealError, Sealer,
};
use libfuzzer_sys::fuzz_target;

/// Steps of one input, so that none takes long.
const STEPS_MAX: usize = 16;

fuzz_target!(|input: &[u8]| {
    let mut script = Script::new(input);
    // Another input, another key: the fuzzer sees what is sealed, and would put it into the next
    // input, as no stranger can.
    let mut secret = [0; 32];
    secret[..4].copy_from_slice(&crc32c(input).to_le_bytes());
    let kind = script.byte();
    let cipher = if kind & 1 == 0 { Cipher::Aes256Gcm } else { Cipher::ChaCha20Poly1305 };
    // Keys that serve few records, so that both ends change them under way.
    let records_per_key = [RECORDS_PER_KEY, 2, 3, 7][usize::from(kind >> 1 & 3)];
    let mut sent = Sent {
        sealer: Sealer::with_records_per_key(cipher, secret, records_per_key),
        plain: Vec::new(),
        records: Vec::new(),
    };
    let wire = sent.on_the_way(&mut script);
    let opener = Opener::with_records_per_key(cipher, secret, records_per_key);
    // Small pieces for small streams: a byte at a time, long ones take too long.
    let piece = (1 + usize::from(kind >> 4) * 37).max(wire.len() / 64);
    receive(opener, &wire, &sent, piece);
});

/// What the honest sender sealed.
struct Sent {
    sealer: Sealer,
    plain: Vec<u8>,
    records: Vec<Vec<u8>>,
}

impl Sent {
    fn seal(&mut self, plain: &[u8]) {
        let mut record = vec![0; RECORD_HEADER_BYTES];
        record.extend_from_slice(plain);
        match self.sealer.seal(&mut record, 0) {
            Ok(()) => {
                assert_eq!(record.len(), plain.len() + RECORD_OVERHEAD_BYTES);
                // A number that served twice under a key would show equal bytes twice.
                assert!(!self.records.contains(&record), "a nonce served twice");
                self.plain.extend_from_slice(plain);
                self.records.push(record);
            }
            Err(refused) => {
                assert_eq!(refused, SealError::Length);
                assert!(plain.is_empty() || plain.len() > RECORD_PLAIN_BYTES_MAX);
            }
        }
    }

    /// Seals and tampers, step by step; answers what comes out at the far end.
    fn on_the_way(&mut self, script: &mut Script<'_>) -> Vec<u8> {
        let mut wire: Vec<Vec<u8>> = Vec::new();
        for _ in 0..STEPS_MAX {
            if script.is_over() {
                break;
            }
            let step = script.byte();
            match step % 12 {
                0..=3 => {
                    let sealed_before = self.records.len();
                    // One long record an input, of a length about the longest.
                    if step == 252 && self.plain.len() < RECORD_PLAIN_BYTES_MAX {
                        let length = RECORD_PLAIN_BYTES_MAX - 1 + script.byte() as usize % 3;
                        self.seal(&vec![step; length]);
                    } else {
                        self.seal(script.run());
                    }
                    wire.extend(self.records[sealed_before..].iter().cloned());
                }
                4 => tamper(&mut wire, script, |record, at| record[at] ^= 1),
                5 => tamper(&mut wire, script, |record, at| record[at] = at as u8),
                6 => tamper(&mut wire, script, |record, at| record.truncate(at)),
                7 => tamper(&mut wire, script, |record, at| record.insert(at, 0)),
                8 => drop(wire.pop()),
                9 => wire.extend(pick(&self.records, script).cloned()),
                10 if wire.len() > 1 => {
                    let (one, other) = (script.byte() as usize, script.byte() as usize);
                    let count = wire.len();
                    wire.swap(one % count, other % count);
                }
                _ => wire.push(script.run().to_vec()),
            }
        }
        wire.concat()
    }
}

fn pick<'a>(records: &'a [Vec<u8>], script: &mut Script<'_>) -> Option<&'a Vec<u8>> {
    records.get(script.byte() as usize % records.len().max(1))
}

fn tamper(wire: &mut [Vec<u8>], script: &mut Script<'_>, change: impl Fn(&mut Vec<u8>, usize)) {
    let count = wire.len().max(1);
    let place = script.byte() as usize % count;
    if let Some(record) = wire.get_mut(place).filter(|record| !record.is_empty()) {
        let at = script.short() as usize % record.len();
        change(record, at);
    }
}

/// Opens the wire in pieces as a lane does: what was opened in front, the beginning of a record
/// behind it.
fn receive(mut opener: Opener, wire: &[u8], sent: &Sent, piece: usize) {
    let honest = sent.records.concat();
    // Up to here the wire carries whole records as they were sealed.
    let same = wire.iter().zip(&honest).take_while(|(one, other)| one == other).count();
    let mut opened = Vec::new();
    let mut held = Vec::new();
    let mut failed = None;
    for part in wire.chunks(piece) {
        held.extend_from_slice(part);
        match opener.open(&mut held, 0, 0) {
            Ok(done) => {
                assert!(failed.is_none(), "a broken stream went on");
                assert!(done.plain_end <= done.rest_start && done.rest_start <= held.len());
                opened.extend_from_slice(&held[..done.plain_end]);
                held.drain(..done.rest_start);
                assert!(held.len() < RECORD_PLAIN_BYTES_MAX + RECORD_OVERHEAD_BYTES);
            }
            Err(error) => {
                assert!(!error.code().is_empty());
                failed = Some(error);
            }
        }
        if failed.is_some() && held.len() > 2 * RECORD_PLAIN_BYTES_MAX {
            break;
        }
    }
    assert!(sent.plain.starts_with(&opened), "something was opened that was not sealed");
    if failed.is_none() {
        assert_eq!(opened.len(), opened_bytes(sent, same), "not all that was sealed was opened");
    }
}

/// Bytes that the untouched records at the front of a wire carry, if so much of it is untouched.
fn opened_bytes(sent: &Sent, mut untouched: usize) -> usize {
    let mut plain_bytes = 0;
    for record in &sent.records {
        if untouched < record.len() {
            break;
        }
        untouched -= record.len();
        plain_bytes += record.len() - RECORD_OVERHEAD_BYTES;
    }
    plain_bytes
}
