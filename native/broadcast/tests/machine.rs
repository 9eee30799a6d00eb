//! One Plumtree, driven by hand.

use foundation_broadcast::{
    ANNOUNCEMENTS_MAX, Announcement, BroadcastId, BroadcastInput, BroadcastOutput, Plumtree,
    PlumtreeMessage, PlumtreeOptions,
};
use foundation_machine::{Micros, NodeLife, NodeNo, PeerId, Rng};

type Payload = Vec<u8>;
type Output = BroadcastOutput<Payload>;
type Message = PlumtreeMessage<Payload>;

fn peer(node: u32) -> PeerId {
    PeerId { node: NodeNo(node), life: NodeLife::default() }
}

const OWN: u32 = 0;
const ORIGIN: u32 = 9;

fn id(sequence: u64) -> BroadcastId {
    BroadcastId { origin: peer(ORIGIN), sequence }
}

struct Bench {
    tree: Plumtree<Payload>,
    now: Micros,
}

impl Bench {
    /// With these neighbours; what that leads to is over.
    fn new(neighbours: &[u32], options: PlumtreeOptions) -> Bench {
        let tree = Plumtree::new(options, peer(OWN), Rng::new(1), Micros(0));
        let mut bench = Bench { tree, now: Micros(0) };
        for &neighbour in neighbours {
            bench.give(BroadcastInput::NeighbourUp(peer(neighbour)));
        }
        bench
    }

    fn give(&mut self, input: BroadcastInput<Payload>) -> Vec<Output> {
        let mut out = Vec::new();
        self.tree.handle(input, self.now, &mut out);
        out
    }

    fn hear(&mut self, from: u32, message: Message) -> Vec<Output> {
        self.give(BroadcastInput::Received { from: peer(from), message })
    }

    fn gossip(&mut self, from: u32, sequence: u64, round: u16) -> Vec<Output> {
        self.hear(from, PlumtreeMessage::Gossip { id: id(sequence), round, payload: vec![7; 10] })
    }

    fn announce(&mut self, from: u32, sequence: u64, round: u16) -> Vec<Output> {
        self.hear(from, PlumtreeMessage::IHave(vec![Announcement { id: id(sequence), round }]))
    }

    /// Lets time pass, timer by timer; answers what was sent, without summaries.
    fn pass(&mut self, millis: u64) -> Vec<(PeerId, Message)> {
        let end = self.now + Micros::from_millis(millis);
        let mut out = Vec::new();
        while self.tree.due() <= end {
            self.now = self.tree.due();
            out.extend(self.give(BroadcastInput::Due));
        }
        self.now = end;
        let mut sent = sent(&out);
        sent.retain(|(_, message)| !matches!(message, PlumtreeMessage::Summary { .. }));
        sent
    }

    fn eager(&self) -> Vec<PeerId> {
        self.tree.eager().collect()
    }

    fn lazy(&self) -> Vec<PeerId> {
        self.tree.lazy().collect()
    }
}

fn bench(neighbours: &[u32]) -> Bench {
    Bench::new(neighbours, PlumtreeOptions::default())
}

fn sent(out: &[Output]) -> Vec<(PeerId, Message)> {
    let sent = out.iter().filter_map(|output| match output {
        BroadcastOutput::Send { to, message } => Some((*to, message.clone())),
        BroadcastOutput::Deliver { .. } => None,
    });
    sent.collect()
}

fn deliveries(out: &[Output]) -> usize {
    out.iter().filter(|output| matches!(output, BroadcastOutput::Deliver { .. })).count()
}

fn graft(to: u32, sequence: u64) -> (PeerId, Message) {
    (peer(to), PlumtreeMessage::Graft(Some(id(sequence))))
}

#[test]
fn a_payload_that_comes_again_is_not_delivered_and_its_link_leaves_the_tree() {
    let mut bench = bench(&[1, 2]);
    assert_eq!(deliveries(&bench.gossip(1, 0, 1)), 1);
    let again = bench.gossip(2, 0, 1);
    assert_eq!(sent(&again), [(peer(2), PlumtreeMessage::Prune)]);
    assert_eq!(deliveries(&again), 0);
    assert_eq!((bench.eager(), bench.lazy()), (vec![peer(1)], vec![peer(2)]));
}

#[test]
fn a_pruned_neighbour_hears_of_broadcasts_together_after_five_milliseconds() {
    let mut bench = bench(&[1, 2]);
    bench.hear(2, PlumtreeMessage::Prune);
    bench.gossip(1, 0, 3);
    bench.gossip(1, 1, 3);
    let announcements = [0, 1].map(|sequence| Announcement { id: id(sequence), round: 4 }).to_vec();
    assert_eq!(bench.pass(5), [(peer(2), PlumtreeMessage::IHave(announcements))]);
}

#[test]
fn what_is_announced_and_does_not_come_is_asked_for_from_one_after_the_other() {
    let mut bench = bench(&[1, 2, 3]);
    bench.announce(2, 0, 1);
    bench.announce(3, 0, 1);
    assert_eq!(bench.pass(499), []);
    assert_eq!(bench.pass(1_000), [graft(2, 0), graft(3, 0)]);
    assert_eq!(bench.pass(1_000), []);
    // A further announcer is asked at once.
    bench.announce(1, 0, 1);
    assert_eq!(bench.pass(1), [graft(1, 0)]);
}

#[test]
fn the_next_announcer_is_asked_at_once_when_the_first_has_nothing_or_is_gone() {
    let mut bench = bench(&[1, 2, 3]);
    for announcer in [1, 2, 3] {
        bench.announce(announcer, 0, 1);
        bench.give(BroadcastInput::RoundTrip { peer: peer(announcer), rtt: Micros(40_000_000) });
    }
    let mut asked = bench.pass(600);
    bench.hear(1, PlumtreeMessage::Stale(id(0)));
    asked.extend(bench.pass(1));
    bench.give(BroadcastInput::NeighbourDown(peer(2)));
    asked.extend(bench.pass(1));
    assert_eq!(asked, [graft(1, 0), graft(2, 0), graft(3, 0)]);
    assert_eq!(bench.tree.counters().stale, 1);
}

#[test]
fn a_graft_is_answered_from_the_cache_and_after_its_time_with_a_stale_note() {
    let mut bench = bench(&[1, 2]);
    bench.gossip(1, 0, 1);
    bench.hear(2, PlumtreeMessage::Prune);
    let answer = sent(&bench.hear(2, PlumtreeMessage::Graft(Some(id(0)))));
    let payload = PlumtreeMessage::Gossip { id: id(0), round: 2, payload: vec![7; 10] };
    assert_eq!(answer, [(peer(2), payload)]);
    assert_eq!(bench.eager(), [peer(1), peer(2)]);
    bench.pass(45_000);
    let answer = sent(&bench.hear(2, PlumtreeMessage::Graft(Some(id(0)))));
    assert_eq!(answer, [(peer(2), PlumtreeMessage::Stale(id(0)))]);
}

#[test]
fn a_much_shorter_way_takes_the_place_of_the_one_that_was_faster() {
    for (round, is_shorter) in [(8, true), (7, false)] {
        let mut bench = bench(&[1, 2]);
        bench.hear(2, PlumtreeMessage::Prune);
        bench.announce(2, 0, 1);
        let out = sent(&bench.gossip(1, 0, round));
        let swapped = [(peer(2), PlumtreeMessage::Graft(None)), (peer(1), PlumtreeMessage::Prune)];
        assert_eq!(out == swapped, is_shorter, "{out:?}");
        let eager = if is_shorter { peer(2) } else { peer(1) };
        assert_eq!(bench.eager(), [eager]);
    }
}

#[test]
fn a_copy_is_refused_however_late_it_comes() {
    let mut bench = bench(&[1, 2]);
    bench.gossip(1, 0, 1);
    bench.pass(3_600_000);
    assert_eq!(deliveries(&bench.gossip(2, 0, 1)), 0);
    assert_eq!(deliveries(&bench.gossip(2, 1, 1)), 1);
}

#[test]
fn own_broadcasts_are_numbered_delivered_once_and_not_when_they_come_back() {
    let mut bench = bench(&[1]);
    for sequence in 0..3 {
        let out = bench.give(BroadcastInput::Broadcast(vec![1]));
        let own = BroadcastId { origin: peer(OWN), sequence };
        let delivered = out.iter().any(
            |output| matches!(output, BroadcastOutput::Deliver { id, round: 0, .. } if *id == own),
        );
        assert!(delivered, "{out:?}");
        let message = PlumtreeMessage::Gossip { id: own, round: 2, payload: vec![1] };
        assert_eq!(deliveries(&bench.hear(1, message)), 0);
    }
}

/// What `from` says goes to `to` and back, until both are silent; answers deliveries at `to`.
fn talk(from: &mut Bench, to: &mut Bench, first: Vec<Output>) -> usize {
    let (mut forth, mut delivered) = (sent(&first), 0);
    let mut back = Vec::new();
    while !forth.is_empty() || !back.is_empty() {
        for (_, message) in std::mem::take(&mut forth) {
            let out = to.hear(1, message);
            delivered += deliveries(&out);
            back.extend(sent(&out));
        }
        for (_, message) in std::mem::take(&mut back) {
            forth.extend(sent(&from.hear(OWN, message)));
        }
    }
    delivered
}

#[test]
fn what_went_astray_between_two_links_is_found_and_what_is_older_than_a_node_is_not() {
    let mut holder = Bench::new(&[], PlumtreeOptions::default());
    holder.tree = Plumtree::new(PlumtreeOptions::default(), peer(1), Rng::new(2), Micros(0));
    holder.gossip(5, 0, 1);
    holder.now = Micros::from_millis(1_000);
    // It began between the two broadcasts.
    let mut newcomer = bench(&[]);
    newcomer.tree =
        Plumtree::new(PlumtreeOptions::default(), peer(OWN), Rng::new(3), Micros(500_000));
    newcomer.now = holder.now;
    holder.gossip(5, 1, 1);
    newcomer.give(BroadcastInput::NeighbourUp(peer(1)));
    let summary = holder.give(BroadcastInput::NeighbourUp(peer(OWN)));
    talk(&mut holder, &mut newcomer, summary);
    assert_eq!(newcomer.tree.missing(), 1);
    let asked = newcomer.pass(600);
    assert_eq!(asked, [graft(1, 1)]);
    let answer = holder.hear(OWN, asked[0].1.clone());
    assert_eq!(talk(&mut holder, &mut newcomer, answer), 1);
    assert!(newcomer.tree.knows(id(1)) && !newcomer.tree.knows(id(0)));
}

#[test]
fn what_is_missing_cached_and_remembered_is_bounded() {
    let options = PlumtreeOptions {
        missing_max: 2,
        origins_max: 2,
        cache_bytes_max: 25,
        ..PlumtreeOptions::default()
    };
    let mut bench = Bench::new(&[1], options);
    (0..4).for_each(|sequence| drop(bench.announce(1, sequence, 1)));
    assert_eq!((bench.tree.missing(), bench.tree.counters().missing_refused), (2, 2));
    (0..4).for_each(|sequence| drop(bench.gossip(1, sequence, 1)));
    assert_eq!(bench.tree.cached(), (2, 20));
    for origin in 20..23 {
        let id = BroadcastId { origin: peer(origin), sequence: 0 };
        bench.hear(1, PlumtreeMessage::Gossip { id, round: 1, payload: vec![] });
    }
    assert_eq!((bench.tree.origins(), bench.tree.counters().origins_refused), (2, 2));
}

#[test]
fn messages_that_nobody_would_send_are_counted_and_change_nothing() {
    let mut bench = bench(&[1]);
    let own = BroadcastId { origin: peer(OWN), sequence: 5 };
    let far = BroadcastId { origin: peer(ORIGIN), sequence: u64::MAX };
    let word = Announcement { id: id(0), round: 1 };
    let payload = vec![];
    for message in [
        PlumtreeMessage::Gossip { id: own, round: 1, payload: payload.clone() },
        PlumtreeMessage::Gossip { id: far, round: 1, payload: payload.clone() },
        PlumtreeMessage::Gossip { id: id(0), round: 0, payload },
        PlumtreeMessage::IHave(vec![word; ANNOUNCEMENTS_MAX + 1]),
    ] {
        assert_eq!(bench.hear(1, message), []);
    }
    assert_eq!(bench.tree.counters().malformed, 4);
    // Only payloads are taken from a peer that is no neighbour.
    assert_eq!(bench.announce(8, 0, 1), []);
    assert_eq!(bench.tree.counters().strangers, 1);
    assert_eq!(deliveries(&bench.gossip(8, 0, 1)), 1);
    assert_eq!((bench.eager(), bench.tree.missing()), (vec![peer(1)], 0));
}

#[test]
fn a_tree_that_lags_behind_a_neighbours_word_is_waited_for_longer() {
    let mut bench = bench(&[1, 2]);
    bench.hear(2, PlumtreeMessage::Prune);
    // For a while the tree is first: the wait comes down to its floor.
    for sequence in 0..400 {
        bench.gossip(1, sequence, 1);
        bench.announce(2, sequence, 1);
    }
    bench.pass(5);
    bench.announce(2, 400, 1);
    assert_eq!(bench.pass(100), [graft(2, 400)]);
    // The graft was in vain: the tree brings it 150 ms after the word, and a duplicate says so.
    bench.gossip(2, 400, 1);
    bench.pass(50);
    bench.gossip(1, 400, 1);
    bench.hear(2, PlumtreeMessage::Prune);
    bench.announce(2, 401, 1);
    assert_eq!(bench.pass(290), []);
    assert_eq!(bench.pass(50), [graft(2, 401)]);
}

/// An answer serves whoever asked to find out what the other end lacks.
#[test]
fn a_summary_is_answered_where_the_asking_side_has_something_to_offer() {
    let wants = |out: &[Output]| match &sent(out)[..] {
        [(_, PlumtreeMessage::Summary { wants_reply, .. })] => *wants_reply,
        other => panic!("no summary: {other:?}"),
    };
    let mut bench = bench(&[]);
    assert!(!wants(&bench.give(BroadcastInput::NeighbourUp(peer(1)))));
    bench.gossip(1, 0, 1);
    let asked = bench.give(BroadcastInput::NeighbourUp(peer(2)));
    assert!(wants(&asked));
    // The other end, which has nothing, answers; what it lacks is offered then.
    let mut other = Bench::new(&[], PlumtreeOptions::default());
    other.give(BroadcastInput::NeighbourUp(peer(ORIGIN)));
    let question = sent(&asked).remove(0).1;
    let answer = sent(&other.hear(ORIGIN, question)).remove(0).1;
    let offered = sent(&bench.hear(2, answer)).remove(0).1;
    assert!(matches!(offered, PlumtreeMessage::Offer(list) if list[0].id == id(0)));
}
