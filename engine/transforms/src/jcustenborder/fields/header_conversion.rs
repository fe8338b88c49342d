//! Headers as values of one type, as Connect's `Values` converts them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, StringArray, Time32MillisecondArray, TimestampMillisecondArray,
};
use volley_api::{ConfigMap, Error, Header, HeaderConverter, RawHeader, Result, Value};
use volley_converters::SimpleHeaderConverter;

use crate::cast::parse_big_decimal;

const MS_PER_DAY: i64 = 86_400_000;
const MAX_SCALE: i8 = 49;
const DECIMAL: &str = "DECIMAL[SCALE=";

/// The type that headers become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Text,
    Flag,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Timestamp,
    Date,
    Time,
    /// With its scale.
    Decimal(i8),
}

type Failed = Vec<(usize, Error)>;

impl Target {
    /// As mappings name it, in any case: also with the long name of a logical type.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase().replace("ORG.APACHE.KAFKA.CONNECT.DATA.", "");
        Some(match name.as_str() {
            "STRING" => Self::Text,
            "BOOLEAN" => Self::Flag,
            "INT8" => Self::Int8,
            "INT16" => Self::Int16,
            "INT32" => Self::Int32,
            "INT64" => Self::Int64,
            "FLOAT32" => Self::Float32,
            "FLOAT64" => Self::Float64,
            "INT64(TIMESTAMP)" => Self::Timestamp,
            "INT32(DATE)" => Self::Date,
            "INT32(TIME)" => Self::Time,
            other => {
                let scale = other.strip_prefix("BYTES(")?.strip_prefix(DECIMAL)?.strip_suffix("])")?;
                Self::Decimal(scale.parse().ok().filter(|scale| (0..=MAX_SCALE).contains(scale))?)
            }
        })
    }

    /// The headers of the rows, null where there is none, and those that cannot be converted.
    pub(super) fn array<'a>(self, headers: impl Iterator<Item = Option<&'a Header>>) -> Result<(ArrayRef, Failed)> {
        let mut failed = Vec::new();
        let converted: Vec<Option<Value>> = headers
            .enumerate()
            .map(|(row, header)| {
                let header = header.filter(|header| header.value != Value::Null)?;
                let value = self.converted(header);
                value.map_err(|error| failed.push((row, error))).ok()
            })
            .collect();
        Ok((self.array_of(&converted)?, failed))
    }

    fn converted(self, header: &Header) -> Result<Value> {
        let value = &header.value;
        let wrong = || unconvertible(header);
        let whole = || whole(value).ok_or_else(wrong);
        let float = || float(value).ok_or_else(wrong);
        Ok(match self {
            Self::Text => Value::String(text(header)?),
            Self::Flag => Value::Boolean(flag(value).ok_or_else(wrong)?),
            Self::Int8 => Value::Int8(whole()? as i8),
            Self::Int16 => Value::Int16(whole()? as i16),
            Self::Int32 => Value::Int32(whole()? as i32),
            Self::Int64 => Value::Int64(whole()?),
            Self::Float32 => Value::Float32(float()? as f32),
            Self::Float64 => Value::Float64(float()?),
            Self::Timestamp | Self::Date | Self::Time => self.time(value)?.ok_or_else(wrong)?,
            Self::Decimal(scale) => {
                let text = text(header)?;
                let unscaled = arrow::compute::kernels::cast_utils::parse_decimal::<arrow::datatypes::Decimal128Type>(
                    &text, 38, scale,
                );
                Value::Decimal { unscaled: unscaled.map_err(|_| wrong())?.to_string(), scale: i32::from(scale) }
            }
        })
    }

    /// Texts are read as Connect reads them.
    fn time(self, value: &Value) -> Result<Option<Value>> {
        let read = match value {
            Value::String(text) => {
                let raw = RawHeader { name: "".into(), value: Some(text.as_bytes().to_vec()) };
                SimpleHeaderConverter::new(&ConfigMap::new())?.to_connect("", &raw)?.value
            }
            value => value.clone(),
        };
        let millis = match read {
            Value::Timestamp(millis) => millis,
            Value::Date(days) => i64::from(days) * MS_PER_DAY,
            Value::Time(millis) => i64::from(millis),
            _ => return Ok(whole(value).map(|number| self.of_number(number))),
        };
        Ok(Some(match self {
            Self::Date => Value::Date(millis.div_euclid(MS_PER_DAY) as i32),
            Self::Time => Value::Time(millis.rem_euclid(MS_PER_DAY) as i32),
            _ => Value::Timestamp(millis),
        }))
    }

    fn of_number(self, number: i64) -> Value {
        match self {
            Self::Date => Value::Date(number as i32),
            Self::Time => Value::Time(number as i32),
            _ => Value::Timestamp(number),
        }
    }

    fn array_of(self, values: &[Option<Value>]) -> Result<ArrayRef> {
        macro_rules! each {
            ($array:ty, $variant:ident) => {{
                let of_row = |value: &Option<Value>| match value {
                    Some(Value::$variant(value)) => Some(value.clone()),
                    _ => None,
                };
                values.iter().map(of_row).collect::<$array>()
            }};
        }
        Ok(match self {
            Self::Text => Arc::new(each!(StringArray, String)),
            Self::Flag => Arc::new(each!(BooleanArray, Boolean)),
            Self::Int8 => Arc::new(each!(Int8Array, Int8)),
            Self::Int16 => Arc::new(each!(Int16Array, Int16)),
            Self::Int32 => Arc::new(each!(Int32Array, Int32)),
            Self::Int64 => Arc::new(each!(Int64Array, Int64)),
            Self::Float32 => Arc::new(each!(Float32Array, Float32)),
            Self::Float64 => Arc::new(each!(Float64Array, Float64)),
            Self::Timestamp => Arc::new(each!(TimestampMillisecondArray, Timestamp).with_timezone("UTC")),
            Self::Date => Arc::new(each!(Date32Array, Date)),
            Self::Time => Arc::new(each!(Time32MillisecondArray, Time)),
            Self::Decimal(scale) => {
                let of_row = |value: &Option<Value>| match value {
                    Some(Value::Decimal { unscaled, .. }) => unscaled.parse::<i128>().ok(),
                    _ => None,
                };
                let unscaled: Decimal128Array = values.iter().map(of_row).collect();
                Arc::new(unscaled.with_precision_and_scale(38, scale)?)
            }
        })
    }
}

/// Connect names the type that the value has, not the one that it should get.
fn unconvertible(header: &Header) -> Error {
    let (class, data_type) = match &header.value {
        Value::String(_) => ("java.lang.String", "STRING"),
        Value::Boolean(_) => ("java.lang.Boolean", "BOOLEAN"),
        Value::Bytes(_) => ("[B", "BYTES"),
        Value::Array(_) => ("java.util.ArrayList", "ARRAY"),
        Value::Map(_) => ("java.util.LinkedHashMap", "MAP"),
        Value::Struct(_) => ("org.apache.kafka.connect.data.Struct", "STRUCT"),
        _ => ("java.lang.Number", "INT64"),
    };
    let text = text(header).unwrap_or_default();
    let message = format!("Unable to convert {text} (class {class}) to Schema{{{data_type}}}");
    Error::data(message).with_place(format!("the header is `{}`", header.name))
}

/// As Connect writes it.
fn text(header: &Header) -> Result<String> {
    let raw = SimpleHeaderConverter::new(&ConfigMap::new())?.from_connect("", header)?;
    Ok(String::from_utf8_lossy(&raw.value.unwrap_or_default()).into_owned())
}

/// The whole part of a number, its lowest bits where it is too large.
fn whole(value: &Value) -> Option<i64> {
    Some(match value {
        Value::Int8(number) => i64::from(*number),
        Value::Int16(number) => i64::from(*number),
        Value::Int32(number) => i64::from(*number),
        Value::Int64(number) => *number,
        Value::Float32(number) => *number as i64,
        Value::Float64(number) => *number as i64,
        Value::Date(days) => i64::from(*days),
        Value::Time(millis) => i64::from(*millis),
        Value::Timestamp(millis) => *millis,
        Value::String(text) => parse_big_decimal(text)?.low_bits,
        _ => return None,
    })
}

fn float(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Float32(number) => f64::from(*number),
        Value::Float64(number) => *number,
        Value::String(text) => parse_big_decimal(text)?.double,
        other => whole(other)? as f64,
    })
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        other => whole(other).map(|number| number != 0),
    }
}
