//! What sealing costs by size of record: `cargo bench -p foundation-seal`.

use std::hint::black_box;
use std::time::Instant;

use foundation_seal::{Cipher, Opener, RECORD_HEADER_BYTES, RECORD_PLAIN_BYTES_MAX, Sealer};

const TOTAL_BYTES: usize = 1 << 30;

fn main() {
    println!("{:>20} {:>8} {:>12} {:>12}", "cipher", "bytes", "seal MB/s", "open MB/s");
    for cipher in [Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305] {
        for plain in [64, 256, 1 << 10, 4 << 10, 16 << 10, 32 << 10, 64 << 10] {
            if plain <= RECORD_PLAIN_BYTES_MAX {
                let (seal, open) = measure(cipher, plain);
                println!("{:>20} {plain:>8} {seal:>12.0} {open:>12.0}", format!("{cipher:?}"));
            }
        }
    }
}

fn measure(cipher: Cipher, plain: usize) -> (f64, f64) {
    let mut sealer = Sealer::new(cipher, [7; 32]);
    let mut opener = Opener::new(cipher, [7; 32]);
    let rounds = (TOTAL_BYTES / plain).min(2_000_000);
    let (mut sealing, mut opening) = (0.0, 0.0);
    let mut record = Vec::with_capacity(plain + 64);
    for _ in 0..rounds {
        record.clear();
        record.resize(RECORD_HEADER_BYTES + plain, 3);
        let start = Instant::now();
        sealer.seal(black_box(&mut record), 0).expect("a record of allowed size");
        let sealed = Instant::now();
        opener.open(black_box(&mut record), 0, 0).expect("a record of the same key");
        sealing += (sealed - start).as_secs_f64();
        opening += sealed.elapsed().as_secs_f64();
    }
    let megabytes = (rounds * plain) as f64 / 1e6;
    (megabytes / sealing, megabytes / opening)
}
