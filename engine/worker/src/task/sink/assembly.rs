//! Combines key runs, value runs and headers into [`Records`].

use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::buffer::ScalarBuffer;
use volley_api::{Column, Headers, RawBatch, Records, RowIndex, Run};

/// The records of all rows that are both in a key run AND in a value run, in order, one [`Records`] for each pair of
/// schemas.
///
/// `headers` has the rows of the raw batch.
pub(crate) fn assemble(
    batch: &RawBatch,
    keys: &[Run],
    values: &[Run],
    headers: Option<&Headers>,
) -> volley_api::Result<Vec<Records>> {
    let mut assembled = Vec::with_capacity(values.len());
    if let ([key], [value]) = (keys, values)
        && key.rows == value.rows
    {
        if !value.rows.is_empty() {
            assembled.push(records(batch, key.column.clone(), value.column.clone(), value.rows.clone(), headers));
        }
        return Ok(assembled);
    }
    for value in values {
        for key in keys {
            let common = common_rows(&key.rows, &value.rows);
            if !common.rows.is_empty() {
                let key_column = key.column.take(&UInt32Array::from(common.left))?;
                let value_column = value.column.take(&UInt32Array::from(common.right))?;
                let rows = RowIndex::Selected(UInt32Array::from(common.rows));
                assembled.push(records(batch, key_column, value_column, rows, headers));
            }
        }
    }
    Ok(assembled)
}

struct CommonRows {
    rows: Vec<u32>,
    left: Vec<u32>,
    right: Vec<u32>,
}

/// The rows that are in both ascending lists, with their places in each.
fn common_rows(left: &RowIndex, right: &RowIndex) -> CommonRows {
    let mut common = CommonRows { rows: Vec::new(), left: Vec::new(), right: Vec::new() };
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        let (a, b) = (left.input_row(i), right.input_row(j));
        if a == b {
            common.rows.push(a as u32);
            common.left.push(i as u32);
            common.right.push(j as u32);
        }
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    common
}

fn records(batch: &RawBatch, key: Column, value: Column, rows: RowIndex, headers: Option<&Headers>) -> Records {
    let timestamps: ScalarBuffer<i64> = match &rows {
        RowIndex::Contiguous { start, len } => batch.origin.timestamps.slice(*start as usize, *len as usize),
        RowIndex::Selected(_) => rows.iter().map(|row| batch.origin.timestamps[row]).collect(),
    };
    Records {
        topic: Arc::clone(&batch.origin.partition.topic),
        kafka_partition: Some(batch.origin.partition.partition),
        key,
        value,
        timestamps,
        headers: headers.map(|headers| Arc::new(rows.iter().map(|row| headers[row].clone()).collect())),
        rows,
        origin: Some(Arc::clone(&batch.origin)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_converted_on_both_sides_become_records() {
        let left = RowIndex::Selected(UInt32Array::from(vec![0, 2, 3, 7]));
        let right = RowIndex::Contiguous { start: 2, len: 4 };
        let common = common_rows(&left, &right);
        assert_eq!(common.rows, [2, 3]);
        assert_eq!(common.left, [1, 2]);
        assert_eq!(common.right, [0, 1]);
    }
}
