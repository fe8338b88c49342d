//! Values that hide others: nothing of the type, or what the user gives.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    ListArray, MapArray, StringArray, StructArray, new_empty_array, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::compute::kernels::cast_utils::parse_decimal;
use arrow::datatypes::{DataType, Decimal256Type, Field};
use volley_api::schema::is_json_text;
use volley_api::{Error, Result};
use volley_java::class_of;

use crate::cast::parse_big_decimal;

/// The value that hides those of the field, as an array of one.
///
/// # Errors
/// `Data` where Kafka Connect has none.
pub(crate) fn mask(field: &Field, replacement: Option<&str>, has_schema: bool) -> Result<ArrayRef> {
    match replacement {
        None => nothing(field, has_schema),
        Some(text) => given(field, text, has_schema),
    }
}

/// 0, false, no text, the epoch, no elements.
fn nothing(field: &Field, has_schema: bool) -> Result<ArrayRef> {
    Ok(match field.data_type() {
        DataType::Boolean => Arc::new(BooleanArray::from(vec![false])),
        // What is still a JSON text, after all parts of one type, is an array of several.
        DataType::Utf8 if !has_schema && is_json_text(field) => Arc::new(StringArray::from(vec!["[]"])),
        DataType::Utf8 => Arc::new(StringArray::from(vec![""])),
        DataType::LargeUtf8 | DataType::Utf8View => cast(&StringArray::from(vec![""]), field.data_type())?,
        DataType::Struct(fields) if !has_schema => {
            let columns = fields.iter().map(|field| new_null_array(field.data_type(), 1)).collect();
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, None, 1)?)
        }
        DataType::List(item) => {
            let none = new_empty_array(item.data_type());
            Arc::new(ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths([0]), none, None)?)
        }
        DataType::Map(entries, is_sorted) => {
            let none = new_empty_array(entries.data_type()).as_struct().clone();
            let offsets = OffsetBuffer::from_lengths([0]);
            Arc::new(MapArray::try_new(Arc::clone(entries), offsets, none, None, *is_sorted)?)
        }
        DataType::Binary | DataType::Struct(_) => {
            let class = class_name(field, has_schema);
            return Err(Error::data(format!("Cannot mask value of type: {class}")));
        }
        number => {
            let zero = Int32Array::from(vec![0]);
            let via = if matches!(number, DataType::Timestamp(..)) { DataType::Int64 } else { DataType::Int32 };
            cast(&cast(&zero, &via)?, number)?
        }
    })
}

fn given(field: &Field, text: &str, has_schema: bool) -> Result<ArrayRef> {
    let number = || {
        let message = format!("Unable to convert {text} (class java.lang.String) to a number");
        parse_big_decimal(text).ok_or_else(|| Error::data(message))
    };
    Ok(match field.data_type() {
        DataType::Utf8 => Arc::new(StringArray::from(vec![text])),
        DataType::LargeUtf8 | DataType::Utf8View => cast(&StringArray::from(vec![text]), field.data_type())?,
        DataType::Int8 => Arc::new(Int8Array::from(vec![number()?.low_bits as i8])),
        DataType::Int16 => Arc::new(Int16Array::from(vec![number()?.low_bits as i16])),
        DataType::Int32 => Arc::new(Int32Array::from(vec![number()?.low_bits as i32])),
        DataType::Int64 => Arc::new(Int64Array::from(vec![number()?.low_bits])),
        DataType::Float32 => Arc::new(Float32Array::from(vec![number()?.float])),
        DataType::Float64 => Arc::new(Float64Array::from(vec![number()?.double])),
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            number()
                .map_err(|_| Error::data(format!("Unable to convert {text} (class java.lang.String) to number")))?;
            let unscaled = parse_decimal::<Decimal256Type>(text, 76, *scale)?;
            let decimals = arrow::array::Decimal256Array::from(vec![unscaled]).with_precision_and_scale(76, *scale)?;
            cast(&decimals, field.data_type())?
        }
        _ => {
            let class = class_name(field, has_schema);
            return Err(Error::data(format!("Cannot mask value of type {class} with custom replacement.")));
        }
    })
}

fn class_name(field: &Field, has_schema: bool) -> String {
    match (field.data_type(), has_schema) {
        (DataType::Struct(_), false) => "class java.util.HashMap".to_owned(),
        (other, _) => format!("class {}", class_of(other)),
    }
}
