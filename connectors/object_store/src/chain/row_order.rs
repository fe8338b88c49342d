//! Rows by offset: where a batch may be cut, and how records that interleave are put in order.

use std::ops::Range;
use std::sync::Arc;

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

/// The records in an order in which the offsets of each topic ascend: as they are where they do, else cut into pieces.
/// A transformation that treats some rows differently may leave one topic's rows in two schemas that interleave.
pub(crate) fn in_offset_order(all: &[Records]) -> Vec<(usize, Range<usize>)> {
    let whole = |index: usize| (index, 0..all[index].len());
    let mut pieces = Vec::with_capacity(all.len());
    let mut done = vec![false; all.len()];
    for index in 0..all.len() {
        if done[index] || all[index].is_empty() {
            continue;
        }
        let same: Vec<_> = (index..all.len()).filter(|other| is_same_topic(&all[*other], &all[index])).collect();
        same.iter().for_each(|other| done[*other] = true);
        match same.windows(2).all(|pair| ends_before(&all[pair[0]], &all[pair[1]])) {
            true => pieces.extend(same.into_iter().map(whole)),
            false => pieces.extend(interleaved(all, &same)),
        }
    }
    pieces
}

fn is_same_topic(one: &Records, other: &Records) -> bool {
    !one.is_empty() && (Arc::ptr_eq(&one.topic, &other.topic) || one.topic == other.topic)
}

fn ends_before(one: &Records, other: &Records) -> bool {
    offset_of(one, one.len() - 1) <= offset_of(other, 0)
}

/// A merge by offset; the earlier records first where two have the same one.
fn interleaved(all: &[Records], indices: &[usize]) -> Vec<(usize, Range<usize>)> {
    let mut pieces = Vec::new();
    let mut next = vec![0; all.len()];
    let pending =
        |next: &[usize], index: usize| (next[index] < all[index].len()).then(|| offset_of(&all[index], next[index]));
    while let Some((_, index)) = indices.iter().filter_map(|index| Some((pending(&next, *index)?, *index))).min() {
        let others = indices.iter().filter(|other| **other != index);
        let end = match others.filter_map(|other| pending(&next, *other)).min() {
            Some(offset) => first_row_from(&all[index], offset).max(next[index] + 1),
            None => all[index].len(),
        };
        let end = cut_between_offsets(&all[index], end, None);
        pieces.push((index, next[index]..end));
        next[index] = end;
    }
    pieces
}

#[cfg(test)]
pub(crate) mod tests {
    use arrow::array::UInt32Array;
    use arrow::buffer::ScalarBuffer;
    use proptest::prelude::*;
    use volley_api::{Column, OffsetRange, Origin, RowIndex, TimestampType, TopicPartition};

    use super::*;

    fn records(topic: &str, offsets: &[i64]) -> Records {
        let last = offsets.iter().max().copied().unwrap_or(0);
        let origin = Origin {
            partition: TopicPartition::new("t", 0),
            range: OffsetRange { first: 0, end: last + 1 },
            offsets: (0..=last).collect(),
            timestamp_type: TimestampType::CreateTime,
            timestamps: ScalarBuffer::from(vec![0; last as usize + 1]),
        };
        let rows = UInt32Array::from_iter_values(offsets.iter().map(|offset| *offset as u32));
        Records {
            topic: topic.into(),
            kafka_partition: Some(0),
            key: Column::nulls(offsets.len()),
            value: Column::nulls(offsets.len()),
            timestamps: ScalarBuffer::from(vec![0; offsets.len()]),
            headers: None,
            rows: RowIndex::Selected(rows),
            origin: Some(Arc::new(origin)),
        }
    }

    fn offsets_in_order(all: &[Records], topic: &str) -> Vec<i64> {
        in_offset_order(all)
            .into_iter()
            .filter(|(index, _)| &*all[*index].topic == topic)
            .flat_map(|(index, rows)| rows.map(move |row| offset_of(&all[index], row)))
            .collect()
    }

    #[test]
    fn interleaved_records_are_merged_by_topic() {
        let all = [
            records("a", &[0, 3, 4]),
            records("b", &[1]),
            records("a", &[2, 6]),
            records("a", &[]),
            records("a", &[5]),
        ];
        assert_eq!(offsets_in_order(&all, "a"), [0, 2, 3, 4, 5, 6]);
        assert_eq!(offsets_in_order(&all, "b"), [1]);
    }

    #[test]
    fn rows_of_one_offset_stay_together() {
        let one = records("a", &[1, 1, 1, 2, 2, 3]);
        assert_eq!(cut_between_offsets(&one, 1, None), 3);
        assert_eq!(cut_between_offsets(&one, 3, None), 3);
        assert_eq!(cut_between_offsets(&one, 0, Some(1)), 3);
        assert_eq!(cut_between_offsets(&one, 0, Some(0)), 0);
        assert_eq!(cut_between_offsets(&one, 6, None), 6);
        assert_eq!(first_row_from(&one, 2), 3);
        assert_eq!(first_row_from(&one, 9), 6);
    }

    proptest! {
        #[test]
        fn every_row_comes_once_and_in_order(places in proptest::collection::vec(0usize..4, 0..60)) {
            let mut offsets = vec![Vec::new(); 4];
            for (offset, place) in places.iter().enumerate() {
                offsets[*place].push(offset as i64);
            }
            let all: Vec<_> = offsets.iter().map(|offsets| records("a", offsets)).collect();
            let expected: Vec<_> = (0..places.len() as i64).collect();
            prop_assert_eq!(offsets_in_order(&all, "a"), expected);
        }
    }
}
