//! A network that is cut on purpose: whoever tries out what an application does then has a node
//! hear nothing of others, or tell them nothing. Their connections stay open and stand still, as
//! behind a cable that was pulled: what the system holds goes on once the cut has healed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::command::NodeError;
use crate::connection::{ConnectionError, Place};
use crate::dial::Target;
use crate::node::Node;

/// Nodes that are cut off at a time: a name takes 300 bytes at most.
const CUTS_MAX: usize = 4_096;

/// Why no connection is made to a node that is cut off.
pub(crate) const PARTITIONED: ConnectionError = ConnectionError::Dropped("partitioned");

/// What does not pass between this node and another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Nothing is read of what it says.
    pub is_deaf: bool,
    /// Nothing is said to it.
    pub is_mute: bool,
}

impl Cut {
    const NONE: Cut = Cut { is_deaf: false, is_mute: false };
}

/// A change of what is cut.
#[derive(Debug, Clone)]
pub enum CutChange {
    /// Nothing changes.
    List,
    /// These nodes are cut off so, whatever they were before.
    Set(Vec<String>, Cut),
    /// These nodes are cut off no longer.
    Heal(Vec<String>),
    /// No node is cut off any longer.
    HealAll,
}

/// Who is cut off, by name: also nodes that are not known yet.
#[derive(Debug, Default)]
pub(crate) struct Cuts(BTreeMap<String, Cut>);

impl Cuts {
    fn of(&self, name: &str) -> Cut {
        self.0.get(name).copied().unwrap_or(Cut::NONE)
    }

    /// Whether a connection needs what does not pass: it takes both directions.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn change(&mut self, change: CutChange) -> Result<(), NodeError> {
        match change {
            CutChange::List => {}
            CutChange::Set(names, cut) => {
                let more = names.iter().filter(|name| !self.0.contains_key(*name)).count();
                if self.0.len() + more > CUTS_MAX {
                    let text = format!("at most {CUTS_MAX} nodes are cut off at once");
                    return Err(NodeError::new("invalid_options", text));
                }
                self.0.extend(names.into_iter().map(|name| (name, cut)));
            }
            CutChange::Heal(names) => self.0.retain(|name, _| !names.contains(name)),
            CutChange::HealAll => self.0.clear(),
        }
        Ok(())
    }
}

impl Node {
    /// Changes who is cut off; answers with all that are then.
    pub(crate) fn change_cuts(
        &mut self,
        change: CutChange,
    ) -> Result<Vec<(String, Cut)>, NodeError> {
        self.cuts.change(change)?;
        for index in 0..self.peers.len() {
            self.apply_cut(index);
        }
        Ok(self.cuts.0.iter().map(|(name, &cut)| (name.clone(), cut)).collect())
    }

    /// A connection that was made has come to nothing: the node is cut off meanwhile.
    pub(crate) fn refuse_for_cut(&mut self, name: String, target: Option<Target>) {
        match target {
            Some(target) => self.dial_failed(&target, &PARTITIONED, Some(name)),
            None => self.meters.handshake_failed(PARTITIONED.code()),
        }
    }

    /// Has the connections to a node stand still, or go on.
    fn apply_cut(&mut self, index: usize) {
        let cut = self.cuts.of(&self.peers[index].name);
        let generation = self.peers[index].generation;
        let Some(active) = &mut self.peers[index].link else { return };
        let mut turned = Vec::new();
        let mut is_told_anew = false;
        for open in &mut active.lanes {
            is_told_anew |= open.is_mute && !cut.is_mute;
            open.is_mute = cut.is_mute;
            if open.io.set_deaf(cut.is_deaf) != cut.is_deaf {
                turned.push(open.number);
            }
        }
        for lane in turned {
            self.watch_lane(index, generation, lane);
        }
        if is_told_anew {
            self.mark_dirty(index);
        }
    }

    /// Has the isolate that polls connections be told of this one as it is now.
    fn watch_lane(&mut self, index: usize, generation: u16, lane: u8) {
        let place = Place { node: self.id, index, generation, lane };
        let Some((io, is_blocked)) =
            self.open_lane(place).map(|open| (Arc::clone(&open.io), open.is_blocked))
        else {
            return;
        };
        if let Some(isolate_io) = &self.isolate_io
            && isolate_io.watch(&io, place, is_blocked).is_err()
        {
            self.lost.push((index, generation, "io_error".to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_replaced_healed_and_bounded() {
        let mut cuts = Cuts::default();
        let deaf = Cut { is_deaf: true, is_mute: false };
        let mute = Cut { is_deaf: false, is_mute: true };
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert!(cuts.change(CutChange::Set(names(&["a", "b"]), deaf)).is_ok());
        assert!(cuts.change(CutChange::Set(names(&["b"]), mute)).is_ok());
        assert_eq!((cuts.of("a"), cuts.of("b"), cuts.of("c")), (deaf, mute, Cut::NONE));
        assert!(cuts.change(CutChange::Heal(names(&["a", "c"]))).is_ok());
        assert_eq!((cuts.has("a"), cuts.has("b")), (false, true));
        let many = (0..CUTS_MAX).map(|number| number.to_string()).collect();
        assert!(cuts.change(CutChange::Set(many, deaf)).is_err());
        assert_eq!(cuts.len(), 1);
        assert!(cuts.change(CutChange::HealAll).is_ok());
        assert_eq!(cuts.len(), 0);
    }
}
