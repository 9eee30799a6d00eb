//! What is written is what is read, however the bytes arrive.

use foundation_frame::{
    CONTROL_BYTES_MAX, DataHeader, Decoded, EXTENSION_BYTES_MAX, Encoding, ExtensionIter, Flags,
    Frame, Limits, PAYLOAD_BYTES_MAX, TooLarge, crc32c, decode, encode_control, extension_push,
};
use proptest::collection::vec;
use proptest::prelude::*;

prop_compose! {
    fn any_flags()(bits in 0u16..0x0800) -> Flags {
        Flags(bits).without(Flags::CHUNK)
    }
}

prop_compose! {
    fn any_header()(
        flags in any_flags(),
        (channel, lane, hops, hop_limit, account) in any::<(u16, u8, u8, u8, u16)>(),
        (link_epoch, sequence, correlation, reply_bytes_max) in any::<(u32, u32, u32, u32)>(),
        (source_slot, source_generation, source_serial) in any::<(u16, u16, u32)>(),
        (destination_slot, destination_generation, destination_serial) in any::<(u16, u16, u32)>(),
    ) -> DataHeader {
        DataHeader {
            flags, channel, lane, hops, hop_limit, account, link_epoch, sequence, source_slot,
            source_generation, source_serial, destination_slot, destination_generation,
            destination_serial, correlation, message_bytes: 0, chunk_offset: 0, reply_bytes_max,
        }
    }
}

fn any_entries() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    vec((any::<u8>(), vec(any::<u8>(), 0..40)), 0..6)
}

fn extension_of(entries: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut extension = Vec::new();
    for (kind, bytes) in entries {
        extension_push(&mut extension, *kind, bytes).expect("six short entries fit");
    }
    extension
}

fn decode_whole(wire: &[u8]) -> Frame<'_> {
    match decode(wire, &Limits::default()) {
        Ok(Decoded::Frame { frame, consumed }) if consumed == wire.len() => frame,
        other => panic!("expected one whole frame, got {other:?}"),
    }
}

proptest! {
    #[test]
    fn a_data_frame_comes_back_as_it_was_written(
        header in any_header(),
        entries in any_entries(),
        payload in vec(any::<u8>(), 0..2000),
        next_frame in vec(any::<u8>(), 0..80),
    ) {
        let mut wire = Vec::new();
        header.write_frame(&extension_of(&entries), &payload, &mut wire).expect("it fits");
        let frame_bytes = wire.len();
        wire.extend_from_slice(&next_frame);

        let Ok(Decoded::Frame { frame, consumed }) = decode(&wire, &Limits::default()) else {
            panic!("a whole frame is there");
        };
        prop_assert_eq!(consumed, frame_bytes);
        let Frame::Data { header: read, extension, payload: received, payload_ok } = frame else {
            panic!("it is a data frame");
        };
        let mut expected = DataHeader { message_bytes: payload.len() as u32, ..header };
        if !entries.is_empty() {
            expected.flags = expected.flags.with(Flags::EXTENDED);
        }
        prop_assert_eq!(read, expected);
        prop_assert_eq!(received, &payload[..]);
        prop_assert!(payload_ok);
        let read_entries: Vec<_> =
            ExtensionIter::new(extension).map(|entry| (entry.kind, entry.bytes.to_vec())).collect();
        prop_assert_eq!(read_entries, entries);
    }

    #[test]
    fn chunks_keep_their_place_in_the_message(
        header in any_header(),
        chunk_offset in 0u32..=u32::MAX - 64,
        payload in vec(any::<u8>(), 0..32),
        following_bytes in 0u32..32,
    ) {
        let message_bytes = chunk_offset + payload.len() as u32 + following_bytes;
        let flags = header.flags.with(Flags::CHUNK);
        let header = DataHeader { flags, message_bytes, chunk_offset, ..header };
        let mut wire = Vec::new();
        header.write_frame(&[], &payload, &mut wire).expect("it fits");
        let expected =
            Frame::Data { header, extension: &[], payload: &payload, payload_ok: true };
        prop_assert_eq!(decode_whole(&wire), expected);
    }

    #[test]
    fn a_control_frame_comes_back_as_it_was_written(payload in vec(any::<u8>(), 0..3000)) {
        let mut wire = Vec::new();
        encode_control(&payload, 0, &mut wire).expect("it fits");
        prop_assert_eq!(decode_whole(&wire), Frame::Control { payload: &payload });
    }

    #[test]
    fn a_stream_cut_into_pieces_yields_the_same_frames(
        payloads in vec(vec(any::<u8>(), 0..200), 1..8),
        piece_bytes in 1usize..97,
    ) {
        let mut wire = Vec::new();
        for (index, payload) in payloads.iter().enumerate() {
            if index % 2 == 0 {
                let header = DataHeader { sequence: index as u32, ..DataHeader::default() };
                header.write_frame(&[], payload, &mut wire).expect("it fits");
            } else {
                encode_control(payload, 0, &mut wire).expect("it fits");
            }
        }
        let mut buffered = Vec::new();
        let mut received = Vec::new();
        for piece in wire.chunks(piece_bytes) {
            buffered.extend_from_slice(piece);
            while let Decoded::Frame { frame, consumed } =
                decode(&buffered, &Limits::default()).expect("the stream is undamaged")
            {
                match frame {
                    Frame::Data { payload, payload_ok: true, .. } | Frame::Control { payload } => {
                        received.push(payload.to_vec());
                    }
                    other => panic!("not written: {other:?}"),
                }
                buffered.drain(..consumed);
            }
        }
        prop_assert_eq!(received, payloads);
        prop_assert!(buffered.is_empty());
    }
}

/// One frame of each shape, small enough to try every cut.
fn samples() -> Vec<Vec<u8>> {
    let mut plain = Vec::new();
    DataHeader::default().write_frame(&[], b"twelve bytes", &mut plain).expect("it fits");
    let mut extension = Vec::new();
    extension_push(&mut extension, 9, b"trace").expect("it fits");
    let mut extended = Vec::new();
    DataHeader::default().write_frame(&extension, b"payload", &mut extended).expect("it fits");
    let mut empty = Vec::new();
    DataHeader::default().write_frame(&[], &[], &mut empty).expect("it fits");
    let mut control = Vec::new();
    encode_control(b"control message", 0, &mut control).expect("it fits");
    vec![plain, extended, empty, control]
}

#[test]
fn a_frame_cut_at_every_byte_asks_for_more_and_never_for_too_much() {
    for wire in samples() {
        for cut in 0..wire.len() {
            match decode(&wire[..cut], &Limits::default()) {
                Ok(Decoded::Incomplete { need }) => {
                    assert!(need > cut, "{cut} bytes are there and {need} are asked for");
                    assert!(need <= wire.len(), "the frame ends at {}, not {need}", wire.len());
                }
                other => panic!("{cut} of {} bytes gave {other:?}", wire.len()),
            }
        }
    }
}

#[test]
fn a_reader_that_waits_for_what_is_asked_gets_through_in_four_steps() {
    for wire in samples() {
        let mut have = 0;
        let mut steps = 0;
        while let Ok(Decoded::Incomplete { need }) = decode(&wire[..have], &Limits::default()) {
            have = need;
            steps += 1;
        }
        assert!(steps <= 4, "prefix, fixed fields, extension, payload; took {steps}");
        decode_whole(&wire[..have]);
    }
}

#[test]
fn a_header_written_apart_equals_the_one_of_a_whole_frame() {
    let header = DataHeader { channel: 5, correlation: 77, ..DataHeader::default() };
    let payload = b"written by another hand";
    let mut whole = Vec::new();
    header.write_frame(&[], payload, &mut whole).expect("it fits");
    let mut apart = Vec::new();
    header.encode_header(&[], payload.len(), crc32c(payload), &mut apart).expect("it fits");
    apart.extend_from_slice(payload);
    assert_eq!(apart, whole);
}

#[test]
fn what_cannot_be_carried_is_refused_and_leaves_the_output_alone() {
    let mut out = vec![7];
    let refused = TooLarge { bytes: CONTROL_BYTES_MAX + 1, bytes_max: CONTROL_BYTES_MAX };
    assert_eq!(encode_control(&vec![0; CONTROL_BYTES_MAX + 1], 0, &mut out), Err(refused));

    let header = DataHeader::default();
    let refused = TooLarge { bytes: PAYLOAD_BYTES_MAX + 1, bytes_max: PAYLOAD_BYTES_MAX };
    assert_eq!(header.encode_header(&[], PAYLOAD_BYTES_MAX + 1, 0, &mut out), Err(refused));

    let refused = TooLarge { bytes: EXTENSION_BYTES_MAX + 1, bytes_max: EXTENSION_BYTES_MAX };
    let extension = vec![0; EXTENSION_BYTES_MAX + 1];
    assert_eq!(header.write_frame(&extension, &[], &mut out), Err(refused));
    assert_eq!(out, [7]);
}

#[test]
fn the_longest_extension_area_fits_and_one_more_entry_does_not() {
    let mut extension = Vec::new();
    extension_push(&mut extension, 1, &[0; EXTENSION_BYTES_MAX - 4]).expect("exactly full");
    let full = extension.clone();
    let refused = TooLarge { bytes: EXTENSION_BYTES_MAX + 4, bytes_max: EXTENSION_BYTES_MAX };
    assert_eq!(extension_push(&mut extension, 2, &[]), Err(refused));
    assert_eq!(extension, full);
    let mut wire = Vec::new();
    DataHeader::default().write_frame(&extension, b"x", &mut wire).expect("it fits");
    let Frame::Data { extension: read, .. } = decode_whole(&wire) else { panic!("a data frame") };
    assert_eq!(read, full);
}

#[test]
fn flags_keep_encoding_and_class_apart() {
    let flags = Flags::REQUEST
        .with_encoding(Encoding::Error)
        .with_delivery_class(5)
        .with_encoding(Encoding::Packed);
    assert_eq!(flags.encoding(), Ok(Encoding::Packed));
    assert_eq!(flags.delivery_class(), 5);
    assert!(flags.contains(Flags::REQUEST) && !flags.intersects(Flags::RESERVED));
    assert_eq!(Flags(7).encoding(), Err(7), "the one number that no version has used yet");
}
