//! Members that came up, told to isolates some at a time: an event of its own for each of a
//! thousand costs an isolate more than what it says.

use foundation_machine::PeerId;

use super::{ClusterHost, Told};
use crate::events::life_text;

/// Text of one piece of news. Less than a record of the smallest ring may have, 4 KiB: further
/// members begin another one. A member that takes more by itself goes alone.
const TEXT_BYTES: usize = 3 << 10;
const HEAD: &str = r#"{"type":"membersUp","members":["#;
const TAIL: &str = "]}";

/// News that waits for more of its kind.
#[derive(Debug, Default)]
pub(crate) struct Ups {
    texts: Vec<String>,
}

impl Ups {
    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// One more member, behind those before.
    pub(crate) fn add(&mut self, member: &str) {
        let has_room = |text: &&mut String| text.len() + member.len() + TAIL.len() < TEXT_BYTES;
        match self.texts.last_mut().filter(has_room) {
            Some(text) => {
                text.push(',');
                text.push_str(member);
            }
            None => self.texts.push([HEAD, member].concat()),
        }
    }

    /// The news, each an event; none is left.
    pub(crate) fn take(&mut self) -> Vec<String> {
        let mut texts = std::mem::take(&mut self.texts);
        for text in &mut texts {
            text.push_str(TAIL);
        }
        texts
    }
}

/// A member as that news has it: number, name, address, life, blocked isolates, whether it leaves.
pub(super) fn member_text(cluster: &ClusterHost, peer: PeerId, told: Told) -> String {
    let directory = &cluster.directory;
    let (name, address) = (directory.name(peer.node), directory.address_text(peer.node));
    let life = life_text(peer.life);
    let member = (peer.node.0, name, address, life, told.busy_isolates, told.is_leaving);
    serde_json::to_string(&member).unwrap_or_default() // of numbers and texts, so it never fails
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_share_pieces_that_fit_a_ring_and_keep_their_order() {
        let mut ups = Ups::default();
        assert!(ups.is_empty());
        let members: Vec<String> = (0..100).map(|no| format!("[{no},\"{:090}\"]", no)).collect();
        members.iter().for_each(|member| ups.add(member));
        ups.add(&format!("[100,\"{:05000}\"]", 0));
        let texts = ups.take();
        assert!(ups.is_empty() && ups.take().is_empty());
        assert!(texts[..texts.len() - 1].iter().all(|text| text.len() <= TEXT_BYTES));
        assert_eq!(texts.len(), 5);
        let numbers = texts.iter().flat_map(|text| {
            let news: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(news["type"], "membersUp");
            let members = news["members"].as_array().unwrap().clone();
            members.into_iter().map(|member| member[0].as_u64().unwrap())
        });
        assert!(numbers.eq(0..=100));
    }
}
