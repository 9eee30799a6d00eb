//! Any bytes as a frame: once as they are, once with honest checksums, so that the fuzzer gets
//! behind them. A data frame that is accepted whole must encode to the very bytes it came from.
#![no_main]

use foundation_frame::layout::{HEADER_CRC, HEADER_WORDS, PAYLOAD_CRC, PREFIX_BYTES, WORD_BYTES};
use foundation_frame::{
    Decoded, ExtensionIter, Frame, Limits, crc32c, crc32c_append, decode, encode_control,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    check(input, &Limits::default());
    check(input, &Limits::HANDSHAKE);
    if let Some(sealed) = seal(input) {
        check(&sealed, &Limits::default());
    }
});

/// The same frame with the checksums that its bytes call for; none if the header is cut short.
fn seal(input: &[u8]) -> Option<Vec<u8>> {
    let header_bytes = usize::from(*input.get(HEADER_WORDS)?) * WORD_BYTES;
    let frame_bytes = u32::from_le_bytes(*input.first_chunk()?) as usize;
    if header_bytes < PREFIX_BYTES || input.len() < header_bytes {
        return None;
    }
    let mut sealed = input.to_vec();
    if let Some(payload) = input.get(header_bytes..frame_bytes) {
        sealed[PAYLOAD_CRC..PAYLOAD_CRC + 4].copy_from_slice(&crc32c(payload).to_le_bytes());
    }
    let crc = crc32c_append(crc32c(&sealed[..HEADER_CRC]), &sealed[PREFIX_BYTES..header_bytes]);
    sealed[HEADER_CRC..HEADER_CRC + 4].copy_from_slice(&crc.to_le_bytes());
    Some(sealed)
}

fn check(input: &[u8], limits: &Limits) {
    match decode(input, limits) {
        Ok(Decoded::Incomplete { need }) => {
            assert!(need > input.len() && need <= limits.frame_bytes_max.max(64));
        }
        Ok(Decoded::Frame { frame, consumed }) => {
            let bytes = &input[..consumed];
            assert!(consumed <= limits.frame_bytes_max);
            check_frame(frame, bytes);
            // The frame alone gives the same answer, and one byte less asks for exactly it.
            assert_eq!(decode(bytes, limits), Ok(Decoded::Frame { frame, consumed }));
            let shorter = decode(&bytes[..consumed - 1], limits);
            assert!(matches!(shorter, Ok(Decoded::Incomplete { need }) if need <= consumed));
        }
        Err(error) => assert!(!error.code().is_empty()),
    }
}

fn check_frame(frame: Frame<'_>, bytes: &[u8]) {
    let mut again = Vec::new();
    match frame {
        Frame::Data { header, extension, payload, payload_ok } => {
            let entry_bytes: usize = ExtensionIter::new(extension)
                .map(|entry| 4 + entry.bytes.len().next_multiple_of(WORD_BYTES))
                .sum();
            assert_eq!(entry_bytes, extension.len());
            if payload_ok {
                header.write_frame(extension, payload, &mut again).expect("it was a frame");
                assert_eq!(again, bytes);
            }
        }
        Frame::Control { payload } => {
            let flags = u16::from_le_bytes([bytes[6], bytes[7]]);
            encode_control(payload, flags, &mut again).expect("it was a frame");
            assert_eq!(again, bytes);
        }
        Frame::Skipped { kind, frame_bytes } => {
            assert!(kind & 0x80 != 0 && frame_bytes == bytes.len());
        }
    }
}
