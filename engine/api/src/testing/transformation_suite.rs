//! What the worker relies on in a transformation: it keeps, filters or rejects every row, each for itself.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::UInt32Array;

use super::row_text::{check_shape, row_texts};
use crate::{Records, Result, RowIndex, Transformation, Transformed};

/// What became of one input row.
#[derive(Clone, Debug, PartialEq)]
enum Fate {
    /// The rows made from it, with their timestamps.
    Kept(Vec<(String, i64)>),
    Filtered,
    Rejected,
}

/// Every row is kept (as one row or several), filtered, or rejected; never two of these. Rows are named by their input row,
/// the records keep their origin, and what becomes of a row depends on that row alone: not on where the batch is cut, nor
/// on which rows of the input the records have.
///
/// Applies it to each of the `batches`, which are best made of rows that fare differently.
///
/// # Panics
/// If the law is broken.
pub fn keeps_filters_or_rejects_every_row<T: Transformation>(new: impl Fn() -> Result<T>, batches: &[Records]) {
    for batch in batches.iter().filter(|batch| !batch.is_empty()) {
        let len = batch.len();
        let whole = fates(&new, batch);
        let moved = elsewhere(batch);
        let places: BTreeMap<usize, usize> = moved.rows.iter().zip(batch.rows.iter()).collect();
        let moved = fates(&new, &moved).into_iter().map(|(row, fate)| (places[&row], fate)).collect();
        assert_eq!(whole, moved, "rows must be named by their input row");
        for cut in [1, len / 2, len - 1] {
            let mut transformation = new().expect("a transformation");
            let mut parts = BTreeMap::new();
            for part in [batch.slice(0, cut), batch.slice(cut, len - cut)] {
                if !part.is_empty() {
                    parts.extend(fates_of(&mut transformation, &part));
                }
            }
            assert_eq!(parts, whole, "what becomes of a row must not depend on where the batch is cut");
        }
    }
}

fn fates<T: Transformation>(new: &impl Fn() -> Result<T>, records: &Records) -> BTreeMap<usize, Fate> {
    fates_of(&mut new().expect("a transformation"), records)
}

/// The same records as every third row of an input, from row 10 on.
fn elsewhere(records: &Records) -> Records {
    let row = |row: usize| u32::try_from(10 + 3 * row).expect("a small batch");
    let rows = UInt32Array::from_iter_values(records.rows.iter().map(row));
    let origin = records.origin.as_ref().map(|origin| {
        let len = origin.offsets.len() * 3 + 10;
        super::origin(&origin.partition.topic, origin.partition.partition, origin.range.first, len)
    });
    Records { rows: RowIndex::Selected(rows), origin, ..records.clone() }
}

fn fates_of(transformation: &mut impl Transformation, records: &Records) -> BTreeMap<usize, Fate> {
    let outcome = transformation.apply(records.clone()).expect("a batch that can be transformed");
    let Transformed { records: kept, rejected } = outcome;
    let mut fates: BTreeMap<usize, Fate> = records.rows.iter().map(|row| (row, Fate::Filtered)).collect();
    let known: BTreeSet<usize> = fates.keys().copied().collect();
    for part in &kept {
        check_shape(part);
        assert_eq!(part.origin.is_some(), records.origin.is_some(), "records must keep their origin");
        for ((place, row), text) in part.rows.iter().enumerate().zip(row_texts(part)) {
            assert!(known.contains(&row), "row {row} is none of the input rows {known:?}");
            let one = (text, part.timestamps[place]);
            match fates.entry(row).or_insert(Fate::Filtered) {
                Fate::Kept(rows) => rows.push(one),
                fate => *fate = Fate::Kept(vec![one]),
            }
        }
    }
    for row in rejected {
        assert!(known.contains(&row.row), "rejected row {} is none of the input rows {known:?}", row.row);
        let before = fates.insert(row.row, Fate::Rejected);
        assert_eq!(before, Some(Fate::Filtered), "row {} is rejected, and kept or rejected before", row.row);
    }
    fates
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::testing::{consumed, texts};
    use crate::{Error, RejectedRow, Stage};

    #[derive(Clone, Copy, PartialEq)]
    enum Defect {
        None,
        /// Names rejected rows by their place.
        Places,
        /// Keeps what it rejects.
        Both,
        /// Filters every second row.
        Alternates,
        /// Forgets where the records come from.
        Origin,
    }

    /// Keeps `k`, filters `f`, rejects `r`.
    struct Sieve(Defect);

    impl Transformation for Sieve {
        fn apply(&mut self, records: Records) -> Result<Transformed> {
            let (mut kept, mut rejected) = (Vec::new(), Vec::new());
            for (place, value) in records.value.array.as_string::<i32>().iter().enumerate() {
                let is_rejected = value == Some("r");
                if is_rejected {
                    let row = if self.0 == Defect::Places { place } else { records.rows.input_row(place) };
                    let (stage, error) = (Stage::Transformation, Error::data("told to reject"));
                    rejected.push(RejectedRow { row, stage, class: "Sieve".into(), error });
                }
                let is_dropped = self.0 == Defect::Alternates && place % 2 == 1;
                if (value == Some("k") && !is_dropped) || (is_rejected && self.0 == Defect::Both) {
                    kept.push(place as u32);
                }
            }
            let mut kept = records.take(&UInt32Array::from(kept))?;
            if self.0 == Defect::Origin {
                kept.origin = None;
            }
            Ok(Transformed { records: vec![kept], rejected })
        }
    }

    fn check(defect: Defect) {
        let batch = consumed("t", 0, 5, texts(["k", "k", "f", "r", "k", "k"]));
        keeps_filters_or_rejects_every_row(|| Ok(Sieve(defect)), &[batch]);
    }

    #[test]
    fn a_transformation_that_treats_each_row_for_itself_conforms() {
        check(Defect::None);
    }

    #[test]
    #[should_panic(expected = "none of the input rows")]
    fn a_transformation_that_names_rows_by_their_place_is_found_out() {
        check(Defect::Places);
    }

    #[test]
    #[should_panic(expected = "kept or rejected before")]
    fn a_transformation_that_keeps_what_it_rejects_is_found_out() {
        check(Defect::Both);
    }

    #[test]
    #[should_panic(expected = "where the batch is cut")]
    fn a_transformation_that_looks_at_places_is_found_out() {
        check(Defect::Alternates);
    }

    #[test]
    #[should_panic(expected = "keep their origin")]
    fn a_transformation_that_forgets_the_origin_is_found_out() {
        check(Defect::Origin);
    }
}
