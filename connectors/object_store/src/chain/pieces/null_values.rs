//! Records whose value is null (tombstones) are taken out: a file has no row for them.

use arrow::array::{Array, UInt32Array};
use arrow::datatypes::DataType;
use volley_api::{Error, Records, RejectedRow, Result};

use crate::config::NullValues;
use crate::format::rejected_row;

/// The records without those whose value is null, which are rejected or not, as configured.
pub(crate) fn without_nulls(
    records: Records,
    handling: NullValues,
    rejected: &mut Vec<RejectedRow>,
) -> Result<Records> {
    let is_all_null = records.value.array.data_type() == &DataType::Null;
    if !is_all_null && records.value.array.null_count() == 0 {
        return Ok(records);
    }
    let rows = 0..records.len() as u32;
    let (nulls, kept): (Vec<u32>, Vec<u32>) = rows.partition(|row| records.value.is_null(*row as usize));
    if handling == NullValues::Fail {
        rejected.extend(nulls.iter().map(|row| rejected_null(&records, *row as usize)));
    }
    if is_all_null {
        return Ok(records.slice(0, 0));
    }
    records.take(&UInt32Array::from(kept))
}

fn rejected_null(records: &Records, row: usize) -> RejectedRow {
    let offset = records.offset(row).unwrap_or(-1);
    let message =
        format!("the value at offset {offset} is null; set `behavior.on.null.values` to `ignore` to leave it out");
    rejected_row(records, row, Error::data(message))
}
