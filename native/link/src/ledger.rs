//! Accounts by channel and number, with the one used last at hand.

use std::collections::BTreeMap;

use crate::message::MESSAGE_COST_BYTES;

/// Set in the number of an account for replies larger than their reservation: they have credit of
/// their own, so two nodes that call each other with full windows still answer.
pub(crate) const REPLY_ACCOUNT: u16 = 0x8000;
/// Set in the number of an account for messages that cost more than a window. All credit of such an
/// account is reserved message by message, so a large message never holds the small ones back.
pub(crate) const LARGE_ACCOUNT: u16 = 0x4000;
/// The receiver of what hosts say to each other ([`crate::Link::enqueue_carrying`]): behind the
/// slots of isolates.
pub const HOST_SLOT: u16 = 1024;
/// Highest slot that an account may name.
pub(crate) const SLOT_MAX: u16 = HOST_SLOT;
/// Set in the number of an account that belongs to a name and not to an isolate: the sender has not
/// been told which isolate has the name. By itself it means that nobody has it.
pub const UNBOUND_ACCOUNT: u16 = 0x2000;

/// The account of a name until its isolate is known. Names have accounts of their own, so that a
/// burst to one whose handler settles nothing holds no message to another one back. Numbers above
/// 8,191 share.
#[inline]
pub(crate) fn unbound_account(name: u32) -> u16 {
    UNBOUND_ACCOUNT | (name & 0x1fff) as u16
}

/// Names an account: the sender's channel number, and a scheduler slot of the receiver with marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccountKey {
    pub(crate) channel: u16,
    pub(crate) account: u16,
}

impl AccountKey {
    /// Whether each of its messages reserves its own credit.
    pub(crate) fn is_large(self) -> bool {
        self.account & LARGE_ACCOUNT != 0
    }

    /// The number without its marks: a scheduler slot, or a name's.
    pub(crate) fn number(self) -> u16 {
        self.account & !(REPLY_ACCOUNT | LARGE_ACCOUNT)
    }

    /// Whether the number is a scheduler slot or a name's.
    pub(crate) fn is_valid(self) -> bool {
        self.number() & UNBOUND_ACCOUNT != 0 || self.number() <= SLOT_MAX
    }
}

/// Whether a message of this length goes to a large account. Both ends know the window, hence
/// agree.
#[inline]
pub(crate) fn is_large_message(payload_bytes: u64, window_bytes: u64) -> bool {
    payload_bytes + MESSAGE_COST_BYTES > window_bytes
}

/// All accounts of one end of a link. Nothing is ever removed: they live as long as the link.
#[derive(Debug)]
pub(crate) struct Ledger<A> {
    places: BTreeMap<AccountKey, usize>,
    accounts: Vec<(AccountKey, A)>,
    /// Place of the account used last: messages of one kind mostly come in runs.
    last: usize,
}

impl<A> Default for Ledger<A> {
    fn default() -> Self {
        Ledger { places: BTreeMap::new(), accounts: Vec::new(), last: 0 }
    }
}

impl<A> Ledger<A> {
    pub(crate) fn len(&self) -> usize {
        self.accounts.len()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: AccountKey) -> Option<&mut A> {
        let place = self.place_of(key)?;
        self.accounts.get_mut(place).map(|(_, account)| account)
    }

    /// The account of this key, made on first use.
    #[inline]
    pub(crate) fn open(&mut self, key: AccountKey, make: impl FnOnce() -> A) -> &mut A {
        let place = self.place_of(key).unwrap_or_else(|| {
            self.last = self.accounts.len();
            self.places.insert(key, self.last);
            self.accounts.push((key, make()));
            self.last
        });
        &mut self.accounts[place].1
    }

    #[inline]
    fn place_of(&mut self, key: AccountKey) -> Option<usize> {
        if self.accounts.get(self.last).is_none_or(|(last, _)| *last != key) {
            self.last = *self.places.get(&key)?;
        }
        Some(self.last)
    }

    /// All accounts, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &A> {
        self.accounts.iter().map(|(_, account)| account)
    }

    /// All accounts with their keys, the oldest first.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (AccountKey, &mut A)> {
        self.accounts.iter_mut().map(|(key, account)| (*key, account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternating_keys_keep_their_own_accounts() {
        let mut ledger = Ledger::default();
        let key = |account| AccountKey { channel: 1, account };
        for round in 0..10 {
            for account in 0..3 {
                let count = ledger.open(key(account), || 100 * u32::from(account));
                assert_eq!(*count, 100 * u32::from(account) + round);
                *count += 1;
            }
        }
        assert_eq!(ledger.len(), 3);
        assert!(ledger.get_mut(key(9)).is_none());
        assert_eq!(ledger.get_mut(key(2)), Some(&mut 210));
    }
}
