//! Records of a source to bytes: headers, keys and values, each by its converter, unless the task has converted them itself.

use arrow::array::{Array, BinaryArray};
use volley_api::{
    Error, HeaderConverter, RawHeader, RawHeaders, Records, RejectedRow, Result, Serialized, Stage, Unserialized,
};

use crate::task::errors::error_handler::{ErrorHandler, may_be_retried, reject_rows};
use crate::task::setup::NamedConverter;
use crate::task::source::produce::own_bytes::own_bytes;

/// How the records of a source task become bytes.
pub(crate) enum RecordSerializer {
    /// By the worker's converters.
    Converters(Box<RecordConverters>),
    /// They are bytes: the task has converted them.
    AsTheyAre,
}

/// The converters of a source task.
pub(crate) struct RecordConverters {
    pub(crate) key: NamedConverter,
    pub(crate) value: NamedConverter,
    pub(crate) header: Box<dyn HeaderConverter>,
    pub(crate) header_class: String,
}

/// The key, value and headers of a message.
pub(crate) type SerializedRow<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, &'a [RawHeader]);

/// Records as bytes. Rows are those of the records.
pub(crate) struct SerializedRecords {
    pub(super) keys: BinaryArray,
    pub(super) values: BinaryArray,
    pub(super) headers: Option<RawHeaders>,
    pub(super) is_rejected: Vec<bool>,
    /// The rows that are not to be sent, by their INPUT row.
    pub(crate) rejected: Vec<RejectedRow>,
}

impl RecordSerializer {
    /// The bytes of all rows: see [`RecordConverters::serialize`].
    ///
    /// # Errors
    /// What tolerance does not cover, also of a task that was to give bytes and did not.
    pub(crate) fn serialize(&mut self, records: &Records, errors: &ErrorHandler) -> Result<SerializedRecords> {
        match self {
            Self::Converters(converters) => converters.serialize(records, errors),
            Self::AsTheyAre => own_bytes(records),
        }
    }
}

impl RecordConverters {
    /// Converts all rows; what fails and may succeed later is tried again as `errors` says.
    ///
    /// # Errors
    /// What tolerance does not cover; bad rows are rejected rows.
    fn serialize(&mut self, records: &Records, errors: &ErrorHandler) -> Result<SerializedRecords> {
        let mut rejected = Vec::new();
        let mut headers = self.headers(records, errors, &mut rejected)?;
        let mut convert = |converter: &mut NamedConverter, stage, column| {
            let rows = Unserialized { topic: &records.topic, column, headers: headers.as_ref() };
            let mut serialized = convert(converter, stage, &rows, errors)?;
            add_headers(&mut headers, serialized.headers.take());
            Ok::<_, Error>(serialized)
        };
        let key = convert(&mut self.key, Stage::KeyConverter, &records.key)?;
        let value = convert(&mut self.value, Stage::ValueConverter, &records.value)?;
        // a row is reported for the first of the stages that rejected it
        rejected.extend(key.rejected);
        rejected.extend(value.rejected);
        let mut is_rejected = vec![false; if rejected.is_empty() { 0 } else { records.len() }];
        for row in &mut rejected {
            is_rejected[row.row] = true;
            row.row = records.rows.input_row(row.row);
        }
        Ok(SerializedRecords { keys: key.bytes, values: value.bytes, headers, is_rejected, rejected })
    }

    fn headers(
        &mut self,
        records: &Records,
        errors: &ErrorHandler,
        rejected: &mut Vec<RejectedRow>,
    ) -> Result<Option<RawHeaders>> {
        let Some(headers) = records.headers.as_ref() else { return Ok(None) };
        let mut converted = Vec::with_capacity(headers.len());
        for (row, of_row) in headers.iter().enumerate() {
            let converter = &mut self.header;
            let convert = || {
                let raw = of_row.iter().map(|header| converter.from_connect(&records.topic, header));
                raw.collect::<Result<Vec<RawHeader>>>().map(Ok)
            };
            let raw = errors.tried(convert, |_| false, Err)?;
            converted.push(raw.unwrap_or_else(|error| {
                let class = self.header_class.clone();
                rejected.push(RejectedRow { row, stage: Stage::HeaderConverter, class, error });
                Vec::new()
            }));
        }
        Ok(Some(converted))
    }
}

/// A timestamp is a time since 1970, or -1 for none.
///
/// # Errors
/// `Fatal` if one of them is not.
pub(crate) fn check_timestamps(records: &Records) -> Result<()> {
    match records.timestamps.iter().find(|timestamp| **timestamp < -1) {
        None => Ok(()),
        Some(timestamp) => Err(Error::fatal(format!("Invalid record timestamp {timestamp}"))
            .with_exception("org.apache.kafka.common.InvalidRecordException")),
    }
}

fn convert(
    converter: &mut NamedConverter,
    stage: Stage,
    rows: &Unserialized<'_>,
    errors: &ErrorHandler,
) -> Result<Serialized> {
    let NamedConverter { converter, class } = converter;
    let len = rows.column.len();
    let reject_all =
        |error: Error| Serialized::new(BinaryArray::new_null(len), reject_rows(0..len, stage, class, &error));
    errors.tried(|| converter.from_connect(rows), |serialized| may_be_retried(&serialized.rejected), reject_all)
}

/// Adds what a converter has added to the headers of each row.
fn add_headers(headers: &mut Option<RawHeaders>, added: Option<RawHeaders>) {
    let Some(added) = added else { return };
    match headers {
        Some(headers) => headers.iter_mut().zip(added).for_each(|(of_row, added)| of_row.extend(added)),
        None => *headers = Some(added),
    }
}

impl SerializedRecords {
    /// The key, value and headers of a row; `None` if it is rejected.
    pub(crate) fn row(&self, row: usize) -> Option<SerializedRow<'_>> {
        if self.is_rejected.get(row).copied().unwrap_or_default() {
            return None;
        }
        let headers = self.headers.as_ref().map_or(&[][..], |headers| headers[row].as_slice());
        Some((bytes_at(&self.keys, row), bytes_at(&self.values, row), headers))
    }

    /// Whether no row is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty() || (!self.is_rejected.is_empty() && self.is_rejected.iter().all(|rejected| *rejected))
    }
}

fn bytes_at(array: &BinaryArray, row: usize) -> Option<&[u8]> {
    array.is_valid(row).then(|| array.value(row))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use volley_api::testing::{config_map, records, texts};
    use volley_api::{ConnectorKind, RawBatch, Side};
    use volley_api::{Converted, Converter, Header, Records, Value};

    use super::*;
    use crate::connector_config::framework_config_def;
    use crate::connector_task_id::ConnectorTaskId;
    use crate::metrics::TaskMetrics;
    use crate::task::control::Control;
    use crate::task::{StatusListener, TaskState};
    use crate::testing::FakeHeaderConverter;

    /// Adds a header to each row, and shows as bytes which headers the row had.
    struct Tagging(&'static str);

    impl Converter for Tagging {
        fn to_connect(&mut self, _: &RawBatch, _: Side) -> Result<Converted> {
            Err(Error::fatal("not used"))
        }

        fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
            let given = |row: usize| rows.headers.map_or_else(String::new, |headers| names(&headers[row]));
            let bytes = (0..rows.column.len()).map(|row| Some(given(row)));
            let tag = vec![RawHeader { name: self.0.into(), value: None }];
            let headers = Some(vec![tag; rows.column.len()]);
            Ok(Serialized { bytes: bytes.collect(), headers, rejected: Vec::new() })
        }
    }

    struct Silent;

    impl StatusListener for Silent {
        fn task_changed(&self, _: &ConnectorTaskId, _: TaskState) {}

        fn topic_used(&self, _: &ConnectorTaskId, _: &str) {}
    }

    fn names(headers: &[RawHeader]) -> String {
        headers.iter().map(|header| &*header.name).collect::<Vec<_>>().join(",")
    }

    fn serialized(records: &Records) -> SerializedRecords {
        let config = config_map(&[("name", "c"), ("connector.class", "Fake")]);
        let config = framework_config_def(ConnectorKind::Source).parse(&config).unwrap();
        let id = ConnectorTaskId { connector: "c".into(), task: 0 };
        let metrics = TaskMetrics::alone(ConnectorKind::Source);
        let control = Arc::new(Control::new(id.clone(), Arc::new(Silent), Arc::clone(&metrics), false));
        let errors = ErrorHandler::new(id, &config, None, control, metrics);
        let named = |tag| NamedConverter { converter: Box::new(Tagging(tag)), class: "Tagging".into() };
        let mut serializer = RecordConverters {
            key: named("of-key"),
            value: named("of-value"),
            header: Box::new(FakeHeaderConverter),
            header_class: "FakeHeaderConverter".into(),
        };
        serializer.serialize(records, &errors).unwrap()
    }

    #[test]
    fn headers_that_converters_add_come_after_those_of_the_record() {
        let bare = records("t", texts(["a", "b"]));
        let own = vec![vec![Header::new("own", Value::Null)], Vec::new()];
        let with_headers = Records { headers: Some(Arc::new(own)), ..bare.clone() };
        for (records, first) in [(bare, "of-key,of-value"), (with_headers, "own,of-key,of-value")] {
            let serialized = serialized(&records);
            let [first_row, second_row] = [0, 1].map(|row| serialized.row(row).unwrap());
            assert_eq!((names(first_row.2), names(second_row.2)), (first.to_owned(), "of-key,of-value".to_owned()));
            let seen_by_value = String::from_utf8(first_row.1.unwrap().to_vec()).unwrap();
            assert_eq!(
                seen_by_value,
                first.trim_end_matches(",of-value"),
                "the value's converter sees those of the key's"
            );
        }
    }
}
