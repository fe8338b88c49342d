//! Rows as text, to be compared and shown.

use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::{Column, Records};

/// The value of a row with its type; null is `null`, whatever its type.
///
/// # Panics
/// If the value cannot be shown.
pub fn row_text(column: &Column, row: usize) -> String {
    if column.is_null(row) {
        return "null".to_owned();
    }
    let options = FormatOptions::default().with_null("null");
    let formatter = ArrayFormatter::try_new(&*column.array, &options).expect("a column that can be shown");
    format!("{} {}", column.array.data_type(), formatter.value(row))
}

/// All that is said of each row but its timestamp and where it was consumed: topic, partition, key, value and headers.
pub fn row_texts(records: &Records) -> Vec<String> {
    let text = |row| {
        let headers = records.headers.as_ref().map(|headers| format!("{:?}", headers[row])).unwrap_or_default();
        let (key, value) = (row_text(&records.key, row), row_text(&records.value, row));
        format!("{}/{:?} {key} = {value} {headers}", records.topic, records.kafka_partition)
    };
    (0..records.len()).map(text).collect()
}

/// Fails if the parts of records have different lengths, or their rows do not ascend.
pub(super) fn check_shape(records: &Records) {
    let len = records.rows.len();
    assert_eq!(records.key.len(), len, "there are {len} rows and another number of keys");
    assert_eq!(records.value.len(), len, "there are {len} rows and another number of values");
    assert_eq!(records.timestamps.len(), len, "there are {len} rows and another number of timestamps");
    if let Some(headers) = &records.headers {
        assert_eq!(headers.len(), len, "there are {len} rows and another number of rows of headers");
    }
    for column in [&records.key, &records.value] {
        assert_eq!(column.field.data_type(), column.array.data_type(), "a field has another type than its values");
    }
    let rows: Vec<usize> = records.rows.iter().collect();
    assert!(rows.is_sorted(), "rows of records must ascend: {rows:?}");
}
