//! Parts of a batch put back into the order of its input rows (law 3).

use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::compute::concat;
use volley_api::{Column, Headers, Records, RecordsSlice, Result, RowIndex};

/// Joins parts of the same topic and schema, so that their rows are in input order. Parts of different schemas stay apart, and
/// their rows may stand between each other: two schemas in turns stay two parts. In the order of their first rows.
pub(crate) fn joined(mut parts: Vec<Records>) -> Result<Vec<Records>> {
    parts.retain(|part| !part.is_empty());
    let mut all = Vec::with_capacity(parts.len());
    while !parts.is_empty() {
        let first = parts[0].clone();
        let is_same = |part: &Records| part.topic == first.topic && same_schema(part, &first);
        let (same, others) = parts.into_iter().partition::<Vec<_>, _>(is_same);
        match is_ordered(&same) {
            true => all.extend(same),
            false => all.push(interleave(&same)?),
        }
        parts = others;
    }
    all.sort_by_key(|part| part.rows.input_row(0));
    Ok(all)
}

/// The same, with parts of different schemas cut where rows of another come between: rows of one topic come out in input
/// order, as they are to be sent.
pub(crate) fn in_row_order(parts: Vec<Records>) -> Result<Vec<Records>> {
    let parts = joined(parts)?;
    let slice = |(index, rows): RecordsSlice| match &parts[index] {
        whole if whole.len() == rows.len() => whole.clone(),
        part => part.slice(rows.start, rows.len()),
    };
    let mut ordered: Vec<Records> = volley_api::in_row_order(&parts).into_iter().map(slice).collect();
    ordered.sort_by_key(|part| part.rows.input_row(0));
    Ok(ordered)
}

fn is_ordered(parts: &[Records]) -> bool {
    parts.windows(2).all(|pair| last_row(&pair[0]) <= pair[1].rows.input_row(0))
}

fn last_row(part: &Records) -> usize {
    part.rows.input_row(part.len() - 1)
}

fn same_schema(left: &Records, right: &Records) -> bool {
    left.key.field == right.key.field
        && left.value.field == right.value.field
        && left.kafka_partition == right.kafka_partition
}

/// One `Records` of all rows of parts that share a schema, sorted by input row (stable, so UNNEST keeps its order).
fn interleave(parts: &[Records]) -> Result<Records> {
    let rows: Vec<u32> = parts.iter().flat_map(|part| part.rows.iter()).map(|row| row as u32).collect();
    let has_headers = parts.iter().any(|part| part.headers.is_some());
    let headers = has_headers.then(|| Arc::new(parts.iter().flat_map(headers_of).collect::<Headers>()));
    let joined = Records {
        key: join(parts, |part| &part.key)?,
        value: join(parts, |part| &part.value)?,
        timestamps: parts.iter().flat_map(|part| part.timestamps.iter().copied()).collect(),
        headers,
        rows: RowIndex::Selected(UInt32Array::from(rows.clone())),
        ..parts[0].clone()
    };
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|place| rows[*place as usize]);
    joined.take(&UInt32Array::from(order))
}

fn headers_of(part: &Records) -> Headers {
    part.headers.as_ref().map_or_else(|| vec![Vec::new(); part.len()], |headers| headers.to_vec())
}

fn join(parts: &[Records], column: impl Fn(&Records) -> &Column) -> Result<Column> {
    let arrays: Vec<_> = parts.iter().map(|part| &*column(part).array).collect();
    Ok(Column::new(Arc::clone(&column(&parts[0]).field), concat(&arrays)?))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use proptest::prelude::*;
    use volley_api::testing::{column, records};

    use super::*;

    fn part(topic: &str, text: bool, rows: &[u32]) -> Records {
        let value = if text {
            column(StringArray::from_iter_values(rows.iter().map(ToString::to_string)))
        } else {
            column(Int64Array::from_iter_values(rows.iter().map(|row| i64::from(*row))))
        };
        Records {
            timestamps: rows.iter().map(|row| i64::from(*row)).collect(),
            rows: RowIndex::Selected(UInt32Array::from(rows.to_vec())),
            ..records(topic, value)
        }
    }

    proptest! {
        #[test]
        fn rows_of_a_topic_come_out_in_input_order(kinds in prop::collection::vec(0..4_usize, 1..60)) {
            let split = |kind: usize| -> Vec<u32> {
                (0..kinds.len()).filter(|row| kinds[*row] == kind).map(|row| row as u32).collect()
            };
            let parts = vec![
                part("a", false, &split(0)),
                part("a", true, &split(1)),
                part("a", false, &split(2)),
                part("b", false, &split(3)),
            ];
            let ordered = in_row_order(parts.clone()).unwrap();
            for topic in ["a", "b"] {
                let rows: Vec<usize> = ordered
                    .iter()
                    .filter(|part| &*part.topic == topic)
                    .flat_map(|part| part.rows.iter().collect::<Vec<_>>())
                    .collect();
                let expected: Vec<usize> =
                    (0..kinds.len()).filter(|row| (kinds[*row] == 3) == (topic == "b")).collect();
                prop_assert_eq!(rows, expected);
            }
            let joined = joined(parts).unwrap();
            prop_assert!(joined.len() <= 4, "no schema has more parts than before");
            prop_assert_eq!(joined.iter().map(Records::len).sum::<usize>(), kinds.len());
            prop_assert!(joined.iter().all(|part| part.rows.iter().is_sorted()));
            for part in &ordered {
                for row in 0..part.len() {
                    prop_assert_eq!(part.timestamps[row], part.rows.input_row(row) as i64);
                }
            }
        }
    }
}
