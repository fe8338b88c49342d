//! The second stage of a sink task: bytes to records, and the transformation chain.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use volley_api::{Converted, Header, HeaderConverter, Headers, RawBatch, RejectedRow, Result, Side, SinkBatch, Stage};

use crate::task::assembly::assemble;
use crate::task::control::Control;
use crate::task::error_handler::{ErrorHandler, Input, may_be_retried, reject_rows};
use crate::task::pipeline::{Fetched, Prepared, Signal};
use crate::task::setup::NamedConverter;
use crate::task::transform_chain::TransformChain;

/// Everything that turns a raw batch into a [`SinkBatch`].
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
    /// Runs until the input ends. An error goes on as a signal behind the batches that were good.
    pub(crate) fn run(mut self, input: &Receiver<Fetched>, output: &Sender<Prepared>) {
        for fetched in input {
            let prepared = match fetched {
                Fetched::Signal(signal) => Prepared::Signal(signal),
                Fetched::Batch(fetched) => match self.convert(&fetched.raw) {
                    Ok(batch) => Prepared::Batch { fetched, batch },
                    Err(error) => {
                        // the receiver is gone only when the task ends anyway
                        let _ = output.send(Prepared::Signal(Signal::Failed(error)));
                        return;
                    }
                },
            };
            if output.send(prepared).is_err() {
                return;
            }
        }
    }

    /// Converts and transforms a batch; rejected rows have been handled when it returns.
    pub(crate) fn convert(&mut self, raw: &RawBatch) -> Result<SinkBatch> {
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
        self.errors.handle(Input::Consumed(raw), bad_keys)?;
        Ok(SinkBatch { origin: Arc::clone(&raw.origin), records: transformed.records })
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

fn bad_header_rows(rejected: &[RejectedRow]) -> Option<Vec<usize>> {
    let rows: Vec<usize> =
        rejected.iter().filter(|row| row.stage == Stage::HeaderConverter).map(|row| row.row).collect();
    (!rows.is_empty()).then_some(rows)
}

fn without_rows(records: Vec<volley_api::Records>, bad: &[usize]) -> Result<Vec<volley_api::Records>> {
    let keep = |records: &volley_api::Records| -> arrow::array::UInt32Array {
        let places = records.rows.iter().enumerate().filter(|(_, row)| !bad.contains(row));
        arrow::array::UInt32Array::from_iter_values(places.map(|(place, _)| place as u32))
    };
    records.iter().map(|records| records.take(&keep(records))).collect()
}
