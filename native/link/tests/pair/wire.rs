//! One direction of one lane: bytes that take time to leave and time to arrive.

use std::collections::{BTreeMap, VecDeque};

use foundation_frame::{Decoded, Frame, Limits, decode};
use foundation_link::{Batch, Micros};
use foundation_schema::Control;

/// Bytes that a lane takes ahead of its wire, as the production host does.
const BACKLOG_BYTES: usize = 128 << 10;

/// What was put on a wire, by kind of frame.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    pub data_frames: u64,
    pub chunk_frames: u64,
    /// Control frames by the name of their message.
    pub control: BTreeMap<&'static str, u64>,
    /// Channel of each data frame, in order of leaving.
    pub channels: Vec<u16>,
    /// Names announced, in order.
    pub announced: Vec<String>,
}

/// Bytes on their way.
#[derive(Debug, Default)]
pub struct Wire {
    pub is_open: bool,
    batch: Batch,
    outgoing: VecDeque<u8>,
    on_the_way: VecDeque<(Micros, Vec<u8>)>,
    free_at: Micros,
    /// What arrived and was not used yet.
    pub rest: Vec<u8>,
    pub tally: Tally,
}

impl Wire {
    pub fn new(is_open: bool) -> Wire {
        Wire { is_open, ..Wire::default() }
    }

    /// Bytes that the link may still add.
    pub fn room(&self) -> usize {
        if self.is_open { BACKLOG_BYTES.saturating_sub(self.outgoing.len()) } else { 0 }
    }

    /// Lets a link fill the batch, then takes what it wrote.
    pub fn fill(&mut self, write: impl FnOnce(&mut Batch, usize)) -> usize {
        let room = self.room();
        write(&mut self.batch, room);
        let mut slices = Vec::new();
        self.batch.slices(usize::MAX, &mut slices);
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        self.batch.consume(bytes.len());
        self.tally.add(&bytes);
        self.outgoing.extend(&bytes);
        bytes.len()
    }

    /// Moves bytes from the backlog to the wire, as fast as that allows.
    pub fn send(&mut self, now: Micros, latency: Micros, bytes_per_second: Option<u64>) {
        while !self.outgoing.is_empty() && self.free_at <= now {
            let (count, takes) = match bytes_per_second {
                None => (self.outgoing.len(), Micros(0)),
                Some(rate) => {
                    let count = self.outgoing.len().min(16 << 10);
                    (count, Micros((count as u64 * 1_000_000 / rate).max(1)))
                }
            };
            let bytes = self.outgoing.drain(..count).collect();
            self.free_at = now + takes;
            self.on_the_way.push_back((self.free_at + latency, bytes));
        }
    }

    /// The next bytes that have arrived by `now`.
    pub fn arrive(&mut self, now: Micros) -> Option<Vec<u8>> {
        if self.on_the_way.front()?.0 > now {
            return None;
        }
        self.on_the_way.pop_front().map(|(_, bytes)| bytes)
    }

    /// When something happens here next.
    pub fn next_at(&self) -> Micros {
        let arrival = self.on_the_way.front().map_or(Micros::NEVER, |(at, _)| *at);
        if self.outgoing.is_empty() { arrival } else { arrival.min(self.free_at) }
    }

    /// Loses everything on the way: the connection broke.
    pub fn cut(&mut self) {
        self.is_open = false;
        self.outgoing.clear();
        self.on_the_way.clear();
    }
}

impl Tally {
    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let decoded = decode(bytes, &Limits::default()).expect("a link writes valid frames");
            let Decoded::Frame { frame, consumed } = decoded else {
                panic!("a link writes whole frames")
            };
            bytes = &bytes[consumed..];
            match frame {
                Frame::Data { header, payload_ok, .. } => {
                    assert!(payload_ok, "a link writes right checksums");
                    self.data_frames += 1;
                    let is_chunk = header.flags.contains(foundation_frame::Flags::CHUNK);
                    self.chunk_frames += u64::from(is_chunk);
                    self.channels.push(header.channel);
                }
                Frame::Control { payload } => {
                    let control = Control::decode(payload).expect("a link writes valid control");
                    *self.control.entry(control.name()).or_insert(0) += 1;
                    if let Control::Bind(bind) = control {
                        self.announced.push(bind.name);
                    }
                }
                Frame::Skipped { .. } => panic!("a link writes no unknown frames"),
            }
        }
    }
}
