//! The second stage of a sink task: bytes to records, and the transformation chain.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use volley_api::{
    Converted, Converter, Header, HeaderConverter, Headers, RawBatch, RejectedRow, Result, Side, SinkBatch, Stage,
};

use crate::task::assembly::assemble;
use crate::task::control::Control;
use crate::task::error_handler::{ErrorHandler, Input};
use crate::task::pipeline::{Fetched, FetchedBatch, Prepared, Signal};
use crate::task::transform_chain::TransformChain;

/// Everything that turns a raw batch into a [`SinkBatch`].
pub(crate) struct ConvertStage {
    pub(crate) key: Box<dyn Converter>,
    pub(crate) value: Box<dyn Converter>,
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
                Fetched::Batch(fetched) => match self.prepare(&fetched) {
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

    fn prepare(&mut self, fetched: &FetchedBatch) -> Result<SinkBatch> {
        let batch = self.convert(&fetched.raw)?;
        self.control.uses_topic(&batch.origin.partition.topic);
        Ok(batch)
    }

    /// Converts and transforms a batch; rejected rows have been handled when it returns.
    pub(crate) fn convert(&mut self, raw: &RawBatch) -> Result<SinkBatch> {
        let control = Arc::clone(&self.control);
        let is_cancelled = move || control.is_stopping();
        let errors = Arc::clone(&self.errors);
        let keys = errors.with_retries(&is_cancelled, || self.key.to_connect(raw, Side::Key))?;
        let values = errors.with_retries(&is_cancelled, || self.value.to_connect(raw, Side::Value))?;
        let mut rejected = Vec::new();
        let headers = self.convert_headers(raw, &mut rejected);
        let Converted { runs: key_runs, rejected: mut bad_keys } = keys;
        let Converted { runs: value_runs, rejected: mut bad_values } = values;
        // a row is reported for the first stage that rejected it: key, value, header
        bad_keys.append(&mut bad_values);
        bad_keys.append(&mut rejected);
        let mut records = assemble(raw, &key_runs, &value_runs, headers.as_ref())?;
        if let Some(bad_headers) = bad_header_rows(&bad_keys) {
            records = without_rows(records, &bad_headers)?;
        }
        let transformed = errors.with_retries(&is_cancelled, || self.chain.apply(records.clone()))?;
        bad_keys.extend(transformed.rejected);
        self.errors.handle(Input::Consumed(raw), bad_keys)?;
        Ok(SinkBatch { origin: Arc::clone(&raw.origin), records: transformed.records })
    }

    fn convert_headers(&mut self, raw: &RawBatch, rejected: &mut Vec<RejectedRow>) -> Option<Headers> {
        let raw_headers = raw.headers.as_ref()?;
        let topic = &raw.origin.partition.topic;
        let mut headers = Headers::with_capacity(raw_headers.len());
        for (row, raw_row) in raw_headers.iter().enumerate() {
            let converted: Result<Vec<Header>> =
                raw_row.iter().map(|header| self.header.to_connect(topic, header)).collect();
            headers.push(converted.unwrap_or_else(|error| {
                let class = self.header_class.clone();
                rejected.push(RejectedRow { row, stage: Stage::HeaderConverter, class, error });
                Vec::new()
            }));
        }
        Some(headers)
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
