//! Payloads of large frames that go to their slab as they come: neither the link nor its host keeps
//! the beginning of one until the rest is there.

use foundation_frame::layout::DATA_HEADER_BYTES;
use foundation_frame::{DataHeader, Limits, crc32c_append, decode_data_head};

use crate::error::LinkError;
use crate::link::Link;
use crate::message::Outbox;
use foundation_machine::Micros;

/// Shortest payload that is taken in parts, and that gets a slab of its own however it comes.
/// Shorter ones wait to be whole: most of them travel through rings.
pub(crate) const LANDING_BYTES_MIN: usize = 16 << 10;

/// A frame whose head is checked and whose payload has not come whole.
#[derive(Debug)]
pub(crate) struct Landing {
    header: DataHeader,
    payload_bytes: usize,
    payload_crc: u32,
    /// Payload that has come, and its checksum so far.
    landed_bytes: usize,
    crc: u32,
    /// Its message was turned away with the head: the rest is read and dropped.
    is_dropped: bool,
}

impl Landing {
    fn left_bytes(&self) -> usize {
        self.payload_bytes - self.landed_bytes
    }
}

impl Link {
    /// Where the next bytes of a lane belong, if they are the payload of a large frame. Bytes that
    /// were put there from the front are told to [`Link::landed`], all others are given to
    /// [`Link::handle`].
    pub fn landing(&mut self, lane: u8) -> Option<&mut [u8]> {
        let landing = self.lanes.get(lane as usize)?.landing.as_ref()?;
        if landing.is_dropped {
            return None;
        }
        self.reassembly.place(&landing.header, landing.landed_bytes..landing.payload_bytes)
    }

    /// So many bytes of a lane were put where [`Link::landing`] had said.
    ///
    /// # Errors
    /// Those of [`Link::handle`].
    pub fn landed(
        &mut self,
        lane: u8,
        count: usize,
        now: Micros,
        out: &mut impl Outbox,
    ) -> Result<(), LinkError> {
        self.keep_alive.received(now);
        let Some(state) = self.lanes.get_mut(lane as usize) else { return Ok(()) };
        let Some(landing) = &mut state.landing else { return Ok(()) };
        let from = landing.landed_bytes;
        let to = from + count.min(landing.left_bytes());
        if let Some(place) = self.reassembly.place(&landing.header, from..to) {
            landing.crc = crc32c_append(landing.crc, place);
        }
        landing.landed_bytes = to;
        self.counters.bytes_received += (to - from) as u64;
        self.finish_landing(lane, now, out)
    }

    /// Takes the bytes at the start of the input that belong to a payload under way; answers how
    /// many.
    pub(crate) fn go_on_landing(
        &mut self,
        lane: u8,
        input: &[u8],
        now: Micros,
        out: &mut impl Outbox,
    ) -> Result<usize, LinkError> {
        let Some(state) = self.lanes.get_mut(lane as usize) else { return Ok(0) };
        let Some(landing) = &mut state.landing else { return Ok(0) };
        let part = &input[..input.len().min(landing.left_bytes())];
        let from = landing.landed_bytes;
        let to = from + part.len();
        if !landing.is_dropped {
            landing.crc = crc32c_append(landing.crc, part);
            if let Some(place) = self.reassembly.place(&landing.header, from..to) {
                place.copy_from_slice(part);
            }
        }
        landing.landed_bytes = to;
        self.counters.bytes_received += part.len() as u64;
        let count = part.len();
        self.finish_landing(lane, now, out)?;
        Ok(count)
    }

    /// Begins to take a payload in parts if the input is the beginning of a large frame; answers
    /// how many bytes were used: all of them, or none.
    pub(crate) fn begin_landing(
        &mut self,
        lane: u8,
        input: &[u8],
        now: Micros,
    ) -> Result<usize, LinkError> {
        let Some(head) = decode_data_head(input, &Limits::default())? else { return Ok(0) };
        let header = head.header;
        let is_lane = (lane as usize) < self.lanes.len();
        if head.payload_bytes < LANDING_BYTES_MIN || !is_lane {
            return Ok(0);
        }
        // What is dropped is not waited for either: it might be long.
        let is_stale = header.link_epoch != self.epoch;
        self.counters.stale_epoch += u64::from(is_stale);
        // Credit is booked before memory is given.
        let is_dropped = is_stale || header.chunk_offset == 0 && !self.begin(&header)?;
        if !is_dropped {
            let deadline = now + self.options.reassembly_timeout;
            let extension = &input[DATA_HEADER_BYTES..head.header_bytes];
            let parts = (&header, extension);
            self.reassembly.open(parts, head.payload_bytes, &self.pool, deadline)?;
        }
        let payload = &input[head.header_bytes..];
        if !is_dropped && let Some(place) = self.reassembly.place(&header, 0..payload.len()) {
            place.copy_from_slice(payload);
        }
        self.counters.bytes_received += input.len() as u64;
        self.lanes[lane as usize].landing = Some(Landing {
            header,
            payload_bytes: head.payload_bytes,
            payload_crc: head.payload_crc,
            landed_bytes: payload.len(),
            crc: crc32c_append(0, payload),
            is_dropped,
        });
        Ok(input.len())
    }

    fn finish_landing(
        &mut self,
        lane: u8,
        now: Micros,
        out: &mut impl Outbox,
    ) -> Result<(), LinkError> {
        let state = &mut self.lanes[lane as usize];
        let Some(landing) = state.landing.take_if(|landing| landing.left_bytes() == 0) else {
            return Ok(());
        };
        if landing.is_dropped {
            return Ok(());
        }
        if landing.crc != landing.payload_crc {
            self.counters.payload_crc_failures += 1;
            self.abandon(landing.header.sequence);
            return Ok(());
        }
        let deadline = now + self.options.reassembly_timeout;
        let part = self.reassembly.advance(&landing.header, landing.payload_bytes, deadline)?;
        self.take_part(part, out);
        Ok(())
    }
}
