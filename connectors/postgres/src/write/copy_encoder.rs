//! Rows as a binary COPY: see `copy/copy_decoder.rs`, which reads them.

use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use volley_api::{Error, Result};
use volley_jdbc::WriteColumn;

use super::target_type::TargetType;
use super::value_encoder::encode_value;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;
/// What a value takes at a guess.
const VALUE_BYTES: usize = 12;

/// All rows, each column in its type.
///
/// # Errors
/// `Data`, naming the column and the type, for a value that has no place there.
pub(super) fn encode_rows(
    rows: &RecordBatch,
    columns: &[WriteColumn],
    types: &[TargetType],
    zone: Tz,
) -> Result<Vec<u8>> {
    let count = i16::try_from(types.len()).map_err(|_| Error::config("a table cannot have so many columns"))?;
    let mut out = Vec::with_capacity(HEADER.len() + rows.num_rows() * (2 + types.len() * VALUE_BYTES));
    out.extend(HEADER);
    // row by row, as COPY has them
    for row in 0..rows.num_rows() {
        out.extend(count.to_be_bytes());
        for (place, target) in types.iter().enumerate() {
            let array = rows.column(place);
            encode_value(target, array, row, zone, &mut out).map_err(|what| {
                let column = &columns[place].target;
                Error::data(format!("column {} of type {} takes no {what}", column.name, column.declared))
            })?;
        }
    }
    out.extend(TRAILER.to_be_bytes());
    Ok(out)
}
