//! Defaults of fields, as JsonConverter writes them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, TimeUnit};
use chrono_tz::Tz;
use serde_json::Value;
use volley_api::{Result, schema};

use crate::database::Cell;

/// The default of a field that is written, as an array of one value; `None` if there is none, or none of these types.
///
/// # Errors
/// None.
pub(super) fn default_value(field: &Field) -> Result<Option<ArrayRef>> {
    let Some(json) = field.metadata().get(schema::DEFAULT) else { return Ok(None) };
    let value: Value = serde_json::from_str(json).unwrap_or(Value::Null);
    Ok(value_of(field.data_type(), &value))
}

fn value_of(data_type: &DataType, value: &Value) -> Option<ArrayRef> {
    let integer = value.as_i64();
    Some(match data_type {
        DataType::Boolean => Arc::new(BooleanArray::from(vec![value.as_bool()?])),
        DataType::Int8 => Arc::new(Int8Array::from(vec![i8::try_from(integer?).ok()?])),
        DataType::Int16 => Arc::new(Int16Array::from(vec![i16::try_from(integer?).ok()?])),
        DataType::Int32 => Arc::new(Int32Array::from(vec![i32::try_from(integer?).ok()?])),
        DataType::Int64 => Arc::new(Int64Array::from(vec![integer?])),
        DataType::Float32 => Arc::new(Float32Array::from(vec![value.as_f64()? as f32])),
        DataType::Float64 => Arc::new(Float64Array::from(vec![value.as_f64()?])),
        DataType::Utf8 => Arc::new(StringArray::from(vec![value.as_str()?])),
        // JsonConverter counts days and milliseconds
        DataType::Date32 => Arc::new(Date32Array::from(vec![i32::try_from(integer?).ok()?])),
        DataType::Time64(TimeUnit::Microsecond) => {
            Arc::new(Time64MicrosecondArray::from(vec![integer?.checked_mul(1_000)?]))
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let micros = TimestampMicrosecondArray::from(vec![integer?.checked_mul(1_000)?]);
            Arc::new(micros.with_timezone_opt(zone.clone()))
        }
        _ => return None,
    })
}

/// The default of a field as a literal of SQL, with texts as `literal` writes them; `None` if there is none.
pub(super) fn default_literal(field: &Field, zone: Tz, literal: &dyn Fn(&str) -> String) -> Option<String> {
    let value = default_value(field).ok()??;
    let cell = Cell::of(&*value, 0).ok()?;
    Some(match &cell {
        // quoted, since PostgreSQL takes no number for a truth value
        Cell::Boolean(truth) => if *truth { "'1'" } else { "'0'" }.to_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Float(number) if number.is_finite() => number.to_string(),
        Cell::Double(number) if number.is_finite() => number.to_string(),
        _ => literal(&cell.text(zone).ok()??),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn literal(data_type: DataType, json: &str) -> Option<String> {
        let metadata = HashMap::from([(schema::DEFAULT.to_owned(), json.to_owned())]);
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        default_literal(&Field::new("a", data_type, true).with_metadata(metadata), Tz::UTC, &quoted)
    }

    #[test]
    fn defaults_are_literals_of_their_type() {
        assert_eq!(literal(DataType::Int16, "7").as_deref(), Some("7"));
        assert_eq!(literal(DataType::Int8, "700"), None);
        assert_eq!(literal(DataType::Utf8, "\"it's\"").as_deref(), Some("'it''s'"));
        assert_eq!(literal(DataType::Date32, "1").as_deref(), Some("'1970-01-02'"));
        assert_eq!(literal(DataType::Boolean, "true").as_deref(), Some("'1'"));
        assert_eq!(literal(DataType::Float64, "1.5").as_deref(), Some("1.5"));
        assert_eq!(literal(DataType::Int32, "{"), None);
    }
}
