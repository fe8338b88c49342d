//! Records as Avro values, with the schema that AvroConverter would register for them.

use arrow::array::{AsArray, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use volley_api::{ConfigMap, Error, ErrorKind, Records, RejectedRow, Result};
use volley_converters::AvroRows;

use crate::format::rows::{RowMaker, Rows, rejected_row, without_rows};

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
    fn rows(&mut self, records: &Records, rejected: &mut Vec<RejectedRow>) -> Result<(Records, Rows)> {
        let written = match self.rows.write(&records.value) {
            Ok(written) => written,
            // the type causes the error, so every row has it, and the error handler decides about each
            Err(error) if error.kind() == ErrorKind::Data => {
                let message = error.to_string();
                let row_of = |row| rejected_row(records, row, Error::data(message.clone()));
                rejected.extend((0..records.len()).map(row_of));
                return Ok((records.slice(0, 0), Rows::no_messages()));
            }
            Err(error) => return Err(error),
        };
        let messages = cast(&written.values, &DataType::Binary)?.as_binary::<i32>().clone();
        let rows = Rows::Messages { schema: written.schema, messages };
        if written.rejected.is_empty() {
            return Ok((records.clone(), rows));
        }
        let refused: Vec<_> = written.rejected.iter().map(|(row, _)| *row).collect();
        let (records_left, kept): (_, UInt32Array) = without_rows(records, &refused)?;
        rejected.extend(written.rejected.into_iter().map(|(row, error)| rejected_row(records, row, error)));
        Ok((records_left, rows.take(&kept)?))
    }
}
