//! Values that are bytes or text already.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use volley_api::{Error, Records, RejectedRow, Result};

use crate::format::rows::{Made, RowMaker, Rows, rejected_row};

/// Takes values as they are.
#[derive(Debug)]
pub(crate) struct RawRows;

impl RowMaker for RawRows {
    fn rows(&mut self, records: &Records, rejected: &mut Vec<RejectedRow>) -> Result<Made> {
        let data_type = records.value.array.data_type();
        let is_raw = matches!(
            data_type,
            DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
                | DataType::FixedSizeBinary(_)
                | DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
        );
        if !is_raw {
            let message = format!(
                "the value is neither bytes nor text but {data_type}: use ByteArrayConverter or StringConverter, or \
                 another `format.class`"
            );
            let row_of = |row| rejected_row(records, row, Error::data(message.clone()));
            rejected.extend((0..records.len()).map(row_of));
            return Ok(Made::nothing());
        }
        let messages = cast(&records.value.array, &DataType::Binary)?.as_binary::<i32>().clone();
        Ok(Made::all(Rows::Messages { schema: Arc::from(""), messages }))
    }
}
