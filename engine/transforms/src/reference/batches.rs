//! The cases of one transformation together in a batch: each row fares as it does alone.

use std::collections::BTreeMap;

use arrow::array::{BinaryArray, UInt32Array};
use serde_json::Value as Json;
use volley_api::testing::origin;
use volley_api::{Converter, RawBatch, Records, RowIndex, Side, Transformed};

use super::case::{Carrier, Case, converter};
use super::differential::is_equal;
use super::told::{comparable, refused, told};

/// Cases that can be in one batch: of one configuration, and whose values have one schema.
fn groups(cases: &str) -> Vec<Vec<Case>> {
    let mut groups: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in cases.lines().map(Case::read).filter(|case| case.differs.is_none()) {
        let given = &case.given;
        // The offset of a row is not the one that it has alone.
        let is_plain = given["config"].get("offset.field").is_none()
            && given.get("value").is_some_and(|value| !value["payload"].is_null());
        if is_plain && case.answer["value"]["unwritable"].is_null() {
            let parts = ["class", "config", "topic", "partition", "headers", "key", "source"].map(|part| &given[part]);
            let (value, is_whole) = (&given["value"], !has_fraction(&given["value"]["payload"]));
            groups.entry(format!("{parts:?} {:?} {is_whole}", value["schema"])).or_default().push(case);
        }
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

/// Whether numbers are in it that are not whole: without a schema, whole numbers beside them are doubles, too.
fn has_fraction(json: &Json) -> bool {
    match json {
        Json::Number(number) => number.is_f64(),
        Json::Array(items) => items.iter().any(has_fraction),
        Json::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

/// The records of a group; several where the values have no schema in common.
fn batches(group: &[Case]) -> Vec<Records> {
    let has_schema = !group[0].given["value"]["schema"].is_null();
    let text = |case: &Case| match has_schema {
        true => case.given["value"].to_string(),
        false => case.given["value"]["payload"].to_string(),
    };
    let texts: Vec<String> = group.iter().map(text).collect();
    let values = BinaryArray::from_iter_values(texts.iter().map(String::as_bytes));
    let keys = BinaryArray::new_null(group.len());
    let raw = RawBatch { origin: origin("t", 0, 7, group.len()), keys, values, headers: None };
    let converted = converter(has_schema).to_connect(&raw, Side::Value).unwrap();
    assert!(converted.rejected.is_empty());
    let one = group[0].records(Carrier::Inferred);
    let part = |run: volley_api::Run| {
        let rows: Vec<usize> = run.rows.iter().collect();
        let timestamps = rows.iter().map(|row| group[*row].given["timestamp"].as_i64().unwrap_or(-1)).collect();
        Records {
            key: one.key.take(&UInt32Array::from(vec![0; rows.len()])).unwrap(),
            value: run.column,
            timestamps,
            headers: one.headers.as_ref().map(|headers| vec![headers[0].clone(); rows.len()].into()),
            rows: RowIndex::Selected(UInt32Array::from_iter_values(rows.iter().map(|row| *row as u32))),
            origin: one.origin.as_ref().map(|_| origin("t", 0, 7, group.len())),
            ..one.clone()
        }
    };
    converted.runs.into_iter().map(part).collect()
}

fn answers(group: &[Case]) -> BTreeMap<usize, Json> {
    let mut answers = BTreeMap::new();
    let mut transformation = match group[0].transformation() {
        Ok(transformation) => transformation,
        Err(error) => return (0..group.len()).map(|row| (row, refused(&error))).collect(),
    };
    for batch in batches(group) {
        let Transformed { records, rejected } = transformation.apply(batch).unwrap();
        for records in records {
            for row in 0..records.len() {
                answers.insert(records.rows.input_row(row), told(&records.slice(row, 1), group[0].partition()));
            }
        }
        answers.extend(rejected.into_iter().map(|rejected| (rejected.row, refused(&rejected.error))));
    }
    answers
}

/// What is wrong with the answers to the cases of a file, and how many rows were compared.
pub(super) fn differences(cases: &str) -> (Vec<String>, usize) {
    let (mut found, mut compared) = (Vec::new(), 0);
    for group in groups(cases) {
        let answers = answers(&group);
        for (row, case) in group.iter().enumerate() {
            compared += 1;
            let answer = answers.get(&row).cloned().unwrap_or_else(|| serde_json::json!({"dropped": true}));
            let (expected, answer) = (comparable(&case.answer), comparable(&answer));
            let is_same = match (expected["error"].as_str(), answer["error"].as_str()) {
                (Some(expected), Some(found)) => expected == found,
                _ => is_equal(&expected, &answer),
            };
            if !is_same {
                found.push(format!(
                    "batch.tsv:{row} Batch\n  given {}\n  Java  {expected}\n  found {answer}",
                    case.given
                ));
            }
        }
    }
    (found, compared)
}
