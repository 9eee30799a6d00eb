//! Any bytes as a frame: once as they are, once with honest checksums, so that the fuzzer gets
//! behind them. A data frame that is accepted whole must encode to the very bytes it came from.
#![no_main]

use foundation_frame::layout::WORD_BYTES;
use foundation_frame::{Decoded, ExtensionIter, Frame, Limits, decode, encode_control};
use foundation_fuzz::repair;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    check(input, &Limits::default());
    check(input, &Limits::HANDSHAKE);
    let mut honest = input.to_vec();
    if repair(&mut honest) {
        check(&honest, &Limits::default());
    }
});

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
