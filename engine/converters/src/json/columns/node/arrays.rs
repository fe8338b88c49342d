//! Completed columns as arrays.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Decimal256Array, ListArray, MapArray, NullArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, FieldRef, Fields};
use arrow::datatypes::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};
use arrow::error::ArrowError;

use super::{Cells, MAX_DIGITS_256, Node, StructCells};

impl Node {
    /// Returns the first `len` rows as an array, and starts again.
    ///
    /// # Errors
    /// None caused by rows.
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

impl StructCells {
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

/// The element field of a list that was always empty or null.
pub(crate) fn untyped_element() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Null, true))
}

fn primitive<T: ArrowPrimitiveType>(values: &mut Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(taken(values)), nulls))
}

/// Returns the values, and keeps the same capacity, since batches of a topic are similar.
fn taken<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}
