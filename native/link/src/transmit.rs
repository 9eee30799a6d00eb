//! Filling a lane's batch with what the link has to say.

use foundation_schema::{Control, CreditEntry, Credits, Pong};

use crate::batch::{Batch, recycle};
use crate::link::Link;
use crate::queue::Step;

/// Limits told in one control frame; further ones go into the next.
const CREDITS_PER_FRAME: usize = 1024;

impl Link {
    /// Whether [`Link::transmit`] would write anything on this lane.
    #[must_use]
    pub fn has_output(&self, lane: u8) -> bool {
        let Some(state) = self.lanes.get(lane as usize) else { return false };
        !state.control.is_empty()
            || (lane == 0 && (!self.raised.is_empty() || self.pong.is_some()))
            || state.schedule.has_ready(&self.queues)
    }

    /// Fills a lane's batch up to about `room` bytes: control first, then by priority and weight.
    /// The last segment or chunk may exceed the room.
    pub fn transmit(&mut self, lane: u8, room: usize, batch: &mut Batch) {
        if lane as usize >= self.lanes.len() {
            return;
        }
        let before = batch.len();
        for spare in batch.spare.drain(..) {
            recycle(&mut self.spare, spare);
        }
        if lane == 0 {
            self.say_pong();
            self.say_credits();
        }
        self.write_control(lane, batch);
        let limit = before.saturating_add(room);
        let chunk_bytes = self.options.chunk_bytes.max(1);
        while batch.len() < limit {
            let schedule = &mut self.lanes[lane as usize].schedule;
            let Some(index) = schedule.pick(&mut self.queues, chunk_bytes) else { break };
            let queue = &mut self.queues[index];
            match queue.transmit(chunk_bytes, &mut self.spare, batch) {
                Step::Wrote { bytes, released } => {
                    queue.deficit -= bytes as i64;
                    let channel = queue.channel;
                    self.replace_queued(channel, released, 0);
                }
                Step::NeedsCredit(pair) => self.ask_credit(index, pair),
                Step::Idle => {}
            }
        }
        // Credit asked for while filling goes out with this very batch.
        self.write_control(lane, batch);
        self.counters.bytes_transmitted += (batch.len() - before) as u64;
    }

    fn write_control(&mut self, lane: u8, batch: &mut Batch) {
        let control = &mut self.lanes[lane as usize].control;
        if !control.is_empty() {
            batch.append(&mut self.spare, |bytes| bytes.append(control));
        }
    }

    fn say_pong(&mut self) {
        if let Some(sequence) = self.pong.take() {
            let busy_isolates = self.own_busy;
            self.say(0, &Control::Pong(Pong { sequence, busy_isolates }));
        }
    }

    fn say_credits(&mut self) {
        while !self.raised.is_empty() {
            let part = self.raised.len().min(CREDITS_PER_FRAME);
            let mut entries = Vec::with_capacity(part);
            for key in self.raised.drain(..part) {
                if let Some(account) = self.receive_accounts.get_mut(key) {
                    let limit = account.limit();
                    entries.push(CreditEntry { channel: key.channel, account: key.account, limit });
                }
            }
            self.say(0, &Control::Credits(Credits { entries }));
        }
    }
}
