//! What an isolate owes to peers: credit of messages it was given, answers to requests it took.
//! When it dies, the kernel thread pays, or nobody could send to the node any more.

use std::collections::HashSet;

/// Credit of messages that were delivered and not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Credit {
    pub(crate) peer: u32,
    pub(crate) channel: u16,
    pub(crate) account: u16,
    pub(crate) bytes: u64,
    pub(crate) messages: u32,
}

impl Credit {
    fn is_of(&self, peer: u32, channel: u16, account: u16) -> bool {
        self.peer == peer && self.channel == channel && self.account == account
    }
}

/// A request that was delivered and not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) peer: u32,
    pub(crate) slot: u16,
    pub(crate) correlation: u32,
}

/// The dues of one isolate.
#[derive(Debug, Default)]
pub(crate) struct Dues {
    credits: Vec<Credit>,
    /// The credit used last: bursts come from one sender.
    last: usize,
    requests: HashSet<Request>,
}

impl Dues {
    #[inline]
    fn credit(&mut self, peer: u32, channel: u16, account: u16) -> &mut Credit {
        let is_last =
            self.credits.get(self.last).is_some_and(|last| last.is_of(peer, channel, account));
        if !is_last {
            let found = self.credits.iter().position(|c| c.is_of(peer, channel, account));
            self.last = found.unwrap_or(self.credits.len());
            if found.is_none() {
                self.credits.push(Credit { peer, channel, account, bytes: 0, messages: 0 });
            }
        }
        &mut self.credits[self.last]
    }

    /// A charged message was given to the isolate.
    #[inline]
    pub(crate) fn delivered(&mut self, peer: u32, channel: u16, account: u16, bytes: u64) {
        let credit = self.credit(peer, channel, account);
        credit.bytes += bytes;
        credit.messages = credit.messages.saturating_add(1);
    }

    /// The isolate settled messages itself. More than it was given counts as all of it.
    pub(crate) fn settled(&mut self, settled: Credit) {
        let credit = self.credit(settled.peer, settled.channel, settled.account);
        credit.bytes = credit.bytes.saturating_sub(settled.bytes);
        credit.messages = credit.messages.saturating_sub(settled.messages);
    }

    pub(crate) fn took(&mut self, request: Request) {
        self.requests.insert(request);
    }

    pub(crate) fn answered(&mut self, request: Request) {
        self.requests.remove(&request);
    }

    /// Whether a peer waits for an answer, or for credit that no more messages are settled for.
    pub(crate) fn is_owing(&self, peer: u32) -> bool {
        self.requests.iter().any(|request| request.peer == peer)
            || self.credits.iter().any(|credit| credit.peer == peer && credit.messages > 0)
    }

    /// A link is gone, and what was owed over it.
    pub(crate) fn forget(&mut self, peer: u32) {
        self.credits.retain(|credit| credit.peer != peer);
        self.requests.retain(|request| request.peer != peer);
        self.last = 0;
    }

    /// What is left to pay.
    pub(crate) fn take(&mut self) -> (Vec<Credit>, Vec<Request>) {
        let credits = std::mem::take(&mut self.credits);
        let requests = std::mem::take(&mut self.requests).into_iter().collect();
        (credits.into_iter().filter(|credit| credit.messages > 0).collect(), requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_settled_and_answered_is_not_paid_again() {
        let mut dues = Dues::default();
        dues.delivered(7, 0, 1, 100);
        dues.delivered(7, 0, 1, 50);
        dues.delivered(8, 0, 1, 10);
        dues.settled(Credit { peer: 7, channel: 0, account: 1, bytes: 100, messages: 1 });
        let (answered, open) = (
            Request { peer: 7, slot: 0, correlation: 1 },
            Request { peer: 8, slot: 0, correlation: 1 },
        );
        dues.took(answered);
        dues.took(open);
        dues.answered(answered);
        let (credits, requests) = dues.take();
        assert_eq!(credits[0], Credit { peer: 7, channel: 0, account: 1, bytes: 50, messages: 1 });
        assert_eq!(credits[1].bytes, 10);
        assert_eq!(requests, vec![open]);
    }

    #[test]
    fn a_lost_link_is_owed_nothing() {
        let mut dues = Dues::default();
        dues.delivered(7, 0, 1, 100);
        dues.took(Request { peer: 7, slot: 0, correlation: 1 });
        dues.forget(7);
        assert_eq!(dues.take(), (vec![], vec![]));
    }
}
