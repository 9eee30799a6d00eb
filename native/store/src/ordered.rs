//! Numbers that sort as what they stand for.

/// A time as a whole number that sorts as the time does. NaN is refused before.
pub(crate) fn ordered_time(time: f64) -> u64 {
    let bits = (time + 0.0).to_bits(); // −0 becomes 0: they are the same time
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

/// The number that a text is found by: FNV-1a, mixed so that every bit counts. Texts that share
/// one are told apart by reading the records.
pub(crate) fn text_hash(text: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Little-endian numbers out of bytes that are known to be there.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | (u64::from(u32_at(bytes, at + 4)) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_as_they_are() {
        let times = [f64::NEG_INFINITY, -2.5, -1.0, 0.0, 1e-9, 1.0, 1.7e12, f64::INFINITY];
        let ordered: Vec<u64> = times.into_iter().map(ordered_time).collect();
        assert!(ordered.is_sorted_by(|a, b| a < b), "{ordered:?}");
        assert_eq!(ordered_time(-0.0), ordered_time(0.0));
    }

    #[test]
    fn numbers_are_read_as_written() {
        let bytes = 0x1122_3344_5566_7788_u64.to_le_bytes();
        assert_eq!(u64_at(&bytes, 0), 0x1122_3344_5566_7788);
        assert_eq!(u32_at(&bytes, 2), 0x3344_5566);
        assert_eq!(u16_at(&bytes, 6), 0x1122);
    }
}
