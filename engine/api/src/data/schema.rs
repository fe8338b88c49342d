//! Connect schemas on Arrow fields: metadata keys, logical names, and the mapping of types.
//!
//! | Connect | Arrow |
//! |---|---|
//! | INT8 … INT64, FLOAT32, FLOAT64, BOOLEAN | the same |
//! | STRING, BYTES | Utf8, Binary |
//! | ARRAY, MAP, STRUCT | List, Map, Struct |
//! | Decimal(scale) | Decimal128(38, scale), or Decimal256(76, scale) where it does not fit |
//! | Date, Time, Timestamp | Date32, Time32(ms), Timestamp(ms, "UTC") |
//! | no schema and no value | Null |

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, TimeUnit};

/// Field metadata: schema name.
pub const NAME: &str = "connect.name";
/// Field metadata: schema version, decimal.
pub const VERSION: &str = "connect.version";
/// Field metadata: schema doc.
pub const DOC: &str = "connect.doc";
/// Field metadata: default value, as JsonConverter writes it.
pub const DEFAULT: &str = "connect.default";
/// Field metadata: prefix of schema parameters (`connect.parameters.<name>`).
pub const PARAMETER_PREFIX: &str = "connect.parameters.";
/// Field metadata: the names of the parameters in their order, a JSON array; absent where they are in the order of the names.
/// The symbols of an enum are parameters.
pub const PARAMETER_ORDER: &str = "connect.parameter-order";
/// Field metadata `"false"` on the root of a value that has NO Connect schema (schemaless JSON). Absent otherwise.
pub const HAS_SCHEMA: &str = "connect.schema";

/// Arrow's canonical extension name key.
pub const EXTENSION_NAME: &str = "ARROW:extension:name";
/// Extension type of Utf8 columns whose values are JSON text, since the user wants them so.
pub const JSON_EXTENSION: &str = "arrow.json";
/// Field metadata `"true"` on a column of JSON text that is known to be right: see [`checked_json_field`].
const CHECKED: &str = "volley.checked";
/// Extension type of Utf8 columns of mixed values: of JSON types that have no type in common, each as its JSON text.
pub const MIXED_EXTENSION: &str = "volley.mixed";

/// Connect's `Decimal`.
pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
/// Connect's `Date`.
pub const DATE: &str = "org.apache.kafka.connect.data.Date";
/// Connect's `Time`.
pub const TIME: &str = "org.apache.kafka.connect.data.Time";
/// Connect's `Timestamp`.
pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";

/// The Arrow type of Connect's `Timestamp`.
pub fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// Whether the root field of a column carries a Connect schema (as opposed to schemaless data with an inferred one).
pub fn has_schema(field: &Field) -> bool {
    field.data_type() != &DataType::Null && field.metadata().get(HAS_SCHEMA).is_none_or(|value| value != "false")
}

/// The same field, marked as the root of schemaless data.
#[must_use]
pub fn without_schema(field: Field) -> Field {
    let mut metadata: HashMap<String, String> = field.metadata().clone();
    metadata.insert(HAS_SCHEMA.to_owned(), "false".to_owned());
    field.with_metadata(metadata)
}

/// A nullable Utf8 field whose values are JSON text.
pub fn json_text_field(name: &str) -> Field {
    text_field(name, JSON_EXTENSION)
}

/// A nullable Utf8 field, without a Connect schema, whose values are JSON text as it came: each is one value of strict JSON in one
/// line, without space around it.
pub fn checked_json_field(name: &str) -> Field {
    let field = without_schema(json_text_field(name));
    let mut metadata = field.metadata().clone();
    metadata.insert(CHECKED.to_owned(), "true".to_owned());
    field.with_metadata(metadata)
}

/// Whether it is such a field.
pub fn is_checked_json(field: &Field) -> bool {
    field.metadata().contains_key(CHECKED)
}

/// A nullable Utf8 field of mixed values, as JSON text. Where a value is wanted as text, [`crate::mixed_as_text`] gives it.
pub fn mixed_field(name: &str) -> Field {
    text_field(name, MIXED_EXTENSION)
}

fn text_field(name: &str, extension: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
        .with_metadata(HashMap::from([(EXTENSION_NAME.to_owned(), extension.to_owned())]))
}

/// Whether the values of the field are JSON text, mixed or not.
pub fn is_json_text(field: &Field) -> bool {
    is_mixed(field) || field.metadata().get(EXTENSION_NAME).is_some_and(|name| name == JSON_EXTENSION)
}

/// Whether the values of the field are mixed.
pub fn is_mixed(field: &Field) -> bool {
    field.metadata().get(EXTENSION_NAME).is_some_and(|name| name == MIXED_EXTENSION)
}
