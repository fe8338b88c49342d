//! Keys or values as texts of JSON.

use arrow::array::{Array, AsArray, BinaryArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use volley_api::schema::is_checked_json;
use volley_api::{Column, Converter, Error, Result, Unserialized};
use volley_converters::JsonConverter;

/// The JSON of each row of a column.
#[derive(Debug)]
pub(super) struct PartTexts {
    texts: BinaryArray,
    /// Rows that have none, and why, ascending.
    refused: Vec<(usize, Error)>,
}

impl PartTexts {
    /// The texts of a column.
    pub(super) fn of(column: &Column, topic: &str, converter: &mut JsonConverter) -> Result<Self> {
        if is_checked_json(&column.field) {
            let texts = cast(&column.array, &DataType::Binary)?.as_binary::<i32>().clone();
            return Ok(Self { texts, refused: Vec::new() });
        }
        let written = converter.from_connect(&Unserialized::new(topic, column))?;
        let mut refused: Vec<_> = written.rejected.into_iter().map(|row| (row.row, row.error)).collect();
        refused.sort_by_key(|(row, _)| *row);
        Ok(Self { texts: written.bytes, refused })
    }

    /// Appends the text of a row.
    ///
    /// # Errors
    /// Why it has none.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        if let Ok(place) = self.refused.binary_search_by_key(&row, |(row, _)| *row) {
            return Err(Error::data(self.refused[place].1.to_string()));
        }
        out.extend_from_slice(if self.texts.is_valid(row) { self.texts.value(row) } else { b"null" });
        Ok(())
    }
}
