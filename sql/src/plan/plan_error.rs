//! Explains in the user's terms why a query could not be planned for some records.

use crate::query::{Position, RowwiseQuery};
use crate::reason::{place_in_debug_text, reason_of};
use crate::records_table::NO_FIELD;
use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;

/// Maximum number of columns in a message.
const LISTED: usize = 40;

/// The message of `error` for the user of `query`, which does not fit records of `topic`.
pub(crate) fn plan_error(error: &DataFusionError, query: &RowwiseQuery, topic: &str) -> String {
    for error in error.iter() {
        if let DataFusionError::SchemaError(schema_error, _) = error.find_root() {
            match schema_error.as_ref() {
                SchemaError::FieldNotFound { field, valid_fields } => {
                    return unknown_column(field, valid_fields, query, topic);
                }
                SchemaError::AmbiguousReference { field } => {
                    let place = place_of(field, query);
                    let name = &field.name;
                    return format!(
                        "`query`, {place}: several tables have a column `{name}`; write the table's name before it"
                    );
                }
                _ => {}
            }
        }
    }
    let place = diagnosed(error)
        .or_else(|| place_in_debug_text(error))
        .map(|position| format!(", {position}"))
        .unwrap_or_default();
    let reason = reason_of(error);
    format!("`query`{place}: the query does not fit the records of topic `{topic}`: {reason}")
}

fn unknown_column(field: &Column, known: &[Column], query: &RowwiseQuery, topic: &str) -> String {
    // `a.b` without a table a: the unknown column is a.
    let root = field.relation.as_ref().map(|table| table.table()).filter(|table| !is_table(table, query));
    let name = root.unwrap_or(&field.name);
    let place = root.and_then(|root| query.position_of(root)).unwrap_or_else(|| place_of(field, query));
    let of_table: Vec<&str> = match &field.relation {
        Some(table) if is_table(table.table(), query) => {
            known.iter().filter(|column| column.relation.as_ref() == Some(table)).map(|column| column.name()).collect()
        }
        _ => known.iter().map(|column| column.name()).collect(),
    };
    let of_table: Vec<&str> = of_table.into_iter().filter(|name| *name != NO_FIELD).collect();
    let alike = of_table.iter().find(|known| known.eq_ignore_ascii_case(name));
    let hint = match alike {
        Some(known) => format!("; did you mean `{known}`? Names are case sensitive"),
        None => String::new(),
    };
    let listed = listed(&of_table);
    format!("`query`, {place}: the records of topic `{topic}` have no column `{name}`; they have {listed}{hint}")
}

fn is_table(name: &str, query: &RowwiseQuery) -> bool {
    name == query.records_name || query.tables.iter().any(|(table, _)| table == name)
}

fn place_of(field: &Column, query: &RowwiseQuery) -> Position {
    let spanned = field.spans.first().filter(|span| span.start.line > 0);
    let spanned = spanned.map(|span| Position { line: span.start.line, column: span.start.column });
    let by_table = || field.relation.as_ref().and_then(|table| query.position_of(table.table()));
    spanned.or_else(|| query.position_of(&field.name)).or_else(by_table).unwrap_or(Position::START)
}

fn diagnosed(error: &DataFusionError) -> Option<Position> {
    let span = error.diagnostic()?.span?;
    (span.start.line > 0).then_some(Position { line: span.start.line, column: span.start.column })
}

fn listed(names: &[&str]) -> String {
    match names.len() {
        0 => "no columns".to_owned(),
        len if len > LISTED => format!("{} and {} more", names[..LISTED].join(", "), len - LISTED),
        _ => names.join(", "),
    }
}
