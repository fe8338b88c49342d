//! `ExtractTimestamp$Key` and `ExtractTimestamp$Value`: the time of a record is what a field says.
//!
//! ```text
//! transforms.time.type=io.aiven.kafka.connect.transforms.ExtractTimestamp$Value
//! transforms.time.field.name=created_at
//! ```

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, Time32MillisecondType, TimestampMillisecondType};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};

use super::places::{FIELD_NAME, place};
use super::plugins::pair;
use crate::columns::{ColumnReader, field_column, reject};

const RESOLUTION: &str = "timestamp.resolution";
const SECONDS: &str = "seconds";
const MILLISECONDS: &str = "milliseconds";
const MILLIS_PER_DAY: i64 = 86_400_000;
const CLASSES: [&str; 2] = [
    "io.aiven.kafka.connect.transforms.ExtractTimestamp$Key",
    "io.aiven.kafka.connect.transforms.ExtractTimestamp$Value",
];

/// Takes the time of records from a field.
#[derive(Debug)]
pub(super) struct ExtractTimestamp {
    reader: ColumnReader,
    name: String,
    has_seconds: bool,
}

impl ExtractTimestamp {
    pub(super) fn config_def() -> ConfigDef {
        let field = "Field with the time: an INT64 or a Timestamp.";
        let resolution = "Whether an INT64 counts `milliseconds` or `seconds` since 1970.";
        ConfigDef::new()
            .key(
                ConfigKey::required(FIELD_NAME, ConfigType::String, Importance::High, field)
                    .validated(Validator::NonEmpty),
            )
            .key(
                ConfigKey::with_default(RESOLUTION, ConfigType::String, MILLISECONDS, Importance::Low, resolution)
                    .validated(Validator::custom(is_resolution)),
            )
    }

    /// # Errors
    /// `Config` if no field is named, or the resolution is none that there is.
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let name = config.string(FIELD_NAME).unwrap_or_default().to_owned();
        let has_seconds = config.string(RESOLUTION) == Some(SECONDS);
        Ok(Self { reader: ColumnReader::new(side, CLASSES), name, has_seconds })
    }
}

fn is_resolution(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) if text != SECONDS && text != MILLISECONDS => {
            Err(format!("Unsupported resolution type '{text}'. Supported are: {MILLISECONDS}, {SECONDS}"))
        }
        _ => Ok(()),
    }
}

impl Transformation for ExtractTimestamp {
    fn apply(&mut self, mut records: Records) -> Result<Transformed> {
        let (name, side, has_seconds) = (&self.name, self.reader.side, self.has_seconds);
        let times =
            self.reader.each_row(&records, |wanted| wanted == name, |column| times(column, name, side, has_seconds))?;
        let (mut timestamps, mut failed) = (Vec::with_capacity(times.len()), Vec::new());
        for (row, time) in times.into_iter().enumerate() {
            timestamps.push(*time.as_ref().unwrap_or(&records.timestamps[row]));
            failed.extend(time.err().map(|error| (row, error)));
        }
        records.timestamps = timestamps.into();
        reject(records, self.reader.class, failed)
    }
}

type Time = std::result::Result<i64, Error>;

fn times(column: &Column, name: &str, side: Side, has_seconds: bool) -> Result<Vec<Time>> {
    let is_struct = matches!(column.field.data_type(), DataType::Struct(_));
    let values = match field_column(column, name)? {
        Some(values) => Some((millis(&values, has_seconds)?, values)),
        None => None,
    };
    let time = |row: usize| match &values {
        _ if column.is_null(row) => Err(Error::data(format!("{} can't be null", place(side)))),
        _ if !is_struct => Err(Error::data(format!("{} type must be STRUCT or MAP", place(side)))),
        Some((Some(millis), values)) if !values.is_null(row) && millis.is_valid(row) => Ok(millis.value(row)),
        Some((_, values)) if !values.is_null(row) => {
            Err(Error::data(format!("{name} field must be INT64 or org.apache.kafka.connect.data.Timestamp")))
        }
        _ => Err(Error::data(format!("{name} field must be present and its value can't be null"))),
    };
    Ok((0..column.len()).map(time).collect())
}

/// The times of a column, null where a value is none; `None` if there are none in it. Of numbers without a schema that stand beside
/// others with a fraction, the whole ones are times.
fn millis(values: &Column, has_seconds: bool) -> Result<Option<arrow::array::Int64Array>> {
    let of_number = |number: i64| if has_seconds { number.saturating_mul(1000) } else { number };
    Ok(match values.field.data_type() {
        DataType::Int64 => Some(values.array.as_primitive::<Int64Type>().unary(of_number)),
        DataType::Float64 if !schema::has_schema(&values.field) => {
            let numbers = values.array.as_primitive::<Float64Type>();
            let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64);
            Some(numbers.unary_opt::<_, Int64Type>(whole).unary(of_number))
        }
        DataType::Date32 => {
            Some(values.array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * MILLIS_PER_DAY))
        }
        DataType::Time32(_) => Some(values.array.as_primitive::<Time32MillisecondType>().unary(i64::from)),
        DataType::Timestamp(..) => {
            let times = cast(&values.array, &schema::timestamp_type())?;
            Some(times.as_primitive::<TimestampMillisecondType>().reinterpret_cast::<Int64Type>())
        }
        _ => None,
    })
}

pub(super) fn plugins() -> [Plugin; 2] {
    let what = "Takes the time of records from a field of their {side}.";
    pair(CLASSES, what, ExtractTimestamp::config_def, ExtractTimestamp::new)
}
