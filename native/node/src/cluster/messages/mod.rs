//! Messages of machines on the wire and off it. Each family has a number, each of its messages a
//! kind; numbers are never used again for something else. What cannot be read is no message.

mod broadcast;
mod detector;
mod overlay;
mod roster;
mod routed;
mod switch;

use foundation_cluster::{ClusterMessage, LinkUse, OverlayNo};
use foundation_link::Machine;

use super::codec::{Reader, Writer};
use super::directory::Directory;
use super::parcel::{Body, Envelope, Parcel};

const ROSTER: u8 = 1;
const DETECTOR: u8 = 2;
const OVERLAY: u8 = 3;
const SWITCH: u8 = 4;
const BROADCAST: u8 = 10;
const ROUTED: u8 = 11;
const RETURNED: u8 = 12;
const LINK_USE: u8 = 13;

/// A message in the form in which links carry it, with the payload that it has.
pub(super) fn write(
    directory: &Directory,
    message: ClusterMessage<Parcel>,
) -> (Machine, Option<Parcel>) {
    let mut parcel = None;
    let machine = match message {
        ClusterMessage::Roster(message) => {
            let mut out = Writer::new(directory, ROSTER);
            roster::write(&message, &mut out);
            out.machine
        }
        ClusterMessage::Detector(message) => {
            let mut out = Writer::new(directory, DETECTOR);
            detector::write(&message, &mut out);
            out.machine
        }
        ClusterMessage::Switch { overlay, message } => {
            let mut out = Writer::new(directory, SWITCH);
            switch::write(&message, &mut out);
            Machine { overlay: overlay.0, ..out.machine }
        }
        ClusterMessage::Overlay { overlay, epoch, message } => {
            let mut out = Writer::new(directory, OVERLAY);
            overlay::write(&message, &mut out);
            Machine { overlay: overlay.0, epoch, ..out.machine }
        }
        ClusterMessage::Broadcast { overlay, message } => {
            let mut out = Writer::new(directory, BROADCAST);
            parcel = broadcast::write(message, &mut out);
            Machine { overlay: overlay.0, ..out.machine }
        }
        ClusterMessage::Routed(message) => {
            let (machine, payload) = routed::write(Writer::new(directory, ROUTED), message);
            parcel = payload;
            machine
        }
        ClusterMessage::RouteReturned(message) => {
            let (machine, payload) = routed::write(Writer::new(directory, RETURNED), message);
            parcel = payload;
            machine
        }
        ClusterMessage::LinkUse(said) => {
            let mut out = Writer::new(directory, LINK_USE);
            out.kind(match said {
                LinkUse::Unused => 0,
                LinkUse::Wanted => 1,
                LinkUse::Granted => 2,
            });
            out.machine
        }
    };
    (machine, parcel)
}

/// What came, with the payload beside it and the channel that this came on.
pub(super) fn read(
    directory: &mut Directory,
    machine: Machine,
    body: Option<(Body, u16)>,
) -> Option<ClusterMessage<Parcel>> {
    let Machine { family, kind, overlay, epoch, nodes, numbers, text } = machine;
    let overlay = OverlayNo(overlay);
    let mut reader = Reader::new(directory, nodes, numbers);
    Some(match family {
        ROSTER => ClusterMessage::Roster(roster::read(kind, &mut reader)?),
        DETECTOR => ClusterMessage::Detector(detector::read(kind, &mut reader)?),
        SWITCH => {
            let message = switch::read(kind, &mut reader)?;
            ClusterMessage::Switch { overlay, message: Box::new(message) }
        }
        OVERLAY => {
            let message = overlay::read(kind, &mut reader)?;
            ClusterMessage::Overlay { overlay, epoch, message }
        }
        BROADCAST => {
            let message = broadcast::read(kind, &mut reader, text, body)?;
            ClusterMessage::Broadcast { overlay, message }
        }
        ROUTED => ClusterMessage::Routed(routed::read(kind, overlay, &mut reader, text, body)?),
        RETURNED => {
            ClusterMessage::RouteReturned(routed::read(kind, overlay, &mut reader, text, body)?)
        }
        LINK_USE => ClusterMessage::LinkUse(match kind {
            0 => LinkUse::Unused,
            1 => LinkUse::Wanted,
            2 => LinkUse::Granted,
            _ => return None,
        }),
        _ => return None,
    })
}

/// Writes what a payload says of itself; its bytes travel beside.
fn write_envelope(envelope: &Envelope, out: &mut Writer<'_>) {
    for number in envelope.numbers() {
        out.number(number);
    }
    out.machine.text.clone_from(&envelope.name);
}

fn read_parcel(
    reader: &mut Reader<'_>,
    name: String,
    (body, channel): (Body, u16),
) -> Option<Parcel> {
    let numbers = [reader.number()?, reader.number()?, reader.number()?, reader.number()?];
    let envelope = std::sync::Arc::new(Envelope::read(name, numbers));
    Some(Parcel { envelope, channel, body })
}

#[cfg(test)]
pub(super) use tests::examples;

#[cfg(test)]
mod tests;
