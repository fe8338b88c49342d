//! The plug-ins of this crate.

use std::sync::Arc;

use arrow::datatypes::{Float32Type, Float64Type, Int16Type, Int32Type, Int64Type};
use volley_api::{
    ConfigDef, ConfigMap, Converter, HeaderConverter, KAFKA_VERSION, Plugin, PluginFactory, Result, Side,
};

use crate::avro::{ApicurioAvroConverter, AvroConverter, apicurio_avro_converter_def, avro_converter_def};
use crate::debezium::binary_data_converter_def;
use crate::ext_json_converter::ext_json_converter_def;
use crate::json::json_converter_def;
use crate::json_schema::{JsonSchemaConverter, json_schema_converter_def};
use crate::keys::converter_def;
use crate::primitives::WireNumber;
use crate::protobuf::{ProtobufConverter, protobuf_converter_def};
use crate::string_converter::string_converter_def;
use crate::{
    BinaryDataConverter, BooleanConverter, BooleanHeaderConverter, ByteArrayConverter, ByteArrayHeaderConverter,
    DoubleConverter, ExtJsonConverter, FloatConverter, IntegerConverter, JsonConverter, JsonHeaderConverter,
    LongConverter, NumberHeaderConverter, ShortConverter, SimpleHeaderConverter, StringConverter,
    StringHeaderConverter,
};

/// All converters and header converters, under their Java class names.
pub fn plugins() -> Vec<Plugin> {
    vec![
        converter(
            JsonConverter::CLASS,
            "JSON, with or without schemas. Without, columns are inferred from the messages, and only ever widened.",
            json_converter_def(),
            JsonConverter::new,
        ),
        converter(
            AvroConverter::CLASS,
            "Avro, with schemas in a Schema Registry. Each schema has columns of its own.",
            avro_converter_def(),
            AvroConverter::new,
        )
        // Apicurio's has the same simple name
        .alias("AvroConverter")
        .alias("Avro"),
        converter(
            ApicurioAvroConverter::CLASS,
            "Avro, with schemas in Apicurio's registry by its own interface. Each schema has columns of its own.",
            apicurio_avro_converter_def(),
            ApicurioAvroConverter::new,
        ),
        converter(
            ExtJsonConverter::CLASS,
            "JSON, with Connect's schemas in Apicurio's registry. Each schema has columns of its own.",
            ext_json_converter_def(),
            ExtJsonConverter::new,
        ),
        converter(
            JsonSchemaConverter::CLASS,
            "JSON, with schemas in a Schema Registry. Each schema has columns of its own.",
            json_schema_converter_def(),
            JsonSchemaConverter::new,
        ),
        converter(
            ProtobufConverter::CLASS,
            "Protobuf, with schemas in a Schema Registry. Each message type has columns of its own.",
            protobuf_converter_def(),
            ProtobufConverter::new,
        ),
        converter(
            StringConverter::CLASS,
            "Text in a character set; any value is written as its text.",
            string_converter_def(),
            StringConverter::new,
        ),
        // Debezium's has the same simple name
        converter(ByteArrayConverter::CLASS, "Bytes as they are.", converter_def(), ByteArrayConverter::new)
            .alias("ByteArrayConverter")
            .alias("ByteArray"),
        binary_data(BinaryDataConverter::CLASS),
        binary_data(BinaryDataConverter::OLD_CLASSES[0]),
        binary_data(BinaryDataConverter::OLD_CLASSES[1]),
        converter(ShortConverter::CLASS, "16-bit integers, big-endian.", converter_def(), ShortConverter::new),
        converter(IntegerConverter::CLASS, "32-bit integers, big-endian.", converter_def(), IntegerConverter::new),
        converter(LongConverter::CLASS, "64-bit integers, big-endian.", converter_def(), LongConverter::new),
        converter(FloatConverter::CLASS, "32-bit floats, big-endian.", converter_def(), FloatConverter::new),
        converter(DoubleConverter::CLASS, "64-bit floats, big-endian.", converter_def(), DoubleConverter::new),
        converter(BooleanConverter::CLASS, "Booleans in one byte.", converter_def(), BooleanConverter::new),
        header_converter(
            SimpleHeaderConverter::CLASS,
            "Text that shows the type of a value; types are guessed when reading.",
            ConfigDef::new(),
            SimpleHeaderConverter::new,
        ),
        header_converter(
            JsonConverter::CLASS,
            "JSON, with or without schemas.",
            json_converter_def(),
            JsonHeaderConverter::new,
        ),
        header_converter(
            StringConverter::CLASS,
            "Text in a character set; any value is written as its text.",
            string_converter_def(),
            StringHeaderConverter::new,
        ),
        header_converter(
            ByteArrayConverter::CLASS,
            "Bytes as they are.",
            converter_def(),
            ByteArrayHeaderConverter::new,
        )
        .alias("ByteArrayConverter")
        .alias("ByteArray"),
        binary_data_header(BinaryDataConverter::CLASS),
        binary_data_header(BinaryDataConverter::OLD_CLASSES[0]),
        binary_data_header(BinaryDataConverter::OLD_CLASSES[1]),
        number_header::<Int16Type>("16-bit integers, big-endian."),
        number_header::<Int32Type>("32-bit integers, big-endian."),
        number_header::<Int64Type>("64-bit integers, big-endian."),
        number_header::<Float32Type>("32-bit floats, big-endian."),
        number_header::<Float64Type>("64-bit floats, big-endian."),
        header_converter(
            BooleanConverter::CLASS,
            "Booleans in one byte.",
            converter_def(),
            BooleanHeaderConverter::new,
        ),
    ]
}

fn converter<C: Converter + 'static>(
    class: &'static str,
    documentation: &'static str,
    config_def: ConfigDef,
    new: fn(&ConfigMap, Side) -> Result<C>,
) -> Plugin {
    let factory = PluginFactory::Converter(Arc::new(move |config, side| Ok(Box::new(new(config, side)?))));
    Plugin::new(class, KAFKA_VERSION, documentation, config_def, factory)
}

fn binary_data(class: &'static str) -> Plugin {
    let documentation = "Bytes as they are, as an outbox holds them; anything else by another converter.";
    converter(class, documentation, binary_data_converter_def(), BinaryDataConverter::new)
}

/// Headers have no other converter, as in Java.
fn binary_data_header(class: &'static str) -> Plugin {
    header_converter(class, "Bytes as they are.", binary_data_converter_def(), ByteArrayHeaderConverter::new)
}

fn number_header<T: WireNumber>(documentation: &'static str) -> Plugin {
    header_converter(T::CLASS, documentation, converter_def(), NumberHeaderConverter::<T>::new)
}

fn header_converter<C: HeaderConverter + 'static>(
    class: &'static str,
    documentation: &'static str,
    config_def: ConfigDef,
    new: fn(&ConfigMap) -> Result<C>,
) -> Plugin {
    let factory = PluginFactory::HeaderConverter(Arc::new(move |config| Ok(Box::new(new(config)?))));
    Plugin::new(class, KAFKA_VERSION, documentation, config_def, factory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plugin_can_be_made_with_its_defaults() {
        for plugin in plugins() {
            // the keys that have no default
            let keys = ["schema.registry.url", "apicurio.registry.url"];
            let config: ConfigMap = keys.map(|key| (key.to_owned(), "mock://plugins".to_owned())).into();
            match &plugin.factory {
                PluginFactory::Converter(new) => drop(new(&config, Side::Value).unwrap()),
                PluginFactory::HeaderConverter(new) => drop(new(&config).unwrap()),
                _ => panic!("{} is no converter", plugin.class),
            }
        }
    }
}
