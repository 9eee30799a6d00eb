//! Broadcasts that are heard of and not there.

use std::collections::{BTreeMap, VecDeque};

use foundation_machine::{Micros, PeerId};

use crate::io::{Announcement, BroadcastId};

/// Announcers remembered of one broadcast; five neighbours can do no more.
const ANNOUNCERS_MAX: usize = 8;

/// One who has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announcer {
    pub(crate) peer: PeerId,
    pub(crate) round: u16,
    pub(crate) at: Micros,
}

/// One broadcast that is sought.
#[derive(Clone, Debug)]
pub(crate) struct Sought {
    since: Micros,
    /// All who have announced it, for what they tell of the tree.
    pub(crate) announcers: Vec<Announcer>,
    /// Who of them can still be asked.
    unasked: VecDeque<PeerId>,
    /// Who was asked last.
    pub(crate) asked: Option<PeerId>,
}

impl Sought {
    /// Who was asked last, and when it had announced it.
    pub(crate) fn grafted(&self) -> Option<(PeerId, Micros)> {
        let asked = self.announcers.iter().find(|announcer| Some(announcer.peer) == self.asked)?;
        Some((asked.peer, asked.at))
    }

    /// The next to ask.
    pub(crate) fn next(&mut self) -> Option<PeerId> {
        self.asked = self.unasked.pop_front();
        self.asked
    }
}

/// What became of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The first word of it.
    First,
    /// Another announcer, while nobody is left to ask.
    Again,
    /// Another announcer, who waits for its turn or is one too many.
    More,
    /// Too much is missing already.
    Refused,
}

/// All that is sought, bounded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Missing {
    sought: BTreeMap<BroadcastId, Sought>,
}

impl Missing {
    pub(crate) fn len(&self) -> usize {
        self.sought.len()
    }

    pub(crate) fn get_mut(&mut self, id: BroadcastId) -> Option<&mut Sought> {
        self.sought.get_mut(&id)
    }

    pub(crate) fn remove(&mut self, id: BroadcastId) -> Option<Sought> {
        self.sought.remove(&id)
    }

    pub(crate) fn hear(
        &mut self,
        Announcement { id, round }: Announcement,
        from: PeerId,
        now: Micros,
        missing_max: usize,
    ) -> Heard {
        let announcer = Announcer { peer: from, round, at: now };
        if let Some(sought) = self.sought.get_mut(&id) {
            let is_known = sought.announcers.iter().any(|known| known.peer == from);
            if sought.announcers.len() < ANNOUNCERS_MAX && !is_known {
                sought.announcers.push(announcer);
            }
            if sought.asked == Some(from) || sought.unasked.contains(&from) {
                return Heard::More;
            }
            let was_idle = sought.asked.is_none() && sought.unasked.is_empty();
            if sought.unasked.len() < ANNOUNCERS_MAX {
                sought.unasked.push_back(from);
            }
            return if was_idle { Heard::Again } else { Heard::More };
        }
        if self.sought.len() >= missing_max {
            return Heard::Refused;
        }
        let unasked = VecDeque::from([from]);
        let sought = Sought { since: now, announcers: vec![announcer], unasked, asked: None };
        self.sought.insert(id, sought);
        Heard::First
    }

    /// Forgets what is sought for longer than that: nobody has it cached any more.
    pub(crate) fn expire(&mut self, now: Micros, kept: Micros) -> Vec<BroadcastId> {
        let old = |sought: &Sought| now.since(sought.since) > kept;
        let ids: Vec<_> = self.sought.iter().filter(|(_, s)| old(s)).map(|(id, _)| *id).collect();
        for id in &ids {
            self.sought.remove(id);
        }
        ids
    }

    /// A neighbour is gone: what was asked of it alone is to be asked of the next.
    pub(crate) fn lose(&mut self, peer: PeerId) -> Vec<BroadcastId> {
        let mut waiting = Vec::new();
        for (id, sought) in &mut self.sought {
            sought.announcers.retain(|announcer| announcer.peer != peer);
            sought.unasked.retain(|&unasked| unasked != peer);
            if sought.asked == Some(peer) {
                sought.asked = None;
                waiting.push(*id);
            }
        }
        waiting
    }

    /// Those which that peer has announced: what a planted bug drops.
    pub(crate) fn announced_by(&self, peer: PeerId) -> Vec<BroadcastId> {
        let by_peer = |sought: &Sought| sought.announcers.iter().any(|a| a.peer == peer);
        self.sought.iter().filter(|(_, s)| by_peer(s)).map(|(id, _)| *id).collect()
    }
}
