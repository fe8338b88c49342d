//! Records as a table for a terminal: offset, key, and the fields of the value.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches;
use volley_api::Records;

/// What stands for null. A text that is the same is shown in quotes.
const NULL: &str = "NULL";

/// The table, with a heading.
pub(super) fn records_text(records: &Records) -> Result<String, ArrowError> {
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    if records.origin.is_some() {
        let offsets = (0..records.len()).filter_map(|row| records.offset(row));
        columns.push(("_offset".to_owned(), Arc::new(Int64Array::from_iter_values(offsets))));
    }
    columns.push(("_key".to_owned(), Arc::clone(&records.key.array)));
    let value = &records.value.array;
    match value.as_struct_opt() {
        Some(values) if values.null_count() == 0 => {
            let fields = values.fields().iter().zip(values.columns());
            columns.extend(fields.map(|(field, column)| (field.name().clone(), Arc::clone(column))));
        }
        _ => columns.push(("value".to_owned(), Arc::clone(value))),
    }
    // a column without a type is null throughout
    columns.retain(|(_, array)| array.data_type() != &DataType::Null);
    if columns.is_empty() {
        columns.push(("value".to_owned(), Arc::clone(value)));
    }
    let fields: Vec<_> = columns.iter().map(|(name, _)| Field::new(printable(name), DataType::Utf8, false)).collect();
    let cells = columns.iter().map(|(_, array)| Ok(Arc::new(cells(array)?) as ArrayRef));
    let table = RecordBatch::try_new(Arc::new(Schema::new(fields)), cells.collect::<Result<_, ArrowError>>()?)?;
    Ok(pretty_format_batches(&[table])?.to_string())
}

fn cells(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    let options = FormatOptions::new().with_null(NULL);
    let formatter = ArrayFormatter::try_new(array, &options)?;
    let is_text = matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let cells = (0..array.len()).map(|row| {
        let text = formatter.value(row).try_to_string()?;
        let text = printable(&text);
        let is_ambiguous = is_text && array.is_valid(row) && (text.trim() != text || text.is_empty() || text == NULL);
        Ok(if is_ambiguous { format!("\"{text}\"") } else { text.into_owned() })
    });
    Ok(StringArray::from_iter_values(cells.collect::<Result<Vec<String>, ArrowError>>()?))
}

/// The text with escapes for what a terminal would not show, or would obey.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unprintable(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters, and those that are invisible or turn the direction of what follows.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use arrow::array::StructArray;
    use volley_api::testing::{column, records};

    use super::*;

    fn shown(values: &[Option<&str>]) -> String {
        let array: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        let field = Arc::new(Field::new("a\u{1b}[2J", DataType::Utf8, true));
        let value = StructArray::from(vec![(field, array)]);
        records_text(&records("t", column(value))).unwrap()
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_an_escape() {
        let text = shown(&[Some("red \u{1b}[31m\r\n"), Some("\u{202e}evil\u{9b}"), Some("Köln 👩‍🚒 \\n")]);
        assert!(text.lines().all(|line| !line.contains(is_unprintable)), "{text:?}");
        for cell in ["a\\u{1b}[2J", "red \\u{1b}[31m\\r\\n", "\\u{202e}evil\\u{9b}", "Köln 👩‍🚒 \\n"] {
            assert!(text.contains(cell), "{cell}: {text}");
        }
    }

    #[test]
    fn null_the_empty_text_and_the_text_null_are_told_apart() {
        let text = shown(&[None, Some(""), Some("NULL"), Some("null"), Some(" x")]);
        let cells: Vec<_> = text.lines().skip(3).map(|line| line.trim_matches(['|', ' '])).collect();
        assert_eq!(cells[..5], ["NULL", "\"\"", "\"NULL\"", "null", "\" x\""], "{text}");
    }
}
