//! Records as lines of JSON, as Connect's JsonConverter writes them without an envelope.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use volley_api::schema::is_checked_json;
use volley_api::{ConfigMap, Converter, Records, RejectedRow, Result, Side, Unserialized};
use volley_converters::JsonConverter;

use crate::format::rows::{Made, RowMaker, Rows, rejected_row};

/// How decimals are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalFormat {
    /// Base64 of the unscaled value's big-endian bytes.
    Base64,
    /// A JSON number.
    Numeric,
}

/// Makes a JSON text of each value.
pub(crate) struct JsonRows {
    converter: JsonConverter,
    /// Text that all rows have in common: none.
    schema: Arc<str>,
}

impl JsonRows {
    /// Writes decimals so.
    pub(crate) fn new(decimals: DecimalFormat) -> Result<Self> {
        let decimals = match decimals {
            DecimalFormat::Base64 => "BASE64",
            DecimalFormat::Numeric => "NUMERIC",
        };
        let entries = [("schemas.enable", "false"), ("decimal.format", decimals)];
        let config: ConfigMap = entries.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
        Ok(Self { converter: JsonConverter::new(&config, Side::Value)?, schema: Arc::from("") })
    }
}

impl RowMaker for JsonRows {
    fn rows(&mut self, records: &Records, rejected: &mut Vec<RejectedRow>) -> Result<Made> {
        if is_checked_json(&records.value.field) {
            let messages = cast(&records.value.array, &DataType::Binary)?.as_binary::<i32>().clone();
            return Ok(Made::all(Rows::Messages { schema: Arc::clone(&self.schema), messages }));
        }
        let written = self.converter.from_connect(&Unserialized::new(&records.topic, &records.value))?;
        let rows = Rows::Messages { schema: Arc::clone(&self.schema), messages: written.bytes };
        if written.rejected.is_empty() {
            return Ok(Made::all(rows));
        }
        let mut refused: Vec<_> = written.rejected.iter().map(|row| row.row).collect();
        refused.sort_unstable();
        rejected.extend(written.rejected.into_iter().map(|row| rejected_row(records, row.row, row.error)));
        Made::without(&rows, &refused)
    }
}

impl std::fmt::Debug for JsonRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonRows").finish_non_exhaustive()
    }
}
