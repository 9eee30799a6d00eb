//! Connections that have not proved who they are: how many are held, and which one makes way.
//!
//! Refusing newcomers at the limit would let 256 silent connections keep every honest node out. So
//! the one that has been held longest makes way. An honest handshake is over long before that many
//! others have come after it, unless a whole cluster joins over one seed: so while all of them are
//! fresh, newcomers wait in the system's queue, which forgets none of them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use foundation_link::Micros;
use tokio::sync::Notify;

/// Unauthenticated connections held at once, and from one address: strangers must not use up what
/// members need.
const STRANGERS_MAX: usize = 256;
const STRANGERS_PER_ADDRESS_MAX: usize = 32;
/// While all are held for less than this, the next one waits: a handshake takes two round trips,
/// and 256 of them some ms of work. Silent connections keep a place for no longer, where others
/// wait.
const SPARED: Micros = Micros::from_millis(250);
/// A thread that is behind gives each of them this many rounds: where a thousand nodes began on two
/// cores, 59 to 88 of 250 had to make way after 250 ms.
const SPARED_ROUNDS: u64 = 10;
/// And no more than this.
const SPARED_MAX: Micros = Micros::from_millis(1_000);
/// Refused nodes that isolates hear of in a second; all are counted.
const REFUSALS_TOLD_PER_SECOND_MAX: u32 = 10;

#[derive(Debug)]
struct Stranger {
    from: IpAddr,
    since: Micros,
    evicted: Arc<Notify>,
}

/// A place among the strangers.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) ticket: u64,
    /// Notified when this connection has to make way for a later one.
    pub(crate) evicted: Arc<Notify>,
}

/// The strangers of one node, in the order of their coming.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    held: BTreeMap<u64, Stranger>,
    next_ticket: u64,
    /// Notified when a place becomes free.
    freed: Arc<Notify>,
    second: u64,
    refusals_told: u32,
}

impl Strangers {
    /// Holds one more; where that is too many, an older one is told to make way.
    pub(crate) fn admit(&mut self, from: IpAddr, now: Micros) -> Place {
        // Loopback is one address for all local nodes: only the sum bounds it.
        let is_crowded =
            !crate::keys::is_loopback(from) && self.held_from(from) >= STRANGERS_PER_ADDRESS_MAX;
        let mut candidates = self.held.iter();
        let leaving = if is_crowded {
            candidates.find(|(_, stranger)| stranger.from == from)
        } else if self.held.len() >= STRANGERS_MAX {
            candidates.next()
        } else {
            None
        };
        if let Some(ticket) = leaving.map(|(&ticket, _)| ticket)
            && let Some(stranger) = self.held.remove(&ticket)
        {
            stranger.evicted.notify_one();
        }
        let (ticket, evicted) = (self.next_ticket, Arc::new(Notify::new()));
        self.next_ticket += 1;
        self.held.insert(ticket, Stranger { from, since: now, evicted: Arc::clone(&evicted) });
        Place { ticket, evicted }
    }

    /// Until when newcomers are better left in the system's queue, and what tells of a place that
    /// becomes free before; `None` where one may come. `lag`: what a socket waits for its turn.
    pub(crate) fn full_until(&self, now: Micros, lag: Micros) -> Option<(Micros, Arc<Notify>)> {
        if self.held.len() < STRANGERS_MAX {
            return None;
        }
        let (_, oldest) = self.held.first_key_value()?;
        let rounds = Micros(lag.0.saturating_mul(SPARED_ROUNDS));
        let until = oldest.since + rounds.clamp(SPARED, SPARED_MAX);
        (until > now).then(|| (until, Arc::clone(&self.freed)))
    }

    fn held_from(&self, from: IpAddr) -> usize {
        self.held.values().filter(|stranger| stranger.from == from).count()
    }

    /// The connection is a stranger's no more: it proved itself, or it is gone.
    pub(crate) fn release(&mut self, ticket: u64) {
        if self.held.remove(&ticket).is_some() {
            self.freed.notify_one();
        }
    }

    /// Strangers held now.
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether isolates may hear of one more refused node: who is refused can try again at once,
    /// and news waits in memory where an isolate is stalled.
    pub(crate) fn may_tell_refusal(&mut self, now: Micros) -> bool {
        let second = now.0 / 1_000_000;
        if second != self.second {
            (self.second, self.refusals_told) = (second, 0);
        }
        self.refusals_told += 1;
        self.refusals_told <= REFUSALS_TOLD_PER_SECOND_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn was_evicted(place: &Place) -> bool {
        use std::future::Future;
        use std::task::{Context, Waker};
        let notified = std::pin::pin!(place.evicted.notified());
        notified.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn the_longest_held_makes_way_for_the_newest() {
        let mut strangers = Strangers::default();
        let first: Vec<Place> =
            (0..STRANGERS_MAX).map(|_| strangers.admit(LOOPBACK, Micros(0))).collect();
        assert!(first.iter().all(|place| !was_evicted(place)));
        strangers.release(first[0].ticket);
        strangers.admit(LOOPBACK, Micros(0));
        strangers.admit(LOOPBACK, Micros(0));
        assert_eq!(strangers.len(), STRANGERS_MAX);
        let evicted: Vec<bool> = first[..3].iter().map(was_evicted).collect();
        assert_eq!(evicted, [false, true, false]);
    }

    #[test]
    fn newcomers_wait_while_all_that_are_held_are_fresh() {
        let mut strangers = Strangers::default();
        let first = strangers.admit(LOOPBACK, Micros(0));
        for _ in 2..STRANGERS_MAX {
            strangers.admit(LOOPBACK, Micros(10));
        }
        assert!(strangers.full_until(Micros(10), Micros(0)).is_none());
        let last = strangers.admit(LOOPBACK, Micros(10));
        let (until, _) = strangers.full_until(Micros(10), Micros(0)).expect("all places are taken");
        assert_eq!(until, SPARED);
        assert!(
            strangers.full_until(SPARED, Micros(0)).is_none(),
            "the oldest one has had its time"
        );
        strangers.release(last.ticket);
        assert!(strangers.full_until(Micros(10), Micros(0)).is_none(), "a place is free");
        strangers.admit(LOOPBACK, Micros(10));
        strangers.release(first.ticket);
        strangers.admit(LOOPBACK, Micros(20));
        let full_until = |lag| strangers.full_until(Micros(20), lag).expect("all are taken").0;
        assert_eq!(full_until(Micros(0)), Micros(10) + SPARED);
        assert_eq!(full_until(Micros::from_millis(60)), Micros(10) + Micros::from_millis(600));
        assert_eq!(full_until(Micros::NEVER), Micros(10) + SPARED_MAX, "whatever the lag");
    }

    #[test]
    fn one_address_off_loopback_holds_a_share_and_takes_no_other_ones_place() {
        let mut strangers = Strangers::default();
        let other = strangers.admit(address(1), Micros(0));
        let crowd: Vec<Place> = (0..=STRANGERS_PER_ADDRESS_MAX)
            .map(|_| strangers.admit(address(2), Micros(0)))
            .collect();
        assert_eq!(strangers.len(), 1 + STRANGERS_PER_ADDRESS_MAX);
        assert!(!was_evicted(&other) && was_evicted(&crowd[0]) && !was_evicted(&crowd[1]));
    }

    #[test]
    fn refusals_are_told_a_few_times_a_second() {
        let mut strangers = Strangers::default();
        let second = Micros::from_millis(1_000);
        let told = (0..1_000).filter(|_| strangers.may_tell_refusal(second)).count();
        assert_eq!(told, 10);
        assert!(strangers.may_tell_refusal(second + second));
    }
}
