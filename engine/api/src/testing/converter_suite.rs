//! What the worker relies on in a converter: what it writes it reads, and a bad message takes no good one with it.

use std::collections::BTreeMap;

use arrow::array::{Array, BinaryArray};

use super::row_text::row_text;
use crate::{Column, Converted, Converter, RawBatch, Result, Side, Unserialized};

const TOPIC: &str = "conformance";

/// Every row of the columns that is written as bytes is read again as it was, on both sides, whatever is converted before it
/// and however the messages are cut into batches; and where it
/// `keeps_types`, what is read is written as the same bytes. Without types, values are compared by what they show.
///
/// # Panics
/// If the law is broken.
pub fn round_trips<T: Converter>(new: impl Fn(Side) -> Result<T>, columns: &[Column], keeps_types: bool) {
    for side in [Side::Key, Side::Value] {
        for column in columns {
            let messages = written(&mut new(side).expect("a converter"), column);
            let expected: Vec<String> = (0..column.len()).map(|row| shown(column, row, keeps_types)).collect();
            for parts in [1, 2, column.len().max(1)] {
                let mut converter = new(side).expect("a converter");
                let read = read(&mut converter, side, &messages, parts, keeps_types);
                assert_eq!(read, expected, "what is written as {side:?} must be read as it was, in {parts} batches");
            }
            if keeps_types {
                check_bytes(&mut new(side).expect("a converter"), side, &messages);
            }
        }
    }
}

/// Of messages that a converter can read, and those that it cannot, it rejects the latter only, each as a rejected row of its
/// own, and reads the former as it does without them.
///
/// # Panics
/// If the law is broken.
pub fn rejects_only_bad_messages<T: Converter>(new: impl Fn(Side) -> Result<T>, good: &[&[u8]], bad: &[&[u8]]) {
    for side in [Side::Key, Side::Value] {
        let alone: BinaryArray = good.iter().map(|message| Some(*message)).collect();
        let expected = read(&mut new(side).expect("a converter"), side, &alone, 1, true);
        for message in bad {
            for place in 0..=good.len() {
                let mut messages: Vec<&[u8]> = good.to_vec();
                messages.insert(place, message);
                let mixed: BinaryArray = messages.into_iter().map(Some).collect();
                let converted = convert(&mut new(side).expect("a converter"), side, &mixed);
                let rejected: Vec<usize> = converted.rejected.iter().map(|row| row.row).collect();
                assert_eq!(rejected, [place], "only the bad message at {place} must be rejected");
                let rows = rows_of(&converted, mixed.len(), true);
                let kept: Vec<String> = rows.into_values().collect();
                assert_eq!(kept, expected, "a bad message at {place} must change nothing for the good ones");
            }
        }
    }
}

fn shown(column: &Column, row: usize, keeps_types: bool) -> String {
    let text = row_text(column, row);
    if keeps_types || column.is_null(row) {
        return text;
    }
    let type_name = format!("{} ", column.array.data_type());
    text.strip_prefix(&type_name).map(str::to_owned).unwrap_or(text)
}

fn written(converter: &mut impl Converter, column: &Column) -> BinaryArray {
    let serialized = converter.from_connect(&Unserialized::new(TOPIC, column)).expect("a column that can be written");
    assert!(serialized.rejected.is_empty(), "rows that can be written are rejected: {:?}", serialized.rejected);
    assert_eq!(serialized.bytes.len(), column.len(), "a column and its bytes have different lengths");
    serialized.bytes
}

fn convert(converter: &mut impl Converter, side: Side, messages: &BinaryArray) -> Converted {
    let (keys, values) = match side {
        Side::Key => (messages.clone(), BinaryArray::new_null(messages.len())),
        Side::Value => (BinaryArray::new_null(messages.len()), messages.clone()),
    };
    let batch = RawBatch { origin: super::origin(TOPIC, 0, 0, messages.len()), keys, values, headers: None };
    converter.to_connect(&batch, side).expect("a batch that can be read")
}

/// The rows of all runs, by row; every row is in one run or rejected.
fn rows_of(converted: &Converted, len: usize, keeps_types: bool) -> BTreeMap<usize, String> {
    let mut rows = BTreeMap::new();
    for run in &converted.runs {
        assert_eq!(run.rows.len(), run.column.len(), "the rows and the values of a run must be as many");
        assert!(run.rows.iter().is_sorted(), "the rows of a run must ascend");
        for (place, row) in run.rows.iter().enumerate() {
            let before = rows.insert(row, shown(&run.column, place, keeps_types));
            assert!(before.is_none(), "row {row} is in two runs");
        }
    }
    for rejected in &converted.rejected {
        assert!(!rows.contains_key(&rejected.row), "row {} is rejected and in a run", rejected.row);
    }
    let rejected = converted.rejected.iter().map(|row| row.row);
    let all: std::collections::BTreeSet<usize> = rows.keys().copied().chain(rejected).collect();
    assert!(all.iter().copied().eq(0..len), "of {len} rows, those in runs or rejected are {all:?}");
    rows
}

/// What is read of messages cut into `parts` batches.
fn read(
    converter: &mut impl Converter,
    side: Side,
    messages: &BinaryArray,
    parts: usize,
    keeps_types: bool,
) -> Vec<String> {
    let size = messages.len().div_ceil(parts).max(1);
    let mut read = Vec::with_capacity(messages.len());
    for start in (0..messages.len()).step_by(size) {
        let part = messages.slice(start, size.min(messages.len() - start));
        let converted = convert(converter, side, &part);
        assert!(converted.rejected.is_empty(), "what was written cannot be read: {:?}", converted.rejected);
        read.extend(rows_of(&converted, part.len(), keeps_types).into_values());
    }
    read
}

fn check_bytes(converter: &mut impl Converter, side: Side, messages: &BinaryArray) {
    for run in convert(converter, side, messages).runs {
        let again = written(converter, &run.column);
        for (place, row) in run.rows.iter().enumerate() {
            let bytes = |array: &BinaryArray, row| array.is_valid(row).then(|| array.value(row).to_vec());
            assert_eq!(bytes(&again, place), bytes(messages, row), "what was read must be written as the same bytes");
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, StringArray, UInt32Array};

    use super::*;
    use crate::testing::{column, texts};
    use crate::{Error, RejectedRow, RowIndex, Run, Serialized, Stage};

    #[derive(Clone, Copy, PartialEq)]
    enum Defect {
        None,
        /// Null becomes the empty text.
        Nulls,
        /// Reads capitals.
        Capitals,
        /// Forgets the last row.
        Short,
        /// A bad message takes the next one with it.
        Neighbour,
        /// Writes other bytes once it has read.
        Restless,
    }

    /// Texts; `!` is a bad message.
    struct Texts {
        defect: Defect,
        has_read: bool,
    }

    fn converter(defect: Defect) -> Texts {
        Texts { defect, has_read: false }
    }

    impl Converter for Texts {
        fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
            self.has_read = true;
            let bytes = if side == Side::Key { &batch.keys } else { &batch.values };
            let (mut rows, mut values, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
            for (row, message) in bytes.iter().enumerate() {
                let follows_bad = row > 0 && bytes.is_valid(row - 1) && bytes.value(row - 1) == b"!";
                if message == Some(b"!") || (self.defect == Defect::Neighbour && follows_bad) {
                    let error = Error::data("bad");
                    rejected.push(RejectedRow { row, stage: Stage::ValueConverter, class: "Texts".into(), error });
                    continue;
                }
                let text = message.map(|message| String::from_utf8(message.to_vec()).unwrap().trim().to_owned());
                rows.push(row as u32);
                values.push(if self.defect == Defect::Capitals { text.map(|text| text.to_uppercase()) } else { text });
            }
            if self.defect == Defect::Short {
                rows.pop();
                values.pop();
            }
            let run =
                Run { rows: RowIndex::Selected(UInt32Array::from(rows)), column: column(StringArray::from(values)) };
            Ok(Converted { runs: vec![run], rejected })
        }

        fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
            let texts = rows.column.array.as_string::<i32>();
            let write = |text: Option<&str>| match text {
                None if self.defect == Defect::Nulls => Some(Vec::new()),
                Some(text) if self.defect == Defect::Restless && self.has_read => Some(format!("{text} ").into_bytes()),
                text => text.map(|text| text.as_bytes().to_vec()),
            };
            Ok(Serialized::new(texts.iter().map(write).collect(), Vec::new()))
        }
    }

    fn trip(defect: Defect) {
        round_trips(|_| Ok(converter(defect)), &[texts([Some("a"), None, Some("bc")])], true);
    }

    #[test]
    fn a_converter_that_keeps_everything_conforms() {
        trip(Defect::None);
        rejects_only_bad_messages(|_| Ok(converter(Defect::None)), &[b"a", b"b"], &[b"!"]);
    }

    #[test]
    #[should_panic(expected = "must be read as it was")]
    fn a_converter_that_forgets_nulls_is_found_out() {
        trip(Defect::Nulls);
    }

    #[test]
    #[should_panic(expected = "must be read as it was")]
    fn a_converter_that_changes_values_is_found_out() {
        trip(Defect::Capitals);
    }

    #[test]
    #[should_panic(expected = "written as the same bytes")]
    fn a_converter_that_writes_what_it_read_otherwise_is_found_out() {
        trip(Defect::Restless);
    }

    #[test]
    #[should_panic(expected = "in runs or rejected")]
    fn a_converter_that_drops_a_row_is_found_out() {
        trip(Defect::Short);
    }

    #[test]
    #[should_panic(expected = "only the bad message")]
    fn a_converter_that_rejects_a_good_message_is_found_out() {
        rejects_only_bad_messages(|_| Ok(converter(Defect::Neighbour)), &[b"a", b"b"], &[b"!"]);
    }
}
