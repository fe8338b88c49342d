//! Debezium's semantic types as what they mean: a MicroTimestamp is an INT64 for Connect, and a point in time for whoever reads
//! columns. (Debezium documentation, "Data type mappings" of its connectors.)
//!
//! | schema name | Connect | means |
//! |---|---|---|
//! | `io.debezium.time.Date` | INT32 | Date32 |
//! | `io.debezium.time.Time` | INT32 | Time32(ms) |
//! | `io.debezium.time.MicroTime`, `NanoTime` | INT64 | Time64(µs), Time64(ns) |
//! | `io.debezium.time.Timestamp`, `MicroTimestamp`, `NanoTimestamp` | INT64 | Timestamp(ms, µs, ns) without time zone |
//! | `io.debezium.data.VariableScaleDecimal` | STRUCT of scale and bytes | Utf8: the number in decimal |
//!
//! The others (`ZonedTimestamp`, `Json`, `Uuid`, `Xml`, `Enum`, …) are texts or structs that say it themselves.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, LargeListArray, ListArray, MapArray, StringArray, StringBuilder,
    StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type, TimeUnit};

use super::schema::NAME;
use super::{Column, schema};
use crate::error::Result;

/// More zeros than this are not written out.
const MAX_ZEROS: usize = 1000;

/// Which semantic types are taken for what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// Dates, times and timestamps. A cast to the type that they have gives their values back.
    Times,
    /// Numbers with a scale of their own too.
    TimesAndDecimals,
}

/// The field with the types that its schema names mean, at any depth; `None` where nothing means another type than it has.
pub fn meant_field(field: &FieldRef, semantics: Semantics) -> Option<FieldRef> {
    let is_wanted = |data_type: &DataType| semantics == Semantics::TimesAndDecimals || data_type != &DataType::Utf8;
    if let Some(data_type) = meant_type(field).filter(is_wanted) {
        let mut metadata = field.metadata().clone();
        metadata.retain(|key, _| !key.starts_with("connect.") || key == schema::DOC);
        return Some(Arc::new(Field::new(field.name(), data_type, field.is_nullable()).with_metadata(metadata)));
    }
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(meant_fields(fields, semantics)?),
        DataType::List(item) => DataType::List(meant_field(item, semantics)?),
        DataType::LargeList(item) => DataType::LargeList(meant_field(item, semantics)?),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(meant_field(item, semantics)?, *size),
        DataType::Map(entries, sorted) => DataType::Map(meant_field(entries, semantics)?, *sorted),
        _ => return None,
    };
    Some(Arc::new(field.as_ref().clone().with_data_type(data_type)))
}

fn meant_fields(fields: &Fields, semantics: Semantics) -> Option<Fields> {
    let meant: Vec<_> = fields.iter().map(|field| meant_field(field, semantics)).collect();
    let is_any = meant.iter().any(Option::is_some);
    is_any.then(|| {
        meant.into_iter().zip(fields).map(|(meant, field)| meant.unwrap_or_else(|| Arc::clone(field))).collect()
    })
}

/// The type that the field's own schema name means.
fn meant_type(field: &Field) -> Option<DataType> {
    let name = field.metadata().get(NAME)?.strip_prefix("io.debezium.")?;
    match (name, field.data_type()) {
        ("time.Date", DataType::Int32) => Some(DataType::Date32),
        ("time.Time", DataType::Int32) => Some(DataType::Time32(TimeUnit::Millisecond)),
        ("time.MicroTime", DataType::Int64) => Some(DataType::Time64(TimeUnit::Microsecond)),
        ("time.NanoTime", DataType::Int64) => Some(DataType::Time64(TimeUnit::Nanosecond)),
        ("time.Timestamp", DataType::Int64) => Some(DataType::Timestamp(TimeUnit::Millisecond, None)),
        ("time.MicroTimestamp", DataType::Int64) => Some(DataType::Timestamp(TimeUnit::Microsecond, None)),
        ("time.NanoTimestamp", DataType::Int64) => Some(DataType::Timestamp(TimeUnit::Nanosecond, None)),
        ("data.VariableScaleDecimal", DataType::Struct(fields)) => {
            let has =
                |name: &str, data_type| fields.find(name).is_some_and(|(_, field)| field.data_type() == &data_type);
            (has("scale", DataType::Int32) && has("value", DataType::Binary)).then_some(DataType::Utf8)
        }
        _ => None,
    }
}

/// The column as what its schema names mean. Borrowed where nothing means another type than it has. Integers become times
/// without being copied.
///
/// # Errors
/// None for a column whose array is of its field's type.
pub fn as_meant(column: &Column, semantics: Semantics) -> Result<Cow<'_, Column>> {
    match meant_field(&column.field, semantics) {
        Some(field) => {
            let array = meant_array(&column.array, &column.field, &field)?;
            Ok(Cow::Owned(Column::new(field, array)))
        }
        None => Ok(Cow::Borrowed(column)),
    }
}

fn meant_array(array: &ArrayRef, from: &FieldRef, into: &FieldRef) -> Result<ArrayRef> {
    if from.data_type() == into.data_type() {
        return Ok(Arc::clone(array));
    }
    Ok(match (from.data_type(), into.data_type()) {
        (DataType::Struct(_), DataType::Utf8) => Arc::new(decimal_texts(array.as_struct())),
        (DataType::Struct(from), DataType::Struct(into)) => {
            let structs = array.as_struct();
            let columns = structs.columns().iter().zip(from.iter().zip(into));
            let columns: Result<Vec<_>> = columns.map(|(array, (from, into))| meant_array(array, from, into)).collect();
            let nulls = structs.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(into.clone(), columns?, nulls, structs.len())?)
        }
        (DataType::List(from), DataType::List(into)) => {
            let lists = array.as_list::<i32>();
            let values = meant_array(lists.values(), from, into)?;
            Arc::new(ListArray::try_new(Arc::clone(into), lists.offsets().clone(), values, lists.nulls().cloned())?)
        }
        (DataType::LargeList(from), DataType::LargeList(into)) => {
            let lists = array.as_list::<i64>();
            let values = meant_array(lists.values(), from, into)?;
            let nulls = lists.nulls().cloned();
            Arc::new(LargeListArray::try_new(Arc::clone(into), lists.offsets().clone(), values, nulls)?)
        }
        (DataType::FixedSizeList(from, _), DataType::FixedSizeList(into, size)) => {
            let lists = array.as_fixed_size_list();
            let values = meant_array(lists.values(), from, into)?;
            Arc::new(FixedSizeListArray::try_new(Arc::clone(into), *size, values, lists.nulls().cloned())?)
        }
        (DataType::Map(from, _), DataType::Map(into, sorted)) => {
            let maps = array.as_map();
            let entries = meant_array(&(Arc::new(maps.entries().clone()) as ArrayRef), from, into)?;
            let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
            Arc::new(MapArray::try_new(Arc::clone(into), offsets, entries.as_struct().clone(), nulls, *sorted)?)
        }
        (_, into) => cast(array, into)?,
    })
}

/// Numbers with a scale of their own each (fields `scale`, INT32, and `value`, BYTES), as decimal text; null where there is none.
pub fn decimal_texts(structs: &StructArray) -> StringArray {
    let mut texts = StringBuilder::new();
    let scales = structs.column_by_name("scale").and_then(|scales| scales.as_primitive_opt::<Int32Type>());
    let values = structs.column_by_name("value").and_then(|values| values.as_binary_opt::<i32>());
    let (Some(scales), Some(values)) = (scales, values) else { return StringArray::new_null(structs.len()) };
    for row in 0..structs.len() {
        if structs.is_null(row) || scales.is_null(row) || values.is_null(row) {
            texts.append_null();
        } else {
            texts.append_value(decimal_text(values.value(row), scales.value(row)));
        }
    }
    texts.finish()
}

/// A big-endian two's complement number divided by 10 to the power of `scale`, in decimal.
fn decimal_text(bytes: &[u8], scale: i32) -> String {
    let (sign, digits) = decimal_digits(bytes);
    let zeros = scale.unsigned_abs() as usize;
    if digits == "0" && scale <= 0 {
        return digits;
    }
    if zeros > MAX_ZEROS {
        return format!("{sign}{digits}E{}", -i64::from(scale));
    }
    if scale <= 0 {
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    }
    let digits = format!("{digits:0>width$}", width = zeros + 1);
    let (whole, fraction) = digits.split_at(digits.len() - zeros);
    format!("{sign}{whole}.{fraction}")
}

fn decimal_digits(bytes: &[u8]) -> (&'static str, String) {
    let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut magnitude = bytes.to_vec();
    if is_negative {
        // two's complement: all bits turned, plus one
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut rest = 0u32;
        for byte in &mut magnitude {
            let value = rest << 8 | u32::from(*byte);
            (*byte, rest) = ((value / 10) as u8, value % 10);
        }
        digits.push(b'0' + rest as u8);
    }
    if digits.is_empty() {
        digits.push(b'0');
    }
    let sign = if is_negative { "-" } else { "" };
    (sign, digits.iter().rev().map(|digit| char::from(*digit)).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::{BinaryArray, Int32Array, Int64Array};
    use arrow::datatypes::{Date32Type, Int64Type, TimestampMicrosecondType};
    use proptest::prelude::*;

    use super::*;

    fn named(name: &str, data_type: DataType, schema: &str) -> FieldRef {
        let metadata = HashMap::from([(NAME.to_owned(), format!("io.debezium.{schema}"))]);
        Arc::new(Field::new(name, data_type, true).with_metadata(metadata))
    }

    #[test]
    fn times_are_times_at_every_depth_and_all_else_stays() {
        let micros = named("at", DataType::Int64, "time.MicroTimestamp");
        let day = named("item", DataType::Int32, "time.Date");
        let plain = Arc::new(Field::new("n", DataType::Int64, true));
        let days = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(3), None]), None]);
        let (offsets, nulls) = (days.offsets().clone(), days.nulls().cloned());
        let days = ListArray::new(Arc::clone(&day), offsets, Arc::clone(days.values()), nulls);
        let fields: Fields =
            vec![Arc::clone(&micros), Arc::new(Field::new("days", days.data_type().clone(), true)), plain].into();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![Some(1_700_000_000_000_001), None])),
            Arc::new(days),
            Arc::new(Int64Array::from(vec![7, 8])),
        ];
        let value = StructArray::new(fields.clone(), columns, None);
        let column = Column::new(Arc::new(Field::new("value", value.data_type().clone(), true)), Arc::new(value));
        let meant = as_meant(&column, Semantics::TimesAndDecimals).unwrap();
        assert_eq!(meant.field.data_type(), meant.array.data_type());
        let value = meant.array.as_struct();
        assert_eq!(value.column(0).as_primitive::<TimestampMicrosecondType>().value(0), 1_700_000_000_000_001);
        assert!(value.column(0).is_null(1));
        assert_eq!(value.column(1).as_list::<i32>().values().as_primitive::<Date32Type>().value(0), 3);
        assert_eq!(value.column(2).as_primitive::<Int64Type>().values(), &[7, 8]);
        assert!(matches!(as_meant(&Column::clone(&meant), Semantics::Times).unwrap(), Cow::Borrowed(_)));
        // a name on another type than Debezium's says nothing
        assert_eq!(meant_field(&named("x", DataType::Utf8, "time.MicroTimestamp"), Semantics::Times), None);
    }

    #[test]
    fn a_number_with_a_scale_of_its_own_is_decimal_text() {
        let texts = [
            (vec![0x30, 0x39], 2, "123.45"),
            (vec![0xCF, 0xC7], 2, "-123.45"),
            (vec![5], 3, "0.005"),
            (vec![5], -2, "500"),
            (vec![0], -2, "0"),
            (vec![0], 2, "0.00"),
            (vec![0x80], 0, "-128"),
            (vec![], 0, "0"),
            (vec![7], i32::MIN, "7E2147483648"),
        ];
        let scales: Int32Array = texts.iter().map(|(_, scale, _)| *scale).collect();
        let values: BinaryArray = texts.iter().map(|(bytes, _, _)| Some(bytes.as_slice())).collect();
        let fields: Fields =
            vec![Field::new("scale", DataType::Int32, false), Field::new("value", DataType::Binary, false)].into();
        let value = StructArray::new(fields, vec![Arc::new(scales), Arc::new(values)], None);
        let field = named("value", value.data_type().clone(), "data.VariableScaleDecimal");
        let column = Column::new(field, Arc::new(value));
        assert!(matches!(as_meant(&column, Semantics::Times).unwrap(), Cow::Borrowed(_)));
        let meant = as_meant(&column, Semantics::TimesAndDecimals).unwrap();
        let found: Vec<_> = meant.array.as_string::<i32>().iter().flatten().collect();
        assert_eq!(found, texts.iter().map(|(_, _, text)| *text).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn any_number_is_written_as_its_digits(value: i128) {
            prop_assert_eq!(decimal_text(&value.to_be_bytes(), 0), value.to_string());
        }
    }
}
