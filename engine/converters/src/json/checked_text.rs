//! Messages as the JSON text that they are.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray, StringArray};
use arrow::buffer::NullBuffer;
use volley_api::Column;
use volley_api::schema::checked_json_field;

use super::syntax::AlikeMessages;

/// The messages as text, without copying them, if each is one value of strict JSON in one line and without space around it.
/// `null` is a null. `None`: a message is something else.
pub(super) fn checked_text(messages: &BinaryArray, alike: &mut AlikeMessages) -> Option<Column> {
    let mut has_nulls = messages.null_count() > 0;
    for message in messages.iter().flatten() {
        if !alike.is_line(message) {
            return None;
        }
        has_nulls |= message == b"null";
    }
    let nulls = has_nulls.then(|| {
        let is_value = |message: Option<&[u8]>| message.is_some_and(|message| message != b"null");
        messages.iter().map(is_value).collect::<NullBuffer>()
    });
    // checks that all of it is UTF-8
    let texts = StringArray::try_new(messages.offsets().clone(), messages.values().clone(), nulls).ok()?;
    Some(Column::new(Arc::new(checked_json_field("value")), Arc::new(texts)))
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use volley_api::testing::raw_batch;
    use volley_api::{ConfigMap, Converter, Side, Unserialized};

    use super::*;
    use crate::json::JsonConverter;

    fn text_of(messages: &[Option<&[u8]>]) -> Option<Vec<Option<String>>> {
        let column = checked_text(&BinaryArray::from(messages.to_vec()), &mut AlikeMessages::default())?;
        Some(column.array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
    }

    #[test]
    fn strict_lines_stay_as_they_came_and_null_is_a_null() {
        let text = |text: &str| Some(text.to_owned());
        let messages: [Option<&[u8]>; 4] = [Some(br#"{"b":1.10, "a" : [1]}"#), None, Some(b"null"), Some(b"7")];
        assert_eq!(text_of(&messages), Some(vec![text(r#"{"b":1.10, "a" : [1]}"#), None, None, text("7")]));
        assert_eq!(text_of(&[]), Some(vec![]));
    }

    #[test]
    fn anything_else_is_left_to_the_columns() {
        let others: [&[u8]; 9] =
            [b"", b" 1", b"1\n", b"{\"a\":\n1}", b"{\"a\":1}{", b"NaN", b"{'a':1}", b"\"\xff\"", b"[1,]"];
        for message in others {
            assert_eq!(text_of(&[Some(b"1"), Some(message)]), None, "{}", message.escape_ascii());
        }
    }

    #[test]
    fn a_converter_gives_text_only_where_that_is_allowed_and_messages_have_no_schema() {
        let batch = raw_batch("t", 0, 0, [br#"{"a": 1}"#.as_slice()]);
        for (schemas, is_allowed, is_text) in [("false", true, true), ("false", false, false), ("true", true, false)] {
            let config = ConfigMap::from_iter([("schemas.enable".to_owned(), schemas.to_owned())]);
            let mut converter = JsonConverter::new(&config, Side::Value).unwrap();
            if is_allowed {
                converter.allow_json_text();
            }
            let converted = converter.to_connect(&batch, Side::Value).unwrap();
            let texts = converted.runs.first().and_then(|run| run.column.array.as_string_opt::<i32>());
            assert_eq!(texts.is_some(), is_text, "{schemas} {is_allowed}");
            if let Some(run) = converted.runs.first().filter(|_| is_text) {
                let bytes = converter.from_connect(&Unserialized::new("t", &run.column)).unwrap().bytes;
                assert_eq!(bytes.value(0), br#"{"a": 1}"#);
            }
        }
    }
}
