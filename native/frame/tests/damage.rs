//! What damage, strangers and later versions do to a reader: a typed refusal, never a wait.

use foundation_frame::layout::{
    CHUNK_OFFSET, DATA_HEADER_BYTES, FLAGS, FRAME_BYTES, HEADER_CRC, HEADER_WORDS, KIND,
    MESSAGE_BYTES, PAYLOAD_CRC, PREFIX_BYTES,
};
use foundation_frame::{
    CONTROL_BYTES_MAX, DataHeader, Decoded, ExtensionIter, FRAME_BYTES_MAX, Flags, Frame,
    FrameError, HANDSHAKE_BYTES_MAX, Limits, crc32c, crc32c_append, decode, encode_control,
    extension_push,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn data_frame(extension: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let header = DataHeader { channel: 2, sequence: 9, ..DataHeader::default() };
    header.write_frame(extension, payload, &mut wire).expect("it fits");
    wire
}

fn control_frame(payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    encode_control(payload, 0, &mut wire).expect("it fits");
    wire
}

fn one_entry() -> Vec<u8> {
    let mut extension = Vec::new();
    extension_push(&mut extension, 1, b"causal").expect("it fits");
    extension
}

/// Makes a tampered header honest again, as a faulty peer of ours would send it.
fn seal(wire: &mut [u8]) {
    let header_bytes = usize::from(wire[HEADER_WORDS]) * 4;
    let crc = crc32c_append(crc32c(&wire[..HEADER_CRC]), &wire[PREFIX_BYTES..header_bytes]);
    wire[HEADER_CRC..HEADER_CRC + 4].copy_from_slice(&crc.to_le_bytes());
}

fn put_u32(wire: &mut [u8], at: usize, value: u32) {
    wire[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn refusal(wire: &[u8]) -> FrameError {
    refusal_under(wire, &Limits::default())
}

fn refusal_under(wire: &[u8], limits: &Limits) -> FrameError {
    match decode(wire, limits) {
        Err(error) => error,
        Ok(decoded) => panic!("accepted as {decoded:?}"),
    }
}

#[test]
fn every_flipped_bit_of_a_header_is_refused_at_once() {
    let frames = [
        (data_frame(&[], b"payload"), DATA_HEADER_BYTES),
        (data_frame(&[], &[]), DATA_HEADER_BYTES),
        (data_frame(&one_entry(), b"payload"), DATA_HEADER_BYTES + one_entry().len()),
        (control_frame(b"message"), PREFIX_BYTES),
    ];
    for (wire, header_bytes) in frames {
        for bit in 0..header_bytes * 8 {
            let mut damaged = wire.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let result = decode(&damaged, &Limits::default());
            assert!(result.is_err(), "bit {bit} of {header_bytes} bytes gave {result:?}");
        }
    }
}

#[test]
fn a_damaged_header_is_refused_before_its_payload_arrives() {
    let mut wire = data_frame(&[], &[0; 5000]);
    wire[DATA_HEADER_BYTES - 1] ^= 1;
    assert_eq!(refusal(&wire[..DATA_HEADER_BYTES]), FrameError::HeaderCrc);
}

#[test]
fn every_flipped_bit_of_a_data_payload_spares_the_link() {
    let wire = data_frame(&[], b"sixteen bytes...");
    for bit in DATA_HEADER_BYTES * 8..wire.len() * 8 {
        let mut damaged = wire.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        match decode(&damaged, &Limits::default()) {
            Ok(Decoded::Frame { frame: Frame::Data { payload_ok, .. }, consumed }) => {
                assert!(!payload_ok, "bit {bit} went unnoticed");
                assert_eq!(consumed, wire.len());
            }
            other => panic!("bit {bit} gave {other:?}"),
        }
    }
}

#[test]
fn every_flipped_bit_of_a_control_payload_fails_the_link() {
    let wire = control_frame(b"credit");
    for bit in PREFIX_BYTES * 8..wire.len() * 8 {
        let mut damaged = wire.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(refusal(&damaged), FrameError::ControlCrc);
    }
}

#[test]
fn a_strangers_first_four_bytes_are_enough_to_refuse_it() {
    let frame_bytes = u32::from_le_bytes(*b"GET ") as usize;
    let expected = FrameError::FrameTooLarge { frame_bytes, frame_bytes_max: FRAME_BYTES_MAX };
    assert_eq!(refusal(b"GET "), expected);
    assert!(matches!(refusal(&[15, 0, 0, 0]), FrameError::FrameTooShort { .. }));
}

#[test]
fn a_frame_at_the_limit_is_awaited_and_one_byte_more_refused() {
    let wire = data_frame(&[], &[1; 100]);
    let header = &wire[..DATA_HEADER_BYTES];
    let fits = Limits { frame_bytes_max: wire.len(), ..Limits::default() };
    assert_eq!(decode(header, &fits), Ok(Decoded::Incomplete { need: wire.len() }));
    let short = Limits { frame_bytes_max: wire.len() - 1, ..Limits::default() };
    assert_eq!(refusal_under(&header[..4], &short).code(), "frame_too_large");
}

#[test]
fn a_control_frame_at_the_limit_is_taken_and_one_byte_more_refused_by_its_prefix() {
    let wire = control_frame(&vec![3; CONTROL_BYTES_MAX]);
    let whole = decode(&wire, &Limits::default());
    assert!(matches!(whole, Ok(Decoded::Frame { frame: Frame::Control { .. }, .. })));
    let mut longer = wire[..PREFIX_BYTES].to_vec();
    put_u32(&mut longer, FRAME_BYTES, (wire.len() + 1) as u32);
    seal(&mut longer);
    let expected = FrameError::ControlTooLarge {
        control_bytes: CONTROL_BYTES_MAX + 1,
        control_bytes_max: CONTROL_BYTES_MAX,
    };
    assert_eq!(refusal(&longer), expected);
}

#[test]
fn before_authentication_two_kibibytes_are_the_most() {
    let wire = control_frame(&[0; HANDSHAKE_BYTES_MAX]);
    assert!(decode(&wire, &Limits::HANDSHAKE).is_ok());
    let wire = control_frame(&[0; HANDSHAKE_BYTES_MAX + 1]);
    assert_eq!(refusal_under(&wire[..4], &Limits::HANDSHAKE).code(), "frame_too_large");
}

#[test]
fn an_unknown_ignorable_frame_is_skipped_whole() {
    let mut wire = data_frame(&[], b"of a later version");
    wire[KIND] = 0x83;
    put_u32(&mut wire, PAYLOAD_CRC, 0xdead_beef);
    seal(&mut wire);
    let frame_bytes = wire.len();
    wire.extend_from_slice(&control_frame(b"next"));
    let skipped = Frame::Skipped { kind: 0x83, frame_bytes };
    assert_eq!(
        decode(&wire, &Limits::default()),
        Ok(Decoded::Frame { frame: skipped, consumed: frame_bytes })
    );
}

#[test]
fn an_ignorable_frame_with_a_long_header_is_skipped_too() {
    let mut wire = vec![0; 1020 + 3];
    put_u32(&mut wire, FRAME_BYTES, 1020 + 3);
    wire[KIND] = 0xff;
    wire[HEADER_WORDS] = 255;
    seal(&mut wire);
    assert_eq!(
        decode(&wire[..PREFIX_BYTES], &Limits::default()),
        Ok(Decoded::Incomplete { need: 1020 })
    );
    let skipped = Frame::Skipped { kind: 0xff, frame_bytes: 1023 };
    assert_eq!(
        decode(&wire, &Limits::default()),
        Ok(Decoded::Frame { frame: skipped, consumed: 1023 })
    );
}

#[test]
fn an_ignorable_frame_longer_than_control_is_refused_before_it_is_awaited() {
    let mut wire = vec![0; PREFIX_BYTES];
    wire[KIND] = 0x83;
    wire[HEADER_WORDS] = (PREFIX_BYTES / 4) as u8;
    let longest = PREFIX_BYTES + CONTROL_BYTES_MAX;
    put_u32(&mut wire, FRAME_BYTES, longest as u32);
    seal(&mut wire);
    let need = Ok(Decoded::Incomplete { need: longest });
    assert_eq!(decode(&wire, &Limits::default()), need);
    put_u32(&mut wire, FRAME_BYTES, longest as u32 + 1);
    seal(&mut wire);
    assert_eq!(refusal_under(&wire, &Limits::default()).code(), "frame_too_large");
}

#[test]
fn every_unknown_mandatory_kind_is_refused() {
    for kind in (0..0x80).filter(|kind| ![1, 2].contains(kind)) {
        let mut wire = control_frame(b"of a later version");
        wire[KIND] = kind;
        seal(&mut wire);
        assert_eq!(refusal(&wire), FrameError::UnknownMandatory { kind });
    }
}

#[test]
fn each_reserved_flag_is_refused() {
    for bit in 12..16 {
        let mut wire = data_frame(&[], b"x");
        let flags = 1u16 << bit;
        wire[FLAGS..FLAGS + 2].copy_from_slice(&flags.to_le_bytes());
        seal(&mut wire);
        assert_eq!(refusal(&wire), FrameError::ReservedFlag { flags });
    }
}

#[test]
fn headers_of_impossible_length_are_refused() {
    let mut wire = data_frame(&[], b"x");
    wire[HEADER_WORDS] = 15;
    assert_eq!(refusal(&wire).code(), "header_too_short");
    let mut wire = control_frame(b"x");
    wire[HEADER_WORDS] = 3;
    assert_eq!(refusal(&wire).code(), "header_too_short");
    wire[HEADER_WORDS] = 5;
    put_u32(&mut wire, FRAME_BYTES, 20);
    assert_eq!(refusal(&wire), FrameError::HeaderTooLong { header_bytes: 20 });
    let mut wire = data_frame(&[], b"x");
    put_u32(&mut wire, FRAME_BYTES, DATA_HEADER_BYTES as u32 - 1);
    assert_eq!(refusal(&wire).code(), "frame_too_short");
}

#[test]
fn extension_areas_that_contradict_themselves_are_refused() {
    // An entry that states more bytes than the area has.
    let mut wire = data_frame(&one_entry(), b"x");
    wire[DATA_HEADER_BYTES + 2] = 200;
    seal(&mut wire);
    assert_eq!(refusal(&wire), FrameError::BadExtension);

    // A flag without an area, then an area without its flag.
    let mut wire = data_frame(&[], b"x");
    wire[FLAGS..FLAGS + 2].copy_from_slice(&Flags::EXTENDED.0.to_le_bytes());
    seal(&mut wire);
    assert_eq!(refusal(&wire), FrameError::BadExtension);
    let mut wire = data_frame(&one_entry(), b"x");
    wire[FLAGS..FLAGS + 2].copy_from_slice(&[0, 0]);
    seal(&mut wire);
    assert_eq!(refusal(&wire), FrameError::BadExtension);
}

#[test]
fn a_header_whose_two_lengths_differ_is_refused_before_the_rest_arrives() {
    let mut wire = data_frame(&[], &[0; 4000]);
    wire[HEADER_WORDS] = 16 + 200;
    assert_eq!(refusal(&wire[..DATA_HEADER_BYTES]), FrameError::BadExtension);
    seal(&mut wire);
    assert_eq!(refusal(&wire), FrameError::BadExtension);
}

#[test]
fn chunks_outside_their_message_are_refused_before_the_payload_arrives() {
    let payload = [0; 40];
    let tampered = |flags: Flags, message_bytes: u32, chunk_offset: u32| {
        let mut wire = data_frame(&[], &payload);
        wire[FLAGS..FLAGS + 2].copy_from_slice(&flags.0.to_le_bytes());
        put_u32(&mut wire, MESSAGE_BYTES, message_bytes);
        put_u32(&mut wire, CHUNK_OFFSET, chunk_offset);
        seal(&mut wire);
        refusal(&wire[..DATA_HEADER_BYTES]).code()
    };
    assert_eq!(tampered(Flags::CHUNK, 100, 61), "bad_chunk");
    assert_eq!(tampered(Flags::CHUNK, 100, u32::MAX), "bad_chunk");
    assert_eq!(tampered(Flags::default(), 41, 0), "bad_chunk");
    assert_eq!(tampered(Flags::default(), 41, 1), "bad_chunk");
}

#[test]
fn entries_of_unknown_kinds_are_passed_over_by_length() {
    let mut extension = Vec::new();
    extension_push(&mut extension, 250, &[0xee; 37]).expect("it fits");
    extension_push(&mut extension, 1, b"known").expect("it fits");
    let known = ExtensionIter::new(&extension).find(|entry| entry.kind == 1);
    assert_eq!(known.map(|entry| entry.bytes), Some(&b"known"[..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_give_a_frame_a_refusal_or_a_bounded_wait(
        mut wire in vec(any::<u8>(), 0..300),
        header_words in 4u8..40,
        kind in prop_oneof![Just(1u8), Just(2), Just(0x81), any::<u8>()],
        is_sealed in any::<bool>(),
    ) {
        if wire.len() >= PREFIX_BYTES {
            let frame_bytes = wire.len() as u32;
            put_u32(&mut wire, FRAME_BYTES, frame_bytes);
            wire[KIND] = kind;
            wire[HEADER_WORDS] = header_words;
            if is_sealed && usize::from(header_words) * 4 <= wire.len() {
                seal(&mut wire);
            }
        }
        match decode(&wire, &Limits::default()) {
            Ok(Decoded::Incomplete { need }) => {
                prop_assert!(need > wire.len() && need <= FRAME_BYTES_MAX);
            }
            Ok(Decoded::Frame { frame, consumed }) => {
                prop_assert!(consumed <= wire.len());
                if let Frame::Data { extension, .. } = frame {
                    let entry_bytes: usize = ExtensionIter::new(extension)
                        .map(|entry| 4 + entry.bytes.len().next_multiple_of(4))
                        .sum();
                    prop_assert_eq!(entry_bytes, extension.len());
                }
            }
            Err(error) => prop_assert!(!error.code().is_empty() && !error.to_string().is_empty()),
        }
    }
}
