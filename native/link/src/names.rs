//! Names on the wire: announced once per lane with a number, used by number afterwards.

/// Names that one peer may announce. One more is ignored and counted.
const REMOTE_NAMES_MAX: usize = 65_536;

/// Which of our names each lane of the peer already knows: a bit per lane.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    lanes: Vec<u16>,
}

impl Announced {
    /// Marks a name as announced on a lane; true on the first time.
    pub(crate) fn first_use(&mut self, id: u32, lane: u8) -> bool {
        let index = id as usize;
        if index >= self.lanes.len() {
            self.lanes.resize(index + 1, 0);
        }
        let bit = 1u16 << lane;
        let is_first = self.lanes[index] & bit == 0;
        self.lanes[index] |= bit;
        is_first
    }
}

/// The credit account of the isolate behind each of our announced names, as the peer told.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    by_name: Vec<u16>,
}

impl Accounts {
    pub(crate) fn set(&mut self, id: u32, account: u16) {
        let index = id as usize;
        if index < REMOTE_NAMES_MAX {
            if index >= self.by_name.len() {
                self.by_name.resize(index + 1, 0);
            }
            self.by_name[index] = account;
        }
    }

    pub(crate) fn get(&self, id: u32) -> u16 {
        self.by_name.get(id as usize).copied().unwrap_or(0)
    }
}

/// Our own number for each number the peer announced.
#[derive(Debug, Default)]
pub(crate) struct RemoteNames {
    local: Vec<Option<u32>>,
}

impl RemoteNames {
    /// Remembers a translation; false where the peer announces more than it may.
    pub(crate) fn set(&mut self, remote: u32, local: u32) -> bool {
        let index = remote as usize;
        if index >= REMOTE_NAMES_MAX {
            return false;
        }
        if index >= self.local.len() {
            self.local.resize(index + 1, None);
        }
        self.local[index] = Some(local);
        true
    }

    pub(crate) fn get(&self, remote: u32) -> Option<u32> {
        self.local.get(remote as usize).copied().flatten()
    }
}
