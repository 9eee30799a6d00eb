//! Messages that go over other nodes: the application's, or the detector's (kinds from 80 on).
//! Relays refer to nodes where a detector asks, which asks another way if one does not know them.

use foundation_cluster::{Carried, OverlayNo, Routed, VISITED_MAX};
use foundation_link::Machine;

use crate::cluster::codec::{Reader, Writer};
use crate::cluster::parcel::{Body, Parcel};

const PAYLOAD: u8 = 1;
const DETECTOR_FROM: u8 = 80;

pub(super) fn write(
    mut out: Writer<'_>,
    message: Routed<Carried<Parcel>>,
) -> (Machine, Option<Parcel>) {
    let Routed { origin, sequence, after, destination, overlay, .. } = message;
    let Routed { path, dead_ends, hops_left, payload, .. } = message;
    out.number(sequence).number(after).number(hops_left);
    if matches!(payload, Carried::Detector(_)) {
        out.reference(origin).reference(destination).references(&path).references(&dead_ends);
    } else {
        out.node(origin).node(destination);
        for list in [path, dead_ends] {
            out.number(list.len() as u64);
            for peer in list {
                out.named(peer);
            }
        }
    }
    let parcel = match payload {
        Carried::Payload(parcel) => {
            super::write_envelope(&parcel.envelope, out.kind(PAYLOAD));
            Some(parcel)
        }
        Carried::Detector(message) => {
            super::detector::write(&message, &mut out);
            out.machine.kind += DETECTOR_FROM;
            None
        }
    };
    (Machine { overlay: overlay.0, ..out.machine }, parcel)
}

pub(super) fn read(
    kind: u8,
    overlay: OverlayNo,
    from: &mut Reader<'_>,
    name: String,
    body: Option<(Body, u16)>,
) -> Option<Routed<Carried<Parcel>>> {
    let (sequence, after, hops_left) = (from.number()?, from.number()?, from.narrow()?);
    let is_named = kind < DETECTOR_FROM;
    let read = if is_named { Reader::node } else { Reader::reference };
    Some(Routed {
        sequence,
        after,
        hops_left,
        overlay,
        origin: read(from)?,
        destination: read(from)?,
        path: from.list(VISITED_MAX, read)?,
        dead_ends: from.list(VISITED_MAX, read)?,
        payload: match kind {
            PAYLOAD => Carried::Payload(super::read_parcel(from, name, body?)?),
            DETECTOR_FROM.. => {
                Carried::Detector(super::detector::read(kind - DETECTOR_FROM, from)?)
            }
            _ => return None,
        },
    })
}
