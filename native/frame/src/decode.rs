//! Frames in: nothing is believed before its checksum, nothing awaited before its limit.

use crate::crc32c;
use crate::encode::header_crc;
use crate::error::FrameError;
use crate::extension::is_well_formed;
use crate::flags::Flags;
use crate::header::{DataHeader, u32_at};
use crate::layout::{self, DATA_HEADER_BYTES, PREFIX_BYTES, WORD_BYTES};
use crate::limits::Limits;

/// What [`decode`] found at the start of the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decoded<'a> {
    /// More bytes must arrive. Nothing is consumed.
    Incomplete {
        /// Length that the input must reach, counted from its start, before another attempt can
        /// get further. Never above [`Limits::frame_bytes_max`] or one data header.
        need: usize,
    },
    /// One whole frame.
    Frame {
        /// The frame, borrowed from the input.
        frame: Frame<'a>,
        /// Length of the frame: where the next one starts.
        consumed: usize,
    },
}

/// One frame, borrowed from the receive buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Frame<'a> {
    /// A message or a chunk of one.
    Data {
        /// Routing and delivery, checksum verified.
        header: DataHeader,
        /// Area for [`crate::ExtensionIter`]; well formed, mostly empty.
        extension: &'a [u8],
        /// The message's bytes, to be dropped and counted unless `payload_ok`.
        payload: &'a [u8],
        /// Whether the payload's checksum holds.
        payload_ok: bool,
    },
    /// A control message, checksum verified; the schema is not.
    Control {
        /// A table of the control schema.
        payload: &'a [u8],
    },
    /// A frame of a later version that allows to be skipped. The caller counts it.
    Skipped {
        /// The kind byte, ignorable bit included.
        kind: u8,
        /// Length of what was skipped.
        frame_bytes: usize,
    },
}

/// The head of a data frame, for a reader that takes the payload as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataHead {
    /// Routing and delivery, checksum verified.
    pub header: DataHeader,
    /// Header and extension area: where the payload begins. Unit: bytes.
    pub header_bytes: usize,
    /// Unit: bytes.
    pub payload_bytes: usize,
    /// What [`crate::crc32c()`] of the payload has to be.
    pub payload_crc: u32,
}

/// The prefix's lengths and kind, within the limits but not yet checksummed.
struct Prefix {
    frame_bytes: usize,
    header_bytes: usize,
    kind: u8,
    payload_crc: u32,
    header_crc: u32,
}

/// Reads the frame at the start of `input`, which may hold less or more than one.
///
/// Lengths are checked against `limits` as soon as they have arrived, the header's checksum as
/// soon as the header has, so a reader never buffers more than an honest frame of its limits.
/// After an error the stream has no known boundary: close the connection.
#[inline]
pub fn decode<'a>(input: &'a [u8], limits: &Limits) -> Result<Decoded<'a>, FrameError> {
    let Some(prefix) = input.first_chunk::<PREFIX_BYTES>() else {
        return decode_short(input, limits);
    };
    let prefix = Prefix::read(prefix, limits)?;
    if prefix.kind == layout::KIND_DATA {
        let Some(fixed) = input.first_chunk::<DATA_HEADER_BYTES>() else {
            return Ok(Decoded::Incomplete { need: DATA_HEADER_BYTES });
        };
        // Two fields state the header's length. Comparing them first keeps a damaged one from
        // making the reader wait for header bytes that never come.
        let extension_bytes = usize::from(fixed[layout::EXTENSION_WORDS]) * WORD_BYTES;
        if prefix.header_bytes != DATA_HEADER_BYTES + extension_bytes {
            return Err(FrameError::BadExtension);
        }
    }
    let Some(header) = input.get(..prefix.header_bytes) else {
        return Ok(Decoded::Incomplete { need: prefix.header_bytes });
    };
    if header_crc(header) != prefix.header_crc {
        return Err(FrameError::HeaderCrc);
    }
    prefix.check_kind()?;
    let Some(payload) = input.get(prefix.header_bytes..prefix.frame_bytes) else {
        // The rest of the header is checked before the payload is awaited.
        if prefix.kind == layout::KIND_DATA {
            prefix.data_header(header)?;
        }
        return Ok(Decoded::Incomplete { need: prefix.frame_bytes });
    };
    let frame = prefix.frame(header, payload)?;
    Ok(Decoded::Frame { frame, consumed: prefix.frame_bytes })
}

/// Reads the head of a data frame alone. `None` where the input begins with anything else, or with
/// less than a whole head. Errors are those of [`decode`].
pub fn decode_data_head(input: &[u8], limits: &Limits) -> Result<Option<DataHead>, FrameError> {
    let Some(prefix) = input.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    let prefix = Prefix::read(prefix, limits)?;
    let Some(header) = input.get(..prefix.header_bytes) else { return Ok(None) };
    if prefix.kind != layout::KIND_DATA {
        return Ok(None);
    }
    if header_crc(header) != prefix.header_crc {
        return Err(FrameError::HeaderCrc);
    }
    let (header, _) = prefix.data_header(header)?;
    Ok(Some(DataHead {
        header,
        header_bytes: prefix.header_bytes,
        payload_bytes: prefix.frame_bytes - prefix.header_bytes,
        payload_crc: prefix.payload_crc,
    }))
}

/// A prefix cut short: its length field, once there, is checked all the same, so that a
/// stranger's first four bytes ("GET ") are refused at once.
#[cold]
fn decode_short<'a>(input: &[u8], limits: &Limits) -> Result<Decoded<'a>, FrameError> {
    if let Some(length) = input.first_chunk::<4>() {
        check_frame_bytes(u32_at(length, layout::FRAME_BYTES) as usize, PREFIX_BYTES, limits)?;
    }
    Ok(Decoded::Incomplete { need: PREFIX_BYTES })
}

#[inline]
fn check_frame_bytes(
    frame_bytes: usize,
    header_bytes: usize,
    limits: &Limits,
) -> Result<(), FrameError> {
    let frame_bytes_max = limits.frame_bytes_max;
    if frame_bytes > frame_bytes_max {
        return Err(FrameError::FrameTooLarge { frame_bytes, frame_bytes_max });
    }
    if frame_bytes < header_bytes {
        return Err(FrameError::FrameTooShort { frame_bytes, header_bytes });
    }
    Ok(())
}

impl Prefix {
    #[inline]
    fn read(bytes: &[u8; PREFIX_BYTES], limits: &Limits) -> Result<Prefix, FrameError> {
        let prefix = Prefix {
            frame_bytes: u32_at(bytes, layout::FRAME_BYTES) as usize,
            header_bytes: usize::from(bytes[layout::HEADER_WORDS]) * WORD_BYTES,
            kind: bytes[layout::KIND],
            payload_crc: u32_at(bytes, layout::PAYLOAD_CRC),
            header_crc: u32_at(bytes, layout::HEADER_CRC),
        };
        let header_bytes = prefix.header_bytes;
        let header_bytes_min =
            if prefix.kind == layout::KIND_DATA { DATA_HEADER_BYTES } else { PREFIX_BYTES };
        if header_bytes < header_bytes_min {
            return Err(FrameError::HeaderTooShort { header_bytes, header_bytes_min });
        }
        check_frame_bytes(prefix.frame_bytes, header_bytes, limits)?;
        if !matches!(prefix.kind, layout::KIND_DATA | layout::KIND_CONTROL) {
            // A reader has to hold all of what it does not know before it can skip it.
            let frame_bytes_max = header_bytes + limits.control_bytes_max;
            let limits = Limits { frame_bytes_max, ..*limits };
            check_frame_bytes(prefix.frame_bytes, header_bytes, &limits)?;
        }
        if prefix.kind == layout::KIND_CONTROL {
            if header_bytes > PREFIX_BYTES {
                return Err(FrameError::HeaderTooLong { header_bytes });
            }
            let control_bytes = prefix.frame_bytes - header_bytes;
            let control_bytes_max = limits.control_bytes_max;
            if control_bytes > control_bytes_max {
                return Err(FrameError::ControlTooLarge { control_bytes, control_bytes_max });
            }
        }
        Ok(prefix)
    }

    /// Refuses an unknown kind that may not be skipped, once the checksum says it is real.
    #[inline]
    fn check_kind(&self) -> Result<(), FrameError> {
        match self.kind {
            layout::KIND_DATA | layout::KIND_CONTROL => Ok(()),
            kind if kind & layout::KIND_IGNORABLE != 0 => Ok(()),
            kind => Err(FrameError::UnknownMandatory { kind }),
        }
    }

    #[inline]
    fn frame<'a>(&self, header: &'a [u8], payload: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        match self.kind {
            layout::KIND_DATA => {
                let (header, extension) = self.data_header(header)?;
                let payload_ok = crc32c(payload) == self.payload_crc;
                Ok(Frame::Data { header, extension, payload, payload_ok })
            }
            layout::KIND_CONTROL if crc32c(payload) == self.payload_crc => {
                Ok(Frame::Control { payload })
            }
            layout::KIND_CONTROL => Err(FrameError::ControlCrc),
            kind => Ok(Frame::Skipped { kind, frame_bytes: self.frame_bytes }),
        }
    }

    /// Reads and checks the fields of a data header whose lengths and checksum hold.
    #[inline]
    fn data_header<'a>(&self, header: &'a [u8]) -> Result<(DataHeader, &'a [u8]), FrameError> {
        let Some((fixed, extension)) = header.split_first_chunk::<DATA_HEADER_BYTES>() else {
            // `Prefix::read` has refused data headers this short; the type does not know it.
            return Err(FrameError::BadExtension);
        };
        let fields = DataHeader::read(fixed);
        if fields.flags.intersects(Flags::RESERVED) {
            return Err(FrameError::ReservedFlag { flags: fields.flags.0 });
        }
        if fields.flags.contains(Flags::EXTENDED) == extension.is_empty()
            || !is_well_formed(extension)
        {
            return Err(FrameError::BadExtension);
        }
        let payload_bytes = self.frame_bytes - self.header_bytes;
        if !fields.admits(payload_bytes) {
            return Err(FrameError::BadChunk {
                message_bytes: fields.message_bytes,
                chunk_offset: fields.chunk_offset,
                payload_bytes,
            });
        }
        Ok((fields, extension))
    }
}
