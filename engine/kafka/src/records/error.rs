//! What can be wrong with fetched bytes.

use std::fmt;

use volley_api::{Error, TopicPartition};

/// Bytes that are not records. Reading again gives the same error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordsError {
    /// The offset of the batch, or the lowest that the bad record in it can have. To skip it, a consumer seeks behind it.
    pub(crate) offset: i64,
    /// What is wrong.
    pub(crate) fault: Fault,
}

/// A part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Length,
    Attributes,
    Timestamp,
    Offset,
    Key,
    Value,
    Headers,
}

/// What is wrong with a batch or a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The magic byte names no known format.
    UnknownMagic(i8),
    /// The attributes name no known codec.
    UnknownCodec(u8),
    /// The length of a batch is smaller than any batch.
    BatchLength(i32),
    /// A batch of so many bytes has no room for its header.
    ShortBatch(usize),
    /// The offset of a batch is negative, or there is none behind it.
    BatchOffset,
    /// The last offset of a batch is before its first, or there is none behind it.
    LastOffsetDelta(i32),
    /// The number of records is negative.
    RecordCount(i32),
    /// The bytes are not those that were written.
    Checksum { stored: u32, computed: u32 },
    /// The codec cannot decompress the bytes.
    Decompression { codec: &'static str, reason: String },
    /// The batch is larger than so many bytes, compressed or decompressed.
    TooLarge(usize),
    /// A record is longer than what is left of its batch.
    RecordLength { length: i32, left: usize },
    /// A part of a record ends behind the record.
    Broken(Part),
    /// The offset of a record is not one of its batch.
    OffsetDelta(i32),
    /// More headers than the record has room for, or a negative number.
    HeaderCount(i32),
    /// Bytes behind the last part of a record.
    BytesLeftInRecord(usize),
    /// Bytes behind the last record.
    BytesLeft(usize),
    /// A compressed message of version 0 or 1 without messages in it.
    EmptyMessage,
    /// A compressed message in a compressed message.
    NestedCompression,
    /// A message of another version in a compressed message.
    InnerMagic { outer: i8, inner: i8 },
    /// A message in a compressed message that has an offset behind it.
    InnerOffset(i64),
    /// What is in a compressed message ends within a message.
    InnerCutOff,
    /// A marker of a transaction that does not say which.
    Marker,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "length",
            Self::Attributes => "attributes",
            Self::Timestamp => "timestamp",
            Self::Offset => "offset",
            Self::Key => "key",
            Self::Value => "value",
            Self::Headers => "headers",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMagic(magic) => write!(f, "its format version is {magic}, known are 0, 1 and 2"),
            Self::UnknownCodec(codec) => write!(f, "its compression codec is {codec}, known are 0 to 4"),
            Self::BatchLength(length) => write!(f, "its length is {length} bytes, which no batch has"),
            Self::ShortBatch(bytes) => write!(f, "it has {bytes} bytes, fewer than its header"),
            Self::BatchOffset => f.write_str("no batch can have this offset"),
            Self::LastOffsetDelta(delta) => write!(f, "its last offset is {delta} behind its first"),
            Self::RecordCount(count) => write!(f, "its number of records is {count}"),
            Self::Checksum { stored, computed } => {
                write!(
                    f,
                    "its checksum is {stored:#010x}, but that of its bytes is {computed:#010x}: they have changed"
                )
            }
            Self::Decompression { codec, reason } => write!(f, "{codec} cannot decompress it: {reason}"),
            Self::TooLarge(most) => write!(f, "it is larger than {most} bytes"),
            Self::RecordLength { length, left } => {
                write!(f, "a record has a length of {length} bytes where {left} are left in the batch")
            }
            Self::Broken(part) => write!(f, "the {part} of a record do not end within it"),
            Self::OffsetDelta(delta) => {
                write!(f, "a record has an offset {delta} behind the first one, which is outside of the batch")
            }
            Self::HeaderCount(count) => write!(f, "a record has {count} headers, for which it has no room"),
            Self::BytesLeftInRecord(bytes) => write!(f, "{bytes} bytes are left behind the headers of a record"),
            Self::BytesLeft(bytes) => write!(f, "{bytes} bytes are left behind its last record"),
            Self::EmptyMessage => f.write_str("a compressed message has no messages in it"),
            Self::NestedCompression => f.write_str("a message in a compressed message is compressed again"),
            Self::InnerMagic { outer, inner } => {
                write!(f, "a message in a compressed message of format version {outer} has version {inner}")
            }
            Self::InnerOffset(offset) => {
                write!(f, "a message in a compressed message has the offset {offset}, which is behind the message")
            }
            Self::InnerCutOff => f.write_str("what is in a compressed message ends within a message"),
            Self::Marker => f.write_str("the marker of a transaction does not say whether it was committed or aborted"),
        }
    }
}

impl RecordsError {
    /// The error for the user, of kind `Data`.
    pub(crate) fn of(self, partition: &TopicPartition) -> Error {
        let Self { offset, fault } = self;
        Error::data(format!("the record batch of {partition} at offset {offset} cannot be read: {fault}"))
    }
}
