//! `Hash$Key` and `Hash$Value`: a digest, in hexadecimal digits, in place of a text.
//!
//! ```text
//! transforms.hide.type=io.aiven.kafka.connect.transforms.Hash$Value
//! transforms.hide.field.name=email
//! transforms.hide.function=sha256
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};

use super::places::{FIELD_NAME, SKIP_MISSING_OR_NULL, place};
use super::plugins::pair;
use crate::columns::{ColumnWise, Failure, Outcome, all_rows, as_connect, child_values, with_members};

const FUNCTION: &str = "function";
const CLASSES: [&str; 2] =
    ["io.aiven.kafka.connect.transforms.Hash$Key", "io.aiven.kafka.connect.transforms.Hash$Value"];

/// Hashes the key, the value or a field of them.
#[derive(Debug)]
pub(super) struct Hash {
    columns: ColumnWise,
    hashed: Hashed,
}

#[derive(Debug)]
struct Hashed {
    side: Side,
    /// Otherwise the whole.
    field: Option<String>,
    skips: bool,
    function: Function,
}

#[derive(Clone, Copy, Debug)]
enum Function {
    Md5,
    Sha1,
    Sha256,
}

impl Function {
    fn digits(self, text: &str) -> String {
        let digest = match self {
            Self::Md5 => Md5::digest(text).to_vec(),
            Self::Sha1 => Sha1::digest(text).to_vec(),
            Self::Sha256 => Sha256::digest(text).to_vec(),
        };
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Hash {
    pub(super) fn config_def() -> ConfigDef {
        let field = "Field whose text is hashed. Without one the whole key or value is.";
        let skip = "Whether records without the field, or with a null there, pass as they are. If not they fail.";
        let function = "Hash function: md5, sha1 or sha256.";
        ConfigDef::new()
            .key(ConfigKey::optional(FIELD_NAME, ConfigType::String, Importance::High, field))
            .key(ConfigKey::with_default(SKIP_MISSING_OR_NULL, ConfigType::Boolean, "false", Importance::Low, skip))
            .key(
                ConfigKey::required(FUNCTION, ConfigType::String, Importance::High, function)
                    .validated(Validator::one_of(["md5", "sha1", "sha256"])),
            )
    }

    /// # Errors
    /// `Config` if the function is none that there is.
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let function = match config.string(FUNCTION) {
            Some("md5") => Function::Md5,
            Some("sha1") => Function::Sha1,
            _ => Function::Sha256,
        };
        let field = config.string(FIELD_NAME).filter(|field| !field.is_empty()).map(str::to_owned);
        let hashed = Hashed { side, field, skips: config.boolean(SKIP_MISSING_OR_NULL), function };
        Ok(Self { columns: ColumnWise::new(side, CLASSES), hashed })
    }
}

impl Transformation for Hash {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Self { columns, hashed } = self;
        columns.apply_to_column(records, |_| false, |column| hashed.column(column))
    }
}

impl Hashed {
    fn column(&self, column: &Column) -> Outcome<Column> {
        let (place, column) = (place(self.side), &as_connect(column)?);
        if !schema::has_schema(&column.field) {
            return Err(all_fail(column, format!("{place} schema can't be null")));
        }
        let Some(name) = &self.field else {
            if column.field.data_type() != &DataType::Utf8 {
                return Err(all_fail(
                    column,
                    format!("{place} schema type must be STRING if field name is not specified"),
                ));
            }
            self.no_nulls(column, || format!("{place} can't be null"))?;
            return Ok(Column::new(Arc::clone(&column.field), self.texts(column.array.as_string())));
        };
        let DataType::Struct(fields) = column.field.data_type() else {
            return Err(all_fail(column, format!("{place} schema type must be STRUCT if field name is specified")));
        };
        if column.array.null_count() > 0 {
            let error = Error::data(format!("{place} can't be null if field name is specified"));
            return Err(Failure::of_nulls(column, &error));
        }
        let structs = column.array.as_struct();
        let Some((at, field)) = fields.find(name) else {
            return match self.skips {
                true => Ok(column.clone()),
                false => Err(all_fail(column, format!("{name} in {place} schema can't be missing"))),
            };
        };
        let values = as_connect(&Column::new(Arc::clone(field), child_values(structs, structs.column(at))?))?;
        if values.field.data_type() != &DataType::Utf8 {
            return Err(all_fail(column, format!("{name} schema type in {place} must be STRING")));
        }
        self.no_nulls(&values, || format!("{name} in {place} can't be null"))?;
        let mut members: Vec<_> = fields.iter().cloned().zip(structs.columns().iter().cloned()).collect();
        members[at] = (Arc::clone(&values.field), self.texts(values.array.as_string()));
        Ok(with_members(column, structs, members)?)
    }

    fn no_nulls(&self, values: &Column, message: impl FnOnce() -> String) -> Outcome<()> {
        match self.skips || values.array.null_count() == 0 {
            true => Ok(()),
            false => Err(Failure::of_nulls(values, &Error::data(message()))),
        }
    }

    /// Text by text: a digest is of one.
    fn texts(&self, texts: &StringArray) -> ArrayRef {
        let mut digests = StringBuilder::with_capacity(texts.len(), texts.len() * 64);
        for text in texts {
            digests.append_option(text.map(|text| self.function.digits(text)));
        }
        Arc::new(digests.finish())
    }
}

fn all_fail(column: &Column, message: String) -> Failure {
    all_rows(column, &Error::data(message))
}

pub(super) fn plugins() -> [Plugin; 2] {
    pair(CLASSES, "Puts a digest in the place of a text of the {side}.", Hash::config_def, Hash::new)
}
