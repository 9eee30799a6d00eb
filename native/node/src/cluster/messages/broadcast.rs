//! Messages of broadcast trees.

use foundation_broadcast::{
    ANNOUNCEMENTS_MAX, Announcement, BroadcastId, MARK_RANGES_MAX, MARKS_MAX, Mark,
    PlumtreeMessage as Said,
};

use crate::cluster::codec::{Reader, Writer};
use crate::cluster::parcel::{Body, Parcel};

/// Answers the payload, for messages that have one.
pub(super) fn write(message: Said<Parcel>, out: &mut Writer<'_>) -> Option<Parcel> {
    match message {
        Said::Gossip { id, round, payload } => {
            write_id(id, out.kind(1));
            out.number(round);
            super::write_envelope(&payload.envelope, out);
            return Some(payload);
        }
        Said::IHave(list) => write_announcements(&list, out.kind(2)),
        Said::Graft(None) => {
            out.kind(3);
        }
        Said::Graft(Some(id)) => write_id(id, out.kind(4)),
        Said::Prune => {
            out.kind(5);
        }
        Said::Stale(id) => write_id(id, out.kind(6)),
        Said::Summary { age, marks, is_complete, wants_reply } => {
            out.kind(7).time(age).number(u64::from(is_complete) | u64::from(wants_reply) << 1);
            out.number(marks.len() as u64);
            for Mark { origin, low, ranges, upto } in marks {
                out.named(origin).number(low).number(upto).number(ranges.len() as u64);
                for (first, last) in ranges {
                    out.number(first).number(last);
                }
            }
        }
        Said::Offer(list) => write_announcements(&list, out.kind(8)),
    }
    None
}

pub(super) fn read(
    kind: u8,
    from: &mut Reader<'_>,
    topic: String,
    body: Option<(Body, u16)>,
) -> Option<Said<Parcel>> {
    Some(match kind {
        1 => Said::Gossip {
            id: read_id(from)?,
            round: from.narrow()?,
            payload: super::read_parcel(from, topic, body?)?,
        },
        2 => Said::IHave(read_announcements(from)?),
        3 => Said::Graft(None),
        4 => Said::Graft(Some(read_id(from)?)),
        5 => Said::Prune,
        6 => Said::Stale(read_id(from)?),
        7 => {
            let age = from.time()?;
            let flags = from.number()?;
            let marks = from.list(MARKS_MAX, |from| {
                let (origin, low, upto) = (from.node()?, from.number()?, from.number()?);
                let ranges =
                    from.list(MARK_RANGES_MAX, |from| Some((from.number()?, from.number()?)))?;
                Some(Mark { origin, low, ranges, upto })
            })?;
            let (is_complete, wants_reply) = (flags & 1 != 0, flags & 2 != 0);
            Said::Summary { age, marks, is_complete, wants_reply }
        }
        8 => Said::Offer(read_announcements(from)?),
        _ => return None,
    })
}

fn write_id(id: BroadcastId, out: &mut Writer<'_>) {
    out.named(id.origin).number(id.sequence);
}

fn read_id(from: &mut Reader<'_>) -> Option<BroadcastId> {
    Some(BroadcastId { origin: from.node()?, sequence: from.number()? })
}

fn write_announcements(list: &[Announcement], out: &mut Writer<'_>) {
    out.number(list.len() as u64);
    for announcement in list {
        write_id(announcement.id, out);
        out.number(announcement.round);
    }
}

fn read_announcements(from: &mut Reader<'_>) -> Option<Vec<Announcement>> {
    from.list(ANNOUNCEMENTS_MAX, |from| {
        Some(Announcement { id: read_id(from)?, round: from.narrow()? })
    })
}
