//! Records that interleave, in the order of their rows.

use std::ops::Range;
use std::sync::Arc;

use crate::Records;

/// A stretch of rows of one of some records: its index there, and the rows.
pub type RecordsSlice = (usize, Range<usize>);

/// All rows, in slices such that those of each topic come in the order of the input rows. Records that do not interleave
/// are one slice each; of those that do, a slice ends where rows of another come between.
///
/// For whoever has to write row after row. Who does not should take records whole: two schemas in turns are two `Records`,
/// and as many slices as there are turns.
pub fn in_row_order(all: &[Records]) -> Vec<RecordsSlice> {
    let mut slices = Vec::with_capacity(all.len());
    let mut done = vec![false; all.len()];
    for index in 0..all.len() {
        if done[index] || all[index].is_empty() {
            continue;
        }
        let same: Vec<_> = (index..all.len()).filter(|other| is_same_topic(&all[*other], &all[index])).collect();
        same.iter().for_each(|other| done[*other] = true);
        match same.windows(2).all(|pair| ends_before(&all[pair[0]], &all[pair[1]])) {
            true => slices.extend(same.into_iter().map(|index| (index, 0..all[index].len()))),
            false => slices.extend(interleaved(all, &same)),
        }
    }
    slices
}

fn is_same_topic(one: &Records, other: &Records) -> bool {
    !one.is_empty() && (Arc::ptr_eq(&one.topic, &other.topic) || one.topic == other.topic)
}

fn ends_before(one: &Records, other: &Records) -> bool {
    one.rows.input_row(one.len() - 1) <= other.rows.input_row(0)
}

/// A merge by input row; of rows made from the same one, those of the earlier records come first.
fn interleaved(all: &[Records], indices: &[usize]) -> Vec<RecordsSlice> {
    let mut slices: Vec<RecordsSlice> = Vec::new();
    let mut next = vec![0; all.len()];
    let pending =
        |next: &[usize], index: usize| (next[index] < all[index].len()).then(|| all[index].rows.input_row(next[index]));
    while let Some((_, index)) = indices.iter().filter_map(|index| Some((pending(&next, *index)?, *index))).min() {
        let others = indices.iter().filter(|other| **other != index);
        let end = match others.filter_map(|other| pending(&next, *other)).min() {
            Some(row) => end_before(&all[index], next[index], row),
            None => all[index].len(),
        };
        match slices.last_mut() {
            Some((last, rows)) if *last == index && rows.end == next[index] => rows.end = end,
            _ => slices.push((index, next[index]..end)),
        }
        next[index] = end;
    }
    slices
}

/// The end of the rows from place `start` on that come before input row `row`: at least one, and all that were made from the
/// same input row as that.
fn end_before(records: &Records, start: usize, row: usize) -> usize {
    let first = records.rows.input_row(start);
    let belongs = |place: usize| {
        let input = records.rows.input_row(place);
        input < row || input == first
    };
    (start + 1..records.len()).find(|place| !belongs(*place)).unwrap_or(records.len())
}

#[cfg(test)]
mod tests {
    use arrow::array::UInt32Array;
    use proptest::prelude::*;

    use super::*;
    use crate::{Column, RowIndex};

    fn records(topic: &str, rows: &[u32]) -> Records {
        Records {
            topic: topic.into(),
            kafka_partition: None,
            key: Column::nulls(rows.len()),
            value: Column::nulls(rows.len()),
            timestamps: vec![-1; rows.len()].into(),
            headers: None,
            rows: RowIndex::Selected(UInt32Array::from(rows.to_vec())),
            origin: None,
        }
    }

    #[test]
    fn records_that_do_not_interleave_stay_whole() {
        let all = [records("t", &[0, 1]), records("u", &[0, 9]), records("t", &[1, 5]), records("t", &[])];
        assert_eq!(in_row_order(&all), [(0, 0..2), (2, 0..2), (1, 0..2)]);
    }

    #[test]
    fn two_schemas_in_turns_are_cut_at_each_turn() {
        let all = [records("t", &[0, 2, 3, 6]), records("t", &[1, 4, 5])];
        assert_eq!(in_row_order(&all), [(0, 0..1), (1, 0..1), (0, 1..3), (1, 1..3), (0, 3..4)]);
    }

    #[test]
    fn rows_made_from_one_stay_together() {
        let all = [records("t", &[0, 1, 1, 3]), records("t", &[1, 2])];
        assert_eq!(in_row_order(&all), [(0, 0..3), (1, 0..2), (0, 3..4)]);
    }

    proptest! {
        #[test]
        fn every_row_comes_once_and_in_order(places in proptest::collection::vec(0_usize..4, 0..60)) {
            let of = |part: usize| -> Vec<u32> {
                (0..places.len()).filter(|row| places[*row] == part).map(|row| row as u32).collect()
            };
            let all: Vec<_> = (0..4).map(|part| records("t", &of(part))).collect();
            let slices = in_row_order(&all);
            let rows: Vec<usize> = slices
                .iter()
                .flat_map(|(index, rows)| rows.clone().map(|place| all[*index].rows.input_row(place)))
                .collect();
            prop_assert_eq!(rows, (0..places.len()).collect::<Vec<_>>());
            let turns = places.windows(2).filter(|pair| pair[0] != pair[1]).count() + 1;
            prop_assert!(slices.len() <= turns);
        }
    }
}
