//! The last row of each key.

use std::collections::HashSet;

use arrow::array::ArrayRef;
use arrow::row::{RowConverter, Rows, SortField};
use volley_api::Result;

/// The keys of rows, which can be compared.
#[derive(Debug)]
pub(super) struct RowKeys(Rows);

impl RowKeys {
    /// The keys that these columns are.
    ///
    /// # Errors
    /// `Data` for columns whose values cannot be compared.
    pub(super) fn new(columns: &[ArrayRef]) -> Result<Self> {
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
        Ok(Self(RowConverter::new(fields)?.convert_columns(columns)?))
    }

    /// Of `places`, which ascend, those of the last row of each key; in their order.
    pub(super) fn last(&self, places: impl DoubleEndedIterator<Item = usize>) -> Vec<usize> {
        let mut seen = HashSet::new();
        let mut last: Vec<usize> = places.rev().filter(|place| seen.insert(self.0.row(*place))).collect();
        last.reverse();
        last
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_key_has_its_last_row_and_their_order_stays(keys in prop::collection::vec((0_i64..9, "[ab]?"), 0..80)) {
            let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(keys.iter().map(|(number, _)| *number)));
            let texts: ArrayRef = Arc::new(StringArray::from_iter_values(keys.iter().map(|(_, text)| text)));
            let found = RowKeys::new(&[numbers, texts]).unwrap().last(0..keys.len());
            let last: BTreeMap<_, _> = keys.iter().zip(0..).collect();
            let mut expected: Vec<usize> = last.into_values().collect();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
