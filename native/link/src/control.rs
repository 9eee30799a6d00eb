//! What arriving control messages do to a link.

use foundation_schema::{Bound, Control, Reserve, Role, Undelivered};

use crate::error::{LinkError, RejectCode};
use crate::ledger::{AccountKey, UNBOUND_ACCOUNT};
use crate::link::Link;
use crate::message::{Event, Outbox, UndeliveredReason};
use crate::names::Announcement;
use foundation_machine::Micros;

impl Link {
    pub(crate) fn on_control(
        &mut self,
        control: Control,
        out: &mut impl Outbox,
        now: Micros,
    ) -> Result<(), LinkError> {
        match control {
            Control::Bind(bind) => self.on_bind(bind.id, &bind.name, out)?,
            Control::Bound(bound) => self.accounts.set(bound.id, bound.account),
            Control::Credits(credits) => {
                for entry in credits.entries {
                    let key = AccountKey { channel: entry.channel, account: entry.account };
                    self.credit_arrived(key, entry.limit);
                }
            }
            Control::Reserve(reserve) => self.on_reserve(reserve)?,
            Control::Ping(ping) => {
                self.busy.heard(ping.busy_isolates, now, &mut self.events);
                self.pong = Some(ping.sequence);
                self.events.push_back(if ping.alarm { Event::Alarm } else { Event::Heartbeat });
            }
            Control::Pong(pong) => {
                self.busy.heard(pong.busy_isolates, now, &mut self.events);
                if let Some(rtt) = self.keep_alive.answered(pong.sequence, now) {
                    self.events.push_back(Event::RoundTrip(rtt));
                }
            }
            Control::Status(status) => {
                self.busy.heard(status.busy_isolates, now, &mut self.events);
            }
            Control::Members(members) => self.events.push_back(Event::Members(members.members)),
            Control::LinkUse(_) | Control::Machine(_) => {
                self.events.push_back(Event::Host(Box::new(control)));
            }
            Control::LaneWanted(wanted) => self.on_lane_wanted(wanted.lane)?,
            Control::Leave(leave) => {
                // Said again it is no news.
                if !std::mem::replace(&mut self.is_left, true) {
                    self.events.push_back(Event::Left(leave.reason));
                }
            }
            Control::Undelivered(undelivered) => self.on_undelivered(&undelivered),
            Control::Reject(reject) => {
                return Err(LinkError::Rejected { code: RejectCode::from_wire(reject.code) });
            }
            Control::Hello(_) | Control::Auth(_) | Control::Ready(_) => {
                return Err(LinkError::Protocol("handshake after the handshake"));
            }
        }
        Ok(())
    }

    fn on_bind(&mut self, id: u32, name: &str, out: &mut impl Outbox) -> Result<(), LinkError> {
        let Some((local, account)) = out.intern(name) else {
            self.counters.names_refused += 1;
            return Ok(());
        };
        match self.remote_names.set(id, local, account) {
            Announcement::Refused => self.counters.names_refused += 1,
            Announcement::Known => {}
            // What the sender charges anyway, until it is told of an isolate.
            Announcement::New if account == UNBOUND_ACCOUNT => {}
            Announcement::New => self.say(0, &Control::Bound(Bound { id, account })),
            Announcement::Contradiction => {
                return Err(LinkError::Protocol("a name under two numbers, or two under one"));
            }
        }
        Ok(())
    }

    /// `bytes` is the limit that the sender waits for, as absolute as the limits it is told.
    fn on_reserve(&mut self, reserve: Reserve) -> Result<(), LinkError> {
        let key = AccountKey { channel: reserve.channel, account: reserve.account };
        self.check_account(key)?;
        let bounds = self.bounds();
        let budget = std::sync::Arc::clone(&self.budget);
        match self.receive_account(key)?.reserve(reserve.bytes, bounds, &budget) {
            Ok(raised) => {
                self.tell_limit(key, raised);
                Ok(())
            }
            Err(()) => Err(LinkError::Protocol("reservation out of bounds")),
        }
    }

    fn on_lane_wanted(&mut self, lane: u8) -> Result<(), LinkError> {
        if self.role == Role::Acceptor {
            return Err(LinkError::Protocol("only the dialler opens lanes"));
        }
        let Some(state) = self.lanes.get_mut(lane as usize) else {
            return Err(LinkError::Protocol("lane out of range"));
        };
        if !state.is_open && !state.is_wanted {
            state.is_wanted = true;
            self.events.push_back(Event::LaneWanted(lane));
        }
        Ok(())
    }

    /// Whether a reservation of this link waits for the node's budget.
    #[must_use]
    pub fn has_waiting_reservations(&self) -> bool {
        self.receive_accounts.iter().any(|account| account.is_waiting())
    }

    /// Grants waiting reservations after memory came back to the budget.
    pub fn poll_reservations(&mut self) {
        let bounds = self.bounds();
        for (key, account) in self.receive_accounts.iter_mut() {
            if account.grant(bounds, &self.budget).is_some() && !self.raised.contains(&key) {
                self.raised.push(key);
            }
        }
    }

    fn on_undelivered(&mut self, undelivered: &Undelivered) {
        let calls = self.calls.get_mut(undelivered.source_slot as usize);
        let Some(calls) = calls.filter(|calls| calls.waiting > 0) else {
            self.counters.unsolicited_replies += 1;
            return;
        };
        calls.waiting -= 1;
        self.events.push_back(Event::Undelivered {
            slot: undelivered.source_slot,
            correlation: undelivered.correlation,
            reason: UndeliveredReason::from_wire(undelivered.reason),
        });
    }
}
