//! A column while it is built, with the rules of what may go into it; a struct column is a tree of them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Decimal256Array, ListArray, MapArray, NullArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, FieldRef, Fields, TimeUnit};
use arrow::datatypes::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};
use arrow::error::ArrowError;
use volley_api::schema::timestamp_type;

use crate::json::cells::{Bytes, Cells, Member, StructCells, Unknown, Validity};
use crate::json::cursor::Pattern;
use crate::json::escape::write_string;

/// Largest precision of Decimal128.
pub(crate) const MAX_DIGITS_128: u8 = 38;

/// Largest precision of Decimal256.
const MAX_DIGITS_256: u8 = 76;

/// What a null or absent value becomes.
#[derive(Clone, Debug)]
pub(crate) enum OnNull {
    /// Null.
    Null,
    /// The default of the schema, as JSON.
    Default(Arc<[u8]>),
    /// The value is required.
    Refuse,
}

/// A column while it is built.
///
/// Rows are appended by their number, so that a row may be missing (it becomes null) or come again (the last one counts).
#[derive(Debug)]
pub(crate) struct Node {
    /// The column's field; `None` as long as nothing of its type is known.
    field: Option<FieldRef>,
    /// The values.
    pub(crate) cells: Cells,
    validity: Validity,
    len: usize,
    /// What nulls become.
    pub(crate) on_null: OnNull,
    /// Whether a value that does not fit is refused. Otherwise it asks for a wider schema.
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

    /// A column of a type that is given. `base` says everything about its field but the type.
    pub(crate) fn given(base: Field, cells: Cells, on_null: OnNull) -> Self {
        let mut node = Self { field: None, cells, validity: Validity::default(), len: 0, on_null, rigid: true };
        let data_type = node.data_type().unwrap_or(DataType::Null);
        node.field = Some(Arc::new(base.with_data_type(data_type)));
        node
    }

    /// The field; `None` as long as nothing of its type is known.
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

    /// Makes row `at` the next one: nulls for rows that are missing, and forgets those from there on.
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

    /// Row `at` is null, whatever the schema says.
    pub(crate) fn append_null(&mut self, at: usize) {
        self.align(at);
        self.align(at + 1);
    }

    /// A value was written to `cells` for the next row.
    #[inline]
    pub(crate) fn appended(&mut self) {
        self.len += 1;
        self.validity.push_valid();
    }

    /// Forgets all rows from `len` on, and what an interrupted row has left behind.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.cells.truncate(len);
        if self.len > len {
            self.validity.truncate(len);
            self.len = len;
        }
    }

    /// Turns every decimal that was too small into a larger one. All rows MUST have been forgotten.
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

    /// The first `len` rows as an array, and starts anew.
    ///
    /// # Errors
    /// None that rows could cause.
    pub(crate) fn finish(&mut self, len: usize) -> Result<ArrayRef, ArrowError> {
        self.align(len);
        self.len = 0;
        let nulls = self.validity.finish();
        Ok(match &mut self.cells {
            Cells::Untyped => Arc::new(NullArray::new(len)),
            Cells::Boolean(bits) => Arc::new(BooleanArray::new(bits.finish(), nulls)),
            Cells::Int8(values) => primitive::<Int8Type>(values, nulls),
            Cells::Int16(values) => primitive::<Int16Type>(values, nulls),
            Cells::Int32(values) => primitive::<Int32Type>(values, nulls),
            Cells::Int64 { values, .. } => primitive::<Int64Type>(values, nulls),
            Cells::Float32(values) => primitive::<Float32Type>(values, nulls),
            Cells::Float64(values) => primitive::<Float64Type>(values, nulls),
            Cells::Text(bytes) | Cells::Json(bytes) => {
                let (offsets, data) = bytes.finish();
                Arc::new(StringArray::try_new(offsets, Buffer::from_vec(data), nulls)?)
            }
            Cells::Binary(bytes) => {
                let (offsets, data) = bytes.finish();
                Arc::new(BinaryArray::try_new(offsets, Buffer::from_vec(data), nulls)?)
            }
            Cells::Decimal128 { values, precision, scale, .. } => {
                let array = Decimal128Array::new(ScalarBuffer::from(taken(values)), nulls);
                Arc::new(array.with_precision_and_scale(*precision, *scale)?)
            }
            Cells::Decimal256 { values, scale, .. } => {
                let array = Decimal256Array::new(ScalarBuffer::from(taken(values)), nulls);
                Arc::new(array.with_precision_and_scale(MAX_DIGITS_256, *scale)?)
            }
            Cells::Date { values, .. } => primitive::<Date32Type>(values, nulls),
            Cells::Time(values) => primitive::<Time32MillisecondType>(values, nulls),
            Cells::Timestamp { values, .. } => {
                let array = PrimitiveArray::<TimestampMillisecondType>::new(ScalarBuffer::from(taken(values)), nulls);
                Arc::new(array.with_timezone("UTC"))
            }
            Cells::List { ends, element } => {
                let (field, elements): (FieldRef, ArrayRef) = match element.field().cloned() {
                    Some(field) => (field, element.finish(ends.elements())?),
                    None => {
                        element.truncate(0);
                        (untyped_element(), Arc::new(NullArray::new(ends.elements())))
                    }
                };
                Arc::new(ListArray::try_new(field, ends.finish(), elements, nulls)?)
            }
            Cells::Map { ends, key, value } => {
                let count = ends.elements();
                let fields: Vec<FieldRef> = [&*key, &*value].iter().filter_map(|node| node.field().cloned()).collect();
                let columns = vec![key.finish(count)?, value.finish(count)?];
                let entries = StructArray::try_new(Fields::from(fields), columns, None)?;
                let field = Arc::new(Field::new("entries", DataType::Struct(entries.fields().clone()), false));
                Arc::new(MapArray::try_new(field, ends.finish(), entries, nulls, false)?)
            }
            Cells::Struct(cells) => Arc::new(cells.finish(len, nulls)?),
        })
    }
}

/// The element field of a list of which only empty lists and nulls are known.
pub(crate) fn untyped_element() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Null, true))
}

fn map_entries(key: &FieldRef, value: &FieldRef) -> FieldRef {
    let fields = Fields::from(vec![Arc::clone(key), Arc::clone(value)]);
    Arc::new(Field::new("entries", DataType::Struct(fields), false))
}

fn primitive<T: ArrowPrimitiveType>(values: &mut Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(taken(values)), nulls))
}

/// The values, leaving room for as many: batches of a topic are alike.
fn taken<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
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

    fn finish(&mut self, len: usize, nulls: Option<NullBuffer>) -> Result<StructArray, ArrowError> {
        let mut columns = Vec::with_capacity(self.members.len());
        for member in &mut self.members {
            match member.node.field() {
                Some(_) => columns.push(member.node.finish(len)?),
                None => member.node.truncate(0),
            }
        }
        StructArray::try_new_with_length(self.fields(), columns, nulls, len)
    }
}

impl Cells {
    /// Booleans, none yet.
    pub(crate) fn boolean() -> Self {
        Self::Boolean(arrow::array::BooleanBufferBuilder::new(0))
    }

    /// Strings, none yet.
    pub(crate) fn text() -> Self {
        Self::Text(Bytes::default())
    }

    /// JSON text, none yet.
    pub(crate) fn json() -> Self {
        Self::Json(Bytes::default())
    }
}
