//! What the application hears when one record replaces another.

use foundation_machine::PeerId;

use super::io::{RosterEvent, RosterOutput};
use super::record::{Claim, DownReason, MemberRecord, MemberStatus};
use super::table::Member;

/// A member before a change.
pub(crate) struct Before {
    peer: PeerId,
    status: MemberStatus,
    claim: Claim,
}

impl Before {
    pub(crate) fn of(member: &Member) -> Before {
        let claim = member.record.claim;
        Before { peer: member.record.peer, status: member.status(), claim }
    }
}

/// The events of a change, in the order that the application can rely on.
pub(crate) fn announce(
    before: Option<Before>,
    after: &Member,
    is_restart_silent: bool,
    out: &mut Vec<RosterOutput>,
) {
    let mut before = before.filter(|member| member.status.is_up());
    if let Some(earlier) = before.take_if(|member| member.peer != after.record.peer)
        && !is_restart_silent
    {
        let (peer, reason) = (earlier.peer, DownReason::Restarted);
        out.push(RosterOutput::Event(RosterEvent::MemberDown { peer, reason }));
    }
    let peer = after.record.peer;
    if let MemberStatus::Down(reason) = after.status() {
        if before.is_some() {
            out.push(RosterOutput::Event(RosterEvent::MemberDown { peer, reason }));
        }
        return;
    }
    let was_suspect = before.as_ref().is_some_and(|was| was.status == MemberStatus::Suspect);
    let claimed = before.as_ref().map_or(Claim::Alive, |was| was.claim);
    if before.is_none() {
        out.push(RosterOutput::Event(RosterEvent::MemberUp(peer)));
    }
    let is_suspect = after.status() == MemberStatus::Suspect;
    if was_suspect && !is_suspect {
        out.push(RosterOutput::Event(RosterEvent::MemberCleared(peer)));
    }
    announce_claim(claimed, &after.record, out);
    if is_suspect {
        let suspectors = after.record.suspectors.clone();
        out.push(RosterOutput::Event(RosterEvent::MemberSuspect { peer, suspectors }));
    }
}

fn announce_claim(claimed: Claim, record: &MemberRecord, out: &mut Vec<RosterOutput>) {
    if claimed == record.claim {
        return;
    }
    let peer = record.peer;
    if matches!(claimed, Claim::Busy(_)) && !matches!(record.claim, Claim::Busy(_)) {
        out.push(RosterOutput::Event(RosterEvent::MemberIdle(peer)));
    }
    match record.claim {
        Claim::Busy(isolates) => {
            out.push(RosterOutput::Event(RosterEvent::MemberBusy { peer, isolates }));
        }
        Claim::Leaving => out.push(RosterOutput::Event(RosterEvent::MemberLeaving(peer))),
        Claim::Alive => {}
    }
}
