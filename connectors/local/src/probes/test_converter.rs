//! The converters of `ConnectorValidationIntegrationTest`: strings as they are, with and without a key of their own.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigType, Converted, Converter, Error, Header, HeaderConverter, Importance, Plugin,
    PluginFactory, RawBatch, RawHeader, Result, RowIndex, Run, Serialized, Side, Unserialized, Value,
};

const PLAIN: &str =
    "org.apache.kafka.connect.integration.ConnectorValidationIntegrationTest$TestConverterWithNoConfigDef";
const WITH_KEY: &str =
    "org.apache.kafka.connect.integration.ConnectorValidationIntegrationTest$TestConverterWithSinglePropertyConfigDef";

/// Both, as converters and as header converters.
pub(super) fn plugins() -> Vec<Plugin> {
    let plain = ConfigDef::new;
    let with_key = || ConfigDef::new().key(ConfigKey::required("prop", ConfigType::Boolean, Importance::High, ""));
    vec![
        converter(PLAIN, plain()),
        converter(WITH_KEY, with_key()),
        header_converter(PLAIN, plain()),
        header_converter(WITH_KEY, with_key()),
    ]
}

fn converter(class: &'static str, config_def: ConfigDef) -> Plugin {
    let factory = PluginFactory::converter(|_, _| Ok(TestConverter));
    plugin(class, config_def, factory)
}

fn header_converter(class: &'static str, config_def: ConfigDef) -> Plugin {
    let factory = PluginFactory::header_converter(|_| Ok(TestConverter));
    plugin(class, config_def, factory)
}

fn plugin(class: &'static str, config_def: ConfigDef, factory: PluginFactory) -> Plugin {
    Plugin::new(class, "0.0.0", "A probe that passes strings on.", config_def, factory)
}

#[derive(Debug)]
struct TestConverter;

impl Converter for TestConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        let bytes = match side {
            Side::Key => &batch.keys,
            Side::Value => &batch.values,
        };
        let texts: StringArray = bytes.iter().map(|bytes| bytes.map(String::from_utf8_lossy)).collect();
        let column = Column::new(Arc::new(Field::new("value", DataType::Utf8, true)), Arc::new(texts) as ArrayRef);
        let run = Run { rows: RowIndex::all(batch.len()), column };
        Ok(Converted { runs: vec![run], rejected: Vec::new() })
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        let texts = arrow::compute::cast(&rows.column.array, &DataType::Utf8)?;
        let bytes: BinaryArray = texts.as_string::<i32>().iter().map(|text| text.map(str::as_bytes)).collect();
        debug_assert_eq!(bytes.len(), rows.column.len());
        Ok(Serialized::new(bytes, Vec::new()))
    }
}

impl HeaderConverter for TestConverter {
    fn to_connect(&mut self, _topic: &str, header: &RawHeader) -> Result<Header> {
        let text = header.value.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Ok(Header::new(Arc::clone(&header.name), text.map_or(Value::Null, Value::String)))
    }

    fn from_connect(&mut self, _topic: &str, header: &Header) -> Result<RawHeader> {
        let value = match &header.value {
            Value::Null => None,
            Value::String(text) => Some(text.clone().into_bytes()),
            _ => return Err(Error::data(format!("header `{}` is no string", header.name))),
        };
        Ok(RawHeader { name: Arc::clone(&header.name), value })
    }
}
