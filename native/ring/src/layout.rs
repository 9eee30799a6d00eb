//! Where everything lies in a ring block. JavaScript reads the same numbers from the generated
//! `layout.ts`, so a change here is a change of both halves.
//!
//! Offsets count in bytes from the base of the block, which is 128-aligned. Every word is a u32,
//! little endian. Positions run free modulo 2^32; `position & (capacity - 1)` is the place in the
//! data area and `tail - head`, wrapping, is what lies between. Each position has two cache lines
//! of its own, because the adjacent-line prefetcher moves lines in pairs.

/// End of the published records. Only the producer writes it (Release); the consumer reads it
/// (Acquire).
pub const TAIL: usize = 0;

/// End of the released records. Only the consumer writes it (Release); the producer reads it
/// (Acquire).
pub const HEAD: usize = 128;

/// 1 while the consumer sleeps. Both sides swap it, never store it: the order of the swaps is the
/// proof.
pub const ARMED: usize = 256;

/// 1 while the producer wants to be told of space. Both sides swap it, as they do with [`ARMED`].
pub const WAITING: usize = 384;

/// 1 while an isolate waits for credit on a ring between isolates; swapped like [`WAITING`], whose
/// cache line it shares. The ring algorithm does not touch it.
pub const CREDIT_WAITING: usize = WAITING + 4;

/// Credit words, one a channel, of rings between two isolates. The ring algorithms leave them
/// alone.
pub const SETTLED: usize = 512;

/// Words at [`SETTLED`].
pub const SETTLED_WORDS: usize = 64;

/// First byte of the data area, `capacity` bytes long.
pub const DATA: usize = 768;

/// Alignment of a block's base. Unit: bytes.
pub const BLOCK_ALIGNMENT: usize = 128;

/// Body size (u32), then tag (u32), in front of every record. Unit: bytes.
pub const HEADER_BYTES: u32 = 8;

/// Records begin at multiples of this, so a header never straddles the end. Unit: bytes.
pub const RECORD_ALIGNMENT: u32 = 8;

/// Tag of the filler between the last record that fits and the end of the data area.
pub const PADDING: u32 = 0xFFFF_FFFF;

/// Smallest data area. Under loom it is tiny: every wrap-around must fit into a few steps.
pub const CAPACITY_BYTES_MIN: u32 = if cfg!(loom) { 32 } else { 1024 };

/// Largest data area: half the range of a position would do, a quarter keeps JavaScript in small
/// integers.
pub const CAPACITY_BYTES_MAX: u32 = 1 << 30;

/// A record's body is at most `capacity / BODY_DIVISOR`, so that one always fits into an empty ring
/// whatever padding its position needs.
pub const BODY_DIVISOR: u32 = 4;

/// Names and values for the generator of `layout.ts`.
pub const TABLE: &[(&str, u32)] = &[
    ("RING_TAIL", TAIL as u32),
    ("RING_HEAD", HEAD as u32),
    ("RING_ARMED", ARMED as u32),
    ("RING_WAITING", WAITING as u32),
    ("RING_CREDIT_WAITING", CREDIT_WAITING as u32),
    ("RING_SETTLED", SETTLED as u32),
    ("RING_SETTLED_WORDS", SETTLED_WORDS as u32),
    ("RING_DATA", DATA as u32),
    ("RING_BLOCK_ALIGNMENT", BLOCK_ALIGNMENT as u32),
    ("RING_HEADER_BYTES", HEADER_BYTES),
    ("RING_RECORD_ALIGNMENT", RECORD_ALIGNMENT),
    ("RING_PADDING", PADDING),
    ("RING_CAPACITY_BYTES_MIN", CAPACITY_BYTES_MIN),
    ("RING_CAPACITY_BYTES_MAX", CAPACITY_BYTES_MAX),
    ("RING_BODY_DIVISOR", BODY_DIVISOR),
];

/// Size of a whole block for a data area of `capacity` bytes.
pub const fn block_bytes(capacity: u32) -> usize {
    DATA + capacity as usize
}

/// Largest body that a ring of `capacity` takes.
pub const fn body_bytes_max(capacity: u32) -> u32 {
    capacity / BODY_DIVISOR
}

/// Room that a record with a body of `size` bytes takes. `size` is at most [`CAPACITY_BYTES_MAX`].
pub const fn record_bytes(size: u32) -> u32 {
    (size + HEADER_BYTES + RECORD_ALIGNMENT - 1) & !(RECORD_ALIGNMENT - 1)
}

/// Whether a ring may have this data area: a power of two within the limits.
pub const fn is_capacity(capacity: u32) -> bool {
    capacity.is_power_of_two() && capacity >= CAPACITY_BYTES_MIN && capacity <= CAPACITY_BYTES_MAX
}

const _: () =
    assert!(SETTLED + SETTLED_WORDS * 4 == DATA, "the credit words end where data begins");
const _: () = assert!(DATA.is_multiple_of(BLOCK_ALIGNMENT), "data begins on a line of its own");
