//! The builders of columns: plain vectors that can be cut back to any row.

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::i256;
use rustc_hash::FxHashMap;

use crate::json::cursor::Pattern;
use crate::json::node::Node;

/// Validity of rows; nothing is kept as long as no row is null.
#[derive(Debug, Default)]
pub(crate) struct Validity {
    bits: Option<BooleanBufferBuilder>,
}

impl Validity {
    /// One more valid row.
    #[inline]
    pub(crate) fn push_valid(&mut self) {
        if let Some(bits) = &mut self.bits {
            bits.append(true);
        }
    }

    /// `count` null rows after `len` rows.
    pub(crate) fn push_nulls(&mut self, len: usize, count: usize) {
        let bits = self.bits.get_or_insert_with(|| {
            let mut bits = BooleanBufferBuilder::new(len + count);
            bits.append_n(len, true);
            bits
        });
        bits.append_n(count, false);
    }

    /// Forgets all rows from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        if let Some(bits) = &mut self.bits {
            bits.truncate(len);
        }
    }

    /// The rows so far, and starts anew.
    pub(crate) fn finish(&mut self) -> Option<NullBuffer> {
        let nulls = NullBuffer::new(self.bits.take()?.build());
        (nulls.null_count() > 0).then_some(nulls)
    }
}

/// Values of variable length, one after another.
#[derive(Debug)]
pub(crate) struct Bytes {
    /// Ends of the values; the first entry is 0.
    offsets: Vec<i32>,
    /// The values, and while one is written, its beginning.
    pub(crate) data: Vec<u8>,
}

impl Default for Bytes {
    fn default() -> Self {
        Self { offsets: vec![0], data: Vec::new() }
    }
}

impl Bytes {
    /// Ends a value that was written to `data`. False (and nothing written) if the column would exceed 2 GiB.
    #[inline]
    #[must_use]
    pub(crate) fn end(&mut self) -> bool {
        match i32::try_from(self.data.len()) {
            Ok(end) => {
                self.offsets.push(end);
                true
            }
            Err(_) => {
                self.abandon();
                false
            }
        }
    }

    /// Drops what was written to `data` since the last value ended.
    #[cold]
    pub(crate) fn abandon(&mut self) {
        self.data.truncate(self.offsets.last().map_or(0, |end| *end as usize));
    }

    /// The value of `row`.
    pub(crate) fn value(&self, row: usize) -> &[u8] {
        &self.data[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    fn pad(&mut self, count: usize) {
        let end = self.offsets.last().copied().unwrap_or(0);
        self.offsets.extend(std::iter::repeat_n(end, count));
    }

    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.abandon();
    }

    /// The values so far, and starts anew with room for as many.
    pub(crate) fn finish(&mut self) -> (OffsetBuffer<i32>, Vec<u8>) {
        let mut offsets = Vec::with_capacity(self.offsets.len());
        offsets.push(0);
        let offsets = std::mem::replace(&mut self.offsets, offsets);
        let room = Vec::with_capacity(self.data.len());
        (OffsetBuffer::new(ScalarBuffer::from(offsets)), std::mem::replace(&mut self.data, room))
    }
}

/// Rows of lists or maps: ends of the runs of elements.
#[derive(Debug)]
pub(crate) struct Ends(Vec<i32>);

impl Default for Ends {
    fn default() -> Self {
        Self(vec![0])
    }
}

impl Ends {
    /// Number of elements in all rows so far.
    #[inline]
    pub(crate) fn elements(&self) -> usize {
        self.0.last().map_or(0, |end| *end as usize)
    }

    /// Ends a row at `elements`. False if these are too many for a list.
    #[must_use]
    pub(crate) fn push(&mut self, elements: usize) -> bool {
        i32::try_from(elements).map(|end| self.0.push(end)).is_ok()
    }

    fn pad(&mut self, count: usize) {
        let end = self.0.last().copied().unwrap_or(0);
        self.0.extend(std::iter::repeat_n(end, count));
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len + 1);
    }

    /// The rows so far, and starts anew.
    pub(crate) fn finish(&mut self) -> OffsetBuffer<i32> {
        let mut ends = Vec::with_capacity(self.0.len());
        ends.push(0);
        OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.0, ends)))
    }
}

/// What to do with the members of an object that the schema does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// The schema has to be widened.
    Widen,
    /// They are passed over.
    Ignore,
}

/// A field of a struct.
#[derive(Debug)]
pub(crate) struct Member {
    /// Name as it is.
    pub(crate) name: String,
    /// Name as it stands in JSON: `"name":`.
    pub(crate) pattern: Pattern,
    /// The field that followed this one when it was last seen.
    pub(crate) next: u32,
    /// The values.
    pub(crate) node: Node,
}

/// The fields of a struct column, which expect to be met in the order in which they were last met.
#[derive(Debug)]
pub(crate) struct StructCells {
    /// The fields in schema order, also those that have no column yet.
    pub(crate) members: Vec<Member>,
    /// Fields by name, unescaped.
    pub(crate) by_name: FxHashMap<Box<[u8]>, u32>,
    /// The field that came first when last seen.
    pub(crate) first: u32,
    /// Members without a field.
    pub(crate) unknown: Unknown,
    /// Whether an absent field may be more than a null: a default, or an error.
    pub(crate) fills_absent: bool,
}

/// What a JSON string stands for where a decimal is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalText {
    /// Base64 of the unscaled value's bytes, as Connect's Decimal is written.
    Base64,
    /// The number that it spells, in a column that the user has declared: no other digits than declared are taken.
    Number,
}

/// The values of a column while it is built. Null rows have some value.
#[derive(Debug)]
pub(crate) enum Cells {
    /// Only nulls seen so far: no column.
    Untyped,
    /// BOOLEAN
    Boolean(BooleanBufferBuilder),
    /// INT8
    Int8(Vec<i8>),
    /// INT16
    Int16(Vec<i16>),
    /// INT32
    Int32(Vec<i32>),
    /// INT64
    Int64 {
        /// Values.
        values: Vec<i64>,
        /// Inferred, and no integer beyond 2^53 was seen so far.
        narrow: bool,
    },
    /// FLOAT32
    Float32(Vec<f32>),
    /// FLOAT64
    Float64(Vec<f64>),
    /// STRING
    Text(Bytes),
    /// STRING that holds JSON text
    Json(Bytes),
    /// BYTES
    Binary(Bytes),
    /// Decimal of up to 38 digits
    Decimal128 {
        /// Unscaled values.
        values: Vec<i128>,
        /// Number of digits, 1 to 38.
        precision: u8,
        /// Decimal places.
        scale: i8,
        /// A value was met that has more than 38 digits: use 256 bits from now on.
        too_small: bool,
        /// What a text stands for.
        text: DecimalText,
    },
    /// Decimal of up to 76 digits
    Decimal256 {
        /// Unscaled values.
        values: Vec<i256>,
        /// Decimal places.
        scale: i8,
        /// What a text stands for.
        text: DecimalText,
    },
    /// Date
    Date {
        /// Days since 1970-01-01.
        values: Vec<i32>,
        /// Whether ISO text is taken, too.
        iso: bool,
    },
    /// Time, milliseconds
    Time(Vec<i32>),
    /// Timestamp
    Timestamp {
        /// Milliseconds since 1970-01-01 UTC.
        values: Vec<i64>,
        /// Whether ISO text is taken, too.
        iso: bool,
    },
    /// ARRAY
    List {
        /// Ends of the rows.
        ends: Ends,
        /// All elements.
        element: Box<Node>,
    },
    /// MAP
    Map {
        /// Ends of the rows.
        ends: Ends,
        /// All keys.
        key: Box<Node>,
        /// All values.
        value: Box<Node>,
    },
    /// STRUCT; its fields may be shorter than the column, what is missing is null.
    Struct(Box<StructCells>),
}

impl Cells {
    /// Appends `count` rows with some value.
    pub(crate) fn pad(&mut self, count: usize) {
        match self {
            Self::Untyped | Self::Struct(_) => {}
            Self::Boolean(bits) => bits.append_n(count, false),
            Self::Int8(values) => values.extend(std::iter::repeat_n(0, count)),
            Self::Int16(values) => values.extend(std::iter::repeat_n(0, count)),
            Self::Int32(values) | Self::Date { values, .. } | Self::Time(values) => {
                values.extend(std::iter::repeat_n(0, count));
            }
            Self::Int64 { values, .. } | Self::Timestamp { values, .. } => {
                values.extend(std::iter::repeat_n(0, count));
            }
            Self::Float32(values) => values.extend(std::iter::repeat_n(0.0, count)),
            Self::Float64(values) => values.extend(std::iter::repeat_n(0.0, count)),
            Self::Text(bytes) | Self::Json(bytes) | Self::Binary(bytes) => bytes.pad(count),
            Self::Decimal128 { values, .. } => values.extend(std::iter::repeat_n(0, count)),
            Self::Decimal256 { values, .. } => values.extend(std::iter::repeat_n(i256::ZERO, count)),
            Self::List { ends, .. } | Self::Map { ends, .. } => ends.pad(count),
        }
    }

    /// Forgets all rows from `len` on, and what an interrupted row has left behind.
    pub(crate) fn truncate(&mut self, len: usize) {
        match self {
            Self::Untyped => {}
            Self::Boolean(bits) => bits.truncate(len),
            Self::Int8(values) => values.truncate(len),
            Self::Int16(values) => values.truncate(len),
            Self::Int32(values) | Self::Date { values, .. } | Self::Time(values) => values.truncate(len),
            Self::Int64 { values, .. } | Self::Timestamp { values, .. } => values.truncate(len),
            Self::Float32(values) => values.truncate(len),
            Self::Float64(values) => values.truncate(len),
            Self::Text(bytes) | Self::Json(bytes) | Self::Binary(bytes) => bytes.truncate(len),
            Self::Decimal128 { values, .. } => values.truncate(len),
            Self::Decimal256 { values, .. } => values.truncate(len),
            Self::List { ends, element } => {
                ends.truncate(len);
                element.truncate(ends.elements());
            }
            Self::Map { ends, key, value } => {
                ends.truncate(len);
                key.truncate(ends.elements());
                value.truncate(ends.elements());
            }
            Self::Struct(cells) => cells.members.iter_mut().for_each(|member| member.node.truncate(len)),
        }
    }
}
