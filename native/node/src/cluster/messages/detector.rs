//! Messages of detectors.

use foundation_detector::{Coordinate, DIMENSIONS, DetectorMessage as Said};

use crate::cluster::codec::{Reader, Writer};

pub(super) fn write(message: &Said, out: &mut Writer<'_>) {
    match message {
        Said::Ping { sequence, coordinate, busy } => {
            out.kind(1).number(*sequence).number(*busy);
            write_coordinate(coordinate, out);
        }
        Said::Ack { sequence, coordinate, busy } => {
            out.kind(2).number(*sequence).number(*busy);
            write_coordinate(coordinate, out);
        }
        Said::PingRequest { sequence, target } => {
            out.kind(3).number(*sequence).node(*target);
        }
        Said::IndirectAck { sequence } => {
            out.kind(4).number(*sequence);
        }
        Said::Nack { sequence } => {
            out.kind(5).number(*sequence);
        }
    }
}

pub(super) fn read(kind: u8, from: &mut Reader<'_>) -> Option<Said> {
    let sequence = from.narrow()?;
    Some(match kind {
        1 => Said::Ping { sequence, busy: from.narrow()?, coordinate: read_coordinate(from)? },
        2 => Said::Ack { sequence, busy: from.narrow()?, coordinate: read_coordinate(from)? },
        3 => Said::PingRequest { sequence, target: from.node()? },
        4 => Said::IndirectAck { sequence },
        5 => Said::Nack { sequence },
        _ => return None,
    })
}

fn write_coordinate(coordinate: &Coordinate, out: &mut Writer<'_>) {
    for axis in coordinate.position {
        out.number(axis as u32);
    }
    out.number(u64::from(coordinate.height) | u64::from(coordinate.error) << 32);
}

fn read_coordinate(from: &mut Reader<'_>) -> Option<Coordinate> {
    let mut position = [0; DIMENSIONS];
    for axis in &mut position {
        *axis = from.narrow::<u32>()? as i32;
    }
    let rest = from.number()?;
    Some(Coordinate { position, height: rest as u32, error: (rest >> 32) as u16 })
}
