//! `InsertHeader`: adds a header with a constant value.
//!
//! ```text
//! transforms.add.type=org.apache.kafka.connect.transforms.InsertHeader
//! transforms.add.header=origin
//! transforms.add.value.literal=lake
//! ```
//!
//! The value has the type that it looks like: `7` is INT8, `1.5` FLOAT32, `[1,2]` an array.

use std::sync::Arc;

use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Header, HeaderConverter, Importance, KAFKA_VERSION,
    Plugin, PluginFactory, RawHeader, Records, Result, Transformation, Transformed, Validator,
};
use volley_converters::SimpleHeaderConverter;

const HEADER: &str = "header";
const VALUE_LITERAL: &str = "value.literal";

/// Adds one header to every record, behind those that it has.
#[derive(Clone, Debug)]
pub struct InsertHeader {
    header: Header,
}

impl InsertHeader {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let key = |name, doc| {
            ConfigKey::required(name, ConfigType::String, Importance::High, doc).validated(Validator::custom(non_null))
        };
        ConfigDef::new()
            .key(key(HEADER, "Name of the header."))
            .key(key(VALUE_LITERAL, "Value of the header, of the type that it looks like."))
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if the name or the value is missing.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let parsed = Self::config_def().parse(config)?;
        let text = |key| parsed.string(key).unwrap_or_default();
        let raw = RawHeader { name: text(HEADER).into(), value: Some(text(VALUE_LITERAL).as_bytes().to_vec()) };
        let header = SimpleHeaderConverter::new(config)?.to_connect("", &raw)?;
        Ok(Self { header: Header::new(header.name, header.value) })
    }
}

fn non_null(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::Null => Err("entry must be non null".to_owned()),
        _ => Ok(()),
    }
}

impl Transformation for InsertHeader {
    fn apply(&mut self, mut records: Records) -> Result<Transformed> {
        let mut headers = match records.headers.take() {
            Some(headers) => Arc::unwrap_or_clone(headers),
            None => vec![Vec::new(); records.len()],
        };
        headers.iter_mut().for_each(|row| row.push(self.header.clone()));
        records.headers = Some(Arc::new(headers));
        Ok(Transformed::of(records))
    }
}

pub(crate) fn plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.transforms.InsertHeader",
        KAFKA_VERSION,
        "Adds a header with a constant value.",
        InsertHeader::config_def(),
        PluginFactory::transformation(InsertHeader::new),
    )
}
