//! The walk over messages of version 0 and 1: one that stands alone, or those inside a compressed one.

use volley_api::TimestampType;

use super::Incoming;
use super::compression::{Codec, Decompressed, Decompressor};
use super::error::{Fault, Part, RecordsError};
use super::framing::{Frame, Framing, frame};
use super::reader::Reader;
use super::rows::{Rows, Walked};

/// Bytes before the checksum: offset and length.
const BEFORE_CRC: usize = 12;

/// Where the checked bytes begin: behind the checksum.
const CHECKED_FROM: usize = 16;

const LOG_APPEND_TIME: u8 = 1 << 3;

/// One message.
#[derive(Clone, Copy, Debug)]
struct Message<'a> {
    attributes: u8,
    /// -1 for version 0.
    timestamp: i64,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    fn parse(frame: Frame<'a>, check_crc: bool) -> Result<Self, Fault> {
        if check_crc {
            check_crc32(frame)?;
        }
        let mut reader = Reader::new(frame.bytes);
        reader.take(CHECKED_FROM + 1).ok_or(Fault::Broken(Part::Length))?;
        let attributes = reader.byte().ok_or(Fault::Broken(Part::Attributes))?;
        let timestamp = if frame.magic == 0 { Some(-1) } else { reader.i64() };
        Ok(Self {
            attributes,
            timestamp: timestamp.ok_or(Fault::Broken(Part::Timestamp))?,
            key: reader.i32_bytes().ok_or(Fault::Broken(Part::Key))?,
            value: reader.i32_bytes().ok_or(Fault::Broken(Part::Value))?,
        })
    }

    fn timestamp_type(&self, magic: i8) -> TimestampType {
        if magic > 0 && self.attributes & LOG_APPEND_TIME != 0 {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }
}

fn check_crc32(frame: Frame<'_>) -> Result<(), Fault> {
    let stored = Reader::new(&frame.bytes[BEFORE_CRC..]).u32().ok_or(Fault::Broken(Part::Length))?;
    let computed = crc32fast::hash(&frame.bytes[CHECKED_FROM..]);
    if computed == stored { Ok(()) } else { Err(Fault::Checksum { stored, computed }) }
}

/// How far a message, or those inside it, have been read.
#[derive(Debug)]
pub(super) struct MessageWalk {
    magic: i8,
    /// What the offsets lack: those inside a compressed message of version 1 count from its first one (KIP-31).
    base_offset: i64,
    last_offset: i64,
    /// The timestamp of all messages, when the broker set that of the compressed one around them.
    append_time: Option<i64>,
    timestamp_type: TimestampType,
    check_crcs: bool,
    at: usize,
}

impl MessageWalk {
    /// The walk over a message, and what is inside it when it is compressed.
    pub(super) fn open(
        frame: Frame<'_>,
        check_crcs: bool,
        decompressor: &mut Decompressor,
    ) -> Result<(Self, Option<Decompressed>), Fault> {
        let outer = Message::parse(frame, check_crcs)?;
        let timestamp_type = outer.timestamp_type(frame.magic);
        let walk = Self {
            magic: frame.magic,
            base_offset: 0,
            last_offset: frame.offset,
            append_time: (timestamp_type == TimestampType::LogAppendTime).then_some(outer.timestamp),
            timestamp_type,
            check_crcs,
            at: 0,
        };
        let codec = Codec::of_attributes(outer.attributes)?;
        if codec == Codec::None {
            return Ok((Self { check_crcs: false, ..walk }, None));
        }
        let inside = decompressor.decompress(codec, outer.value.ok_or(Fault::EmptyMessage)?)?;
        match walk.first_offset(inside.bytes()) {
            Ok(base_offset) => Ok((Self { base_offset, ..walk }, Some(inside))),
            Err(fault) => {
                decompressor.take_back(inside);
                Err(fault)
            }
        }
    }

    /// The offset that those inside count from: the last one has that of the message around them.
    fn first_offset(&self, inside: &[u8]) -> Result<i64, Fault> {
        let mut rest = inside;
        let mut last = None;
        while let Some(frame) = inner_frame(rest)? {
            last = Some(frame.offset);
            rest = &rest[frame.bytes.len()..];
        }
        let last = last.ok_or(Fault::EmptyMessage)?;
        if self.magic == 0 {
            return Ok(0);
        }
        let first = self.last_offset - last;
        if first < 0 { Err(Fault::InnerOffset(last)) } else { Ok(first) }
    }

    pub(super) fn timestamp_type(&self) -> TimestampType {
        self.timestamp_type
    }

    pub(super) fn base_offset(&self) -> i64 {
        self.base_offset
    }

    /// Adds messages until a limit is reached. `payload` MUST be the same at every call: the message itself, or what is
    /// inside it.
    pub(super) fn read_into(&mut self, payload: &[u8], rows: &mut Rows<'_>) -> Result<Walked, RecordsError> {
        loop {
            let rest = payload.get(self.at..).unwrap_or_default();
            let read = inner_frame(rest).and_then(|frame| match frame {
                Some(frame) => self.read_message(frame, rows).map(|full| Some((frame.bytes.len(), full))),
                None => Ok(None),
            });
            match read.map_err(|fault| RecordsError { offset: rows.next_offset(), fault })? {
                None => return Ok(Walked::All),
                Some((bytes, full)) => {
                    self.at += bytes;
                    if full {
                        return Ok(Walked::Full);
                    }
                }
            }
        }
    }

    fn read_message(&self, frame: Frame<'_>, rows: &mut Rows<'_>) -> Result<bool, Fault> {
        if frame.magic != self.magic {
            return Err(Fault::InnerMagic { outer: self.magic, inner: frame.magic });
        }
        let message = Message::parse(frame, self.check_crcs)?;
        if Codec::of_attributes(message.attributes)? != Codec::None {
            return Err(Fault::NestedCompression);
        }
        let offset = self.base_offset.checked_add(frame.offset).filter(|offset| *offset <= self.last_offset);
        let offset = offset.ok_or(Fault::InnerOffset(frame.offset))?;
        if !rows.wants(offset) {
            return Ok(false);
        }
        let incoming = Incoming {
            offset,
            timestamp: self.append_time.unwrap_or(message.timestamp),
            timestamp_type: self.timestamp_type,
            key: message.key,
            value: message.value,
        };
        Ok(rows.push(&incoming, Vec::new()))
    }
}

/// The message at the beginning of what is inside another. Inside, none may be cut off.
fn inner_frame(rest: &[u8]) -> Result<Option<Frame<'_>>, Fault> {
    match frame(rest).map_err(|(_, fault)| fault)? {
        Framing::Whole(frame) => Ok(Some(frame)),
        Framing::End => Ok(None),
        Framing::CutOff => Err(Fault::InnerCutOff),
    }
}
