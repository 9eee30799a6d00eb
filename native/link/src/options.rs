//! Limits and periods of a link. Every default names where it comes from.

use foundation_machine::Micros;

/// Limits and periods of a link; one value serves all links of a node.
#[derive(Debug, Clone)]
pub struct LinkOptions {
    /// Largest part of a message in one frame. Raising it lengthens the wait of urgent frames
    /// behind it.
    pub chunk_bytes: usize,
    /// Largest message. A bigger one is refused with `message_too_large`.
    pub message_bytes_max: u64,
    /// Queue length per channel at which sending stops being accepted.
    pub high_water_bytes: u64,
    /// Queue length per channel at which sending is accepted again.
    pub low_water_bytes: u64,
    /// What may still arrive from the rings after the high-water mark was announced.
    pub overrun_bytes: u64,
    /// Credit that each (channel, isolate) account starts with.
    pub window_bytes: u64,
    /// Largest credit that an account grows to.
    pub window_bytes_max: u64,
    /// Cost of delivered and unsettled messages of one peer above which further ones are dropped,
    /// over all accounts; those with memory of their own do not count.
    pub unsettled_bytes_max: u64,
    /// An unfinished message is dropped after this time without a chunk.
    pub reassembly_timeout: Micros,
    /// An idle link is probed this often.
    pub heartbeat: Micros,
    /// A link that brought no byte for this long, nor an answer for this long less one and a half
    /// heartbeats, is down.
    pub silent: Micros,
    /// A connection that has not finished its handshake by then is closed.
    pub handshake_timeout: Micros,
}

impl Default for LinkOptions {
    fn default() -> Self {
        LinkOptions {
            chunk_bytes: 128 << 10,      // `npm run bench -- calibrate`
            message_bytes_max: 16 << 20, // the limit of a frame
            high_water_bytes: 4 << 20,
            low_water_bytes: 1 << 20,
            overrun_bytes: 48 << 20, // a ring of small messages, or 32 MiB of slabs, per isolate
            window_bytes: 1 << 20, // grows on demand; loopback needs 2 x 2 GB/s x 0.1 ms = 400 KiB
            window_bytes_max: 64 << 20, // 2 x 1.5 GB/s x 20 ms
            unsettled_bytes_max: 256 << 20, // four windows of the largest size
            reassembly_timeout: Micros::from_millis(30_000),
            heartbeat: Micros::from_millis(1_000),
            silent: Micros::from_millis(2_700), // found within 3 s, news to isolates included
            handshake_timeout: Micros::from_millis(5_000), // a peer over 20 ms of delay needs 60 ms
        }
    }
}
