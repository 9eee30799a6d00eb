//! What the peer says: frames with the checksums that belong to them.

use foundation_frame::{
    DataHeader, Flags, PAYLOAD_BYTES_MAX, crc32c, encode_control, extension_push, layout,
};
use foundation_fuzz::Script;
use foundation_schema::{
    Bind, Bound, Control, CreditEntry, Credits, LaneWanted, Leave, Member, Members, NodeLife, Ping,
    Pong, Ready, Reserve, Status, Undelivered,
};

use crate::host::EPOCH;

/// A data frame, mostly one that the link might take. Its payload may be damaged or cut short.
pub(crate) fn data(script: &mut Script<'_>) -> Vec<u8> {
    let marks = script.byte();
    let kind = script.byte();
    let slot = u16::from(script.byte() & 3);
    let flags = Flags(u16::from(marks) | u16::from(kind & 7) << 8);
    let length = length(script);
    let offset = if flags.contains(Flags::CHUNK) { u32::from(script.byte()) * 64 } else { 0 };
    let more = if flags.contains(Flags::CHUNK) { u32::from(script.short()) } else { 0 };
    let header = DataHeader {
        flags,
        channel: u16::from(kind >> 3 & 3),
        hop_limit: 1,
        account: account(script, slot, flags),
        link_epoch: if kind >> 5 == 7 { EPOCH + 1 } else { EPOCH },
        sequence: u32::from(script.byte() & 7),
        source_slot: u16::from(script.byte()),
        source_generation: 1,
        destination_slot: slot,
        destination_generation: 1,
        destination_serial: u32::from(slot),
        correlation: u32::from(script.byte()),
        message_bytes: offset + length as u32 + more,
        chunk_offset: offset,
        reply_bytes_max: u32::from(script.short()),
        ..DataHeader::default()
    };
    let mut frame = Vec::new();
    let mut extension = Vec::new();
    if marks & kind & 0x40 != 0 {
        let _ = extension_push(&mut extension, 1, script.run());
    }
    let form = script.byte();
    // A claim whose bytes never come, or come as other frames.
    if form >= 0xf0 {
        let claimed = (usize::from(script.short()) << 8).min(PAYLOAD_BYTES_MAX);
        let message_bytes = header.message_bytes.max(offset + claimed as u32);
        let header = DataHeader { message_bytes, ..header };
        let _ = header.encode_header(&extension, claimed, script.word(), &mut frame);
        return frame;
    }
    let payload = vec![marks; length];
    let crc = crc32c(&payload) ^ u32::from(form == 1);
    let _ = header.encode_header(&extension, length, crc, &mut frame);
    frame.extend_from_slice(&payload);
    frame
}

/// Most lengths are small; the others stand at the borders of windows and landings.
fn length(script: &mut Script<'_>) -> usize {
    let low = usize::from(script.byte());
    match script.byte() {
        0..=199 => low,
        200..=219 => 4096 - 64 - 128 + low,
        220..=239 => (16 << 10) - 128 + low,
        240..=250 => 4096 + low * 16,
        _ => (64 << 10) - 128 + low,
    }
}

fn account(script: &mut Script<'_>, slot: u16, flags: Flags) -> u16 {
    let owner = if flags.contains(Flags::NAMED) { 0x2000 | slot } else { slot };
    match script.byte() {
        0..=159 => owner,
        160..=219 => 0x4000 | owner,
        220..=239 => 0x8000 | owner,
        _ => script.short(),
    }
}

/// A control frame: any message with small numbers in it, or any payload at all.
pub(crate) fn control(script: &mut Script<'_>) -> Vec<u8> {
    let message = match script.byte() % 16 {
        0 | 1 => Control::Bind(Bind { id: number(script), name: name(script) }),
        2 => Control::Bound(Bound { id: number(script), account: script.short() }),
        3 | 4 => {
            let count = script.byte() & 7;
            Control::Credits(Credits { entries: (0..count).map(|_| credit(script)).collect() })
        }
        5..=7 => {
            let CreditEntry { channel, account, limit } = credit(script);
            Control::Reserve(Reserve { channel, account, bytes: limit })
        }
        8 => Control::Ping(Ping {
            sequence: script.word(),
            busy_isolates: script.short(),
            alarm: script.byte() & 1 == 1,
        }),
        9 => Control::Pong(Pong { sequence: number(script), busy_isolates: script.short() }),
        10 => Control::Status(Status { busy_isolates: script.short() }),
        11 => {
            let life = NodeLife { start: 1, random: u64::from(script.byte()) };
            let member = Member { name: name(script), address: name(script), life };
            Control::Members(Members { members: vec![member] })
        }
        12 => Control::LaneWanted(LaneWanted { lane: script.byte() }),
        13 => Control::Undelivered(Undelivered {
            reason: script.byte(),
            channel: script.short(),
            source_slot: u16::from(script.byte() & 3),
            correlation: number(script),
        }),
        14 => match script.byte() & 3 {
            0 => Control::Leave(Leave { reason: name(script) }),
            1 => Control::Ready(Ready),
            _ => Control::Status(Status { busy_isolates: 0 }),
        },
        _ => return framed(script.run()),
    };
    message.encode().map(|payload| framed(&payload)).unwrap_or_default()
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let _ = encode_control(payload, 0, &mut frame);
    frame
}

fn number(script: &mut Script<'_>) -> u32 {
    match script.byte() {
        255 => script.word(),
        small => u32::from(small & 15),
    }
}

fn name(script: &mut Script<'_>) -> String {
    String::from_utf8_lossy(script.bytes(3)).into_owned()
}

fn credit(script: &mut Script<'_>) -> CreditEntry {
    let slot = u16::from(script.byte() & 3);
    let flags = if script.bit() { Flags::NAMED } else { Flags::default() };
    let account = account(script, slot, flags);
    let limit = match script.byte() {
        255 => u64::from(script.word()) << 32 | u64::from(script.word()),
        high => u64::from(high) << 10 | u64::from(script.byte()),
    };
    CreditEntry { channel: u16::from(script.byte() & 3), account, limit }
}

/// A frame of a kind that this version does not know, whole or merely announced.
pub(crate) fn unknown(script: &mut Script<'_>) -> Vec<u8> {
    let mut frame = framed(script.run());
    frame[layout::KIND] = 0x80 | script.byte();
    if script.byte() >= 0xe0 {
        let claimed = (u32::from(script.short()) << 8).max(16);
        frame[layout::FRAME_BYTES..layout::FRAME_BYTES + 4].copy_from_slice(&claimed.to_le_bytes());
    }
    foundation_fuzz::repair(&mut frame);
    frame
}
