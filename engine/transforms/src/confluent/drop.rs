//! `Drop$Key` and `Drop$Value`: a null in place of the key or the value.
//!
//! | `schema.behavior` | the schema |
//! |---|---|
//! | `nullify` | goes, too |
//! | `retain` | stays |
//! | `validate` | stays; where it is not optional the record fails |
//! | `force_optional` | becomes optional |
//!
//! Columns have no schema that says "not null" and a null in it all the same: what `retain` keeps is optional, too.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Plugin, Records, Result, Side,
    Transformation, Transformed, Validator, schema,
};

use crate::columns::{Fate, SharedFields, carry_out, column_of, plugin_pair, with_column};

const SCHEMA_BEHAVIOR: &str = "schema.behavior";
const NULLIFY: &str = "nullify";
const RETAIN: &str = "retain";
const VALIDATE: &str = "validate";
const FORCE_OPTIONAL: &str = "force_optional";
const CLASSES: [&str; 2] = ["io.confluent.connect.transforms.Drop$Key", "io.confluent.connect.transforms.Drop$Value"];

/// Puts a null in the place of the key or the value.
#[derive(Debug)]
pub(super) struct Drop {
    side: Side,
    keeps_schema: bool,
    validates: bool,
    schemas: SharedFields,
}

impl Drop {
    pub(super) fn config_def() -> ConfigDef {
        let doc = "What becomes of the schema: none is left (nullify), it stays (retain), it stays but must be optional (validate), \
                   or it becomes optional (force_optional).";
        ConfigDef::new().key(
            ConfigKey::with_default(SCHEMA_BEHAVIOR, ConfigType::String, NULLIFY, Importance::Medium, doc)
                .validated(Validator::one_of([NULLIFY, RETAIN, VALIDATE, FORCE_OPTIONAL])),
        )
    }

    /// # Errors
    /// `Config` if the behaviour is none that there is.
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let behavior = config.string(SCHEMA_BEHAVIOR).unwrap_or(NULLIFY);
        let (keeps_schema, validates) = (behavior != NULLIFY, behavior == VALIDATE);
        Ok(Self { side, keeps_schema, validates, schemas: SharedFields::default() })
    }
}

impl Transformation for Drop {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let field = &column_of(&records, self.side).field;
        let has_schema = schema::has_schema(field) && field.data_type() != &DataType::Null;
        if !self.keeps_schema || !has_schema {
            let nulls = Column::nulls(records.len());
            return Ok(Transformed::of(with_column(&records, self.side, nulls)));
        }
        if self.validates && !field.is_nullable() {
            let class = CLASSES[usize::from(self.side == Side::Value)];
            let error =
                Error::data(format!("the schema is not optional, which `{SCHEMA_BEHAVIOR}={VALIDATE}` requires"));
            let fates = vec![Fate::Fails(error); records.len()];
            return carry_out(records, class, fates);
        }
        let field = self.schemas.share(&Arc::new(Field::clone(field).with_nullable(true)));
        let nulls = Column::nulls_of(field, records.len());
        Ok(Transformed::of(with_column(&records, self.side, nulls)))
    }
}

pub(super) fn plugins() -> [Plugin; 2] {
    plugin_pair(CLASSES, "Puts a null in the place of the {side}.", Drop::config_def, Drop::new)
}
