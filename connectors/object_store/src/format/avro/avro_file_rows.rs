//! Records as Avro values, with the schema that AvroConverter would register for them.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use volley_api::{ConfigMap, Error, ErrorKind, Records, RejectedRow, Result};
use volley_converters::AvroRows;

use crate::format::rows::{Made, RowMaker, Rows, rejected_row};

/// Makes an Avro value of each record's value.
#[derive(Debug)]
pub(crate) struct AvroFileRows {
    rows: AvroRows,
}

impl AvroFileRows {
    /// With these keys of the mapping.
    pub(crate) fn new(mapping: &ConfigMap) -> Result<Self> {
        Ok(Self { rows: AvroRows::new(mapping)? })
    }
}

impl RowMaker for AvroFileRows {
    fn rows(&mut self, records: &Records, rejected: &mut Vec<RejectedRow>) -> Result<Made> {
        let written = match self.rows.write(&records.value) {
            Ok(written) => written,
            // the type causes the error, so every row has it, and the error handler decides about each
            Err(error) if error.kind() == ErrorKind::Data => {
                let message = error.to_string();
                let row_of = |row| rejected_row(records, row, Error::data(message.clone()));
                rejected.extend((0..records.len()).map(row_of));
                return Ok(Made::nothing());
            }
            Err(error) => return Err(error),
        };
        let messages = cast(&written.values, &DataType::Binary)?.as_binary::<i32>().clone();
        let rows = Rows::Messages { schema: written.schema, messages };
        if written.rejected.is_empty() {
            return Ok(Made::all(rows));
        }
        let refused: Vec<_> = written.rejected.iter().map(|(row, _)| *row).collect();
        rejected.extend(written.rejected.into_iter().map(|(row, error)| rejected_row(records, row, error)));
        Made::without(&rows, &refused)
    }
}
