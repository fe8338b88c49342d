//! The rows of a range with the keys behind them.
//!
//! A batch is held back until the next one has come: only then it is known whether it is the last, and whether the next
//! row has the same key. An offset moves to a key only behind the last row that has it.

use arrow::record_batch::RecordBatch;
use volley_api::{Column, Result};

use super::key_position::KeyPosition;

/// The rows of a range that is being read.
#[derive(Debug)]
pub(super) struct RangeRows {
    /// `None` if the keys cannot be told.
    keys: Option<KeyPosition>,
    /// Behind the rows that were given out.
    position: Option<String>,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    values: Column,
    /// The key of its last row.
    end: Option<String>,
    /// Behind the rows before those of the last key.
    safe: Option<String>,
}

/// Rows that can go on, and the key behind them.
pub(super) type Ready = (Column, Option<String>);

impl RangeRows {
    /// Of a range that is read behind `position`.
    pub(super) fn new(keys: Option<KeyPosition>, position: Option<String>) -> Self {
        Self { keys, position, held: None }
    }

    /// Takes rows, at least one; gives those before them.
    pub(super) fn take(&mut self, rows: &RecordBatch, values: Column) -> Result<Option<Ready>> {
        let previous = self.held.take();
        let Some(keys) = self.keys else {
            let position = self.position.clone();
            self.held = Some(Held { values, end: position.clone(), safe: position.clone() });
            return Ok(previous.map(|held| (held.values, position)));
        };
        let (first, end) = (keys.key(rows, 0)?, keys.key(rows, rows.num_rows() - 1)?);
        // behind what comes before these rows
        let before = match &previous {
            None => self.position.clone(),
            Some(held) if held.end == first => held.safe.clone(),
            Some(held) => held.end.clone(),
        };
        let mut begins = rows.num_rows() - 1;
        // few rows have the key of the last one, so that this looks at few
        while begins > 0 && keys.key(rows, begins - 1)? == end {
            begins -= 1;
        }
        let safe = if begins == 0 { before.clone() } else { keys.key(rows, begins - 1)? };
        self.held = Some(Held { values, end, safe });
        self.position.clone_from(&before);
        Ok(previous.map(|held| (held.values, before)))
    }

    /// The last rows, when no more come.
    pub(super) fn end(&mut self) -> Option<Column> {
        self.held.take().map(|held| held.values)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, ArrayRef, Int64Array};
    use arrow::datatypes::{DataType, Field};
    use proptest::prelude::*;

    use super::super::split_plan::tests::plan;
    use super::*;

    /// What is given out of batches of keys, each with the position behind it, and the last rows.
    fn given(batches: &[Vec<Option<i64>>]) -> (Vec<(usize, Option<i64>)>, usize) {
        let keys = KeyPosition::of(&plan(&[]), 0, &DataType::Int64);
        let mut rows = RangeRows::new(keys, None);
        let mut found = Vec::new();
        for batch in batches {
            let keys: ArrayRef = Arc::new(Int64Array::from(batch.clone()));
            let values = Column::new(Field::new("id", DataType::Int64, true).into(), Arc::clone(&keys));
            let batch = RecordBatch::try_from_iter_with_nullable([("id", keys, true)]).unwrap();
            if let Some((values, position)) = rows.take(&batch, values).unwrap() {
                found.push((values.len(), position.map(|key| key.parse().unwrap())));
            }
        }
        (found, rows.end().map_or(0, |values| values.array.len()))
    }

    #[test]
    fn an_offset_moves_to_a_key_only_behind_the_last_row_that_has_it() {
        let some = |keys: &[i64]| keys.iter().map(|key| Some(*key)).collect::<Vec<_>>();
        assert_eq!(given(&[some(&[1, 2]), some(&[3])]), (vec![(2, Some(2))], 1));
        assert_eq!(given(&[some(&[1, 2]), some(&[2, 3])]), (vec![(2, Some(1))], 2));
        assert_eq!(given(&[some(&[2, 2]), some(&[2, 2]), some(&[3])]), (vec![(2, None), (2, Some(2))], 1));
        assert_eq!(given(&[vec![None], vec![None, Some(1)], some(&[2])]), (vec![(1, None), (2, Some(1))], 1));
        assert_eq!(given(&[]), (vec![], 0));
    }

    proptest! {
        /// Whoever goes on behind any position reads exactly the rows that were not given out, and at most those of one
        /// key again.
        #[test]
        fn no_row_is_lost_behind_any_position(mut keys in prop::collection::vec(0_i64..12, 1..60), size in 1_usize..7) {
            keys.sort_unstable();
            let batches: Vec<Vec<_>> = keys.chunks(size).map(|keys| keys.iter().map(|key| Some(*key)).collect()).collect();
            let (found, last) = given(&batches);
            let mut out = 0;
            for (rows, position) in found {
                out += rows;
                let left = keys.iter().filter(|key| position.is_none_or(|position| **key > position)).count();
                prop_assert!(left >= keys.len() - out);
                let again = &keys[keys.len() - left..out.max(keys.len() - left)];
                prop_assert!(again.iter().all(|key| *key == again[0]));
            }
            prop_assert_eq!(out + last, keys.len());
        }
    }
}
