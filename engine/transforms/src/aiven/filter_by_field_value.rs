//! `FilterByFieldValue$Key` and `FilterByFieldValue$Value`: keeps records after the value of a field.
//!
//! ```text
//! transforms.eu.type=io.aiven.kafka.connect.transforms.FilterByFieldValue$Value
//! transforms.eu.field.name=country
//! transforms.eu.field.value.pattern=de|fr|it
//! ```
//!
//! `field.value` is read as Connect reads header texts: `5` is the smallest integer, an INT8, and equals no INT64; `true` is a BOOLEAN.
//! A pattern may stand anywhere in the text of the value.

use arrow::array::AsArray;
use arrow::datatypes::DataType;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Header, HeaderConverter, Importance, Plugin, RawHeader,
    Records, Result, Side, Transformation, Transformed, Value, schema,
};
use volley_converters::SimpleHeaderConverter;
use volley_java::{JavaRegex, class_of};

use super::places::FIELD_NAME;
use super::plugins::pair;
use crate::columns::{ColumnReader, Fate, carry_out, field_column, value_at};

const VALUE: &str = "field.value";
const PATTERN: &str = "field.value.pattern";
const MATCHES: &str = "field.value.matches";
const NULL_POINTER: &str = "java.lang.NullPointerException";
const CLASSES: [&str; 2] = [
    "io.aiven.kafka.connect.transforms.FilterByFieldValue$Key",
    "io.aiven.kafka.connect.transforms.FilterByFieldValue$Value",
];

/// Keeps the records whose field matches, or those whose does not.
#[derive(Debug)]
pub(super) struct FilterByFieldValue {
    reader: ColumnReader,
    /// Otherwise the whole, which must have no schema.
    name: Option<String>,
    wanted: Wanted,
    keeps_matches: bool,
}

#[derive(Debug)]
enum Wanted {
    Value(Value),
    Pattern(Box<JavaRegex>),
}

impl FilterByFieldValue {
    pub(super) fn config_def() -> ConfigDef {
        let name = "Field whose value counts. Without one the whole key or value does.";
        let value = "Value that the field must have. Give either this or a pattern.";
        let pattern = "Java regular expression that must be found in the value. Give either this or a value.";
        let matches = "Whether the records that match are kept (true) or dropped (false).";
        let text = |name, doc| ConfigKey::optional(name, ConfigType::String, Importance::High, doc);
        ConfigDef::new()
            .key(text(FIELD_NAME, name))
            .key(text(VALUE, value))
            .key(text(PATTERN, pattern))
            .key(ConfigKey::with_default(MATCHES, ConfigType::Boolean, "true", Importance::Medium, matches))
    }

    /// # Errors
    /// `Config` unless there is either a value or a pattern.
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let pattern = config.string(PATTERN).filter(|pattern| !pattern.is_empty());
        let wanted = match (config.string(VALUE), pattern) {
            (Some(text), None) => Wanted::Value(parsed(text)?),
            (None, Some(pattern)) => Wanted::Pattern(JavaRegex::compile(pattern).map(Box::new).map_err(|error| {
                Error::config(format!("`{PATTERN}` is not a regular expression"))
                    .with_source(error)
                    .with_exception("java.util.regex.PatternSyntaxException")
            })?),
            _ => {
                let message = format!("Either {VALUE} or {PATTERN} have to be set to apply filter transform");
                return Err(Error::config(message));
            }
        };
        let name = config.string(FIELD_NAME).map(str::to_owned);
        let keeps_matches = config.boolean(MATCHES);
        Ok(Self { reader: ColumnReader::new(side, CLASSES), name, wanted, keeps_matches })
    }
}

/// The text as the value that Connect finds in it.
fn parsed(text: &str) -> Result<Value> {
    let raw = RawHeader { name: FIELD_NAME.into(), value: Some(text.as_bytes().to_vec()) };
    Ok(SimpleHeaderConverter::new(&ConfigMap::new())?.to_connect("", &raw)?.value)
}

impl Transformation for FilterByFieldValue {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { reader, name, wanted, keeps_matches } = self;
        let is_wanted = |field: &str| name.as_deref() == Some(field);
        let fates =
            reader.each_row(&records, is_wanted, |column| fates(column, name.as_deref(), wanted, *keeps_matches))?;
        carry_out(records, self.reader.class, fates)
    }
}

fn fates(column: &Column, name: Option<&str>, wanted: &Wanted, keeps_matches: bool) -> Result<Vec<Fate>> {
    let has_schema = schema::has_schema(&column.field);
    let is_struct = matches!(column.field.data_type(), DataType::Struct(_));
    let is_whole = !has_schema && name.unwrap_or_default().is_empty();
    if !is_whole && !is_struct {
        let class = class_of(column.field.data_type());
        let needed = if has_schema { "Struct" } else { "Map" };
        let error = Error::data(format!("{class} is no {needed}, in which a field could be looked for"));
        let fate = Fate::Fails(error.with_exception("java.lang.ClassCastException"));
        return Ok(of_values(column, |_| fate.clone()));
    }
    let values = match name {
        _ if is_whole => Some(column.clone()),
        Some(name) => field_column(column, name)?,
        None => None,
    };
    if values.is_none() && has_schema {
        let message = format!("there is no field `{}` in the schema", name.unwrap_or_default());
        let fate = Fate::Fails(Error::data(message).with_exception(NULL_POINTER));
        return Ok(of_values(column, |_| fate.clone()));
    }
    let values = values.unwrap_or_else(|| Column::nulls(column.len()));
    let matching = Matching::of(&values, wanted)?;
    let mut fates = Vec::with_capacity(column.len());
    for row in 0..column.len() {
        fates.push(match column.is_null(row) {
            true => Fate::Stays,
            false => match matching.matches(row) {
                Ok(matches) => Fate::kept_if(matches == keeps_matches),
                Err(error) => Fate::Fails(error),
            },
        });
    }
    Ok(fates)
}

/// A null passes.
fn of_values(column: &Column, fate: impl Fn(usize) -> Fate) -> Vec<Fate> {
    (0..column.len()).map(|row| if column.is_null(row) { Fate::Stays } else { fate(row) }).collect()
}

/// The values of a column beside what is wanted.
struct Matching<'a> {
    values: &'a Column,
    wanted: &'a Wanted,
    has_schema: bool,
    is_text: bool,
}

impl<'a> Matching<'a> {
    fn of(values: &'a Column, wanted: &'a Wanted) -> Result<Self> {
        let has_schema = schema::has_schema(&values.field);
        let is_text =
            values.field.data_type() == &DataType::Utf8 && (has_schema || !schema::is_json_text(&values.field));
        Ok(Self { values, wanted, has_schema, is_text })
    }

    fn matches(&self, row: usize) -> Result<bool> {
        let text = |row| self.values.array.as_string::<i32>().value(row);
        let is_null = self.values.is_null(row);
        let found = |regex: &JavaRegex, text: &str| {
            let failed = |error| Error::data(format!("could not look for `{PATTERN}` in a value")).with_source(error);
            regex.first(text).map(|found| found.is_some()).map_err(failed)
        };
        match self.wanted {
            Wanted::Value(Value::Null) => {
                Err(Error::data(format!("`{VALUE}` is null, which no value equals")).with_exception(NULL_POINTER))
            }
            Wanted::Value(_) if is_null => {
                Err(Error::data(format!("there is no value that `{VALUE}` could equal")).with_exception(NULL_POINTER))
            }
            Wanted::Pattern(_) if is_null => Ok(false),
            Wanted::Value(Value::String(wanted)) if self.is_text => Ok(text(row) == wanted),
            Wanted::Pattern(regex) if self.is_text => found(regex, text(row)),
            Wanted::Value(wanted) => Ok(self.value(row)? == *wanted),
            Wanted::Pattern(regex) => found(regex, &self.text(row)?),
        }
    }

    fn value(&self, row: usize) -> Result<Value> {
        value_at(&self.values.field, &self.values.array, row, self.has_schema)
    }

    /// As Connect writes it into a header.
    fn text(&self, row: usize) -> Result<String> {
        let header = Header::new(FIELD_NAME, self.value(row)?);
        let raw = SimpleHeaderConverter::new(&ConfigMap::new())?.from_connect("", &header)?;
        Ok(String::from_utf8_lossy(&raw.value.unwrap_or_default()).into_owned())
    }
}

pub(super) fn plugins() -> [Plugin; 2] {
    let what = "Keeps or drops records after the value of a field of their {side}.";
    pair(CLASSES, what, FilterByFieldValue::config_def, FilterByFieldValue::new)
}
