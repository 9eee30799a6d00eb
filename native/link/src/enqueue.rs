//! Taking messages for the peer: limits, lanes, headers, and the way each one goes.

use foundation_frame::{DataHeader, EXTENSION_BYTES_MAX, Encoding, Flags, extension_push};
use foundation_schema::{Bind, Control, LaneWanted, Role};

use crate::flow::{Body, Credit, Pending};
use crate::ledger::{
    AccountKey, HOST_SLOT, LARGE_ACCOUNT, REPLY_ACCOUNT, SLOT_MAX, is_large_message,
};
use crate::link::Link;
use crate::message::{
    Destination, Event, MESSAGE_COST_BYTES, Message, Names, PairKey, Payload, Refused, Source,
};

/// Kind of the extension entry that holds a head.
pub(crate) const HEAD_ENTRY: u8 = 1;

/// For messages that name nobody.
struct NoNames;

impl Names for NoNames {
    fn name(&self, _id: u32) -> Option<String> {
        None
    }
}

impl Link {
    /// Takes a message for the peer.
    ///
    /// # Errors
    /// [`Refused`]; nothing of the message was taken then.
    pub fn enqueue(&mut self, message: Message<'_>, names: &dyn Names) -> Result<(), Refused> {
        self.enqueue_extended(message, names, &[])
    }

    /// Takes what this host says to the peer's: `head` travels in the extension area, so that the
    /// payload can go on to others as it is. It has credit of its own, is taken in order, and
    /// arrives with [`HOST_SLOT`] as its destination.
    ///
    /// # Errors
    /// [`Refused`]; `TooLarge` also for a head above [`Link::HEAD_BYTES_MAX`].
    pub fn enqueue_carrying(
        &mut self,
        channel: u16,
        head: &[u8],
        payload: Payload<'_>,
    ) -> Result<(), Refused> {
        let host = Source { slot: HOST_SLOT, generation: 0, serial: 0 };
        let message = Message {
            channel,
            source: host,
            destination: Destination::Process(host),
            encoding: Encoding::Bytes,
            is_request: false,
            is_reply: false,
            is_reply_reserved: false,
            correlation: 0,
            reply_bytes_max: 0,
            key: &[],
            payload,
        };
        let mut extension = Vec::with_capacity(head.len() + 8);
        extension_push(&mut extension, HEAD_ENTRY, head).map_err(|_| Refused::TooLarge)?;
        self.enqueue_extended(message, &NoNames, &extension)
    }

    /// Longest head of [`Link::enqueue_carrying`]. Unit: bytes.
    pub const HEAD_BYTES_MAX: usize = EXTENSION_BYTES_MAX - 4;

    fn enqueue_extended(
        &mut self,
        message: Message<'_>,
        names: &dyn Names,
        extension: &[u8],
    ) -> Result<(), Refused> {
        let len = message.payload.len() as u64;
        let Some(state) = self.channels.get(message.channel as usize) else {
            return Err(Refused::UnknownChannel);
        };
        if len > self.peer_message_bytes_max {
            return Err(Refused::TooLarge);
        }
        if let Destination::Process(process) = message.destination
            && process.slot > SLOT_MAX
        {
            return Err(Refused::UnknownName);
        }
        let pair = PairKey {
            source: message.source,
            destination: message.destination,
            is_reply: message.is_reply,
        };
        let step = lane_step(state.lane_count, &pair, message.key);
        let (lane, queue) = (state.lane_first + step, state.queue_first + step as usize);
        let is_monotonic = state.is_monotonic;
        if state.queued_bytes + len > self.queue_bytes_max() {
            self.counters.overflowed += 1;
            return Err(Refused::Overflow);
        }
        self.announce(message.destination, lane, names)?;
        self.want_lane(lane);
        self.sequence = self.sequence.wrapping_add(1);
        self.counters.messages_sent += 1;
        let header = self.header(&message, lane);
        if message.is_request {
            self.count_call(&message);
        }
        // A call or an answer is worth its own delivery: only plain values replace each other.
        let is_replaceable =
            is_monotonic && !message.is_request && !message.is_reply && extension.is_empty();
        let is_paid = header.flags.contains(Flags::RESERVED_REPLY);
        let is_small = len as usize <= self.options.chunk_bytes;
        // Express frames leave at the price they entered, which no extension is part of.
        let is_plain = !is_replaceable && extension.is_empty();
        if is_small && is_plain && !self.queues[queue].has_flow(&pair) {
            let account = AccountKey { channel: message.channel, account: header.account };
            if let Payload::Inline(bytes) = &message.payload
                && (is_paid || self.charge(account, len))
            {
                self.queues[queue].push_express(&header, bytes, &mut self.spare);
                self.replace_queued(message.channel, 0, len + MESSAGE_COST_BYTES);
                return Ok(());
            }
        }
        let key = is_replaceable.then_some(message.key);
        self.enqueue_flow(queue, pair, header, message.payload, key, extension);
        Ok(())
    }

    /// What a channel holds at most: what is under way in the rings when senders learn of the
    /// high-water mark, and one more message of full length.
    fn queue_bytes_max(&self) -> u64 {
        let options = &self.options;
        options
            .high_water_bytes
            .saturating_add(options.overrun_bytes)
            .saturating_add(options.message_bytes_max)
    }

    fn enqueue_flow(
        &mut self,
        queue: usize,
        pair: PairKey,
        header: DataHeader,
        payload: Payload<'_>,
        key: Option<&[u8]>,
        extension: &[u8],
    ) {
        let cost = payload.len() as u64 + MESSAGE_COST_BYTES;
        let mut body = match payload {
            Payload::Inline(bytes) => Body::Bytes(bytes.to_vec()),
            Payload::Slab(slab) => Body::Slab(slab),
        };
        if let Some(key) = key {
            match self.queues[queue].supersede(&pair, &header, body, key) {
                Ok(superseded) => {
                    self.counters.superseded += 1;
                    self.replace_queued(header.channel, superseded.freed_bytes, cost);
                    if let Some(account) = superseded.waits_in {
                        // A shorter one may fit into the credit there is, a longer one needs more.
                        self.serve_waiters(account);
                    }
                    return;
                }
                Err(unused) => body = unused,
            }
        }
        let is_paid = header.flags.contains(Flags::RESERVED_REPLY);
        let credit = if is_paid { Credit::Charged } else { Credit::Untouched };
        let mut pending = Pending::new(header, body, key.map(<[u8]>::to_vec), credit);
        pending.extension = extension.into();
        let account = pending.account();
        let position = self.queues[queue].push_flow(pair, pending);
        self.replace_queued(header.channel, 0, cost);
        if !is_paid && account.is_large() {
            // Asked for before it is the message's turn, else each would cost a round trip.
            self.wait_for_credit(account, queue, pair, position);
        }
    }

    fn count_call(&mut self, message: &Message<'_>) {
        let slot = message.source.slot as usize;
        if slot >= self.calls.len() {
            self.calls.resize(slot + 1, crate::link::CallsOut::default());
        }
        let calls = &mut self.calls[slot];
        calls.waiting = calls.waiting.saturating_add(1);
        calls.reply_bytes_max = calls.reply_bytes_max.max(message.reply_bytes_max);
    }

    fn announce(
        &mut self,
        destination: Destination,
        lane: u8,
        names: &dyn Names,
    ) -> Result<(), Refused> {
        if let Destination::Named(id) = destination
            && !self.announced.is_known(id, lane)
        {
            let Some(name) = names.name(id) else { return Err(Refused::UnknownName) };
            if !self.announced.set(id, lane) {
                return Err(Refused::UnknownName);
            }
            self.say(lane, &Control::Bind(Bind { id, name }));
        }
        Ok(())
    }

    fn want_lane(&mut self, lane: u8) {
        let state = &mut self.lanes[lane as usize];
        if state.is_open || state.is_wanted {
            return;
        }
        state.is_wanted = true;
        match self.role {
            Role::Dialler => self.events.push_back(Event::LaneWanted(lane)),
            Role::Acceptor => self.say(0, &Control::LaneWanted(LaneWanted { lane })),
        }
    }

    fn header(&self, message: &Message<'_>, lane: u8) -> DataHeader {
        let is_paid = message.is_reply && message.is_reply_reserved;
        let mut flags = Flags::default().with_encoding(message.encoding);
        for (is_set, flag) in [
            (message.is_request, Flags::REQUEST),
            (message.is_reply, Flags::REPLY),
            (is_paid, Flags::RESERVED_REPLY),
            (matches!(message.destination, Destination::Named(_)), Flags::NAMED),
        ] {
            if is_set {
                flags = flags.with(flag);
            }
        }
        let mut header = DataHeader {
            flags,
            channel: message.channel,
            lane,
            hop_limit: 1,
            link_epoch: self.epoch,
            sequence: self.sequence,
            source_slot: message.source.slot,
            source_generation: message.source.generation,
            source_serial: message.source.serial,
            correlation: message.correlation,
            message_bytes: message.payload.len() as u32,
            reply_bytes_max: if message.is_request { message.reply_bytes_max } else { 0 },
            ..DataHeader::default()
        };
        match message.destination {
            Destination::Named(id) => {
                header.destination_serial = id;
                header.account = self.accounts.get(id);
            }
            Destination::Process(process) => {
                header.destination_slot = process.slot;
                header.destination_generation = process.generation;
                header.destination_serial = process.serial;
                header.account = process.slot;
                if message.is_reply {
                    header.account |= REPLY_ACCOUNT;
                }
            }
        }
        if !is_paid && is_large_message(message.payload.len() as u64, self.peer_window_bytes) {
            header.account |= LARGE_ACCOUNT;
        }
        header
    }

    /// Bytes leave a channel's queue and others enter it, in one step: marks are crossed once.
    pub(crate) fn replace_queued(&mut self, channel: u16, left_bytes: u64, entered_bytes: u64) {
        let (low, high) = (self.options.low_water_bytes, self.options.high_water_bytes);
        let state = &mut self.channels[channel as usize];
        state.queued_bytes = state.queued_bytes.saturating_sub(left_bytes) + entered_bytes;
        if !state.is_unwritable && state.queued_bytes > high {
            state.is_unwritable = true;
            self.events.push_back(Event::Unwritable(channel));
        } else if state.is_unwritable && state.queued_bytes <= low {
            state.is_unwritable = false;
            self.events.push_back(Event::Writable(channel));
        }
    }
}

/// Which of a channel's lanes a pair uses; a partition key takes the sender's place.
fn lane_step(count: u8, pair: &PairKey, key: &[u8]) -> u8 {
    if count <= 1 {
        return 0;
    }
    let slot = pair.source.slot.to_le_bytes();
    let crc = foundation_frame::crc32c(if key.is_empty() { &slot } else { key });
    let destination = match pair.destination {
        Destination::Named(id) => id,
        Destination::Process(process) => process.serial ^ u32::from(process.slot),
    };
    let mixed = foundation_frame::crc32c_append(crc, &destination.to_le_bytes());
    (mixed % u32::from(count)) as u8
}
