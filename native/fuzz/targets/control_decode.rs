//! Any bytes as a control message from an authenticated peer. What is accepted must survive the
//! wire.
#![no_main]

use foundation_schema::{Control, SchemaError};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(message) = Control::decode(input) else {
        return;
    };
    match message.encode() {
        Ok(wire) => assert_eq!(Control::decode(&wire), Ok(message)),
        // Offsets may share what the encoder writes out each time, which may then not fit.
        Err(SchemaError::TooLarge { .. }) => {}
        Err(refused) => panic!("{message:?} was decoded and not encoded: {refused}"),
    }
});
