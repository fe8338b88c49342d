//! The second stage of a sink task: bytes to records, and the transformation chain.
//!
//! ```text
//!  RawBatch ─┬─ key converter ────► runs ┐
//!            ├─ value converter ──► runs ┼─ assemble ─► Records ─ TransformChain ─► SinkBatch
//!            └─ header converter ────────┘                             │
//!                     │ rejected rows                                  │ rejected rows
//!                     └────────────► ErrorHandler ◄────────────────────┘
//! ```
//!
//! A row is reported for the first stage that rejected it. Signals pass through unchanged.

use std::sync::Arc;

use crossbeam_channel::Sender;
use volley_api::{
    Converted, Error, Header, HeaderConverter, Headers, RawBatch, Records, RejectedRow, Result, Side, SinkBatch, Stage,
};

use crate::task::control::Control;
use crate::task::errors::error_handler::{ErrorHandler, Input, may_be_retried, reject_rows};
use crate::task::setup::NamedConverter;
use crate::task::sink::assembly::assemble;
use crate::task::sink::pipeline::{Fetched, FetchedBatch, Prepared, Signal};
use crate::task::transform::transform_chain::TransformChain;

/// The parts that convert a raw batch to a [`SinkBatch`].
pub(crate) struct ConvertStage {
    pub(crate) key: NamedConverter,
    pub(crate) value: NamedConverter,
    pub(crate) header: Box<dyn HeaderConverter>,
    pub(crate) header_class: String,
    pub(crate) chain: TransformChain,
    pub(crate) errors: Arc<ErrorHandler>,
    pub(crate) control: Arc<Control>,
}

impl ConvertStage {
    /// Converts what is a batch, and passes it on. An error is passed on as a signal behind the good rows. `false` if nothing can come
    /// after it.
    pub(crate) fn pass_on(&mut self, fetched: Fetched, output: &Sender<Prepared>) -> bool {
        let (prepared, failure) = match fetched {
            Fetched::Signal(signal) => (Some(Prepared::Signal(signal)), None),
            Fetched::Batch(fetched) => match self.convert(&fetched.raw) {
                Ok((batch, failure)) => {
                    let fetched = FetchedBatch { raw: Arc::clone(&batch.raw), ..fetched };
                    (Some(Prepared::Batch { fetched, batch }), failure)
                }
                Err(error) => (None, Some(error)),
            },
        };
        // the receiver is gone only when the task ends anyway
        if prepared.is_some_and(|prepared| output.send(prepared).is_err()) {
            return false;
        }
        let Some(error) = failure else { return true };
        let _ = output.send(Prepared::Signal(Signal::Failed(error)));
        false
    }

    /// Converts and transforms a batch. Rejected rows have been handled when this returns. Where the first of them ends the task,
    /// its error comes with what is before it.
    pub(crate) fn convert(&mut self, raw: &Arc<RawBatch>) -> Result<(SinkBatch, Option<Error>)> {
        let keys = self.convert_side(raw, Side::Key)?;
        let values = self.convert_side(raw, Side::Value)?;
        let mut rejected = Vec::new();
        let headers = self.convert_headers(raw, &mut rejected)?;
        let Converted { runs: key_runs, rejected: mut bad_keys } = keys;
        let Converted { runs: value_runs, rejected: mut bad_values } = values;
        // a row is reported for the first stage that rejected it: key, value, header
        bad_keys.append(&mut bad_values);
        bad_keys.append(&mut rejected);
        let mut records = assemble(raw, &key_runs, &value_runs, headers.as_ref())?;
        if let Some(bad_headers) = bad_header_rows(&bad_keys) {
            records = without_rows(records, &bad_headers)?;
        }
        if !records.is_empty() {
            self.control.uses_topic(&raw.origin.partition.topic);
        }
        let transformed = self.chain.apply(records, &self.errors)?;
        bad_keys.extend(transformed.rejected);
        let first = bad_keys.iter().map(|row| row.row).min();
        let handled = self.errors.handle(Input::Consumed(raw), bad_keys);
        let records = transformed.records;
        match (handled, first) {
            (Ok(()), _) => Ok((SinkBatch { raw: Arc::clone(raw), records }, None)),
            (Err(error), None | Some(0)) => Err(error),
            (Err(error), Some(first)) => Ok((batch_before(first, raw, &records)?, Some(error))),
        }
    }

    fn convert_side(&mut self, raw: &RawBatch, side: Side) -> Result<Converted> {
        let (converter, stage) = match side {
            Side::Key => (&mut self.key, Stage::KeyConverter),
            Side::Value => (&mut self.value, Stage::ValueConverter),
        };
        let NamedConverter { converter, class } = converter;
        self.errors.tried(
            || converter.to_connect(raw, side),
            |converted| may_be_retried(&converted.rejected),
            |error| Converted { runs: Vec::new(), rejected: reject_rows(0..raw.len(), stage, class, &error) },
        )
    }

    fn convert_headers(&mut self, raw: &RawBatch, rejected: &mut Vec<RejectedRow>) -> Result<Option<Headers>> {
        let Some(raw_headers) = raw.headers.as_ref() else { return Ok(None) };
        let topic = &raw.origin.partition.topic;
        let mut headers = Headers::with_capacity(raw_headers.len());
        for (row, raw_row) in raw_headers.iter().enumerate() {
            let converter = &mut self.header;
            let convert = || {
                raw_row
                    .iter()
                    .map(|header| converter.to_connect(topic, header))
                    .collect::<Result<Vec<Header>>>()
                    .map(Ok)
            };
            let converted = self.errors.tried(convert, |_| false, Err)?;
            headers.push(converted.unwrap_or_else(|error| {
                let class = self.header_class.clone();
                rejected.push(RejectedRow { row, stage: Stage::HeaderConverter, class, error });
                Vec::new()
            }));
        }
        Ok(Some(headers))
    }
}

/// The rows that were rejected because of their headers.
pub(crate) fn bad_header_rows(rejected: &[RejectedRow]) -> Option<Vec<usize>> {
    let rows: Vec<usize> =
        rejected.iter().filter(|row| row.stage == Stage::HeaderConverter).map(|row| row.row).collect();
    (!rows.is_empty()).then_some(rows)
}

/// A batch of the rows of the input before `row`.
fn batch_before(row: usize, raw: &RawBatch, records: &[Records]) -> Result<SinkBatch> {
    let raw = Arc::new(raw.head(row));
    let records = records.iter().filter_map(|records| {
        let len = records.rows.iter().take_while(|input| *input < row).count();
        let origin = Some(Arc::clone(&raw.origin));
        (len > 0).then(|| Records { origin, ..records.slice(0, len) })
    });
    Ok(SinkBatch { records: records.collect(), raw: Arc::clone(&raw) })
}

/// The records without the bad rows of the input.
pub(crate) fn without_rows(records: Vec<Records>, bad: &[usize]) -> Result<Vec<Records>> {
    let keep = |records: &Records| -> arrow::array::UInt32Array {
        let places = records.rows.iter().enumerate().filter(|(_, row)| !bad.contains(row));
        arrow::array::UInt32Array::from_iter_values(places.map(|(place, _)| place as u32))
    };
    records.iter().map(|records| records.take(&keep(records))).collect()
}

/// A stage that nothing but signals goes through.
#[cfg(test)]
pub(crate) use tests::{idle_stage as test_stage, unwatched_control as test_control};

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use arrow::array::{Array, ArrayRef, Int64Array, NullArray, UInt32Array};
    use arrow::datatypes::Field;
    use volley_api::OffsetRange;
    use volley_api::testing::{config_map, raw_batch};
    use volley_api::{Column, ConnectorKind, Converter, RowIndex, Run, Serialized, Unserialized};

    use super::*;
    use crate::connector_config::framework_config_def;
    use crate::connector_task_id::ConnectorTaskId;
    use crate::metrics::TaskMetrics;
    use crate::task::{StatusListener, TaskState};
    use crate::testing::FakeHeaderConverter;

    /// Rejects row 1 the given number of times. If requested, its first call fails as a whole.
    struct Flaky {
        fails_at_first: bool,
        rejections: usize,
    }

    impl Converter for Flaky {
        fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
            if std::mem::take(&mut self.fails_at_first) {
                return Err(Error::retriable("the registry is out of reach"));
            }
            let (mut rows, mut rejected) = (vec![0, 1, 2], Vec::new());
            if let Some(left) = self.rejections.checked_sub(1) {
                self.rejections = left;
                rows.remove(1);
                let stage = if side == Side::Key { Stage::KeyConverter } else { Stage::ValueConverter };
                rejected.push(RejectedRow { row: 1, stage, class: "Flaky".into(), error: Error::retriable("later") });
            }
            assert_eq!(batch.len(), 3);
            let column = Column::nulls(rows.len());
            Ok(Converted { runs: vec![Run { rows: RowIndex::Selected(UInt32Array::from(rows)), column }], rejected })
        }

        fn from_connect(&mut self, _: &Unserialized<'_>) -> Result<Serialized> {
            Err(Error::fatal("not used"))
        }
    }

    #[derive(Default)]
    struct Topics(Mutex<Vec<String>>);

    impl StatusListener for Topics {
        fn task_changed(&self, _: &ConnectorTaskId, _: TaskState) {}

        fn topic_used(&self, _: &ConnectorTaskId, topic: &str) {
            self.0.lock().unwrap().push(topic.to_owned());
        }
    }

    fn stage(key: Flaky, value: Flaky, errors: &[(&str, &str)]) -> (ConvertStage, Arc<Topics>) {
        let mut config = config_map(&[("name", "c"), ("connector.class", "Fake"), ("topics", "t")]);
        config.extend(config_map(&[("errors.retry.delay.max.ms", "1")]));
        config.extend(config_map(errors));
        let config = framework_config_def(ConnectorKind::Sink).parse(&config).unwrap();
        let id = ConnectorTaskId { connector: "c".into(), task: 0 };
        let topics = Arc::new(Topics::default());
        let control = Arc::new(Control::new(
            id.clone(),
            Arc::clone(&topics) as _,
            TaskMetrics::alone(ConnectorKind::Sink),
            false,
        ));
        let errors =
            ErrorHandler::new(id, &config, None, Arc::clone(&control), TaskMetrics::alone(ConnectorKind::Sink));
        let named = |converter| NamedConverter { converter: Box::new(converter), class: "Flaky".into() };
        let stage = ConvertStage {
            key: named(key),
            value: named(value),
            header: Box::new(FakeHeaderConverter),
            header_class: "FakeHeaderConverter".into(),
            chain: TransformChain::default(),
            errors: Arc::new(errors),
            control,
        };
        (stage, topics)
    }

    pub(crate) fn idle_stage() -> ConvertStage {
        stage(flaky(0), flaky(0), &[]).0
    }

    pub(crate) fn unwatched_control() -> Arc<Control> {
        stage(flaky(0), flaky(0), &[]).0.control
    }

    fn flaky(rejections: usize) -> Flaky {
        Flaky { fails_at_first: false, rejections }
    }

    fn batch() -> Arc<RawBatch> {
        Arc::new(raw_batch("t", 0, 5, [None; 3]))
    }

    fn rows(batch: &SinkBatch) -> Vec<usize> {
        batch.records.iter().flat_map(|records| records.rows.iter()).collect()
    }

    #[test]
    fn rows_and_batches_that_may_be_converted_later_are_tried_again() {
        let value = Flaky { fails_at_first: true, rejections: 3 };
        let (mut stage, topics) = stage(flaky(2), value, &[("errors.retry.timeout", "60000")]);
        assert_eq!(rows(&stage.convert(&batch()).unwrap().0), [0, 1, 2]);
        assert_eq!(*topics.0.lock().unwrap(), ["t"]);
    }

    #[test]
    fn without_retries_tolerance_decides_about_what_might_have_succeeded_later() {
        let (mut strict, _) = stage(flaky(1), flaky(0), &[]);
        let (before, error) = strict.convert(&batch()).unwrap();
        let error = error.unwrap();
        assert!(error.to_string().starts_with("Tolerance exceeded in error handler"), "{error}");
        // what is before the bad row is delivered, and no offset behind it
        assert_eq!(rows(&before), [0]);
        assert_eq!((before.raw.len(), before.origin().range), (1, OffsetRange { first: 5, end: 6 }));
        let (mut tolerant, _) = stage(flaky(1), flaky(0), &[("errors.tolerance", "all")]);
        assert_eq!(rows(&tolerant.convert(&batch()).unwrap().0), [0, 2]);
    }

    #[test]
    fn a_batch_that_cannot_be_converted_at_all_is_as_many_bad_rows_and_uses_no_topic() {
        let value = Flaky { fails_at_first: true, rejections: 0 };
        let (mut stage, topics) = stage(flaky(0), value, &[("errors.tolerance", "all")]);
        assert!(rows(&stage.convert(&batch()).unwrap().0).is_empty());
        assert!(topics.0.lock().unwrap().is_empty());
    }

    /// Two schemas, in turns.
    struct Turns;

    impl Converter for Turns {
        fn to_connect(&mut self, batch: &RawBatch, _: Side) -> Result<Converted> {
            let rows =
                |first: usize| UInt32Array::from_iter_values((first..batch.len()).step_by(2).map(|row| row as u32));
            let runs = [Arc::new(Int64Array::from(vec![0; 500])) as ArrayRef, Arc::new(NullArray::new(500))];
            let run = |(first, array): (usize, ArrayRef)| {
                let field = Field::new("value", array.data_type().clone(), true);
                Run { rows: RowIndex::Selected(rows(first)), column: Column::new(Arc::new(field), array) }
            };
            Ok(Converted { runs: runs.into_iter().enumerate().map(run).collect(), rejected: Vec::new() })
        }

        fn from_connect(&mut self, _: &Unserialized<'_>) -> Result<Serialized> {
            Err(Error::fatal("not used"))
        }
    }

    #[test]
    fn two_schemas_in_turns_are_two_records_and_not_as_many_as_there_are_turns() {
        let (mut stage, _) = stage(flaky(0), flaky(0), &[]);
        stage.value = NamedConverter { converter: Box::new(Turns), class: "Turns".into() };
        stage.key = NamedConverter { converter: Box::new(Turns), class: "Turns".into() };
        let (batch, _) = stage.convert(&Arc::new(raw_batch("t", 0, 0, vec![None; 1000]))).unwrap();
        assert_eq!(batch.records.iter().map(Records::len).collect::<Vec<_>>(), [500, 500]);
        let in_order: Vec<_> = volley_api::in_row_order(&batch.records)
            .into_iter()
            .flat_map(|(index, rows)| rows.map(move |place| (index, place)))
            .map(|(index, place)| batch.records[index].rows.input_row(place))
            .collect();
        assert_eq!(in_order, (0..1000).collect::<Vec<_>>());
    }
}
