//! `timestamp.extractor`: which time counts for a record.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use volley_api::schema::{has_schema, is_mixed};
use volley_api::{Column, Records, Result, Semantics, as_meant, mixed_as_text};

use super::iso_text::parse_iso;
use super::zone::Zone;
use crate::layout::field_path::{FieldColumn, FieldPath};

/// A record without a timestamp.
const NO_TIMESTAMP: i64 = -1;
/// A text with more digits is no number of milliseconds.
const MAX_DIGITS: usize = 19;
const DAY_MS: i64 = 86_400_000;

/// Which time counts for a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TimestampExtractor {
    /// When the sink was given it.
    Wallclock,
    /// Its timestamp in Kafka.
    Record,
    /// A field of its value: a timestamp, a date, milliseconds since 1970-01-01 UTC, or a text of either.
    RecordField(FieldPath),
}

/// The times of rows, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RowTimes {
    /// All rows have the same.
    Same(i64),
    /// One for each row; that of a rejected row means nothing.
    Each(ScalarBuffer<i64>),
}

#[cfg(test)]
impl RowTimes {
    /// The time of a row.
    pub(crate) fn of_row(&self, row: usize) -> i64 {
        match self {
            Self::Same(time) => *time,
            Self::Each(times) => times[row],
        }
    }
}

/// The times of rows, and the rows that have none.
#[derive(Debug)]
pub(crate) struct ExtractedTimes {
    pub(crate) times: RowTimes,
    /// Ascending, with what is wrong with each.
    pub(crate) rejected: Vec<(usize, String)>,
}

impl TimestampExtractor {
    /// The time of each row. `now_ms` is that of the clock; `zone` is that of texts which name none.
    ///
    /// # Errors
    /// None for records whose arrays are of their fields' types.
    pub(crate) fn times(&self, records: &Records, now_ms: i64, zone: &Zone) -> Result<ExtractedTimes> {
        match self {
            Self::Wallclock => Ok(ExtractedTimes { times: RowTimes::Same(now_ms), rejected: Vec::new() }),
            Self::Record => Ok(record_times(records)),
            Self::RecordField(field) => field_times(field, records, zone),
        }
    }

    /// A text that differs for extractors that differ.
    pub(crate) fn signature(&self) -> String {
        match self {
            Self::Wallclock => "wallclock".to_owned(),
            Self::Record => "record".to_owned(),
            Self::RecordField(field) => format!("field {:?}", field.name()),
        }
    }
}

fn record_times(records: &Records) -> ExtractedTimes {
    let is_missing = |row: &usize| records.timestamps[*row] == NO_TIMESTAMP;
    let rejected = (0..records.len()).filter(is_missing).map(|row| {
        (row, "the record has no timestamp; choose another `timestamp.extractor` for such records".to_owned())
    });
    ExtractedTimes { rejected: rejected.collect(), times: RowTimes::Each(records.timestamps.clone()) }
}

fn field_times(path: &FieldPath, records: &Records, zone: &Zone) -> Result<ExtractedTimes> {
    let rows = records.len();
    let found = match path.find(&records.value) {
        Ok(found) => found,
        Err(message) => return Ok(all_rejected(rows, &message)),
    };
    let field = as_time(&found)?;
    let may_be_fraction = !has_schema(&records.value.field);
    let Some(times) = times_of(&field, may_be_fraction, zone)? else {
        let data_type = found.field.data_type();
        let message = format!("field `{}` is of type {data_type}, which has no time", path.name());
        return Ok(all_rejected(rows, &message));
    };
    let rejected = (0..rows).filter(|row| found.is_null(*row) || times[*row].is_none());
    let rejected = rejected.map(|row| (row, objection(path, records, &found, row))).collect();
    let times = times.into_iter().map(|time| time.unwrap_or(NO_TIMESTAMP)).collect();
    Ok(ExtractedTimes { times: RowTimes::Each(times), rejected })
}

fn all_rejected(rows: usize, message: &str) -> ExtractedTimes {
    let rejected = (0..rows).map(|row| (row, message.to_owned())).collect();
    ExtractedTimes { times: RowTimes::Same(NO_TIMESTAMP), rejected }
}

fn objection(path: &FieldPath, records: &Records, found: &FieldColumn, row: usize) -> String {
    let name = path.name();
    if records.value.is_null(row) {
        return format!("the value is null, so that it has no field `{name}` to take a time from");
    }
    if found.is_null(row) {
        return format!("field `{name}` is null, so that the record has no time");
    }
    format!("field `{name}` has no time: milliseconds since 1970 or a text such as 2026-11-30T20:15:30Z are needed")
}

/// The field as Debezium means it: its `MicroTimestamp` is not a number of milliseconds.
fn as_time(found: &FieldColumn) -> Result<Column> {
    let column = Column::new(Arc::clone(&found.field), Arc::clone(&found.array));
    Ok(as_meant(&column, Semantics::Times)?.into_owned())
}

/// The time of each row, whatever it is where the field is null; `None` where the type has no times.
fn times_of(column: &Column, may_be_fraction: bool, zone: &Zone) -> Result<Option<Vec<Option<i64>>>> {
    let scaled = |scale: &dyn Fn(i64) -> i64| -> Result<Option<Vec<Option<i64>>>> {
        let numbers = cast(&column.array, &DataType::Int64)?;
        Ok(Some(numbers.as_primitive::<Int64Type>().values().iter().map(|number| Some(scale(*number))).collect()))
    };
    match column.field.data_type() {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Date64 => scaled(&|time| time),
        DataType::Date32 => scaled(&|days| days.saturating_mul(DAY_MS)),
        DataType::Timestamp(TimeUnit::Second, _) => scaled(&|time| time.saturating_mul(1_000)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => scaled(&|time| time),
        DataType::Timestamp(TimeUnit::Microsecond, _) => scaled(&|time| time.div_euclid(1_000)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => scaled(&|time| time.div_euclid(1_000_000)),
        DataType::Float32 | DataType::Float64 if may_be_fraction => {
            let numbers = cast(&column.array, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>().values();
            Ok(Some(numbers.iter().map(|number| number.is_finite().then_some(*number as i64)).collect()))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            let Ok(texts) = cast(&column.array, &DataType::Utf8) else { return Ok(None) };
            let texts = texts.as_string::<i32>();
            let plain = is_mixed(&column.field).then(|| mixed_as_text(texts));
            let texts = plain.as_ref().unwrap_or(texts);
            // row by row: texts of times seldom repeat themselves
            Ok(Some(texts.iter().map(|text| text.and_then(|text| time_of_text(text, zone))).collect()))
        }
        DataType::Null => Ok(Some(vec![None; column.len()])),
        _ => Ok(None),
    }
}

fn time_of_text(text: &str, zone: &Zone) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if (1..=MAX_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    parse_iso(text, zone)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::{
        Array, ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, StringArray, StructArray,
        TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray,
    };
    use arrow::datatypes::Field;
    use volley_api::schema::{NAME, mixed_field, without_schema};
    use volley_api::testing::{column, consumed, texts};

    use super::*;

    fn records(field: Field, array: ArrayRef) -> Records {
        let value = StructArray::new(vec![field.with_name("at")].into(), vec![array], None);
        consumed("t", 0, 0, column(value))
    }

    fn extracted(records: &Records, zone: &str) -> Vec<Option<i64>> {
        let extractor = TimestampExtractor::RecordField(FieldPath::new("at"));
        let ExtractedTimes { times, rejected } = extractor.times(records, 0, &Zone::parse(zone).unwrap()).unwrap();
        let is_rejected = |row: usize| rejected.iter().any(|(bad, _)| *bad == row);
        (0..records.len()).map(|row| (!is_rejected(row)).then(|| times.of_row(row))).collect()
    }

    fn field_times(array: impl Array + 'static) -> Vec<Option<i64>> {
        extracted(&records(Field::new("at", array.data_type().clone(), true), Arc::new(array)), "UTC")
    }

    #[test]
    fn numbers_dates_and_timestamps_have_times() {
        assert_eq!(field_times(Int32Array::from(vec![Some(-5), None])), [Some(-5), None]);
        assert_eq!(field_times(Int64Array::from(vec![1_796_069_730_000])), [Some(1_796_069_730_000)]);
        assert_eq!(field_times(Date32Array::from(vec![Some(20_787), None])), [Some(1_795_996_800_000), None]);
        assert_eq!(field_times(TimestampSecondArray::from(vec![-1])), [Some(-1000)]);
        assert_eq!(field_times(TimestampMicrosecondArray::from(vec![-1, 1999])), [Some(-1), Some(1)]);
        assert_eq!(field_times(TimestampNanosecondArray::from(vec![-1, 1_999_999])), [Some(-1), Some(1)]);
        assert_eq!(field_times(Float64Array::from(vec![1.0])), [None]);
    }

    #[test]
    fn a_number_without_a_schema_may_have_a_fraction() {
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.796e12), Some(f64::NAN), None]));
        let mut records = records(Field::new("at", DataType::Float64, true), numbers);
        records.value.field = Arc::new(without_schema(records.value.field.as_ref().clone()));
        assert_eq!(extracted(&records, "UTC"), [Some(1_796_000_000_000), None, None]);
    }

    #[test]
    fn a_text_is_a_number_or_a_date_and_without_an_offset_it_is_local() {
        let values = StringArray::from(vec![
            Some("1796069730000"),
            Some("-1"),
            Some("2026"),
            Some("2026-11-30T20:15:30Z"),
            Some("2026-11-30T20:15:30"),
            Some("yesterday"),
            Some("99999999999999999999"),
            Some(""),
            None,
        ]);
        let values = records(Field::new("at", DataType::Utf8, true), Arc::new(values));
        let second = 1_796_069_730_000;
        let expected =
            [Some(second), Some(-1), Some(2026), Some(second), Some(second - 3_600_000), None, None, None, None];
        assert_eq!(extracted(&values, "Europe/Berlin"), expected);
        let mixed = StringArray::from(vec![Some(r#""2026-11-30T20:15:30Z""#), Some("1796069730000"), Some("{}")]);
        let mixed = records(mixed_field("at"), Arc::new(mixed));
        assert_eq!(extracted(&mixed, "UTC"), [Some(second), Some(second), None]);
    }

    #[test]
    fn debezium_s_times_are_what_they_mean() {
        let metadata = HashMap::from([(NAME.to_owned(), "io.debezium.time.MicroTimestamp".to_owned())]);
        let field = Field::new("at", DataType::Int64, true).with_metadata(metadata);
        let values = records(field, Arc::new(Int64Array::from(vec![1_796_069_730_000_001])));
        assert_eq!(extracted(&values, "UTC"), [Some(1_796_069_730_000)]);
    }

    #[test]
    fn a_record_without_a_time_says_why() {
        let why = |records: &Records, extractor: TimestampExtractor| {
            let extracted = extractor.times(records, 7, &Zone::parse("UTC").unwrap()).unwrap();
            extracted.rejected.into_iter().map(|(_, message)| message).collect::<Vec<_>>().join("; ")
        };
        let field = || TimestampExtractor::RecordField(FieldPath::new("at"));
        let records = |array: ArrayRef| records(Field::new("at", array.data_type().clone(), true), array);
        let nulls = records(Arc::new(Int64Array::from(vec![None])));
        assert_eq!(why(&nulls, field()), "field `at` is null, so that the record has no time");
        let text = consumed("t", 0, 0, texts(["x"]));
        assert_eq!(why(&text, field()), "the value has no field `at`: it is of type Utf8, not a struct");
        let other = TimestampExtractor::RecordField(FieldPath::new("when"));
        assert_eq!(why(&nulls, other), "when is not a valid field name");
        let decimal = records(Arc::new(arrow::array::Decimal128Array::from(vec![1])));
        assert!(why(&decimal, field()).contains("which has no time"));
        assert!(why(&nulls, TimestampExtractor::Record).contains("the record has no timestamp"));
        assert_eq!(why(&nulls, TimestampExtractor::Wallclock), "");
    }
}
