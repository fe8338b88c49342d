//! Records whose value is null (tombstones) are taken out: a file of values has no row for them.

use arrow::array::{Array, UInt32Array};
use arrow::datatypes::DataType;
use volley_api::{Error, Records, RejectedRow, Result};

use crate::config::NullValues;
use crate::format::rejected_row;

/// The records without those whose value is null, and these, if they are written. Otherwise they are rejected or not, as
/// configured.
pub(crate) fn without_nulls(
    records: Records,
    handling: &NullValues,
    rejected: &mut Vec<RejectedRow>,
) -> Result<(Records, Option<Records>)> {
    let is_all_null = records.value.array.data_type() == &DataType::Null;
    if *handling == NullValues::Keep || !is_all_null && records.value.array.null_count() == 0 {
        return Ok((records, None));
    }
    let rows = 0..records.len() as u32;
    let (nulls, kept): (Vec<u32>, Vec<u32>) = rows.partition(|row| records.value.is_null(*row as usize));
    let written = match handling {
        NullValues::Fail => {
            rejected.extend(nulls.iter().map(|row| rejected_null(&records, *row as usize)));
            None
        }
        NullValues::Ignore | NullValues::Keep => None,
        NullValues::Write { .. } => Some(records.take(&UInt32Array::from(nulls))?),
    };
    if is_all_null {
        return Ok((records.slice(0, 0), written));
    }
    Ok((records.take(&UInt32Array::from(kept))?, written))
}

fn rejected_null(records: &Records, row: usize) -> RejectedRow {
    let offset = records.offset(row).unwrap_or(-1);
    let message = format!(
        "the value at offset {offset} is null; set `behavior.on.null.values` to `ignore` to leave it out, or to `write` to have its \
         key in a file"
    );
    rejected_row(records, row, Error::data(message))
}
