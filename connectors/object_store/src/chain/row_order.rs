//! Rows by offset: where a batch may be cut.

use volley_api::Records;

/// The first row at or after `offset`.
pub(crate) fn first_row_from(records: &Records, offset: i64) -> usize {
    let (mut low, mut high) = (0, records.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match offset_of(records, middle) < offset {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low
}

/// The Kafka offset of a row; records that reach a sink have one.
pub(crate) fn offset_of(records: &Records, row: usize) -> i64 {
    records.offset(row).unwrap_or(-1)
}

/// The first place at or after `cut` that does not part rows of the same offset. `before` is the offset of the row in
/// front of the records.
pub(crate) fn cut_between_offsets(records: &Records, mut cut: usize, before: Option<i64>) -> usize {
    let previous = |cut: usize| if cut == 0 { before } else { Some(offset_of(records, cut - 1)) };
    while cut < records.len() && previous(cut) == Some(offset_of(records, cut)) {
        cut += 1;
    }
    cut
}

#[cfg(test)]
mod tests {
    use arrow::array::UInt32Array;
    use volley_api::testing::{self, origin};
    use volley_api::{Column, RowIndex};

    use super::*;

    fn records(offsets: &[u32]) -> Records {
        let rows = RowIndex::Selected(UInt32Array::from(offsets.to_vec()));
        let nulls = Column::nulls(offsets.len());
        Records { rows, origin: Some(origin("t", 0, 0, 10)), ..testing::records("t", nulls) }
    }

    #[test]
    fn rows_of_one_offset_stay_together() {
        let one = records(&[1, 1, 1, 2, 2, 3]);
        assert_eq!(cut_between_offsets(&one, 1, None), 3);
        assert_eq!(cut_between_offsets(&one, 3, None), 3);
        assert_eq!(cut_between_offsets(&one, 0, Some(1)), 3);
        assert_eq!(cut_between_offsets(&one, 0, Some(0)), 0);
        assert_eq!(cut_between_offsets(&one, 6, None), 6);
        assert_eq!(first_row_from(&one, 2), 3);
        assert_eq!(first_row_from(&one, 9), 6);
    }
}
