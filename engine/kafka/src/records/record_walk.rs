//! The walk over the records of a batch of version 2.

use volley_api::{RawHeader, TimestampType};

use super::Incoming;
use super::batch_header::BatchHeader;
use super::error::{Fault, Part, RecordsError};
use super::reader::Reader;
use super::rows::{Rows, Walked};

/// Fewest bytes of a header: the lengths of its name and of its value.
const LEAST_HEADER: usize = 2;

/// How far a batch has been read.
#[derive(Debug)]
pub(super) struct RecordWalk {
    base_offset: i64,
    last_offset: i64,
    base_timestamp: i64,
    /// The timestamp of all records, when the broker set it.
    append_time: Option<i64>,
    timestamp_type: TimestampType,
    left: u32,
    at: usize,
}

/// A record, of which the headers are not read yet.
struct Record<'a> {
    timestamp_delta: i64,
    offset_delta: i32,
    fields: Reader<'a>,
}

impl RecordWalk {
    pub(super) fn new(header: &BatchHeader) -> Self {
        let timestamp_type = header.timestamp_type();
        Self {
            base_offset: header.base_offset,
            last_offset: header.last_offset,
            base_timestamp: header.base_timestamp,
            append_time: (timestamp_type == TimestampType::LogAppendTime).then_some(header.max_timestamp),
            timestamp_type,
            left: header.records,
            at: 0,
        }
    }

    pub(super) fn timestamp_type(&self) -> TimestampType {
        self.timestamp_type
    }

    pub(super) fn base_offset(&self) -> i64 {
        self.base_offset
    }

    /// Adds records until a limit is reached. `payload` MUST be the same at every call: the records of the batch.
    pub(super) fn read_into(&mut self, payload: &[u8], rows: &mut Rows<'_>) -> Result<Walked, RecordsError> {
        let mut reader = Reader::new(payload.get(self.at..).unwrap_or_default());
        while self.left > 0 {
            let full = self.read_record(&mut reader, rows).map_err(|fault| self.error(fault, rows))?;
            self.left -= 1;
            self.at = payload.len() - reader.left();
            if full {
                return Ok(Walked::Full);
            }
        }
        match reader.left() {
            0 => Ok(Walked::All),
            left => Err(self.error(Fault::BytesLeft(left), rows)),
        }
    }

    #[inline]
    fn read_record(&self, reader: &mut Reader<'_>, rows: &mut Rows<'_>) -> Result<bool, Fault> {
        let Record { timestamp_delta, offset_delta, mut fields } = next_record(reader)?;
        let delta = i64::from(offset_delta);
        if delta < 0 || delta > self.last_offset - self.base_offset {
            return Err(Fault::OffsetDelta(offset_delta));
        }
        let offset = self.base_offset + delta;
        if !rows.wants(offset) {
            return Ok(false);
        }
        let key = fields.varint_bytes().ok_or(Fault::Broken(Part::Key))?;
        let value = fields.varint_bytes().ok_or(Fault::Broken(Part::Value))?;
        let headers = match fields.varint().ok_or(Fault::Broken(Part::Headers))? {
            0 => Vec::new(),
            count => read_headers(&mut fields, count, rows)?,
        };
        if fields.left() > 0 {
            return Err(Fault::BytesLeftInRecord(fields.left()));
        }
        let timestamp = self.append_time.unwrap_or_else(|| self.base_timestamp.wrapping_add(timestamp_delta));
        Ok(rows.push(&Incoming { offset, timestamp, timestamp_type: self.timestamp_type, key, value }, headers))
    }

    fn error(&self, fault: Fault, rows: &Rows<'_>) -> RecordsError {
        RecordsError { offset: rows.next_offset().max(self.base_offset), fault }
    }
}

#[inline]
fn next_record<'a>(reader: &mut Reader<'a>) -> Result<Record<'a>, Fault> {
    let length = reader.varint().ok_or(Fault::Broken(Part::Length))?;
    let fields = usize::try_from(length).ok().and_then(|length| reader.take(length));
    let mut fields = Reader::new(fields.ok_or(Fault::RecordLength { length, left: reader.left() })?);
    fields.byte().ok_or(Fault::Broken(Part::Attributes))?;
    Ok(Record {
        timestamp_delta: fields.varlong().ok_or(Fault::Broken(Part::Timestamp))?,
        offset_delta: fields.varint().ok_or(Fault::Broken(Part::Offset))?,
        fields,
    })
}

/// The headers of a record. A null name is an error, as for Java.
fn read_headers(fields: &mut Reader<'_>, count: i32, rows: &mut Rows<'_>) -> Result<Vec<RawHeader>, Fault> {
    let most = fields.left() / LEAST_HEADER;
    let count = usize::try_from(count).ok().filter(|count| *count <= most).ok_or(Fault::HeaderCount(count))?;
    let mut headers = Vec::with_capacity(count);
    for _ in 0..count {
        let name = fields.varint_bytes().flatten().ok_or(Fault::Broken(Part::Headers))?;
        let value = fields.varint_bytes().ok_or(Fault::Broken(Part::Headers))?;
        headers.push(RawHeader { name: rows.header_name(name), value: value.map(<[u8]>::to_vec) });
    }
    Ok(headers)
}

/// The key of the first record of a batch; `None` when there is none.
pub(super) fn first_key(payload: &[u8]) -> Result<Option<&[u8]>, Fault> {
    let mut record = next_record(&mut Reader::new(payload))?;
    record.fields.varint_bytes().ok_or(Fault::Broken(Part::Key))
}
