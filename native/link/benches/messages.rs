//! Cost of a 64-byte message through two links in memory: enqueue, transmit, decode, deliver,
//! settle. The host's rings, threads and sockets are left out. Prints nanoseconds a message, best
//! of all rounds.

#[path = "../tests/pair/mod.rs"]
mod pair;

use std::time::Instant;

use foundation_link::{Batch, Delivery, Destination, Micros, Names, Outbox, Verdict};
use pair::{Pair, Setup, plain};

const PAYLOAD_BYTES: usize = 64;
const MESSAGES_PER_ROUND: usize = 256;
const ROUNDS: usize = 4_000;

#[derive(Default)]
struct Counting {
    messages: u32,
    bytes: u64,
    account: u16,
}

impl Outbox for Counting {
    fn deliver(&mut self, delivery: Delivery<'_>) -> Verdict {
        self.messages += 1;
        self.bytes += delivery.payload.len() as u64;
        self.account = delivery.account;
        Verdict::Taken
    }

    fn intern(&mut self, _name: &str) -> Option<(u32, u16)> {
        Some((0, 3))
    }
}

struct OneName;

impl Names for OneName {
    fn name(&self, _id: u32) -> Option<String> {
        Some("sink".to_owned())
    }
}

/// Writes what a link has to say and reads it at the other end.
fn carry(pair: &mut Pair, from: usize, batch: &mut Batch, bytes: &mut Vec<u8>, out: &mut Counting) {
    let now = Micros(1);
    while pair.ends[from].link.has_output(0) {
        pair.ends[from].link.transmit(0, 128 << 10, batch);
        bytes.clear();
        let mut slices = Vec::with_capacity(64);
        batch.slices(64, &mut slices);
        slices.iter().for_each(|slice| bytes.extend_from_slice(slice));
        batch.consume(bytes.len());
        let used = pair.ends[1 - from].link.handle(0, bytes, now, out).expect("valid frames");
        assert_eq!(used, bytes.len());
    }
}

fn main() {
    let mut pair = Pair::new(Setup::default());
    let payload = [7u8; PAYLOAD_BYTES];
    let (mut batch, mut bytes, mut out) = (Batch::default(), Vec::new(), Counting::default());
    let mut best = [f64::MAX; 3];
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        for _ in 0..MESSAGES_PER_ROUND {
            let message = plain(0, Destination::Named(0), &payload);
            pair.ends[0].link.enqueue(message, &OneName).expect("room");
        }
        let enqueued = Instant::now();
        carry(&mut pair, 0, &mut batch, &mut bytes, &mut out);
        let carried = Instant::now();
        let (messages, payload_bytes) = (out.messages, out.bytes);
        pair.ends[1].link.settle(0, out.account, payload_bytes, messages);
        (out.messages, out.bytes) = (0, 0);
        carry(&mut pair, 1, &mut batch, &mut bytes, &mut Counting::default());
        assert_eq!(messages as usize, MESSAGES_PER_ROUND);
        let parts = [enqueued - begin, carried - enqueued, carried.elapsed()];
        for (best, part) in best.iter_mut().zip(parts) {
            *best = best.min(part.as_nanos() as f64 / MESSAGES_PER_ROUND as f64);
        }
    }
    println!(
        "64 B, ns a message: enqueue {:.0}, transmit and receive {:.0}, settle {:.0}; sum {:.0}",
        best[0],
        best[1],
        best[2],
        best.iter().sum::<f64>()
    );
}
