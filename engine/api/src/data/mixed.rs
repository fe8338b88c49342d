//! Mixed values as plain text.

use arrow::array::{Array, StringArray, StringBuilder};

/// The values of a [mixed](crate::schema::mixed_field) column as text: a string as it is, without quotes and escapes; any
/// other value as its JSON text.
pub fn mixed_as_text(values: &StringArray) -> StringArray {
    let mut texts = StringBuilder::with_capacity(values.len(), values.value_data().len());
    for value in values {
        match value {
            Some(json) if json.starts_with('"') => append_string(&mut texts, json),
            other => texts.append_option(other),
        }
    }
    texts.finish()
}

fn append_string(texts: &mut StringBuilder, json: &str) {
    let plain = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).filter(|text| !text.contains('\\'));
    match (plain, serde_json::from_str::<String>(json)) {
        (Some(text), _) => texts.append_value(text),
        (None, Ok(text)) => texts.append_value(text),
        // A lone surrogate has no text of its own.
        (None, Err(_)) => texts.append_value(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_what_they_were_and_all_else_is_json() {
        let mixed = StringArray::from(vec![
            Some(r#""paid""#),
            Some(r#""a \"b\" \u00e9\n""#),
            Some(r#""""#),
            Some("5"),
            Some(r#"{"a":"b"}"#),
            None,
            Some(r#""\ud800""#),
        ]);
        let expected =
            [Some("paid"), Some("a \"b\" é\n"), Some(""), Some("5"), Some(r#"{"a":"b"}"#), None, Some(r#""\ud800""#)];
        assert_eq!(mixed_as_text(&mixed).iter().collect::<Vec<_>>(), expected);
    }
}
