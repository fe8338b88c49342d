//! Converts a query's result to records: each row keeps its origin, and rerouted rows are split by topic.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, StructArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::{filter_record_batch, take_record_batch};
use arrow::datatypes::{TimestampMillisecondType, UInt32Type};
use volley_api::{Column, Error, Headers, Records, RejectedRow, Result, Stage, Transformed};

use super::output_layout::OutputLayout;

/// Maximum length of a topic's name in Kafka.
const MAX_TOPIC_LENGTH: usize = 249;

/// The records of `result`, by topic, and the rejected rows, whose new topic is invalid.
pub(crate) fn to_records(
    layout: &OutputLayout,
    input: &Records,
    result: RecordBatch,
    class: &str,
) -> Result<Transformed> {
    let result = in_row_order(layout, result)?;
    let (result, rejected) = reject_bad_topics(layout, input, result, class)?;
    if result.num_rows() == 0 {
        return Ok(Transformed { records: Vec::new(), rejected });
    }
    let records = assemble(layout, input, &result)?;
    let records = match layout.topic {
        None => vec![records],
        Some(column) => split_by_topic(records, result.column(column).as_string())?,
    };
    Ok(Transformed { records, rejected })
}

fn row_numbers(layout: &OutputLayout, result: &RecordBatch) -> UInt32Array {
    result.column(layout.row_number).as_primitive::<UInt32Type>().clone()
}

/// Sorts the result: a join may change the order of the records.
fn in_row_order(layout: &OutputLayout, result: RecordBatch) -> Result<RecordBatch> {
    let rows = row_numbers(layout, &result);
    let rows = rows.values();
    if rows.is_sorted() {
        return Ok(result);
    }
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|index| rows[*index as usize]);
    Ok(take_record_batch(&result, &UInt32Array::from(order))?)
}

fn reject_bad_topics(
    layout: &OutputLayout,
    input: &Records,
    result: RecordBatch,
    class: &str,
) -> Result<(RecordBatch, Vec<RejectedRow>)> {
    let Some(column) = layout.topic else {
        return Ok((result, Vec::new()));
    };
    let topics: &StringArray = result.column(column).as_string();
    let rows = row_numbers(layout, &result);
    let mut rejected: Vec<RejectedRow> = Vec::new();
    let mut keep = Vec::with_capacity(topics.len());
    let mut last_good: Option<&str> = None;
    // Checks the topics row by row; most batches have only one topic.
    for (index, topic) in topics.iter().enumerate() {
        let good = topic.is_some_and(|topic| last_good == Some(topic) || is_topic_name(topic));
        keep.push(good);
        if good {
            last_good = topic;
            continue;
        }
        let message = match topic {
            None => "the query gives null as `_topic`".to_owned(),
            Some(topic) => format!("the query gives `{topic}` as `_topic`, which cannot be the name of a topic"),
        };
        let row = input.rows.input_row(rows.value(index) as usize);
        // UNNEST may have created several rows of one record, which is rejected once.
        if rejected.last().is_none_or(|last| last.row != row) {
            let error = Error::data(message);
            rejected.push(RejectedRow { row, stage: Stage::Transformation, class: class.to_owned(), error });
        }
    }
    if rejected.is_empty() {
        return Ok((result, rejected));
    }
    // A record is rejected with all its rows.
    for (index, keep) in keep.iter_mut().enumerate() {
        let row = input.rows.input_row(rows.value(index) as usize);
        *keep &= rejected.binary_search_by_key(&row, |rejected| rejected.row).is_err();
    }
    Ok((filter_record_batch(&result, &BooleanArray::from(keep))?, rejected))
}

fn is_topic_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !matches!(name, "" | "." | "..") && name.len() <= MAX_TOPIC_LENGTH && name.bytes().all(legal)
}

/// All rows of the result as records of the input's topic.
fn assemble(layout: &OutputLayout, input: &Records, result: &RecordBatch) -> Result<Records> {
    let rows = row_numbers(layout, result);
    // If no row was filtered or repeated, unchanged columns are shared, not copied.
    let identity =
        rows.len() == input.len() && rows.values().iter().enumerate().all(|(row, from)| row == *from as usize);
    let taken = (!identity).then_some(&rows);
    let key = match &layout.key {
        Some((column, field)) => Column::new(Arc::clone(field), Arc::clone(result.column(*column))),
        None => match taken {
            Some(rows) => input.key.take(rows)?,
            None => input.key.clone(),
        },
    };
    let timestamps = match layout.timestamp {
        Some(column) => timestamps_of(result.column(column)),
        None => match taken {
            Some(rows) => rows.values().iter().map(|row| input.timestamps[*row as usize]).collect(),
            None => input.timestamps.clone(),
        },
    };
    Ok(Records {
        topic: Arc::clone(&input.topic),
        kafka_partition: input.kafka_partition,
        key,
        value: value_of(layout, input, result, taken)?,
        timestamps,
        headers: input.headers.as_ref().map(|headers| taken_headers(headers, taken)),
        rows: taken.map_or_else(|| input.rows.clone(), |rows| input.rows.take(rows)),
        origin: input.origin.clone(),
    })
}

/// The new struct; a tombstone stays a tombstone.
fn value_of(
    layout: &OutputLayout,
    input: &Records,
    result: &RecordBatch,
    taken: Option<&UInt32Array>,
) -> Result<Column> {
    let columns: Vec<ArrayRef> = layout.value_columns.iter().map(|column| Arc::clone(result.column(*column))).collect();
    let nulls = input.value.array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    let nulls = match (nulls, taken) {
        (Some(nulls), Some(rows)) => {
            let rows = rows.values();
            Some(NullBuffer::new(BooleanBuffer::collect_bool(rows.len(), |row| nulls.is_valid(rows[row] as usize))))
        }
        (nulls, _) => nulls,
    };
    let value = StructArray::try_new_with_length(layout.fields.clone(), columns, nulls, result.num_rows())?;
    Ok(Column::new(Arc::clone(&layout.value), Arc::new(value)))
}

fn timestamps_of(column: &ArrayRef) -> ScalarBuffer<i64> {
    let timestamps = column.as_primitive::<TimestampMillisecondType>();
    match timestamps.null_count() {
        0 => timestamps.values().clone(),
        _ => timestamps.iter().map(|timestamp| timestamp.unwrap_or(-1)).collect(),
    }
}

fn taken_headers(headers: &Arc<Headers>, taken: Option<&UInt32Array>) -> Arc<Headers> {
    match taken {
        None => Arc::clone(headers),
        Some(rows) => Arc::new(rows.values().iter().map(|row| headers[*row as usize].clone()).collect()),
    }
}

/// One `Records` for each topic, in the order in which topics first occur.
fn split_by_topic(mut records: Records, topics: &StringArray) -> Result<Vec<Records>> {
    let mut groups: Vec<(&str, Vec<u32>)> = Vec::new();
    for (row, topic) in (0_u32..).zip(topics.iter()) {
        let topic = topic.unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| *known == topic) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((topic, vec![row])),
        }
    }
    if let [(topic, _)] = groups.as_slice() {
        records.topic = (*topic).into();
        return Ok(vec![records]);
    }
    let split = |(topic, rows): (&str, Vec<u32>)| {
        let mut part = records.take(&UInt32Array::from(rows))?;
        part.topic = topic.into();
        Ok(part)
    };
    groups.into_iter().map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_names_are_those_that_kafka_allows() {
        for name in ["orders", "a.b_c-D9", "..."] {
            assert!(is_topic_name(name), "{name}");
        }
        let long = "a".repeat(250);
        for name in ["", ".", "..", "a/b", "a b", "ü", &long] {
            assert!(!is_topic_name(name), "{name}");
        }
    }
}
