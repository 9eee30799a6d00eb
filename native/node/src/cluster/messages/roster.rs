//! Messages of rosters.

use foundation_machine::PeerId;
use foundation_membership::{
    BUCKETS_MAX, Claim, DownReason, Mark, MemberRecord, RECORDS_MAX, RosterMessage as Said,
    SUSPECTORS_MAX,
};

use crate::cluster::codec::{Reader, Writer};

pub(super) fn write(message: &Said, out: &mut Writer<'_>) {
    match message {
        Said::News { records } => write_records(records, true, out.kind(1)),
        Said::Digest { members, hash } => {
            out.kind(2).number(*members).number(*hash);
        }
        Said::Same => {
            out.kind(3);
        }
        Said::Buckets { hashes } => {
            out.kind(4).numbers(hashes);
        }
        Said::Sync { buckets, of, hashes } => {
            out.kind(7).number(*buckets).numbers(of).numbers(hashes);
        }
        Said::Missing { records, wanted, more } => {
            out.kind(8).number(u64::from(*more)).numbers(wanted);
            write_records(records, false, out);
        }
        Said::Found { records } => write_records(records, false, out.kind(9)),
    }
}

pub(super) fn read(kind: u8, from: &mut Reader<'_>) -> Option<Said> {
    Some(match kind {
        1 => Said::News { records: read_records(from)? },
        2 => Said::Digest { members: from.narrow()?, hash: from.number()? },
        3 => Said::Same,
        4 => Said::Buckets { hashes: from.list(BUCKETS_MAX, Reader::number)? },
        // 5 and 6 were exchanges of whole buckets.
        7 => Said::Sync {
            buckets: from.narrow()?,
            of: from.list(BUCKETS_MAX, Reader::narrow)?,
            hashes: from.list(RECORDS_MAX, Reader::number)?,
        },
        8 => Said::Missing {
            more: from.flag()?,
            wanted: from.list(RECORDS_MAX, Reader::number)?,
            records: read_records(from)?,
        },
        9 => Said::Found { records: read_records(from)? },
        _ => return None,
    })
}

/// In news, a member that is suspected or found failed is only referred to: where it is not known,
/// nobody needs to hear of that. An exchange tells of every member.
fn write_records(records: &[MemberRecord], is_news: bool, out: &mut Writer<'_>) {
    out.number(records.len() as u64);
    for record in records {
        let (claim, isolates) = match record.claim {
            Claim::Alive => (0, 0),
            Claim::Busy(isolates) => (1, isolates),
            Claim::Leaving => (2, 0),
        };
        let is_doubted = matches!(record.mark, Mark::Suspect | Mark::Failed);
        let is_referred = is_news && is_doubted && out.is_latest(record.peer);
        let known = record.suspectors.iter().filter(|peer| out.is_latest(**peer));
        let suspectors: Vec<PeerId> = known.copied().collect();
        let mark = match record.mark {
            Mark::Clear => 0,
            Mark::Suspect => 1,
            Mark::Failed => 2,
            Mark::Removed(reason) => 8 + reason_number(reason),
        };
        // Term, claim, mark and the isolates in one number: most members are alive and well.
        let marks = u64::from(record.term)
            | claim << 16
            | mark << 24
            | u64::from(isolates) << 32
            | (suspectors.len() as u64) << 48
            | u64::from(is_referred) << 63;
        out.number(marks).number(record.incarnation);
        if is_referred {
            out.reference(record.peer);
        } else {
            out.node(record.peer);
        }
        for suspector in suspectors {
            out.reference(suspector);
        }
    }
}

/// Records, without those of members that are not known here and only referred to.
fn read_records(from: &mut Reader<'_>) -> Option<Vec<MemberRecord>> {
    let records = from.list(RECORDS_MAX, read_record)?;
    Some(records.into_iter().flatten().collect())
}

fn read_record(from: &mut Reader<'_>) -> Option<Option<MemberRecord>> {
    let marks = from.number()?;
    let incarnation = from.narrow()?;
    let peer = if marks >> 63 == 0 { Some(from.node()?) } else { from.referred()? };
    let claim = match (marks >> 16) & 0xff {
        0 => Claim::Alive,
        1 => Claim::Busy((marks >> 32) as u16),
        2 => Claim::Leaving,
        _ => return None,
    };
    let mark = match (marks >> 24) & 0xff {
        0 => Mark::Clear,
        1 => Mark::Suspect,
        2 => Mark::Failed,
        removed => Mark::Removed(reason_of(removed.checked_sub(8)?)?),
    };
    let count = (marks >> 48) as usize & 0x7fff;
    if count > SUSPECTORS_MAX {
        return None;
    }
    let mut suspectors = Vec::new();
    for _ in 0..count {
        suspectors.extend(from.referred()?);
    }
    let term = marks as u16;
    let record = |peer| MemberRecord { peer, term, incarnation, claim, mark, suspectors };
    Some(peer.map(record))
}

fn reason_number(reason: DownReason) -> u64 {
    match reason {
        DownReason::Failed => 0,
        DownReason::Left => 1,
        DownReason::Evicted => 2,
        DownReason::Restarted => 3,
        DownReason::Expired => 4,
    }
}

fn reason_of(number: u64) -> Option<DownReason> {
    Some(match number {
        0 => DownReason::Failed,
        1 => DownReason::Left,
        2 => DownReason::Evicted,
        3 => DownReason::Restarted,
        4 => DownReason::Expired,
        _ => return None,
    })
}
