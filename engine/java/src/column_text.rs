//! Values as Java's `toString` shows them, which is what Kafka Connect's file sink writes.
//!
//! | value | text |
//! |---|---|
//! | null | `null` |
//! | STRING, integers, BOOLEAN | as they are |
//! | FLOAT32, FLOAT64 | `1.0`, `1.0E10`, `NaN` |
//! | STRUCT | `Struct{a=1,b=2}`, null fields left out |
//! | schemaless map | `{a=1, b=2}`, fields that are null left out: an inferred schema does not tell null from absent |
//! | MAP, ARRAY | `{a=1, b=null}`, `[1, null]` |
//! | Decimal | as BigDecimal: `12.30`, `1E+3` |
//! | Date, Time, Timestamp | as java.util.Date, always in UTC: `Thu Jan 01 00:00:00 UTC 1970` |
//! | BYTES | the bytes themselves; Java shows only where they are in memory |

use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float32Array, Float64Array, Int64Array, ListArray, MapArray,
    StringArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Float32Type, Float64Type, Int64Type,
    Time32MillisecondType, TimeUnit, TimestampMillisecondType,
};
use chrono::DateTime;
use serde_json::Value;
use volley_api::{Column, Result, schema};

use crate::{double_text, float_text};

const MS_PER_DAY: i64 = 86_400_000;

/// A column made ready for writing its values as text.
#[derive(Debug)]
pub enum ColumnText {
    /// Nothing but nulls.
    Null,
    Boolean(BooleanArray),
    Integer(Int64Array),
    Float32(Float32Array),
    Float64(Float64Array),
    Text(StringArray),
    /// JSON text, shown as Java shows what it stands for.
    Json(StringArray),
    Bytes(BinaryArray),
    /// 128 or 256 bits, and the scale.
    Decimal(ArrayRef, i8),
    /// Milliseconds since 1970-01-01 UTC.
    Date(Int64Array),
    List(ListArray, Box<ColumnText>),
    Map(MapArray, Box<ColumnText>, Box<ColumnText>),
    Struct {
        array: ArrayRef,
        fields: Vec<(String, ColumnText)>,
        style: StructStyle,
    },
}

/// Java's two ways to show named fields.
#[derive(Clone, Copy, Debug)]
pub enum StructStyle {
    /// `Struct{a=1,b=2}`
    Struct,
    /// `{a=1, b=2}`
    Map,
}

impl ColumnText {
    /// The texts of a column.
    ///
    /// # Errors
    /// `Data` for a type that has no text.
    pub fn of(column: &Column) -> Result<Self> {
        let style = if schema::has_schema(&column.field) { StructStyle::Struct } else { StructStyle::Map };
        Self::of_field(&column.field, &column.array, style)
    }

    fn of_field(field: &Field, array: &ArrayRef, style: StructStyle) -> Result<Self> {
        Ok(match field.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(array.as_boolean().clone()),
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Self::integer(array)?,
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => Self::integer(array)?,
            DataType::Float16 | DataType::Float32 => {
                Self::Float32(cast(array, &DataType::Float32)?.as_primitive::<Float32Type>().clone())
            }
            DataType::Float64 => Self::Float64(array.as_primitive::<Float64Type>().clone()),
            DataType::Utf8 if schema::is_json_text(field) => Self::Json(array.as_string::<i32>().clone()),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Self::Bytes(cast(array, &DataType::Binary)?.as_binary::<i32>().clone())
            }
            DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => Self::Decimal(Arc::clone(array), *scale),
            DataType::Date32 => {
                Self::Date(array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * MS_PER_DAY))
            }
            DataType::Time32(_) | DataType::Time64(_) => {
                let times = cast(array, &DataType::Time32(TimeUnit::Millisecond))?;
                Self::Date(times.as_primitive::<Time32MillisecondType>().unary(i64::from))
            }
            DataType::Timestamp(_, zone) => {
                let times = cast(array, &DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))?;
                Self::Date(times.as_primitive::<TimestampMillisecondType>().reinterpret_cast::<Int64Type>())
            }
            DataType::List(item) => Self::list(item, array.as_list::<i32>().clone(), style)?,
            DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                let lists = cast(array, &DataType::List(Arc::clone(item)))?;
                Self::list(item, lists.as_list::<i32>().clone(), style)?
            }
            DataType::Map(entries, _) => Self::map(entries, array.as_map().clone(), style)?,
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns().iter();
                let fields = fields
                    .iter()
                    .zip(columns)
                    .map(|(field, column)| Ok((field.name().clone(), Self::of_field(field, column, style)?)));
                Self::Struct { array: Arc::clone(array), fields: fields.collect::<Result<_>>()?, style }
            }
            _ => Self::Text(cast(array, &DataType::Utf8)?.as_string::<i32>().clone()),
        })
    }

    fn integer(array: &ArrayRef) -> Result<Self> {
        Ok(Self::Integer(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()))
    }

    fn list(item: &Field, lists: ListArray, style: StructStyle) -> Result<Self> {
        let items = Self::of_field(item, lists.values(), style)?;
        Ok(Self::List(lists, Box::new(items)))
    }

    fn map(entries: &Field, maps: MapArray, style: StructStyle) -> Result<Self> {
        let DataType::Struct(fields) = entries.data_type() else {
            return Ok(Self::Null);
        };
        let keys = Self::of_field(&fields[0], maps.keys(), style)?;
        let values = Self::of_field(&fields[1], maps.values(), style)?;
        Ok(Self::Map(maps, Box::new(keys), Box::new(values)))
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Null => true,
            Self::Boolean(array) => array.is_null(row),
            Self::Integer(array) | Self::Date(array) => array.is_null(row),
            Self::Float32(array) => array.is_null(row),
            Self::Float64(array) => array.is_null(row),
            Self::Text(array) | Self::Json(array) => array.is_null(row),
            Self::Bytes(array) => array.is_null(row),
            Self::Decimal(array, _) | Self::Struct { array, .. } => array.is_null(row),
            Self::List(array, _) => array.is_null(row),
            Self::Map(array, ..) => array.is_null(row),
        }
    }

    /// Adds the text of one value.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return;
        }
        match self {
            Self::Null => {}
            Self::Boolean(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Self::Integer(array) => out.extend_from_slice(itoa::Buffer::new().format(array.value(row)).as_bytes()),
            Self::Float32(array) => out.extend_from_slice(float_text(array.value(row)).as_bytes()),
            Self::Float64(array) => out.extend_from_slice(double_text(array.value(row)).as_bytes()),
            Self::Text(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Self::Json(array) => write_json(array.value(row), out),
            Self::Bytes(array) => out.extend_from_slice(array.value(row)),
            Self::Decimal(array, scale) => write_decimal(&unscaled(array, row), *scale, out),
            Self::Date(array) => write_date(array.value(row), out),
            Self::List(lists, items) => {
                let ends = lists.value_offsets();
                write_list(ends[row] as usize..ends[row + 1] as usize, out, |item, out| items.write(item, out));
            }
            Self::Map(maps, keys, values) => write_map(maps, keys, values, row, out),
            Self::Struct { fields, style, .. } => write_struct(fields, *style, row, out),
        }
    }
}

fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    Ok(cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() })?)
}

fn write_list(items: std::ops::Range<usize>, out: &mut Vec<u8>, write: impl Fn(usize, &mut Vec<u8>)) {
    out.push(b'[');
    for item in items.clone() {
        if item > items.start {
            out.extend_from_slice(b", ");
        }
        write(item, out);
    }
    out.push(b']');
}

fn write_map(maps: &MapArray, keys: &ColumnText, values: &ColumnText, row: usize, out: &mut Vec<u8>) {
    let ends = maps.value_offsets();
    let entries = ends[row] as usize..ends[row + 1] as usize;
    out.push(b'{');
    for entry in entries.clone() {
        if entry > entries.start {
            out.extend_from_slice(b", ");
        }
        keys.write(entry, out);
        out.push(b'=');
        values.write(entry, out);
    }
    out.push(b'}');
}

fn write_struct(fields: &[(String, ColumnText)], style: StructStyle, row: usize, out: &mut Vec<u8>) {
    let (open, separator): (&[u8], &[u8]) = match style {
        StructStyle::Struct => (b"Struct{", b","),
        StructStyle::Map => (b"{", b", "),
    };
    out.extend_from_slice(open);
    let mut present = fields.iter().filter(|(_, values)| !values.is_null(row)).peekable();
    while let Some((name, values)) = present.next() {
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        values.write(row, out);
        if present.peek().is_some() {
            out.extend_from_slice(separator);
        }
    }
    out.push(b'}');
}

fn unscaled(array: &ArrayRef, row: usize) -> String {
    match array.as_primitive_opt::<Decimal128Type>() {
        Some(decimals) => decimals.value(row).to_string(),
        None => array.as_primitive::<Decimal256Type>().value(row).to_string(),
    }
}

/// BigDecimal's canonical form: plain where the point stands within or shortly before the digits, else scientific.
fn write_decimal(unscaled: &str, scale: i8, out: &mut Vec<u8>) {
    let digits = unscaled.trim_start_matches('-');
    let adjusted = digits.len() as i64 - 1 - i64::from(scale);
    if unscaled.starts_with('-') {
        out.push(b'-');
    }
    if scale == 0 {
        out.extend_from_slice(digits.as_bytes());
    } else if scale > 0 && adjusted >= -6 {
        let width = scale as usize + 1;
        let padded = format!("{digits:0>width$}");
        let (whole, fraction) = padded.split_at(padded.len() - scale as usize);
        out.extend_from_slice(whole.as_bytes());
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    } else {
        let (first, rest) = digits.split_at(1);
        out.extend_from_slice(first.as_bytes());
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest.as_bytes());
        }
        if adjusted != 0 {
            // Writing to a Vec cannot fail.
            let _ = write!(out, "E{adjusted:+}");
        }
    }
}

fn write_date(milliseconds: i64, out: &mut Vec<u8>) {
    match DateTime::from_timestamp_millis(milliseconds) {
        Some(time) => drop(write!(out, "{}", time.format("%a %b %d %H:%M:%S UTC %Y"))),
        // Beyond chrono's calendar, some 260 000 years from now.
        None => drop(write!(out, "{milliseconds}")),
    }
}

fn write_json(text: &str, out: &mut Vec<u8>) {
    match serde_json::from_str(text) {
        Ok(value) => write_json_value(&value, out),
        Err(_) => out.extend_from_slice(text.as_bytes()),
    }
}

fn write_json_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => out.extend_from_slice(double_text(float).as_bytes()),
            None => drop(write!(out, "{number}")),
        },
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Array(items) => write_list(0..items.len(), out, |item, out| write_json_value(&items[item], out)),
        Value::Object(members) => {
            out.push(b'{');
            for (place, (name, value)) in members.iter().enumerate() {
                out.extend_from_slice(if place > 0 { b", " } else { b"" });
                out.extend_from_slice(name.as_bytes());
                out.push(b'=');
                write_json_value(value, out);
            }
            out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        Date32Array, Decimal128Array, Int32Array, MapBuilder, StringBuilder, StructArray, TimestampMicrosecondArray,
        UInt64Array,
    };
    use arrow::datatypes::Int32Type;

    fn text_of(column: &Column, row: usize) -> String {
        let mut out = Vec::new();
        ColumnText::of(column).unwrap().write(row, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn column(array: ArrayRef) -> Column {
        Column::new(Arc::new(Field::new("value", array.data_type().clone(), true)), array)
    }

    fn first(array: impl Array + 'static) -> String {
        text_of(&column(Arc::new(array)), 0)
    }

    fn rows() -> StructArray {
        let inner = StructArray::from(vec![(
            Arc::new(Field::new("x", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(7), None])) as ArrayRef,
        )]);
        StructArray::from(vec![
            (Arc::new(Field::new("a", DataType::Int64, true)), Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
            (Arc::new(Field::new("b", DataType::Utf8, true)), Arc::new(StringArray::from(vec![Some("two"), None]))),
            (Arc::new(Field::new("c", inner.data_type().clone(), true)), Arc::new(inner)),
        ])
    }

    #[test]
    fn structs_and_schemaless_maps_are_written_as_java_writes_them() {
        let structs = column(Arc::new(rows()));
        assert_eq!(text_of(&structs, 0), "Struct{a=1,b=two,c=Struct{x=7}}");
        assert_eq!(text_of(&structs, 1), "Struct{a=2,c=Struct{}}");
        let field = schema::without_schema(structs.field.as_ref().clone());
        let maps = Column::new(Arc::new(field), structs.array);
        assert_eq!(text_of(&maps, 0), "{a=1, b=two, c={x=7}}");
        assert_eq!(text_of(&maps, 1), "{a=2, c={}}");
    }

    #[test]
    fn nulls_are_written_as_null() {
        assert_eq!(text_of(&Column::nulls(1), 0), "null");
        assert_eq!(first(StringArray::from(vec![None::<&str>])), "null");
    }

    #[test]
    fn lists_and_maps_keep_their_nulls() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), Some(vec![])]);
        let list = column(Arc::new(list));
        assert_eq!((text_of(&list, 0), text_of(&list, 1)), ("[1, null]".into(), "[]".into()));
        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        map.keys().append_value("a");
        map.values().append_value("1");
        map.keys().append_value("b");
        map.values().append_null();
        map.append(true).unwrap();
        assert_eq!(first(map.finish()), "{a=1, b=null}");
    }

    #[test]
    fn floats_have_java_notation() {
        assert_eq!(first(Float64Array::from(vec![1e7])), "1.0E7");
        assert_eq!(first(Float64Array::from(vec![f64::NEG_INFINITY])), "-Infinity");
        assert_eq!(first(Float32Array::from(vec![0.1])), "0.1");
    }

    #[test]
    fn decimals_have_the_form_of_big_decimal() {
        for (unscaled, scale, expected) in [
            (1_230, 2, "12.30"),
            (-5, 3, "-0.005"),
            (5, 7, "5E-7"),
            (123, 10, "1.23E-8"),
            (0, 2, "0.00"),
            (7, 0, "7"),
            (12, -3, "1.2E+4"),
        ] {
            let decimals = Decimal128Array::from(vec![unscaled]).with_precision_and_scale(38, scale).unwrap();
            assert_eq!(first(decimals), expected);
        }
    }

    #[test]
    fn dates_and_times_have_the_form_of_java_dates_in_utc() {
        assert_eq!(first(Date32Array::from(vec![0])), "Thu Jan 01 00:00:00 UTC 1970");
        let times = TimestampMicrosecondArray::from(vec![1_735_787_045_000_000]).with_timezone("UTC");
        assert_eq!(first(times), "Thu Jan 02 03:04:05 UTC 2025");
    }

    #[test]
    fn types_that_only_sql_makes_have_a_text_too() {
        assert_eq!(first(UInt64Array::from(vec![u64::MAX])), "18446744073709551615");
        assert_eq!(first(arrow::array::StringViewArray::from(vec!["view"])), "view");
    }

    #[test]
    fn json_text_is_shown_as_what_it_stands_for() {
        let texts = StringArray::from(vec![r#"{"a":[1,"x",null,1e10],"b":true}"#, "\"plain\"", "{broken"]);
        let column = Column::new(Arc::new(schema::json_text_field("value")), Arc::new(texts));
        assert_eq!(text_of(&column, 0), "{a=[1, x, null, 1.0E10], b=true}");
        assert_eq!((text_of(&column, 1), text_of(&column, 2)), ("plain".into(), "{broken".into()));
    }
}
