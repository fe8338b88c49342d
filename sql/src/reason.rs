//! Converts DataFusion's error messages to the terms of a query's author.
//!
//! DataFusion's messages contain Arrow's types, the kinds of the errors that they passed through, and sometimes its
//! syntax tree in Rust's notation. Known messages are replaced by plain ones. In unknown ones types get their SQL
//! names.

use datafusion::error::DataFusionError;

use crate::query::Position;

/// Kinds of errors, which DataFusion and Arrow put before a quoted message.
const KINDS: [&str; 13] = [
    "Error during planning: ",
    "Execution error: ",
    "Internal error: ",
    "Schema error: ",
    "SQL error: ",
    "External error: ",
    "Arrow error: ",
    "This feature is not implemented: ",
    "Cast error: ",
    "Parser error: ",
    "Compute error: ",
    "Invalid argument error: ",
    "Arithmetic overflow: ",
];

/// Text that occurs only in a syntax tree in Rust's notation.
const DEBUG_MARKS: [&str; 7] =
    ["Ident {", "Span(", "ObjectName(", "ValueWithSpan", "Wildcard {", "LogicalPlan", "sqltorel"];

/// Parts of messages, and their plain equivalents.
const PLAIN_WORDS: [(&str, &str); 6] = [
    ("Unnest should be rewritten", "unnest(…) is possible in the SELECT list only"),
    ("unnest() can only be applied to", "unnest(…) takes a list or a struct"),
    ("Cannot cast timezone to different timezone", "a value is outside of the range of a timestamp"),
    ("exceeds the representable i64 range", "a value is outside of the range of a timestamp"),
    ("Unable to cast to Date32", "a text is no date"),
    ("is not supported in the physical expr", "an operator does not fit the types of its sides"),
];

/// SQL's names of Arrow's types.
const TYPES: [(&str, &str); 27] = [
    ("Boolean", "BOOLEAN"),
    ("Int8", "TINYINT"),
    ("Int16", "SMALLINT"),
    ("Int32", "INT"),
    ("Int64", "BIGINT"),
    ("UInt8", "TINYINT UNSIGNED"),
    ("UInt16", "SMALLINT UNSIGNED"),
    ("UInt32", "INT UNSIGNED"),
    ("UInt64", "BIGINT UNSIGNED"),
    ("Float16", "REAL"),
    ("Float32", "REAL"),
    ("Float64", "DOUBLE"),
    ("Utf8", "VARCHAR"),
    ("LargeUtf8", "VARCHAR"),
    ("Utf8View", "VARCHAR"),
    ("Binary", "BYTEA"),
    ("LargeBinary", "BYTEA"),
    ("BinaryView", "BYTEA"),
    ("Date32", "DATE"),
    ("Date64", "DATE"),
    ("Decimal128", "DECIMAL"),
    ("Decimal256", "DECIMAL"),
    ("Timestamp", "TIMESTAMP"),
    ("Time32", "TIME"),
    ("Time64", "TIME"),
    ("List", "LIST"),
    ("Struct", "STRUCT"),
];

/// Types that are shown without their unit and zone.
const WITH_UNITS: [&str; 3] = ["Timestamp", "Time32", "Time64"];

/// The reason, for a message.
pub(crate) fn reason_of(error: &DataFusionError) -> String {
    in_plain_words(&raw_message(error))
}

/// The position in the query, if the message contains the syntax tree.
pub(crate) fn place_in_debug_text(error: &DataFusionError) -> Option<Position> {
    let message = raw_message(error);
    let (_, place) = message.split_once("Location(")?;
    let (line, rest) = place.split_once(',')?;
    let (column, _) = rest.split_once(')')?;
    let position = Position { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? };
    (position.line > 0).then_some(position)
}

fn raw_message(error: &DataFusionError) -> String {
    match error.iter().next().unwrap_or(error).find_root() {
        DataFusionError::Internal(message) => message.clone(),
        DataFusionError::External(source) => source.to_string(),
        root => root.message().into_owned(),
    }
}

fn in_plain_words(message: &str) -> String {
    let message = KINDS.iter().fold(message.to_owned(), |message, kind| message.replace(kind, ""));
    if let Some((_, words)) = PLAIN_WORDS.iter().find(|(part, _)| message.contains(part)) {
        return (*words).to_owned();
    }
    if DEBUG_MARKS.iter().any(|mark| message.contains(mark)) {
        return "this form of expression is not possible".to_owned();
    }
    let known = [refused_argument, wrong_arguments, no_json, no_fields];
    if let Some(words) = known.iter().find_map(|words| words(&message)) {
        return words;
    }
    sql_types(one_line(&message).trim_end_matches('.'))
}

/// `Function 'mask' user-defined coercion failed with: …`: one of our functions says why.
fn refused_argument(message: &str) -> Option<String> {
    let (function, reason) = message.split_once("' user-defined coercion failed with: ")?;
    let (_, function) = function.rsplit_once('\'')?;
    let reason = reason.split(" No function matches").next().unwrap_or(reason);
    Some(format!("the function `{function}`: {}", sql_types(one_line(reason).trim_end_matches('.'))))
}

/// `Unexpected argument type to 'json_get' at position 1, expected …, got Struct(…).`: an argument is no JSON text.
fn no_json(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Unexpected argument type to '")?;
    let (function, rest) = rest.split_once("' at position ")?;
    let (place, rest) = rest.split_once(',')?;
    let (_, got) = rest.split_once("got ")?;
    let data_type = got.split(|char: char| !char.is_alphanumeric()).next()?;
    Some(format!(
        "the function `{function}` does not take {} as argument {place}; a CAST may help",
        sql_types(data_type)
    ))
}

/// `… argument types 'upper(Int64)' …`: a function does not accept its arguments.
fn wrong_arguments(message: &str) -> Option<String> {
    let (_, call) = message.split_once("argument types '")?;
    let (call, _) = call.split_once("'. ").or_else(|| call.rsplit_once('\'')).unwrap_or((call, ""));
    let (function, types) = call.strip_suffix(')')?.split_once('(')?;
    let types = sql_types(types);
    Some(match function {
        "array_element" => format!("[…] takes an element of a list by its number; the types here are {types}"),
        _ if types.is_empty() => format!("the function `{function}` needs arguments"),
        _ => format!("the function `{function}` does not take ({types}); a CAST may help"),
    })
}

/// `… type Utf8 is not Struct, Map, or Null`: a field of a value without fields.
fn no_fields(message: &str) -> Option<String> {
    let (_, named) = message.split_once("Cannot access field at argument")?;
    let (data_type, _) = named.split_once("type ")?.1.split_once(" is not Struct")?;
    Some(format!("a field is taken out of a value of the type {}, which has no fields", sql_types(data_type)))
}

/// The first line; for an invalid regular expression its error.
fn one_line(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let cause = message.lines().find_map(|line| line.strip_prefix("error: "));
    match cause.filter(|_| first.ends_with(':')) {
        Some(cause) => format!("{first} {cause}"),
        None => first.to_owned(),
    }
}

/// Replaces types by their SQL names, except in quotes.
fn sql_types(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    let mut quote: Option<char> = None;
    while let Some(c) = rest.chars().next() {
        let word_len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_len.max(c.len_utf8()));
        rest = after;
        match TYPES.iter().find(|(arrow, _)| quote.is_none() && *arrow == word && !out.ends_with('.')) {
            Some((arrow, sql)) => {
                out.push_str(sql);
                if WITH_UNITS.contains(arrow) && rest.starts_with('(') {
                    rest = rest.split_once(')').map_or(rest, |(_, after)| after);
                }
            }
            None => out.push_str(word),
        }
        // not the apostrophe of `can't`
        let may_open = !out.chars().rev().nth(1).is_some_and(char::is_alphanumeric);
        match quote {
            None if matches!(c, '\'' | '"' | '`') && may_open => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_planner_says_is_said_in_the_words_of_sql() {
        for (message, words) in [
            (
                "Cannot coerce arithmetic expression Int64 + Utf8 to valid types",
                "Cannot coerce arithmetic expression BIGINT + VARCHAR to valid types",
            ),
            (
                "Function 'upper' requires String, but received Int64 (DataType: Int64).. No function matches the given name \
                 and argument types 'upper(Int64)'. You might need to add explicit type casts.",
                "the function `upper` does not take (BIGINT); a CAST may help",
            ),
            (
                "'upper' does not support zero arguments. No function … argument types 'upper()'. You …",
                "the function `upper` needs arguments",
            ),
            (
                "Cannot access field at argument 1: type List(Utf8) is not Struct, Map, or Null",
                "a field is taken out of a value of the type LIST(VARCHAR), which has no fields",
            ),
            (
                "Cast error: Cannot cast string 'Int64' to value of Int64 type",
                "Cannot cast string 'Int64' to value of BIGINT type",
            ),
            (
                "Function 'mask' user-defined coercion failed with: Error during planning: a text is needed, not Boolean No \
                 function matches the given name and argument types 'mask(Boolean)'. You …",
                "the function `mask`: a text is needed, not BOOLEAN",
            ),
            (
                "Unexpected argument type to 'json_as_text' at position 1, expected a string, got Struct([Field { …",
                "the function `json_as_text` does not take STRUCT as argument 1; a CAST may help",
            ),
            ("Unsupported CAST from Boolean to Timestamp(ns)", "Unsupported CAST from BOOLEAN to TIMESTAMP"),
            ("Compute error: Execution error: cannot take square root", "cannot take square root"),
            ("regex parse error:\n    (\n    ^\nerror: unclosed group", "regex parse error: unclosed group"),
            (
                "Cast error: Cannot cast timezone to different timezone",
                "a value is outside of the range of a timestamp",
            ),
            (
                "Unsupported ast node in sqltorel: Collate { expr: Identifier(Ident { value",
                "this form of expression is not possible",
            ),
            ("Can't cast value 3000 to type Int8", "Can't cast value 3000 to type TINYINT"),
            (
                "1.00 is too large to store in a Decimal128 of precision 2.",
                "1.00 is too large to store in a DECIMAL of precision 2",
            ),
        ] {
            assert_eq!(in_plain_words(message), words);
        }
    }

    #[test]
    fn a_place_is_found_in_the_syntax_tree() {
        let message = r#"Dot access not supported: Identifier(Ident { value: "sku", span: Span(Location(2,17)..Location(2,20)) })"#;
        let error = DataFusionError::NotImplemented(message.to_owned());
        assert_eq!(place_in_debug_text(&error), Some(Position { line: 2, column: 17 }));
        assert_eq!(place_in_debug_text(&DataFusionError::Plan("Location(x".into())), None);
    }

    proptest! {
        #[test]
        fn no_message_panics(message in "\\PC{0,60}", types in "[A-Z][a-z0-9]{3,5}\\(?\\PC{0,9}") {
            in_plain_words(&message);
            in_plain_words(&types);
        }
    }
}
