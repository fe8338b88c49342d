//! What is common to these transformations: the types that they support, and their regular expressions.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{
    Column, Config, ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Plugin, Result, Side,
    Transformation, Validator, schema,
};
use volley_java::JavaRegex;

use crate::columns::{Failure, Outcome, top_level, type_name, versioned_pair};

/// The release whose classes these behave like.
pub(super) const VERSION: &str = "0.1.0";

pub(super) const UNSUPPORTED: &str = "java.lang.UnsupportedOperationException";
const FLAGS: [&str; 9] = [
    "UNICODE_CHARACTER_CLASS",
    "CANON_EQ",
    "UNICODE_CASE",
    "DOTALL",
    "LITERAL",
    "MULTILINE",
    "COMMENTS",
    "CASE_INSENSITIVE",
    "UNIX_LINES",
];

pub(super) type Member = (FieldRef, ArrayRef);

/// The plug-ins of a transformation that has one class for each side.
pub(super) fn pair<T: Transformation + 'static>(
    classes: [&'static str; 2],
    what: &str,
    config_def: fn() -> ConfigDef,
    new: fn(&ConfigMap, Side) -> Result<T>,
) -> [Plugin; 2] {
    versioned_pair(VERSION, classes, what, config_def, new)
}

/// The struct with a schema that the column is. All else fails, but nulls.
pub(super) fn require_schema_struct(column: &Column) -> Outcome<&StructArray> {
    match column.field.data_type() {
        DataType::Struct(_) if schema::has_schema(&column.field) => Ok(column.array.as_struct()),
        _ => Err(unsupported(column)),
    }
}

/// The struct or the map without a schema that the column is. All else fails, but nulls.
pub(super) fn require_fields(column: &Column) -> Outcome<&StructArray> {
    match column.field.data_type() {
        DataType::Struct(_) => Ok(column.array.as_struct()),
        _ => Err(unsupported(column)),
    }
}

pub(super) fn unsupported(column: &Column) -> Failure {
    let has_schema = schema::has_schema(&column.field);
    let is_json = !has_schema && schema::is_json_text(&column.field);
    let name = match column.field.data_type() {
        DataType::Boolean => return fails(column, "Schema is not supported. type='BOOLEAN' name='null'".to_owned()),
        DataType::List(_) if !has_schema => {
            return fails(column, "Unsupported Type: class java.util.ArrayList".to_owned());
        }
        DataType::Utf8 if is_json => return fails(column, "Unsupported Type: class java.util.ArrayList".to_owned()),
        DataType::Struct(_) if !has_schema => "MAP",
        DataType::Timestamp(..) => "Timestamp",
        DataType::Date32 => "Date",
        DataType::Time32(_) => "Time",
        DataType::Decimal128(..) | DataType::Decimal256(..) => "Decimal",
        other => type_name(other),
    };
    fails(column, format!("{name} is not a supported type."))
}

fn fails(column: &Column, message: String) -> Failure {
    Failure::of_values(column, &Error::data(message).with_exception(UNSUPPORTED))
}

/// The column without the version of its schema, which transformations that make another schema do not take over.
pub(super) fn without_version(column: &Column) -> Column {
    let mut metadata = column.field.metadata().clone();
    metadata.remove(schema::VERSION);
    Column::new(Arc::new(Field::clone(&column.field).with_metadata(metadata)), Arc::clone(&column.array))
}

/// The error of a replacement text that names a group that there is not, or cannot be read.
pub(super) fn replacement_error(reason: &str) -> Error {
    let class = match reason.starts_with("No group ") && !reason.contains('{') {
        true => "java.lang.IndexOutOfBoundsException",
        false => "java.lang.IllegalArgumentException",
    };
    Error::data(reason.to_owned()).with_exception(class)
}

/// Refuses flags in Kafka's words, for which a validator has no place.
pub(super) fn check_flags(config: &ConfigMap, name: &str) -> Result<()> {
    let flags = config.get(name).map(String::as_str).unwrap_or_default();
    match flags.split(',').map(str::trim).find(|flag| !flag.is_empty() && !FLAGS.contains(flag)) {
        None => Ok(()),
        Some(flag) => {
            let known = FLAGS.join(", ");
            Err(Error::config(format!("Invalid value {flag} for configuration {name}: String must be one of: {known}")))
        }
    }
}

/// The fields of a struct with their defaults in place of nulls, where they have a schema.
pub(super) fn members(column: &Column, structs: &StructArray) -> Result<Vec<Member>> {
    let arrays = top_level(structs, schema::has_schema(&column.field))?;
    Ok(structs.fields().iter().cloned().zip(arrays).collect())
}

/// A field of no type yet that keeps the name of the schema, and whether it is optional, and nothing else.
pub(super) fn bare_root(column: &Column) -> FieldRef {
    let name = column.field.metadata().get(schema::NAME).filter(|name| !name.is_empty());
    let metadata = name.map(|name| (schema::NAME.to_owned(), name.clone())).into_iter().collect();
    Arc::new(Field::new(column.field.name(), DataType::Null, column.field.is_nullable()).with_metadata(metadata))
}

/// The key of the flags of a regular expression.
pub(super) fn flags_key(name: &str) -> ConfigKey {
    let doc = "Flags of Java's regular expressions.";
    ConfigKey::with_default(name, ConfigType::List, "CASE_INSENSITIVE", Importance::Low, doc)
        .validated(Validator::custom(are_flags))
}

fn are_flags(value: &ConfigValue) -> std::result::Result<(), String> {
    let ConfigValue::List(flags) = value else { return Ok(()) };
    if flags.iter().any(|flag| !FLAGS.contains(&flag.as_str())) {
        return Err(format!("String must be one of: {}", FLAGS.join(", ")));
    }
    match flags.iter().any(|flag| flag == "CANON_EQ") {
        true => Err("CANON_EQ is not supported".to_owned()),
        false => Ok(()),
    }
}

/// The regular expression of a key, with the flags of another. Letters of any script count for CASE_INSENSITIVE.
pub(super) fn regex(config: &Config, pattern: &str, flags: Option<&str>) -> Result<JavaRegex> {
    let mut text = config.string(pattern).unwrap_or_default().to_owned();
    let mut inline = String::new();
    for flag in flags.map(|flags| config.list(flags)).unwrap_or_default() {
        match flag.as_str() {
            "CASE_INSENSITIVE" => inline.push('i'),
            "MULTILINE" => inline.push('m'),
            "DOTALL" => inline.push('s'),
            "COMMENTS" => inline.push('x'),
            "LITERAL" => text = format!("\\Q{text}\\E"),
            _ => {}
        }
    }
    let text = if inline.is_empty() { text } else { format!("(?{inline}){text}") };
    JavaRegex::compile(&text).map_err(|error| {
        Error::config(format!("`{pattern}` is not a regular expression"))
            .with_source(error)
            .with_exception("java.util.regex.PatternSyntaxException")
    })
}
