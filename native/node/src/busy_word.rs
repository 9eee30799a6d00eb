//! How often a node tells its cluster that it is busy. Everybody hears of it, and where hundreds of
//! nodes share an event loop all of them are busy at once: hearing of that takes the loop so long
//! that it may be blocked anew, and so on for good. So the larger the cluster, the seldomer.

use foundation_link::Micros;

/// A node may say that it is busy once in so long a time for each member. All of them together then
/// say it 20 times a second, however many they are, and as often that they are idle.
const PER_MEMBER: Micros = Micros::from_millis(50);

/// What was said last.
#[derive(Debug, Default)]
pub(crate) struct BusyWord {
    said: u16,
    /// When more may be said than that nobody is blocked any more.
    next_at: Micros,
}

impl BusyWord {
    /// What is to be said now that so many isolates are blocked. Asked again and again: what is not
    /// said yet is said later, if it still holds then.
    pub(crate) fn say(&mut self, blocked: u16, now: Micros, members: usize) -> Option<u16> {
        if blocked == self.said || (blocked > 0 && now < self.next_at) {
            return None;
        }
        if blocked > 0 {
            self.next_at = now + Micros(PER_MEMBER.0 * members as u64);
        }
        self.said = blocked;
        Some(blocked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Micros {
        Micros::from_millis(millis)
    }

    #[test]
    fn a_first_block_and_its_end_are_said_at_once_and_the_latest_of_the_next_ones_later() {
        let mut word = BusyWord::default();
        assert_eq!(word.say(0, at(1), 100), None);
        assert_eq!(word.say(1, at(1_000), 100), Some(1));
        assert_eq!(word.say(1, at(1_100), 100), None);
        assert_eq!(word.say(0, at(1_200), 100), Some(0));
        // Blocked again, and by more of them: not yet.
        assert_eq!(word.say(1, at(2_400), 100), None);
        assert_eq!(word.say(3, at(5_999), 100), None);
        assert_eq!(word.say(3, at(6_000), 100), Some(3));
        // What is over by then is never said.
        assert_eq!(word.say(0, at(6_100), 100), Some(0));
        assert_eq!(word.say(1, at(7_000), 100), None);
        assert_eq!(word.say(0, at(12_000), 100), None);
    }

    #[test]
    fn a_loop_that_is_blocked_again_and_again_is_not_told_of_each_time() {
        let mut word = BusyWord::default();
        let mut said = 0;
        for second in 0..100 {
            said += usize::from(word.say(1, at(second * 1_000), 1_000).is_some());
            said += usize::from(word.say(0, at(second * 1_000 + 500), 1_000).is_some());
        }
        assert_eq!(said, 4);
    }
}
