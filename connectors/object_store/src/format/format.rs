//! The format of a task's files.

use std::sync::Arc;

use volley_api::Result;

use super::arrow_file::ArrowFileWriter;
use super::avro::{AvroFileRows, AvroFileWriter};
use super::columns::ColumnRows;
use super::csv::{CsvWriter, FlatRows};
use super::file_writer::FileWriter;
use super::format_config::{FormatConfig, FormatKind};
use super::lines::{Framing, JsonRows, LineWriter, RawRows};
use super::output_fields::{OutputField, OutputFields};
use super::parquet::{ParquetWriter, SharedPlans};
use super::record_csv::RecordCsvRows;
use super::record_json::RecordJsonRows;
use super::rows::{RowMaker, Rows, with_columns, without_columns};

/// Makes the rows and the files of a task.
#[derive(Debug)]
pub(crate) struct Format {
    config: FormatConfig,
    /// Of Parquet files.
    plans: Option<SharedPlans>,
}

impl Format {
    /// The format that `config` says.
    pub(crate) fn new(config: FormatConfig) -> Self {
        let plans = match &config.kind {
            FormatKind::Parquet(options) => Some(SharedPlans::new(options.clone())),
            _ => None,
        };
        Self { config, plans }
    }

    /// Ends the names of the files; begins with a dot.
    pub(crate) fn extension(&self) -> &str {
        &self.config.extension
    }

    /// Whether files say in their footer which rows they hold. Else they need a label beside them.
    pub(crate) fn has_footer(&self) -> bool {
        // who reads a file back goes by its name
        matches!(self.config.kind, FormatKind::Parquet(_)) && self.config.extension.ends_with(".parquet")
    }

    /// What of a record is written.
    pub(crate) fn output_fields(&self) -> &OutputFields {
        &self.config.output_fields
    }

    /// Whether this field of records is looked at.
    pub(crate) fn reads(&self, field: OutputField) -> bool {
        match &self.config.kind {
            FormatKind::RecordCsv { fields, .. } | FormatKind::RecordJson { fields, .. } => fields.contains(&field),
            _ => self.config.output_fields.reads(field),
        }
    }

    /// Makes the rows of one topic and origin partition.
    pub(crate) fn row_maker(&self) -> Result<Box<dyn RowMaker>> {
        Ok(match &self.config.kind {
            FormatKind::Parquet(_) | FormatKind::Arrow(_) => Box::new(ColumnRows::new(self.config.keeps_schemas)),
            FormatKind::Csv(_) => Box::new(FlatRows::new(self.config.keeps_schemas)?),
            FormatKind::Avro { mapping, .. } => Box::new(AvroFileRows::new(mapping)?),
            FormatKind::JsonLines { decimals, .. } => Box::new(JsonRows::new(*decimals)?),
            FormatKind::Bytes { .. } => Box::new(RawRows),
            FormatKind::RecordCsv { fields, encoding, .. } => Box::new(RecordCsvRows::new(fields, *encoding)),
            FormatKind::RecordJson { fields, is_enveloped, .. } => {
                Box::new(RecordJsonRows::new(fields, *is_enveloped)?)
            }
        })
    }

    /// A file of `topic` that begins with `rows`. Adds none of them.
    pub(crate) fn file_writer(&self, topic: &Arc<str>, rows: &Rows) -> Result<Box<dyn FileWriter>> {
        Ok(match (&self.config.kind, rows) {
            (FormatKind::JsonLines { codec, .. }, _) => Box::new(LineWriter::new(*codec, Framing::behind_each(b"\n"))?),
            (FormatKind::Bytes { codec, separator }, _) => {
                Box::new(LineWriter::new(*codec, Framing::behind_each(separator))?)
            }
            (FormatKind::RecordCsv { codec, .. }, _) => Box::new(LineWriter::new(*codec, Framing::BETWEEN_LINES)?),
            (FormatKind::RecordJson { codec, framing, .. }, _) => Box::new(LineWriter::new(*codec, framing.clone())?),
            (FormatKind::Avro { codec, file_codec, .. }, Rows::Messages { schema, .. }) => {
                Box::new(AvroFileWriter::new(schema, *codec, *file_codec)?)
            }
            (FormatKind::Avro { .. }, Rows::Columns(_)) => return Err(with_columns()),
            (FormatKind::Parquet(options), Rows::Columns(batch)) => {
                let plans = self.plans.clone().unwrap_or_else(|| SharedPlans::new(options.clone()));
                Box::new(ParquetWriter::new(topic, batch.schema(), &plans)?)
            }
            (FormatKind::Arrow(codec), Rows::Columns(batch)) => Box::new(ArrowFileWriter::new(batch.schema(), *codec)?),
            (FormatKind::Csv(codec), Rows::Columns(batch)) => Box::new(CsvWriter::new(batch.schema(), *codec)?),
            (FormatKind::Parquet(_) | FormatKind::Arrow(_) | FormatKind::Csv(_), Rows::Messages { .. }) => {
                return Err(without_columns());
            }
        })
    }
}
