//! The sender's side of credit: charging, waiting, asking.

use foundation_schema::{Control, Reserve};

use crate::flow::Credit;
use crate::ledger::AccountKey;
use crate::link::Link;
use crate::message::PairKey;
use crate::queue::Queue;
use crate::send_account::{SendAccount, Waiter};

impl Link {
    #[inline]
    fn send_account(&mut self, key: AccountKey) -> &mut SendAccount {
        let window = self.peer_window_bytes;
        self.send_accounts.open(key, || SendAccount::new(if key.is_large() { 0 } else { window }))
    }

    /// Takes credit where there is enough and nobody waits for it.
    #[inline]
    pub(crate) fn charge(&mut self, key: AccountKey, payload_bytes: u64) -> bool {
        self.send_account(key).charge(payload_bytes)
    }

    /// Charges the head of a parked flow, or lets it wait.
    pub(crate) fn ask_credit(&mut self, queue: usize, pair: PairKey) {
        let Some((position, head)) = self.queues[queue].head(&pair) else { return };
        if head.credit == Credit::Waiting {
            return;
        }
        let (account, payload_bytes) = (head.account(), head.payload_bytes());
        if !self.charge(account, payload_bytes) {
            return self.wait_for_credit(account, queue, pair, position);
        }
        if let Some(head) = self.queues[queue].at(&pair, position) {
            head.credit = Credit::Charged;
        }
        self.queues[queue].resume(pair, position);
    }

    /// Puts a message at the end of its account's line.
    pub(crate) fn wait_for_credit(
        &mut self,
        key: AccountKey,
        queue: usize,
        pair: PairKey,
        position: u64,
    ) {
        if let Some(pending) = self.queues[queue].at(&pair, position) {
            pending.credit = Credit::Waiting;
        }
        self.send_account(key).wait(Waiter { queue, pair, position });
        self.ask_for_waiters(key);
    }

    /// The peer raised a limit.
    pub(crate) fn credit_arrived(&mut self, key: AccountKey, limit: u64) {
        if let Some(account) = self.send_accounts.get_mut(key) {
            account.raise(limit);
            self.serve_waiters(key);
        }
    }

    /// Lets waiters go on, first come first served.
    pub(crate) fn serve_waiters(&mut self, key: AccountKey) {
        let Some(account) = self.send_accounts.get_mut(key) else { return };
        while let Some(waiter) = account.front() {
            let queue = &mut self.queues[waiter.queue];
            if !account.charge_front(payload_bytes(queue, &waiter)) {
                break;
            }
            if let Some(pending) = queue.at(&waiter.pair, waiter.position) {
                pending.credit = Credit::Charged;
            }
            queue.resume(waiter.pair, waiter.position);
        }
        self.ask_for_waiters(key);
    }

    /// Tells the receiver what is needed: for the first waiter of a window, for many of a large
    /// account.
    fn ask_for_waiters(&mut self, key: AccountKey) {
        loop {
            let Some(account) = self.send_accounts.get_mut(key) else { return };
            let waiter = if key.is_large() { account.unasked() } else { account.front() };
            let Some(waiter) = waiter else { return };
            let bytes = payload_bytes(&mut self.queues[waiter.queue], &waiter);
            let wanted = match key.is_large() {
                true => Some(account.ask(bytes)),
                false => account.ask_for_front(bytes),
            };
            let Some(bytes) = wanted else { return };
            let AccountKey { channel, account } = key;
            self.say(0, &Control::Reserve(Reserve { channel, account, bytes }));
        }
    }
}

fn payload_bytes(queue: &mut Queue, waiter: &Waiter) -> u64 {
    let pending = queue.at(&waiter.pair, waiter.position);
    debug_assert!(pending.is_some(), "what waits for credit stays in its flow");
    pending.map_or(0, |pending| pending.payload_bytes())
}
