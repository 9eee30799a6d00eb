//! What arriving bytes do to a link.

use foundation_frame::{DataHeader, Decoded, Flags, Frame, Limits, decode};
use foundation_schema::{Bound, Control, CreditEntry, Pong, Undelivered};

use crate::account::ReceiveAccount;
use crate::error::LinkError;
use crate::link::{Link, REPLY_ACCOUNT};
use crate::message::{
    Delivery, Destination, Event, Outbox, Payload, Source, UndeliveredReason, Verdict,
};
use crate::reassembly::Chunk;
use crate::time::Micros;

/// Highest scheduler slot that an account may name.
const SLOT_MAX: u16 = 1023;

impl Link {
    /// Takes bytes that a lane received; answers how many were used. The rest is the beginning of a frame
    /// and has to be presented again with more behind it.
    ///
    /// # Errors
    /// The first violation ends the link; no later byte of it is read.
    pub fn handle(
        &mut self,
        input: &[u8],
        now: Micros,
        out: &mut impl Outbox,
    ) -> Result<usize, LinkError> {
        self.keep_alive.received(now);
        self.counters.bytes_received += input.len() as u64;
        let limits = Limits::default();
        let mut used = 0;
        loop {
            let (frame, consumed) = match decode(&input[used..], &limits)? {
                Decoded::Incomplete { .. } => return Ok(used),
                Decoded::Frame { frame, consumed } => (frame, consumed),
            };
            used += consumed;
            match frame {
                Frame::Data { header, payload, payload_ok, .. } => {
                    self.on_data(&header, payload, payload_ok, now, out)?;
                }
                Frame::Control { payload } => {
                    let control = Control::decode(payload)?;
                    self.on_control(control, now, out)?;
                }
                Frame::Skipped { .. } => self.counters.frames_skipped += 1,
            }
        }
    }

    fn on_data(
        &mut self,
        header: &DataHeader,
        payload: &[u8],
        payload_ok: bool,
        now: Micros,
        out: &mut impl Outbox,
    ) -> Result<(), LinkError> {
        if header.link_epoch != self.epoch {
            self.counters.stale_epoch += 1;
            return Ok(());
        }
        let is_reply = header.flags.contains(Flags::REPLY);
        if header.flags.contains(Flags::RESERVED_REPLY) && !is_reply {
            return Err(LinkError::Protocol("reserved credit outside a reply"));
        }
        if u64::from(header.message_bytes) > self.options.message_bytes_max {
            return Err(LinkError::Protocol("message above the announced limit"));
        }
        let is_chunk = header.flags.contains(Flags::CHUNK);
        let is_first = !is_chunk || header.chunk_offset == 0;
        self.check_account(header.channel, header.account)?;
        if is_first && !self.book(header) {
            return Err(LinkError::CreditViolation);
        }
        if !payload_ok {
            self.counters.payload_crc_failures += 1;
            if !is_chunk || self.reassembly.abandon(header.sequence).is_some() || is_first {
                self.settle_header(header);
            }
            return Ok(());
        }
        if !is_chunk {
            self.deliver(header, Payload::Inline(payload), out);
            return Ok(());
        }
        let deadline = now + self.options.reassembly_timeout;
        match self.reassembly.accept(header, payload, &self.pool, deadline)? {
            Chunk::Partial => {}
            Chunk::Whole(Some(slab)) => self.deliver(header, Payload::Slab(slab), out),
            Chunk::Whole(None) => self.undelivered(header, UndeliveredReason::Exhausted),
            Chunk::Orphan => self.counters.orphan_chunks += 1,
        }
        Ok(())
    }

    /// Bounds what a peer can make us keep books for.
    fn check_account(&self, channel: u16, account: u16) -> Result<(), LinkError> {
        let is_known = (channel as usize) < self.peer_channels.local.len();
        if !is_known || account & !REPLY_ACCOUNT > SLOT_MAX {
            return Err(LinkError::Protocol("no such channel or account"));
        }
        Ok(())
    }

    /// Books a message's credit; false where the sender overdrew it.
    fn book(&mut self, header: &DataHeader) -> bool {
        if header.flags.contains(Flags::RESERVED_REPLY) {
            return true;
        }
        let window = self.options.window_bytes;
        self.receive_accounts
            .entry((header.channel, header.account))
            .or_insert_with(|| ReceiveAccount::new(window))
            .receive(u64::from(header.message_bytes))
    }

    fn settle_header(&mut self, header: &DataHeader) {
        if !header.flags.contains(Flags::RESERVED_REPLY) {
            self.settle_remote(header.channel, header.account, u64::from(header.message_bytes), 1);
        }
    }

    fn settle_remote(&mut self, channel: u16, account: u16, payload_bytes: u64, messages: u32) {
        let Some(state) = self.receive_accounts.get_mut(&(channel, account)) else { return };
        if let Some(limit) = state.settle(payload_bytes, messages, &self.budget) {
            self.credit_updates.push(CreditEntry { channel, account, limit });
        }
    }

    /// Gives the credit of delivered messages back: their handlers are done with them. `channel` is the
    /// number that the deliveries carried.
    pub fn settle(&mut self, channel: u16, account: u16, payload_bytes: u64, messages: u32) {
        let local = &self.peer_channels.local;
        let Some(remote) = local.iter().position(|&own| own == Some(channel)) else { return };
        self.settle_remote(remote as u16, account, payload_bytes, messages);
    }

    fn deliver(&mut self, header: &DataHeader, payload: Payload<'_>, out: &mut impl Outbox) {
        let flags = header.flags;
        let channel = self.peer_channels.local.get(header.channel as usize).copied().flatten();
        let Some(channel) = channel else {
            self.counters.unknown_channel += 1;
            return self.undelivered(header, UndeliveredReason::NoProcess);
        };
        let is_reply = flags.contains(Flags::REPLY);
        if is_reply && !self.take_call(header) {
            self.counters.unsolicited_replies += 1;
            return self.settle_header(header);
        }
        let destination = if flags.contains(Flags::NAMED) {
            self.remote_names.get(header.destination_serial).map(Destination::Named)
        } else {
            Some(Destination::Process(Source {
                slot: header.destination_slot,
                generation: header.destination_generation,
                serial: header.destination_serial,
            }))
        };
        let Some(destination) = destination else {
            self.counters.no_process += 1;
            return self.undelivered(header, UndeliveredReason::NoProcess);
        };
        self.counters.messages_received += 1;
        let verdict = out.deliver(Delivery {
            channel,
            account: header.account,
            is_charged: !flags.contains(Flags::RESERVED_REPLY),
            source: Source {
                slot: header.source_slot,
                generation: header.source_generation,
                serial: header.source_serial,
            },
            destination,
            encoding_bits: flags.encoding_bits(),
            is_request: flags.contains(Flags::REQUEST),
            is_reply,
            correlation: header.correlation,
            reply_bytes_max: header.reply_bytes_max,
            payload,
        });
        match verdict {
            Verdict::Taken => {}
            Verdict::NoProcess => {
                self.counters.no_process += 1;
                self.undelivered(header, UndeliveredReason::NoProcess);
            }
            Verdict::Exhausted => self.undelivered(header, UndeliveredReason::Exhausted),
        }
    }

    /// Whether a reply answers a call of ours, within the size it may have.
    fn take_call(&mut self, header: &DataHeader) -> bool {
        let Some(calls) = self.calls.get_mut(header.destination_slot as usize) else {
            return false;
        };
        let is_within = !header.flags.contains(Flags::RESERVED_REPLY)
            || header.message_bytes <= calls.reply_bytes_max;
        if calls.waiting == 0 || !is_within {
            return false;
        }
        calls.waiting -= 1;
        true
    }

    /// Gives the credit back and, for a request, tells the caller why nothing will come.
    fn undelivered(&mut self, header: &DataHeader, reason: UndeliveredReason) {
        if reason == UndeliveredReason::Exhausted {
            self.counters.exhausted += 1;
        }
        self.settle_header(header);
        if header.flags.contains(Flags::REQUEST) {
            let undelivered = Undelivered {
                reason: reason as u8,
                channel: header.channel,
                source_slot: header.source_slot,
                correlation: header.correlation,
            };
            self.say(0, &Control::Undelivered(undelivered));
        }
    }

    pub(crate) fn expire_reassembly(&mut self, now: Micros) {
        for header in self.reassembly.expired(now) {
            self.counters.reassembly_timeouts += 1;
            self.undelivered(&header, UndeliveredReason::Other);
        }
    }

    fn on_control(
        &mut self,
        control: Control,
        now: Micros,
        out: &mut impl Outbox,
    ) -> Result<(), LinkError> {
        match control {
            Control::Bind(bind) => self.on_bind(bind.id, &bind.name, out),
            Control::Bound(bound) => self.accounts.set(bound.id, bound.account),
            Control::Credits(credits) => {
                for entry in credits.entries {
                    self.credit_arrived(entry.channel, entry.account, entry.limit);
                }
            }
            Control::Reserve(reserve) => {
                self.check_account(reserve.channel, reserve.account)?;
                self.on_reserve(reserve.channel, reserve.account, reserve.bytes, now);
            }
            Control::Ping(ping) => {
                self.on_busy(ping.busy_isolates);
                let busy_isolates = self.own_busy();
                self.say(0, &Control::Pong(Pong { sequence: ping.sequence, busy_isolates }));
            }
            Control::Pong(pong) => {
                self.on_busy(pong.busy_isolates);
                if let Some(rtt) = self.keep_alive.answered(pong.sequence, now) {
                    self.events.push_back(Event::RoundTrip(rtt));
                }
            }
            Control::Status(status) => self.on_busy(status.busy_isolates),
            Control::Members(members) => self.events.push_back(Event::Members(members.members)),
            Control::LaneWanted(wanted) => {
                if wanted.lane as usize >= crate::channel::LANES_MAX {
                    return Err(LinkError::Protocol("lane out of range"));
                }
                self.events.push_back(Event::LaneWanted(wanted.lane));
            }
            Control::Leave(leave) => self.events.push_back(Event::Left(leave.reason)),
            Control::Undelivered(undelivered) => self.on_undelivered(&undelivered),
            Control::Reject(reject) => {
                let code = crate::error::RejectCode::from_wire(reject.code);
                return Err(LinkError::Rejected { code });
            }
            Control::Hello(_) | Control::Auth(_) | Control::Ready(_) => {
                return Err(LinkError::Protocol("handshake after the handshake"));
            }
        }
        Ok(())
    }

    fn on_bind(&mut self, id: u32, name: &str, out: &mut impl Outbox) {
        let Some((local, account)) = out.intern(name) else {
            self.counters.names_refused += 1;
            return;
        };
        if !self.remote_names.set(id, local) {
            self.counters.names_refused += 1;
            return;
        }
        if account != 0 {
            self.say(0, &Control::Bound(Bound { id, account }));
        }
    }

    fn on_reserve(&mut self, channel: u16, account: u16, bytes: u64, now: Micros) {
        if bytes > self.options.message_bytes_max + crate::message::MESSAGE_COST_BYTES {
            return; // the message itself will be refused; promising memory for it would be a leak
        }
        let (window, max) = (self.options.window_bytes, self.options.window_bytes_max);
        let state = self
            .receive_accounts
            .entry((channel, account))
            .or_insert_with(|| ReceiveAccount::new(window));
        if let Some(limit) = state.reserve(bytes, max, now, &self.budget) {
            self.credit_updates.push(CreditEntry { channel, account, limit });
        }
    }

    /// Whether a reservation of this link waits for the node's budget.
    #[must_use]
    pub fn has_waiting_reservations(&self) -> bool {
        self.receive_accounts.values().any(ReceiveAccount::is_waiting)
    }

    /// Grants waiting reservations after memory came back to the budget.
    pub fn poll_reservations(&mut self) {
        for (&(channel, account), state) in &mut self.receive_accounts {
            if let Some(limit) = state.grant(&self.budget) {
                self.credit_updates.push(CreditEntry { channel, account, limit });
            }
        }
    }

    fn on_busy(&mut self, isolates: u16) {
        if self.peer_busy != isolates {
            self.peer_busy = isolates;
            self.events.push_back(Event::Busy(isolates));
        }
    }

    fn on_undelivered(&mut self, undelivered: &Undelivered) {
        let Some(calls) = self.calls.get_mut(undelivered.source_slot as usize) else { return };
        if calls.waiting == 0 {
            self.counters.unsolicited_replies += 1;
            return;
        }
        calls.waiting -= 1;
        self.events.push_back(Event::Undelivered {
            slot: undelivered.source_slot,
            correlation: undelivered.correlation,
            reason: UndeliveredReason::from_wire(undelivered.reason),
        });
    }
}

const _: () = assert!(REPLY_ACCOUNT == 0x8000, "a scheduler slot never reaches the reply bit");
