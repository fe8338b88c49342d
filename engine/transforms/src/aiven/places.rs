//! What several transformations share: how messages name a side, and what can be a text.

use arrow::datatypes::DataType;
use volley_api::{Column, Side, schema};

/// The release whose classes these behave like.
pub(super) const AIVEN_VERSION: &str = "1.6.0";

pub(super) const SKIP_MISSING_OR_NULL: &str = "skip.missing.or.null";
pub(super) const FIELD_NAME: &str = "field.name";

/// As messages name the side.
pub(super) fn place(side: Side) -> &'static str {
    match side {
        Side::Key => "key",
        Side::Value => "value",
    }
}

/// Whether values of this type have a text that is a name.
pub(super) fn is_primitive(column: &Column) -> bool {
    let has_schema = schema::has_schema(&column.field);
    match column.field.data_type() {
        DataType::Boolean | DataType::Float32 | DataType::Float64 => true,
        DataType::Utf8 => has_schema || !schema::is_json_text(&column.field),
        DataType::Date32 | DataType::Time32(_) | DataType::Timestamp(..) => has_schema,
        other => other.is_integer(),
    }
}
