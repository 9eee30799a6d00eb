//! What arriving data frames do to a link: books, checks, reassembly, delivery.

use foundation_frame::{
    DataHeader, Decoded, Encoding, ExtensionIter, Flags, Frame, Limits, decode,
};
use foundation_schema::{Control, SchemaError, Undelivered};

use crate::enqueue::HEAD_ENTRY;
use crate::error::LinkError;
use crate::landing::LANDING_BYTES_MIN;
use crate::ledger::{AccountKey, is_large_message};
use crate::link::Link;
use crate::message::{
    Delivery, Destination, Event, MESSAGE_COST_BYTES, Outbox, Payload, Source, UndeliveredReason,
    Verdict,
};
use crate::reassembly::Chunk;
use crate::receive_account::ReceiveAccount;
use foundation_machine::Micros;

/// Accounts that a peer may open; one costs about a hundred bytes until credit is used.
const ACCOUNTS_MAX: usize = 16_384;
/// Answers that wait because the peer does not read them. More, and the link ends.
const ANSWERS_BYTES_MAX: usize = 8 << 20;

/// Reserved memory that is not used for so many reassembly timeouts while others wait for it ends
/// the link.
const HOARDING_TIMEOUTS: u64 = 2;

impl Link {
    /// Takes bytes that a lane received; answers how many were used. The rest is the beginning of a
    /// frame and has to be presented again with more behind it; it is short, since the payload of a
    /// large frame is used as it comes (see also [`Link::landing`]).
    ///
    /// # Errors
    /// The first violation ends the link; no later byte of it is read.
    pub fn handle(
        &mut self,
        lane: u8,
        input: &[u8],
        now: Micros,
        out: &mut impl Outbox,
    ) -> Result<usize, LinkError> {
        self.keep_alive.received(now);
        let limits = Limits::default();
        let mut used = self.go_on_landing(lane, input, now, out)?;
        while used < input.len() {
            let (frame, consumed) = match decode(&input[used..], &limits)? {
                Decoded::Incomplete { .. } => {
                    used += self.begin_landing(lane, &input[used..], now)?;
                    break;
                }
                Decoded::Frame { frame, consumed } => (frame, consumed),
            };
            used += consumed;
            self.counters.bytes_received += consumed as u64;
            match frame {
                Frame::Data { header, extension, payload, payload_ok } => {
                    let payload = payload_ok.then_some(payload);
                    self.on_data((&header, extension), payload, now, out)?;
                }
                Frame::Control { payload } => match Control::decode(payload) {
                    Ok(control) => self.on_control(control, out, now)?,
                    // Of a later version, which sends nothing that this one has to understand.
                    Err(SchemaError::UnknownBody { .. }) => self.counters.frames_skipped += 1,
                    Err(error) => return Err(error.into()),
                },
                Frame::Skipped { .. } => self.counters.frames_skipped += 1,
            }
        }
        if self.lanes[0].control.len() > ANSWERS_BYTES_MAX {
            return Err(LinkError::Protocol("the peer does not read its answers"));
        }
        Ok(used)
    }

    fn on_data(
        &mut self,
        (header, extension): (&DataHeader, &[u8]),
        payload: Option<&[u8]>,
        now: Micros,
        out: &mut impl Outbox,
    ) -> Result<(), LinkError> {
        if header.link_epoch != self.epoch {
            self.counters.stale_epoch += 1;
            return Ok(());
        }
        let is_chunk = header.flags.contains(Flags::CHUNK);
        if (!is_chunk || header.chunk_offset == 0) && !self.begin(header)? {
            return Ok(());
        }
        let Some(payload) = payload else {
            self.counters.payload_crc_failures += 1;
            if !is_chunk || header.chunk_offset == 0 {
                self.undelivered(header, UndeliveredReason::Other);
            } else {
                self.abandon(header.sequence);
            }
            return Ok(());
        };
        if !is_chunk && payload.len() < LANDING_BYTES_MIN {
            self.deliver(header, extension, Payload::Inline(payload), out);
            return Ok(());
        }
        let deadline = now + self.options.reassembly_timeout;
        let part = self.reassembly.accept((header, extension), payload, &self.pool, deadline)?;
        self.take_part(part, out);
        Ok(())
    }

    pub(crate) fn take_part(&mut self, part: Chunk, out: &mut impl Outbox) {
        match part {
            Chunk::Partial => {}
            // A page each, however short: they would hold far more memory than their credit.
            Chunk::Whole(header, extension, Some(slab))
                if slab.as_slice().len() < LANDING_BYTES_MIN =>
            {
                self.deliver(&header, &extension, Payload::Inline(slab.as_slice()), out);
            }
            Chunk::Whole(header, extension, Some(slab)) => {
                self.deliver(&header, &extension, Payload::Slab(slab), out);
            }
            Chunk::Whole(header, _, None) => {
                self.undelivered(&header, UndeliveredReason::Exhausted)
            }
            Chunk::Orphan => self.counters.orphan_chunks += 1,
        }
    }

    /// Gives up a message of which a part is damaged.
    pub(crate) fn abandon(&mut self, sequence: u32) {
        if let Some(dropped) = self.reassembly.abandon(sequence) {
            self.undelivered(&dropped, UndeliveredReason::Other);
        }
    }

    /// Checks and books a message with its first frame, before any memory is given to it; false
    /// where it is dropped.
    pub(crate) fn begin(&mut self, header: &DataHeader) -> Result<bool, LinkError> {
        let is_reply = header.flags.contains(Flags::REPLY);
        if header.flags.contains(Flags::RESERVED_REPLY) && !is_reply {
            return Err(LinkError::Protocol("reserved credit outside a reply"));
        }
        let is_bundle =
            matches!(header.flags.encoding(), Ok(Encoding::BytesBundle | Encoding::PackedBundle));
        // Nobody would ever answer such a request, and what waits for an answer is kept in mind.
        if header.flags.contains(Flags::REQUEST) && (is_reply || is_bundle) {
            return Err(LinkError::Protocol("a request that is something else too"));
        }
        if u64::from(header.message_bytes) > self.options.message_bytes_max {
            return Err(LinkError::Protocol("message above the announced limit"));
        }
        self.book(header)?;
        if is_reply && !self.take_call(header) {
            self.counters.unsolicited_replies += 1;
            self.settle_header(header);
            return Ok(false);
        }
        if self.unsettled_bytes > self.options.unsettled_bytes_max {
            self.undelivered(header, UndeliveredReason::Exhausted);
            return Ok(false);
        }
        Ok(true)
    }

    /// Ends the link of a peer that keeps memory reserved and does not use it, if others need it.
    pub(crate) fn check_reservations(&mut self, now: Micros) -> Result<(), LinkError> {
        if !self.budget.has_line() {
            return Ok(());
        }
        let patience = Micros(self.options.reassembly_timeout.0 * HOARDING_TIMEOUTS);
        let mut accounts = self.receive_accounts.iter_mut();
        if accounts.any(|(_, account)| account.is_hoarding(now, patience)) {
            return Err(LinkError::Protocol("reserved memory is not used"));
        }
        Ok(())
    }

    /// Bounds what a peer can make us keep books for.
    pub(crate) fn check_account(&self, key: AccountKey) -> Result<(), LinkError> {
        let is_channel = (key.channel as usize) < self.peer_channels.local.len();
        if !is_channel || !key.is_valid() {
            return Err(LinkError::Protocol("no such channel or account"));
        }
        Ok(())
    }

    /// The books of an account, opened on first use.
    pub(crate) fn receive_account(
        &mut self,
        key: AccountKey,
    ) -> Result<&mut ReceiveAccount, LinkError> {
        if self.receive_accounts.len() >= ACCOUNTS_MAX
            && self.receive_accounts.get_mut(key).is_none()
        {
            return Err(LinkError::Protocol("too many accounts"));
        }
        let window_bytes = self.options.window_bytes;
        Ok(self.receive_accounts.open(key, || match key.is_large() {
            true => ReceiveAccount::reserved(),
            false => ReceiveAccount::window(window_bytes),
        }))
    }

    /// Books a message's credit, unless its request has paid for it.
    fn book(&mut self, header: &DataHeader) -> Result<(), LinkError> {
        let key = account_of(header);
        self.check_account(key)?;
        if header.flags.contains(Flags::RESERVED_REPLY) {
            return Ok(());
        }
        let payload_bytes = u64::from(header.message_bytes);
        if key.is_large() != is_large_message(payload_bytes, self.options.window_bytes) {
            return Err(LinkError::Protocol("message on an account of another size"));
        }
        // An account is a receiver's: were any to do, one receiver would have the credit of all.
        let is_its_own = if header.flags.contains(Flags::NAMED) {
            self.remote_names.is_account_of(header.destination_serial, key.number())
        } else {
            key.number() == header.destination_slot
        };
        if !is_its_own {
            return Err(LinkError::Protocol("account of another receiver"));
        }
        if !self.receive_account(key)?.receive(payload_bytes) {
            return Err(LinkError::CreditViolation);
        }
        if !key.is_large() {
            self.unsettled_bytes += payload_bytes + MESSAGE_COST_BYTES;
        }
        Ok(())
    }

    fn settle_header(&mut self, header: &DataHeader) {
        if !header.flags.contains(Flags::RESERVED_REPLY) {
            self.settle_account(account_of(header), u64::from(header.message_bytes), 1);
        }
    }

    fn settle_account(&mut self, key: AccountKey, payload_bytes: u64, messages: u32) {
        let bounds = self.bounds();
        let Some(account) = self.receive_accounts.get_mut(key) else { return };
        let before = account.settled();
        let raised = account.settle(payload_bytes, messages, bounds, &self.budget);
        if !key.is_large() {
            self.unsettled_bytes -= account.settled() - before;
        }
        self.tell_limit(key, raised);
    }

    /// Notes that the peer has to be told a limit. The limit itself is read when it is written.
    pub(crate) fn tell_limit(&mut self, key: AccountKey, raised: Option<u64>) {
        if raised.is_some() && !self.raised.contains(&key) {
            self.raised.push(key);
        }
    }

    /// Gives the credit of delivered messages back: their handlers are done with them. `channel`
    /// and `account` are the numbers that the deliveries carried.
    pub fn settle(&mut self, channel: u16, account: u16, payload_bytes: u64, messages: u32) {
        let remote = self.remote_channels.get(channel as usize).copied().flatten();
        if let Some(channel) = remote {
            self.settle_account(AccountKey { channel, account }, payload_bytes, messages);
        }
    }

    fn deliver(
        &mut self,
        header: &DataHeader,
        extension: &[u8],
        payload: Payload<'_>,
        out: &mut impl Outbox,
    ) {
        let flags = header.flags;
        let channel = self.peer_channels.local.get(header.channel as usize).copied().flatten();
        let Some(channel) = channel else {
            self.counters.unknown_channel += 1;
            return self.undelivered(header, UndeliveredReason::NoProcess);
        };
        let Some(destination) = self.destination(header) else {
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
            is_reply: flags.contains(Flags::REPLY),
            correlation: header.correlation,
            reply_bytes_max: header.reply_bytes_max,
            head: head_of(extension),
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

    fn destination(&self, header: &DataHeader) -> Option<Destination> {
        if header.flags.contains(Flags::NAMED) {
            return self.remote_names.get(header.destination_serial).map(Destination::Named);
        }
        Some(Destination::Process(Source {
            slot: header.destination_slot,
            generation: header.destination_generation,
            serial: header.destination_serial,
        }))
    }

    /// Whether a reply answers a call of ours, within the size it may have.
    fn take_call(&mut self, header: &DataHeader) -> bool {
        let is_to_process = !header.flags.contains(Flags::NAMED);
        let Some(calls) = self.calls.get_mut(header.destination_slot as usize) else {
            return false;
        };
        let is_within = !header.flags.contains(Flags::RESERVED_REPLY)
            || header.message_bytes <= calls.reply_bytes_max;
        if calls.waiting == 0 || !is_within || !is_to_process {
            return false;
        }
        calls.waiting -= 1;
        true
    }

    /// Gives the credit back and tells whoever waits: the caller at the peer for a request, our own
    /// caller for a reply that got lost here.
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
        } else if header.flags.contains(Flags::REPLY) {
            let (slot, correlation) = (header.destination_slot, header.correlation);
            self.events.push_back(Event::Undelivered { slot, correlation, reason });
        }
    }

    /// Tells the caller of a request that was delivered that nobody is left to answer it.
    pub fn give_up_call(&mut self, source_slot: u16, correlation: u32) {
        let reason = UndeliveredReason::NoProcess as u8;
        let undelivered = Undelivered { reason, channel: 0, source_slot, correlation };
        self.say(0, &Control::Undelivered(undelivered));
    }

    pub(crate) fn expire_reassembly(&mut self, now: Micros) {
        while let Some(header) = self.reassembly.expire(now) {
            self.counters.reassembly_timeouts += 1;
            self.undelivered(&header, UndeliveredReason::Other);
        }
    }
}

/// What stands in the extension area for the host; others' entries are passed over.
fn head_of(extension: &[u8]) -> &[u8] {
    let mut entries = ExtensionIter::new(extension);
    entries.find(|entry| entry.kind == HEAD_ENTRY).map_or(&[], |entry| entry.bytes)
}

fn account_of(header: &DataHeader) -> AccountKey {
    AccountKey { channel: header.channel, account: header.account }
}
