//! One kind of files beside others: makes their rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray, UInt32Array};
use arrow::datatypes::{Field, FieldRef};
use volley_api::schema::NAME;
use volley_api::{Column, ConfigMap, Error, Records, RejectedRow, Result};
use volley_converters::SimpleHeaderConverter;

use super::config::{SiblingConfig, SiblingKind};
use super::headers_column::{headers_column, lack_of_headers};
use super::sibling_rows::SiblingRows;
use crate::format::{Format, FormatKind, Made, RowMaker, rejected_row};

/// Files with the keys, or files with the headers.
#[derive(Debug)]
pub(crate) struct Sibling {
    kind: SiblingKind,
    format: Format,
    /// Name of the struct around what is written, and of its only field.
    envelope: Option<(&'static str, &'static str)>,
}

impl Sibling {
    /// As configured.
    pub(crate) fn new(config: SiblingConfig) -> Self {
        // as Confluent's sink has it
        let envelope = match (config.kind, &config.format.kind) {
            (SiblingKind::Keys, FormatKind::Parquet(_)) => Some(("RecordKey", "key")),
            (SiblingKind::Headers, FormatKind::Parquet(_) | FormatKind::JsonLines { .. }) => {
                Some(("RecordHeaders", "headers"))
            }
            _ => None,
        };
        Self { kind: config.kind, format: Format::new(config.format), envelope }
    }

    /// What its files are made of.
    pub(crate) fn format(&self) -> &Format {
        &self.format
    }

    /// Whether it looks at the keys of records; else at their headers.
    pub(crate) fn is_of_keys(&self) -> bool {
        self.kind == SiblingKind::Keys
    }

    /// The records that have what it writes; the others are rejected.
    pub(crate) fn only_with(&self, records: Records, rejected: &mut Vec<RejectedRow>) -> Result<Records> {
        let mut kept = Vec::with_capacity(records.len());
        for row in 0..records.len() {
            match self.lack(&records, row) {
                None => kept.push(row as u32),
                Some(reason) => {
                    let message = format!(
                        "{reason} at offset {}, so that it has no row in the files of {}: set `{}` to false, or leave such \
                         records out",
                        records.offset(row).unwrap_or(-1),
                        self.kind.name(),
                        self.kind.switch()
                    );
                    rejected.push(rejected_row(&records, row, Error::data(message)));
                }
            }
        }
        if kept.len() == records.len() { Ok(records) } else { records.take(&UInt32Array::from(kept)) }
    }

    /// The rows of records that have what it writes, and which of them there are.
    pub(crate) fn rows(
        &self,
        records: &Records,
        maker: &mut dyn RowMaker,
        rejected: &mut Vec<RejectedRow>,
    ) -> Result<(SiblingRows, Option<UInt32Array>)> {
        let column = self.column(records)?;
        let mut refused = Vec::new();
        let Made { rows, kept } = maker.rows(&self.as_values(records, &column), &mut refused)?;
        rejected.extend(refused.into_iter().map(|row| {
            let message = format!("in the files of {}: {}", self.kind.name(), row.error);
            RejectedRow { error: Error::data(message), ..row }
        }));
        let column = match &kept {
            None => column,
            Some(kept) => column.take(kept)?,
        };
        Ok((SiblingRows { column, rows }, kept))
    }

    /// Records whose values are what it writes.
    pub(crate) fn as_values(&self, records: &Records, column: &Column) -> Records {
        let key = Column::nulls(records.len());
        Records { key, headers: None, value: column.clone(), ..records.clone() }
    }

    fn lack(&self, records: &Records, row: usize) -> Option<String> {
        match self.kind {
            SiblingKind::Keys => records.key.is_null(row).then(|| "the record has no key".to_owned()),
            SiblingKind::Headers => {
                lack_of_headers(records.headers.as_ref().and_then(|headers| headers.get(row)).map(Vec::as_slice))
            }
        }
    }

    fn column(&self, records: &Records) -> Result<Column> {
        let column = match self.kind {
            SiblingKind::Keys => records.key.clone(),
            SiblingKind::Headers => {
                let array = headers_column(records, &mut SimpleHeaderConverter::new(&ConfigMap::new())?)?;
                Column::new(Arc::new(Field::new("value", array.data_type().clone(), false)), array)
            }
        };
        let Some((name, part)) = self.envelope else { return Ok(column) };
        let inner: FieldRef = Arc::new(column.field.as_ref().clone().with_name(part));
        let array: ArrayRef = Arc::new(StructArray::try_new(vec![inner].into(), vec![column.array], None)?);
        let metadata = HashMap::from([(NAME.to_owned(), name.to_owned())]);
        let field = Field::new("value", array.data_type().clone(), false).with_metadata(metadata);
        Ok(Column::new(Arc::new(field), array))
    }
}
