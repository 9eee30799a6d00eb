//! What links count, each cause apart.

/// What a link counted. All counts only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name is the counter's documented name in docs/metrics.md")]
pub struct LinkCounters {
    pub messages_sent: u64,
    pub messages_received: u64,
    pub bytes_received: u64,
    pub bytes_transmitted: u64,
    pub superseded: u64,
    pub overflowed: u64,
    pub frames_skipped: u64,
    pub payload_crc_failures: u64,
    pub stale_epoch: u64,
    pub unknown_channel: u64,
    pub unsolicited_replies: u64,
    pub no_process: u64,
    pub exhausted: u64,
    pub reassembly_timeouts: u64,
    pub orphan_chunks: u64,
    pub names_refused: u64,
    pub control_refused: u64,
}

impl LinkCounters {
    /// Adds another link's counts.
    pub fn add(&mut self, other: &LinkCounters) {
        self.messages_sent += other.messages_sent;
        self.messages_received += other.messages_received;
        self.bytes_received += other.bytes_received;
        self.bytes_transmitted += other.bytes_transmitted;
        self.superseded += other.superseded;
        self.overflowed += other.overflowed;
        self.frames_skipped += other.frames_skipped;
        self.payload_crc_failures += other.payload_crc_failures;
        self.stale_epoch += other.stale_epoch;
        self.unknown_channel += other.unknown_channel;
        self.unsolicited_replies += other.unsolicited_replies;
        self.no_process += other.no_process;
        self.exhausted += other.exhausted;
        self.reassembly_timeouts += other.reassembly_timeouts;
        self.orphan_chunks += other.orphan_chunks;
        self.names_refused += other.names_refused;
        self.control_refused += other.control_refused;
    }
}
