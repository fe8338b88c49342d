//! `ExtractTimestamp$Key` and `ExtractTimestamp$Value`: the time of a record is what a field of its value says. That of `$Key` is a
//! field of the value, too, as in Java.
//!
//! ```text
//! transforms.time.type=com.github.jcustenborder.kafka.connect.transform.common.ExtractTimestamp$Value
//! transforms.time.field.name=created_at
//! ```

use arrow::array::{Array, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMillisecondType};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, schema,
};
use volley_java::class_of;

use crate::columns::{ColumnReader, field_column, reject};
use crate::jcustenborder::supported::{UNSUPPORTED, pair};

const FIELD_NAME: &str = "field.name";
const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.ExtractTimestamp$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.ExtractTimestamp$Value",
];

/// Takes the time of records from a field.
#[derive(Debug)]
pub(in crate::jcustenborder) struct ExtractTimestamp {
    reader: ColumnReader,
    name: String,
}

impl ExtractTimestamp {
    pub(in crate::jcustenborder) fn config_def() -> ConfigDef {
        let field = "Field with the time: an INT64 of milliseconds, or a Timestamp.";
        ConfigDef::new().key(ConfigKey::required(FIELD_NAME, ConfigType::String, Importance::High, field))
    }

    /// # Errors
    /// `Config` if no field is named.
    pub(in crate::jcustenborder) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let name = config.string(FIELD_NAME).unwrap_or_default().to_owned();
        let class = CLASSES[usize::from(side == Side::Value)];
        Ok(Self { reader: ColumnReader::new(Side::Value, [class; 2]), name })
    }
}

impl Transformation for ExtractTimestamp {
    fn apply(&mut self, mut records: Records) -> Result<Transformed> {
        let name = &self.name;
        let times = self.reader.each_row(&records, |wanted| wanted == name, |column| times(column, name))?;
        let (mut timestamps, mut failed) = (Vec::with_capacity(times.len()), Vec::new());
        for (row, time) in times.into_iter().enumerate() {
            timestamps.push(*time.as_ref().unwrap_or(&records.timestamps[row]));
            failed.extend(time.err().map(|error| (row, error)));
        }
        records.timestamps = timestamps.into();
        reject(records, self.reader.class, failed)
    }
}

fn times(column: &Column, name: &str) -> Result<Vec<std::result::Result<i64, Error>>> {
    let is_struct = matches!(column.field.data_type(), DataType::Struct(_));
    let has_schema = schema::has_schema(&column.field);
    let values = field_column(column, name)?;
    let millis = match &values {
        Some(values) => millis(values)?,
        None => None,
    };
    let time = |row: usize| match (&values, &millis) {
        _ if column.is_null(row) || !is_struct => {
            Err(Error::data("there are no fields that the time could be taken from").with_exception(UNSUPPORTED))
        }
        (None, _) if has_schema => {
            Err(Error::data("Schema does not have field '{}'").with_place(format!("the field is `{name}`")))
        }
        (Some(_), None) if has_schema => {
            Err(Error::data("Schema '{}' is not supported.").with_place(format!("the field is `{name}`")))
        }
        (Some(_), Some(millis)) if millis.is_valid(row) => Ok(millis.value(row)),
        (Some(values), _) if !values.is_null(row) => {
            let class = match values.field.data_type() {
                DataType::Struct(_) => "java.util.HashMap",
                DataType::Utf8 if schema::is_json_text(&values.field) => "java.util.ArrayList",
                other => class_of(other),
            };
            Err(Error::data(format!("Cannot convert {class} to timestamp.")))
        }
        _ => Err(Error::data(format!("Field '{name}' cannot be null."))),
    };
    Ok((0..column.len()).map(time).collect())
}

/// The times of a column, null where a value is none; `None` if there are none in it. Of numbers without a schema that stand beside
/// others with a fraction, the whole ones are times.
fn millis(values: &Column) -> Result<Option<Int64Array>> {
    Ok(match values.field.data_type() {
        DataType::Int64 => Some(values.array.as_primitive::<Int64Type>().clone()),
        DataType::Float64 if !schema::has_schema(&values.field) => {
            let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64);
            Some(values.array.as_primitive::<Float64Type>().unary_opt::<_, Int64Type>(whole))
        }
        DataType::Timestamp(..) => {
            let times = cast(&values.array, &schema::timestamp_type())?;
            Some(times.as_primitive::<TimestampMillisecondType>().reinterpret_cast::<Int64Type>())
        }
        _ => None,
    })
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    let what = "Takes the time of records from a field of their value.";
    pair(CLASSES, what, ExtractTimestamp::config_def, ExtractTimestamp::new)
}
