//! What hosts say to each other over a link: heads beside payloads, and messages of machines.

mod pair;

use foundation_frame::{DataHeader, encode_control};
use foundation_link::{
    Control, Destination, Event, HOST_SLOT, Link, LinkOptions, Micros, Payload, Refused, Source,
};
use pair::{Pair, Setup};

const HOST: Source = Source { slot: HOST_SLOT, generation: 0, serial: 0 };

fn bytes(count: usize) -> Vec<u8> {
    (0..count as u32).map(|at| (at * 31 + (at >> 8)) as u8).collect()
}

#[test]
fn a_head_arrives_with_its_payload_however_long_that_is_and_in_order() {
    for seed in 1..=4 {
        let is_split = seed % 2 == 0;
        let mut pair = Pair::new(Setup { seed, is_split, ..Setup::default() });
        // Within a frame, in one that lands, in several chunks, above a window.
        let lengths = [0, 1, 1_000, 20 << 10, 300 << 10, 2 << 20, 5];
        for (at, &length) in lengths.iter().enumerate() {
            let (head, body) = (vec![at as u8; at], bytes(length));
            let taken = pair.ends[0].link.enqueue_carrying(0, &head, Payload::Inline(&body));
            assert_eq!(taken, Ok(()));
        }
        pair.run_for(Micros::from_millis(1_000));
        let arrived = &pair.ends[1].host.delivered;
        let mut heads: Vec<Vec<u8>> = arrived.iter().map(|one| one.head.clone()).collect();
        for one in arrived {
            assert_eq!(one.destination, Destination::Process(HOST));
            assert_eq!(one.payload, bytes(lengths[one.head.len()]));
        }
        heads.sort();
        let sent: Vec<Vec<u8>> = (0..lengths.len()).map(|at| vec![at as u8; at]).collect();
        assert_eq!(heads, sent);
    }
}

#[test]
fn a_head_that_does_not_fit_its_area_is_refused() {
    let mut pair = Pair::new(Setup::default());
    let link = &mut pair.ends[0].link;
    let long = vec![1; Link::HEAD_BYTES_MAX + 1];
    assert_eq!(link.enqueue_carrying(0, &long, Payload::Inline(&[])), Err(Refused::TooLarge));
    assert_eq!(link.enqueue_carrying(0, &long[1..], Payload::Inline(&[])), Ok(()));
}

#[test]
fn an_entry_of_another_kind_is_no_head() {
    let mut pair = Pair::new(Setup::default());
    let mut extension = Vec::new();
    foundation_frame::extension_push(&mut extension, 9, b"trace").unwrap();
    let header = DataHeader { link_epoch: 7, sequence: 1, hop_limit: 1, ..DataHeader::default() };
    let mut wire = Vec::new();
    header.write_frame(&extension, b"plain", &mut wire).unwrap();
    let end = &mut pair.ends[1];
    end.link.handle(0, &wire, Micros(1), &mut end.host).unwrap();
    assert_eq!(end.host.delivered[0].head, b"");
    assert_eq!(end.host.delivered[0].payload, b"plain");
}

#[test]
fn what_hosts_say_comes_out_as_it_went_in_and_is_bounded_where_nobody_reads() {
    let mut pair = Pair::new(Setup::default());
    let said = Control::LinkUse(foundation_schema::LinkUse { wanted: false });
    assert!(pair.ends[0].link.tell_host(&said).is_some());
    pair.run_for(Micros::from_millis(5));
    let heard = Event::Host(Box::new(said));
    assert_eq!(pair.ends[1].host.count_events(|event| *event == heard), 1);

    let numbers = vec![u64::MAX; 4_000];
    let long = foundation_schema::Machine { numbers, ..foundation_schema::Machine::default() };
    let long = Control::Machine(long);
    let taken = (0..100).filter(|_| pair.ends[0].link.tell_host(&long).is_some()).count();
    assert!((32..40).contains(&taken), "{taken} of 32 KB each, 1 MiB may wait");
    assert_eq!(pair.ends[0].link.counters().control_refused, 100 - taken as u64);
}

#[test]
fn a_control_message_of_a_later_version_is_passed_over() {
    let mut pair = Pair::new(Setup { options: LinkOptions::default(), ..Setup::default() });
    let known = Control::LinkUse(foundation_schema::LinkUse { wanted: true }).encode().unwrap();
    // The union's tag is the one byte that has the value of the last but one member.
    let tag = known.iter().rposition(|&byte| byte == 16).unwrap();
    let mut unknown = known.clone();
    unknown[tag] = 200;
    let mut wire = Vec::new();
    encode_control(&unknown, 0, &mut wire).unwrap();
    encode_control(&known, 0, &mut wire).unwrap();
    let end = &mut pair.ends[1];
    assert_eq!(end.link.handle(0, &wire, Micros(1), &mut end.host), Ok(wire.len()));
    assert_eq!(end.link.counters().frames_skipped, 1);
    assert!(matches!(end.link.poll_event(), Some(Event::Host(_))));
}
