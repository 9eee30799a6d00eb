//! Names on the wire: announced once per lane with a number, used by number afterwards.

use std::collections::BTreeMap;

use crate::ledger::{SLOT_MAX, unbound_account};

/// Names that one end may announce to the other. One more is refused and counted.
const NAMES_MAX: usize = 65_536;

/// Which of our names each lane of the peer already knows: a bit per lane.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    lanes: Vec<u16>,
}

impl Announced {
    /// Whether a name was announced on a lane.
    #[inline]
    pub(crate) fn is_known(&self, id: u32, lane: u8) -> bool {
        self.lanes.get(id as usize).is_some_and(|lanes| lanes & (1 << lane) != 0)
    }

    /// Marks a name as announced on a lane; false where the peer would not take it.
    pub(crate) fn set(&mut self, id: u32, lane: u8) -> bool {
        let index = id as usize;
        if index >= NAMES_MAX {
            return false;
        }
        if index >= self.lanes.len() {
            self.lanes.resize(index + 1, 0);
        }
        self.lanes[index] |= 1 << lane;
        true
    }
}

/// The credit account of the isolate behind each of our announced names, as the peer told. It looks
/// for the owner once, when a name is announced: a name that nobody has by then keeps the account
/// of its own ([`unbound_account`]) for as long as the link lives.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    by_name: Vec<u16>,
}

impl Accounts {
    /// Remembers what the peer told; numbers that cannot be are ignored.
    pub(crate) fn set(&mut self, id: u32, account: u16) {
        let index = id as usize;
        if index < NAMES_MAX && account <= SLOT_MAX {
            if index >= self.by_name.len() {
                let first = self.by_name.len() as u32;
                self.by_name.extend((first..=id).map(unbound_account));
            }
            self.by_name[index] = account;
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: u32) -> u16 {
        self.by_name.get(id as usize).copied().unwrap_or_else(|| unbound_account(id))
    }
}

/// A name that the peer announced.
#[derive(Debug, Clone, Copy)]
struct RemoteName {
    local: u32,
    /// The account that the peer was told to charge.
    account: u16,
}

/// What became of an announcement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Announcement {
    /// The first one of this name.
    New,
    /// Known already: announced again for another lane.
    Known,
    /// The number is beyond what a peer may use.
    Refused,
    /// The number means another name, or the name has another number.
    Contradiction,
}

/// Our own number for each number the peer announced. Neither end of that is ever used twice: a
/// name under many numbers would have as many accounts, and as much credit.
#[derive(Debug, Default)]
pub(crate) struct RemoteNames {
    names: Vec<Option<RemoteName>>,
    remote: BTreeMap<u32, u32>,
}

impl RemoteNames {
    /// Remembers a translation, and the account that belongs to it.
    pub(crate) fn set(&mut self, remote: u32, local: u32, account: u16) -> Announcement {
        let index = remote as usize;
        if index >= NAMES_MAX {
            return Announcement::Refused;
        }
        match (self.get(remote), self.remote.get(&local)) {
            (Some(known), _) if known == local => return Announcement::Known,
            (None, None) => {}
            _ => return Announcement::Contradiction,
        }
        if index >= self.names.len() {
            self.names.resize(index + 1, None);
        }
        self.names[index] = Some(RemoteName { local, account });
        self.remote.insert(local, remote);
        Announcement::New
    }

    fn name(&self, remote: u32) -> Option<RemoteName> {
        self.names.get(remote as usize).copied().flatten()
    }

    pub(crate) fn get(&self, remote: u32) -> Option<u32> {
        self.name(remote).map(|name| name.local)
    }

    /// Whether an honest sender charges messages to this name to that account.
    pub(crate) fn is_account_of(&self, remote: u32, account: u16) -> bool {
        account == unbound_account(remote)
            || self.name(remote).is_some_and(|name| name.account == account)
    }
}
