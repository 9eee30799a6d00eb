//! Messages of a change of an overlay's strategy.

use foundation_membership::{
    Closed, Epoch, Proposal, READY_MAX, Strategy, SwitchFailure, SwitchMessage, Version,
};

use crate::cluster::codec::{Reader, Writer};

const STRATEGIES: [Strategy; 4] =
    [Strategy::FullMesh, Strategy::HyParView, Strategy::ClientServer, Strategy::Static];
const FAILURES: [SwitchFailure; 5] = [
    SwitchFailure::Changed,
    SwitchFailure::UnderWay,
    SwitchFailure::TimedOut,
    SwitchFailure::Refused,
    SwitchFailure::CoordinatorDown,
];

pub(super) fn write(message: &SwitchMessage<Strategy>, out: &mut Writer<'_>) {
    let SwitchMessage { current, proposal, closed, ready } = message;
    write_version(current, out.kind(1));
    out.number(u64::from(proposal.is_some()));
    if let Some(Proposal { version, base }) = proposal {
        write_version(version, out);
        write_epoch(base, out);
    }
    out.number(u64::from(closed.is_some()));
    if let Some(Closed { epoch, reason }) = closed {
        write_epoch(epoch, out);
        out.number(place(&FAILURES, *reason));
    }
    out.number(ready.len() as u64);
    for &peer in ready {
        out.named(peer);
    }
}

pub(super) fn read(kind: u8, from: &mut Reader<'_>) -> Option<SwitchMessage<Strategy>> {
    if kind != 1 {
        return None;
    }
    let current = read_version(from)?;
    let proposal = match from.flag()? {
        true => Some(Proposal { version: read_version(from)?, base: read_epoch(from)? }),
        false => None,
    };
    let closed = match from.flag()? {
        true => {
            let epoch = read_epoch(from)?;
            Some(Closed { epoch, reason: *FAILURES.get(from.narrow::<usize>()?)? })
        }
        false => None,
    };
    Some(SwitchMessage { current, proposal, closed, ready: from.nodes(READY_MAX)? })
}

/// The number of a value is its place in its list, which is only ever added to.
fn place<T: PartialEq>(list: &[T], value: T) -> u64 {
    list.iter().position(|one| *one == value).unwrap_or_default() as u64
}

fn write_version(version: &Version<Strategy>, out: &mut Writer<'_>) {
    write_epoch(&version.epoch, out);
    out.number(place(&STRATEGIES, version.strategy));
}

fn read_version(from: &mut Reader<'_>) -> Option<Version<Strategy>> {
    let epoch = read_epoch(from)?;
    Some(Version { epoch, strategy: *STRATEGIES.get(from.narrow::<usize>()?)? })
}

fn write_epoch(epoch: &Epoch, out: &mut Writer<'_>) {
    out.number(u64::from(epoch.number) | u64::from(epoch.coordinator.is_some()) << 32);
    if let Some(coordinator) = epoch.coordinator {
        out.named(coordinator);
    }
}

fn read_epoch(from: &mut Reader<'_>) -> Option<Epoch> {
    let marks = from.number()?;
    let coordinator = if marks >> 32 == 0 { None } else { Some(from.node()?) };
    Some(Epoch { number: marks as u32, coordinator })
}
