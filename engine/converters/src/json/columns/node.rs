//! A column during construction, with the rules for its values. A struct column is a tree of nodes.

mod arrays;
mod retain;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::BooleanBufferBuilder;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit, i256};
use rustc_hash::FxHashMap;
use volley_api::schema::timestamp_type;

use super::buffers::{Bytes, Ends, Validity};
use crate::json::syntax::{Pattern, write_string};

pub(crate) use arrays::untyped_element;

/// Largest precision of Decimal128.
pub(crate) const MAX_DIGITS_128: u8 = 38;

/// Largest precision of Decimal256.
const MAX_DIGITS_256: u8 = 76;

/// The treatment of an object's members that the schema does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// They require a wider schema.
    Widen,
    /// They are skipped.
    Ignore,
}

/// A field of a struct.
#[derive(Debug)]
pub(crate) struct Member {
    /// The name.
    pub(crate) name: String,
    /// The name in JSON: `"name":`.
    pub(crate) pattern: Pattern,
    /// The field that followed this one in the last row.
    pub(crate) next: u32,
    /// The values.
    pub(crate) node: Node,
}

/// The fields of a struct column, expected in the order of the last row.
#[derive(Debug)]
pub(crate) struct StructCells {
    /// The fields in schema order, including those without a column so far.
    pub(crate) members: Vec<Member>,
    /// Fields by name, unescaped.
    pub(crate) by_name: FxHashMap<Box<[u8]>, u32>,
    /// The first field of the last row.
    pub(crate) first: u32,
    /// Members without a field.
    pub(crate) unknown: Unknown,
    /// Whether an absent field may have another effect than a null: a default, or an error.
    pub(crate) fills_absent: bool,
}

/// The meaning of a JSON string in a decimal column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalText {
    /// Base64 of the unscaled value's bytes, as Connect's Decimal is written.
    Base64,
    /// A number, in a column that the user has declared: only the declared digits are accepted.
    Number,
}

/// The values of a column during construction. Null rows have an arbitrary value.
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
        /// A value with more than 38 digits was met: use 256 bits from now on.
        too_small: bool,
        /// The meaning of a string.
        text: DecimalText,
    },
    /// Decimal of up to 76 digits
    Decimal256 {
        /// Unscaled values.
        values: Vec<i256>,
        /// Decimal places.
        scale: i8,
        /// The meaning of a string.
        text: DecimalText,
    },
    /// Date
    Date {
        /// Days since 1970-01-01.
        values: Vec<i32>,
        /// Whether ISO text is accepted, too.
        iso: bool,
    },
    /// Time, milliseconds
    Time(Vec<i32>),
    /// Timestamp
    Timestamp {
        /// Milliseconds since 1970-01-01 UTC.
        values: Vec<i64>,
        /// Whether ISO text is accepted, too.
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
    /// STRUCT; its fields may have fewer rows than the column, the missing ones are null.
    Struct(Box<StructCells>),
}

impl Cells {
    /// Booleans, none yet.
    pub(crate) fn boolean() -> Self {
        Self::Boolean(BooleanBufferBuilder::new(0))
    }

    /// Strings, none yet.
    pub(crate) fn text() -> Self {
        Self::Text(Bytes::default())
    }

    /// JSON text, none yet.
    pub(crate) fn json() -> Self {
        Self::Json(Bytes::default())
    }

    /// Appends `count` rows with an arbitrary value.
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

    /// Forgets all rows from `len` on, including parts of an interrupted row.
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

/// The replacement of a null or absent value.
#[derive(Clone, Debug)]
pub(crate) enum OnNull {
    /// Null.
    Null,
    /// The default of the schema, as JSON.
    Default(Arc<[u8]>),
    /// An error: the value is required.
    Refuse,
}

/// A column during construction.
///
/// Rows are appended by their number. A missing row becomes null, and of a repeated row the last one counts.
#[derive(Debug)]
pub(crate) struct Node {
    /// The column's field; `None` as long as its type is unknown.
    field: Option<FieldRef>,
    /// The values.
    pub(crate) cells: Cells,
    validity: Validity,
    len: usize,
    /// The replacement of nulls.
    pub(crate) on_null: OnNull,
    /// Whether a value that does not fit is refused. Otherwise it requires a wider schema.
    pub(crate) rigid: bool,
}

impl Node {
    /// A nullable column without metadata, whose type may have to be widened.
    pub(crate) fn inferred(name: &str, cells: Cells) -> Self {
        let mut node =
            Self { field: None, cells, validity: Validity::default(), len: 0, on_null: OnNull::Null, rigid: false };
        node.field = node.data_type().map(|data_type| Arc::new(Field::new(name, data_type, true)));
        node
    }

    /// A column of a given type. `base` has everything about its field except the type.
    pub(crate) fn given(base: Field, cells: Cells, on_null: OnNull) -> Self {
        let mut node = Self { field: None, cells, validity: Validity::default(), len: 0, on_null, rigid: true };
        let data_type = node.data_type().unwrap_or(DataType::Null);
        node.field = Some(Arc::new(base.with_data_type(data_type)));
        node
    }

    /// The field; `None` as long as its type is unknown.
    pub(crate) fn field(&self) -> Option<&FieldRef> {
        self.field.as_ref()
    }

    /// The same column with more metadata.
    pub(crate) fn with_metadata(mut self, key: &str, value: &str) -> Self {
        if let Some(field) = self.field.take() {
            let mut metadata = field.metadata().clone();
            metadata.insert(key.to_owned(), value.to_owned());
            self.field = Some(Arc::new(field.as_ref().clone().with_metadata(metadata)));
        }
        self
    }

    /// The same column with another field; it MUST differ in name, nullability or metadata only.
    pub(crate) fn with_field(mut self, field: Field) -> Self {
        self.field = Some(Arc::new(field));
        self
    }

    /// Number of rows.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Makes row `at` the next one: adds nulls for missing rows, and drops rows from there on.
    #[inline]
    pub(crate) fn align(&mut self, at: usize) {
        if self.len != at {
            self.realign(at);
        }
    }

    #[cold]
    fn realign(&mut self, at: usize) {
        if self.len > at {
            self.truncate(at);
        } else {
            let missing = at - self.len;
            self.cells.pad(missing);
            self.validity.push_nulls(self.len, missing);
            self.len = at;
        }
    }

    /// Makes row `at` null, regardless of the schema.
    pub(crate) fn append_null(&mut self, at: usize) {
        self.align(at);
        self.align(at + 1);
    }

    /// Whether the last row, which is row `at`, is null.
    pub(crate) fn is_null(&self, at: usize) -> bool {
        self.validity.is_null(at)
    }

    /// Notes that the next row's value was written to `cells`.
    #[inline]
    pub(crate) fn appended(&mut self) {
        self.len += 1;
        self.validity.push_valid();
    }

    /// Opens the last row of an array or a map again, so that elements can be added to it.
    pub(crate) fn reopen(&mut self) {
        if let (Cells::List { ends, .. } | Cells::Map { ends, .. }, Some(last)) =
            (&mut self.cells, self.len.checked_sub(1))
        {
            ends.reopen();
            self.validity.truncate(last);
            self.len = last;
        }
    }

    /// Forgets all rows from `len` on, including parts of an interrupted row.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.cells.truncate(len);
        if self.len > len {
            self.validity.truncate(len);
            self.len = len;
        }
    }

    /// Replaces every decimal column that was too small by a larger one. All rows MUST have been removed.
    pub(crate) fn enlarge_decimals(&mut self) {
        match &mut self.cells {
            Cells::Decimal128 { scale, too_small: true, text, .. } => {
                self.cells = Cells::Decimal256 { values: Vec::new(), scale: *scale, text: *text };
            }
            Cells::List { element, .. } => element.enlarge_decimals(),
            Cells::Map { key, value, .. } => {
                key.enlarge_decimals();
                value.enlarge_decimals();
            }
            Cells::Struct(cells) => cells.members.iter_mut().for_each(|member| member.node.enlarge_decimals()),
            _ => return,
        }
        if let (Some(field), Some(data_type)) = (&self.field, self.data_type())
            && field.data_type() != &data_type
        {
            self.field = Some(Arc::new(field.as_ref().clone().with_data_type(data_type)));
        }
    }

    fn data_type(&self) -> Option<DataType> {
        Some(match &self.cells {
            Cells::Untyped => return None,
            Cells::Boolean(_) => DataType::Boolean,
            Cells::Int8(_) => DataType::Int8,
            Cells::Int16(_) => DataType::Int16,
            Cells::Int32(_) => DataType::Int32,
            Cells::Int64 { .. } => DataType::Int64,
            Cells::Float32(_) => DataType::Float32,
            Cells::Float64(_) => DataType::Float64,
            Cells::Text(_) | Cells::Json(_) => DataType::Utf8,
            Cells::Binary(_) => DataType::Binary,
            Cells::Decimal128 { precision, scale, .. } => DataType::Decimal128(*precision, *scale),
            Cells::Decimal256 { scale, .. } => DataType::Decimal256(MAX_DIGITS_256, *scale),
            Cells::Date { .. } => DataType::Date32,
            Cells::Time(_) => DataType::Time32(TimeUnit::Millisecond),
            Cells::Timestamp { .. } => timestamp_type(),
            Cells::List { element, .. } => DataType::List(Arc::clone(element.field()?)),
            Cells::Map { key, value, .. } => DataType::Map(map_entries(key.field()?, value.field()?), false),
            Cells::Struct(cells) => match cells.fields() {
                fields if fields.is_empty() && !self.rigid => return None,
                fields => DataType::Struct(fields),
            },
        })
    }
}

fn map_entries(key: &FieldRef, value: &FieldRef) -> FieldRef {
    let fields = Fields::from(vec![Arc::clone(key), Arc::clone(value)]);
    Arc::new(Field::new("entries", DataType::Struct(fields), false))
}

impl StructCells {
    /// A struct of these named fields.
    pub(crate) fn new(named: Vec<(String, Node)>, unknown: Unknown) -> Self {
        let mut by_name = HashMap::default();
        let mut members = Vec::with_capacity(named.len());
        for (index, (name, node)) in named.into_iter().enumerate() {
            by_name.insert(Box::from(name.as_bytes()), index as u32);
            let mut pattern = Vec::with_capacity(name.len() + 3);
            write_string(&mut pattern, &name);
            pattern.push(b':');
            members.push(Member { name, pattern: Pattern::new(pattern), next: index as u32 + 1, node });
        }
        let fills_absent = members.iter().any(|member| !matches!(member.node.on_null, OnNull::Null));
        Self { members, by_name, first: 0, unknown, fills_absent }
    }

    fn fields(&self) -> Fields {
        self.members.iter().filter_map(|member| member.node.field().cloned()).collect()
    }
}
