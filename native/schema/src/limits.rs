//! What a control message may hold. Both directions are held to the same numbers.

use flatbuffers::VerifierOptions;

/// Longest encoded control message; the frame layer's limit for control payloads. Unit: bytes.
pub const CONTROL_BYTES_MAX: usize = 64 * 1024;
/// Longest control message that travels as the payload of data frames, under credit. Unit: bytes.
pub const CARRIED_BYTES_MAX: usize = 1024 * 1024;
/// Longest encoded handshake message: all that a stranger can make us verify. Unit: bytes.
/// A Hello with long channel names reaches it at about 40 channels.
pub const HANDSHAKE_BYTES_MAX: usize = 2 * 1024;
/// Longest name of a cluster, node, channel or handler. Unit: bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest listen address. Unit: bytes of UTF-8.
pub const ADDRESS_BYTES_MAX: usize = 255;
/// Longest text of a refusal or a departure. Unit: bytes of UTF-8.
pub const DETAIL_BYTES_MAX: usize = 512;
/// Most channels in one Hello.
pub const CHANNELS_MAX: usize = 64;
/// Most members in one message; longer lists travel as [`crate::Members::pages`].
pub const MEMBERS_MAX: usize = 2048;
/// Most numbers in one Machine message: what 64 KiB hold beside its nodes.
pub const MACHINE_NUMBERS_MAX: usize = 8_000;
/// Most entries in one Credits message: as many as 64 KiB hold.
pub const CREDIT_ENTRIES_MAX: usize = 4080;
/// Length of nonces and proofs (HMAC-SHA256). Unit: bytes.
pub const SECRET_BYTES: usize = 32;

/// Deepest nesting the verifier follows. The schema needs three.
const DEPTH_MAX: usize = 16;
/// Most tables the verifier visits. The schema needs [`MEMBERS_MAX`] and three.
const TABLES_MAX: usize = 4096;

/// Limits for the verifier of one message. Offsets may share tables and strings, so a message
/// can unfold to more than its length. Honest ones need less than twice theirs, as the verifier
/// counts vtables and lengths at each visit; three times leaves room for fields to come.
pub(crate) fn verifier_options(message_bytes: usize) -> VerifierOptions {
    VerifierOptions {
        max_depth: DEPTH_MAX,
        max_tables: TABLES_MAX,
        max_apparent_size: 3 * message_bytes + 256,
        ignore_missing_null_terminator: false,
    }
}
