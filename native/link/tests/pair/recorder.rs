//! A host in small: a name table, a policy for settling, and a list of what was delivered.

use std::collections::BTreeMap;

use foundation_link::{
    Delivery, Destination, Event, LinkError, Micros, Names, Outbox, Payload, Source, Verdict,
};

/// What an outbox keeps of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub at: Micros,
    pub channel: u16,
    pub account: u16,
    pub is_charged: bool,
    pub source: Source,
    pub destination: Destination,
    pub is_request: bool,
    pub is_reply: bool,
    pub correlation: u32,
    pub reply_bytes_max: u32,
    pub head: Vec<u8>,
    pub payload: Vec<u8>,
}

/// When the handler of a delivery is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    AtOnce,
    After(Micros),
    /// Between nothing and so much later, by the recorder's own generator.
    Within(Micros),
    Never,
}

/// A settlement that is due later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub at: Micros,
    pub channel: u16,
    pub account: u16,
    pub payload_bytes: u64,
}

/// Records everything that one end's link puts out.
#[derive(Debug)]
pub struct Recorder {
    pub now: Micros,
    pub delivered: Vec<Delivered>,
    /// Whether payloads are kept; long transfers only count them.
    pub keeps_payloads: bool,
    pub delivered_bytes: u64,
    /// Deliveries whose bytes were in a slab.
    pub slabs: usize,
    pub events: Vec<(Micros, Event)>,
    pub failure: Option<LinkError>,
    pub settling: Settling,
    pub verdict: Verdict,
    pub due: Vec<Due>,
    /// Unsettled bytes and their highest sum, payloads alone.
    pub held_bytes: u64,
    pub held_bytes_max: u64,
    pub names: Vec<String>,
    /// Account of the isolate that answers to a name; isolate 0 answers to all others.
    pub owners: BTreeMap<String, u16>,
    pub names_max: usize,
    pub random: Random,
}

impl Recorder {
    pub fn new(seed: u64) -> Recorder {
        Recorder {
            now: Micros(0),
            delivered: Vec::new(),
            keeps_payloads: true,
            delivered_bytes: 0,
            slabs: 0,
            events: Vec::new(),
            failure: None,
            settling: Settling::AtOnce,
            verdict: Verdict::Taken,
            due: Vec::new(),
            held_bytes: 0,
            held_bytes_max: 0,
            names: Vec::new(),
            owners: BTreeMap::new(),
            names_max: usize::MAX,
            random: Random(seed),
        }
    }

    /// The number of a name in this end's table.
    pub fn name_id(&mut self, name: &str) -> u32 {
        let known = self.names.iter().position(|one| one == name);
        known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        }) as u32
    }

    /// The payloads that came from one sender, in order.
    pub fn payloads_from(&self, source: Source) -> Vec<Vec<u8>> {
        let from = self.delivered.iter().filter(|one| one.source == source);
        from.map(|one| one.payload.clone()).collect()
    }

    pub fn count_events(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, event)| wanted(event)).count()
    }
}

impl Outbox for Recorder {
    fn deliver(&mut self, delivery: Delivery<'_>) -> Verdict {
        let payload = delivery.payload.as_slice();
        self.delivered_bytes += payload.len() as u64;
        self.slabs += usize::from(matches!(delivery.payload, Payload::Slab(_)));
        self.delivered.push(Delivered {
            at: self.now,
            channel: delivery.channel,
            account: delivery.account,
            is_charged: delivery.is_charged,
            source: delivery.source,
            destination: delivery.destination,
            is_request: delivery.is_request,
            is_reply: delivery.is_reply,
            correlation: delivery.correlation,
            reply_bytes_max: delivery.reply_bytes_max,
            head: delivery.head.to_vec(),
            payload: if self.keeps_payloads { payload.to_vec() } else { Vec::new() },
        });
        if self.verdict != Verdict::Taken || !delivery.is_charged {
            return self.verdict;
        }
        self.held_bytes += payload.len() as u64;
        self.held_bytes_max = self.held_bytes_max.max(self.held_bytes);
        let delay = match self.settling {
            Settling::AtOnce => Micros(0),
            Settling::After(delay) => delay,
            Settling::Within(longest) => Micros(self.random.below(longest.0 + 1)),
            Settling::Never => return Verdict::Taken,
        };
        self.due.push(Due {
            at: self.now + delay,
            channel: delivery.channel,
            account: delivery.account,
            payload_bytes: payload.len() as u64,
        });
        Verdict::Taken
    }

    fn intern(&mut self, name: &str) -> Option<(u32, u16)> {
        if self.names.len() >= self.names_max && !self.names.iter().any(|one| one == name) {
            return None;
        }
        Some((self.name_id(name), self.owners.get(name).copied().unwrap_or(0)))
    }
}

/// The names of one end, apart from its recorder so that both can be lent at once.
pub struct NameList<'a>(pub &'a [String]);

impl Names for NameList<'_> {
    fn name(&self, id: u32) -> Option<String> {
        self.0.get(id as usize).cloned()
    }
}

/// Numbers that follow from a seed (xorshift64*), so that every run can be repeated.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit.max(1)
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}
