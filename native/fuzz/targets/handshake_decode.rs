//! Any bytes as a handshake message from a stranger. What is accepted must survive the wire.
#![no_main]

use foundation_schema::{HANDSHAKE_BYTES_MAX, SchemaError, decode_handshake};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(message) = decode_handshake(input) else {
        return;
    };
    assert!(message.is_handshake() && input.len() <= HANDSHAKE_BYTES_MAX);
    match message.encode() {
        Ok(wire) => assert_eq!(decode_handshake(&wire), Ok(message)),
        // Offsets may share what the encoder writes out each time, which may then not fit.
        Err(SchemaError::TooLarge { .. }) => {}
        Err(refused) => panic!("{message:?} was decoded and not encoded: {refused}"),
    }
});
