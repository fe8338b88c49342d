//! Adding members to JSON objects that are kept as text, since the values of the column have nothing in common.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringBuilder};
use serde_json::{Map, Value};
use volley_api::{Column, Records};

use super::field_insertion::{Insertion, Source};

/// The texts with the members added, and the rows that are no objects and stay as they are, with what
/// they are. Row by row: each is a text of
/// its own.
pub(crate) fn insert_into_text(
    column: &Column,
    records: &Records,
    insertions: &[Insertion],
) -> (Column, Vec<(usize, &'static str)>) {
    let texts = column.array.as_string::<i32>();
    let mut builder = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
    let mut refused = Vec::new();
    for row in 0..texts.len() {
        if texts.is_null(row) {
            builder.append_null();
            continue;
        }
        let members =
            insertions.iter().filter_map(|insertion| Some((&insertion.name, member(insertion, records, row)?)));
        match with_members(texts.value(row), members) {
            Some(text) => builder.append_value(text),
            None => {
                refused.push((row, json_class(texts.value(row))));
                builder.append_value(texts.value(row));
            }
        }
    }
    (Column::new(Arc::clone(&column.field), Arc::new(builder.finish())), refused)
}

/// The class of what a JSON text stands for.
fn json_class(text: &str) -> &'static str {
    match text.trim_start().as_bytes().first() {
        Some(b'"') => "java.lang.String",
        Some(b'[') => "java.util.ArrayList",
        Some(b't' | b'f') => "java.lang.Boolean",
        _ if text.contains(['.', 'e', 'E']) => "java.lang.Double",
        _ => "java.lang.Long",
    }
}

fn member(insertion: &Insertion, records: &Records, row: usize) -> Option<Value> {
    match &insertion.source {
        Source::Topic => Some(Value::from(&*records.topic)),
        Source::Partition => records.kafka_partition.map(Value::from),
        Source::Offset => records.offset(row).map(Value::from),
        Source::Timestamp => Some(records.timestamps[row]).filter(|time| *time != -1).map(Value::from),
        Source::Static(text) => Some(Value::from(&**text)),
    }
}

/// `None` if the text is no object. Where no member is replaced the text is only added to, so that its numbers keep all
/// their digits.
fn with_members<'a>(text: &str, members: impl Iterator<Item = (&'a String, Value)>) -> Option<String> {
    let mut object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let (mut replaces, was_empty, mut added) = (false, object.is_empty(), Vec::new());
    for (name, value) in members {
        added.push(format!("{}:{value}", Value::from(name.as_str())));
        replaces |= object.insert(name.clone(), value).is_some();
    }
    if replaces {
        return Some(Value::Object(object).to_string());
    }
    let open = text.trim_end().strip_suffix('}')?;
    let comma = if was_empty || added.is_empty() { "" } else { "," };
    Some(format!("{open}{comma}{}}}", added.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(text: &str, members: &[(&str, i64)]) -> Option<String> {
        let members: Vec<_> = members.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        with_members(text, members.iter().map(|(name, value)| (name, value.clone())))
    }

    #[test]
    fn members_are_added_to_objects_only() {
        assert_eq!(added("{}", &[("a", 1)]).unwrap(), r#"{"a":1}"#);
        assert_eq!(added(r#"{"b":2} "#, &[("a", 1), ("c", 3)]).unwrap(), r#"{"b":2,"a":1,"c":3}"#);
        assert_eq!(added(r#"{"a":[1],"b":2}"#, &[("a", 1)]).unwrap(), r#"{"a":1,"b":2}"#);
        assert_eq!(added("[1]", &[("a", 1)]), None);
        assert_eq!(added("{}", &[]).unwrap(), "{}");
    }

    #[test]
    fn long_numbers_keep_their_digits() {
        let text = r#"{"n":123456789012345678901234567890.5}"#;
        assert_eq!(added(text, &[("a", 1)]).unwrap(), r#"{"n":123456789012345678901234567890.5,"a":1}"#);
    }
}
