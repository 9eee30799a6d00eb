//! How many isolates of the peer are stalled, told to the host at a bounded rate: a peer that
//! changes its mind with every frame must not fill the memory of those who listen.

use std::collections::VecDeque;

use crate::message::Event;
use foundation_machine::Micros;

/// Shortest time between two pieces of this news. A stall takes ten times as long to be one.
const NEWS_PERIOD: Micros = Micros::from_millis(100);

/// The peer's number of stalled isolates.
#[derive(Debug, Default)]
pub(crate) struct BusyNews {
    heard: u16,
    told: u16,
    next_at: Micros,
}

impl BusyNews {
    /// The peer says how many are stalled.
    pub(crate) fn heard(&mut self, isolates: u16, now: Micros, events: &mut VecDeque<Event>) {
        self.heard = isolates;
        self.tell(now, events);
    }

    /// Tells what changed since the last time, where it is time again.
    pub(crate) fn tell(&mut self, now: Micros, events: &mut VecDeque<Event>) {
        if self.heard != self.told && now >= self.next_at {
            self.told = self.heard;
            self.next_at = now + NEWS_PERIOD;
            events.push_back(Event::Busy(self.heard));
        }
    }

    /// When [`BusyNews::tell`] is due.
    pub(crate) fn next_timeout(&self) -> Micros {
        if self.heard == self.told { Micros::NEVER } else { self.next_at }
    }
}
