//! Parts of a batch put back into the order of its input rows (law 3).

use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::compute::concat;
use volley_api::{Column, Headers, Records, Result, RowIndex};

/// Puts rows of one topic back into input order: parts of the same topic and schema become one; where schemas differ, they
/// become as many runs as the order demands. Parts of different topics stay apart, in order of their first rows.
pub(crate) fn in_row_order(mut parts: Vec<Records>) -> Result<Vec<Records>> {
    parts.retain(|part| !part.is_empty());
    let mut ordered = Vec::with_capacity(parts.len());
    while !parts.is_empty() {
        let topic = Arc::clone(&parts[0].topic);
        let (same, others) = parts.into_iter().partition::<Vec<_>, _>(|part| part.topic == topic);
        ordered.extend(one_topic(same)?);
        parts = others;
    }
    ordered.sort_by_key(|part| part.rows.input_row(0));
    Ok(ordered)
}

fn one_topic(parts: Vec<Records>) -> Result<Vec<Records>> {
    if is_ordered(&parts) {
        return Ok(parts);
    }
    if parts.iter().all(|part| same_schema(part, &parts[0])) {
        return Ok(vec![interleave(&parts)?]);
    }
    runs(&parts)
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

/// Slices of the parts such that their rows ascend.
fn runs(parts: &[Records]) -> Result<Vec<Records>> {
    let mut rows: Vec<(usize, usize, usize)> = parts
        .iter()
        .enumerate()
        .flat_map(|(part, records)| records.rows.iter().enumerate().map(move |(place, row)| (row, part, place)))
        .collect();
    rows.sort_unstable();
    let mut runs = Vec::new();
    let mut start = 0;
    for end in 1..=rows.len() {
        let (_, part, place) = rows[start];
        let follows = rows.get(end).is_some_and(|row| row.1 == part && row.2 == place + (end - start));
        if !follows {
            runs.push(parts[part].slice(place, end - start));
            start = end;
        }
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field};
    use proptest::prelude::*;

    use super::*;

    fn part(topic: &str, text: bool, rows: &[u32]) -> Records {
        let value = if text {
            let array = StringArray::from_iter_values(rows.iter().map(ToString::to_string));
            Column::new(Arc::new(Field::new("value", DataType::Utf8, true)), Arc::new(array))
        } else {
            let array = Int64Array::from_iter_values(rows.iter().map(|row| i64::from(*row)));
            Column::new(Arc::new(Field::new("value", DataType::Int64, true)), Arc::new(array))
        };
        Records {
            topic: topic.into(),
            kafka_partition: Some(0),
            key: Column::nulls(rows.len()),
            value,
            timestamps: rows.iter().map(|row| i64::from(*row)).collect(),
            headers: None,
            rows: RowIndex::Selected(UInt32Array::from(rows.to_vec())),
            origin: None,
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
            let ordered = in_row_order(parts).unwrap();
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
            for part in &ordered {
                for row in 0..part.len() {
                    prop_assert_eq!(part.timestamps[row], part.rows.input_row(row) as i64);
                }
            }
        }
    }
}
