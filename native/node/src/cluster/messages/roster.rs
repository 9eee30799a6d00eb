//! Messages of rosters.

use foundation_membership::{
    BUCKETS_MAX, Claim, DownReason, Mark, MemberRecord, RECORDS_MAX, RosterMessage as Said,
    SUSPECTORS_MAX,
};

use crate::cluster::codec::{Reader, Writer};

pub(super) fn write(message: &Said, out: &mut Writer<'_>) {
    match message {
        Said::News { records } => write_records(records, out.kind(1)),
        Said::Digest { members, hash } => {
            out.kind(2).number(*members).number(*hash);
        }
        Said::Same => {
            out.kind(3);
        }
        Said::Buckets { hashes } => {
            out.kind(4).number(hashes.len() as u64);
            for &hash in hashes {
                out.number(hash);
            }
        }
        Said::Sync { buckets, of, records } => {
            out.kind(5).number(*buckets).number(of.len() as u64);
            for &bucket in of {
                out.number(bucket);
            }
            write_records(records, out);
        }
        Said::Missing { records, more } => {
            out.kind(6).number(u64::from(*more));
            write_records(records, out);
        }
    }
}

pub(super) fn read(kind: u8, from: &mut Reader<'_>) -> Option<Said> {
    Some(match kind {
        1 => Said::News { records: read_records(from)? },
        2 => Said::Digest { members: from.narrow()?, hash: from.number()? },
        3 => Said::Same,
        4 => Said::Buckets { hashes: from.list(BUCKETS_MAX, Reader::number)? },
        5 => Said::Sync {
            buckets: from.narrow()?,
            of: from.list(BUCKETS_MAX, Reader::narrow)?,
            records: read_records(from)?,
        },
        6 => Said::Missing { more: from.flag()?, records: read_records(from)? },
        _ => return None,
    })
}

fn write_records(records: &[MemberRecord], out: &mut Writer<'_>) {
    out.number(records.len() as u64);
    for record in records {
        let (claim, isolates) = match record.claim {
            Claim::Alive => (0, 0),
            Claim::Busy(isolates) => (1, isolates),
            Claim::Leaving => (2, 0),
        };
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
            | (record.suspectors.len() as u64) << 48;
        out.node(record.peer).number(marks).number(record.incarnation);
        for &suspector in &record.suspectors {
            out.named(suspector);
        }
    }
}

fn read_records(from: &mut Reader<'_>) -> Option<Vec<MemberRecord>> {
    from.list(RECORDS_MAX, |from| {
        let peer = from.node()?;
        let marks = from.number()?;
        let incarnation = from.narrow()?;
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
        let count = (marks >> 48) as usize;
        if count > SUSPECTORS_MAX {
            return None;
        }
        let suspectors = (0..count).map(|_| from.node()).collect::<Option<Vec<_>>>()?;
        Some(MemberRecord { peer, term: marks as u16, incarnation, claim, mark, suspectors })
    })
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
